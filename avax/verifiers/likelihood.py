"""Is the completion likely, says who wrote it? The trap: a policy likes its own mistakes."""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp

from avax import struct
from avax.policies import sampling
from avax.types import Key, Policy, Rollout, Scalar, Verdict, graded_verdict


@struct.dataclass
class Likelihood:
    """Accepts completions whose tokens the policy itself finds likely, as a geometric mean.

    It knows nothing that the sampler did not know: what is sampled often is accepted, right or
    wrong. A completion without a token has probability 0.

    Attributes:
      threshold: smallest mean probability of a token.
    """

    threshold: Scalar = struct.leaf(0.9, low=0, high=1)

    uses_ground_truth: ClassVar[bool] = False

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: None) -> Verdict:
        logprob = sampling.total_logprob(policy, rollout.prompt, rollout.completion)
        num_tokens = sampling.completion_mask(rollout.completion).sum(-1)
        probability = jnp.exp(logprob / jnp.maximum(num_tokens, 1))
        return graded_verdict(probability, self.threshold, rollout)

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state
