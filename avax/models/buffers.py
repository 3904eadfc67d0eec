"""Buffers that are filled a few rows at a time."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jax.custom_batching import custom_vmap
from jax.lax import dynamic_update_slice_in_dim

from avax.types import Integer


def write(buffer: Array, rows: Array, pos: Integer, axis: int) -> Array:
    """The buffer with `rows` from index `pos` of an axis on, in place where memory allows it.

    By itself `vmap` makes a scatter of it, which copies the whole buffer for every token.
    """

    @custom_vmap
    def put(buffer, rows, pos):
        return dynamic_update_slice_in_dim(buffer, rows, pos, axis)

    @put.def_vmap
    def _(size, is_batched, buffer, rows, pos):
        axes = [0 if batched else None for batched in is_batched]
        if is_batched[2]:  # each member writes elsewhere
            each = jax.vmap(lambda *args: dynamic_update_slice_in_dim(*args, axis), axes)
            return each(buffer, rows, pos), True
        buffer, rows = (
            x if batched else jnp.broadcast_to(x, (size, *x.shape))
            for x, batched in zip((buffer, rows), is_batched[:2], strict=True)
        )
        return write(buffer, rows, pos, axis + 1), True

    return put(buffer, rows.astype(buffer.dtype), jnp.asarray(pos))
