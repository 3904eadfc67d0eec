"""Which rows are drawn from kept rounds, for every pattern of accepted ones."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import vocab
from avax.learners import replay
from avax.types import Problem

W, N, C = 3, 2, 2
BASE = 9  # the digit of base data; kept rows have those below it
SHAPE = (8, 64)
PATTERNS = np.array(list(itertools.product([False, True], repeat=W * N))).reshape(-1, W, N)


def draw_base(key):
    digit = jnp.full(C, BASE, jnp.int32)
    return Problem(digit, digit, jnp.int32(1))


@jax.jit
def drawn(accepted, num_seen, newest_rate, base_rate=0.0):
    """The number i32[U, b] of each row that is drawn; `BASE` of base data."""
    rows = jnp.broadcast_to(jnp.arange(W * N).reshape(W, N, 1), (W, N, C))
    memory = replay.Memory(rows, rows, accepted, num_seen)
    key = jax.random.key(0)
    prompts, completions = replay.draw_batches(
        key, memory, draw_base, SHAPE, base_rate, newest_rate
    )
    return completions[..., 0]


@pytest.mark.parametrize("newest_rate", [0.0, 0.67, 1.0])
@pytest.mark.parametrize("num_seen", [3, 4, 5])
def test_no_rejected_row_is_drawn(num_seen, newest_rate):
    """And every accepted one of the rounds that may give some, as often as they should."""
    found = np.asarray(
        jax.vmap(drawn, (0, None, None))(PATTERNS, jnp.int32(num_seen), newest_rate)
    ).reshape(len(PATTERNS), -1)
    newest = (num_seen - 1) % W
    for accepted, rows in zip(PATTERNS, found, strict=True):
        if not accepted.any():
            continue
        share = np.bincount(rows, minlength=W * N).reshape(W, N) / rows.size
        assert (share[~accepted] == 0).all()
        new = accepted & (np.arange(W) == newest)[:, None]
        old = accepted & ~new
        expected = newest_rate if new.any() and old.any() else float(new.any())
        assert abs(share[new].sum() - expected) < 0.1
        for part, total in ((new, expected), (old, 1 - expected)):
            even = np.full(part.sum(), total / max(part.sum(), 1))
            np.testing.assert_allclose(share[part], even, atol=0.1)


def test_masks_of_kept_and_of_base_rows():
    """Base rows have the base's own."""
    accepted = jnp.ones((W, N), bool)
    rows = jnp.broadcast_to(jnp.arange(W * N).reshape(W, N, 1), (W, N, C))

    def is_even(prompts, completions):
        return completions % 2 == 0

    def nothing(prompts, completions):
        return completions != completions

    found = jax.jit(replay.draw_batches, static_argnums=(2, 3, 6))(
        jax.random.key(1), replay.Memory(rows, rows, accepted, 3), draw_base, SHAPE, 0.3, 0.5,
        (is_even, nothing),
    )  # fmt: skip
    _, completions, counted = map(np.asarray, found)
    assert 0.2 < (completions == BASE).mean() < 0.4
    np.testing.assert_array_equal(counted, (completions % 2 == 0) & (completions != BASE))
    assert vocab.PAD not in completions
