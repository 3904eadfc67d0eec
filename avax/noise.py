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

    The one-shot injection of Lee et al. 2025 (arXiv 2502.01612, section 8), on labels only. In
    that round the measured rates compare the verdicts, of clean completions, with noisy labels.

    Attributes:
      rate: P(a completion is changed).
      round: the round in which it happens; 1 is the first.
    """

    rate: Scalar = struct.leaf(0.0, low=0, high=1)
    round: Integer = struct.leaf(1, low=1)

    def inject(self, key: Key, rollouts: Rollout, round: Array) -> Rollout:
        """`rollouts` (any leading axes) with the noise of this round."""
        completion = rollouts.completion
        uniform = jax.random.uniform(key, (3, *completion.shape))
        hit = (uniform[0, ..., :1] < self.rate) & (round == self.round)
        # The digit with the largest random number is the one that changes.
        place = jnp.where(vocab.is_digit(completion), uniform[1], -1.0).argmax(-1)
        here = jax.nn.one_hot(place, completion.shape[-1], dtype=bool)
        chosen = here & vocab.is_digit(completion)
        other = (completion + 1 + (9 * uniform[2]).astype(jnp.int32)) % 10
        return rollouts._replace(completion=jnp.where(hit & chosen, other, completion))
