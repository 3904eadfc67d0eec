"""Sums over training rows that leave much of the PAD out: a few rows at a time, cut to length.

A program has fixed shapes, so there are a few widths to cut to, and the work is compiled once for
each. Short sequences have only one, and are not cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax import pieces, vocab

NUM_ROWS = 8  # of a piece: few enough for a core's caches
# Columns that a width more must save, and how many widths there are at most: each takes about 4
# seconds to compile. With four, an update on sums of 1 to 100 digits takes 0.59 of the time, on
# those of 1 to 40 0.26.
STEP, MOST = 48, 4


class Rows(NamedTuple):
    """Completions to train on, and how much each of their tokens counts."""

    prompt: Array  # i32[B, P], PAD in front
    completion: Array  # i32[B, C], PAD behind
    weight: Array  # f32[B, C], 0 at PAD


def widths(prompt_len: int, completion_len: int) -> list[tuple[int, int]]:
    """Lengths of prompts and completions to cut to, ascending; the last are P and C."""
    count = min(max((prompt_len + completion_len) // STEP, 1), MOST)
    parts = range(1, count + 1)
    return [(-(-prompt_len * i // count), -(-completion_len * i // count)) for i in parts]


def sum_over_rows(function: Callable[[Rows], Any], rows: Rows) -> Any:
    """`function(rows)`, a pytree of sums over rows, on a CPU without most of the PAD.

    Each row has the first of `widths` that holds it, and pieces are of rows whose widths are alike.
    An ensemble stays in step: for each width all members sum as many pieces as the one that has
    most, the others pieces of PAD, which must add exact zeros. So no member's bits depend on the
    others.

    An accelerator takes all rows at once.
    """
    sizes = widths(rows.prompt.shape[1], rows.completion.shape[1])
    if jax.default_backend() != "cpu" or len(sizes) == 1:
        return function(rows)
    width = width_of(rows, sizes)
    stacked, width = in_pieces(rows, width)
    like = jax.eval_shape(function, jax.tree.map(lambda x: x[0], stacked))
    total = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), like)
    for i, size in enumerate(sizes):
        first, count = (width < i).sum(), (width == i).sum()

        def add(j, total, first=first, count=count, size=size):
            index = jnp.minimum(first + j, len(width) - 1)
            piece = cut(jax.tree.map(lambda x: x[index], stacked), size, j < count)
            return jax.tree.map(jnp.add, total, function(piece))

        total = jax.lax.fori_loop(0, pieces.most(count), add, total)
    return total


def width_of(rows: Rows, sizes: list[tuple[int, int]]) -> Array:
    """i32[B]: the first of some sizes, ascending, that holds each row."""
    asked, told = ((x != vocab.PAD).sum(-1) for x in (rows.prompt, rows.completion))
    too_small = [(asked > p) | (told > c) for p, c in sizes[:-1]]
    return sum(too_small, start=jnp.zeros(asked.shape, jnp.int32))


def in_pieces(rows: Rows, width: Array) -> tuple[Rows, Array]:
    """Rows [N, B / N, ...] in the order of their widths i32[B], and the width i32[N] of each piece.

    Filled up with rows of PAD in front.
    """
    num_pieces = -(-len(width) // NUM_ROWS)
    missing = -len(width) % num_pieces
    rank = pieces.rank_of(width)
    order = jnp.zeros_like(rank).at[rank].set(jnp.arange(len(width)))

    def stack(x, filler):
        lead = jnp.full((missing, *x.shape[1:]), filler, x.dtype)
        return jnp.concatenate([lead, x[order]]).reshape(num_pieces, -1, *x.shape[1:])

    return jax.tree.map(stack, rows, Rows(vocab.PAD, vocab.PAD, 0)), stack(width, 0)[:, -1]


def cut(piece: Rows, size: tuple[int, int], is_wanted: Array) -> Rows:
    """A piece without what stands beyond a size; of PAD alone if it isn't wanted."""
    prompt_len, completion_len = size
    piece = Rows(
        piece.prompt[:, -prompt_len:],
        piece.completion[:, :completion_len],
        piece.weight[:, :completion_len],
    )
    empty = Rows(vocab.PAD, vocab.PAD, 0.0)
    return jax.tree.map(lambda x, filler: jnp.where(is_wanted, x, filler), piece, empty)
