"""The ground truth with blind spots (cf. Egashira et al. 2026, arXiv 2605.02909)."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from avax import struct
from avax.requirements import Context
from avax.types import MISTAKES, Grade, Key, Policy, Rollout, Scalar, Verdict, outcome_verdict


@struct.dataclass
class Systematic:
    """Errs on some kinds of mistakes, and on right answers only where a carry runs on.

    So the FPR that the loop measures is that of each kind times its share among the wrong
    completions, and the FNR `fnr` times the share of such problems among the right ones: both
    change as the policy does. A mistake of several kinds is accepted at the highest of their rates.

    Attributes:
      fpr: P(accept | wrong), whatever the mistake.
      dropped_carry: P(accept | wrong in this way), as for the others: see MISTAKES.
      near_miss: one digit is wrong.
      short: digits are missing.
      long: there are too many digits.
      fnr: P(reject | correct, and the problem has a carry that runs through two columns or more).
    """

    fpr: Scalar = struct.leaf(0.0, low=0, high=1)
    dropped_carry: Scalar = struct.leaf(0.0, low=0, high=1)
    near_miss: Scalar = struct.leaf(0.0, low=0, high=1)
    short: Scalar = struct.leaf(0.0, low=0, high=1)
    long: Scalar = struct.leaf(0.0, low=0, high=1)
    fnr: Scalar = struct.leaf(0.0, low=0, high=1)

    uses_ground_truth: ClassVar[bool] = True

    def requires(self, context: Context) -> str | None:
        return context.task_has("long_carry") if self.fnr > 0 else None

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: Grade) -> Verdict:
        u = jax.random.uniform(key, grade.correct.shape)
        rates = jnp.stack([getattr(self, kind) for kind in MISTAKES])
        rate = jnp.maximum(jnp.where(grade.mistake, rates[None], 0.0).max(-1), self.fpr)
        refused = grade.long_carry & (u < self.fnr)
        return outcome_verdict(jnp.where(grade.correct, ~refused, u < rate), rollout)

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state
