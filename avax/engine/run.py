"""Runs a sweep from configuration to results on disk."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import jax
import numpy as np
import xarray as xr

from avax import results
from avax.engine import platform, tiles
from avax.engine.admission import Admission, admit
from avax.engine.bases import base_policies, base_shapes
from avax.engine.cluster import hosts
from avax.engine.cluster.peers import batches, open_store
from avax.engine.cluster.ray import Cluster, connect
from avax.engine.durable import checkpoint, keeper, resume
from avax.engine.durable.keeper import Keeper
from avax.engine.durable.resume import CHECKPOINTS
from avax.engine.durable.signals import Stop
from avax.engine.durable.survival import ResumableRunner
from avax.engine.plan import Plan, compile_plans
from avax.engine.progress import Meter, say
from avax.engine.segments import Run
from avax.engine.width import check_bases, known_width, measured_width
from avax.loop import Experiment
from avax.sweeps import adaptive, design, stacking, tables
from avax.sweeps.sweep import Sweep
from avax.types import Policy

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


class Engine:
    """Runs sweeps one after the other; those of one structure share their compiled programs.

    Attributes:
      seconds: wall time spent so far.
    """

    def __init__(self, bases_dir: pathlib.Path, stop: Stop | None = None):
        """Base policies are kept in `bases_dir` for reuse; `stop` may end `execute`."""
        platform.git_commit()  # remembered now, while files are those that were loaded
        self.seconds = Seconds()
        self._bases_dir, self._stop = bases_dir, stop or Stop()
        self._runs: dict[Any, Run] = {}
        self._said: set[str] = set()  # of the bases, which parts of an experiment may share

    def execute(
        self, config: Sweep, out: pathlib.Path, note: Callable[[xr.Dataset], str] = lambda d: ""
    ) -> xr.Dataset:
        """Runs a validated sweep and writes the results to `out`: every setting and seed, or those
        that trace the boundary or are in the design, the others NaN. Continues what `out` already
        holds of it.

        Args:
          out: a claimed folder.
          note: a few words on the results so far, for the progress line.

        Returns:
          The results; on processes other than the first, a dataset full of NaN.

        Raises:
          Stopped: everything that was done is saved.
          ResultsError: if `out` can't be written to.
          ClusterError: if tiles can't be run on the cluster.
          ConfigError: if the sizes are beyond what the machine or the compiler can do, or too few
            bases meet the criterion.
        """
        settings, groups = self._groups(config)
        keep = self._resolve_keep(config, settings)
        bases = [self.bases(config, settings[group[0]]) for group in groups]
        pool = self._admit(config, [settings[group[0]] for group in groups])
        before = resume.begun(out) if hosts.is_first() else None
        widths = resume.known_widths(config, before) or [None] * len(groups)
        with self.seconds.count("compilation"):
            plans = [
                self._plan(config, settings, *of_group)
                for of_group in zip(groups, bases, widths, strict=True)
            ]
        facts = resume.facts(config, [plan.run.width for plan in plans])
        kept = Keeper(out, config, keep, before is not None)
        blank = tables.empty_dataset(config, pool.worst, pool.admitted)
        writer = open_store(out, blank, facts, before, kept.flush)
        total, silent = None if config.trace else len(config.same), not hosts.is_first()
        notes, place = (lambda: note(writer.dataset)), out / CHECKPOINTS
        per = design.per_setting(config, pool.admitted)
        with Meter(total, "settings", notes, per, silent=silent) as meter:
            for batch in batches(config, writer.dataset):
                for group, own_bases, plan in zip(groups, bases, plans, strict=True):
                    if asked := [i for i in group if i in batch]:
                        of_group = settings, asked, own_bases, pool.made
                        members, runs = stacking.stack_members(config, *of_group)
                        about = plan.run, config.segment, place, facts, self._stop.asked
                        runner = ResumableRunner(*about, meter.part, keep)
                        cells = partial(stacking.cells, config)
                        self._run(runner, plan, (members, runs, cells), writer, kept, meter)
        writer.close()
        if not hosts.is_first():
            return writer.dataset
        shutil.rmtree(place, ignore_errors=True)
        return self._finished(config, out, writer, plans, pool)

    def _admit(self, config, experiments) -> Admission:
        """What of the bases there are; says, once, which were left out."""
        found = admit(config, experiments, self._bases_dir)
        if found.line and found.line not in self._said and hosts.is_first():
            say(found.line)
        self._said.add(found.line)
        return found

    def _resolve_keep(self, config, settings) -> str:
        """What is kept of the policies; says what of the sweep may be a surprise."""
        keep = keeper.what_to_keep(config, settings[0])
        lines = config.notes()
        if keep == "none" != config.keep_policies:
            size = keeper.bytes_of_last(config, settings[0]) / 1e6
            lines.append(
                f"trained policies, {size:.0f} MB, are not kept; --keep-policies last keeps them"
            )
        for line in lines if hosts.is_first() else ():
            say(line)
        return keep

    def _finished(self, config, out, writer, plans, pool) -> xr.Dataset:
        """The results, from disk; what was there before stays if it was whole."""
        most, is_kept = 2 * writer.dataset.nbytes, writer.kept[pool.made.ravel()].all()
        if not (is_kept and results.is_whole(out, most)):
            earlier = resume.earlier_provenance(out) if is_kept else None
            seeds = writer.dataset.seed.values[~pool.admitted].tolist()
            provenance = earlier or self._provenance(config, plans, int(writer.kept.sum()), seeds)
            stored = {"digest": config.digest(), **writer.dataset.attrs["config"]}
            results.finish(out, stored, writer.dataset, provenance)
        return results.load(out, most)

    def _provenance(self, config, plans, num_kept, left_out) -> dict[str, Any]:
        return {
            "versions": platform.versions(),
            "git_commit": platform.git_commit(),
            "device": f"{len(jax.devices())} x {platform.device_kind()}",
            "tile_width": [plan.run.width for plan in plans],
            "placement": config.placement,
            "engine": config.engine,
            "optimization": config.optimization,
            "left_out": left_out,  # seeds whose bases don't meet the criterion
            "common_random_numbers": config.common_random_numbers,
            "seconds": dataclasses.asdict(self.seconds),
            "num_kept": num_kept,  # runs that earlier processes did, in seconds not counted here
        }

    def prepare(self, configs: Iterable[Sweep]) -> None:
        """Compiles the programs of several sweeps at the same time; finds the cluster they need.

        Not those of a tile width that has to be measured: that takes a machine with nothing to do.

        Raises:
          ClusterError: if it can't be reached.
          ConfigError: if the sizes are beyond what the machine or the compiler can do.
        """
        configs = list(configs)
        for config in configs:
            self._groups(config)  # or it is refused
            if config.engine == "ray":
                connect(config.ray_address)
        plans = [p for c in configs if c.tile_width != "auto" for p in self._plans(c)]
        with self.seconds.count("compilation"):
            compile_plans(plans)

    def _plans(self, config):
        settings, groups = self._groups(config)
        for group in groups:
            first = settings[group[0]]
            bases = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), base_shapes(config, first))
            yield self._plan(config, settings, group, bases)

    def _groups(self, config):
        """All settings, and the indices of those that share a structure, if there is memory."""
        settings = config.settings()
        groups = stacking.groups(config)
        for group in groups:
            first = settings[group[0]]
            num_copies = adaptive.most_runs(config, len(group)) * first.num_bases
            check_bases(base_shapes(config, first), num_copies)
        return settings, groups

    def bases(self, config: Sweep, experiment: Experiment) -> Policy:
        """Base policies of an experiment's runs; see `base_policies`."""
        with self.seconds.count("pretraining"):
            return hosts.share_arrays(
                partial(base_policies, config, experiment, self._bases_dir),
                partial(base_shapes, config, experiment),
            )

    def _plan(
        self,
        config: Sweep,
        settings: list[Experiment],
        group: list[int],
        bases: Policy,
        width: int | None = None,
    ) -> Plan:
        """What settings that share a structure, given by their indices, are run with."""
        members, _ = stacking.stack_members(config, settings, group[:MEASURED], bases)
        devices = jax.devices()
        num_runs = adaptive.most_runs(config, len(group))
        width = width or known_width(config.tile_width, num_runs)
        width = width or measured_width(members, num_runs, devices)
        # A program is compiled for its shapes.
        shapes = [(x.shape[1:], str(x.dtype)) for x in jax.tree.leaves(members)]
        key = jax.tree.structure(members), tuple(shapes), width, config.optimization
        if key not in self._runs:
            self._runs[key] = Run(members, width, config.optimization)
        units = tiles.make_units(config.placement, devices, -(-num_runs // width))
        cluster = None
        if config.engine == "ray":
            stop = self._stop.asked
            keep = keeper.what_to_keep(config, settings[group[0]])
            cluster = Cluster(config.ray_address, width, config.optimization, stop, keep)
        return Plan(self._runs[key], units, num_runs, cluster)

    def _run(self, runner, plan, asked, writer, kept, meter) -> None:
        """Runs settings that share a structure, all seeds of each."""
        members, runs, cells = asked
        rows, places = cells(runs)
        is_kept = np.ones(len(runs), bool)
        np.logical_and.at(is_kept, rows, writer.kept[places])
        if is_kept.any():
            writer.put_kept(places[is_kept[rows]])
            meter.add(int(is_kept.sum()), kept=True)
        # Of the others alone: where tiles were done as a whole, those that are left stay the same.
        left = np.flatnonzero(~is_kept)
        size = plan.run.width * len(plan.units[0])
        todo = [left[indices] for indices in tiles.tile_indices(len(left), size)]

        def on_tile(indices, outcome):
            if not hosts.is_first():
                return  # even where the folder is there: it may be the first one's
            saved = runner.place_of(runs[indices])
            rows, places = cells(runs[indices])
            outcome = jax.tree.map(lambda x: x[rows], outcome)
            try:
                kept.put(places, outcome.policies)
                writer.put(places, outcome.metrics)
                if saved.exists() or runner.is_worth_saving(runs[indices]):
                    writer.flush()  # first: a tile is at all times either there or here
                    checkpoint.forget(saved)
            except BaseException:
                self._stop.asked.set()  # nobody waits for the other tiles' ends
                raise
            meter.add(len(indices), saved)

        if not todo:
            return
        with self.seconds.count("compilation"):
            compile_plans([plan])
        with self._stop.waited_for(), self.seconds.count("running"), meter.running():
            try:
                if plan.cluster:
                    plan.cluster.run_tiles(members, on_tile, todo)
                else:
                    tiles.run_tiles(runner, (members, runs), plan.units, on_tile, todo)
            finally:
                writer.flush()
