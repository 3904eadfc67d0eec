"""Is it right? asks the policy itself, in a format that it was trained on.

P(True) of Kadavath et al. 2022 (arXiv 2207.05221).
"""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from avax import sampling, struct, vocab
from avax.types import Key, Policy, Rollout, Scalar, Verdict, graded_verdict


@struct.dataclass
class SelfEvaluation:
    """Accepts completions to which the policy says YES rather than NO: `a+b=c?` asks for either.

    The policy must have learned to answer such questions (the task `judged`), and may forget it. A
    completion without a token has probability 0.

    Attributes:
      threshold: smallest probability of YES, of YES and NO.
    """

    threshold: Scalar = struct.leaf(0.5, low=0, high=1)

    uses_ground_truth: ClassVar[bool] = False

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: None) -> Verdict:
        completion = rollout.completion
        prompts = jnp.broadcast_to(rollout.prompt, (len(completion), *rollout.prompt.shape))
        # PAD may stand anywhere: it has no position and is not attended to.
        shown = jnp.where(completion == vocab.EOS, vocab.PAD, completion)
        ask = jnp.full((len(completion), 1), vocab.RETRY, completion.dtype)
        tokens = jnp.concatenate([prompts, shown, ask], axis=1)
        logits = policy(tokens, None, 0, tokens.shape[1] - 1)[0][:, 0]
        probability = jax.nn.sigmoid(logits[:, vocab.YES] - logits[:, vocab.NO])
        has_token = sampling.completion_mask(completion).any(-1)
        return graded_verdict(jnp.where(has_token, probability, 0.0), self.threshold, rollout)

    def update(self, key: Key, state, info, grades):
        return state
