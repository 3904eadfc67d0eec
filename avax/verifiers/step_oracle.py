"""The ground truth about every step, seen through a noisy channel."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.types import Grade, Key, Policy, Rollout, Scalar, StepInfo, Verdict


@struct.dataclass
class StepOracle:
    """Errs independently on every step, and accepts a completion if it accepts all of its steps.

    Steps are the tokens up to and including EOS. Each is accepted or not, so it makes no difference
    whether their scores are multiplied or the smallest is taken. Of right completions of n tokens
    the share 1 - (1 - fnr)^n is rejected, of those with one wrong step fpr (1 - fnr)^(n - 1)
    accepted.

    Attributes:
      fpr: P(accept a step | wrong).
      fnr: P(reject a step | correct).
    """

    fpr: Scalar = struct.leaf(0.0, low=0, high=1)
    fnr: Scalar = struct.leaf(0.0, low=0, high=1)

    uses_ground_truth: ClassVar[bool] = True

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: Grade) -> Verdict:
        u = jax.random.uniform(key, grade.step_correct.shape)
        accept = jnp.where(grade.step_correct, u >= self.fnr, u < self.fpr)
        score = (accept | ~rollout.mask).all(-1)
        return Verdict(score.astype("float32"), (accept & rollout.mask).astype("float32"))

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state

    def truth_calls(self, state, info: StepInfo) -> Array:
        """One for each step."""
        return info.judged_mask.sum().astype("float32")
