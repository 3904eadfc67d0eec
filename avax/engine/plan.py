"""What settings that share a structure are run with, compiled, and refused if it is too large."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from avax.engine import program
from avax.engine.cluster import hosts
from avax.engine.cluster.ray import Cluster
from avax.engine.program import Unit
from avax.engine.progress import Meter, say
from avax.engine.segments import Run
from avax.engine.width import check_memory, check_state


class Plan(NamedTuple):
    """What runs of one structure are done with."""

    run: Run
    units: list[Unit]
    num_runs: int  # at most at a time
    cluster: Cluster | None  # runs them instead of the units


def compile_plans(plans: Iterable[Plan]) -> None:
    """Compiles what is not compiled yet, all at the same time; ConfigError if it needs too much.

    Nothing for a cluster: its workers compile.
    """
    local = [plan for plan in plans if plan.cluster is None]
    pairs = dict.fromkeys((plan.run, unit) for plan in local for unit in plan.units)
    for run, unit in pairs:
        check_state(run, unit)
    todo = [(p, u) for run, u in pairs for p in run.programs() if not p.is_compiled(u)]
    if todo and hosts.is_first():
        say(f"compiling {len(todo)} programs")
    with Meter(len(todo), "programs compiled", silent=not hosts.is_first() or not todo) as meter:
        program.compile_all(todo, lambda: meter.add(1))
    for run, unit in pairs:
        check_memory(run, unit)
