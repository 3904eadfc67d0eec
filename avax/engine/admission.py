"""Which bases of the pool runs are made from: those that meet the sweep's criterion."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from avax.analysis import pool
from avax.engine.bases import worst_accuracies
from avax.engine.cluster import hosts
from avax.loop import Experiment
from avax.sweeps import design
from avax.sweeps.sweep import Sweep

SLACK = 1e-6  # a share of 190 in 200 meets 0.95, whatever 32 bits make of them


class Admission(NamedTuple):
    """What is known of a pool's bases, and what follows from it.

    Attributes:
      worst: f32[num_seeds], what each is right on at the trained difficulty that it knows least; of
        several, where bases differ by setting, the lowest.
      admitted: bool[num_seeds], whether all bases of a seed's runs meet the criterion: its own, and
        those of the `num_bases` - 1 seeds that follow.
      made: bool[settings, num_seeds], which runs are made.
      line: which were left out, in words; nothing if none was.
    """

    worst: np.ndarray
    admitted: np.ndarray
    made: np.ndarray
    line: str


def admit(config: Sweep, experiments: Sequence[Experiment], folder: pathlib.Path) -> Admission:
    """Holds bases, which `base_policies` returned before, against the criterion.

    Args:
      experiments: one of the settings that begin with the same bases, for each of these.
      folder: where they are kept.

    Raises:
      ConfigError: if too few meet it.
    """
    found = hosts.share(lambda: [worst_accuracies(config, e, folder) for e in experiments])
    lowest = np.min(np.array(found, np.float32), axis=0)
    meets = lowest + SLACK >= config.base_criterion
    number = config.base.num_bases
    admitted = np.lib.stride_tricks.sliding_window_view(meets, number).all(1)
    worst = lowest[: config.num_seeds]
    seeds = range(config.seed, config.seed + config.num_seeds)
    line = pool.left_out_line(seeds, worst, admitted, config.base_criterion)
    return Admission(worst, admitted, design.made(config, admitted), line)
