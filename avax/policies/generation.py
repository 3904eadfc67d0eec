"""Generating completions with a cache."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from avax import vocab
from avax.policies import pieces
from avax.types import Key, Policy, Rollout, Scalar

BLOCK = 8  # tokens of a prompt that are read at once, at most
# Completions that are generated together on a CPU: about as long as each other, and in its caches.
# At width 64 all of 512 short ones at once take 1.7 times as long, all of 128 with 100 digits 1.4.
NUM_ROWS = 32


def generate(
    key: Key,
    policy: Policy,
    prompts: Array,
    completion_len: int,
    num_samples: int,
    temperature: Scalar,
) -> Rollout:
    """Samples `num_samples` completions of each prompt i32[B, P].

    An ensemble stays in step: all members decode until the last completion of a piece ends. The K
    samples of a prompt share its prefill. Temperature 0 is greedy.

    Returns:
      Rollout with leading axis B. Its logprob is that of the tempered distribution sampled from
      (of the policy itself where temperature is 0).
    """
    num_problems = prompts.shape[0]
    uniform = jax.random.uniform(key, (completion_len, num_problems * num_samples))
    uniform = uniform.reshape(completion_len, num_problems, num_samples).swapaxes(0, 1)

    def some(rows):
        return decode(policy, *rows, temperature)

    length = (prompts != vocab.PAD).sum(-1)
    num_rows = max(1, NUM_ROWS // num_samples)
    return Rollout(prompts, *pieces.by_pieces(some, (prompts, uniform), length, num_rows))


def decode(
    policy: Policy, prompts: Array, uniform: Array, temperature: Scalar
) -> tuple[Array, Array, Array]:
    """Completions i32[B, K, C] of prompts i32[B, P], their masks and log-probabilities.

    Ends when all completions have; under `vmap` those of all members.

    Args:
      uniform: f32[B, C, K] in [0, 1), decides what is sampled.
    """
    num_problems, completion_len, num_samples = uniform.shape
    # The first completion token is chosen like all others: by reading the one before it.
    head, token = prompts[:, :-1], prompts[:, -1]
    cache, pos = prefill(policy, head, completion_len)
    token, cache = jax.tree.map(lambda x: jnp.repeat(x, num_samples, axis=0), (token, cache))
    uniform = uniform.swapaxes(0, 1).reshape(completion_len, -1)

    def goes_on(carry):
        i, _, _, ended, _ = carry
        return (i < completion_len) & (pieces.most((~ended).any().astype(jnp.int32)) == 1)

    def step(carry):
        i, token, cache, ended, rows = carry
        logits, cache = policy(token[:, None], cache, pos + i)
        token, logprob = choose(logits[:, 0], uniform[i], temperature)
        token = jnp.where(ended, vocab.PAD, token)
        row = token, ~ended, jnp.where(ended, 0.0, logprob)
        rows = jax.tree.map(lambda all_, x: all_.at[:, i].set(x), rows, row)
        return i + 1, token, cache, ended | (token == vocab.EOS), rows

    shape, ended = (len(token), completion_len), jnp.zeros(len(token), bool)
    rows = jnp.full(shape, vocab.PAD), jnp.zeros(shape, bool), jnp.zeros(shape)
    *_, rows = jax.lax.while_loop(goes_on, step, (0, token, cache, ended, rows))
    return jax.tree.map(lambda x: x.reshape(num_problems, num_samples, -1), rows)


def prefill(policy: Policy, prompts: Array, completion_len: int) -> tuple[Any, int]:
    """A cache of what stands in prompts i32[B, P], with room for completions, and where they start.

    Reads a block of columns at a time, and skips those that are PAD in all prompts, under `vmap` in
    those of all members.
    """
    prompts, width = in_blocks(prompts)
    num_prompts, prompt_len = prompts.shape
    longest = prompt_len - (prompts != vocab.PAD).any(0).argmax()
    num_blocks = prompt_len // width

    def read(i, cache):
        tokens = jax.lax.dynamic_slice_in_dim(prompts, i * width, width, axis=1)
        return policy(tokens, cache, i * width, width)[1]  # no logits

    cache = policy.init_cache(num_prompts, prompt_len + completion_len)
    skipped = num_blocks - pieces.most(-(-longest // width))
    return jax.lax.fori_loop(skipped, num_blocks, read, cache), prompt_len


def in_blocks(prompts: Array) -> tuple[Array, int]:
    """Prompts i32[B, P] behind some more PAD, and the number of columns that divides them."""
    num_blocks = max(1, -(-prompts.shape[1] // BLOCK))
    width = max(1, -(-prompts.shape[1] // num_blocks))
    more = num_blocks * width - prompts.shape[1]
    return jnp.pad(prompts, ((0, 0), (more, 0)), constant_values=vocab.PAD), width


def choose(logits: Array, uniform: Array, temperature: Scalar) -> tuple[Array, Array]:
    """A token i32[B] of each row of logits f32[B, V], and its log-probability f32[B].

    Greedy where temperature is 0; `uniform` in [0, 1) f32[B] decides otherwise.
    """
    greedy = jnp.asarray(temperature) == 0
    logprobs = jax.nn.log_softmax(logits / jnp.where(greedy, 1.0, temperature))
    # A sum, not a layer: accelerators round the operands of ordinary products.
    triangle = jnp.tri(logits.shape[-1]).T
    cumulative = jnp.matmul(jnp.exp(logprobs), triangle, precision="highest")
    sampled = (cumulative <= uniform[:, None] * cumulative[:, -1:]).sum(-1)
    token = jnp.where(greedy, logits.argmax(-1), sampled).astype(jnp.int32)
    return token, jnp.take_along_axis(logprobs, token[:, None], axis=-1)[:, 0]
