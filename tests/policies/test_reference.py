"""A training step, against one written down as the papers have it: no trick, one loop per thing."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import vocab
from avax.models import transformer
from avax.models.transformer import TransformerConfig
from avax.policies import packing, padding, training
from avax.tasks import Addition

TASK = Addition(max_difficulty=3)


def plain_positions(tokens):
    """Index within the number (0 for what is no digit) and separators before, token by token."""
    index, segment, run, separators = [], [], 0, 0
    for token in tokens:
        is_digit = token < 10
        run = run + 1 if is_digit else run
        index.append(run if is_digit else 0)
        segment.append(min(separators, 7))
        if not is_digit and token != vocab.PAD:
            run, separators = 0, separators + 1
    return np.array(index), np.array(segment)


def plain_norm(x, scale):
    return x / jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * scale[None]


def plain_rotate(x, index, base):
    """Pairs (i, i + E/2) of x [T, E] turned by index x base^(-i / (E/2))."""
    half = x.shape[-1] // 2
    angle = index[:, None] * base ** (-np.arange(half) / half)[None]
    a, b = x[:, :half], x[:, half:]
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], axis=1)


def plain_logits(policy, tokens):
    """Logits [T, V] of one sequence of tokens: all of them, in every layer."""
    config = policy.config
    index, segment = plain_positions(tokens)
    x = policy.embed[tokens] + policy.position_embed[segment]
    size = config.width // config.num_heads
    at = np.arange(len(tokens))
    seen = (at[None] < at[:, None]) & (tokens != vocab.PAD)[None] | (at[None] == at[:, None])
    for block in policy.blocks:
        hidden = plain_norm(x, block.norm_attention)
        q, k, v = jnp.split(hidden @ block.qkv, 3, axis=1)
        heads = []
        for h in range(config.num_heads):
            part = slice(h * size, (h + 1) * size)
            query = plain_rotate(q[:, part], index, config.rotary_base)
            key = plain_rotate(k[:, part], index, config.rotary_base)
            scores = jnp.where(seen, query @ key.T / np.sqrt(size), -jnp.inf)
            sink = jnp.full((len(tokens), 1), block.sink[h])
            weights = jax.nn.softmax(jnp.concatenate([scores, sink], axis=1))[:, :-1]
            heads.append(weights @ v[:, part])
        x = x + jnp.concatenate(heads, axis=1) @ block.out
        hidden = plain_norm(x, block.norm_perceptron)
        x = x + jnp.maximum(hidden @ block.up, 0) @ block.down
    logits = plain_norm(x, policy.norm) @ policy.head
    return jnp.where((np.arange(vocab.VOCAB_SIZE) == vocab.PAD)[None], -1e9, logits)


def plain_loss(policy, prompts, completions):
    """Mean over all completion tokens up to EOS of minus the log-probability."""
    losses = []
    for prompt, completion in zip(prompts, completions, strict=True):
        logits = plain_logits(policy, np.concatenate([prompt, completion]))
        for i, token in enumerate(completion):
            if token != vocab.PAD:
                losses.append(-jax.nn.log_softmax(logits[len(prompt) + i - 1])[token])
    return jnp.stack(losses).mean()


def plain_adam(policy, grads, rate, max_norm):
    """The first step of Adam after clipping: m and v are unbiased, so m / sqrt(v) is g / |g|."""
    norm = jnp.sqrt(sum((g**2).sum() for g in jax.tree.leaves(grads)))
    scale = jnp.minimum(1.0, max_norm / norm)

    def step(p, g):
        return p - rate * scale * g / (jnp.abs(scale * g) + 1e-8)

    return jax.tree.map(step, policy, grads)


@pytest.mark.parametrize(
    "num_layers, num_heads, width, difficulties, num_rows",
    [
        (1, 2, 16, (1, 3), 2),
        (2, 1, 16, (1, 3), 2),
        (2, 1, 16, (1, 2), 1),
        pytest.param(1, 2, 48, (1, 2), 1, marks=pytest.mark.slow),
        pytest.param(2, 1, 48, (1, 3), 2, marks=pytest.mark.slow),
    ],
)
def test_a_step_is_that_of_the_plain_implementation(
    monkeypatch, num_layers, num_heads, width, difficulties, num_rows
):
    """With both sequences in one row and in two; with a first layer that multiplies the table of
    embeddings by its weights, too: one wider than the table has rows.
    """
    if num_rows == 1:
        monkeypatch.setattr(padding, "MIN_BATCH", 2)
    config = TransformerConfig(num_layers, num_heads, width, rotary_base=10.0)
    policy = transformer.init(jax.random.key(0), config)
    keys = jax.random.split(jax.random.key(1), 2)
    problems = jax.vmap(TASK.sample)(keys, jnp.array(difficulties))
    batch = problems.prompt, problems.answer
    packed = packing.pack(packing.rows_of(*batch, jnp.ones(problems.answer.shape)))
    assert (packed.target != vocab.PAD).any(1).sum() == num_rows

    prompts, completions = map(np.asarray, batch)
    plain = jax.jit(lambda policy: plain_loss(policy, prompts, completions))
    value, grads = jax.value_and_grad(plain)(policy)
    expected = plain_adam(policy, grads, 1e-3, 1.0)

    transform = training.optimizer(1e-3, 1.0)
    batches = jax.tree.map(lambda x: x[None], batch)
    trained = jax.jit(
        lambda p, b: training.update_on(training.cross_entropy, transform, p, transform.init(p), b)
    )(policy, batches)
    np.testing.assert_allclose(trained.loss[0], value, rtol=1e-5)
    moved = jax.tree.map(lambda new, old: jnp.abs(new - old).max(), expected, policy)
    assert min(jax.tree.leaves(moved.blocks)) > 1e-4
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), trained.policy, expected)
