"""Simplifies sums step by step, and guesses after each step what is left of them."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax import vocab
from avax.policies import generation, sampling, training
from avax.types import Policy, Rollout

STEP_LEN = 3  # tokens of a step: a digit, an operator, EOS


def simplify_then_guess(
    policy: Policy, prompts: Array, completion_len: int, num_guesses: int
) -> tuple[Rollout, Array, Array]:
    """K candidates for each problem i32[B, P], the first steps i32[B, C] as they were written, and
    whether all steps of each candidate were right, bool[B, K].

    Candidate k is made of the digits that k steps split off and the guess of what was left then.
    Its logprob is the policy's own, for the candidate as a direct answer: it sampled no such thing.
    """
    num_problems = prompts.shape[0]

    def greedy(prompts, length):
        key = jax.random.key(0)  # decides nothing
        return generation.generate(key, policy, prompts, length, 1, 0.0).completion[:, 0]

    def simplify(carry, _):
        reached, all_right = carry
        written = greedy(ask_step(reached.prompt), STEP_LEN)
        is_right = (written == jax.vmap(true_step)(reached.prompt)).all(-1)
        all_right = all_right & (is_right | is_shortest(reached.prompt))
        reached = jax.vmap(advance)(reached, written)
        return (reached, all_right), (reached, written, all_right)

    start = Reached(
        prompts,
        jnp.full((num_problems, completion_len), vocab.PAD),
        jnp.zeros((num_problems,), jnp.int32),
        jnp.ones((num_problems,), bool),
    )
    carry = start, start.is_readable
    reached, written, all_right = jax.lax.scan(simplify, carry, length=num_guesses)[1]
    left = reached.prompt.reshape(num_guesses * num_problems, -1)
    guesses = greedy(left, completion_len)
    guesses = guesses.reshape(num_guesses, num_problems, completion_len)
    candidates = jnp.swapaxes(jax.vmap(jax.vmap(join))(reached, guesses), 0, 1)
    flat = candidates.reshape(-1, completion_len)
    logprob = sampling.completion_logprob(policy, jnp.repeat(prompts, num_guesses, axis=0), flat)
    mask = sampling.completion_mask(candidates)
    logprob = jnp.where(mask, logprob.reshape(mask.shape), 0.0)
    steps = start.lowest.at[:, :STEP_LEN].set(written[0])
    return Rollout(prompts, candidates, mask, logprob), steps, all_right.T


class Reached(NamedTuple):
    """How far a problem was simplified."""

    prompt: Array  # i32[P], asks for the sum of what is left
    lowest: Array  # i32[C], digits of the sum that were split off, PAD after them
    count: Array  # i32[], how many
    is_readable: Array  # bool[], whether every step could be read


def advance(reached: Reached, step: Array) -> Reached:
    """One step i32[STEP_LEN] further. Nothing moves at one digit, or from an unreadable step on."""
    ends = is_shortest(reached.prompt)
    is_readable = reached.is_readable & (can_read(step) | ends)
    here = jnp.arange(reached.lowest.shape[0]) == reached.count
    further = Reached(
        shortened(reached.prompt, step[1]),
        jnp.where(here, step[0], reached.lowest),
        reached.count + 1,
        is_readable,
    )
    stay = reached._replace(is_readable=is_readable)
    return training.where_tree(is_readable & ~ends, further, stay)


def true_step(prompt: Array) -> Array:
    """i32[STEP_LEN]: the right step for a prompt i32[P]."""
    start, middle = (prompt == vocab.PAD).sum(), vocab.is_operator(prompt).argmax()
    total = prompt[start] + prompt[middle + 1] + (prompt[middle] == vocab.PLUS_ONE)
    left = jnp.where(total >= 10, vocab.PLUS_ONE, vocab.PLUS)
    return jnp.stack([total % 10, left, jnp.full_like(left, vocab.EOS)])


def can_read(step: Array) -> Array:
    """bool[]: whether a step i32[STEP_LEN] is a digit, `+` or `&`, and EOS, right or wrong."""
    is_plus = (step[1] == vocab.PLUS) | (step[1] == vocab.PLUS_ONE)
    return vocab.is_digit(step[0]) & is_plus & (step[2] == vocab.EOS)


def shortened(prompt: Array, operator: Array) -> Array:
    """i32[P]: `x+y=` of `a+b=`, x and y without the first digits of a and b, another operator."""
    index = jnp.arange(prompt.shape[0])
    start, middle = (prompt == vocab.PAD).sum(), vocab.is_operator(prompt).argmax()
    # y keeps its place, right behind the digit that goes; x moves up by one.
    moved = jnp.where(index > start + 1, prompt[jnp.maximum(index - 1, 0)], vocab.PAD)
    moved = jnp.where(index == middle + 1, operator, moved)
    return jnp.where(index > middle + 1, prompt, moved)


def join(reached: Reached, guess: Array) -> Array:
    """i32[C]: the digits split off, then the guess of the rest; empty behind an unreadable step."""
    index = jnp.arange(guess.shape[0])
    rest = guess[jnp.maximum(index - reached.count, 0)]
    joined = jnp.where(index < reached.count, reached.lowest, rest)
    return jnp.where(reached.is_readable, joined, vocab.PAD)


def ask_step(prompts: Array) -> Array:
    """i32[..., P]: the prompts that ask for a simplification."""
    return prompts.at[..., -1].set(vocab.STEP)


def is_shortest(prompts: Array) -> Array:
    """bool[...]: whether the operands have one digit each."""
    return vocab.is_digit(prompts).sum(-1) <= 2
