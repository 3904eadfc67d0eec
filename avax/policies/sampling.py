"""Collecting a round's data, and what a policy thinks of given completions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import checks, optional, vocab
from avax.policies import generation
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
    Task,
    Verdict,
    Verifier,
)


def collect(
    key: Key,
    source: Source,
    policy: Policy,
    num_problems: int,
    num_samples: int,
    temperature: Scalar,
) -> tuple[Problem, Rollout, Verdict]:
    """A round's data: problems, completions of each, and what the filter says; leading axis B.

    Args:
      policy: what is trained; what generates is `source.generator` of it.
    """
    key_problems, key_sample, key_judge = jax.random.split(key, 3)
    problems = jax.vmap(source.draw)(jax.random.split(key_problems, num_problems))
    completion_len, generator = problems.answer.shape[-1], source.generator(policy)
    rollouts = generation.generate(
        key_sample, generator, problems.prompt, completion_len, num_samples, temperature
    )
    return problems, *source.judge(key_judge, generator, problems, rollouts)


def verify(
    verifier: Verifier, key: Key, state: State, policy: Policy, rollouts: Rollout, grades: Grade
) -> Verdict:
    """What a verifier says of B rollouts; it sees the truth only if it declares its use."""
    seen = grades if verifier.uses_ground_truth else None
    keys = jax.random.split(key, rollouts.prompt.shape[0])

    def judge(key, rollout, grade):
        verdict = verifier.verify(key, state, policy, rollout, grade)
        return checks.returned(verifier, "verify", verdict, checks.verdict(rollout))

    return jax.vmap(judge, axis_name=PROBLEMS)(keys, rollouts, seen)


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


def preferred_rows(is_preferred: Array, number: int) -> Array:
    """i32[number]: of rows bool[N] the first that are preferred, then the first of the others."""
    # Not by sorting, as in `draw_row`.
    preferred, others = jnp.cumsum(is_preferred), jnp.cumsum(~is_preferred)
    rank = jnp.arange(1, number + 1)
    rows = jnp.searchsorted(preferred, rank)
    return jnp.where(
        rank <= preferred[-1], rows, jnp.searchsorted(others, rank - preferred[-1])
    ).astype(jnp.int32)


def completion_logits(policy: Policy, prompts: Array, completions: Array) -> Array:
    """f32[B, C, V]: logits of each token of completions i32[B, C] given what stands before it."""
    tokens = jnp.concatenate([prompts, completions[:, :-1]], axis=1)
    return policy(tokens, None, 0, prompts.shape[1] - 1)[0]


def completion_logprob(
    policy: Policy, prompts: Array, completions: Array, temperature: Scalar = 1.0
) -> Array:
    """f32[B, C]: log-probability of each token of completions i32[B, C]; temperature > 0."""
    return token_logprob(completion_logits(policy, prompts, completions) / temperature, completions)


def token_logprob(logits: Array, tokens: Array) -> Array:
    """f32[...]: log-probability of each of tokens i32[...] by logits f32[..., V]."""
    chosen = jax.nn.one_hot(tokens, logits.shape[-1])
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


def greedy_right(policy: Policy, task: Task, problems: Problem) -> Array:
    """bool[B]: whether the greedy completion of each of B problems is right.

    Where a problem may have several right completions it is decoded, and graded by the task, or by
    what that says is exact.
    """
    task = optional.exact(task)
    if optional.has_unique_answer(task):
        return greedy_correct(policy, problems.prompt, problems.answer)
    key = jax.random.key(0)  # decides nothing
    rollouts = generation.generate(key, policy, problems.prompt, task.completion_len, 1, 0.0)

    def grade(problem, completion):
        return checks.returned(task, "grade", task.grade(problem, completion), checks.grade(task))

    return jax.vmap(grade)(problems, rollouts.completion[:, 0]).correct


def share(event: Array, given: Array, axis: tuple[int, ...] | None = None) -> Array:
    """f32: P(event | given) over all entries, or some axes; NaN if `given` never holds."""
    count = given.sum(axis)
    return (event & given).sum(axis) / jnp.where(count > 0, count, jnp.nan)
