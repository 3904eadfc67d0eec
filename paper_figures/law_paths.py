"""Whether laws of the boundary, taken as maps from round to round, say how a loop moves."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals, monotone
from avax.analysis.intervals import Estimate
from paper_figures.claims import Claim, Rule
from paper_figures.law import MAP, SHAM, followed
from paper_figures.law_effects import Effect, Folders, of_folders
from paper_figures.law_loops import SAME_BASES, about
from paper_figures.law_places import FIXED
from paper_figures.law_scored import TOLERANCE


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
    the mean over bases: root mean square over configurations of the logarithm; every base is left
    out once.
    """
    found = list(of_folders(folders, datasets).values())
    lines = [x.whole.line.accuracy.transpose("seed", "round", "fpr").values for x, _ in found]

    def of_bases(picks: np.ndarray) -> float:
        errors = []
        for (_, each), line in zip(found, lines, strict=True):
            both = followed(each.of(picks), rule, each.ratios[0]), line[picks][:, :, 0].mean(0)
            errors.append(np.log(np.divide(*(half_time(x, each.rounds[-1]) for x in both))))
        return float(np.sqrt(np.mean(np.square(errors))))

    return intervals.jackknife(np.arange(min(map(len, lines))), of_bases)


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
        "The map by length predicts the same to 0.05.",
        OFF,
        at_both_ends(MAP, FIXED),
        Rule.below(0.05),
    ),
    follows(
        "Relaxation",
        "The map by length says to a quarter how long a loop without wrong labels takes to gain.",
        "root mean square over configurations of log(predicted / measured rounds until half of the "
        "gain at FPR 0 is gained)",
        {MAP: partial(relaxation, MAP, FIXED)},
        Rule.below(TOLERANCE),
        "It was looked at when all of these runs were known. The settled law is not judged: as a "
        "map it has gained nearly all after one round, which is no time to compare.",
    ),
)
