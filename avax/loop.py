"""The self-training loop: generate -> verify -> retrain, as one pure function.

`run(experiment, bases, key)` is `init`, then `advance` by all rounds, at once or in segments. An
experiment is a pytree: its leaves are what a sweep varies, its structure is what is compiled, and
`vmap` makes hundreds of one.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax import checks, metrics, optional, source, struct
from avax.faults.label_noise import LabelNoise
from avax.faults.lapse import Lapse
from avax.metrics import OF_POLICY
from avax.types import (
    Curriculum,
    Integer,
    Key,
    Learner,
    Policy,
    Probe,
    Source,
    State,
    Task,
    Verifier,
    first,
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
      replicate: changes nothing but what a run draws: another number is a second run of the same
        base at the same setting.
      num_distinct: different problems that all rounds draw from; 0 for fresh ones all the time.
      frozen_generator: 1: the completions of every round come from the untouched base, while the
        policy is what learns from them; 0: from the policy itself.
      num_bases: base policies of a run: the first is trained; a verifier may keep the others, and
        a population trains them all.
      num_rounds: rounds of generate -> verify -> retrain.
      num_eval: problems of each difficulty that accuracy is measured on.
      base_task: what the base policy was trained on, and what a learner replays of it; None if that
        is `task`. Its problems have the same lengths.
      probe: what else is measured in every round; nothing if None.
    """

    task: Task
    curriculum: Curriculum
    verifier: Verifier
    learner: Learner
    label_noise: LabelNoise = LabelNoise()
    lapse: Lapse = Lapse()
    base_difficulty: Integer = struct.leaf(6, low=1)
    snapshot: Integer = struct.leaf(-1)
    replicate: Integer = struct.leaf(0, low=0)
    num_distinct: Integer = struct.leaf(0, low=0)
    frozen_generator: Integer = struct.leaf(0, low=0, high=1)
    num_bases: int = struct.static(1, low=1)
    num_rounds: int = struct.static(10, low=1)
    num_eval: int = struct.static(32, low=1)
    base_task: Task | None = None
    probe: Probe | None = None

    @property
    def warm_task(self) -> Task:
        """The task of the base policy's training."""
        return self.task if self.base_task is None else self.base_task


class LoopState(NamedTuple):
    """Everything a run needs to go on."""

    learner: State
    verifier: State
    curriculum: State
    probe: State
    base: Policy  # the first base policy, which nothing changes
    round: Array  # i32[], rounds done
    key: Key
    eval_key: Key  # decides the held-out problems


def run(
    experiment: Experiment, bases: Policy, key: Key, eval_key: Key | None = None
) -> tuple[Policy, dict[str, Array]]:
    """The policy after all rounds, and the metrics of each round.

    Args:
      bases: M stacked base policies. A learner trains the first, or all; a verifier may keep some.
      eval_key: decides the problems that accuracy is measured on; None takes `key`. Runs with one
        `eval_key` are measured on the same.

    Returns:
      The trained policy and a dict of arrays with leading axis R + 1; entry 0 is the base. See
      `avax.metrics.METRICS` for names and meaning, and the probe and the learner for their own.
    """
    state = init(experiment, bases, key, eval_key)
    found = metrics.blank(experiment)
    state, found = advance(experiment, state, found, 0, experiment.num_rounds + 1)
    return state.learner.policy, found


def init(experiment: Experiment, bases: Policy, key: Key, eval_key: Key | None = None) -> LoopState:
    """The state before the first round; for the arguments see `run`."""
    key, key_learner, key_verifier = jax.random.split(key, 3)
    probe, key_probe = experiment.probe, jax.random.fold_in(key, source.PROBE)
    example = jax.eval_shape(experiment.task.sample, key, experiment.base_difficulty)
    state = LoopState(
        experiment.learner.init(key_learner, bases, example),
        experiment.verifier.init(key_verifier, bases),
        experiment.curriculum.init(),
        () if probe is None else probe.init(key_probe, bases),
        first(bases),
        jnp.zeros((), jnp.int32),
        key,
        jax.random.clone(key) if eval_key is None else eval_key,
    )
    state = state._replace(curriculum=source.measured(experiment, state, state.round + 1))
    return state._replace(verifier=source.prepared(experiment, state))


