"""A verifier that looks away for one round: how long are the policy's own mistakes remembered?"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.requirements import Context
from avax.types import Integer, Key, Rollout, Scalar, Verdict


@struct.dataclass
class Lapse:
    """Accepts some of what the verifier rejected, in one round.

    With a perfect verifier, these are wrong labels of the policy's own making. Unlike the random
    ones of `LabelNoise`, they are mistakes that it is prone to, and so less easily forgotten.

    Attributes:
      rate: P(a rejected completion is accepted all the same).
      round: the round in which it happens; 1 is the first.
    """

    rate: Scalar = struct.leaf(0.0, low=0, high=1)
    round: Integer = struct.leaf(1, low=1)

    def requires(self, context: Context) -> str | None:
        return context.has_round("lapse.round", self.round)

    def overlook(self, key: Key, rollouts: Rollout, verdicts: Verdict, round: Array) -> Verdict:
        """`verdicts` on `rollouts` (any leading axes) with the lapse of this round."""
        hit = jax.random.uniform(key, verdicts.score.shape) < self.rate
        hit &= ~verdicts.accept & (round == self.round)
        return Verdict(
            jnp.where(hit, 1.0, verdicts.score),
            jnp.where(hit[..., None], rollouts.mask, verdicts.step_score),
        )
