"""The relative length filter: one round's completions, compared with the longest of them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import vocab
from avax.types import PROBLEMS, Rollout
from avax.verifiers.accept_all import AcceptAll
from avax.verifiers.length import RelativeLength
from avax.verifiers.noisy import Noisy
from avax.verifiers.oracle import Oracle
from avax.verifiers.pair import AllOf, AnyOf

B, K, C = 40, 3, 9


def round_of(lengths) -> Rollout:
    """Rollouts of a round, with completions of the given lengths [B, K]."""
    lengths = np.asarray(lengths)
    index = np.arange(C)
    last = np.where(index == lengths[..., None] - 1, vocab.EOS, vocab.PAD)
    completion = np.where(index < lengths[..., None] - 1, 1, last)
    mask = completion != vocab.PAD
    return Rollout(np.zeros((len(lengths), 2), np.int32), completion, mask, np.zeros(mask.shape))


def accepted(verifier, rollouts: Rollout) -> np.ndarray:
    """bool[B, K]: what a verifier that needs no state accepts in a round."""
    keys = jax.random.split(jax.random.key(0), len(rollouts.prompt))
    state = verifier.init(jax.random.key(1), None)
    verify = jax.vmap(
        lambda k, rollout: verifier.verify(k, state, None, rollout, None), axis_name=PROBLEMS
    )
    return np.asarray(jax.jit(verify)(keys, rollouts).accept)


LENGTHS = np.random.default_rng(0).integers(1, C, (B, K))  # one less than C at most


@pytest.mark.parametrize(
    "threshold, expected",
    [
        (0, "000 001 000"),
        (1, "000 101 000"),
        (2, "000 101 001"),
        (3, "100 101 011"),
        (6, "110 101 111"),
        (7, "111 111 111"),
    ],
)
def test_by_hand(threshold, expected):
    found = accepted(RelativeLength(threshold), round_of([[5, 2, 1], [7, 1, 8], [4, 5, 6]]))
    assert " ".join("".join(str(int(x)) for x in row) for row in found) == expected


@pytest.mark.parametrize("threshold", range(C))
def test_what_is_accepted_is_near_the_longest_and_the_longest_is(threshold):
    found = accepted(RelativeLength(threshold), round_of(LENGTHS))
    np.testing.assert_array_equal(found, LENGTHS >= LENGTHS.max() - threshold)
    assert found[LENGTHS.max() == LENGTHS].all()
    assert found.all() == (threshold >= C - 2)


def test_problems_and_samples_may_change_places():
    rng = np.random.default_rng(1)
    problems, samples = rng.permutation(B), rng.permutation(K)
    found = accepted(RelativeLength(2), round_of(LENGTHS))
    shuffled = accepted(RelativeLength(2), round_of(LENGTHS[problems][:, samples]))
    np.testing.assert_array_equal(shuffled, found[problems][:, samples])
    assert 0.2 < found.mean() < 0.8


def test_the_longest_is_that_of_the_round_not_of_the_problem():
    lengths = np.full((B, K), 4)
    assert accepted(RelativeLength(2), round_of(lengths)).all()
    lengths[-1, -1] = C
    assert accepted(RelativeLength(2), round_of(lengths)).sum() == 1


def test_inside_other_verifiers():
    rollouts, filtered = round_of(LENGTHS), RelativeLength(2)
    alone = accepted(filtered, rollouts)
    everything, nothing = AcceptAll(), Noisy(AcceptAll(), fnr=1.0)
    for same in (AllOf(filtered, everything), AnyOf(nothing, filtered), Noisy(filtered)):
        np.testing.assert_array_equal(accepted(same, rollouts), alone)
    opposite = accepted(Noisy(filtered, fpr=1.0, fnr=1.0), rollouts)
    np.testing.assert_array_equal(opposite, ~alone)


def test_settings_and_rounds_do_not_mix():
    """A batch of thresholds and of rounds: each has its own longest completion."""
    rounds = np.random.default_rng(2).integers(1, C, (4, B, K)) - np.arange(4)[:, None, None]
    rounds, thresholds = np.maximum(rounds, 1), np.arange(4)
    rollouts = jax.tree.map(lambda *x: jnp.stack(x), *[round_of(r) for r in rounds])

    @jax.jit
    @jax.vmap
    def run(threshold, rollouts):
        verifier = RelativeLength(threshold)
        verify = jax.vmap(
            lambda rollout: verifier.verify(None, (), None, rollout, None), axis_name=PROBLEMS
        )
        return verify(rollouts).accept

    longest = rounds.max((1, 2), keepdims=True)
    assert len(set(longest.ravel().tolist())) == 4
    np.testing.assert_array_equal(
        run(thresholds, rollouts), rounds >= longest - thresholds[:, None, None]
    )


def test_the_truth_of_an_oracle_beside_it_is_seen():
    """As in the loop, where a part that uses the truth makes the whole use it."""
    assert AllOf(RelativeLength(), Oracle()).uses_ground_truth
    assert not Noisy(RelativeLength()).uses_ground_truth
