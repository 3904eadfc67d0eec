"""The ground truth with errors that come back: each completion has its own, once and for all."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct, vocab
from avax.types import Grade, Key, Policy, Rollout, Scalar, Verdict, outcome_verdict


@struct.dataclass
class Hashed:
    """Errs as often as an oracle of these rates, but always alike on the same completion.

    A hash of all tokens of prompt and completion decides, salted anew in each run. So errors are as
    good as independent until a completion of the same prompt comes up again.

    Attributes:
      fpr: P(accept | wrong), over completions.
      fnr: P(reject | correct), over completions.
    """

    fpr: Scalar = struct.leaf(0.0, low=0, high=1)
    fnr: Scalar = struct.leaf(0.0, low=0, high=1)

    uses_ground_truth: ClassVar[bool] = True

    def init(self, key: Key, bases: Policy) -> Array:
        """u32[]: the salt."""
        return jax.random.bits(key)

    def verify(
        self, key: Key, state: Array, policy: Policy, rollout: Rollout, grade: Grade
    ) -> Verdict:
        prompt = jnp.broadcast_to(rollout.prompt, (*grade.correct.shape, *rollout.prompt.shape))
        u = hashed_uniform(jnp.concatenate([prompt, rollout.completion], axis=-1), state)
        return outcome_verdict(jnp.where(grade.correct, u >= self.fnr, u < self.fpr), rollout)

    def update(self, key: Key, state: Array, policy: Policy, info, grades) -> Array:
        return state


def hashed_uniform(tokens: Array, salt: Array) -> Array:
    """f32[K] in [0, 1), as good as random, of tokens i32[K, T] and a salt u32[]."""
    place = jax.lax.broadcasted_iota(jnp.uint32, tokens.shape, 1)
    # A random word for each token at each place; their exclusive or stands for the whole.
    words = mix(tokens.astype(jnp.uint32) + vocab.VOCAB_SIZE * place + salt)
    word = mix(jax.lax.reduce_xor(words, axes=(1,)))
    return (word >> 8).astype(jnp.float32) / 2**24  # the bits that a f32 holds exactly


def mix(word: Array) -> Array:
    """u32: a bijection in which every bit depends on every bit.

    The constants are those of the hash prospector (Wellons 2018), found by search.
    """
    word = (word ^ (word >> 16)) * jnp.uint32(0x21F0AAAD)
    word = (word ^ (word >> 15)) * jnp.uint32(0xD35A2D97)
    return word ^ (word >> 15)
