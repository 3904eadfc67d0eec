"""Would the policy have said the same, had it not seen the completion?

A judge that has to commit itself first is fooled far less often (Zhou 2026, arXiv 2607.05904, as
reported by secondary sources); what it gets wrong itself it can't see.
"""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp

from avax import struct
from avax.policies import sampling
from avax.requirements import Context
from avax.types import Key, Policy, Rollout, Verdict, outcome_verdict


@struct.dataclass
class CommitFirst:
    """Accepts a completion that is the policy's own greedy answer.

    So it accepts everything that was sampled greedily.
    """

    uses_ground_truth: ClassVar[bool] = False

    def requires(self, context: Context) -> str | None:
        return context.not_greedy()

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: None) -> Verdict:
        num_samples = rollout.completion.shape[0]
        prompts = jnp.broadcast_to(rollout.prompt, (num_samples, *rollout.prompt.shape))
        same = sampling.greedy_correct(policy, prompts, rollout.completion)
        return outcome_verdict(same & rollout.mask.any(-1), rollout)

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state
