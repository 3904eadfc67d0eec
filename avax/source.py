"""What a learner is given in a round, problems and what the filter says; and what a probe is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax import Array

from avax import checks, optional, requirements
from avax.policies import generation, sampling
from avax.types import (
    Grade,
    Key,
    Policy,
    Problem,
    Rollout,
    State,
    Subject,
    Task,
    Verdict,
)

if TYPE_CHECKING:
    from avax.loop import Experiment, LoopState

# Folded into a run's key; no round has these numbers.
RECURRING, PROBE, BASE, PREPARE, MEASURE = (2**32 - i for i in (1, 2, 3, 4, 5))


def draw(experiment: Experiment, state: LoopState, number: Array, key: Key) -> Problem:
    """A problem of round `number`."""
    index = optional.chosen(experiment.curriculum, key, state.curriculum)
    if index is not None:
        return pose(experiment, state, number, index)
    data, num_distinct = jax.random.key_data(key), experiment.num_distinct
    # Which of the recurring ones: the key's own bits are as good as a draw.
    shared = recurring(state, data[-1] % jnp.maximum(num_distinct, 1))
    data = jnp.where(num_distinct > 0, jax.random.key_data(shared), data)
    return problem(experiment, state, number, jax.random.wrap_key_data(data))


def recurring(state: LoopState, index: Array) -> Key:
    """Of one of the problems that all rounds of a run share."""
    return jax.random.fold_in(jax.random.fold_in(state.key, RECURRING), index)


def pose(experiment: Experiment, state: LoopState, number: Array, index: Array) -> Problem:
    """One of the problems that all rounds of a run share, as round `number` poses it."""
    return problem(experiment, state, number, recurring(state, index))


def problem(experiment: Experiment, state: LoopState, number: Array, key: Key) -> Problem:
    """A problem of the difficulty that the curriculum says."""
    key_difficulty, key_problem = jax.random.split(key)
    curriculum, task = experiment.curriculum, experiment.task
    difficulty = curriculum.difficulty(key_difficulty, state.curriculum, number)
    checks.returned(curriculum, "difficulty", difficulty, checks.number())
    found = task.sample(key_problem, difficulty)
    return checks.returned(task, "sample", found, checks.problem(task))


def draw_base(experiment: Experiment, key: Key) -> Problem:
    """A problem that the base policy was trained on."""
    key_difficulty, key_problem = jax.random.split(key)
    difficulty = sampling.uniform_integer(key_difficulty, 1, experiment.base_difficulty)
    return experiment.warm_task.sample(key_problem, difficulty)


def generator(
    experiment: Experiment, first: Policy, policy: Policy, base: Policy | None = None
) -> Policy:
    """What generates the round's completions: the policy, or the base if that is frozen: the run's
    first one, unless a member of a population has its own.
    """
    base = first if base is None else base
    is_frozen = experiment.frozen_generator == 1
    return jax.tree.map(lambda base, own: jnp.where(is_frozen, base, own), base, policy)


def loss_masks(experiment: Experiment) -> tuple[Callable, Callable] | None:
    """`Source.loss_masks` of an experiment."""
    tasks = experiment.task, experiment.warm_task
    if not any(map(optional.has_loss_mask, tasks)):
        return None
    return tuple(partial(optional.loss_mask, task) for task in tasks)


def prepared(experiment: Experiment, state: LoopState) -> State:
    """The verifier's state before the first round, trained if it wants to be."""
    practice = optional.Practice(
        partial(draw, experiment, state, jnp.int32(1)),
        partial(draw_base, experiment),
        partial(grade, experiment.task),
        partial(grade, experiment.warm_task),
    )
    key = jax.random.fold_in(state.key, PREPARE)
    return optional.prepared(
        experiment.verifier, key, state.verifier, state.learner.policy, practice
    )


def measured(experiment: Experiment, state: LoopState, number: Array) -> State:
    """The curriculum's state before round `number`, once it has measured the policy."""
    curriculum, task = experiment.curriculum, optional.exact(experiment.task)
    pool = optional.Pool(partial(pose, experiment, state, number), partial(grade, task))
    key = jax.random.fold_in(jax.random.fold_in(state.key, MEASURE), number)
    return optional.measured(curriculum, key, state.curriculum, state.learner.policy, pool)


def judge(
    experiment: Experiment, state: State, number: Array, key: Key, policy: Policy,
    problems: Problem, rollouts: Rollout,
) -> tuple[Rollout, Verdict]:  # fmt: skip
    """What comes through the filter, noise and lapse of this round included."""
    verifier = experiment.verifier
    key_verify, key_noise, key_lapse = jax.random.split(key, 3)
    grades = None
    if verifier.uses_ground_truth:
        grades = grade(experiment.task, problems, rollouts)
    verdicts = sampling.verify(verifier, key_verify, state, policy, rollouts, grades)
    verdicts = experiment.lapse.overlook(key_lapse, rollouts, verdicts, number)
    return experiment.label_noise.inject(key_noise, rollouts, number), verdicts


def grade(task: Task, problems: Problem, rollouts: Rollout) -> Grade:
    """Ground truth about B rollouts: correct bool[B, K], step_correct bool[B, K, C]."""

    def checked(problem, completion):
        found = task.grade(problem, completion)
        return checks.returned(task, "grade", found, checks.grade(task))

    return jax.vmap(jax.vmap(checked, (None, 0)))(problems, rollouts.completion)


def base_accuracy(experiment: Experiment, state: LoopState, problems: Problem) -> Array:
    """f32[]: share of a round's B problems that the untouched base answers right, directly.

    One completion of each, at the learner's own temperature; greedy if it has none.
    """
    _, sampler = requirements.sampler(experiment)
    key = jax.random.fold_in(jax.random.fold_in(state.key, BASE), state.round)
    completion_len, temperature = problems.answer.shape[-1], getattr(sampler, "temperature", 0.0)
    rollouts = generation.generate(key, state.base, problems.prompt, completion_len, 1, temperature)
    return grade(experiment.task, problems, rollouts).correct.mean()


def probed(experiment: Experiment, state: LoopState) -> dict[str, Array]:
    """What the experiment's probe measures on the policy that is about to be retrained."""
    probe, task, verifier = experiment.probe, experiment.task, experiment.verifier
    if probe is None:
        return {}
    subject = Subject(
        state.learner.policy,
        partial(draw, experiment, state, state.round + 1),
        partial(grade, task),
        lambda key, *args: sampling.verify(verifier, key, state.verifier, *args),
        task,
    )
    key = jax.random.fold_in(jax.random.fold_in(state.key, PROBE), state.round)
    found = probe.measure(key, state.probe, subject)
    return checks.returned(probe, "measure", found, checks.metrics(probe, task))
