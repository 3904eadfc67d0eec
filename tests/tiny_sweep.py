"""A sweep of a few seconds with the command line of an experiment, to be killed and run again."""

import os
import pathlib
import resource
import sys
import time
import types
import zlib

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
os.environ.setdefault("MPLBACKEND", "agg")
# Here, and not where the process is started: to do it between fork and exec needs a fork, which the
# threads of the tests forbid.
if "TINY_CORES" in os.environ:
    os.sched_setaffinity(0, map(int, os.environ["TINY_CORES"].split()))
if "TINY_FILE_BYTES" in os.environ:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["TINY_FILE_BYTES"]),) * 2)

import jax
from matplotlib.figure import Figure
from small_sweeps import BASE, PRETRAINING

from avax.cli import script
from avax.engine.segments import Run
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep


def build(preset: str) -> Sweep:
    """Six runs of 6 rounds in three tiles, saved after every round."""
    return Sweep(
        base=BASE.replace(num_rounds=6),
        pretraining=PRETRAINING,
        axes={"verifier.fpr": (0.0, 0.5, 1.0), "verifier.fnr": (0.0, 0.5)},
        tile_width="2",
        segment="1",
        optimization=0,
    )


NAME = os.environ.get("TINY_NAME", "tiny")  # of the experiment, and if it is given of its part
config = types.ModuleType(NAME, "A tiny sweep.")
config.CHOICES = {"preset": ("tiny",)}
config.build = build
config.NEEDS = Needs({"verifier.fpr": 1, "verifier.fnr": 1})
config.parts = lambda sweep: {NAME if "TINY_NAME" in os.environ else "": sweep}
figure = types.ModuleType("figure")
figure.draw = lambda dataset: Figure()
figure.summary = lambda dataset: "done"


def note_segments(path: str) -> None:
    """A line in a file for every segment that is begun."""
    advance = Run.advance

    def noted(run, unit, experiments, progress, start, stop):
        with open(path, "a") as file:
            file.write(f"{start}-{stop}\n")
        return advance(run, unit, experiments, progress, start, stop)

    Run.advance = noted


def note_states(path: str) -> None:
    """A line in a file for every segment: its tile's state then, parameters included, as a number.

    As many lines in another order if devices work at the same time.
    """
    advance = Run.advance

    def noted(run, unit, experiments, progress, start, stop):
        progress = advance(run, unit, experiments, progress, start, stop)
        crc = 0
        for leaf in jax.tree.leaves(jax.device_get(progress.state)):
            crc = zlib.crc32(leaf.tobytes(), crc)
        with open(path, "a") as file:
            file.write(f"{stop} {crc}\n")
        return progress

    Run.advance = noted


if __name__ == "__main__":
    if "TINY_STATES" in os.environ:
        note_states(os.environ["TINY_STATES"])
    if "TINY_SEGMENTS" in os.environ:
        note_segments(os.environ["TINY_SEGMENTS"])
    script.main(STARTED, config, figure)
