"""What is claimed about loops whose lengths grow: their speed, known lengths and longer ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths, phase
from avax.analysis.intervals import Estimate
from paper_figures.claims import Rule
from paper_figures.law import ALL, ENDS, HORIZONS, Runs, window
from paper_figures.law_effects import Folders, beside, factor, factor_of, of_folders, risen
from paper_figures.law_loops import ONE_RATE, about
from paper_figures.law_places import FRONTIERS


def changed(measure: Callable, runs: Runs, horizon: str) -> Runs:
    """Retention or reach less the untouched base's, mean over the last rounds up to a horizon."""
    longest = lengths.base_length(runs.line)
    rounds = window(runs, horizon)
    each = (phase.since_base(measure(x, longest), x) for x in runs)
    return Runs(*(x.isel(round=rounds).mean("round") for x in each))


def reached(folder: str, horizon: str, folders: Folders, *datasets: xr.Dataset) -> Estimate:
    """What the law from both ends says of where reach is the base's, over where it is."""
    runs, each = of_folders(folders, datasets)[folder]
    line = [changed(lengths.reach, runs.whole, h).line.transpose("seed", "fpr") for h in HORIZONS]
    return factor_of(each._replace(gained=np.stack(line, axis=1)), ENDS, horizon)


def beyond_sham(
    folder: str, measure: Callable, ratio: float, folders: Folders, *datasets: xr.Dataset
) -> Estimate:
    """Retention or reach at a ratio after all rounds less the sham's, base by base."""
    runs = of_folders(folders, datasets)[folder][0].whole
    both = changed(measure, runs, ALL)
    at = int(np.abs(runs.ratios - ratio).argmin())
    return intervals.paired(both.line.isel(fpr=at), both.sham, axis="seed")


def on_frontiers(name: str, statement: str, measures: str, effect, rule: Rule, **fields):
    fields = {"horizons": (5, 10, 21), "shipped": tuple(FRONTIERS)} | fields
    return about(name, statement, measures, effect, rule, **fields)


LOOKED = "It was looked at when these runs were known."
GROWING = (
    on_frontiers(
        "Frontiers and the law from both ends",
        "Of frontiers that move by 1, 2 and 4 digits a round the law from both ends says where the "
        "solved length is the base's, to a quarter.",
        "predicted over measured boundary, of the mean over bases",
        {
            f"{name}, {h}": partial(factor, folder, ENDS, h, tuple(FRONTIERS))
            for folder, name in FRONTIERS.items()
            for h in HORIZONS
        },
        Rule.within(0.8, 1.25),
        caveats=(
            "It was found on fixed ranges (commit a7de7e6).",
            "Horizons are shares of 21, 11 and 6 rounds: a quarter is one round where the frontier "
            "moves by 4 digits, and k goes with the share, as it was written down.",
            ONE_RATE,
        ),
    ),
    on_frontiers(
        "The speed of a frontier",
        "The faster a frontier moves over the same lengths, the better a filter it needs.",
        "boundary over that of the frontier that moves by one digit a round",
        beside(tuple(FRONTIERS)[1:], "law_frontier_1", tuple(FRONTIERS)),
        Rule.below(1),
        caveats=("A frontier that moves faster has fewer rounds.", ONE_RATE),
    ),
    on_frontiers(
        "Losses on a frontier",
        "On a frontier a loop without a filter has lost more after all rounds than after a "
        "quarter of them.",
        "digits solved at FPR / (1 - FNR) = 1 after all rounds, less after a quarter",
        {n: partial(risen, folder, 1.0, tuple(FRONTIERS)) for folder, n in FRONTIERS.items()},
        Rule.below(0),
        changes_mind="A frontier that waits for its policy.",
        caveats=(
            LOOKED,
            "Of known lengths a part of it is lost by a sham as well.",
            ONE_RATE,
        ),
    ),
    on_frontiers(
        "Reach and the law from both ends",
        "Of frontiers the law from both ends says where reach, what is solved of lengths that the "
        "base was not trained on, is the base's, to a quarter.",
        "predicted over measured boundary of reach, of the mean over bases",
        {
            f"{name}, {h}": partial(reached, folder, h, tuple(FRONTIERS))
            for folder, name in FRONTIERS.items()
            for h in HORIZONS
        },
        Rule.within(0.8, 1.25),
        caveats=("The law was found on fixed ranges, of accuracy.", LOOKED, ONE_RATE),
    ),
    on_frontiers(
        "Known lengths on a frontier",
        "On a frontier a verifier that accepts one wrong answer in twenty costs more of the known "
        "lengths than as much training on true sums of them does.",
        "share right of the lengths that the base was trained on, at FPR / (1 - FNR) = 0.05 after "
        "all rounds, minus the sham's",
        {
            name: partial(beyond_sham, folder, lengths.retention, 0.05, tuple(FRONTIERS))
            for folder, name in FRONTIERS.items()
        },
        Rule.below(0),
        changes_mind="A learner that trains on more of the base's own data.",
        caveats=(
            LOOKED,
            "A quarter of each batch is true data of known lengths; all of the sham's is.",
            ONE_RATE,
        ),
    ),
)
