"""A frontier that always moves on, whatever was learned (Lee et al. 2025, arXiv 2502.01612)."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.types import Integer, Key, StepInfo


@struct.dataclass
class Frontier:
    """Round r poses problems of difficulty `start + step (r - 1)`, and of no other.

    Attributes:
      start: difficulty of the first round, in digits.
      step: how much it grows from each round to the next.
    """

    start: Integer = struct.leaf(7, low=1)
    step: Integer = struct.leaf(1, low=0)

    def init(self) -> tuple:
        return ()

    def difficulty(self, key: Key, state: tuple, round: Array) -> Array:
        return jnp.asarray(self.start + self.step * (round - 1), jnp.int32)

    def update(self, state: tuple, info: StepInfo) -> tuple:
        return state

    def bounds(self, num_rounds: int) -> tuple[Integer, Integer]:
        return self.start, self.start + self.step * (num_rounds - 1)
