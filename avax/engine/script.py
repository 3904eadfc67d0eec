"""An experiment script from its command line to its figure, the same for all."""

from __future__ import annotations

import pathlib
import shlex
import signal
import sys
import time
from collections.abc import Iterable
from types import ModuleType

import xarray as xr

from avax import plotting, results, store
from avax.analysis import phase, trace
from avax.engine import cli, design, platform, resume
from avax.engine.cluster import ClusterError
from avax.engine.progress import say
from avax.engine.signals import Stop, leave
from avax.engine.study import Engine, Seconds
from avax.engine.survival import Stopped
from avax.engine.sweep import Sweep
from avax.engine.validate import ConfigError


def main(started: float, config: ModuleType, figure: ModuleType) -> None:
    """Runs the sweeps that the command line asks for, draws them and says what was found.

    Args:
      started: `time.perf_counter()` before anything was imported.
      config: has CHOICES, build(**choices), the sweep that flags change, and parts(sweep): all that
        is run, by folder below the results' ("" is that folder itself). ConfigError from it ends
        the program in one line.
      figure: has draw and summary; both take the parts' datasets in their order.
    """
    name = config.__name__.rpartition(".")[2]
    command = cli.parse(name, config.__doc__, config.CHOICES, config.build)
    try:
        parts = config.parts(command.sweep)
    except ConfigError as error:
        cli.fail(str(error))
    sweeps = {command.out / part: design.trace_if_possible(s) for part, s in parts.items()}
    platform.configure()
    try:
        held = resume.claim(sweeps, command.resume)
    except results.ResultsError as error:
        cli.fail(str(error))

    imported = time.perf_counter() - started
    stop = Stop()
    engine = Engine(command.bases, stop)
    with held, stop.listening():
        datasets = run(engine, sweeps, stop)
        paths = plotting.save(figure.draw(*datasets), command.out / "figure")

    print(figure.summary(*datasets))
    print_paths(sweeps, paths)
    print_times(imported, engine.seconds)


def run(engine: Engine, sweeps: dict[pathlib.Path, Sweep], stop: Stop) -> list[xr.Dataset]:
    """The results of all sweeps; if they can't be had, ends the program in one line.

    The status is 130 or 143 if the program was stopped by SIGINT or SIGTERM, and 2 if results
    can't be written or continued, tiles don't fit in memory, or a cluster fails.
    """
    try:
        engine.prepare(sweep for out, sweep in sweeps.items() if not store.is_complete(out))
        return [engine.execute(sweep, out, _note) for out, sweep in sweeps.items()]
    except Stopped:
        number = stop.number or signal.SIGTERM
        again = shlex.join([pathlib.Path(sys.executable).name, *sys.argv])
        say(f"stopped by {signal.Signals(number).name}; what is done is saved, to go on: {again}")
        sys.exit(128 + number)
    except (results.ResultsError, ConfigError, ClusterError) as error:
        say(f"error: {' '.join(str(error).split())}")
        leave(2)


def _note(dataset: xr.Dataset) -> str:
    """Runs that improved and collapsed so far; how much of the boundary is traced, if it is."""
    improved, collapsed = phase.counts(phase.order_parameter(dataset).values)
    words = f"{improved} runs improved, {collapsed} collapsed"
    if not dataset.attrs["config"]["trace"]:
        return words
    values = design.ray_values(dataset)
    return f"{trace.num_traced(values)} of {len(values)} rays traced, {words}"


def print_paths(folders: Iterable[pathlib.Path], figures: Iterable[pathlib.Path]) -> None:
    """What was written, one path a line."""
    files = (results.STORE, results.CONFIG, results.PROVENANCE)
    for path in (*(folder / name for folder in folders for name in files), *figures):
        print(path)


def print_times(imported: float, seconds: Seconds) -> None:
    """The wall time and what it was spent on."""
    parts = {
        "import": imported,
        "pretraining": seconds.pretraining,
        "compilation": seconds.compilation,
        "running": seconds.running,
    }
    listed = ", ".join(f"{name} {s:.1f} s" for name, s in parts.items())
    print(f"wall time {sum(parts.values()):.1f} s: {listed}")
