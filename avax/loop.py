"""The self-training loop: generate -> verify -> retrain, as one pure function.

`run(experiment, bases, key)` is `init`, then `advance` by all rounds. An experiment is a pytree:
its leaves are what a sweep varies, its structure is what is compiled, and `vmap` makes hundreds of
one.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax import sampling, struct
from avax.lapse import Lapse
from avax.noise import LabelNoise
from avax.types import (
    MISTAKES,
    PROBLEMS,
    Curriculum,
    Grade,
    Integer,
    Key,
    Learner,
    Policy,
    Problem,
    Rollout,
    Source,
    State,
    StepInfo,
    Task,
    Verdict,
    Verifier,
)


@struct.dataclass
class Experiment:
    """One self-training run, all its choices included.

    Attributes:
      task: the family of problems.
      curriculum: how hard the problems of a round are.
      verifier: the filter between generating and retraining.
      learner: how data are gathered and the policy is retrained.
      label_noise: wrong labels put in on purpose, none by default.
      lapse: wrong labels let through on purpose, none by default.
      base_difficulty: the base policy was trained on difficulties 1 to this one.
      snapshot: which of the snapshots of pretraining is the base; negative counts from the last.
      num_distinct: different problems that all rounds draw from; 0 for fresh ones all the time.
      num_bases: base policies of a run: the first is trained, a verifier may keep the others.
      num_rounds: rounds of generate -> verify -> retrain.
      num_eval: problems of each difficulty that accuracy is measured on.
      base_task: what the base policy was trained on, and what a learner replays of it; None if that
        is `task`. Its problems have the same lengths.
    """

    task: Task
    curriculum: Curriculum
    verifier: Verifier
    learner: Learner
    label_noise: LabelNoise = LabelNoise()
    lapse: Lapse = Lapse()
    base_difficulty: Integer = struct.leaf(6, low=1)
    snapshot: Integer = struct.leaf(-1)
    num_distinct: Integer = struct.leaf(0, low=0)
    num_bases: int = struct.static(1, low=1)
    num_rounds: int = struct.static(10, low=1)
    num_eval: int = struct.static(32, low=1)
    base_task: Task | None = None

    @property
    def warm_task(self) -> Task:
        """The task of the base policy's training."""
        return self.task if self.base_task is None else self.base_task


class LoopState(NamedTuple):
    """Everything a run needs to go on."""

    learner: State
    verifier: State
    curriculum: State
    round: Array  # i32[], rounds done
    key: Key


def run(experiment: Experiment, bases: Policy, key: Key) -> tuple[Policy, dict[str, Array]]:
    """The policy after all rounds, and the metrics of each round.

    Args:
      bases: M stacked base policies. The learner trains the first; a verifier may keep others.

    Returns:
      The trained policy and a dict of arrays with leading axis R + 1; entry 0 is the base. See
      `METRICS` for names and meaning.
    """
    state = init(experiment, bases, key)
    problems = eval_problems(experiment, state.key)
    before = base_metrics(state, problems)
    state, after = advance(experiment, problems, state, experiment.num_rounds)
    metrics = jax.tree.map(lambda b, a: jnp.concatenate([b[None], a]), before, after)
    return state.learner.policy, metrics


def init(experiment: Experiment, bases: Policy, key: Key) -> LoopState:
    """The state before the first round."""
    key, key_learner, key_verifier = jax.random.split(key, 3)
    policy = jax.tree.map(lambda x: x[0], bases)
    example = jax.eval_shape(experiment.task.sample, key, experiment.base_difficulty)
    return LoopState(
        experiment.learner.init(key_learner, policy, example),
        experiment.verifier.init(key_verifier, bases),
        experiment.curriculum.init(),
        jnp.zeros((), jnp.int32),
        key,
    )


def advance(
    experiment: Experiment, problems: Problem, state: LoopState, num_rounds: int
) -> tuple[LoopState, dict[str, Array]]:
    """The state after `num_rounds` more rounds and their metrics, leading axis `num_rounds`.

    Args:
      problems: what accuracy is measured on, those of `eval_problems` for the state's key.
    """
    return jax.lax.scan(
        lambda state, _: round_(experiment, problems, state), state, length=num_rounds
    )


def round_(
    experiment: Experiment, problems: Problem, state: LoopState
) -> tuple[LoopState, dict[str, Array]]:
    """One round of generate -> verify -> retrain, and what it did to accuracy on `problems`."""
    task, curriculum, verifier = experiment.task, experiment.curriculum, experiment.verifier
    number = state.round + 1
    key_step, key_verifier = jax.random.split(jax.random.fold_in(state.key, number))

    def draw(key):
        data, num_distinct = jax.random.key_data(key), experiment.num_distinct
        # No round has this number; the key's own bits are as good as a draw.
        recurring = jax.random.fold_in(state.key, 2**32 - 1)
        recurring = jax.random.fold_in(recurring, data[-1] % jnp.maximum(num_distinct, 1))
        data = jnp.where(num_distinct > 0, jax.random.key_data(recurring), data)
        key = jax.random.wrap_key_data(data)
        key_difficulty, key_problem = jax.random.split(key)
        return task.sample(
            key_problem, curriculum.difficulty(key_difficulty, state.curriculum, number)
        )

    def draw_base(key):
        key_difficulty, key_problem = jax.random.split(key)
        difficulty = sampling.uniform_integer(key_difficulty, 1, experiment.base_difficulty)
        return experiment.warm_task.sample(key_problem, difficulty)

    judge = partial(judge_rollouts, experiment, state.verifier, number)
    learner, info = experiment.learner.step(key_step, state.learner, Source(draw, draw_base, judge))
    grades = grade_rollouts(task, info.problems, info.rollouts)
    seen = grades if verifier.uses_ground_truth else None
    state = LoopState(
        learner,
        verifier.update(key_verifier, state.verifier, info, seen),
        curriculum.update(state.curriculum, info),
        number,
        state.key,
    )
    return state, round_metrics(info, grades) | eval_metrics(learner.policy, problems)


