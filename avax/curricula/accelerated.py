"""A frontier that moves on by all that is solved already (Lee et al. 2025, arXiv 2502.01612)."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.policies import sampling
from avax.types import Integer, Key, Scalar, StepInfo


@struct.dataclass
class Accelerated:
    """Poses the next difficulties, several at a time, and goes on behind those it has solved.

    The round's problems are of the `reach` difficulties behind the last that counts as solved, all
    equally likely. One counts as solved if the verifier accepts more than `threshold` of its
    completions, and those of all difficulties before it: no ground truth is needed.

    Attributes:
      start: first difficulty of the first round, in digits.
      reach: difficulties of a round; 1 is a frontier that moves on once it is solved.
      threshold: acceptance rate above which a difficulty is solved.
      ceiling: largest difficulty that is posed.
    """

    start: Integer = struct.leaf(7, low=1)
    reach: Integer = struct.leaf(4, low=1)
    threshold: Scalar = struct.leaf(0.8, low=0, high=1)
    ceiling: Integer = struct.leaf(16, low=1)

    def init(self) -> Array:
        return jnp.asarray(self.start, jnp.int32)

    def difficulty(self, key: Key, state: Array, round: Array) -> Array:
        lowest = jnp.minimum(state, self.ceiling)
        highest = jnp.minimum(lowest + self.reach - 1, self.ceiling)
        return sampling.uniform_integer(key, lowest, highest)

    def update(self, state: Array, info: StepInfo) -> Array:
        difficulty, rate = info.problems.difficulty, info.verdicts.accept.mean(-1)
        same = difficulty[:, None] == difficulty[None]
        unsolved = (same * rate[None]).sum(-1) / same.sum(-1) <= self.threshold
        behind_all = jnp.minimum(state + self.reach, self.ceiling)
        return jnp.maximum(state, jnp.where(unsolved, difficulty, behind_all).min())

    def bounds(self, num_rounds: int) -> tuple[Integer, Integer]:
        return self.start, self.ceiling
