"""Generating completions with a cache, and what a policy thinks of given ones."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import vocab
from avax.types import Key, Policy, Rollout, Scalar


def generate(
    key: Key, policy: Policy, prompts: Array, completion_len: int, num_samples: int, temperature: Scalar
) -> Rollout:
    """Samples `num_samples` completions of each prompt i32[B, P].

    Decodes a fixed number of tokens with masks, so that an ensemble stays in step; the K samples
    of a prompt share its prefill. Temperature 0 is greedy.

    Returns:
      Rollout with leading axis B. Its logprob is that of the tempered distribution sampled from
      (of the policy itself where temperature is 0).
    """
    num_problems, prompt_len = prompts.shape
    batch = num_problems * num_samples
    cache = policy.init_cache(prompt_len + completion_len)
    logits, cache = jax.vmap(lambda p: policy(p, cache, 0, prompt_len - 1))(prompts)
    logits, cache = jax.tree.map(lambda x: jnp.repeat(x, num_samples, axis=0), (logits[:, -1], cache))
    # One uniform per token, drawn at once, and the inverse of the cumulative distribution: one
    # random number instead of one per entry of the vocabulary.
    uniform = jax.random.uniform(key, (completion_len, batch))

    def step(carry, inputs):
        logits, cache, ended = carry
        pos, u = inputs
        token, logprob = choose(logits, u, temperature)
        token = jnp.where(ended, vocab.PAD, token)
        out = token, ~ended, jnp.where(ended, 0.0, logprob)
        logits, cache = jax.vmap(lambda t, c: policy(t[None], c, pos))(token, cache)
        return (logits[:, 0], cache, ended | (token == vocab.EOS)), out

    # The last token is chosen but need not be read.
    steps = (prompt_len + jnp.arange(completion_len - 1), uniform[:-1])
    carry, out = jax.lax.scan(step, (logits, cache, jnp.zeros(batch, bool)), steps)
    logits, _, ended = carry
    token, logprob = choose(logits, uniform[-1], temperature)
    last = jnp.where(ended, vocab.PAD, token), ~ended, jnp.where(ended, 0.0, logprob)

    def gather(rows, final):
        rows = jnp.concatenate([rows, final[None]])
        return rows.T.reshape(num_problems, num_samples, completion_len)

    return Rollout(prompts, *jax.tree.map(gather, out, last))


def choose(logits: Array, uniform: Array, temperature: Scalar) -> tuple[Array, Array]:
    """A token i32[B] of each row of logits f32[B, V], and its log-probability f32[B].

    Greedy where temperature is 0; `uniform` in [0, 1) f32[B] decides otherwise.
    """
    greedy = jnp.asarray(temperature) == 0
    logprobs = jax.nn.log_softmax(logits / jnp.where(greedy, 1.0, temperature))
    cumulative = jnp.cumsum(jnp.exp(logprobs), axis=-1)
    sampled = (cumulative <= uniform[:, None] * cumulative[:, -1:]).sum(-1)
    token = jnp.where(greedy, logits.argmax(-1), sampled).astype(jnp.int32)
    return token, jnp.take_along_axis(logprobs, token[:, None], axis=-1)[:, 0]


def completion_logits(policy: Policy, prompt: Array, completion: Array) -> Array:
    """f32[C, V]: logits of each token of one completion i32[C], given what stands before it."""
    tokens = jnp.concatenate([prompt, completion[:-1]])
    return policy(tokens, None, 0, prompt.shape[0] - 1)[0]


def completion_logprob(policy: Policy, prompt: Array, completion: Array, temperature: Scalar = 1.0) -> Array:
    """f32[C]: log-probability of each token of one completion i32[C] under the tempered policy."""
    logprobs = jax.nn.log_softmax(completion_logits(policy, prompt, completion) / temperature)
    return jnp.take_along_axis(logprobs, completion[:, None], axis=-1)[:, 0]


def completion_mask(completion: Array) -> Array:
    """bool[..., C]: True up to and including the first EOS."""
    ended = jnp.cumsum(completion == vocab.EOS, axis=-1) - (completion == vocab.EOS)
    return ended == 0


def greedy_correct(policy: Policy, prompt: Array, answer: Array) -> Array:
    """bool[]: whether greedy decoding gives exactly `answer` i32[C].

    One forward pass instead of a decode: the greedy completion is the answer if and only if every
    token of the answer is the most likely one after the tokens before it.
    """
    hit = completion_logits(policy, prompt, answer).argmax(-1) == answer
    return (hit | ~completion_mask(answer)).all()
