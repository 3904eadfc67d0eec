"""Is it right? asks the policy itself, in a format that it was trained on.

P(True) of Kadavath et al. 2022 (arXiv 2207.05221).
"""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp

from avax import struct, vocab
from avax.policies import sampling
from avax.requirements import Context
from avax.types import Key, Policy, Rollout, Scalar, Verdict, graded_verdict


@struct.dataclass
class SelfEvaluation:
    """Accepts completions that the policy marks as right, digit by digit, when `a+b=c?` asks it.

    The probability is that of a YES for each digit and for the end, given a YES for all before; so
    the scores of steps are its own. The policy must have learned to answer such questions (the task
    `judged`), and may forget it. A completion without a token has probability 0.

    Attributes:
      threshold: smallest probability that all marks are YES.
    """

    threshold: Scalar = struct.leaf(0.5, low=0, high=1)

    uses_ground_truth: ClassVar[bool] = False

    def requires(self, context: Context) -> str | None:
        return context.base_has("marks")

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: None) -> Verdict:
        num_samples, length = rollout.completion.shape
        prompts = jnp.broadcast_to(rollout.prompt, (num_samples, *rollout.prompt.shape))
        # PAD may stand anywhere: it has no position and is not attended to.
        shown = jnp.where(rollout.completion == vocab.EOS, vocab.PAD, rollout.completion)
        ask = jnp.full((num_samples, 1), vocab.RETRY, shown.dtype)
        asked = jnp.concatenate([prompts, shown, ask], axis=1)
        yes = jnp.full((num_samples, length + 1), vocab.YES, shown.dtype)
        logprob = sampling.completion_logprob(policy, asked, yes)
        num_digits = (shown != vocab.PAD).sum(-1, keepdims=True)
        logprob = jnp.where(jnp.arange(length + 1)[None] <= num_digits, logprob, 0.0)
        probability = jnp.exp(logprob.sum(-1))
        has_token = sampling.completion_mask(rollout.completion).any(-1)
        verdict = graded_verdict(jnp.where(has_token, probability, 0.0), self.threshold, rollout)
        return verdict._replace(step_score=jnp.exp(logprob[:, :-1]) * rollout.mask)

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state
