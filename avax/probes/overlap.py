"""Which mistakes two policies have in common: what a vote between them can't see."""

from __future__ import annotations

from typing import ClassVar

import jax
from jax import Array

from avax import struct
from avax.probes import judging
from avax.types import Key, Metric, Policy, Subject


@struct.dataclass
class Overlap:
    """Greedy answers of the policy beside those of the second base, which stays as it is.

    Attributes:
      num_problems: problems that are posed (B).
    """

    num_problems: int = struct.static(128, low=1)

    min_bases: ClassVar[int] = 2

    @property
    def metrics(self) -> dict[str, Metric]:
        about = {
            "own_error": "P(the policy's greedy answer is wrong)",
            "other_error": "P(the other policy's greedy answer is wrong)",
            "both_wrong": "P(both greedy answers are wrong)",
            "same_wrong": "P(both greedy answers are the same wrong one)",
        }
        return {name: Metric(text, {}) for name, text in about.items()}

    def init(self, key: Key, bases: Policy) -> Policy:
        return jax.tree.map(lambda x: x[1], bases)

    def measure(self, key: Key, state: Policy, subject: Subject) -> dict[str, Array]:
        key_problems, key_own, key_other = jax.random.split(key, 3)
        problems = judging.draw_problems(key_problems, subject, self.num_problems)
        own, other = (
            judging.complete(k, policy, problems, 1, 0.0)
            for k, policy in ((key_own, subject.policy), (key_other, state))
        )
        own_wrong, other_wrong = (~subject.grade(problems, r).correct for r in (own, other))
        both = own_wrong & other_wrong
        same = (own.completion == other.completion).all(-1)
        return {
            "own_error": own_wrong.mean(),
            "other_error": other_wrong.mean(),
            "both_wrong": both.mean(),
            "same_wrong": (both & same).mean(),
        }
