"""Is the policy sure of what comes next? Low entropy as a reward (cf. Prabhudesai et al. 2025,
arXiv 2505.22660, and Zhao et al. 2025, arXiv 2505.19590).
"""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.policies import sampling
from avax.types import Key, Policy, Rollout, Scalar, Verdict, graded_verdict


@struct.dataclass
class Certainty:
    """Accepts completions at whose tokens the policy, on average, doubts little.

    The score grows with exp(-H), H being the mean entropy of the next token in nats, over the
    tokens of a completion; a completion without a token has 0. Unlike `Likelihood` it
    doesn't ask whether what was written is what the policy thinks likely. Both know nothing that
    the sampler did not.

    Attributes:
      threshold: smallest exp(-H) that is accepted, 1 where nothing is in doubt.
    """

    threshold: Scalar = struct.leaf(0.9, low=0, high=1)

    uses_ground_truth: ClassVar[bool] = False

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: None) -> Verdict:
        entropy = mean_entropy(policy, rollout.prompt, rollout.completion)
        return graded_verdict(jnp.exp(-entropy), self.threshold, rollout)

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state


def mean_entropy(policy: Policy, prompt: Array, completions: Array) -> Array:
    """f32[K]: entropy of the next token, in nats, mean over those of completions i32[K, C] of one
    prompt i32[P]; infinite of a completion that holds no token.
    """
    prompts = jnp.broadcast_to(prompt, (completions.shape[0], *prompt.shape))
    logprob = jax.nn.log_softmax(sampling.completion_logits(policy, prompts, completions))
    entropy = -(jnp.exp(logprob) * logprob).sum(-1)
    mask = sampling.completion_mask(completions)
    total = jnp.where(mask, entropy, 0.0).sum(-1)
    return jnp.where(mask.any(-1), total / jnp.maximum(mask.sum(-1), 1), jnp.inf)
