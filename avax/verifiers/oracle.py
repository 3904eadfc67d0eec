"""The ground truth, seen through a noisy channel."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from avax import struct
from avax.types import Grade, Key, Policy, Rollout, Scalar, Verdict, outcome_verdict


@struct.dataclass
class Oracle:
    """Errs independently on every completion.

    Attributes:
      fpr: P(accept | wrong).
      fnr: P(reject | correct).
    """

    fpr: Scalar = struct.leaf(0.0, low=0, high=1)
    fnr: Scalar = struct.leaf(0.0, low=0, high=1)

    uses_ground_truth: ClassVar[bool] = True
    promises_rates: ClassVar[bool] = True  # those that the loop measures are its own

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: Grade) -> Verdict:
        u = jax.random.uniform(key, grade.correct.shape)
        return outcome_verdict(jnp.where(grade.correct, u >= self.fnr, u < self.fpr), rollout)

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state
