"""Whether laws of the boundary, taken as maps from round to round, say how a loop moves."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals, monotone
from avax.analysis.intervals import Estimate
from paper_figures import law_errors
from paper_figures.claims import Claim, Rule
from paper_figures.law import MAP, SHAM, Read, Runs, followed
from paper_figures.law_effects import Effect, Folders, of_folders
from paper_figures.law_ends import TOLERANCE
from paper_figures.law_loops import SAME_BASES, about
from paper_figures.law_places import FIXED, family


def off(rule: str, end: int, folders: Folders, *datasets: xr.Dataset) -> Estimate:
    """How far what a law says is from mean accuracy, root mean square over rounds and
    configurations, at the lowest or at the highest FPR, 0 or -1; every base is left out once.
    """
    found = list(of_folders(folders, datasets).values())
    lines = [x.whole.line.accuracy.transpose("seed", "round", "fpr").values for x, _ in found]

    def of_bases(picks: np.ndarray) -> float:
        squares = []
        for (_, each), line in zip(found, lines, strict=True):
            said = followed(each.of(picks), rule, each.ratios[end])
            squares.append(((said - line[picks][:, :, end].mean(0))[1:] ** 2).mean())
        return float(np.sqrt(np.mean(squares)))

    return intervals.jackknife(np.arange(min(map(len, lines))), of_bases)


def half_time(curve: np.ndarray, rounds: slice) -> float:
    """The round, between two if need be, at which the monotone fit of a curve reaches half of what
    is gained in some last rounds; NaN if nothing is gained.

    Args:
      curve: f[R + 1], accuracy by round.
    """
    gained = (curve - curve[0])[: rounds.stop]
    half = gained[rounds].mean() / 2
    if not half > 0:
        return np.nan
    risen = -monotone.decreasing(-gained, -half)
    after = int(np.flatnonzero(risen >= half)[0])
    low, high = risen[after - 1 : after + 1]
    return after - 1 + float((half - low) / (high - low))


def relaxation(rule: str, folders: Folders, *datasets: xr.Dataset) -> Estimate:
    """How far the half time that a law gives a loop without errors is from the one that it has, of
    the mean over bases: its own error in logarithms, as `law_errors.own_error` has it.
    """
    found = of_folders(folders, datasets)
    seeds = sorted({int(seed) for _, each in found.values() for seed in each.seeds})

    def times(runs: Runs, each: Read, seed: int | None) -> tuple[float, float]:
        """Said and found, without one of the bases."""
        picks = np.flatnonzero(each.seeds != seed)
        line = runs.whole.line.accuracy.transpose("seed", "round", "fpr").values[picks, :, 0]
        said = followed(each.of(picks), rule, each.ratios[0])
        return tuple(half_time(curve, each.rounds[-1]) for curve in (said, line.mean(0)))

    each = [[times(*one, seed) for one in found.values()] for seed in (None, *seeds)]
    said, measured = np.moveaxis(np.log(each), -1, 0)
    families = np.array([family(folder) for folder in found])
    num = min(len(each.seeds) for _, each in found.values())
    return law_errors.own_error(law_errors.Logs(said, measured, families, num, tuple(seeds)))


def at_both_ends(rule: str, folders: Folders) -> dict[str, Effect]:
    ends = {"no errors": 0, "no filter": -1}
    return {name: partial(off, rule, end, folders) for name, end in ends.items()}


def follows(
    name: str, statement: str, measures: str, effect: dict[str, Effect], rule: Rule, *caveats: str
) -> Claim:
    return about(
        name,
        statement,
        measures,
        effect,
        rule,
        changes_mind="Loops that move as fast as it says.",
        source="avax (avax/analysis/law.py)",
        caveats=(*caveats, SAME_BASES),
    )


OFF = "predicted minus measured mean accuracy, root mean square over rounds and configurations"
PATHS = (
    follows(
        "The settled law as a map",
        "Taken as a map from round to round, the settled law predicts accuracy behind a verifier "
        "without errors and without a filter to 0.05.",
        OFF,
        at_both_ends(SHAM, FIXED),
        Rule.below(0.05),
    ),
    follows(
        "The map by length as a map",
        "The map by length predicts accuracy behind a verifier without errors and without a filter "
        "to 0.05.",
        OFF,
        at_both_ends(MAP, FIXED),
        Rule.below(0.05),
    ),
    follows(
        "Relaxation",
        "The map by length says to a quarter how long a loop without wrong labels takes to gain.",
        "root mean square over configurations of log(predicted / measured rounds until half of the "
        "gain at FPR 0 is gained), without the noise of the measurement",
        {MAP: partial(relaxation, MAP, FIXED)},
        Rule.below(TOLERANCE),
        "It was looked at when all of these runs were known. The settled law is not judged: as a "
        "map it has gained nearly all after one round, which is no time to compare.",
    ),
)
