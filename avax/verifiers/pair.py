"""Two verifiers as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.types import Grade, Key, Policy, Rollout, StepInfo, Verdict, Verifier
from avax.verifiers import parts


@struct.dataclass
class _Pair:
    first: Verifier
    second: Verifier

    combine: ClassVar[Callable[[Array, Array], Array]]

    @property
    def uses_ground_truth(self) -> bool:
        return self.first.uses_ground_truth or self.second.uses_ground_truth

    def init(self, key: Key, bases: Policy) -> tuple:
        return parts.init_each((self.first, self.second), key, bases)

    def verify(
        self, key: Key, state: tuple, policy: Policy, rollout: Rollout, grade: Grade | None
    ) -> Verdict:
        both = self.first, self.second
        verdicts = parts.verify_each(both, key, state, policy, rollout, grade)
        return jax.tree.map(type(self).combine, *verdicts)

    def update(self, key: Key, state: tuple, info: StepInfo, grades: Grade | None) -> tuple:
        return parts.update_each((self.first, self.second), key, state, info, grades)


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
