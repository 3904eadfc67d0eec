"""No filter at all."""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp

from avax import struct
from avax.types import Key, Policy, Rollout, Verdict, outcome_verdict


@struct.dataclass
class AcceptAll:
    """Accepts every completion: self-training without verification."""

    uses_ground_truth: ClassVar[bool] = False

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: None) -> Verdict:
        return outcome_verdict(jnp.ones(rollout.completion.shape[0]), rollout)

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state
