"""Generating completions with a cache, and what a policy thinks of given ones."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from avax import pieces, vocab
from avax.types import (
    PROBLEMS,
    Grade,
    Integer,
    Key,
    Policy,
    Problem,
    Rollout,
    Scalar,
    Source,
    State,
    Verdict,
    Verifier,
)

BLOCK = 8  # tokens of a prompt that are read at once, at least
# Bytes of keys and values of completions that are generated together on a CPU. At width 64 all of
# 512 short ones at once take 1.4 times as long, all of 128 with 100 digits twice as long.
CACHE_SIZE = 2**21


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

    like = jax.eval_shape(lambda: policy.init_cache(num_samples, prompts.shape[1] + completion_len))
    row_size = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(like))
    length = (prompts != vocab.PAD).sum(-1)
    num_rows = max(1, CACHE_SIZE // row_size)
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
    prompts, width = in_blocks(prompts)
    first, cache = prefill(policy, prompts, width, completion_len)
    first, cache = jax.tree.map(lambda x: jnp.repeat(x, num_samples, axis=0), (first, cache))
    prompt_len = prompts.shape[1]
    uniform = uniform.swapaxes(0, 1).reshape(completion_len, -1)

    def choose_next(i, logits, ended, rows):
        token, logprob = choose(logits, uniform[i], temperature)
        token = jnp.where(ended, vocab.PAD, token)
        row = token, ~ended, jnp.where(ended, 0.0, logprob)
        return token, jax.tree.map(lambda all_, x: all_.at[:, i].set(x), rows, row)

    def goes_on(carry):
        i, _, _, ended, _ = carry
        return (i < completion_len - 1) & (pieces.most((~ended).any().astype(jnp.int32)) == 1)

    def step(carry):
        i, logits, cache, ended, rows = carry
        token, rows = choose_next(i, logits, ended, rows)
        logits, cache = policy(token[:, None], cache, prompt_len + i)
        return i + 1, logits[:, 0], cache, ended | (token == vocab.EOS), rows

    shape, ended = (num_problems * num_samples, completion_len), jnp.zeros(len(first), bool)
    rows = jnp.full(shape, vocab.PAD), jnp.zeros(shape, bool), jnp.zeros(shape)
    _, logits, _, ended, rows = jax.lax.while_loop(goes_on, step, (0, first, cache, ended, rows))
    # The last token is chosen but need not be read.
    _, rows = choose_next(completion_len - 1, logits, ended, rows)
    return jax.tree.map(lambda x: x.reshape(num_problems, num_samples, -1), rows)


def prefill(policy: Policy, prompts: Array, width: int, completion_len: int) -> tuple[Array, Any]:
    """Logits f32[B, V] behind the prompts i32[B, P], and a cache with room for completions.

    Reads `width` columns at a time, a divisor of P, and skips those that are PAD in all prompts,
    under `vmap` in those of all members.
    """
    num_prompts, prompt_len = prompts.shape
    longest = prompt_len - (prompts != vocab.PAD).any(0).argmax()
    num_blocks = prompt_len // width

    def read(i, carry):
        tokens = jax.lax.dynamic_slice_in_dim(prompts, i * width, width, axis=1)
        logits, cache = policy(tokens, carry[1], i * width, width - 1)
        return logits[:, 0], cache

    cache = policy.init_cache(num_prompts, prompt_len + completion_len)
    start = jnp.zeros((num_prompts, vocab.VOCAB_SIZE)), cache
    skipped = num_blocks - pieces.most(-(-longest // width))
    return jax.lax.fori_loop(skipped, num_blocks, read, start)


def in_blocks(prompts: Array) -> tuple[Array, int]:
    """Prompts i32[B, P] behind some more PAD, and the number of columns that divides them."""
    num_blocks = max(1, prompts.shape[1] // BLOCK)
    width = -(-prompts.shape[1] // num_blocks)
    more = num_blocks * width - prompts.shape[1]
    return jnp.pad(prompts, ((0, 0), (more, 0)), constant_values=vocab.PAD), width


def collect(
    key: Key,
    source: Source,
    policy: Policy,
    num_problems: int,
    num_samples: int,
    temperature: Scalar,
) -> tuple[Problem, Rollout, Verdict]:
    """A round's data: problems, completions of each, and what the filter says; leading axis B."""
    key_problems, key_sample, key_judge = jax.random.split(key, 3)
    problems = jax.vmap(source.draw)(jax.random.split(key_problems, num_problems))
    completion_len = problems.answer.shape[-1]
    rollouts = generate(
        key_sample, policy, problems.prompt, completion_len, num_samples, temperature
    )
    return problems, *source.judge(key_judge, policy, problems, rollouts)


