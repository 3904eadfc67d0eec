"""Copying a number of n digits: the easiest rung of the ladder."""

from __future__ import annotations

from jax import Array

from avax import struct, vocab
from avax.tasks import digits
from avax.types import Grade, Integer, Key, Problem


@struct.dataclass
class Copy:
    """`x>x$`, difficulty = digits of x, least significant first.

    Attributes:
      max_difficulty: longest number, in digits.
    """

    max_difficulty: int = struct.static(8, low=1)

    @property
    def prompt_len(self) -> int:
        return self.max_difficulty + 1

    @property
    def completion_len(self) -> int:
        return self.max_difficulty + 1

    def sample(self, key: Key, difficulty: Integer) -> Problem:
        (x,) = digits.sample_numbers(key, 1, difficulty, self.max_difficulty)
        return self.pose(x, difficulty)

    def pose(self, x: Array, difficulty: Integer) -> Problem:
        """The problem of copying i32[N], given least significant digit first."""
        number = digits.written(x, difficulty, is_reversed=True)
        return Problem(
            digits.place(self.prompt_len, [number, digits.symbol(vocab.COPY)], right=True),
            digits.place(self.completion_len, [number, digits.symbol(vocab.EOS)], right=False),
            difficulty,
        )

    def grade(self, problem: Problem, completion: Array) -> Grade:
        return digits.grade_exact(problem, completion)
