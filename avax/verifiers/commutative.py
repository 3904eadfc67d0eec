"""Does the policy give the same answer to b + a as to a + b?

The self-consistency check of SECToR (Zhang & Parkes 2023, arXiv 2309.08589).
"""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp
from jax import Array

from avax import struct, vocab
from avax.policies import sampling
from avax.requirements import Context
from avax.types import Key, Policy, Rollout, Verdict, outcome_verdict


@struct.dataclass
class Commutative:
    """Accepts a completion that is also the policy's greedy answer with the operands exchanged.

    It can't see errors that are symmetric in the operands. A prompt without an operator is asked
    again as it is, so that the policy's greedy answer to it is accepted.
    """

    uses_ground_truth: ClassVar[bool] = False

    def requires(self, context: Context) -> str | None:
        return context.task_has("operator")

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def verify(self, key: Key, state, policy: Policy, rollout: Rollout, grade: None) -> Verdict:
        num_samples = rollout.completion.shape[0]
        prompts = jnp.broadcast_to(exchanged(rollout.prompt), (num_samples, *rollout.prompt.shape))
        return outcome_verdict(
            sampling.greedy_correct(policy, prompts, rollout.completion), rollout
        )

    def update(self, key: Key, state, policy: Policy, info, grades):
        return state


def exchanged(prompt: Array) -> Array:
    """i32[P]: `b+a=` for a right-aligned prompt `a+b=`, whatever the operands' lengths."""
    index = jnp.arange(prompt.shape[0])
    is_operator = vocab.is_operator(prompt)
    start, end = (prompt == vocab.PAD).sum(), prompt.shape[0] - 1
    operator = is_operator.argmax()
    new_operator = start + end - operator - 1  # behind b
    source = jnp.where(index < new_operator, index - start + operator + 1, operator)
    source = jnp.where(index > new_operator, index - new_operator - 1 + start, source)
    inside = is_operator.any() & (index >= start) & (index < end)
    return prompt[jnp.where(inside, source, index)]
