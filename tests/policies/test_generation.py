"""Generation by pieces of rows and blocks of columns; loops that members share."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import vocab
from avax.models import buffers, transformer
from avax.models.transformer import TransformerConfig
from avax.policies import generation, pieces
from avax.tasks import Addition

TASK = Addition(max_difficulty=8)
C, K = 5, 2


@pytest.fixture(scope="module")
def policy():
    """It ends some completions, and not others."""
    policy = transformer.init(jax.random.key(1), TransformerConfig(num_layers=2, width=16))
    return policy.replace(head=policy.head.at[:, vocab.EOS].set(3 * policy.head[:, 30]))


def prompts_of(*difficulties: int) -> jax.Array:
    keys = jax.random.split(jax.random.key(2), len(difficulties))
    return jax.vmap(TASK.sample)(keys, jnp.array(difficulties)).prompt


def generate(policy, prompts):
    return generation.generate(jax.random.key(0), policy, prompts, C, K, 0.7)


@pytest.fixture(scope="module")
def whole(policy):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "NUM_ROWS", 100)
        patch.setattr(generation, "BLOCK", 100)
        return jax.jit(generate)(policy, prompts_of(3, 8, 1, 3, 5, 1, 8))


@pytest.mark.parametrize("num_rows, block", [(1, 100), (3, 4), (7, 5)])
def test_pieces_and_blocks_change_nothing(policy, whole, monkeypatch, num_rows, block):
    """Neither divides the number of rows or of columns."""
    monkeypatch.setattr(generation, "NUM_ROWS", num_rows * K)
    monkeypatch.setattr(generation, "BLOCK", block)
    found = jax.jit(lambda *args: generate(*args))(policy, prompts_of(3, 8, 1, 3, 5, 1, 8))
    np.testing.assert_array_equal(found.completion, whole.completion)
    np.testing.assert_array_equal(found.mask, whole.mask)
    np.testing.assert_allclose(found.logprob, whole.logprob, atol=1e-5)
    assert 0 < (~whole.mask).sum() < whole.mask.size  # some end, some don't


def test_no_member_depends_on_the_others(policy, monkeypatch):
    """Bit for bit, though those with longer prompts take more steps."""
    monkeypatch.setattr(generation, "NUM_ROWS", 2 * K)
    short, long = prompts_of(1, 2, 1), prompts_of(8, 3, 8)
    ends_at_once = policy.replace(head=policy.head.at[:, vocab.EOS].set(100 * policy.head[:, 30]))
    policies = jax.tree.map(lambda *x: jnp.stack(x), ends_at_once, policy)
    twins = jax.tree.map(lambda *x: jnp.stack(x), ends_at_once, ends_at_once)
    many = jax.jit(jax.vmap(generate))
    one = jax.tree.map(lambda x: x[0], many(policies, jnp.stack([short, long])))
    other = jax.tree.map(lambda x: x[0], many(twins, jnp.stack([short, short])))
    jax.tree.map(np.testing.assert_array_equal, one, other)


class Ender:
    """A policy that says EOS, and writes down how many columns it reads."""

    def __init__(self):
        self.reads = []

    def init_cache(self, batch, max_len):
        return jnp.zeros((batch, max_len))

    def __call__(self, tokens, cache=None, pos=0, start=0):
        self.reads.append(tokens.shape[1])
        shape = (len(tokens), tokens.shape[1] - start)
        return jnp.broadcast_to(
            10.0 * jax.nn.one_hot(vocab.EOS, vocab.VOCAB_SIZE), (*shape, vocab.VOCAB_SIZE)
        ), cache


@pytest.mark.parametrize("difficulty, num_blocks", [(1, 1), (2, 1), (3, 2), (8, 3)])
def test_pad_is_not_read_nor_anything_behind_the_last_eos(monkeypatch, difficulty, num_blocks):
    """All but the last of 2 d + 2 tokens of a prompt in blocks of 6; then that one: EOS follows."""
    monkeypatch.setattr(generation, "BLOCK", 6)
    policy = Ender()
    with jax.disable_jit():
        found = generate(policy, prompts_of(1, difficulty))
    assert policy.reads == [6] * num_blocks + [1]
    assert (found.completion[..., 0] == vocab.EOS).all() and (found.mask.sum(-1) == 1).all()


def test_most_is_one_number_for_all_members():
    x = jnp.array([[3, 1, 4], [1, 5, 2]])
    assert jax.vmap(jax.vmap(pieces.most))(x).tolist() == [[5] * 3] * 2
    assert int(pieces.most(x[0, 0])) == 3

    def count(n):
        return jax.lax.fori_loop(0, pieces.most(n), lambda i, total: total + 1, 0)

    assert jax.jit(jax.vmap(jax.vmap(count)))(x).tolist() == [[5] * 3] * 2


def test_rows_keep_their_order(monkeypatch):
    """Of any number and any lengths, in pieces of any size."""
    random = np.random.default_rng(0)
    for total in (1, 4, 7):
        length = jnp.asarray(random.integers(0, 3, total))
        order = sorted(range(total), key=lambda i, length=length: (int(length[i]), i))
        rank = pieces.rank_of(length)
        assert [int(rank[i]) for i in order] == list(range(total))
        rows = {"x": jnp.arange(total), "y": length}
        for size in {1, 3, total}:
            found = pieces.by_pieces(lambda r: (r["x"] * 10 + r["y"], r["x"]), rows, length, size)
            np.testing.assert_array_equal(found[0], rows["x"] * 10 + length)
            np.testing.assert_array_equal(found[1], rows["x"])


@pytest.mark.parametrize("batched", [(0, 0, None), (0, None, None), (None, 0, None), (0, 0, 0)])
def test_rows_are_written_as_vmap_would_write_them(batched):
    """But by no scatter where all members write at one place, which copies the buffer."""
    random, shapes = np.random.default_rng(0), ((2, 5, 3), (2, 2, 3), ())
    arguments = [
        jnp.asarray(random.integers(0, 9, shape if axis is None else (4, *shape)) % 4)
        for axis, shape in zip(batched, shapes, strict=True)
    ]

    def plain(buffer, rows, pos):
        return jax.lax.dynamic_update_slice_in_dim(buffer, rows, pos, 1)

    def twice(function):
        return jax.vmap(jax.vmap(function, batched), (0, 0, None))

    arguments = [jnp.stack([x, x + 1]) for x in arguments[:2]] + arguments[2:]
    write = jax.jit(twice(lambda *args: buffers.write(*args, 1)))
    np.testing.assert_array_equal(write(*arguments), twice(plain)(*arguments))
    assert ("scatter" in write.lower(*arguments).as_text()) == (batched[2] == 0)
