"""Sums over rows without PAD: the same sums, of fewer columns, and no member depends on another."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import vocab
from avax.models import transformer
from avax.policies import padding, sampling, training
from avax.policies.packing import rows_of
from avax.tasks import Addition

TASK = Addition(max_difficulty=6)  # 13 and 8 columns
MODEL = transformer.TransformerConfig(num_layers=1, num_heads=2, width=16)


@pytest.fixture(autouse=True)
def short_steps(monkeypatch):
    """Sizes of 8, 15, 21 columns, and pieces of 3 rows."""
    monkeypatch.setattr(padding, "STEP", 7)
    monkeypatch.setattr(padding, "NUM_ROWS", 3)


@pytest.fixture(scope="module")
def policy():
    return jax.jit(transformer.init, static_argnums=1)(jax.random.key(0), MODEL)


def batch_of(difficulties, seed=0):
    """Prompts and completions of true answers."""
    keys = jax.random.split(jax.random.key(seed), len(difficulties))
    problems = jax.vmap(TASK.sample)(keys, jnp.asarray(difficulties))
    return problems.prompt, problems.answer


def whole(policy, batch):
    """The loss as its docstring says, of all rows at once."""
    prompts, completions = batch
    mask = completions != vocab.PAD
    logprob = sampling.completion_logprob(policy, prompts, completions)
    return -(logprob * mask).sum() / jnp.maximum(mask.sum(), 1)


def grads_of(loss):
    return jax.jit(jax.value_and_grad(loss))


def assert_same(one, other):
    """Bit by bit."""
    jax.tree.map(np.testing.assert_array_equal, one, other)


@pytest.mark.parametrize(
    "difficulties",
    [
        [1, 6, 2, 3, 1, 5, 4],
        *(pytest.param(x, marks=pytest.mark.slow) for x in ([1, 1, 1], [6, 6, 6, 6], [2])),
    ],
)
def test_the_loss_is_that_of_all_rows_at_once(policy, difficulties):
    batch = batch_of(difficulties)
    value, grads = grads_of(training.cross_entropy)(policy, batch)
    expected_value, expected = grads_of(whole)(policy, batch)
    np.testing.assert_allclose(value, expected_value, rtol=1e-5)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=1e-5), grads, expected)
    assert max(jax.tree.leaves(jax.tree.map(lambda x: abs(x).max(), grads))) > 0.01
    # The value alone takes another way.
    np.testing.assert_allclose(training.cross_entropy(policy, batch), expected_value, rtol=1e-5)


def test_no_member_depends_on_the_others(policy):
    """Beside one of long rows, one of short ones, and one with none at all."""
    mine = batch_of([1, 6, 2, 3, 1, 5, 4])
    alone = jax.jit(jax.vmap(jax.value_and_grad(training.cross_entropy), (None, 0)))
    empty = jax.tree.map(lambda x: jnp.full_like(x, vocab.PAD), mine)
    found = []
    for other in (batch_of([6] * 7, 1), batch_of([1] * 7, 2), empty, mine):
        pair = jax.tree.map(lambda x, y: jnp.stack([x, y]), mine, other)
        found.append(jax.tree.map(lambda x: x[0], alone(policy, pair)))
    for one in found[1:]:
        assert_same(one, found[0])


def test_rows_of_nothing_have_no_gradient(policy):
    empty = jax.tree.map(lambda x: jnp.full_like(x, vocab.PAD), batch_of([1] * 4))
    value, grads = grads_of(training.cross_entropy)(policy, empty)
    assert value == 0
    assert_same(grads, jax.tree.map(jnp.zeros_like, grads))


@pytest.mark.parametrize(
    "difficulties, columns",
    [
        ([1] * 3, [8]),  # 3 and 3 tokens
        ([2] * 3, [15]),  # 5 and 4: more than a third of 8
        ([6] * 3, [21]),
        ([1, 6, 1], [21]),  # one long row makes its piece wide
        ([6, 1, 3, 1, 3, 1], [8, 21]),
        ([6, 1, 3, 1, 3, 1, 3], [8, 15, 21]),  # 7 rows and 2 of PAD: pieces of 3
        ([1] * 9, [8, 8, 8]),
    ],
)
def test_columns_that_are_computed(difficulties, columns):
    """By hand: the sizes are 5 + 3, 9 + 6 and 13 + 8."""
    seen = []

    def function(rows):
        jax.debug.callback(lambda x: seen.append(int(x)), rows.tokens.shape[1])
        return rows.weight.sum()

    prompts, completions = batch_of(difficulties)
    rows = rows_of(prompts, completions, sampling.completion_mask(completions).astype(float))
    with jax.disable_jit():
        total = padding.sum_over_rows(function, rows)
    assert total == rows.weight.sum()
    assert seen == columns


@pytest.mark.parametrize("prompt_cols, completion_cols", [(0, 1), (37, 20), (81, 42), (401, 202)])
def test_sizes_ascend_to_the_whole(monkeypatch, prompt_cols, completion_cols):
    monkeypatch.undo()
    sizes = padding.sizes_of(prompt_cols, completion_cols)
    assert sizes[-1] == (prompt_cols, completion_cols) and len(sizes) <= padding.MOST
    totals = [sum(size) for size in sizes]
    assert all(b - a >= padding.STEP - 2 for a, b in zip(totals, totals[1:], strict=False))
    assert (len(sizes) == 1) == (prompt_cols + completion_cols < 2 * padding.STEP)
