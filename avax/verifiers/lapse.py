"""One verifier in one round, another one in all others: how long is a lapse remembered?"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.types import Grade, Integer, Key, Policy, Rollout, State, StepInfo, Verdict, Verifier
from avax.verifiers import parts


class LapseState(NamedTuple):
    """The states of both verifiers, and where the run is."""

    parts: tuple[State, State]
    round: Array  # i32[], the round that is judged next; 1 is the first


@struct.dataclass
class Lapse:
    """Judges as `usual` does, but in one round as `lapsed` does.

    With an oracle that accepts wrong answers in one round, the loop's response to its own mistakes
    can be measured: unlike injected label noise, they are what the policy would do anyway.

    Attributes:
      usual: judges all rounds but one.
      lapsed: judges that one.
      round: the round of the lapse; 1 is the first.
    """

    usual: Verifier
    lapsed: Verifier
    round: Integer = struct.leaf(1, low=1)

    @property
    def uses_ground_truth(self) -> bool:
        return self.usual.uses_ground_truth or self.lapsed.uses_ground_truth

    def init(self, key: Key, bases: Policy) -> LapseState:
        return LapseState(parts.init_each(self._parts, key, bases), jnp.ones((), jnp.int32))

    def verify(
        self, key: Key, state: LapseState, policy: Policy, rollout: Rollout, grade: Grade | None
    ) -> Verdict:
        usual, lapsed = parts.verify_each(self._parts, key, state.parts, policy, rollout, grade)
        now = state.round == self.round
        return jax.tree.map(lambda u, p: jnp.where(now, p, u), usual, lapsed)

    def update(
        self, key: Key, state: LapseState, info: StepInfo, grades: Grade | None
    ) -> LapseState:
        updated = parts.update_each(self._parts, key, state.parts, info, grades)
        return LapseState(updated, state.round + 1)

    @property
    def _parts(self):
        return self.usual, self.lapsed
