"""Problems of an unchanging range of difficulties."""

from __future__ import annotations

from jax import Array

from avax import struct
from avax.policies import sampling
from avax.types import Integer, Key, StepInfo


@struct.dataclass
class Fixed:
    """Every difficulty from `lowest` to `highest` equally often, in every round.

    Attributes:
      lowest: smallest difficulty, in digits.
      highest: largest difficulty, in digits.
    """

    lowest: Integer = struct.leaf(1, low=1)
    highest: Integer = struct.leaf(8, low=1)

    def init(self) -> tuple:
        return ()

    def difficulty(self, key: Key, state: tuple, round: Array) -> Array:
        return sampling.uniform_integer(key, self.lowest, self.highest)

    def update(self, state: tuple, info: StepInfo) -> tuple:
        return state

    def bounds(self, num_rounds: int) -> tuple[Integer, Integer]:
        return self.lowest, self.highest
