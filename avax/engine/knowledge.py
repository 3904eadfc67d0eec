"""What base policies know: those that diverged are refused, those that know little are named, and
those that don't meet the sweep's criterion are left out.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from avax import metrics
from avax.engine import tiles
from avax.engine.program import Program
from avax.engine.progress import say
from avax.fields import ConfigError
from avax.sweeps.sweep import Sweep
from avax.types import Policy, Task

LITTLE = 0.5  # share of its own problems that a policy is right on
# Of each difficulty. The standard error of a share of 0.95 is 0.015.
NUM_PROBLEMS = 200
# By this process, f32[D] of each base: many settings may have the same ones.
_measured: dict[pathlib.Path, np.ndarray] = {}


def diverged(trees: Mapping[int, Any]) -> list[int]:
    """The seeds of trees, by seed, that hold a number that is not finite or absurd."""

    def is_sane(tree):
        return all((np.abs(x) < metrics.MAX_PARAMETER).all() for x in jax.tree.leaves(tree))

    return [seed for seed, tree in trees.items() if not is_sane(tree)]


def refuse_diverged(config: Sweep, trees: Mapping[int, Any]) -> None:
    """Raises ConfigError if base policies or their losses, by seed, are not finite or absurd."""
    if seeds := diverged(trees):
        raise ConfigError(
            f"pretraining.learning_rate: is {config.pretraining.learning_rate}, and base policies "
            f"diverged (seeds {listed(seeds)}): nothing can be run from them; choose a lower "
            "--pretraining.learning-rate"
        )


def name_poor(task: Task, bases: Mapping[pathlib.Path, tuple[int, Policy]]) -> None:
    """Says in one line which policies are wrong on most problems of what they were trained on.

    Args:
      task: of their training.
      bases: seed and snapshots, of which the last one is measured, by where they are kept.
    """
    new = {path: base for path, base in bases.items() if path not in _measured}
    if not new:
        return
    found = accuracies(task, [policy for _, policy in new.values()])
    _measured.update(zip(new, found, strict=True))
    shares = {seed: _measured[path].mean() for path, (seed, _) in new.items()}
    if poor := [f"{share:.0%} (seed {seed})" for seed, share in shares.items() if share < LITTLE]:
        say(
            f"base policies know little of what they were trained on: {', '.join(poor)} of it is "
            "right, and what is measured from them says little; more --pretraining.num-updates or "
            "another --pretraining.learning-rate may help"
        )


def worst(paths: Iterable[pathlib.Path]) -> list[float]:
    """The accuracy of bases, which `name_poor` was told of, where each is worst."""
    return [float(_measured[path].min()) for path in paths]


def accuracies(task: Task, bases: Sequence[Policy]) -> np.ndarray:
    """f32[N, D]: the greedy accuracy of the last snapshot of each, by difficulty, on problems that
    are drawn for this alone, the same for all.
    """

    def accuracy(policy):
        problems = metrics.eval_problems(task, NUM_PROBLEMS, jax.random.key(0))
        return metrics.of_policy(policy, problems)["accuracy_by_difficulty"]

    last = jax.tree.map(lambda *each: np.stack([x[-1] for x in each]), *bases)
    # A program that is compiled once for any number of them, and hardly runs.
    program = Program(accuracy, (last,), width=1, optimization=0)
    return tiles.run_all(program, (last,), [(jax.local_devices()[0],)])


def listed(seeds: Iterable[int]) -> str:
    """Seeds in words."""
    return ", ".join(map(str, seeds))
