"""Two verifiers as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from avax import optional, struct
from avax.types import Grade, Key, Policy, Rollout, StepInfo, Verdict, Verifier


@struct.dataclass
class _Pair:
    first: Verifier
    second: Verifier

    combine: ClassVar[Callable[[Array, Array], Array]]

    @property
    def uses_ground_truth(self) -> bool:
        return self.first.uses_ground_truth or self.second.uses_ground_truth

    def init(self, key: Key, bases: Policy) -> tuple:
        keys = jax.random.split(key)
        return self.first.init(keys[0], bases), self.second.init(keys[1], bases)

    def prepare(self, key: Key, state: tuple, policy: Policy, practice: optional.Practice) -> tuple:
        return tuple(
            optional.prepared(part, k, s, policy, practice)
            for part, k, s, _ in self._each(key, state, None)
        )

    def verify(
        self, key: Key, state: tuple, policy: Policy, rollout: Rollout, grade: Grade | None
    ) -> Verdict:
        verdicts = [
            part.verify(k, s, policy, rollout, truth)
            for part, k, s, truth in self._each(key, state, grade)
        ]
        return jax.tree.map(type(self).combine, *verdicts)

    def update(
        self, key: Key, state: tuple, policy: Policy, info: StepInfo, grades: Grade | None
    ) -> tuple:
        return tuple(
            part.update(k, s, policy, info, truth)
            for part, k, s, truth in self._each(key, state, grades)
        )

    def truth_calls(self, state: tuple, info: StepInfo) -> Array:
        parts = zip((self.first, self.second), state, strict=True)
        return sum(optional.truth_calls(part, s, info) for part, s in parts)

    def _each(self, key, state, grade):
        """Each part with its key, its state and the truth, if the part declares its use."""
        for part, k, s in zip((self.first, self.second), jax.random.split(key), state, strict=True):
            yield part, k, s, grade if part.uses_ground_truth else None


@struct.dataclass
class AllOf(_Pair):
    """Accepts what both of two verifiers accept: the lower score counts, step by step as well.

    Attributes:
      first: a verifier; may be an AllOf or AnyOf again.
      second: another one.
    """

    combine = jnp.minimum


@struct.dataclass
class AnyOf(_Pair):
    """Accepts what at least one of two verifiers accepts: the higher score counts.

    Attributes:
      first: a verifier; may be an AllOf or AnyOf again.
      second: another one.
    """

    combine = jnp.maximum
