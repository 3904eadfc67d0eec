"""What it costs that a sweep is watched and saved: progress, checkpoints and results on disk."""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile
import time
from typing import Any

import jax
import numpy as np

from avax import struct
from avax.engine import tiles
from avax.engine.durable import resume
from avax.engine.program import Unit
from avax.engine.progress import say
from avax.engine.run import Engine
from avax.engine.segments import Run
from avax.sweeps import stacking
from avax.sweeps.sweep import Sweep

REPEATS = 5


def short(config: Sweep) -> Sweep:
    """All settings of a sweep, each from one base that knows nothing: a run takes as long."""
    config = struct.replace(config, "pretraining.num_updates", 1)
    return dataclasses.replace(config, base_criterion=0.0, num_seeds=1, design="all", num_runs=1)


def ready(engine: Engine, config: Sweep) -> tuple[tuple, Run, list[Unit]]:
    """The stacked members of a sweep, and the compiled program that runs them, with its units."""
    engine.prepare([config])
    settings = config.settings()
    bases = engine.bases(config, settings[0])
    members, _ = stacking.stack_members(config, settings, list(range(len(settings))), bases)
    run = Run(members, int(config.tile_width), config.optimization)
    units = tiles.make_units(config.placement, jax.local_devices(), len(settings))
    run.compile_all(units)
    return members, run, units


def observing(config: Sweep) -> dict[str, Any]:
    """Median seconds of a quarter of a sweep's runs, alone and as an experiment runs them.

    They take turns. Alone means: tiles in one segment, whose metrics come to the host and are
    dropped. What is done once a sweep counts four times as much as it does in all of it.
    """
    path, values = next(iter(config.axes.items()))
    config = short(dataclasses.replace(config, axes=config.axes | {path: values[::4]}))
    settings = config.settings()
    say(f"running {len(settings)} settings, watched and not, {REPEATS} times")
    times: dict[str, list[float]] = {"alone": [], "observed": []}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        engine = Engine(folder / "bases")
        members, run, units = ready(engine, config)
        for i in range(REPEATS):
            start = time.perf_counter()
            tiles.run_tiles(run, members, units, lambda *_: None)
            times["alone"].append(time.perf_counter() - start)
            out = folder / str(i)
            start = time.perf_counter()
            with resume.claim({out: config}):
                engine.execute(config, out)
            times["observed"].append(time.perf_counter() - start)
    return {f"{who}_s": float(np.median(t)) for who, t in times.items()} | {"seconds": times}
