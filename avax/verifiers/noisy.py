"""Noise on top of any verifier."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from avax import optional, struct
from avax.types import Grade, Key, Policy, Rollout, Scalar, StepInfo, Verdict, Verifier


@struct.dataclass
class Noisy:
    """Flips the outcome of another verifier, independently on every completion.

    Attributes:
      inner: the verifier whose verdicts are flipped.
      fpr: P(accept | inner rejects).
      fnr: P(reject | inner accepts).
    """

    inner: Verifier
    fpr: Scalar = struct.leaf(0.0, low=0, high=1)
    fnr: Scalar = struct.leaf(0.0, low=0, high=1)

    # They are called like the rates that the loop measures, and swept as such: where those are
    # others, because `inner` errs as well, a run says so.
    promises_rates: ClassVar[bool] = True

    @property
    def uses_ground_truth(self) -> bool:
        return self.inner.uses_ground_truth

    def init(self, key: Key, bases: Policy):
        return self.inner.init(key, bases)

    def prepare(self, key: Key, state, policy: Policy, practice: optional.Practice):
        return optional.prepared(self.inner, key, state, policy, practice)

    def verify(
        self, key: Key, state, policy: Policy, rollout: Rollout, grade: Grade | None
    ) -> Verdict:
        key_inner, key_noise = jax.random.split(key)
        verdict = self.inner.verify(key_inner, state, policy, rollout, grade)
        u = jax.random.uniform(key_noise, verdict.score.shape)
        flip = jnp.where(verdict.accept, u < self.fnr, u < self.fpr)
        return Verdict(
            jnp.where(flip, 1 - verdict.score, verdict.score),
            jnp.where(flip[:, None] & rollout.mask, 1 - verdict.step_score, verdict.step_score),
        )

    def update(self, key: Key, state, policy: Policy, info, grades):
        return self.inner.update(key, state, policy, info, grades)

    def truth_calls(self, state, info: StepInfo) -> Array:
        return optional.truth_calls(self.inner, state, info)
