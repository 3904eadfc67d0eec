"""Which mistakes two policies have in common: what a vote between them can't see."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.probes import judging
from avax.requirements import Context
from avax.types import Key, Metric, Policy, Subject, Task


@struct.dataclass
class Overlap:
    """Greedy answers of the policy beside those of the second base, which stays as it is.

    Attributes:
      num_problems: problems that are posed (B).
    """

    num_problems: int = struct.static(128, low=1)

    def metrics(self, task: Task) -> dict[str, Metric]:
        about = {
            "own_error": "P(the policy's greedy answer is wrong)",
            "other_error": "P(the other policy's greedy answer is wrong)",
            "both_wrong": "P(both greedy answers are wrong)",
            "same_wrong": "P(both greedy answers are the same wrong one)",
        }
        return {name: Metric(text, {}) for name, text in about.items()}

    def requires(self, context: Context) -> str | None:
        return context.min_bases(2)

    def init(self, key: Key, bases: Policy) -> Policy:
        return jax.tree.map(lambda x: x[1], bases)

    def measure(self, key: Key, state: Policy, subject: Subject) -> dict[str, Array]:
        key_problems, key_sample = jax.random.split(key)
        problems = judging.draw_problems(key_problems, subject, self.num_problems)

        def answer(policy):  # greedy, so the key decides nothing
            return judging.complete(key_sample, policy, problems, 1, 0.0)

        policies = jax.tree.map(lambda *x: jnp.stack(x), subject.policy, state)
        rollouts = jax.vmap(answer)(policies)
        own_wrong, other_wrong = ~jax.vmap(subject.grade, (None, 0))(problems, rollouts).correct
        both = own_wrong & other_wrong
        same = (rollouts.completion[0] == rollouts.completion[1]).all(-1)
        return {
            "own_error": own_wrong.mean(),
            "other_error": other_wrong.mean(),
            "both_wrong": both.mean(),
            "same_wrong": (both & same).mean(),
        }
