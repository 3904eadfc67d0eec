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

WIDTH, RANGE = 2, 100  # digits of a number, and how many numbers there are


@struct.dataclass
class Shortcut:
    """`dd..dd=xx`, then `ss..ss$` or `ss..;aa$`, difficulty = numbers to add, one by one, to x.

    Every number has two digits, least significant first, and sums are modulo 100. A completion
    writes the sum after each addition, of which the last is the answer; or, at any point, `;` and
    the answer at once. So the working can be whole, in part, or missing.

    A completion is correct if it has this form and its answer is right modulo `modulus`: a guess is
    right in 1 of `modulus`. One base serves all of them, since only the grades depend on it. A sum
    is judged by itself, given the sum that was written before it, and the answer behind `;` by the
    true one, digit by digit.

    Attributes:
      max_difficulty: longest chain, in additions.
      modulus: answers are compared modulo this; 100 compares them as they are.
      skip_rate: P(the answer of a problem is written without working).
    """

    max_difficulty: int = struct.static(8, low=1)
    modulus: Integer = struct.leaf(RANGE, low=2, high=RANGE)
    skip_rate: Scalar = struct.leaf(0.5, low=0, high=1)

    has_unique_answer = False

    @property
    def exact(self) -> Shortcut:
        return self.replace(modulus=RANGE)

    @property
    def prompt_len(self) -> int:
        return WIDTH * (self.max_difficulty + 1) + 1

    @property
    def completion_len(self) -> int:
        return WIDTH * self.max_difficulty + WIDTH + 2

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
        question = [
            (written(addends), WIDTH * difficulty),
            digits.symbol(vocab.EQUALS),
            (written(start[None]), WIDTH),
        ]
        answer = [
            (written(sums), WIDTH * difficulty * ~skips),
            (jnp.full((1,), vocab.STEP, jnp.int32), skips.astype(jnp.int32)),
            (written(sums[difficulty - 1][None]), WIDTH * skips),
            digits.symbol(vocab.EOS),
        ]
        return Problem(
            digits.place(self.prompt_len, question, right=True),
            digits.place(self.completion_len, answer, right=False),
            difficulty,
        )

    def grade(self, problem: Problem, completion: Array) -> Grade:
        index, count = jnp.arange(self.completion_len), WIDTH * problem.difficulty
        is_digit = vocab.is_digit(completion)
        end = jnp.where(is_digit, self.completion_len, index).min()  # of the working
        at_end = completion[jnp.minimum(end, self.completion_len - 1)]
        skips = (at_end == vocab.STEP) & (end < self.completion_len)
        last = jnp.where(skips, end + 1 + WIDTH, end)  # where EOS has to stand
        is_answer = skips & (index > end) & (index < last)

        sums, total = self._sums(problem, completion)
        true = jnp.where(index == end + 1, total % 10, total // 10)
        is_whole = end % WIDTH == 0
        closing = jnp.where(index == last, vocab.EOS, vocab.PAD)
        step_correct = jnp.select(
            [index < end, skips & (index == end), is_answer, index == last],
            [
                (completion == sums) & (index < count),
                is_whole & (end <= count),
                completion == true,
                (completion == closing) & is_whole & (skips | (end == count)),
            ],
            completion == closing,
        )
        has_form = (is_digit | (index >= last) | (skips & (index == end))).all()
        has_form &= ((index < last) | (completion == closing)).all() & (last < self.completion_len)
        has_form &= is_whole & (skips | (end > 0))
        answer = jax.lax.dynamic_slice(completion, (last - WIDTH,), (WIDTH,))
        is_right = (answer[0] + 10 * answer[1] - total) % self.modulus == 0
        nothing = jnp.zeros(len(MISTAKES), bool)
        return Grade(has_form & is_right, step_correct, nothing, nothing[0])

    def _sums(self, problem: Problem, completion: Array) -> tuple[Array, Array]:
        """i32[C]: each digit of the working as it follows from the number before it, -1 where that
        is none; and i32[], the sum of all.
        """
        index, count = jnp.arange(self.completion_len), WIDTH * problem.difficulty
        start = problem.prompt[-WIDTH:]
        first = self.prompt_len - WIDTH - 1 - count  # of the digits to add
        addends = problem.prompt[jnp.minimum(first + index, self.prompt_len - 1)]
        addends = jnp.where(index < count, addends, 0)
        before = jnp.concatenate([start, completion[:-WIDTH]])
        columns = before + addends
        carried = jnp.where(index % WIDTH == 0, 0, jnp.roll(columns, 1) // 10)
        is_number = vocab.is_digit(before) & vocab.is_digit(jnp.roll(before, 1))
        is_number = jnp.where(index % WIDTH == 0, vocab.is_digit(before), is_number)
        places = jnp.where(index % WIDTH == 0, 1, 10)
        total = (start * places[:WIDTH]).sum() + (addends * places).sum()
        return jnp.where(is_number, (columns + carried) % 10, -1), total % RANGE


def written(numbers: Array) -> Array:
    """i32[2 N]: the digits of i32[N] numbers below 100, the lowest of each first."""
    return jnp.stack([numbers % 10, numbers // 10], axis=-1).reshape(-1)
