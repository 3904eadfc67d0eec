"""Runs a sweep from configuration to results on disk."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from avax import results, struct
from avax.engine import design, platform, sweep, tiles
from avax.engine.bases import base_policies, base_shapes
from avax.engine.progress import SweepProgress, say
from avax.engine.sweep import Sweep
from avax.loop import Experiment
from avax.metrics import DIMENSIONS, METRICS
from avax.types import MISTAKES, Policy


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

    program: tiles.Program
    units: list[tiles.Unit]


class Engine:
    """Runs sweeps one after the other; those of one structure share their compiled programs.

    Attributes:
      seconds: wall time spent so far.
    """

    def __init__(self, bases_dir: pathlib.Path):
        """Base policies are kept in `bases_dir` for reuse."""
        self.seconds = Seconds()
        self._bases_dir = bases_dir
        self._commit = platform.git_commit()  # of the code that is loaded now
        self._programs: dict[Any, tiles.Program] = {}

    def execute(
        self, config: Sweep, out: pathlib.Path, note: Callable[[xr.Dataset], str] = lambda d: ""
    ) -> xr.Dataset:
        """Runs a validated sweep and writes the results to `out`: every setting and seed, or those
        that trace the boundary, the others NaN.

        Args:
          out: a claimed folder.
          note: a few words on the results so far, for the progress line.
        """
        settings = config.settings()
        groups = sweep.group_by_structure(settings)
        bases = [self._bases(config, settings[group[0]]) for group in groups]
        writer = results.Writer(out, empty_dataset(config))
        plans: dict[int, Plan] = {}
        total = None if config.trace else len(settings)
        with SweepProgress(total, config.num_seeds, lambda: note(writer.dataset)) as progress:
            for batch in design.batches(config, writer.dataset):
                for i, group in enumerate(groups):
                    if not (asked := [j for j in group if j in batch]):
                        continue
                    experiments = [settings[j] for j in asked]
                    members, runs = stack_members(config, asked, experiments, bases[i])
                    if i not in plans:
                        with self.seconds.count("compilation"):
                            plans[i] = self._plan(config, members, len(group))
                            plans[i].program.compile_all(plans[i].units)
                    self._run(plans[i], members, runs, writer, progress)
        writer.flush()
        provenance = {
            "versions": platform.versions(),
            "git_commit": self._commit,
            "device": f"{len(jax.devices())} x {jax.devices()[0].device_kind}",
            "tile_width": [plans[i].program.width for i in sorted(plans)],
            "placement": config.placement,
            "optimization": config.optimization,
            "seconds": dataclasses.asdict(self.seconds),
        }
        results.finish(out, writer.dataset, provenance)
        return results.load(out)

    def prepare(self, configs: Iterable[Sweep]) -> None:
        """Compiles the programs of several sweeps at the same time.

        Not those of a tile width that has to be measured: that takes a machine with nothing to do.
        """
        plans = [p for c in configs if c.tile_width != "auto" for p in self._plans(c)]
        todo = dict.fromkeys((plan.program, unit) for plan in plans for unit in plan.units)
        if len(todo) > 1:
            say(f"compiling {len(todo)} programs")
        with self.seconds.count("compilation"):
            tiles.compile_all(todo)

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

    def _plan(self, config: Sweep, members: tuple, num_settings: int) -> Plan:
        """What settings that share a structure are run with, given some of their runs."""
        devices = jax.local_devices()
        num_runs = min(num_settings, design.largest_batch(config)) * config.num_seeds
        width = tile_width(config.tile_width, members, num_runs, devices)
        # A program is compiled for its shapes.
        shapes = [(x.shape[1:], str(x.dtype)) for x in jax.tree.leaves(members)]
        key = jax.tree.structure(members), tuple(shapes), width, config.optimization
        if key not in self._programs:
            program = tiles.Program(tiles.metrics, members, width, config.optimization)
            self._programs[key] = program
        units = tiles.make_units(config.placement, devices, -(-num_runs // width))
        return Plan(self._programs[key], units)

    def _run(self, plan, members, runs, writer, progress) -> None:
        """Runs settings that share a structure, all seeds of each."""

        def on_tile(indices, metrics):
            writer.put(runs[indices], metrics)
            progress.add(len(indices))

        progress.start_running()
        with self.seconds.count("running"):
            tiles.run_tiles(plan.program, members, plan.units, on_tile)


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


def tile_width(setting: str, members: tuple, num_runs: int, devices: list[jax.Device]) -> int:
    """The tile width that a setting asks for; `auto` measures and says what it found.

    Args:
      members: some of the runs.
      num_runs: the most that are run at a time.
    """
    if setting == "all":
        return num_runs
    if setting != "auto":
        return min(int(setting), num_runs)
    width, why = tiles.choose_width(*members, num_runs, devices)
    say(f"tile width {why}")
    return width


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
