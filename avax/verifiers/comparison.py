"""Is the completion likely beside the alternatives that the policy also has in mind?

The idea of judging an answer among candidates is that of Li et al. 2024 (arXiv 2403.09972), whose
models write a justification of each; here a candidate's probability stands for it.
"""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from avax import struct
from avax.policies import generation, sampling
from avax.types import Key, Policy, Rollout, Scalar, Verdict, graded_verdict


@struct.dataclass
class Comparison:
    """Accepts a completion that holds enough of the probability of all candidates.

    Candidates are the K completions of the prompt and some that are sampled at temperature 1; equal
    ones count once. A completion without a token has probability 0.

    Attributes:
      num_alternatives: completions that are sampled besides.
      threshold: smallest share of the candidates' probability.
    """

    num_alternatives: int = struct.static(4, low=1)
    threshold: Scalar = struct.leaf(0.5, low=0, high=1)

    uses_ground_truth: ClassVar[bool] = False

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: None) -> Verdict:
        num_samples, length = rollout.completion.shape
        others = generation.generate(
            key, policy, rollout.prompt[None], length, self.num_alternatives, 1.0
        )
        candidates = jnp.concatenate([rollout.completion, others.completion[0]])
        logprob = sampling.total_logprob(policy, rollout.prompt, candidates)
        same = (candidates[:, None] == candidates[None]).all(-1)
        is_first = same.argmax(-1) == jnp.arange(len(candidates))
        total = jax.nn.logsumexp(jnp.where(is_first, logprob, -jnp.inf))
        # Only completions without a token have no probability at all.
        share = jnp.exp(logprob - jnp.where(jnp.isfinite(total), total, 0.0))
        return graded_verdict(share[:num_samples], self.threshold, rollout)

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state
