"""A reward for form alone: is there an answer at all (Shao et al. 2025, arXiv 2506.10947)?"""

from __future__ import annotations

from typing import ClassVar

from jax import Array

from avax import struct, vocab
from avax.types import Key, Policy, Rollout, Verdict, outcome_verdict


@struct.dataclass
class HasForm:
    """Accepts completions that end in a digit and EOS, whatever they say.

    It knows nothing of what is right: a policy that always ends its answers makes it accept all.
    """

    uses_ground_truth: ClassVar[bool] = False

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: None) -> Verdict:
        return outcome_verdict(ends_in_a_number(rollout.completion), rollout)

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state


def ends_in_a_number(completions: Array) -> Array:
    """bool[...]: whether the last tokens of completions i32[..., C] are a digit and EOS."""
    last = vocab.answers(completions, 2)
    return vocab.is_digit(last[..., 0]) & (last[..., 1] == vocab.EOS)