def judge_rollouts(
    experiment: Experiment, state: State, number: Array, key: Key, policy: Policy,
    problems: Problem, rollouts: Rollout,
) -> tuple[Rollout, Verdict]:  # fmt: skip
    """What comes through the filter, noise and lapse of this round included."""
    verifier = experiment.verifier
    key_verify, key_noise, key_lapse = jax.random.split(key, 3)
    keys = jax.random.split(key_verify, problems.difficulty.shape[0])
    grades = None
    if verifier.uses_ground_truth:
        grades = grade_rollouts(experiment.task, problems, rollouts)
    verify = jax.vmap(
        lambda k, rollout, grade: verifier.verify(k, state, policy, rollout, grade),
        axis_name=PROBLEMS,
    )
    verdicts = verify(keys, rollouts, grades)
    verdicts = experiment.lapse.overlook(key_lapse, rollouts, verdicts, number)
    return experiment.label_noise.inject(key_noise, rollouts, number), verdicts


def grade_rollouts(task: Task, problems: Problem, rollouts: Rollout) -> Grade:
    """Ground truth about B rollouts: correct bool[B, K], step_correct bool[B, K, C]."""
    grade = jax.vmap(jax.vmap(task.grade, (None, 0)))
    return grade(problems, rollouts.completion)


def eval_problems(experiment: Experiment, key: Key) -> Problem:
    """The same problems in every round of a run, leading axes [D, num_eval]."""
    difficulties = jnp.arange(1, experiment.task.max_difficulty + 1)
    # fold_in 0 is free: rounds are numbered from 1.
    keys = jax.random.split(jax.random.fold_in(key, 0), (len(difficulties), experiment.num_eval))
    sample = jax.vmap(jax.vmap(experiment.task.sample, (0, None)))
    return sample(keys, difficulties)


METRICS = {
    "accuracy": "greedy accuracy, mean over all difficulties",
    "accuracy_by_difficulty": "greedy accuracy at each difficulty",
    "sampled_accuracy": "share of the round's completions that are correct",
    "accept_rate": "share of the round's completions that the verifier accepts",
    "label_precision": "share of the accepted completions that are correct labels, NaN if none",
    "verifier_fpr": "measured P(accept | wrong), NaN if no completion is wrong",
    "verifier_fnr": "measured P(reject | correct), NaN if no completion is correct",
    "loss": "training loss, mean over the round's updates, 0 if there were none",
    "grad_norm": "gradient norm before clipping, mean over the round's updates",
    "mistake_share": "share of the round's wrong completions that are a mistake of each kind",
    "num_accepted": "accepted completions",
    "completion_length": "tokens of a completion up to and including EOS, mean",
    "diverged": "1 from the first round on whose loss or policy is not finite",
}


DIMENSIONS = {  # of each metric that is no single number
    "accuracy_by_difficulty": ("difficulty",),
    "mistake_share": ("mistake",),
}


def round_metrics(info: StepInfo, grades: Grade) -> dict[str, Array]:
    """Metrics of the data of one round."""
    accept, correct = info.verdicts.accept, grades.correct
    return {
        "sampled_accuracy": correct.mean(),
        "accept_rate": accept.mean(),
        "label_precision": share(correct, accept),
        "verifier_fpr": share(accept, ~correct),
        "verifier_fnr": share(~accept, correct),
        "loss": info.loss,
        "grad_norm": info.grad_norm,
        "mistake_share": share(grades.mistake, ~correct[..., None], axis=(0, 1)),
        "num_accepted": accept.sum().astype(jnp.float32),
        "completion_length": info.rollouts.mask.sum(-1).mean(),
    }


def eval_metrics(policy: Policy, problems: Problem) -> dict[str, Array]:
    """Accuracy on held-out problems, and whether the policy is still finite."""

    def accuracy_at(p):
        return sampling.greedy_correct(policy, p.prompt, p.answer).mean()

    accuracy = jax.lax.map(accuracy_at, problems)
    finite = jnp.array([jnp.isfinite(x).all() for x in jax.tree.leaves(policy)]).all()
    return {
        "accuracy": accuracy.mean(),
        "accuracy_by_difficulty": accuracy,
        "diverged": (~finite).astype(jnp.float32),
    }


def base_metrics(state: LoopState, problems: Problem) -> dict[str, Array]:
    """Metrics of round 0: the base. What only a round of training has is NaN."""
    metrics = dict.fromkeys(METRICS, jnp.full((), jnp.nan))
    metrics["mistake_share"] = jnp.full(len(MISTAKES), jnp.nan)
    return metrics | eval_metrics(state.learner.policy, problems)


def share(event: Array, given: Array, axis: tuple[int, ...] | None = None) -> Array:
    """f32: P(event | given) over all entries, or some axes; NaN if `given` never holds."""
    count = given.sum(axis)
    return (event & given).sum(axis) / jnp.where(count > 0, count, jnp.nan)
