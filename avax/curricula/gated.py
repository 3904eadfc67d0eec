"""A frontier that moves on when the verifier accepts enough of it: no ground truth is needed."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.types import Integer, Key, Scalar, StepInfo


@struct.dataclass
class Gated:
    """Grows by `step` after each round whose acceptance rate is above `threshold`.

    Attributes:
      start: difficulty of the first round, in digits.
      step: how much it grows at a time.
      threshold: acceptance rate at the frontier that lets it grow.
      ceiling: difficulty at which it stops.
    """

    start: Integer = struct.leaf(7, low=1)
    step: Integer = struct.leaf(1, low=0)
    threshold: Scalar = struct.leaf(0.8, low=0, high=1)
    ceiling: Integer = struct.leaf(16, low=1)

    def init(self) -> Array:
        return jnp.asarray(self.start, jnp.int32)

    def difficulty(self, key: Key, state: Array, round: Array) -> Array:
        return jnp.minimum(state, self.ceiling)

    def update(self, state: Array, info: StepInfo) -> Array:
        passed = info.verdicts.accept.mean() > self.threshold
        return jnp.minimum(state + jnp.where(passed, self.step, 0), self.ceiling)

    def bounds(self, num_rounds: int) -> tuple[Integer, Integer]:
        return self.start, self.ceiling
