"""Rejects completions much shorter than the longest one of the round.

The relative length filter of Lee et al. 2025 (arXiv 2502.01612).
"""

from __future__ import annotations

from typing import ClassVar

import jax

from avax import struct
from avax.types import PROBLEMS, Integer, Key, Policy, Rollout, Verdict, outcome_verdict


@struct.dataclass
class RelativeLength:
    """Accepts completions at most `threshold` tokens shorter than the longest of all B K.

    It sees dropped steps, and only where a round's right answers are about equally long: on a
    frontier, not on a range of lengths.

    Attributes:
      threshold: by how many tokens a completion may be shorter than the round's longest.
    """

    threshold: Integer = struct.leaf(2, low=0)

    uses_ground_truth: ClassVar[bool] = False

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: None) -> Verdict:
        length = rollout.mask.sum(-1)
        longest = jax.lax.pmax(length.max(), PROBLEMS)
        return outcome_verdict(longest - length <= self.threshold, rollout)

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state
