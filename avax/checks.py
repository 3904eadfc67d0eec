"""What plug-ins return, checked while the loop is traced: in a run it costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import chex
import jax
import jax.numpy as jnp

from avax.fields import ConfigError
from avax.types import MISTAKES, Grade, Problem, Rollout, StepInfo, Task, Verdict

if TYPE_CHECKING:
    from avax.loop import Experiment, LoopState


def returned(plugin: Any, method: str, value: Any, like: Any) -> Any:
    """`value`, which a plug-in's method returned.

    Args:
      like: a pytree of the shapes and dtypes that it must have.

    Raises:
      ConfigError: names the plug-in, its method and the first array that is not as it must be.
    """
    name = f"{type(plugin).__name__}.{method}"
    wanted, structure = jax.tree_util.tree_flatten_with_path(like)
    if jax.tree.structure(value) != structure:
        raise ConfigError(f"{name}: returns {_named(value)}, must return {_named(like)}")
    for (path, want), found in zip(wanted, map(shape_of, jax.tree.leaves(value)), strict=True):
        try:
            chex.assert_shape(found, want.shape)
            chex.assert_type(found, want.dtype)
        except AssertionError as error:
            what = jax.tree_util.keystr(path, simple=True, separator=".") or "what it returns"
            raise ConfigError(
                f"{name}: {what} is {_described(found)}, must be {_described(want)}"
            ) from error
    return value


def shape_of(x: Any) -> jax.ShapeDtypeStruct:
    """Shape and dtype alone; a Python number counts as the array that a program makes of it."""
    dtype = x.dtype if hasattr(x, "dtype") else jnp.result_type(x)
    return jax.ShapeDtypeStruct(jnp.shape(x), dtype)


def states(experiment: Experiment, before: LoopState, after: LoopState) -> None:
    """Raises ConfigError if a plug-in's state has other shapes after a round than before it."""
    for name, method in (("learner", "step"), ("verifier", "update"), ("curriculum", "update")):
        like = jax.tree.map(shape_of, getattr(before, name))
        returned(getattr(experiment, name), method, getattr(after, name), like)


def problem(task: Task) -> Problem:
    """What `sample` returns."""
    return Problem(_i32(task.prompt_len), _i32(task.completion_len), _i32())


def problem_read(task: Task) -> tuple[Problem, jax.ShapeDtypeStruct]:
    """What `read` returns."""
    return problem(task), _bool()


def mask(completion: Any) -> jax.ShapeDtypeStruct:
    """What `loss_mask` returns."""
    return _bool(*jnp.shape(completion))


def grade(task: Task) -> Grade:
    """What `grade` returns."""
    return Grade(_bool(), _bool(task.completion_len), _bool(len(MISTAKES)), _bool())


def verdict(rollout: Rollout) -> Verdict:
    """What `verify` returns; rollouts may have leading axes."""
    return Verdict(_f32(*rollout.mask.shape[:-1]), _f32(*rollout.mask.shape))


def step_info(experiment: Experiment, info: StepInfo) -> None:
    """Raises ConfigError if `step` returns something else beside the state, of as many problems and
    samples as it has, or other numbers of the learner's own than its `metrics` say.
    """
    learner, task, own, judged = experiment.learner, experiment.task, {}, None
    B = K = 0
    if isinstance(info, StepInfo):
        B, K = jnp.shape(info.rollouts.mask)[:2]
        own = metrics(learner, task)
        returned(learner, "step, as StepInfo.own,", info.own, own)
        if info.judged is not None:
            judged = _bool(*jnp.shape(info.judged)[:-1], task.completion_len)
    P, C = task.prompt_len, task.completion_len
    problems = Problem(_i32(B, P), _i32(B, C), _i32(B))
    rollouts = Rollout(_i32(B, P), _i32(B, K, C), _bool(B, K, C), _f32(B, K, C))
    like = StepInfo(problems, rollouts, verdict(rollouts), _f32(), _f32(), own, judged)
    returned(learner, "step", info, like)


def number() -> jax.ShapeDtypeStruct:
    """What `difficulty` returns."""
    return _i32()


def count() -> jax.ShapeDtypeStruct:
    """What `truth_calls` returns."""
    return _f32()


def metrics(plugin: Any, task: Task) -> dict[str, jax.ShapeDtypeStruct]:
    """Of what a probe or a learner says in `metrics`; of a learner without any, nothing."""
    found = plugin.metrics(task) if hasattr(plugin, "metrics") else {}
    return {name: _f32(*map(len, metric.dims.values())) for name, metric in found.items()}


def _i32(*shape: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, jnp.int32)


def _f32(*shape: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def _bool(*shape: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, jnp.bool_)


def _described(x: jax.ShapeDtypeStruct) -> str:
    return f"{x.dtype}[{', '.join(map(str, x.shape))}]"


def _named(tree: Any) -> str:
    """The structure of a pytree in some words."""
    if isinstance(tree, dict):
        return f"a dict of {', '.join(map(str, sorted(tree))) or 'nothing'}"
    kind, number = type(tree).__name__, len(jax.tree.leaves(tree))
    return f"{kind} of {number} array{'s' * (number != 1)}"
