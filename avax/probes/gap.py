"""The generation-verification gap: how much better completions are once they are filtered.

Song et al. 2025 (arXiv 2412.02674): J(f[w]) - J(f), and the same over 1 - J(f), with J the accuracy
of a policy f, and of f[w] that is reweighted by what a verifier says.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.probes import judging
from avax.types import Key, Metric, Policy, Scalar, Subject, Task


@struct.dataclass
class Gap:
    """The gap of the run's own verifier, and of others, on the problems of the round.

    Each problem's completions are those that a verifier accepts, all alike; all of them, if it
    accepts none: so rejecting everything gains nothing.

    Attributes:
      verifiers: others, beside the run's own. None of them is trained.
      num_problems: problems that are posed (B).
      num_samples: completions of each (K).
      temperature: of sampling.
    """

    verifiers: tuple = ()
    num_problems: int = struct.static(64, low=1)
    num_samples: int = struct.static(8, low=2)
    temperature: Scalar = struct.leaf(1.0, low=0, nonzero_low=1e-3)

    def metrics(self, task: Task) -> dict[str, Metric]:
        about = {
            "gap": "accuracy of the completions that a judge accepts, less that of all",
            "relative_gap": "the same over 1 - accuracy, NaN if none is wrong",
            "judge_fpr": "P(judge accepts | wrong), NaN if no completion is wrong",
            "judge_fnr": "P(judge rejects | correct), NaN if no completion is correct",
        }
        return {name: judging.per_judge(self.verifiers, text) for name, text in about.items()}

    def init(self, key: Key, bases: Policy) -> tuple:
        return judging.init_judges(self.verifiers, key, bases)

    def measure(self, key: Key, state: Any, subject: Subject) -> dict[str, Array]:
        key_problems, key_sample, key_judge = jax.random.split(key, 3)
        problems = judging.draw_problems(key_problems, subject, self.num_problems)
        rollouts = judging.complete(
            key_sample, subject.policy, problems, self.num_samples, self.temperature
        )
        grades = subject.grade(problems, rollouts)
        accept = judging.ask_judges(
            self.verifiers, state, subject, key_judge, subject.policy, rollouts, grades
        ).accept
        correct = jnp.broadcast_to(grades.correct[None], accept.shape)
        gap, accuracy = jax.vmap(filter_gap)(correct, accept), grades.correct.mean()
        return {
            "gap": gap,
            "relative_gap": gap / jnp.where(accuracy < 1, 1 - accuracy, jnp.nan),
            "judge_fpr": judging.mean_where(accept, ~correct, (1, 2)),
            "judge_fnr": judging.mean_where(~accept, correct, (1, 2)),
        }


def filter_gap(correct: Array, accept: Array) -> Array:
    """f32[]: by how much accuracy grows if of completions bool[B, K] only `accept` are kept."""
    plain = correct.mean(-1)
    kept = (correct & accept).sum(-1) / jnp.maximum(accept.sum(-1), 1)
    return (jnp.where(accept.any(-1), kept, plain) - plain).mean()
