"""As many false positives as another filter lets through, on wrong completions at random.

The control for errors with a structure, such as blindness to one kind of mistake.
"""

from __future__ import annotations

from typing import ClassVar

from jax import Array

from avax import optional, struct
from avax.types import Grade, Key, Policy, Rollout, StepInfo, Verdict
from avax.verifiers.shuffling import Shuffled


@struct.dataclass
class RecipientShuffle(Shuffled):
    """Permutes the outcome scores of another verifier over the wrong completions of a round.

    So as many wrong ones are accepted as there, whichever; right ones are judged as there. The FPR
    and the FNR of each round are the other verifier's own. Around one that makes no false positive,
    or whose false positives are random anyway, it changes nothing. A completion without a token
    keeps its score.

    Attributes:
      inner: the verifier whose false positives are given to others.
    """

    uses_ground_truth: ClassVar[bool] = True

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: Grade) -> Verdict:
        return self.shuffled(key, state, policy, rollout, grade, ~grade.correct)

    def truth_calls(self, state, info: StepInfo) -> Array:
        own = info.judged_mask[..., 0].size  # it has to know which are wrong
        return own + optional.truth_calls(self.inner, state, info)
