"""What a plug-in needs of those it is combined with, said before anything runs.

Any plug-in, at any depth, may have a method `requires(context) -> str | None`: one line that names
a field of the experiment, what it is and what it must be; None if nothing is missing. A combination
that runs but can't mean what it says is refused like one that can't run. Imports no JAX.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from avax import struct

if TYPE_CHECKING:
    from avax.loop import Experiment

# What a task's problems may have, in its `features`; a task that has none need not say so.
FEATURES = {
    "operator": "two operands, as in addition",
    "long_carry": "problems whose carry runs through two columns or more, as in addition",
    "marks": "questions whether a sum is right, as in `judged`",
    "steps": "questions for one simplification, as in `scratchpad`",
}


class Context(NamedTuple):
    """What a plug-in stands in."""

    experiment: Experiment
    sampler: Any  # what samples the completions that it sees: a learner, or a probe
    path: str  # of the sampler, in the experiment

    def min_bases(self, number: int) -> str | None:
        """The line of a plug-in that needs so many base policies."""
        if self.experiment.num_bases >= number:
            return None
        return f"num_bases: is {self.experiment.num_bases}, must be at least {number}"

    def has_round(self, field: str, number: int) -> str | None:
        """The line of what happens in a round, which a field names."""
        last = self.experiment.num_rounds
        return None if number <= last else f"{field}: is {number}, the last round is {last}"

    def not_greedy(self) -> str | None:
        """The line of a plug-in to which greedy completions of the policy say nothing."""
        if getattr(self.sampler, "temperature", None) != 0:
            return None
        return f"{self.path}.temperature: is 0, must be above 0, else it accepts everything"

    def task_has(self, feature: str) -> str | None:
        """The line of a plug-in that needs one of FEATURES in the loop's problems."""
        return _lacks("task", self.experiment.task, feature)

    def task_can(self, method: str) -> str | None:
        """The line of a plug-in that needs an optional method of the loop's task."""
        if hasattr(task := self.experiment.task, method):
            return None
        return f"task: is {type(task).__name__}, must have a method {method}"

    def base_has(self, feature: str) -> str | None:
        """The line of a plug-in that needs one of FEATURES in the base policy's training."""
        own = self.experiment.base_task is not None
        return _lacks("base_task" if own else "task", self.experiment.warm_task, feature)


def _lacks(path: str, task: Any, feature: str) -> str | None:
    if feature in getattr(task, "features", ()):
        return None
    return f"{path}: is {type(task).__name__}, must have {FEATURES[feature]}"


def unmet(experiment: Experiment) -> Iterator[tuple[str, Any, str]]:
    """(path, plug-in, line) of each plug-in that lacks something."""
    plugins = [(p, v) for p, _, v in struct.walk(experiment) if hasattr(v, "requires")]
    for path, plugin in plugins:
        for context in _contexts(experiment, path):
            if line := plugin.requires(context):
                yield path, plugin, line


def sampler(experiment: Experiment) -> tuple[str, Any]:
    """The learner that samples the round's completions, and its path: that within all wrappers."""
    path, learner = "learner", experiment.learner
    while hasattr(learner, "learner"):
        path, learner = f"{path}.learner", learner.learner
    return path, learner


def _contexts(experiment: Experiment, path: str) -> Iterator[Context]:
    """Where a plug-in is asked: beside the sampler that holds it, else beside the learner, and the
    loop's own verifier also beside each probe that asks it.
    """
    parts = path.split(".")
    for depth in range(len(parts), 0, -1):
        above = ".".join(parts[:depth])
        if hasattr(struct.get(experiment, above), "num_samples"):
            yield Context(experiment, struct.get(experiment, above), above)
            return
    above, learner = sampler(experiment)
    yield Context(experiment, learner, above)
    if parts[0] == "verifier":
        for probe, _, value in struct.walk(experiment):
            if probe.startswith("probe") and hasattr(value, "verifiers"):
                yield Context(experiment, value, probe)
