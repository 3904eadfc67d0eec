"""Problems chosen by how often the base policy solves them, not by length alone.

As in studies of sample difficulty: easy, medium and hard by pass@k of the base (Cheng et al. 2026,
arXiv 2605.28388).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.optional import Pool
from avax.policies import generation, sampling
from avax.requirements import Context
from avax.types import Curriculum, Integer, Key, Policy, Scalar, StepInfo


class BucketState(NamedTuple):
    """The state of the curriculum within, and what is known of the pool."""

    inner: Any
    num_solved: Array  # i32[N], right ones of the K completions of each problem


@struct.dataclass
class Bucket:
    """Poses those problems of a pool that were solved in so many of K samples.

    The pool is what the curriculum within poses in the first round: N problems of one run, drawn
    once. Where none of them is in the bucket, those nearest to it are posed. Measuring asks for the
    truth N K times, which no metric counts; completions are right if their answers are the true
    ones, even where the loop's own grades can be had by luck. Where guesses are right at a rate g,
    a problem that nobody can solve is in the bucket of 0 with P = (1 - g)^K alone.

    Attributes:
      inner: which difficulties the pool has.
      num_problems: problems of the pool (N).
      num_samples: completions of each (K).
      lowest: fewest right ones of K that a problem in the bucket has.
      highest: most right ones of K that a problem in the bucket has.
      temperature: of sampling.
      by_steps: 1: a completion solves a problem only if all of its steps are right; 0: if its
        answer is.
      with_current: whether the pool is measured again before each round, with the policy as it is,
        not once with the base.
    """

    inner: Curriculum
    num_problems: int = struct.static(256, low=1)
    num_samples: int = struct.static(8, low=1)
    lowest: Integer = struct.leaf(0, low=0)
    highest: Integer = struct.leaf(8, low=0)
    temperature: Scalar = struct.leaf(1.0, low=0.01)
    by_steps: Integer = struct.leaf(0, low=0, high=1)
    with_current: bool = struct.static(False)

    def requires(self, context: Context) -> str | None:
        if not self.lowest <= self.highest <= self.num_samples:
            return (
                f"{context.path}.highest: is {self.highest}, must lie in [{self.lowest}, "
                f"{self.num_samples}], from lowest to num_samples"
            )
        if context.experiment.num_distinct != 0:
            number = context.experiment.num_distinct
            return f"num_distinct: is {number}, must be 0 where a pool is measured"
        return None

    def init(self) -> BucketState:
        return BucketState(self.inner.init(), jnp.zeros(self.num_problems, jnp.int32))

    @property
    def prepares_each_round(self) -> bool:
        return self.with_current

    def prepare(self, key: Key, state: BucketState, policy: Policy, pool: Pool) -> BucketState:
        problems = jax.vmap(pool.pose)(jnp.arange(self.num_problems))
        rollouts = generation.generate(
            key,
            policy,
            problems.prompt,
            problems.answer.shape[-1],
            self.num_samples,
            self.temperature,
        )
        grades = pool.grade(problems, rollouts)
        is_whole = grades.step_correct.all(-1) | (self.by_steps == 0)
        return state._replace(num_solved=(grades.correct & is_whole).sum(-1))

    def recurring(self, key: Key, state: BucketState) -> Array:
        inside = jnp.clip(state.num_solved, self.lowest, self.highest)
        distance = jnp.abs(state.num_solved - inside)
        return sampling.draw_row(jax.random.uniform(key), distance == distance.min())

    def difficulty(self, key: Key, state: BucketState, round: Array) -> Array:
        return self.inner.difficulty(key, state.inner, round)

    def update(self, state: BucketState, info: StepInfo) -> BucketState:
        return state._replace(inner=self.inner.update(state.inner, info))

    def bounds(self, num_rounds: int) -> tuple[Integer, Integer]:
        return self.inner.bounds(num_rounds)
