"""The ground truth with blind spots (cf. Egashira et al. 2026, arXiv 2605.02909)."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from avax import struct
from avax.types import MISTAKES, Grade, Key, Policy, Rollout, Scalar, Verdict, outcome_verdict


@struct.dataclass
class Systematic:
    """Errs only on mistakes of one kind, and on right answers only where a carry runs on.

    It rejects all other mistakes and accepts all other right answers. So the FPR that the loop
    measures is `fpr` times the share of that kind among the wrong completions, and the FNR `fnr`
    times the share of such problems among the right ones: both change as the policy does.

    Attributes:
      mistake: the kind it may accept, one of MISTAKES.
      fpr: P(accept | wrong in this way).
      fnr: P(reject | correct, and the problem has a carry that runs through two columns or more).
    """

    mistake: str = struct.static("near_miss", choices=MISTAKES)
    fpr: Scalar = struct.leaf(0.0, low=0, high=1)
    fnr: Scalar = struct.leaf(0.0, low=0, high=1)

    uses_ground_truth: ClassVar[bool] = True

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: Grade) -> Verdict:
        u = jax.random.uniform(key, grade.correct.shape)
        missed = grade.mistake[:, MISTAKES.index(self.mistake)] & (u < self.fpr)
        refused = grade.long_carry & (u < self.fnr)
        return outcome_verdict(jnp.where(grade.correct, ~refused, missed), rollout)

    def update(self, key: Key, state, info, grades):
        return state
