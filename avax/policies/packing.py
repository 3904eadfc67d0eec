"""Sequences as rows to train on, and two short ones in a row (sequence packing)."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from avax import vocab
from avax.policies import pieces

# Columns that packed rows have more, of prompts and of completions: as many as two sums take more
# than one of as many digits. Without them next to none of 1 to 8 digits make a full row.
MORE = 1, 2


class Rows(NamedTuple):
    """What a policy reads, and what it should say to the last Q tokens of it; B rows.

    A = the columns before: prompts, PAD in front, without their last token.
    """

    tokens: Array  # i32[B, A + Q]
    target: Array  # i32[B, Q]: the token after each of the last Q
    weight: Array  # f32[B, Q]: how much each target counts, 0 at PAD
    sequence: Array | None = None  # i32[B, A + Q]: whose each token is, if rows hold two

    @property
    def completion_cols(self) -> int:
        """Q."""
        return self.target.shape[-1]

    @property
    def prompt_cols(self) -> int:
        """A."""
        return self.tokens.shape[-1] - self.completion_cols

    def lengths(self) -> tuple[Array, Array]:
        """i32[B] tokens but PAD in the first A columns, and in the targets."""
        prompts = self.tokens[:, : self.prompt_cols]
        return (prompts != vocab.PAD).sum(-1), (self.target != vocab.PAD).sum(-1)


def rows_of(prompts: Array, completions: Array, weight: Array) -> Rows:
    """One sequence a row: prompts i32[B, P] and completions i32[B, C], of weight f32[B, C]."""
    return Rows(jnp.concatenate([prompts, completions[:, :-1]], axis=1), completions, weight)


def blank(rows: Rows) -> Rows:
    """What stands in rows that hold nothing: one number for each array."""
    return Rows(vocab.PAD, vocab.PAD, 0.0, None if rows.sequence is None else 0)


def pack(rows: Rows) -> Rows:
    """The same sequences, one or two to a row; B rows, of which the first hold all.

    All prompts stay in front of all completions, so that a last layer can skip them.
    """
    prompt_len, completion_len = rows.lengths()
    prompt_len = jnp.where(completion_len > 0, prompt_len, 0)
    prompt_cols, completion_cols = rows.prompt_cols + MORE[0], rows.completion_cols + MORE[1]
    pair = pairs(prompt_len, completion_len, prompt_cols, completion_cols)
    prompt_of, index, is_prompt = columns(prompt_len, pair, prompt_cols)
    completion_of, later, is_completion = columns(completion_len, pair, completion_cols)
    column = rows.prompt_cols - prompt_len[prompt_of] + index  # behind the PAD
    prompts = jnp.where(is_prompt, rows.tokens[prompt_of, column], vocab.PAD)
    completions = jnp.where(
        is_completion, rows.tokens[completion_of, rows.prompt_cols + later], vocab.PAD
    )
    return Rows(
        jnp.concatenate([prompts, completions], axis=1),
        jnp.where(is_completion, rows.target[completion_of, later], vocab.PAD),
        jnp.where(is_completion, rows.weight[completion_of, later], 0.0),
        jnp.concatenate([prompt_of, completion_of], axis=1),
    )


def pairs(prompt_len: Array, completion_len: Array, max_prompt: int, max_completion: int) -> Array:
    """i32[B, 2]: the one or two sequences of each row, -1 for none.

    The longest go alone, as few as possible; of the others the longest goes with the shortest, the
    second longest with the second shortest, and so on.

    Args:
      prompt_len, completion_len: i32[B], columns that each sequence needs of either kind.
      max_prompt, max_completion: columns of a row.
    """
    total = len(prompt_len)
    order = pieces.order_of(-(prompt_len + completion_len))
    prompt_len, completion_len = prompt_len[order], completion_len[order]
    row = jnp.arange(total)

    def partner(row, alone):
        """Who goes with the longest of each row, -1 for none; and whether there is such a row."""
        behind = total - 1 - (row - alone)
        return jnp.where((row >= alone) & (behind > row), behind, -1), behind >= row

    second, _ = partner(row[None], row[:, None])  # [number of those alone, row]
    prompt_len_of, completion_len_of = (jnp.append(n, 0) for n in (prompt_len, completion_len))
    fits = prompt_len[None] + prompt_len_of[second] <= max_prompt
    fits &= completion_len[None] + completion_len_of[second] <= max_completion
    second, is_row = partner(row, fits.all(1).argmax())
    is_row &= prompt_len + completion_len > 0
    order = jnp.append(order, -1)
    return jnp.where(is_row[:, None], jnp.stack([order[:-1], order[second]], axis=1), -1)


def columns(length: Array, pair: Array, width: int) -> tuple[Array, Array, Array]:
    """Whose token stands in each column, its index, and whether there is one; all [B, width].

    Args:
      length: i32[B], tokens of each sequence.
      pair: i32[B, 2], the sequences of each row, -1 for none.
    """
    first, second = pair[:, :1], pair[:, 1:]
    num_first, num_second = (jnp.append(length, 0)[x] for x in (first, second))
    column = jnp.arange(width)[None]
    is_first = column < num_first
    index = jnp.where(is_first, column, column - num_first)
    return jnp.where(is_first, first, second), index, is_first | (index < num_second)
