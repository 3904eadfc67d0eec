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
    """`a+b=c$` or `a+b;s+$`, difficulty = digits of each operand, least significant first.

    After `=` the whole sum is asked for, written with n + 1 digits. After `;` one simplification
    is: the lowest digit s of the sum, and what is left to do with the other digits: add them (`+`)
    or add them and 1 (`&`). Half of all problems are of this second kind, `a&b`: there is a carry
    from below. Problems of one digit can't be simplified: the sum is asked for.

    A step doesn't copy the operands that are left, as SECToR's do: a model that has to learn to
    copy from these problems alone copies no number that is longer than those it has seen.

    Attributes:
      max_difficulty: longest operand, in digits.
      step_rate: P(a problem asks for a simplification), of problems with more than one digit.
    """

    max_difficulty: int = struct.static(8, low=1)
    step_rate: Scalar = struct.leaf(0.5, low=0, high=1)

    @property
    def features(self) -> tuple[str, ...]:
        return ("operator", *(("steps",) if self.step_rate > 0 else ()))

    @property
    def prompt_len(self) -> int:
        return 2 * self.max_difficulty + 2

    @property
    def completion_len(self) -> int:
        return self.max_difficulty + 2

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
        question = digits.equation(a, plus(carry_in), b, difficulty, is_reversed=True)
        end = digits.symbol(jnp.where(is_step, vocab.STEP, vocab.EQUALS))
        columns = (a + b).at[0].add(carry_in)
        total = digits.written(digits.carry(columns), difficulty + 1, is_reversed=True)
        lowest, left = digits.symbol(columns[0] % 10), digits.symbol(plus(columns[0] >= 10))
        answer, step = (
            digits.place(self.completion_len, [*pieces, digits.symbol(vocab.EOS)], right=False)
            for pieces in ([total], [lowest, left])
        )
        return Problem(
            digits.place(self.prompt_len, [*question[:-1], end], right=True),
            jnp.where(is_step, step, answer),
            difficulty,
        )

    def grade(self, problem: Problem, completion: Array) -> Grade:
        return digits.grade_exact(problem, completion)


def plus(carry_in: Array) -> Array:
    """i32[]: the operator of a problem with or without a carry from below."""
    return jnp.where(carry_in, vocab.PLUS_ONE, vocab.PLUS)
