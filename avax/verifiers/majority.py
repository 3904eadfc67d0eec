"""Majority vote over samples (Wang et al. 2022, self-consistency, arXiv 2203.11171)."""

from __future__ import annotations

from typing import ClassVar

from avax import struct, vocab
from avax.requirements import Context
from avax.types import Key, Policy, Rollout, Scalar, Verdict, outcome_verdict


@struct.dataclass
class MajorityVote:
    """Accepts the most frequent completion of a prompt if enough of the K samples agree on it.

    Completions agree if all their tokens do, or only those of the answer, however it was come to.
    Of equally frequent ones, all are accepted. As a reward of group-relative learners, with
    threshold 0 and answers alone, it is that of Zuo et al. 2025 (TTRL, arXiv 2504.16084).

    Attributes:
      answer_len: how many tokens at the end of a completion, EOS included, are its answer; 0 for
        all.
      threshold: smallest share of the K samples that must agree. At K = 1 everything is accepted.
    """

    threshold: Scalar = struct.leaf(0.5, low=0, high=1)
    answer_len: int = struct.static(0, low=0)

    uses_ground_truth: ClassVar[bool] = False

    def requires(self, context: Context) -> str | None:
        if context.sampler.num_samples > 1:
            return context.not_greedy()
        return f"{context.path}.num_samples: is 1, must be at least 2, else it accepts everything"

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: None) -> Verdict:
        answers = vocab.answers(rollout.completion, self.answer_len)
        same = (answers[:, None] == answers[None]).all(-1)
        share = same.mean(-1)
        return outcome_verdict((share >= share.max()) & (share >= self.threshold), rollout)

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state
