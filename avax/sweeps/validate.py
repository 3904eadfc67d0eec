"""Checks of a sweep before anything is trained or compiled; errors name the dotted field."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import re
from typing import Any

import numpy as np

from avax import requirements, struct
from avax.fields import ConfigError, check_value, kind_of, shown
from avax.metrics import METRICS, of_plugins
from avax.models.transformer import TransformerConfig
from avax.sweeps import adaptive, plugins
from avax.sweeps.sweep import Sweep

# What holds the numbers and texts of a field, by what `fields.kind_of` calls them.
CLASSES = {
    "a number": (bool, int, float),
    "a whole number": int,
    "True or False": bool,
    "a text": str,
}
MAX_RUNS = 10**6
MAX_BYTES = 2**34  # of the results, which are held in memory
SHAPES = ("num_rounds", "task.max_difficulty")  # fields that the results' dimensions depend on


def validate(sweep: Sweep) -> None:
    """Raises ConfigError for a field out of range or a combination that can't be run."""
    for path, field, value in struct.walk(sweep):
        check_field(path, field, value)
    known = plugins.fields(sweep.base, sweep.axes)
    for path, values in sweep.axes.items():
        if path not in known:
            raise ConfigError(f"axes.{path}: there is no such field; see --help")
        check_axis(path, known[path][0], values)
    if sweep.seed + sweep.num_seeds + sweep.base.num_bases - 1 > 2**32:
        raise ConfigError(f"seed: is {sweep.seed}, must be below 2**32 - num_seeds - num_bases")
    check_size(sweep)
    check_design(sweep)
    check_trace(sweep)
    check_number("tile_width", sweep.tile_width, ("auto", "all"))
    check_number("segment", sweep.segment, ("auto",))
    check_engine(sweep)
    check_shapes(sweep)
    longest = sum(problem_len(sweep.base.task))
    for root in (sweep, *(x for values in sweep.axes.values() for x in values)):
        for path, _, value in struct.walk(root) if dataclasses.is_dataclass(root) else ():
            if isinstance(value, TransformerConfig):
                check_model(path, value, longest)
    for setting in sweep.settings():
        check_setting(setting, sweep.pretraining.num_snapshots)
    check_probe(sweep)


def check_field(path: str, field: Any, value: Any) -> None:
    """`check_value` of a field that is to be run: there, nothing and arrays are refused as well.

    Raises:
      ConfigError: also for a plug-in's field that holds another kind of plug-in.
    """
    check_value(path, field, value)
    if value is None and field.default is None:
        return
    if kind := plugins.kind_of(field):
        kind.taken(path, value, names=False)
    what = kind_of(field)
    if not isinstance(value, CLASSES.get(what, object)):
        raise ConfigError(f"{path}: is {shown(value)}, must be {what}")


def check_axis(path: str, field: Any, values: tuple) -> None:
    """Raises ConfigError for values of an axis that can't be."""
    if len(values) == 0:
        raise ConfigError(f"axes.{path}: needs at least one value")
    is_plugin = plugins.kind_of(field) is not None
    if path in SHAPES or (is_plugin and path.startswith("probe")):
        raise ConfigError(f"axes.{path}: can't be an axis: it sets the results' shape")
    if is_plugin:
        for plugin in values:
            for inner, field, value in struct.walk(plugin, f"axes.{path}"):
                check_field(inner, field, value)
        plugins.labels(path, values)
        return
    if len({_as_held(value) for value in values}) < len(values):
        raise ConfigError(
            f"axes.{path}: has a value twice, in 32 bits: {', '.join(map(str, values))}"
        )
    for value in values:
        if not isinstance(value, (bool, int, float, str)):
            raise ConfigError(f"axes.{path}: can't be an axis: its values are no numbers")
        check_value(f"axes.{path}", field, value)


def check_shapes(sweep: Sweep) -> None:
    """Raises ConfigError if the results of different tasks have different shapes."""
    sizes = {e.task.max_difficulty for e in sweep.settings()} if "task" in sweep.axes else {1}
    if len(sizes) > 1:
        listed = " and ".join(map(str, sorted(sizes)))
        raise ConfigError(
            f"axes.task: max_difficulty is {listed}, must be the same for all; "
            "base.task.max_difficulty sets it"
        )


def check_probe(sweep: Sweep) -> None:
    """Raises ConfigError if the probe measures other things of different tasks."""
    if (probe := sweep.base.probe) is None:
        return
    tasks = {id(e.task): e.task for e in sweep.settings()}.values()
    found = [{name: m.dims for name, m in probe.metrics(task).items()} for task in tasks]
    if any(dims != found[0] for dims in found):
        raise ConfigError(
            f"base.probe: {type(probe).__name__} measures other things of different tasks; "
            "they can't be an axis"
        )


