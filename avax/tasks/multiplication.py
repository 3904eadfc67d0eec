"""Multiplication of two numbers of n digits; the product is written with 2n."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from avax import struct, vocab
from avax.tasks import digits
from avax.types import Grade, Integer, Key, Problem


@struct.dataclass
class Multiplication:
    """`a*b=c$`, difficulty = digits of each operand.

    Attributes:
      max_difficulty: longest operand, in digits.
      reversed_digits: write operands and product least significant digit first.
    """

    max_difficulty: int = struct.static(4, low=1)
    reversed_digits: bool = struct.static(True)

    @property
    def features(self) -> tuple[str, ...]:
        return ("operator",)

    @property
    def prompt_len(self) -> int:
        return 2 * self.max_difficulty + 2

    @property
    def completion_len(self) -> int:
        return 2 * self.max_difficulty + 1

    def sample(self, key: Key, difficulty: Integer) -> Problem:
        a, b = digits.sample_numbers(key, 2, difficulty, self.max_difficulty)
        return self.pose(a, b, difficulty)

    def pose(self, a: Array, b: Array, difficulty: Integer) -> Problem:
        """The problem a * b for operands i32[N] given least significant digit first."""
        question = digits.equation(a, vocab.TIMES, b, difficulty, self.reversed_digits)
        product = digits.written(_product(a, b), 2 * difficulty, self.reversed_digits)
        answer = [product, digits.symbol(vocab.EOS)]
        return Problem(
            digits.place(self.prompt_len, question, right=True),
            digits.place(self.completion_len, answer, right=False),
            difficulty,
        )

    def grade(self, problem: Problem, completion: Array) -> Grade:
        return digits.grade_exact(problem, completion)


def _product(a: Array, b: Array) -> Array:
    """i32[2N]: the digits of a * b. No column sum exceeds 81 N, so i32 holds them all."""
    width = a.shape[0]
    column = jnp.add.outer(jnp.arange(width), jnp.arange(width))
    columns = jnp.zeros((2 * width,), jnp.int32).at[column].add(jnp.outer(a, b))
    return digits.carry(columns)
