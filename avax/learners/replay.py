"""Kept rounds of completions, and the batches that are drawn from them and from base data."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax.policies import sampling
from avax.types import Key, Problem, Scalar


class Memory(NamedTuple):
    """W kept rounds of N completions each."""

    prompts: Array  # i32[W, N, P]
    completions: Array  # i32[W, N, C]
    accepted: Array  # bool[W, N], False where nothing was kept yet
    num_seen: Array  # i32[], rounds so far


def empty(num_kept: int, num_rows: int, example: Problem) -> Memory:
    """Nothing was kept yet; `example` has the shapes of the problems to come."""
    prompts, completions = (
        jnp.zeros((num_kept, num_rows, *tokens.shape), jnp.int32)
        for tokens in (example.prompt, example.answer)
    )
    accepted = jnp.zeros(prompts.shape[:2], bool)
    return Memory(prompts, completions, accepted, jnp.zeros((), jnp.int32))


def keep(memory: Memory, prompts: Array, completions: Array, accepted: Array) -> Memory:
    """Writes a round, i32[N, P], i32[N, C] and bool[N], over the oldest one kept."""
    num_kept = memory.accepted.shape[0]
    newest = jnp.arange(num_kept) == memory.num_seen % num_kept

    def put(kept, new):
        return jnp.where(newest.reshape(-1, *[1] * new.ndim), new, kept)

    return Memory(
        put(memory.prompts, prompts),
        put(memory.completions, completions),
        put(memory.accepted, accepted),
        memory.num_seen + 1,
    )


def draw_batches(
    key: Key,
    memory: Memory,
    draw_base: Callable[[Key], Problem],
    shape: tuple[int, int],
    base_rate: Scalar,
    newest_rate: Scalar,
    loss_masks: tuple[Callable, Callable] | None = None,
) -> tuple[Array, ...]:
    """Prompts i32[U, b, P] and completions i32[U, b, C], drawn with replacement; with loss masks
    also bool[U, b, C], the tokens that count.

    Only accepted rows are drawn; where none is accepted in any round, what is no base data means
    nothing.

    Args:
      draw_base: a true problem of the base; a row is one of N such with P = `base_rate`.
      shape: updates U and rows of each b.
      newest_rate: P(a row is of the newest round | it is no base data), if both this round and
        earlier ones that are kept have accepted rows; else those that have some give all.
      loss_masks: as in `Source`.
    """
    key_base, key_kind, key_row = jax.random.split(key, 3)
    num_kept, num_base = memory.accepted.shape
    base = jax.vmap(draw_base)(jax.random.split(key_base, num_base))
    uniform = jax.random.uniform(key_row, shape)

    newest = jnp.arange(num_kept) == (memory.num_seen - 1) % num_kept
    is_new = memory.accepted & newest[:, None]
    is_old = memory.accepted & ~newest[:, None]
    kind = jax.random.uniform(key_kind, (2, *shape))
    use_old = ((kind[1] >= newest_rate) | ~is_new.any()) & is_old.any()
    row = jnp.where(use_old, sampling.draw_row(uniform, is_old), sampling.draw_row(uniform, is_new))
    base_row = is_new.size + (uniform * num_base).astype(jnp.int32)
    is_base = kind[0] < base_rate
    row = jnp.where(is_base, base_row, row)

    def gather(kept, base):
        return jnp.concatenate([kept.reshape(-1, kept.shape[-1]), base])[row]

    rows = gather(memory.prompts, base.prompt), gather(memory.completions, base.answer)
    if loss_masks is None:
        return rows
    of_kept, of_base = (jax.vmap(mask)(*rows) for mask in loss_masks)
    return *rows, jnp.where(is_base[..., None], of_base, of_kept)
