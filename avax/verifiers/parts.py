"""What verifiers that are made of others share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax

from avax.types import Grade, Key, Policy, State, StepInfo, Verdict, Verifier

Parts = tuple[Verifier, ...]


def init_each(parts: Parts, key: Key, bases: Policy) -> tuple[State, ...]:
    """The state of every part."""
    keys = jax.random.split(key, len(parts))
    return tuple(part.init(k, bases) for part, k in zip(parts, keys, strict=True))


def verify_each(
    parts: Parts, key: Key, states: tuple, policy: Policy, rollout, grade
) -> list[Verdict]:
    """The verdict of every part; the truth goes only to those that declare its use."""
    return [
        part.verify(k, state, policy, rollout, truth)
        for part, k, state, truth in _each(parts, key, states, grade)
    ]


def update_each(
    parts: Parts, key: Key, states: tuple, info: StepInfo, grades: Grade | None
) -> tuple[State, ...]:
    """The next state of every part."""
    return tuple(
        part.update(k, state, info, truth)
        for part, k, state, truth in _each(parts, key, states, grades)
    )


def _each(parts: Parts, key: Key, states: tuple, grade: Any) -> Iterator[tuple]:
    for part, k, state in zip(parts, jax.random.split(key, len(parts)), states, strict=True):
        yield part, k, state, grade if part.uses_ground_truth else None