def check_setting(experiment: Any, num_snapshots: int, prefix: str = "base.") -> None:
    """Raises ConfigError for fields of one setting that don't fit together.

    Args:
      prefix: what the experiment's own fields are called by.
    """
    largest = experiment.task.max_difficulty
    limit = f"the task's maximum, {prefix}task.max_difficulty = {largest}"
    found, wanted = problem_len(experiment.warm_task), problem_len(experiment.task)
    if found != wanted:
        raise ConfigError(
            f"{prefix}base_task: its prompt and completion have {found} tokens, "
            f"must have those of {prefix}task, {wanted}"
        )
    if experiment.base_difficulty > largest:
        raise ConfigError(
            f"{prefix}base_difficulty: is {experiment.base_difficulty}, above {limit}"
        )
    lowest, highest = experiment.curriculum.bounds(experiment.num_rounds)
    if highest > largest:
        raise ConfigError(f"{prefix}curriculum: reaches difficulty {highest}, above {limit}")
    if lowest > highest:
        raise ConfigError(f"{prefix}curriculum: starts at {lowest}, above where it ends, {highest}")
    for path, plugin, line in requirements.unmet(experiment):
        raise ConfigError(f"{prefix}{line} (for {type(plugin).__name__} as {prefix}{path})")
    try:
        of_plugins(experiment)
    except ConfigError as error:
        raise ConfigError(f"{prefix}{error}") from error
    if not -num_snapshots <= experiment.snapshot < num_snapshots:
        raise ConfigError(
            f"{prefix}snapshot: is {experiment.snapshot}, must lie in [{-num_snapshots}, "
            f"{num_snapshots - 1}] (pretraining.num_snapshots = {num_snapshots})"
        )


def check_model(path: str, model: TransformerConfig, longest: int) -> None:
    """Raises ConfigError for sizes that don't fit together, or sequences too long for them."""
    if model.width % (2 * model.num_heads):
        raise ConfigError(
            f"{path}.width: is {model.width}, must be a multiple of "
            f"2 x num_heads = {2 * model.num_heads}"
        )
    if model.position == "learned" and model.max_len < longest:
        raise ConfigError(
            f"{path}.max_len: is {model.max_len}, must be at least {longest}, "
            "the tokens of the task's longest sequence"
        )


def problem_len(task: Any) -> tuple[int, int]:
    """Tokens of a task's prompts and of its completions."""
    return task.prompt_len, task.completion_len


def check_size(sweep: Sweep) -> None:
    """Raises ConfigError for more runs or results than a computer holds."""
    num_runs = math.prod(sweep.shape) * sweep.num_seeds
    if num_runs > MAX_RUNS:
        raise ConfigError(f"axes, num_seeds: make {num_runs:.3g} runs, at most {MAX_RUNS:,} can be")
    row = sweep.base.task.max_difficulty + len(METRICS)
    needed = 4 * num_runs * (sweep.base.num_rounds + 1) * row
    if needed > MAX_BYTES:
        raise ConfigError(
            f"base.num_rounds, base.task.max_difficulty, axes, num_seeds: the results would have "
            f"{needed:.3g} bytes, at most {MAX_BYTES:,} can be"
        )


def check_design(sweep: Sweep) -> None:
    """Raises ConfigError for a number of runs that the design doesn't have."""
    if sweep.design != "balanced" and sweep.num_runs != 1:
        raise ConfigError(f"num_runs: is {sweep.num_runs}, which is for --design balanced")
    if sweep.num_runs > sweep.num_seeds:
        raise ConfigError(
            f"num_runs: is {sweep.num_runs}, must be at most num_seeds = {sweep.num_seeds}, the "
            "bases of the pool; --num-runs lowers it"
        )


def check_trace(sweep: Sweep) -> None:
    """Raises ConfigError for a traced sweep without the axes that tracing needs."""
    if sweep.trace and not adaptive.can_trace(sweep):
        found = ", ".join(f"{path} ({len(values)})" for path, values in sweep.axes.items())
        raise ConfigError(
            f"trace: needs two axes of numbers, {adaptive.ALONG} and another, with at least 2 "
            f"values each; there are {found or 'none'}"
        )


def check_engine(sweep: Sweep) -> None:
    """Raises ConfigError for an engine that can't be had, or that the other fields don't fit."""
    is_address = re.fullmatch(r"[^\s/]+:\d{1,5}", sweep.ray_address)
    if sweep.ray_address not in ("local", "auto") and not is_address:
        raise ConfigError(
            f"ray_address: is {sweep.ray_address!r}, must be local, auto or HOST:PORT, "
            "without ray://"
        )
    if sweep.engine != "ray":
        if sweep.ray_address != "local":
            raise ConfigError("ray_address: is for --engine ray")
        return
    if sweep.placement != "tiles":
        raise ConfigError(
            f"engine: ray runs every tile by itself, not by one program on all devices "
            f"(placement is {sweep.placement}): add --placement tiles"
        )
    if importlib.util.find_spec("ray") is None:
        raise ConfigError("engine: ray is not installed: pip install -e '.[ray]'")


def check_number(path: str, value: str, words: tuple[str, ...]) -> None:
    """Raises ConfigError unless the value is one of some words or a positive number."""
    if value not in words and not re.fullmatch("0*[1-9][0-9]{0,8}", value):
        raise ConfigError(
            f"{path}: is {value!r}, must be {', '.join(words)}, or a number of at least 1"
        )


def _as_held(value: Any) -> Any:
    """A value as the loop holds it: floats have 32 bits there."""
    with np.errstate(all="ignore"):  # what is too large is refused by its range
        return float(np.float32(value)) if isinstance(value, float) else value
