"""A chain of additions whose working may be left out, so that training can make a policy skip it.

What near-impossible problems are said to teach (Cheng et al. 2026, arXiv 2605.28388).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct, vocab
from avax.tasks import digits
from avax.types import MISTAKES, Grade, Integer, Key, Problem, Scalar

RANGE = 10  # sums are modulo this


@struct.dataclass
class Shortcut:
    """`dd..d=x`, then `ss..s$` or `ss..;a$`, difficulty = digits to add, one by one, to x.

    Sums are modulo 10. A completion writes the sum after each addition, of which the last is the
    answer; or, at any point, `;` and the answer at once. So the working can be whole, in part, or
    missing. Whatever stands last before EOS is taken for the answer.

    A completion is correct if it has this form and its answer is right modulo `modulus`: a guess is
    right in 1 of `modulus`. With `needs_working` all of the working must be there and right as
    well, which no guess is. One base serves all of them, since only the grades depend on it. A sum
    is judged by itself, given the one that was written before it; `;` is right behind the whole
    working alone, and the answer behind it if it is the true one. So all steps are right only where
    nothing is skipped.

    Attributes:
      max_difficulty: longest chain, in additions.
      modulus: answers are compared modulo this; 10 compares them as they are.
      needs_working: 1: a completion without its whole, right working is wrong; 0: answers count.
      skip_rate: P(the answer of a problem is written without working).
    """

    max_difficulty: int = struct.static(8, low=1)
    modulus: Integer = struct.leaf(RANGE, low=2, high=RANGE)
    needs_working: Integer = struct.leaf(0, low=0, high=1)
    skip_rate: Scalar = struct.leaf(0.5, low=0, high=1)

    has_unique_answer = False

    @property
    def exact(self) -> Shortcut:
        return self.replace(modulus=RANGE, needs_working=0)

    @property
    def prompt_len(self) -> int:
        return self.max_difficulty + 2

    @property
    def completion_len(self) -> int:
        return self.max_difficulty + 3

    def sample(self, key: Key, difficulty: Integer) -> Problem:
        uniform = jax.random.uniform(key, (self.max_difficulty + 2,))
        drawn = (uniform[1:] * RANGE).astype(jnp.int32)
        return self.pose(drawn[1:], drawn[0], difficulty, uniform[0] < self.skip_rate)

    def pose(self, addends: Array, start: Array, difficulty: Integer, skips: Array) -> Problem:
        """The problem of adding the first `difficulty` of i32[N] to `start`, one by one.

        Args:
          skips: bool[], whether the answer is written without working.
        """
        sums = (start + jnp.cumsum(addends)) % RANGE
        question = [(addends, difficulty), digits.symbol(vocab.EQUALS), digits.symbol(start)]
        answer = [
            (sums, difficulty * ~skips),
            (jnp.stack([jnp.int32(vocab.STEP), sums[difficulty - 1]]), 2 * skips),
            digits.symbol(vocab.EOS),
        ]
        return Problem(
            digits.place(self.prompt_len, question, right=True),
            digits.place(self.completion_len, answer, right=False),
            difficulty,
        )

    def grade(self, problem: Problem, completion: Array) -> Grade:
        index, count = jnp.arange(self.completion_len), problem.difficulty
        is_digit = vocab.is_digit(completion)
        end = jnp.where(is_digit, self.completion_len, index).min()  # of the working
        at_end = completion[jnp.minimum(end, self.completion_len - 1)]
        skips = (at_end == vocab.STEP) & (end < self.completion_len)
        last = end + 2 * skips  # where EOS has to stand

        sums, total = self._sums(problem, completion)
        closing = jnp.where(index == last, vocab.EOS, vocab.PAD)
        step_correct = jnp.select(
            [index < end, skips & (index == end), skips & (index == end + 1), index == last],
            [
                (completion == sums) & (index < count),
                end == count,  # what is skipped is a step that is missing
                completion == total,
                (completion == closing) & (skips | (end == count)),
            ],
            completion == closing,
        )
        has_form = (is_digit | (index >= last) | (skips & (index == end))).all()
        has_form &= ((index < last) | (completion == closing)).all()
        has_form &= (last < self.completion_len) & (last > 0)
        answer = completion[jnp.clip(last - 1, 0, self.completion_len - 1)]
        is_right = has_form & ((answer - total) % self.modulus == 0)
        nothing = jnp.zeros(len(MISTAKES), bool)
        correct = is_right & (step_correct.all() | (self.needs_working == 0))
        return Grade(correct, step_correct, nothing, nothing[0])

    def _sums(self, problem: Problem, completion: Array) -> tuple[Array, Array]:
        """i32[C]: each sum of the working as it follows from the one before it, -1 where that is
        none; and i32[], the answer.
        """
        index, count = jnp.arange(self.completion_len), problem.difficulty
        start = problem.prompt[-1:]
        first = self.prompt_len - 2 - count  # of the digits to add
        addends = problem.prompt[jnp.minimum(first + index, self.prompt_len - 1)]
        addends = jnp.where(index < count, addends, 0)
        before = jnp.concatenate([start, completion[:-1]])
        sums = jnp.where(vocab.is_digit(before), (before + addends) % RANGE, -1)
        return sums, (start[0] + addends.sum()) % RANGE
