"""What a plug-in may have beside what its protocol asks for, and what holds where it has it not.

A task may have:

- `has_unique_answer`, True or False: whether accuracy takes a problem's answer alone for right. If
  nothing is said it does, and one forward pass tells. Else completions are decoded and graded.
- `exact`, a task: the same problems, graded by their true answers, where the task's own grades can
  be had by luck. Accuracy, buckets and probes of skill go by it. Without it, by the task itself.
- `loss_mask(prompt, completion) -> bool[C]`: which tokens of a completion i32[C] of a prompt i32[P]
  supervised losses count. All up to and including EOS; a mask can only leave some of them out.
- `read(tokens) -> (Problem, bool[])`: the problem that tokens i32[L], of any length, pose in the
  format of the task's prompts, and whether they pose one; what is read of others means nothing, but
  is a problem. PAD may stand around the text, and EOS behind it.
- `for_base(base_difficulty) -> Task`: the task, of the same format, that base policies are trained
  on, at difficulties 1 to the base difficulty, which its `max_difficulty` must not be below. It is
  the task with the base difficulty as `max_difficulty`, whose sequences are shorter.

A curriculum may have:

- `recurring(key, state) -> i32[]`: the number of the problem that is posed, of those that all
  rounds of a run share, instead of a fresh one. Its difficulty is what `difficulty` says of it.
- `prepare(key, state, policy, pool) -> state`: its state once it has measured the base policy on
  such problems, given a `Pool`, before the first round; if its `prepares_each_round` is True,
  before each round with the policy that it begins with.

A verifier may have:

- `prepare(key, state, policy, practice) -> state`: its state once it has been trained before the
  first round, given the base policy and a `Practice`. One that wraps another passes this on with
  `prepared`. A verifier that a probe asks is not prepared.
- `truth_calls(state, info) -> f32[]`: how many times it asked for the truth in a round, given its
  state after it. A step is a call, a whole completion as well. One that wraps another adds that
  one's `truth_calls`. Else it is a call for each completion judged if `uses_ground_truth`.

A learner may have:

- `temperature`, a number: at which it samples. Without it, it is taken to be greedy.
- `metrics(task) -> dict[str, Metric]`: numbers of its own, which `step` returns in `StepInfo.own`;
  under the same terms as a probe's.

What a plug-in needs of others it says in `requires`, see `requirements`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax import checks, vocab
from avax.fields import ConfigError
from avax.types import (
    Curriculum,
    Grade,
    Key,
    Policy,
    Problem,
    Rollout,
    State,
    StepInfo,
    Task,
    Verifier,
)


class Practice(NamedTuple):
    """What a verifier may be trained on before the first round."""

    # A problem of the first round, its answer PAD unless `uses_ground_truth`.
    draw: Callable[[Key], Problem]
    draw_base: Callable[[Key], Problem]  # a problem that the base policy was trained on
    # Ground truth about rollouts of either, leading axis B; None unless `uses_ground_truth`.
    grade: Callable[[Problem, Rollout], Grade] | None
    grade_base: Callable[[Problem, Rollout], Grade] | None


class Pool(NamedTuple):
    """What a curriculum may measure a policy on."""

    pose: Callable[[Array], Problem]  # by its number, i32[], a problem that all rounds share
    grade: Callable[[Problem, Rollout], Grade]  # by true answers, leading axis B


def has_unique_answer(task: Task) -> bool:
    """Whether accuracy takes a problem's answer alone for right."""
    found = getattr(task, "has_unique_answer", True)
    if not isinstance(found, bool):
        raise ConfigError(
            f"{type(task).__name__}.has_unique_answer: is {found!r}, must be True or False"
        )
    return found


def exact(task: Task) -> Task:
    """The task that tells what a policy can do, of the same problems.

    Raises:
      ConfigError: if what the task says is none.
    """
    found = getattr(task, "exact", task)
    if isinstance(found, type) or not isinstance(found, Task):
        name = f"{type(task).__name__}.exact"
        raise ConfigError(f"{name}: is {type(found).__name__}, must be a task")
    return found


