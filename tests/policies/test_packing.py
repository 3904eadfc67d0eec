"""Two sequences in a row: all of them, once, unchanged, and neither knows of the other."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import vocab
from avax.models import transformer
from avax.models.transformer import SCHEMES, TransformerConfig
from avax.policies import packing, padding, sampling, training
from avax.policies.packing import rows_of
from avax.tasks import Addition

TASK = Addition(max_difficulty=5)  # 11 and 7 columns without a prompt's last
NUM = 9  # sequences


@pytest.fixture(autouse=True)
def always(monkeypatch):
    """Batches of any size are packed, in pieces of 2 or 3 rows."""
    monkeypatch.setattr(padding, "MIN_BATCH", 1)
    monkeypatch.setattr(padding, "NUM_ROWS", 3)


def policy_of(scheme):
    config = TransformerConfig(2, 2, width=8, position=scheme, rotary_base=10.0, max_len=32)
    return transformer.init(jax.random.key(0), config)


def batch_of(difficulties, seed=0):
    """Prompts and completions of true answers; difficulty 0 is a row of PAD."""
    keys = jax.random.split(jax.random.key(seed), len(difficulties))
    difficulties = jnp.asarray(difficulties)
    problems = jax.vmap(TASK.sample)(keys, jnp.maximum(difficulties, 1))
    is_blank = (difficulties == 0)[:, None]
    return tuple(jnp.where(is_blank, vocab.PAD, x) for x in (problems.prompt, problems.answer))


def rows_with_weights(difficulties):
    prompts, completions = batch_of(difficulties)
    weight = jax.random.uniform(jax.random.key(1), completions.shape)
    return rows_of(prompts, completions, jnp.where(completions != vocab.PAD, weight, 0.0))


def whole(policy, batch):
    """The loss as its docstring says, one sequence a row."""
    prompts, completions = batch
    mask = completions != vocab.PAD
    logprob = sampling.completion_logprob(policy, prompts, completions)
    return -(logprob * mask).sum() / jnp.maximum(mask.sum(), 1)


def by_hand(prompts, completions, max_prompt, max_completion):
    """The pairs as the docstring says, one candidate after the other."""
    order = sorted(range(len(prompts)), key=lambda i: -(prompts[i] + completions[i]))
    for num_alone in range(len(order)):
        rows, rest = [[i] for i in order[:num_alone]], order[num_alone:]
        while rest:
            rows.append([rest.pop(0), *([rest.pop()] if rest else [])])
        if all(
            sum(prompts[i] for i in row) <= max_prompt
            and sum(completions[i] for i in row) <= max_completion
            for row in rows
        ):
            return [row for row in rows if completions[row[0]]]
    raise AssertionError("each fits alone")


pairs = jax.jit(packing.pairs, static_argnums=(2, 3))


def test_pairs_are_those_by_hand():
    random = np.random.default_rng(0)
    num_pairs = []
    for _ in range(60):
        prompts, completions = random.integers(0, 9, NUM), random.integers(0, 5, NUM)
        prompts[completions == 0] = 0  # what holds nothing may stand beside anything
        found = [[int(i) for i in row if i >= 0] for row in pairs(prompts, completions, 9, 6)]
        expected = by_hand(prompts.tolist(), completions.tolist(), 9, 6)
        assert found == expected + [[]] * (NUM - len(expected))
        num_pairs.append(sum(len(row) == 2 for row in expected))
    assert set(num_pairs) >= {1, 2, 3, 4}


@pytest.mark.parametrize(
    "prompts, completions, rows",
    [
        ([4, 4, 4, 4], [2, 2, 2, 2], [[0, 3], [1, 2]]),
        ([5, 4, 4], [2, 2, 2], [[0], [1, 2]]),
        ([4, 4, 4], [2, 3, 2], [[1], [0, 2]]),  # the completions are too long
        ([1, 4, 2], [1, 2, 2], [[1, 0], [2]]),
        ([0, 8, 0], [1, 4, 1], [[1, 2], [0]]),  # empty prompts, and an answer of one token
        ([0, 0, 0], [0, 0, 0], []),
    ],
)
def test_pairs(prompts, completions, rows):
    """In rows of 8 and 4 columns, or 8 and 5 where one has an answer of 4."""
    found = pairs(jnp.array(prompts), jnp.array(completions), 8, 5 if max(completions) == 4 else 4)
    assert [[int(i) for i in row if i >= 0] for row in found if row[0] >= 0] == rows


@pytest.mark.parametrize(
    "difficulties, num_rows",
    [
        ([5, 1, 2, 3, 4, 1, 5, 2, 3], 6),  # 5, 5, 4 + 1, 3 + 1, 3 + 2, 2
        ([5] * NUM, 9),  # nothing fits beside 5 digits
        ([2, 3] * 4 + [2], 5),
        ([4, 1] + [0] * 7, 2),  # each beside nothing
        ([0] * NUM, 0),
    ],
)
def test_every_sequence_stands_in_one_row_unchanged(difficulties, num_rows):
    rows = rows_with_weights(difficulties)
    packed = jax.jit(packing.pack)(rows)
    assert packed.tokens.shape == (NUM, rows.tokens.shape[1] + sum(packing.MORE))
    holds = np.asarray((packed.target != vocab.PAD).any(1))
    assert holds.sum() == num_rows and holds[:num_rows].all()
    found = {}
    for tokens, target, weight, sequence in zip(*map(np.asarray, packed), strict=True):
        for i in set(sequence[tokens != vocab.PAD].tolist()):
            mine = (sequence == i) & (tokens != vocab.PAD)
            said = mine[packed.prompt_cols :]
            assert i not in found
            found[i] = tokens[mine].tolist(), target[said].tolist(), weight[said].tolist()
    prompts, completions = (np.asarray(x) for x in batch_of(difficulties))
    for i, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        if difficulties[i] == 0:
            assert i not in found
            continue
        said = completion[completion != vocab.PAD]
        read = np.concatenate([prompt[prompt != vocab.PAD], said[:-1]])
        expected = read.tolist(), said.tolist(), rows.weight[i, : len(said)].tolist()
        assert found[i] == expected
    assert packed.weight.sum() == pytest.approx(float(rows.weight.sum()), rel=1e-6)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_loss_is_that_of_one_sequence_a_row(scheme):
    policy = policy_of(scheme)
    batch = batch_of([5, 1, 2, 3, 4, 1, 0, 2, 3])
    value, grads = jax.jit(jax.value_and_grad(training.cross_entropy))(policy, batch)
    expected_value, expected = jax.jit(jax.value_and_grad(whole))(policy, batch)
    np.testing.assert_allclose(value, expected_value, rtol=1e-5)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=1e-5), grads, expected)
    assert max(jax.tree.leaves(jax.tree.map(lambda x: abs(x).max(), grads))) > 0.01


def test_no_member_depends_on_the_others():
    """Beside one of long sequences, one of short ones, and one with none at all."""
    policy = policy_of("digit")
    mine = batch_of([5, 1, 2, 3, 4, 1, 5, 2, 3])
    both = jax.jit(jax.vmap(jax.value_and_grad(training.cross_entropy), (None, 0)))
    found = []
    for other in (batch_of([5] * NUM, 1), batch_of([1] * NUM, 2), batch_of([0] * NUM), mine):
        pair = jax.tree.map(lambda x, y: jnp.stack([x, y]), mine, other)
        value, grads = both(policy, pair)
        found.append(jax.tree.map(lambda x: x[0], (value, grads)))
        if other is not mine and (other[0] == vocab.PAD).all():
            assert value[1] == 0 and not any(x[1].any() for x in jax.tree.leaves(grads))
    for one in found[1:]:
        jax.tree.map(np.testing.assert_array_equal, one, found[0])


@pytest.mark.parametrize("num_rows, is_packed", [(32, True), (31, False)])
def test_large_batches_of_short_sequences_are_packed(monkeypatch, num_rows, is_packed):
    monkeypatch.undo()
    columns = []

    def function(rows):
        columns.append(rows.tokens.shape[1])
        return rows.weight.sum()

    prompts, completions = batch_of([2] * num_rows)
    rows = rows_of(prompts, completions, jnp.ones(completions.shape))
    jax.eval_shape(lambda rows: padding.sum_over_rows(function, rows), rows)
    assert set(columns) == {18 + (sum(packing.MORE) if is_packed else 0)}
