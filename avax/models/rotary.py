"""Rotary positions: pairs of features turned by angles (Su et al. 2021, arXiv 2104.09864)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

Angles = tuple[Array, Array]  # cosines and signed sines f32[B, 1, T, 2, E / 2] of a head's halves


def angles(index: Array, highest: int, width: int, base: float) -> Angles:
    """Angles of a head's features at each token.

    Args:
      index: i32[B, T], from 0 to `highest`.
      width: E, features of a head.
      base: longest wavelength, in 2 pi tokens.
    """
    half = width // 2
    frequency = base ** (-jnp.arange(half) / half)
    angle = jnp.arange(highest + 1)[:, None] * frequency[None]
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    tables = jnp.stack([cos, cos], axis=1), jnp.stack([-sin, sin], axis=1)
    at = index[:, None]
    # Behind a barrier, or each use looks them up again.
    return jax.lax.optimization_barrier(
        tuple(t.at[at].get(mode="promise_in_bounds", wrap_negative_indices=False) for t in tables)
    )


def rotated(x: Array, angles: Angles | None) -> Array:
    """Heads x f32[B, H, T, E], each pair of features (i, i + E / 2) turned by its angle, if any.

    Without a concatenation, which is slow on a CPU: an update takes 25 % less time at widths 32
    and 64.
    """
    if angles is None:
        return x
    cos, sin = angles
    halves = x.reshape(*x.shape[:-1], 2, x.shape[-1] // 2)
    return (halves * cos + halves[..., ::-1, :] * sin).reshape(x.shape)
