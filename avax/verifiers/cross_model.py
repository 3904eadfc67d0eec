"""Do independently trained policies give the same answer?

The majority vote over seeds of Lee et al. 2025 (arXiv 2502.01612).
"""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from avax import struct
from avax.policies import sampling
from avax.requirements import Context
from avax.types import Key, Policy, Rollout, Scalar, Verdict, outcome_verdict


@struct.dataclass
class CrossModel:
    """Accepts a completion that enough of the other base policies give as their greedy answer.

    The others stay as they are, while the policy that they judge moves on. Lee et al. keep what at
    least 4 of 5 models agree on, all of which are trained.

    Attributes:
      threshold: smallest share of the M - 1 other base policies that must agree; 0 accepts all.
    """

    threshold: Scalar = struct.leaf(0.5, low=0, high=1)

    uses_ground_truth: ClassVar[bool] = False

    def requires(self, context: Context) -> str | None:
        return context.min_bases(2)

    def init(self, key: Key, bases: Policy) -> Policy:
        return jax.tree.map(lambda x: x[1:], bases)

    def verify(
        self, key: Key, state: Policy, policy: Policy, rollout: Rollout, grade: None
    ) -> Verdict:
        num_samples = rollout.completion.shape[0]
        prompts = jnp.broadcast_to(rollout.prompt, (num_samples, *rollout.prompt.shape))
        agree = jax.vmap(lambda other: sampling.greedy_correct(other, prompts, rollout.completion))
        return outcome_verdict(agree(state).mean(0) >= self.threshold, rollout)

    def update(self, key: Key, state: Policy, policy: Policy, info, grades) -> Policy:
        return state
