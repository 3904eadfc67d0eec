"""Laws of the label noise that is put in behind the verifier."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import vocab
from avax.faults.label_noise import PATTERNS, LabelNoise
from avax.types import Rollout

B, K, C = 500, 8, 4
SYMBOLS = vocab.to_text(range(vocab.VOCAB_SIZE))
each_pattern = pytest.mark.parametrize("pattern", PATTERNS)


def tokens(*texts: str) -> jax.Array:
    """i32[N, C]: the inverse of `vocab.to_text`, PAD behind short texts."""
    return jnp.array([[SYMBOLS.index(c) for c in text.ljust(C, "_")] for text in texts])


def rollout_of(completion) -> Rollout:
    """Rollouts of completions i32[B, K, C], with a different log-probability for each token."""
    mask = completion != vocab.PAD
    logprob = -jnp.arange(1.0, mask.size + 1).reshape(mask.shape) * mask
    return Rollout(jnp.zeros((B, 3), jnp.int32), completion, mask, logprob)


def noise_of(pattern, rate, round=1):
    rates = {f"{name}_rate": jnp.float32(rate * (name == pattern)) for name in PATTERNS}
    return LabelNoise(**rates, round=jnp.int32(round))


def assert_share(events, rate):
    """An observed share within five standard errors."""
    events = np.asarray(events)
    assert abs(events.mean() - rate) <= 5 * np.sqrt(rate * (1 - rate) / events.size)


def has_digit(rollouts) -> np.ndarray:
    return (np.asarray(rollouts.completion) < 10).any(-1)


inject = jax.jit(LabelNoise.inject)


@pytest.fixture(scope="module")
def clean():
    """Rollouts of numbers of all lengths, and some completions without any digit."""
    texts = ["$", "1$", "27$", "905$", "3333", "+*=>", "+4$"]
    return rollout_of(tokens(*np.random.default_rng(2).choice(texts, B * K)).reshape(B, K, C))


def changed(clean, noisy) -> np.ndarray:
    """bool[B, K, C]: which tokens differ. Prompts never do, nor anything where no token does."""
    before, after = np.asarray(clean.completion), np.asarray(noisy.completion)
    np.testing.assert_array_equal(clean.prompt, noisy.prompt)
    same = (before == after).all(-1)
    for field in ("mask", "logprob"):
        x, y = (np.asarray(getattr(r, field)) for r in (clean, noisy))
        np.testing.assert_array_equal(x[same], y[same])
    return before != after


def spoilt(pattern, rollouts, rate=1.0, seed=5):
    return inject(noise_of(pattern, rate), jax.random.key(seed), rollouts, jnp.int32(1))


def many(text: str) -> Rollout:
    return rollout_of(jnp.tile(tokens(text), (B, K, 1)))


@each_pattern
def test_no_noise_changes_nothing(clean, pattern):
    assert not changed(clean, spoilt(pattern, clean, rate=0.0)).any()


@each_pattern
def test_noise_stays_in_its_round(clean, pattern):
    noise = noise_of(pattern, 1.0, round=3)
    for r in range(1, 5):
        noisy = inject(noise, jax.random.key(5), clean, jnp.int32(r))
        assert changed(clean, noisy).any() == (r == 3)


@each_pattern
def test_noise_hits_its_rate(clean, pattern):
    """The same draws decide who is hit, whatever the rate."""
    hit, all_hit = (changed(clean, spoilt(pattern, clean, rate=r)).any(-1) for r in (0.2, 1.0))
    assert_share(hit[all_hit], 0.2)
    assert not hit[~all_hit].any()


@each_pattern
def test_completions_without_a_digit_stay(clean, pattern):
    hit = changed(clean, spoilt(pattern, clean)).any(-1)
    assert not hit[~has_digit(clean)].any()
    if pattern != "uniform":  # which may draw the same digits
        assert hit[has_digit(clean)].all()
    assert 0.5 < has_digit(clean).mean() < 0.9


@pytest.mark.parametrize("pattern", sorted({*PATTERNS} - {"drop"}))
def test_digits_remain_digits_and_lengths_remain(clean, pattern):
    noisy = spoilt(pattern, clean)
    before, after = np.asarray(clean.completion), np.asarray(noisy.completion)
    different = changed(clean, noisy)
    assert (before[different] < 10).all() and (after[different] < 10).all() and (after >= 0).all()
    np.testing.assert_array_equal(clean.mask, noisy.mask)
    np.testing.assert_array_equal(clean.logprob, noisy.logprob)


def test_digit_changes_one_at_all_places_to_all_other_digits_equally_often():
    rollouts = many("3333")
    noisy = spoilt("digit", rollouts)
    different = changed(rollouts, noisy)
    assert (different.sum(-1) == 1).all()
    for place in range(C):
        assert_share(different[..., place], 1 / C)
    for digit in {*range(10)} - {3}:
        assert_share(np.asarray(noisy.completion)[different] == digit, 1 / 9)


def test_uniform_draws_every_digit_anew():
    after = np.asarray(spoilt("uniform", many("333$")).completion)
    for digit in range(10):
        for place in range(3):
            assert_share(after[..., place] == digit, 0.1)
    assert_share((after[..., :3] == 3).all(-1), 0.001)


def test_drop_leaves_out_1_to_3_of_the_last_digits():
    rollouts = many("123$")
    noisy = spoilt("drop", rollouts)
    after, counts = np.asarray(noisy.completion), np.asarray(noisy.mask).sum(-1)
    for left, expected in enumerate(["$", "1$", "12$"], start=1):
        assert_share(counts == left, 1 / 3)
        assert (after[counts == left] == np.asarray(tokens(expected))).all()
    np.testing.assert_array_equal(noisy.mask, after != vocab.PAD)
    # The log-probability of what moved up moves with it.
    end = np.take_along_axis(np.asarray(noisy.logprob), counts[..., None] - 1, -1)
    np.testing.assert_array_equal(end[..., 0], rollouts.logprob[..., 3])
    assert (np.asarray(noisy.logprob)[~np.asarray(noisy.mask)] == 0).all()


def test_drop_by_hand(clean):
    """Of fewer digits no more are left out than there are; without EOS none appears."""
    possible = {"1$": {"$"}, "27$": {"2$", "$"}, "3333": {"333", "33", "3"}, "+4$": {"+$", "$"}}
    after = np.asarray(spoilt("drop", clean).completion)
    for before, expected in possible.items():
        rows = after[(np.asarray(clean.completion) == np.asarray(tokens(before))).all(-1)]
        assert {vocab.to_text(row).rstrip("_") for row in np.unique(rows, axis=0)} == expected


def test_perturb_moves_the_last_digits_by_one():
    rollouts = many("905$")
    moved = np.asarray(spoilt("perturb", rollouts).completion - rollouts.completion) % 10
    assert set(np.unique(moved[..., :3])) == {0, 1, 9} and (moved[..., 2] != 0).all()
    for place, share in enumerate([1 / 3, 2 / 3, 1.0]):  # from the left: the last 3, 2, 1
        assert_share(moved[..., place] != 0, share)
        assert_share(moved[..., place] == 1, share / 2)
    assert ((moved[..., 0] == 0) | (moved[..., 1] != 0)).all()  # the last ones, without gaps


def test_one_digit_noise_is_what_it_always_was():
    """The draws of the first version: a result made with it can be made again."""
    noisy = spoilt("digit", many("905$"), rate=0.5, seed=7)
    uniform = jax.random.uniform(jax.random.key(7), (3, B, K, C))
    place = uniform[1][..., :3].argmax(-1)
    digit = jnp.array([9, 0, 5])[place]
    draw = jnp.take_along_axis(uniform[2], place[..., None], -1)[..., 0]
    new = (digit + 1 + (9 * draw).astype(jnp.int32)) % 10
    found = jnp.take_along_axis(noisy.completion, place[..., None], -1)[..., 0]
    np.testing.assert_array_equal(found, jnp.where(uniform[0][..., 0] < 0.5, new, digit))


def test_a_completion_is_spoilt_in_one_way_at_most():
    """Rates share the draw: each pattern has its own part of the completions, the rest stay."""
    rates = {"digit": 0.1, "uniform": 0.2, "drop": 0.3, "perturb": 0.15}
    rollouts = many("3333")
    noise = LabelNoise(**{f"{name}_rate": rate for name, rate in rates.items()})
    noisy = inject(noise, jax.random.key(5), rollouts, jnp.int32(1))
    alone = {name: spoilt(name, rollouts) for name in PATTERNS}
    draw = np.asarray(jax.random.uniform(jax.random.key(5), (3, B, K, C)))[0, ..., 0]
    low = 0.0
    for name, rate in rates.items():
        here = (draw >= low) & (draw < low + rate)
        assert_share(here, rate)
        for field in ("completion", "mask", "logprob"):
            found, expected = (np.asarray(getattr(r, field)) for r in (noisy, alone[name]))
            np.testing.assert_array_equal(found[here], expected[here])
        low += rate
    stays = draw >= low
    assert not changed(rollouts, noisy)[stays].any()
