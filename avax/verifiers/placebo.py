"""A filter that accepts as many as another one, whichever: what does choosing by itself do?"""

from __future__ import annotations

import jax.numpy as jnp

from avax import struct
from avax.types import Grade, Key, Policy, Rollout, Verdict
from avax.verifiers.shuffling import Shuffled


@struct.dataclass
class Placebo(Shuffled):
    """Permutes the outcome scores of another verifier over all completions of a round.

    As many are accepted, and which is blind to what they are: TPR - FPR is 0 within error, whatever
    the verifier. A completion without a token keeps its score. Where a learner or a probe asks
    several times, each time is a round of its own.

    Attributes:
      inner: the verifier whose scores are permuted.
    """

    @property
    def uses_ground_truth(self) -> bool:
        return self.inner.uses_ground_truth

    def verify(
        self, key: Key, state, policy: Policy, rollout: Rollout, grade: Grade | None
    ) -> Verdict:
        moves = jnp.ones(rollout.mask.shape[0], bool)
        return self.shuffled(key, state, policy, rollout, grade, moves)
