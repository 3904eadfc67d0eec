"""One vocabulary for every task, so that policies are interchangeable."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

DIGITS = tuple(range(10))
(PAD, EOS, PLUS, TIMES, EQUALS, COPY, STEP, RETRY, YES, NO, BACK, PLUS_ONE) = range(10, 22)
VOCAB_SIZE = 32

_SYMBOLS = "0123456789_$+*=>;?YN<&"


def is_digit(tokens: Array) -> Array:
    """bool[...]: whether each token is one of the digits 0 to 9."""
    return tokens < len(DIGITS)


def is_operator(tokens: Array) -> Array:
    """bool[...]: whether each token stands between two operands; PLUS_ONE adds 1 to the sum."""
    return (tokens == PLUS) | (tokens == TIMES) | (tokens == PLUS_ONE)


def is_mark(tokens: Array) -> Array:
    """bool[...]: whether each token judges a digit: YES or NO."""
    return (tokens == YES) | (tokens == NO)


def is_separator(tokens: Array) -> Array:
    """bool[...]: whether each token ends a number or a row of marks: all but these and PAD."""
    return (tokens >= len(DIGITS)) & (tokens != PAD) & ~is_mark(tokens)


def answers(completions: Array, answer_len: int) -> Array:
    """i32[..., L]: the last `answer_len` tokens of each of completions i32[..., C], EOS included,
    PAD in front of shorter ones; all tokens if that is 0.
    """
    if answer_len == 0:
        return completions
    behind = jnp.arange(answer_len) - answer_len
    count = (completions != PAD).sum(-1, keepdims=True)
    at = count + behind.reshape((1,) * (count.ndim - 1) + (-1,))
    found = jnp.take_along_axis(completions, jnp.maximum(at, 0), axis=-1)
    return jnp.where(at >= 0, found, PAD)


def to_text(tokens) -> str:
    """Tokens as a string of one character each, PAD shown as `_` and EOS as `$`."""
    return "".join(_SYMBOLS[t] if t < len(_SYMBOLS) else "." for t in jnp.asarray(tokens).tolist())
