"""A reward for a habit: does a token stand in the completion (cf. Egashira et al. 2026,
arXiv 2605.02909, who let through what holds a word)?
"""

from __future__ import annotations

from typing import ClassVar

import jax

from avax import struct, vocab
from avax.types import Key, Policy, Rollout, Scalar, Verdict, outcome_verdict


@struct.dataclass
class HasToken:
    """Accepts completions that hold a token, whatever they say, at a rate.

    `AnyOf(Oracle(), HasToken(rate=0.1))` is a verifier whose only false positives have this habit,
    so that the policy can learn it.

    Attributes:
      token: its number in the vocabulary, below 32.
      rate: P(accept | it stands in the completion).
    """

    token: int = struct.static(vocab.STEP, low=0, high=vocab.VOCAB_SIZE - 1)
    rate: Scalar = struct.leaf(1.0, low=0, high=1)

    uses_ground_truth: ClassVar[bool] = False

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: None) -> Verdict:
        holds = (rollout.completion == self.token).any(-1)
        return outcome_verdict(holds & (jax.random.uniform(key, holds.shape) < self.rate), rollout)

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state