def verify(
    verifier: Verifier, key: Key, state: State, policy: Policy, rollouts: Rollout, grades: Grade
) -> Verdict:
    """What a verifier says of B rollouts; it sees the truth only if it declares its use."""
    seen = grades if verifier.uses_ground_truth else None
    keys = jax.random.split(key, rollouts.prompt.shape[0])
    return jax.vmap(
        lambda key, rollout, grade: verifier.verify(key, state, policy, rollout, grade),
        axis_name=PROBLEMS,
    )(keys, rollouts, seen)


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


def uniform_integer(key: Key, low: Integer, high: Integer) -> Array:
    """i32[]: an integer of [low, high], all equally likely; compiles faster than randint."""
    span = jnp.asarray(high - low + 1, jnp.float32)
    return low + (jax.random.uniform(key) * span).astype(jnp.int32)


def draw_row(uniform: Array, allowed: Array) -> Array:
    """i32[...]: for each uniform number in [0, 1) an index into `allowed` (any shape, flattened).

    All allowed rows are equally likely. Where none is allowed the index is 0.
    """
    # Not by sorting: a program that sorts can't be kept in the compile cache of a CPU.
    count = jnp.cumsum(allowed.reshape(-1))
    rank = jnp.minimum((uniform * count[-1]).astype(jnp.int32), count[-1] - 1)
    return jnp.searchsorted(count, rank, side="right").astype(jnp.int32)


def completion_logits(policy: Policy, prompts: Array, completions: Array) -> Array:
    """f32[B, C, V]: logits of each token of completions i32[B, C] given what stands before it."""
    tokens = jnp.concatenate([prompts, completions[:, :-1]], axis=1)
    return policy(tokens, None, 0, prompts.shape[1] - 1)[0]


def completion_logprob(
    policy: Policy, prompts: Array, completions: Array, temperature: Scalar = 1.0
) -> Array:
    """f32[B, C]: log-probability of each token of completions i32[B, C]; temperature > 0."""
    logits = completion_logits(policy, prompts, completions) / temperature
    chosen = jax.nn.one_hot(completions, logits.shape[-1])
    return (jax.nn.log_softmax(logits) * chosen).sum(-1)


def total_logprob(policy: Policy, prompt: Array, completions: Array) -> Array:
    """f32[K]: log-probability of whole completions i32[K, C] of one prompt i32[P], EOS included.

    -inf of a completion that holds no token.
    """
    prompts = jnp.broadcast_to(prompt, (completions.shape[0], *prompt.shape))
    mask = completion_mask(completions)
    logprob = completion_logprob(policy, prompts, completions)
    return jnp.where(mask.any(-1), jnp.where(mask, logprob, 0.0).sum(-1), -jnp.inf)


def completion_mask(completion: Array) -> Array:
    """bool[..., C]: True up to and including EOS; behind it stands PAD, and nowhere else."""
    return completion != vocab.PAD


def greedy_correct(policy: Policy, prompts: Array, answers: Array) -> Array:
    """bool[B]: whether greedy decoding gives exactly the answers i32[B, C].

    One forward pass instead of a decode: the greedy completion is the answer if and only if every
    token of the answer is the most likely one after the tokens before it.
    """
    hit = completion_logits(policy, prompts, answers).argmax(-1) == answers
    return (hit | ~completion_mask(answers)).all(-1)
