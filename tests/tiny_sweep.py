"""A sweep of a few seconds with the command line of an experiment, to be killed and run again."""

import os
import pathlib
import sys
import time
import types

STARTED = time.perf_counter()
sys.path[:0] = [str(pathlib.Path(__file__).parents[1]), str(pathlib.Path(__file__).parent)]
os.environ.setdefault("MPLBACKEND", "agg")

import dataclasses

import toys
from matplotlib.figure import Figure

from avax.engine import script

NUM_ROUNDS = 5


def build(preset: str):
    base = toys.BASE.replace(num_rounds=NUM_ROUNDS)
    return dataclasses.replace(
        toys.SMALL, base=base, tile_width="2", num_seeds=1, segment="1", optimization=0
    )


config = types.ModuleType("tiny", "A tiny sweep.")
config.CHOICES = {"preset": ("tiny",)}
config.build = build
config.parts = lambda sweep: {"": sweep}
figure = types.ModuleType("figure")
figure.draw = lambda dataset: Figure()
figure.summary = lambda dataset: "done"

if __name__ == "__main__":
    script.main(STARTED, config, figure)
