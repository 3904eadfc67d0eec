"""Sums over training rows that leave much of the PAD out, a few rows at a time.

Short sequences share rows, long ones are cut to length. A program has fixed shapes, so there are a
few sizes to cut to, and the work is compiled once for each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from avax import vocab
from avax.policies import packing, pieces
from avax.policies.packing import Rows

NUM_ROWS = 8  # of a piece: few enough for a core's caches
# Columns that a size more must save, and how many sizes there are at most: each takes about 4
# seconds to compile. With four, an update on sums of 1 to 100 digits takes 0.59 of the time, on
# those of 1 to 40 0.26.
STEP, MOST = 48, 4
# From as many short sequences on they share rows; among fewer there are few partners. An update on
# sums of 1 to 8 digits takes 0.63 of the time at width 64, 0.84 at 32; a round of the main job,
# whose batches are 32, 0.87 (0.72 on the fixed range).
MIN_BATCH = 32

Size = tuple[int, int]  # columns of prompts without their last token, and of completions


def sum_over_rows(function: Callable[[Rows], Any], rows: Rows) -> Any:
    """`function(rows)`, a pytree of sums over rows, on a CPU without most of the PAD.

    An ensemble stays in step: of each size all members sum as many pieces as the one that has
    most, the others pieces of PAD, which must add exact zeros. So no member's bits depend on the
    others.

    An accelerator takes all rows at once.
    """
    sizes = sizes_of(rows.prompt_cols, rows.completion_cols)
    if jax.default_backend() != "cpu" or (len(sizes) == 1 and len(rows.tokens) < MIN_BATCH):
        return function(rows)
    stacked, parts = packed(rows) if len(sizes) == 1 else sorted_by_size(rows, sizes)
    like = jax.eval_shape(function, jax.tree.map(lambda x: x[0], stacked))
    total = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), like)
    first = 0
    for size, count in parts:

        def add(j, total, first=first, count=count, size=size):
            index = jnp.minimum(first + j, len(stacked.tokens) - 1)
            piece = cut(jax.tree.map(lambda x: x[index], stacked), size, j < count)
            return jax.tree.map(jnp.add, total, function(piece))

        total = jax.lax.fori_loop(0, pieces.most(count), add, total)
        first = first + count
    return total


def sizes_of(prompt_cols: int, completion_cols: int) -> list[Size]:
    """What to cut rows to, ascending; the last is all of them."""
    count = min(max((prompt_cols + completion_cols) // STEP, 1), MOST)
    return [
        (-(-prompt_cols * i // count), -(-completion_cols * i // count))
        for i in range(1, count + 1)
    ]


def packed(rows: Rows) -> tuple[Rows, list[tuple[Size, Array]]]:
    """Pieces [N, B / N, ...] of packed rows, and how many hold something: all have one size."""
    stacked = in_pieces(packing.pack(rows))
    count = (stacked.target != vocab.PAD).any((1, 2)).sum()
    return stacked, [((stacked.prompt_cols, stacked.completion_cols), count)]


def sorted_by_size(rows: Rows, sizes: list[Size]) -> tuple[Rows, list[tuple[Size, Array]]]:
    """Pieces [N, B / N, ...] of rows that need about the same, and how many need each size."""
    order = pieces.order_of(needed(rows, sizes))
    stacked = in_pieces(jax.tree.map(lambda x: x[order], rows))
    largest = jax.vmap(lambda piece: needed(piece, sizes).max())(stacked)
    return stacked, [(size, (largest == i).sum()) for i, size in enumerate(sizes)]


def needed(rows: Rows, sizes: list[Size]) -> Array:
    """i32[B]: index of the first of some sizes, ascending, that holds each row."""
    prompt_len, completion_len = rows.lengths()
    too_small = [(prompt_len > a) | (completion_len > q) for a, q in sizes[:-1]]
    return sum(too_small, start=jnp.zeros(prompt_len.shape, jnp.int32))


def in_pieces(rows: Rows) -> Rows:
    """Rows [N, B / N, ...] in their order, filled up with PAD in front."""
    num_pieces = -(-len(rows.tokens) // NUM_ROWS)
    missing = -len(rows.tokens) % num_pieces

    def stack(x, filler):
        lead = jnp.full((missing, *x.shape[1:]), filler, x.dtype)
        return jnp.concatenate([lead, x]).reshape(num_pieces, -1, *x.shape[1:])

    return jax.tree.map(stack, rows, packing.blank(rows))


def cut(piece: Rows, size: Size, is_wanted: Array) -> Rows:
    """A piece without what stands beyond a size; of PAD alone if it isn't wanted."""
    prompt_cols, completion_cols = size
    here = slice(piece.prompt_cols - prompt_cols, piece.prompt_cols + completion_cols)
    piece = piece._replace(
        tokens=piece.tokens[:, here],
        target=piece.target[:, :completion_cols],
        weight=piece.weight[:, :completion_cols],
    )
    return jax.tree.map(lambda x, b: jnp.where(is_wanted, x, b), piece, packing.blank(piece))
