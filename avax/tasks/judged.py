"""Addition, and questions whether a given sum is right: what a policy needs to judge itself."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct, vocab
from avax.tasks import digits
from avax.types import Grade, Integer, Key, Problem, Scalar


@struct.dataclass
class JudgedAddition:
    """`a+b=c$` or `a+b=c?YYN$`, difficulty = digits of each operand, least significant first.

    After `=` the sum is asked for, written with n + 1 digits. After `?` a judgement of the sum c
    is: a mark for each of its digits, and one for its end, `Y` as long as all is right and `N` from
    the first mistake on. (One mark for the whole is not learned: it says too little about where to
    look.) Half of the sums to be judged are wrong. Of half of these all digits are random: with
    fewer such, most policies never look at the digits. In a sixth a carry is added or dropped at
    one place, in a sixth one digit is another, in a sixth the last ones are missing. All mistakes
    are made up: those that the policy itself makes may be others.

    Attributes:
      max_difficulty: longest operand, in digits.
      max_judged: longest operand of a problem that may ask for a judgement, in digits.
      judge_rate: P(a problem asks for a judgement), of problems no longer than that.
    """

    max_difficulty: int = struct.static(8, low=1)
    max_judged: int = struct.static(8, low=1)
    judge_rate: Scalar = struct.leaf(0.5, low=0, high=1)

    @property
    def features(self) -> tuple[str, ...]:
        return ("operator", *(("marks",) if self.judge_rate > 0 else ()))

    @property
    def prompt_len(self) -> int:
        return max(2 * self.max_difficulty + 2, 3 * self.max_judged + 4)

    @property
    def completion_len(self) -> int:
        return max(self.max_difficulty + 2, self.max_judged + 3)

    def sample(self, key: Key, difficulty: Integer) -> Problem:
        key_numbers, key_kind, key_wrong = jax.random.split(key, 3)
        a, b = digits.sample_numbers(key_numbers, 2, difficulty, self._width)
        is_judged, is_wrong = jax.random.uniform(key_kind, (2,)) < jnp.array([self.judge_rate, 0.5])
        total = digits.carry(a + b)
        wrong, count = mistaken(key_wrong, a + b, total, difficulty + 1)
        shown = jnp.where(is_wrong, wrong, total), jnp.where(is_wrong, count, difficulty + 1)
        is_judged = is_judged & (difficulty <= self.max_judged)
        return self.pose(a, b, *shown, is_judged, difficulty)

    @property
    def _width(self) -> int:
        return max(self.max_difficulty, self.max_judged) + 1

    def pose(
        self,
        a: Array,
        b: Array,
        shown: Array,
        count: Integer,
        is_judged: Array,
        difficulty: Integer,
    ) -> Problem:
        """The problem a + b, or whether it is the sum that is shown; all least significant first.

        Args:
          a, b: i32[W], operands.
          shown: i32[W], a sum of `count` digits.
          is_judged: bool[].
        """
        question = digits.equation(a, vocab.PLUS, b, difficulty, is_reversed=True)
        total = digits.carry(a + b)
        end = digits.symbol(vocab.EOS)
        answer, judgement = (
            digits.place(self.completion_len, [piece, end], right=False)
            for piece in (
                digits.written(total, difficulty + 1, is_reversed=True),
                marks(shown, count, total, difficulty + 1),
            )
        )
        # A piece without a token leaves no trace.
        shown = digits.written(shown, jnp.where(is_judged, count, 0), is_reversed=True)
        ask = jnp.full((1,), vocab.RETRY, jnp.int32), is_judged.astype(jnp.int32)
        return Problem(
            digits.place(self.prompt_len, [*question, shown, ask], right=True),
            jnp.where(is_judged, judgement, answer),
            difficulty,
        )

    def grade(self, problem: Problem, completion: Array) -> Grade:
        return digits.grade_exact(problem, completion)


def marks(shown: Array, count: Integer, total: Array, length: Integer) -> tuple[Array, Integer]:
    """The piece that judges `count` digits shown i32[W] against the `length` digits of a sum."""
    index = jnp.arange(shown.shape[0] + 1)
    wrong = (shown != total) | (index[:-1] >= length)
    first_wrong = jnp.where(wrong & (index[:-1] < count), index[:-1], count).min()
    is_right = (first_wrong == count) & (count == length)
    return jnp.where((index < first_wrong) | is_right, vocab.YES, vocab.NO), count + 1


def mistaken(key: Key, columns: Array, total: Array, count: Integer) -> tuple[Array, Integer]:
    """A wrong sum i32[W] and its number of digits, for the sum `total` of i32[W] columns.

    Random digits may happen to be right.

    Args:
      count: digits of the right sum, at least 2.
    """
    uniform = jax.random.uniform(key, (3 + total.shape[0],))
    kind, place, amount = 6 * uniform[0], uniform[1], uniform[2]
    index = jnp.arange(total.shape[0])
    at = (place * count).astype(jnp.int32)
    # A carry more or less at one place, and what follows from it.
    carried = digits.carry(columns + jnp.where(index == at, jnp.where(amount < 0.5, 1, -1), 0))
    other = jnp.where(index == at, total + 1 + (9 * amount).astype(jnp.int32), total) % 10
    random = (10 * uniform[3:]).astype(jnp.int32)
    wrong = jnp.select([kind < 1, kind < 2, kind < 5], [carried, other, random], total)
    left = count - 1 - (amount * jnp.minimum(count - 1, 3)).astype(jnp.int32)
    return jnp.where(index < count, wrong, 0), jnp.where(kind < 5, count, left)
