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


def positions(
    scheme: str, tokens: Array, reading: Reading, before: Array
) -> tuple[Array, Array, Reading]:
    """The rotary index i32[B, T], the row of the position embedding i32[B, T], and what was read.

    `digit`: the first digit of a number has index 1, separators and PAD have 0; marks have that of
    the digit they judge; the row counts the separators before the token. `rotary` and `learned`:
    the number of tokens before it but PAD.

    Args:
      before: bool[1, T, T] or bool[B, T, T], which of `tokens` are each one or stand before it.
    """
    digit = vocab.is_digit(tokens) | vocab.is_mark(tokens)
    separator = vocab.is_separator(tokens)
    read = jnp.stack([reading.num_tokens, reading.run, reading.num_separators], axis=1)
    counts = count(jnp.stack([tokens != vocab.PAD, digit, separator], axis=1), before)
    num_tokens, num_digits, num_separators = (read[..., None] + counts).swapaxes(0, 1)
    # Digits up to the last separator: that count where a separator stands, carried on.
    ends = separator[:, None, :] & before
    before_number = jnp.where(ends, num_digits[:, None, :], 0).max(-1)
    run = num_digits - before_number
    done = Reading(num_tokens[:, -1], num_separators[:, -1], run[:, -1])

    none = jnp.zeros_like(tokens)
    earlier = jnp.maximum(num_tokens - 1, 0)
    segment = jnp.minimum(num_separators - separator, NUM_SEGMENTS - 1)
    by_scheme = {
        "digit": (jnp.where(digit, run, 0), segment),
        "rotary": (earlier, none),
        "learned": (none, earlier),
        "none": (none, none),
    }
    return *by_scheme[scheme], done


def count(event: Array, before: Array) -> Array:
    """i32[B, N, T]: how often bool[B, N, T] held `before` each token, bool[1 or B, T, T].

    As a product: a cumulative sum compiles slowly and runs slowly on a CPU.
    """
    return (event.astype(jnp.float32) @ before.astype(jnp.float32).mT).astype(jnp.int32)
