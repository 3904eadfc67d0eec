"""An experiment script from its command line to its figure, the same for all."""

from __future__ import annotations

import contextlib
import itertools
import pathlib
import shlex
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import NoReturn

import xarray as xr

from avax import plotting, results
from avax.analysis import phase, pool, trace
from avax.cli import cli, doubts, terminal
from avax.engine import platform
from avax.engine.cluster import hosts, processes
from avax.engine.cluster.ray import ClusterError
from avax.engine.durable import resume
from avax.engine.durable.signals import Stop, leave
from avax.engine.durable.survival import Stopped
from avax.engine.progress import say
from avax.engine.run import Engine, Seconds
from avax.fields import ConfigError
from avax.results import folders, roots
from avax.sweeps import adaptive, needs
from avax.sweeps.sweep import Sweep


def main(
    started: float,
    config: ModuleType,
    figure: ModuleType,
    argv: Sequence[str] | None = None,
) -> None:
    """Runs the sweeps that the command line asks for, draws them and says what was found.

    Args:
      started: `time.perf_counter()` before anything was imported.
      config: has CHOICES, build(**choices), the sweep that flags change, NEEDS, what that must be,
        and parts(sweep): all that is run, by folder below the results' ("" is that folder itself).
        ConfigError from it ends the program in one line. It may have CONTROLS, names of those that
        are run behind the parts.
      figure: has draw and summary; both take the datasets of the parts that its PARTS name, None
        for a control that is not run; if it names none, those of config's parts. If it has several
        figures, FIGURES holds their functions by name, "" being the main one.
      argv: the arguments; those of this process by default.
    """
    terminal.print_anything()
    name = config.__name__.rpartition(".")[2]
    usual = tuple(getattr(config, "CONTROLS", ()))
    command = cli.parse(name, config.__doc__, config.CHOICES, config.build, argv, usual)
    try:
        parts = needs.parts(config, command.sweep, command.controls)
        for part in parts.values():
            processes.check(command.place, part)
        asked, shipped = (command.sweep, command.controls), config.build(**command.choices)
        if asked != (shipped, usual):  # as it is shipped, it can be drawn
            needs.rehearse(figure, parts)
    except ConfigError as error:
        terminal.fail(str(error))
    sweeps = {command.out / part: sweep for part, sweep in parts.items()}
    configure(command)
    held = claim(command, sweeps, roots.Root(command.out, name, command.choices, tuple(parts)))

    imported = time.perf_counter() - started
    stop = Stop()
    engine = Engine(command.bases, stop)
    with held, stop.listening():
        datasets = run(engine, sweeps, stop)
        if not hosts.is_first():
            return
        lines = doubts.doubts(parts, datasets, command.choices.get("preset") == "smoke")
        found = needs.shown(figure, dict(zip(parts, datasets, strict=True)))
        paths = []
        for each, draw in plotting.drawings(figure).items():
            drawn = plotting.with_doubts(draw(*found), lines)
            paths += plotting.save(drawn, command.out / plotting.stem_of(each))

    print(figure.summary(*found))
    notes = [x for part in parts.values() for x in part.notes()]
    notes += [x for dataset in datasets for x in pool.left_out(dataset)]
    for line in dict.fromkeys([*lines, *notes]):
        print(f"note: {line}")
    print_paths(sweeps, paths)
    print_times(imported, engine.seconds)


def configure(command: cli.Command) -> None:
    """`platform.configure`; ends the program in one line if a folder beside the results can't be
    used.
    """
    try:
        folders.check_place(command.bases, "--bases")
        if not command.bases.exists():  # one that has all may be for reading alone
            folders.check_writable(command.bases, "--bases")
        folders.check_writable(platform.cache_dir(), "AVAX_CACHE_DIR")
        platform.configure()
    except results.ResultsError as error:
        terminal.fail(str(error))
    except OSError as error:
        why = f"{error.filename}: can't be made: {error.strerror}"
        terminal.fail(f"{why}; choose another folder with AVAX_CACHE_DIR")


def claim(
    command: cli.Command, sweeps: dict[pathlib.Path, Sweep], root: roots.Root
) -> contextlib.AbstractContextManager:
    """Joins the other processes, if there are any; the first holds the folders of the results.

    If that fails, ends the program in one line and with status 2.
    """
    try:
        processes.join(command.place, sweeps.values())
        if hosts.is_first():
            return resume.claim(sweeps, command.resume, root)
        return contextlib.nullcontext()
    except hosts.Lost as error:
        end_at_once(error)
    except (results.ResultsError, ConfigError, OSError) as error:
        sys.exit(told(2, f"error: {error}"))


def run(engine: Engine, sweeps: dict[pathlib.Path, Sweep], stop: Stop) -> list[xr.Dataset]:
    """The results of all sweeps; if they can't be had, ends the program in one line.

    The status is 130 or 143 if the program was stopped by SIGINT or SIGTERM, and 2 if results
    can't be written or continued, tiles don't fit in memory, or a cluster fails.
    """
    try:
        begun = hosts.share(lambda: [not folders.is_complete(out) for out in sweeps])
        engine.prepare(itertools.compress(sweeps.values(), begun))
        datasets = [engine.execute(sweep, out, _note) for out, sweep in sweeps.items()]
        hosts.finish()
        return datasets
    except Stopped:
        number = stop.number or signal.SIGTERM
        again = shlex.join([sys.executable, *sys.orig_argv[1:]])
        line = f"stopped by {signal.Signals(number).name}; what is done is saved, to go on: {again}"
        sys.exit(told(128 + number, line))
    except (results.ResultsError, ConfigError, ClusterError) as error:
        leave(told(2, f"error: {error}"))
    except hosts.Parted as error:  # on another process
        say(str(error))
        leave(error.status)
    except hosts.Lost as error:
        end_at_once(error)
    except Exception as error:
        if hosts.are_many():  # they would wait for this one
            traceback.print_exc()
            leave(told(1, f"error: {type(error).__name__}: {error}"))
        raise


def told(status: int, line: str) -> int:
    """Says to the user and to the other processes why this one ends; the status to end with."""
    line = " ".join(line.split())
    try:
        status, line = hosts.part(status, line)
    except hosts.Lost:  # they end, too; a tidy end would wait for them
        say(line)
        leave(status)
    say(line)
    return status


def end_at_once(error: Exception) -> NoReturn:
    """Ends without a word to the other processes, which can't be reached."""
    say(f"error: {error}")
    leave(2)


def _note(dataset: xr.Dataset) -> str:
    """Runs that gained and lost so far; how much of the boundary is traced, if it is."""
    gained, lost = phase.counts(phase.order_parameter(dataset).values)
    words = f"{gained} runs gained, {lost} lost"
    if not dataset.attrs["config"]["trace"]:
        return words
    values = adaptive.ray_values(dataset)
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