def has_loss_mask(task: Task) -> bool:
    """Whether a task leaves tokens of completions without loss."""
    return hasattr(task, "loss_mask")


def loss_mask(task: Task, prompts: Array, completions: Array) -> Array:
    """bool[B, C]: which tokens of completions i32[B, C] of prompts i32[B, P] have a loss."""
    is_token = completions != vocab.PAD
    if not has_loss_mask(task):
        return is_token

    def mask(prompt, completion):
        found = task.loss_mask(prompt, completion)
        return checks.returned(task, "loss_mask", found, checks.mask(completion))

    return jax.vmap(mask)(prompts, completions) & is_token


def read(task: Task, tokens: Array) -> tuple[Problem, Array]:
    """The problem that tokens i32[L] pose, and bool[] whether they pose one.

    Raises:
      ConfigError: if the task can't read.
    """
    if not hasattr(task, "read"):
        raise ConfigError(f"task: is {type(task).__name__}, must have a method read(tokens)")
    found = task.read(tokens)
    return checks.returned(task, "read", found, checks.problem_read(task))


def for_base(task: Task, base_difficulty: int) -> Task:
    """The task that a base policy is trained on, at difficulties 1 to the base difficulty.

    Raises:
      ConfigError: if what the task says is none, or has no such difficulties.
    """
    if not hasattr(task, "for_base"):
        return task.replace(max_difficulty=base_difficulty)
    found, name = task.for_base(base_difficulty), f"{type(task).__name__}.for_base"
    if isinstance(found, type) or not isinstance(found, Task):
        raise ConfigError(f"{name}: returns {type(found).__name__}, must return a task")
    if found.max_difficulty < base_difficulty:
        raise ConfigError(
            f"{name}: max_difficulty is {found.max_difficulty}, must be at least "
            f"base_difficulty = {base_difficulty}"
        )
    return found


def chosen(curriculum: Curriculum, key: Key, state: State) -> Array | None:
    """i32[]: the number of the problem that a curriculum poses; None if it poses fresh ones."""
    if not hasattr(curriculum, "recurring"):
        return None
    found = curriculum.recurring(key, state)
    return checks.returned(curriculum, "recurring", found, checks.number())


def measured(curriculum: Curriculum, key: Key, state: State, policy: Policy, pool: Pool) -> State:
    """A curriculum's state after `prepare`."""
    if not hasattr(curriculum, "prepare"):
        return state
    like = jax.tree.map(checks.shape_of, state)
    found = curriculum.prepare(key, state, policy, pool)
    return checks.returned(curriculum, "prepare", found, like)


def prepared(
    verifier: Verifier, key: Key, state: State, policy: Policy, practice: Practice
) -> State:
    """A verifier's state after `prepare`; it sees the truth only if it declares its use."""
    if not hasattr(verifier, "prepare"):
        return state
    if not verifier.uses_ground_truth:
        practice = without_truth(practice)
    like = jax.tree.map(checks.shape_of, state)
    found = verifier.prepare(key, state, policy, practice)
    return checks.returned(verifier, "prepare", found, like)


def without_truth(practice: Practice) -> Practice:
    """The same without grades, and without the answers to what the base was not trained on."""

    def draw(key: Key) -> Problem:
        problem = practice.draw(key)
        return problem._replace(answer=jnp.full_like(problem.answer, vocab.PAD))

    return practice._replace(draw=draw, grade=None, grade_base=None)


def truth_calls(verifier: Verifier, state: State, info: StepInfo) -> Array:
    """f32[]: how many times a verifier asked for the truth in a round, to judge and to learn.

    By its own count, if it has the method; else once for each completion that it judged if it
    declares the use of the truth, and never if it doesn't.

    Args:
      state: the verifier's after the round.
    """
    if hasattr(verifier, "truth_calls"):
        found = verifier.truth_calls(state, info)
        return checks.returned(verifier, "truth_calls", found, checks.count())
    number = info.judged_mask[..., 0].size if verifier.uses_ground_truth else 0
    return jnp.float32(number)
