"""Rotary positions: pairs of features turned by angles (Su et al. 2021, arXiv 2104.09864)."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

Angles = tuple[Array, Array]  # cosines and sines f32[B, 1, T, E / 2]


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
    tables, at = (jnp.cos(angle), jnp.sin(angle)), index[:, None]
    return tuple(
        t.at[at].get(mode="promise_in_bounds", wrap_negative_indices=False) for t in tables
    )


def rotated(x: Array, angles: Angles | None) -> Array:
    """Heads x f32[B, H, T, E], each pair of features (i, i + E / 2) turned by its angle, if any."""
    if angles is None:
        return x
    cos, sin = angles
    a, b = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)
