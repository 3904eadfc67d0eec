"""A chain of additions with all partial sums written down, so that every step can be judged."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct, vocab
from avax.tasks import digits
from avax.types import Grade, Integer, Key, Problem


@struct.dataclass
class Chain:
    """`dd...d=x` and then `ss...s$`, difficulty = digits to add, one after the other, to x.

    Each s is the one before it, the first time x, plus the next digit, modulo `modulus`. The prompt
    ends with x, so that every step is alike: the last number written plus the digit that stands in
    the same place of the first number.

    A step is judged by itself, given the sum that was written before it (as in Sinha et al. 2025,
    arXiv 2509.09677). Errors cancel where the last sum is right although a step is wrong: a single
    error never does, of chains with several about 1 in `modulus` by chance.

    Attributes:
      max_difficulty: longest chain, in additions.
      modulus: of the sums; digits are uniform below it.
      outcome_only: whether a completion of the right form is correct if its last sum is, so that
        errors may cancel; else all sums have to be right. As greedy accuracy all sums have to be in
        either case: it measures the skill, not the outcome.
    """

    max_difficulty: int = struct.static(8, low=1)
    modulus: Integer = struct.leaf(10, low=2, high=10)
    outcome_only: bool = struct.static(False)

    @property
    def prompt_len(self) -> int:
        return self.max_difficulty + 2

    @property
    def completion_len(self) -> int:
        return self.max_difficulty + 1

    def sample(self, key: Key, difficulty: Integer) -> Problem:
        uniform = jax.random.uniform(key, (self.max_difficulty + 1,))
        drawn = (uniform * self.modulus).astype(jnp.int32)
        return self.pose(drawn[1:], drawn[0], difficulty)

    def pose(self, addends: Array, start: Array, difficulty: Integer) -> Problem:
        """The problem of adding the first `difficulty` of i32[N] to `start`, one by one."""
        sums = (start + jnp.cumsum(addends)) % self.modulus
        question = [(addends, difficulty), digits.symbol(vocab.EQUALS), digits.symbol(start)]
        answer = [(sums, difficulty), digits.symbol(vocab.EOS)]
        return Problem(
            digits.place(self.prompt_len, question, right=True),
            digits.place(self.completion_len, answer, right=False),
            difficulty,
        )

    def grade(self, problem: Problem, completion: Array) -> Grade:
        index, num_steps = jnp.arange(self.completion_len), problem.difficulty
        first = self.prompt_len - 2 - num_steps  # of the digits to add
        addends = problem.prompt[jnp.minimum(first + index, self.prompt_len - 1)]
        before = jnp.concatenate([problem.prompt[-1:], completion[:-1]])
        is_sum = completion == (before + addends) % self.modulus
        is_step, is_end = index < num_steps, completion == problem.answer
        step_correct = jnp.where(is_step, vocab.is_digit(before) & is_sum, is_end)
        correct = step_correct.all()
        if self.outcome_only:
            has_form = jnp.where(is_step, vocab.is_digit(completion), is_end).all()
            correct = has_form & is_end[num_steps - 1]
        mistake = digits.mistakes(problem.answer, completion) & ~correct
        return Grade(correct, step_correct, mistake, jnp.zeros((), bool))
