"""Verifiers whose errors have a pattern: they come back, or hit one kind of mistake only."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax.types import MISTAKES, Grade, Rollout
from avax.verifiers.hashed import Hashed, hashed_uniform, mix
from avax.verifiers.systematic import Systematic

B, K, P, C = 400, 50, 9, 6


def assert_share(events, rate):
    """An observed share within five standard errors, and exact at 0 and 1."""
    events = np.asarray(events)
    assert abs(events.mean() - rate) <= 5 * np.sqrt(rate * (1 - rate) / events.size)


def rollouts_of(seed: int, digits: int = 10) -> Rollout:
    """B prompts with K completions, of random tokens below `digits`."""
    rng = np.random.default_rng(seed)
    prompt = rng.integers(0, digits, (B, P)).astype(np.int32)
    completion = rng.integers(0, digits, (B, K, C)).astype(np.int32)
    return Rollout(prompt, completion, np.ones(completion.shape, bool), np.zeros(completion.shape))


def grades_of(seed: int) -> Grade:
    """Half the completions are wrong, half of these of each kind; half the problems carry far."""
    rng = np.random.default_rng(seed)
    correct = rng.random((B, K)) < 0.5
    mistake = (rng.random((B, K, len(MISTAKES))) < 0.5) & ~correct[..., None]
    long_carry = np.repeat(rng.random((B, 1)) < 0.5, K, axis=1)
    return Grade(correct, np.repeat(correct[..., None], C, -1), mistake, long_carry)


@jax.jit
def accepted(verifier, rollouts, grades, key_init, key_verify):
    """bool[B, K]: verdicts with the state of one key, each problem with a key of its own."""
    state = verifier.init(key_init, None)
    keys = jax.random.split(key_verify, B)
    verify = jax.vmap(lambda k, r, g: verifier.verify(k, state, None, r, g))
    return verify(keys, rollouts, grades).accept


def verdicts(verifier, salt=0, key=1, tokens=2, truth=3) -> np.ndarray:
    keys = jax.random.key(salt), jax.random.key(100 + key)
    return np.asarray(accepted(verifier, rollouts_of(tokens), grades_of(truth), *keys))


def hashed(fpr, fnr):
    return Hashed(jnp.float32(fpr), jnp.float32(fnr))


@pytest.mark.parametrize("fpr, fnr", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.02, 0.3), (0.5, 0.1)])
def test_hashed_hits_its_rates(fpr, fnr):
    accept, correct = verdicts(hashed(fpr, fnr)), grades_of(3).correct
    assert_share(accept[~correct], fpr)
    assert_share(~accept[correct], fnr)


def test_hashed_judges_alike_whenever_a_completion_comes_up():
    """The key of a verdict plays no part, nor the place among the problems and the samples."""
    verifier, grades, keys = hashed(0.3, 0.3), grades_of(3), jax.random.split(jax.random.key(0))
    before = verdicts(verifier, key=1)
    np.testing.assert_array_equal(verdicts(verifier, key=2), before)
    assert (verdicts(verifier, salt=1) != before).any()

    def turned(tree):
        return jax.tree.map(lambda x: np.roll(x, 1, axis=0), tree)

    there = accepted(verifier, rollouts_of(2), grades, *keys)
    back = accepted(verifier, turned(rollouts_of(2)), turned(grades), *keys)
    np.testing.assert_array_equal(np.roll(there, 1, axis=0), back)
    same = np.zeros((B, K, C), np.int32)
    repeated = rollouts_of(2)._replace(completion=same)
    wrong = grades._replace(correct=np.zeros((B, K), bool))
    accept = np.asarray(accepted(verifier, repeated, wrong, *keys))
    assert (accept == accept[:, :1]).all()
    assert_share(accept[:, 0], 0.3)  # another prompt is another case


def test_salts_are_independent():
    verifier, correct = hashed(0.3, 0.3), grades_of(3).correct
    wrong = [verdicts(verifier, salt=s)[~correct] for s in range(6)]
    for i, one in enumerate(wrong):
        for other in wrong[:i]:
            assert_share(one & other, 0.09)


uniform_of = jax.jit(jax.vmap(hashed_uniform, (None, 0)))


def test_the_hash_is_uniform_on_similar_tokens():
    """Numbers that follow each other, in 500 runs: no bin is favoured, in no run nor over runs."""
    numbers = np.arange(2000)
    tokens = (numbers[:, None] // 10 ** np.arange(4)[None] % 10).astype(np.int32)
    u = np.asarray(uniform_of(tokens, jax.random.bits(jax.random.key(0), (500,))))
    assert 0 <= u.min() and u.max() < 1 and u.dtype == np.float32
    counts = np.stack([np.bincount((row * 20).astype(int), minlength=20) for row in u])
    chi2 = ((counts - 100) ** 2 / 100).sum(1)  # 19 degrees of freedom
    assert abs(chi2.mean() - 19) < 5 * np.sqrt(2 * 19 / 500)
    assert abs(u.mean(0) - 0.5).max() < 5.5 * np.sqrt(1 / 12 / 500)
    follows = np.corrcoef(u[:, :-1].ravel(), u[:, 1:].ravel())[0, 1]
    assert abs(follows) < 5 / np.sqrt(u.size)


def test_one_other_token_is_another_draw():
    """Each token at each place, and two that change places: all independent of the original."""
    tokens = np.full((1 + 2 * C, C), 3, np.int32)
    tokens[:, 0] = 7
    for place in range(C):
        tokens[1 + place, place] += 1
        tokens[1 + C + place, [0, place]] = tokens[0, [place, 0]]
    u = np.asarray(uniform_of(tokens, jax.random.bits(jax.random.key(1), (20_000,))))
    np.testing.assert_array_equal(u[:, 1 + C], u[:, 0])  # exchanged with itself
    for other in {*range(1, 1 + 2 * C)} - {1 + C}:
        assert abs(np.corrcoef(u[:, 0], u[:, other])[0, 1]) < 5 / np.sqrt(len(u))


def test_mix_changes_half_of_the_bits():
    words = jax.random.bits(jax.random.key(2), (20_000,))
    mixed = np.asarray(mix(words))
    assert len(np.unique(mixed)) == len(np.unique(np.asarray(words)))
    for bit in range(32):
        flipped = mixed ^ np.asarray(mix(words ^ jnp.uint32(1 << bit)))
        shares = [(flipped >> out & 1).mean() for out in range(32)]
        assert 0.45 < min(shares) and max(shares) < 0.55


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("fpr, fnr", [(0.0, 0.0), (1.0, 1.0), (0.3, 0.0), (0.0, 0.6)])
def test_systematic_errs_on_its_kinds_only(mistake, fpr, fnr):
    grades = grades_of(4)
    accept = verdicts(Systematic(**{mistake: jnp.float32(fpr)}, fnr=jnp.float32(fnr)), truth=4)
    kind = grades.mistake[..., MISTAKES.index(mistake)]
    assert_share(accept[kind], fpr)
    assert not accept[~grades.correct & ~kind].any()
    assert_share(~accept[grades.correct & grades.long_carry], fnr)
    assert accept[grades.correct & ~grades.long_carry].all()


def test_systematic_without_rates_is_the_truth():
    np.testing.assert_array_equal(verdicts(Systematic()), grades_of(3).correct)


def test_systematic_accepts_a_mistake_at_the_highest_of_its_rates():
    """The rates of its kinds, and that of any mistake."""
    rates = dict(zip(MISTAKES, (0.1, 0.4, 0.7, 0.0), strict=True))
    grades = grades_of(4)
    accept = verdicts(Systematic(fpr=0.2, **rates), truth=4)
    highest = np.where(grades.mistake, list(rates.values()), 0.2).max(-1)
    for rate in (0.2, 0.4, 0.7):
        assert_share(accept[~grades.correct & (highest == rate)], rate)
    assert accept[grades.correct].all()


def test_errors_of_a_kind_are_independent():
    """Each completion of the kind has its own coin: counts of a prompt vary as a binomial's."""
    rollouts, grades = rollouts_of(5), grades_of(5)
    grades = grades._replace(correct=np.zeros((B, K), bool), mistake=np.ones((B, K, 4), bool))
    keys = jax.random.split(jax.random.key(6))
    coin = Systematic(near_miss=jnp.float32(0.5))
    counts = np.asarray(accepted(coin, rollouts, grades, *keys)).sum(1)
    assert 0.7 < counts.var() / (K / 4) < 1.4
    again = accepted(coin, rollouts, grades, keys[0], jax.random.key(7))
    assert (np.asarray(again).sum(1) != counts).any()
