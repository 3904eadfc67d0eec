"""Addition with two ways to answer: at once, or one step that leaves a shorter problem.

The fast and the slow mode of SECToR (Zhang & Parkes 2023, arXiv 2309.08589).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct, vocab
from avax.tasks import digits
from avax.types import Grade, Integer, Key, Problem, Scalar


@struct.dataclass
class Scratchpad:
    """`a+b=c$` or `a+b;s=x+y$`, difficulty = digits of each operand, least significant first.

    After `=` the whole sum is asked for, written with n + 1 digits. After `;` one simplification
    is: the lowest digit s of the sum and the problem that is left, x and y being a and b without
    their lowest digits. `a&b` is a + b + 1, a problem with a carry from below; half of all problems
    are of this kind. Problems of one digit can't be simplified: the sum is asked for.

    Attributes:
      max_difficulty: longest operand, in digits.
      step_rate: P(a problem asks for a simplification), of problems with more than one digit.
    """

    max_difficulty: int = struct.static(8, low=1)
    step_rate: Scalar = struct.leaf(0.5, low=0, high=1)

    @property
    def prompt_len(self) -> int:
        return 2 * self.max_difficulty + 2

    @property
    def completion_len(self) -> int:
        return 2 * self.max_difficulty + 2

    def sample(self, key: Key, difficulty: Integer) -> Problem:
        key_numbers, key_kind = jax.random.split(key)
        a, b = digits.sample_numbers(key_numbers, 2, difficulty, self.max_difficulty + 1)
        carry_in, is_step = jax.random.uniform(key_kind, (2,)) < jnp.array([0.5, self.step_rate])
        return self.pose(a, b, carry_in, is_step & (difficulty > 1), difficulty)

    def pose(
        self, a: Array, b: Array, carry_in: Array, is_step: Array, difficulty: Integer
    ) -> Problem:
        """The problem a + b + carry_in, operands i32[N + 1] given least significant digit first.

        Args:
          carry_in, is_step: bool[]. A simplification needs operands of at least 2 digits.
        """
        operator, end = plus(carry_in), jnp.where(is_step, vocab.STEP, vocab.EQUALS)
        question = digits.equation(a, operator, b, difficulty, is_reversed=True)
        columns = (a + b).at[0].add(carry_in)
        total = digits.written(digits.carry(columns), difficulty + 1, is_reversed=True)
        left = plus(columns[0] >= 10)
        lowest = digits.symbol(columns[0] % 10)
        rest = digits.equation(a[1:], left, b[1:], difficulty - 1, is_reversed=True)
        stop = digits.symbol(vocab.EOS)
        answer, step = (
            digits.place(self.completion_len, pieces, right=False)
            for pieces in ([total, stop], [lowest, digits.symbol(vocab.EQUALS), *rest[:-1], stop])
        )
        return Problem(
            digits.place(self.prompt_len, [*question[:-1], digits.symbol(end)], right=True),
            jnp.where(is_step, step, answer),
            difficulty,
        )

    def grade(self, problem: Problem, completion: Array) -> Grade:
        return digits.grade_exact(problem, completion)


def plus(carry_in: Array) -> Array:
    """i32[]: the operator of a problem with or without a carry from below."""
    return jnp.where(carry_in, vocab.PLUS_ONE, vocab.PLUS)
