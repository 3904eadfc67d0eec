"""Runs a sweep from configuration to results on disk."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from avax import results, store, struct
from avax.engine import checkpoint, design, platform, program, resume, sweep, tiles
from avax.engine.bases import base_policies, base_shapes
from avax.engine.program import Unit
from avax.engine.progress import SweepProgress, say
from avax.engine.resume import CHECKPOINTS
from avax.engine.segments import Run
from avax.engine.signals import Stop
from avax.engine.survival import Survivor
from avax.engine.sweep import Sweep
from avax.engine.width import check_memory, tile_width
from avax.loop import Experiment
from avax.metrics import DIMENSIONS, METRICS
from avax.types import MISTAKES, Policy

MEASURED = 8  # settings that a tile width is measured on


@dataclasses.dataclass
class Seconds:
    """Wall time by what it was spent on."""

    pretraining: float = 0.0
    compilation: float = 0.0
    running: float = 0.0

    @contextlib.contextmanager
    def count(self, name: str) -> Iterator[None]:
        """Adds the time that the block takes."""
        start = time.perf_counter()
        yield
        setattr(self, name, getattr(self, name) + time.perf_counter() - start)


class Plan(NamedTuple):
    """What runs of one structure are done with."""

    run: Run
    units: list[Unit]
    num_runs: int  # at most at a time


class Engine:
    """Runs sweeps one after the other; those of one structure share their compiled programs.

    Attributes:
      seconds: wall time spent so far.
    """

    def __init__(self, bases_dir: pathlib.Path, stop: Stop | None = None):
        """Base policies are kept in `bases_dir` for reuse; `stop` may end `execute`."""
        self.seconds = Seconds()
        self._bases_dir, self._stop = bases_dir, stop or Stop()
        self._commit = platform.git_commit()  # of the code that is loaded now
        self._runs: dict[Any, Run] = {}

    def execute(
        self, config: Sweep, out: pathlib.Path, note: Callable[[xr.Dataset], str] = lambda d: ""
    ) -> xr.Dataset:
        """Runs a validated sweep and writes the results to `out`: every setting and seed, or those
        that trace the boundary, the others NaN. Continues what `out` already holds of it.

        Args:
          out: a claimed folder.
          note: a few words on the results so far, for the progress line.

        Raises:
          Stopped: everything that was done is saved.
          ResultsError: if `out` can't be written to, or what it holds can't be continued.
        """
        settings = config.settings()
        groups = sweep.group_by_structure(settings)
        bases = [self._bases(config, settings[group[0]]) for group in groups]
        before = store.read_progress(out, say)
        widths = resume.recorded_widths(config, before)
        plans = []
        with self.seconds.count("compilation"):
            for i, group in enumerate(groups):
                some = group[:MEASURED]
                members, _ = stack_members(config, some, [settings[j] for j in some], bases[i])
                plans.append(self._plan(config, members, len(group), widths and widths[i]))
        facts = resume.facts(config, [plan.run.width for plan in plans])
        before = resume.check(out, before, facts)
        writer = store.Writer(out, empty_dataset(config), facts, before, say)
        total = None if config.trace else len(settings)
        with SweepProgress(total, config.num_seeds, lambda: note(writer.dataset)) as progress:
            for batch in design.batches(config, writer.dataset):
                for i, group in enumerate(groups):
                    if not (asked := [j for j in group if j in batch]):
                        continue
                    experiments = [settings[j] for j in asked]
                    members, runs = stack_members(config, asked, experiments, bases[i])
                    survivor = Survivor(
                        plans[i].run, config.segment, out / CHECKPOINTS, facts, self._stop.asked
                    )
                    self._run(survivor, plans[i], members, runs, writer, progress)
        writer.close()
        shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
        if writer.kept.all() and results.is_whole(out):
            return results.load(out)
        self._finish(out, config, plans, writer.dataset, int(writer.kept.sum()))
        return results.load(out)

    def _finish(self, out, config, plans, dataset, num_kept) -> None:
        provenance = {
            "versions": platform.versions(),
            "git_commit": self._commit,
            "device": f"{len(jax.devices())} x {jax.devices()[0].device_kind}",
            "tile_width": [plan.run.width for plan in plans],
            "placement": config.placement,
            "optimization": config.optimization,
            "seconds": dataclasses.asdict(self.seconds),
            "num_kept": num_kept,  # runs that earlier processes did, in seconds not counted here
        }
        results.finish(out, dataset, provenance)

    def prepare(self, configs: Iterable[Sweep]) -> None:
        """Compiles the programs of several sweeps at the same time.

        Not those of a tile width that has to be measured: that takes a machine with nothing to do.
        """
        plans = [p for c in configs if c.tile_width != "auto" for p in self._plans(c)]
        with self.seconds.count("compilation"):
            compile_plans(plans)

    def _plans(self, config):
        settings = config.settings()
        for group in sweep.group_by_structure(settings):
            first = settings[group[0]]
            bases = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), base_shapes(config, first))
            members, _ = stack_members(config, group[:1], [first], bases)
            yield self._plan(config, members, len(group))

    def _bases(self, config, experiment):
        with self.seconds.count("pretraining"):
            return base_policies(config, experiment, self._bases_dir)

    def _plan(
        self, config: Sweep, members: tuple, num_settings: int, width: int | None = None
    ) -> Plan:
        """What settings that share a structure are run with, given some of their runs."""
        devices = jax.local_devices()
        num_runs = min(num_settings, design.largest_batch(config)) * config.num_seeds
        width = width or tile_width(config.tile_width, members, num_runs, devices)
        # A program is compiled for its shapes.
        shapes = [(x.shape[1:], str(x.dtype)) for x in jax.tree.leaves(members)]
        key = jax.tree.structure(members), tuple(shapes), width, config.optimization
        if key not in self._runs:
            self._runs[key] = Run(members, width, config.optimization)
        units = tiles.make_units(config.placement, devices, -(-num_runs // width))
        return Plan(self._runs[key], units, num_runs)

    def _run(self, survivor, plan, members, runs, writer, progress) -> None:
        """Runs settings that share a structure, all seeds of each."""
        todo = []
        for indices in tiles.tile_indices(len(runs), plan.run.width * len(plan.units[0])):
            if writer.kept[runs[indices]].all():
                writer.put_kept(runs[indices])
                progress.keep(len(indices))
            else:
                todo.append(indices)

        def on_tile(indices, metrics):
            saved = survivor.place_of(runs[indices])
            try:
                writer.put(runs[indices], metrics)
                if saved.exists():
                    writer.flush()  # first: a tile is at all times either there or here
                    checkpoint.forget(saved)
            except BaseException:
                self._stop.asked.set()  # nobody waits for the other tiles' ends
                raise
            progress.add(len(indices))

        if not todo:
            return
        with self.seconds.count("compilation"):
            compile_plans([plan])
        progress.start_running()
        with self._stop.waited_for(), self.seconds.count("running"):
            try:
                tiles.run_tiles(survivor, (members, runs), plan.units, on_tile, todo)
            finally:
                writer.flush()


def compile_plans(plans: Iterable[Plan]) -> None:
    """Compiles what is not compiled yet, all at the same time; ConfigError if it needs too much."""
    pairs = dict.fromkeys((plan.run, unit) for plan in plans for unit in plan.units)
    todo = [(p, u) for run, u in pairs for p in run.programs() if not p.is_compiled(u)]
    if todo:
        say(f"compiling {len(todo)} programs")
    program.compile_all(todo)
    for run, unit in pairs:
        check_memory(run, unit)


def stack_members(
    config: Sweep, group: list[int], experiments: list[Experiment], bases: Policy
) -> tuple[tuple, np.ndarray]:
    """Settings x seeds as (experiments, bases, keys) with a leading axis, and the runs' indices.

    A run's bases are those of its own seed and of the `num_bases` - 1 seeds that follow.
    """
    seeds = range(config.seed, config.seed + config.num_seeds)
    pairs = [(e, i) for e in experiments for i in range(config.num_seeds)]
    stacked = sweep.stack([e for e, _ in pairs])
    keys = jnp.stack([sweep.run_key(e, s) for e in experiments for s in seeds])
    own_seeds = np.array([i for _, i in pairs])[:, None] + np.arange(stacked.num_bases)
    snapshots = np.array([e.snapshot for e, _ in pairs])[:, None]
    own_bases = jax.tree.map(lambda x: np.asarray(x)[own_seeds, snapshots], bases)
    runs = np.array([g * config.num_seeds + i for g in group for i in range(config.num_seeds)])
    return (stacked, own_bases, keys), runs


def empty_dataset(config: Sweep) -> xr.Dataset:
    """The results' dataset, full of NaN: axes, then seed and round, then what a metric has."""
    names = sweep.dimension_names(config.axes, config.base)
    axes = {names[path]: values for path, values in config.axes.items()}
    coords: dict[str, Any] = axes | {
        "seed": range(config.seed, config.seed + config.num_seeds),
        "round": range(config.base.num_rounds + 1),
        "difficulty": range(1, config.base.task.max_difficulty + 1),
        "mistake": MISTAKES,
    }
    probed = sweep.probe_metrics(config.base)
    coords |= {name: values for m in probed.values() for name, values in m.dims.items()}
    dims = (*axes, "seed", "round")
    shapes = {name: (*dims, *DIMENSIONS.get(name, ())) for name in METRICS}
    shapes |= {name: (*dims, *metric.dims) for name, metric in probed.items()}
    about = METRICS | {name: metric.about for name, metric in probed.items()}
    return results.template(coords, shapes, about).assign_attrs(config=struct.to_dict(config))