def advance(
    experiment: Experiment, state: LoopState, found: dict[str, Array], start: Integer, stop: Integer
) -> tuple[LoopState, dict[str, Array]]:
    """Rounds `start` to `stop` - 1: the state after them, and `found` with their metrics put in.

    Round 0 measures the base and trains nothing, so a run has rounds 0 to R. Start and stop,
    i32[], may be traced: one program serves segments of any length, and their lengths change no
    bit. Under `vmap` all members share them, else their metrics could not be written in place.

    A run that has diverged keeps the state it had then.
    """
    # fold_in 0 is free, should it be the run's own key: rounds are numbered from 1.
    key = jax.random.fold_in(state.eval_key, 0)
    problems = metrics.eval_problems(experiment.task, experiment.num_eval, key)
    trained = {n: jnp.full_like(x[0], jnp.nan) for n, x in found.items() if n not in OF_POLICY}

    def body(i, carry):
        state, found = carry
        # A branch, not a program of its own: the measurement of the policy is compiled once.
        train = partial(jax.jit(round_), experiment)
        after, row = jax.lax.cond(i > 0, train, lambda s: (s, trained), state)
        before = found["diverged"][i - 1]
        state = unless(before == 1, state, after)
        row |= metrics.of_policy(state.learner.policy, experiment.task, problems)
        row["diverged"] = metrics.diverged(before, state.learner, state.verifier, row["loss"])
        return state, jax.tree.map(lambda rows, x: rows.at[i].set(x), found, row)

    # `vmap` goes through branches and loops twice each, but once through what is jitted by itself:
    # that takes a tenth off the time of tracing.
    return jax.lax.fori_loop(start, stop, jax.jit(body), (state, found))


def unless(diverged: Array, before: LoopState, after: LoopState) -> LoopState:
    """The state after a round; a run that had diverged before it learns nothing any more."""

    def keep(old, new):
        return jax.tree.map(lambda old, new: jnp.where(diverged, old, new), old, new)

    return after._replace(
        learner=keep(before.learner, after.learner),
        verifier=keep(before.verifier, after.verifier),
        curriculum=keep(before.curriculum, after.curriculum),
    )


def round_(experiment: Experiment, state: LoopState) -> tuple[LoopState, dict[str, Array]]:
    """One round of generate -> verify -> retrain, and what was measured in it."""
    curriculum, verifier = experiment.curriculum, experiment.verifier
    number = state.round + 1
    key_step, key_verifier = jax.random.split(jax.random.fold_in(state.key, number))
    if getattr(curriculum, "prepares_each_round", False):
        state = state._replace(curriculum=source.measured(experiment, state, number))

    given = Source(
        partial(source.draw, experiment, state, number),
        partial(source.draw_base, experiment),
        partial(source.judge, experiment, state.verifier, number),
        partial(source.generator, experiment, state.base),
        partial(optional.read, experiment.task),
        source.loss_masks(experiment),
    )
    probes = source.probed(experiment, state)
    learner, info = experiment.learner.step(key_step, state.learner, given)
    checks.step_info(experiment, info)
    grades = source.grade(experiment.task, info.problems, info.rollouts)
    seen = grades if verifier.uses_ground_truth else None
    generator = given.generator(state.learner.policy)
    after = LoopState(
        learner,
        verifier.update(key_verifier, state.verifier, generator, info, seen),
        curriculum.update(state.curriculum, info),
        state.probe,
        state.base,
        number,
        state.key,
        state.eval_key,
    )
    checks.states(experiment, state, after)
    controls = {
        "base_accuracy": source.base_accuracy(experiment, state, info.problems),
        "truth_calls": optional.truth_calls(verifier, after.verifier, info),
    }
    return after, metrics.of_round(info, grades) | controls | info.own | probes
