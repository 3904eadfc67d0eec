"""Laws of a verifier's lapse: it accepts some of what was rejected, in its round alone."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax.faults.lapse import Lapse
from avax.types import Rollout, Verdict

SHAPE = B, K, C = 40, 50, 3
MASK = jnp.arange(C)[None, None] < jnp.arange(1, K + 1)[None, :, None]  # of all lengths
ROLLOUTS = Rollout(
    jnp.zeros((B, 2), jnp.int32),
    jnp.zeros(SHAPE, jnp.int32),
    jnp.broadcast_to(MASK, SHAPE),
    jnp.zeros(SHAPE),
)


@pytest.fixture(scope="module")
def verdicts():
    score = jax.random.uniform(jax.random.key(0), (B, K))
    return Verdict(score, score[..., None] * ROLLOUTS.mask)


@jax.jit
def overlook(lapse, verdicts, round):
    return lapse.overlook(jax.random.key(1), ROLLOUTS, verdicts, round)


@pytest.mark.parametrize("rate, round", [(0.0, 2), (1.0, 1), (1.0, 3)])
def test_without_a_lapse_nothing_changes(verdicts, rate, round):
    after = overlook(Lapse(rate, 2), verdicts, round)
    jax.tree.map(np.testing.assert_array_equal, after, verdicts)


def test_a_full_lapse_accepts_everything(verdicts):
    after = overlook(Lapse(1.0, 2), verdicts, 2)
    rejected = ~np.asarray(verdicts.accept)
    assert after.accept.all() and 0.4 < rejected.mean() < 0.6
    np.testing.assert_array_equal(after.score[~rejected], verdicts.score[~rejected])
    np.testing.assert_array_equal(after.step_score[~rejected], verdicts.step_score[~rejected])
    np.testing.assert_array_equal(after.score[rejected], 1.0)
    np.testing.assert_array_equal(after.step_score[rejected], ROLLOUTS.mask[rejected])


def test_a_lapse_hits_its_rate_among_the_rejected(verdicts):
    after = overlook(Lapse(0.3, 2), verdicts, 2)
    rejected = ~np.asarray(verdicts.accept)
    share, size = np.asarray(after.accept)[rejected].mean(), rejected.sum()
    assert abs(share - 0.3) < 5 * np.sqrt(0.3 * 0.7 / size)
    assert np.asarray(after.accept)[~rejected].all()
