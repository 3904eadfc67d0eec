"""Where each token stands, computed from the token stream alone."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from avax import vocab

NUM_SEGMENTS = 8  # embeddings of "how many separators came before"; later segments share the last
SCHEMES = ("none", "learned", "rotary", "digit")


class Reading(NamedTuple):
    """Where a reader of token sequences stands: all that positions depend on."""

    num_tokens: Array  # i32[B], tokens read, PAD not counted
    num_separators: Array  # i32[B]
    run: Array  # i32[B], digits read since the last separator


def start_reading(batch: int) -> Reading:
    """Nothing was read yet."""
    return Reading(*[jnp.zeros((batch,), jnp.int32) for _ in Reading._fields])


def positions(scheme: str, tokens: Array, reading: Reading) -> tuple[Array, Array, Reading]:
    """The rotary index i32[B, T], the row of the position embedding i32[B, T], and what was read.

    `digit`: the first digit of a number has index 1, separators and PAD have 0; marks have that of
    the digit they judge; the row counts the separators before the token. `rotary` and `learned`:
    the number of tokens before it but PAD.
    """
    digit = vocab.is_digit(tokens) | vocab.is_mark(tokens)
    separator = vocab.is_separator(tokens)
    read = jnp.stack([reading.num_tokens, reading.run, reading.num_separators])
    counts = count_up_to(jnp.stack([tokens != vocab.PAD, digit, separator]))
    num_tokens, num_digits, num_separators = read[..., None] + counts
    # Digits up to the last separator: that count where a separator stands, carried on.
    before_number = jnp.where(
        separator[:, None, :] & jnp.tri(tokens.shape[1], dtype=bool)[None],
        num_digits[:, None, :],
        0,
    ).max(-1)
    run = num_digits - before_number
    done = Reading(num_tokens[:, -1], num_separators[:, -1], run[:, -1])

    none = jnp.zeros_like(tokens)
    before = jnp.maximum(num_tokens - 1, 0)
    segment = jnp.minimum(num_separators - separator, NUM_SEGMENTS - 1)
    by_scheme = {
        "digit": (jnp.where(digit, run, 0), segment),
        "rotary": (before, none),
        "learned": (none, before),
        "none": (none, none),
    }
    return *by_scheme[scheme], done


def count_up_to(event: Array) -> Array:
    """i32[..., T]: how often bool[..., T] held up to and including each token.

    As a product with a triangle: a cumulative sum compiles slowly and runs slowly on a CPU.
    """
    triangle = jnp.tri(event.shape[-1], dtype=jnp.float32).T
    return (event.astype(jnp.float32) @ triangle).astype(jnp.int32)
