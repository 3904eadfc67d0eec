"""Work in pieces that stay in a core's cache, and loops that end when no member needs more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.custom_batching import custom_vmap


@custom_vmap
def most(x: Array) -> Array:
    """A number i32[], under `vmap` the largest of all members, one and the same for all of them.

    For bounds of loops: with bounds of their own, members would copy all that a loop carries, in
    every step. The further steps must do nothing to the members that don't need them: then no
    member's results depend on the others.
    """
    return x


@most.def_vmap
def _most_of_members(size: int, is_batched: list[bool], x: Array) -> tuple[Array, bool]:
    return most(x.max(0) if is_batched[0] else x), False


def by_pieces(function: Callable[[Any], Any], rows: Any, length: Array, num_rows: int) -> Any:
    """`function(rows)`, on a CPU by pieces of at most `num_rows` of about the same length.

    An accelerator takes all rows at once.

    Args:
      function: maps a pytree of rows to another, row by row.
      rows: pytree with leading axis B.
      length: i32[B], of each row.
    """
    total = length.shape[0]
    num_pieces = -(-total // num_rows)
    if jax.default_backend() != "cpu" or num_pieces == 1:
        return function(rows)
    size = -(-total // num_pieces)
    rank = rank_of(length)
    order = inverse(rank)
    # The last piece is filled up with the longest row, which takes no loop further.
    order = order[jnp.minimum(jnp.arange(num_pieces * size), total - 1)]
    found = jax.lax.map(
        lambda index: function(jax.tree.map(lambda x: x[index], rows)), order.reshape(-1, size)
    )
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[rank], found)


def rank_of(length: Array) -> Array:
    """i32[B]: the place of each of i32[B] in ascending order; those that are equal keep theirs."""
    # Not by sorting: a program that sorts can't be kept in the compile cache of a CPU.
    index = jnp.arange(length.shape[0])
    less, same = length[None] < length[:, None], length[None] == length[:, None]
    return (less | same & (index[None] < index[:, None])).sum(1)


def order_of(length: Array) -> Array:
    """i32[B]: indices of i32[B] in ascending order of what stands there."""
    return inverse(rank_of(length))


def inverse(rank: Array) -> Array:
    """i32[B]: the index that has each rank, of ranks i32[B]."""
    return jnp.zeros_like(rank).at[rank].set(jnp.arange(len(rank)))
