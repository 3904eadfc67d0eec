"""What probes share: problems, completions of them, and several verifiers that judge them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax.policies import generation, sampling
from avax.types import (
    Grade,
    Key,
    Metric,
    Policy,
    Problem,
    Rollout,
    Scalar,
    State,
    Subject,
    Verdict,
    Verifier,
)

OWN = "own"  # the run's own verifier, among those that a probe asks


def draw_problems(key: Key, subject: Subject, num_problems: int) -> Problem:
    """B problems of this round."""
    return jax.vmap(subject.draw)(jax.random.split(key, num_problems))


def complete(
    key: Key, policy: Policy, problems: Problem, num_samples: int, temperature: Scalar
) -> Rollout:
    """K completions of each of B problems."""
    completion_len = problems.answer.shape[-1]
    return generation.generate(
        key, policy, problems.prompt, completion_len, num_samples, temperature
    )


def judge_names(verifiers: tuple[Verifier, ...]) -> tuple[str, ...]:
    """Names of the J judges: the run's own verifier, then the class of each of the others.

    Several of one class are numbered.
    """
    kinds = [type(v).__name__ for v in verifiers]
    counts = [kinds[: i + 1].count(kind) for i, kind in enumerate(kinds)]
    numbers = (str(n) if kinds.count(k) > 1 else "" for n, k in zip(counts, kinds, strict=True))
    return (OWN, *(kind + number for kind, number in zip(kinds, numbers, strict=True)))


def init_judges(verifiers: tuple[Verifier, ...], key: Key, bases: Policy) -> tuple:
    """The states of the verifiers that are not the run's own."""
    return tuple(v.init(jax.random.fold_in(key, i), bases) for i, v in enumerate(verifiers))


def ask_judges(
    verifiers: tuple[Verifier, ...], states: State, subject: Subject, key: Key, policy: Policy,
    rollouts: Rollout, grades: Grade,
) -> Verdict:  # fmt: skip
    """Verdicts of the J judges on B rollouts, leading axes [J, B, K].

    Args:
      policy: what a judge takes for the one that is trained.
    """
    key_own, *keys = jax.random.split(key, len(verifiers) + 1)
    verdicts = [subject.verify(key_own, policy, rollouts, grades)]
    for verifier, state, k in zip(verifiers, states, keys, strict=True):
        verdicts.append(sampling.verify(verifier, k, state, policy, rollouts, grades))
    return jax.tree.map(lambda *each: jnp.stack(each), *verdicts)


def per_judge(verifiers: tuple[Verifier, ...], about: str, **dims: tuple) -> Metric:
    """A metric with one number for each judge, and of the dimensions given besides."""
    return Metric(about, {"judge": judge_names(verifiers), **dims})


def mean_where(x: Array, weight: Array, axis: int | tuple[int, ...]) -> Array:
    """Mean of x along some axes with weights of its shape, NaN where they are all 0."""
    total = weight.sum(axis)
    return (x * weight).sum(axis) / jnp.where(total > 0, total, jnp.nan)
