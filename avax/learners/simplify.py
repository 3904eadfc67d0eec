"""Simplify, then guess: training on answers that were found by a detour through easier problems.

The label generator of SECToR (Zhang & Parkes 2023, arXiv 2309.08589).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.learners import replay
from avax.learners.simplification import ask_step, is_shortest, simplify_then_guess
from avax.policies import sampling, training
from avax.requirements import Context
from avax.types import (
    Key,
    Metric,
    Policy,
    Problem,
    Rollout,
    Scalar,
    Source,
    StepInfo,
    Task,
    Verdict,
    first,
)


class SimplifyThenGuessState(NamedTuple):
    """The policy, its optimizer and the kept rounds of answers and of first steps."""

    policy: Policy
    optimizer: Any
    answers: replay.Memory  # B K rows
    steps: replay.Memory  # B rows


@struct.dataclass
class SimplifyThenGuess:
    """Fine-tunes on direct answers to problems that the policy first made easier for itself.

    It simplifies each problem K times, one step after the other, and guesses after each step what
    the sum of the rest is: K candidates for the whole answer, which the verifier judges. It trains
    on the accepted ones as direct answers to the problem as it was posed, all alike, and on the
    first step of each problem that has an accepted one. All decoding is greedy.

    A step that can't be read leaves its candidate and those after it empty: wrong, and rejected
    whatever the verifier says. A problem of one digit has no step: further guesses repeat the last.
    A round in which nothing is accepted does nothing: neither the policy nor the optimizer moves.

    Attributes:
      num_problems: problems of a round (B).
      num_samples: guesses of each problem, each one step further on (K).
      num_updates: gradient updates of a round.
      batch_size: completions of an update.
      num_kept: rounds whose data are kept (W): 1 replaces, as many as there are rounds accumulates.
      learning_rate: of Adam.
      max_grad_norm: gradients are scaled down to this global norm.
      base_rate: share of true base data in a batch.
      newest_rate: share of this round's data in what is not base data, if earlier data are kept.
      step_rate: share of simplifications in what is not base data.
    """

    num_problems: int = struct.static(128, low=1)
    num_samples: int = struct.static(5, low=1)
    num_updates: int = struct.static(16, low=1)
    batch_size: int = struct.static(64, low=1)
    num_kept: int = struct.static(10, low=1)
    learning_rate: Scalar = struct.leaf(1e-3, low=0)
    max_grad_norm: Scalar = struct.leaf(1.0, low=1e-6)
    base_rate: Scalar = struct.leaf(0.25, low=0, high=1)
    newest_rate: Scalar = struct.leaf(0.67, low=0, high=1)
    step_rate: Scalar = struct.leaf(0.5, low=0, high=1)

    def requires(self, context: Context) -> str | None:
        return context.base_has("steps")

    def metrics(self, task: Task) -> dict[str, Metric]:
        return {
            "step_precision": Metric(
                "share of the steps trained on that are right, NaN if none", {}
            ),
            "wrong_way_share": Metric(
                "share of the accepted right answers that were found by a wrong step, NaN if none",
                {},
            ),
        }

    def init(self, key: Key, bases: Policy, example: Problem) -> SimplifyThenGuessState:
        policy = first(bases)
        transform = training.optimizer(self.learning_rate, self.max_grad_norm)
        num_rows = self.num_problems * self.num_samples, self.num_problems
        answers, steps = (replay.empty(self.num_kept, n, example) for n in num_rows)
        return SimplifyThenGuessState(policy, transform.init(policy), answers, steps)

    def step(
        self, key: Key, state: SimplifyThenGuessState, source: Source
    ) -> tuple[SimplifyThenGuessState, StepInfo]:
        key_problems, key_judge, key_batches = jax.random.split(key, 3)
        problems = jax.vmap(source.draw)(jax.random.split(key_problems, self.num_problems))
        generator = source.generator(state.policy)
        rollouts, steps, all_right = simplify_then_guess(
            generator, problems.prompt, problems.answer.shape[-1], self.num_samples
        )
        rollouts, verdicts = source.judge(key_judge, generator, problems, rollouts)
        verdicts = without_empty(verdicts, rollouts)
        state = self._keep(state, rollouts, steps, verdicts.accept)
        own = of_steps(problems, rollouts, verdicts.accept, all_right)
        policy, optimizer, loss, grad_norm = training.update_if(
            verdicts.accept.any(),
            training.cross_entropy,
            training.optimizer(self.learning_rate, self.max_grad_norm),
            state.policy,
            state.optimizer,
            self._batches(key_batches, state, source),
        )
        info = StepInfo(problems, rollouts, verdicts, loss, grad_norm, own)
        return state._replace(policy=policy, optimizer=optimizer), info

    def _keep(self, state, rollouts, steps, accept):
        prompts = jnp.repeat(rollouts.prompt, self.num_samples, axis=0)
        completions = rollouts.completion.reshape(prompts.shape[0], -1)
        has_step = has_trained_step(rollouts, accept)
        return state._replace(
            answers=replay.keep(state.answers, prompts, completions, accept.reshape(-1)),
            steps=replay.keep(state.steps, ask_step(rollouts.prompt), steps, has_step),
        )

    def _batches(self, key, state, source):
        """Batches of answers, steps and base data, as `replay.draw_batches` gives them."""
        key_kind, *keys = jax.random.split(key, 3)
        shape = (self.num_updates, self.batch_size)
        answers, steps = (
            replay.draw_batches(
                k,
                memory,
                source.draw_base,
                shape,
                self.base_rate,
                self.newest_rate,
                source.loss_masks,
            )
            for k, memory in zip(keys, (state.answers, state.steps), strict=True)
        )
        use_step = jax.random.uniform(key_kind, shape) < self.step_rate
        use_step = use_step & state.steps.accepted.any()
        return training.where_tree(use_step[..., None], steps, answers)


def of_steps(
    problems: Problem, rollouts: Rollout, accept: Array, all_right: Array
) -> dict[str, Array]:
    """What is measured of steps that verifiers of answers don't see; see the learner's `metrics`.

    Args:
      accept: bool[B, K], candidates that are trained on.
      all_right: bool[B, K], whether all steps of a candidate were right.
    """
    answered = (rollouts.completion == problems.answer[:, None]).all(-1)
    return {
        "step_precision": sampling.share(all_right[:, 0], has_trained_step(rollouts, accept)),
        "wrong_way_share": sampling.share(~all_right, accept & answered),
    }


def has_trained_step(rollouts: Rollout, accept: Array) -> Array:
    """bool[B]: whether the first step of a problem is trained on."""
    return accept.any(-1) & ~is_shortest(rollouts.prompt)


def without_empty(verdicts: Verdict, rollouts: Rollout) -> Verdict:
    """The verdicts with a score of 0 for completions that hold no token."""
    score = jnp.where(rollouts.mask.any(-1), verdicts.score, 0.0)
    return verdicts._replace(score=score)
