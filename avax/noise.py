"""Wrong labels, put into the data on purpose: how strongly does training on them amplify errors?"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct, vocab
from avax.types import Integer, Key, Rollout, Scalar


@struct.dataclass
class LabelNoise:
    """Replaces one digit of some completions, after the verifier has judged them, in one round.

    The one-shot injection of Lee et al. 2025 (arXiv 2502.01612, section 8), on labels only.

    Attributes:
      rate: P(a completion is changed).
      round: the round in which it happens; 1 is the first.
    """

    rate: Scalar = struct.leaf(0.0, low=0, high=1)
    round: Integer = struct.leaf(1, low=1)

    def inject(self, key: Key, rollouts: Rollout, round: Array) -> Rollout:
        """`rollouts` (any leading axes) with the noise of this round."""
        key_hit, key_place, key_digit = jax.random.split(key, 3)
        completion = rollouts.completion
        shape = completion.shape[:-1]
        hit = (jax.random.uniform(key_hit, shape) < self.rate) & (round == self.round)
        # The digit with the largest random number is the one that changes.
        place = jax.random.uniform(key_place, completion.shape)
        place = jnp.where(vocab.is_digit(completion), place, -1.0)
        chosen = (place == place.max(-1, keepdims=True)) & vocab.is_digit(completion)
        other = (completion + jax.random.randint(key_digit, (*shape, 1), 1, 10)) % 10
        return rollouts._replace(completion=jnp.where(hit[..., None] & chosen, other, completion))
