"""When a run counts as diverged: what is not finite, and what is finite but absurd."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import loop, metrics
from avax.curricula import Fixed
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models import transformer
from avax.models.transformer import TransformerConfig
from avax.tasks import Copy
from avax.verifiers import Learned, Oracle

MODEL = TransformerConfig(num_layers=1, num_heads=1, width=8, position="none")
NAN, INF = float("nan"), float("inf")


class State(NamedTuple):
    """As a learner's: a policy, an optimizer, and numbers that are no parameters."""

    policy: jax.Array
    optimizer: jax.Array
    memory: jax.Array


FINE = State(jnp.array([1.0, -2.0]), jnp.array([1e9]), jnp.array([2**30]))


@pytest.mark.parametrize(
    "expected, changes, verifier, loss, before",
    [
        (0, {}, (), 3.5, 0.0),
        (0, {}, (), NAN, NAN),  # before round 1
        (0, {}, (jnp.array([2**20]), jnp.array([9e3])), -3.5, 0.0),
        (1, {}, (), 0.0, 1.0),  # once and for all
        (1, {"policy": jnp.array([1.0, NAN])}, (), 3.5, 0.0),
        (1, {"policy": jnp.array([1.0, -2e4])}, (), 3.5, 0.0),
        (1, {"optimizer": jnp.array([INF])}, (), 3.5, 0.0),
        (1, {}, (jnp.array([NAN]),), 3.5, 0.0),
        (1, {}, (jnp.array([2e4]),), 3.5, 0.0),
        (1, {}, (), 2e3, 0.0),
        (1, {}, (), -2e3, 0.0),
        (1, {}, (), INF, 0.0),
    ],
)
def test_signs_of_divergence(expected, changes, verifier, loss, before):
    state = FINE._replace(**changes)
    found = metrics.diverged(jnp.float32(before), state, verifier, jnp.float32(loss))
    assert found.shape == () and float(found) == expected


def rounds(**fields) -> dict[str, np.ndarray]:
    """Three rounds of copying, from a base that knows nothing."""
    fields = {"verifier": Oracle(fpr=1.0), "learner": FilteredSFT(8, 1, 4, 8, 1)} | fields
    experiment = Experiment(
        Copy(2), Fixed(1, 2), **fields, base_difficulty=2, num_rounds=3, num_eval=2
    )
    bases = jax.tree.map(lambda x: x[None], transformer.init(jax.random.key(0), MODEL))
    return jax.device_get(jax.jit(loop.run)(experiment, bases, jax.random.key(1))[1])


@pytest.mark.parametrize("rate, first", [(1e-3, None), (1e6, 1), (3e38, 1)])
def test_a_policy_that_is_garbage_has_diverged_though_it_is_finite(rate, first):
    found = rounds(learner=FilteredSFT(8, 1, 4, 8, 1, learning_rate=rate))["diverged"]
    assert found.tolist() == [float(first is not None and r >= first) for r in range(4)]


def test_a_run_whose_verifier_is_not_finite_has_diverged():
    """Else it would accept nothing, and look like one that is strict."""
    verifier = Learned(model=MODEL, level="outcome", label_rate=1.0, num_updates=2, batch_size=4)
    assert not rounds(verifier=verifier)["diverged"].any()
    broken = rounds(verifier=verifier.replace(learning_rate=3e38))["diverged"]
    assert broken.tolist() == [0, 1, 1, 1]
