"""Addition of two numbers of n digits; the sum is written with n + 1."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from avax import struct, vocab
from avax.tasks import digits
from avax.types import Grade, Integer, Key, Problem


@struct.dataclass
class Addition:
    """`a+b=c$`, difficulty = digits of each operand.

    Reversed order writes least significant digits first, which lets a carry be known when it is
    needed (Lee et al. 2025, arXiv 2502.01612); plain order is as people write.

    Attributes:
      max_difficulty: longest operand, in digits.
      reversed_digits: write operands and sum least significant digit first.
    """

    max_difficulty: int = struct.static(8, low=1)
    reversed_digits: bool = struct.static(True)

    @property
    def features(self) -> tuple[str, ...]:
        return ("operator", "long_carry")

    @property
    def prompt_len(self) -> int:
        return 2 * self.max_difficulty + 2

    @property
    def completion_len(self) -> int:
        return self.max_difficulty + 2

    def sample(self, key: Key, difficulty: Integer) -> Problem:
        a, b = digits.sample_numbers(key, 2, difficulty, self.max_difficulty + 1)
        return self.pose(a, b, difficulty)

    def pose(self, a: Array, b: Array, difficulty: Integer) -> Problem:
        """The problem a + b for operands i32[N + 1] given least significant digit first."""
        question = digits.equation(a, vocab.PLUS, b, difficulty, self.reversed_digits)
        total = digits.written(digits.carry(a + b), difficulty + 1, self.reversed_digits)
        answer = [total, digits.symbol(vocab.EOS)]
        return Problem(
            digits.place(self.prompt_len, question, right=True),
            digits.place(self.completion_len, answer, right=False),
            difficulty,
        )

    def read(self, tokens: Array) -> tuple[Problem, Array]:
        """The problem that tokens i32[L] pose as a prompt does, and bool[] whether they pose one.

        They do where `sample` may draw it: `a+b=`, both operands with as many digits, 1 to
        `max_difficulty`, and without a leading 0 unless it is the only digit.
        """
        a, b, difficulty, is_readable = digits.read_equation(
            tokens, vocab.PLUS, self.max_difficulty, self.max_difficulty + 1, self.reversed_digits
        )
        return self.pose(a, b, difficulty), is_readable

    def grade(self, problem: Problem, completion: Array) -> Grade:
        return digits.grade_exact(problem, completion, self._long_carry(problem))

    def _long_carry(self, problem: Problem) -> Array:
        """bool[]: whether a carry reaches a column whose digits add to 9, and so runs on.

        The sum's digit is 0 there, where it would be 9 without a carry.
        """
        column = jnp.arange(self.max_difficulty)  # as written, so in the order of reading
        count, end = problem.difficulty, self.prompt_len - 1
        a = problem.prompt[end - 2 * count - 1 + column]
        b = problem.prompt[end - count + column]
        total = problem.answer[column + (not self.reversed_digits)]
        return ((a + b == 9) & (total == 0) & (column < count)).any()
