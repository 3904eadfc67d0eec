"""What is known of policies that judge themselves: numbers, and effects of claims."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths, phase
from avax.analysis.intervals import Estimate
from paper_figures.claims import UNKNOWN, remembered

BASE = "base"  # the part in which the untouched base is asked
GATES = {
    "oracle": "truth",
    "none": "no filter",
    "cross_model": "another policy",
    "likelihood": "likelihood",
    "comparison": "comparison",
    "commit_first": "commit first",
    "self_evaluation": "self-evaluation",
}
FAST = {name: f"fast_{name}" for name in ("none", "likelihood", "self_evaluation")}
FROZEN, SHAM, PLACEBO = "frozen generator", "sham", "placebo"
CONTROLS = {  # by part and role; a sham trains alike behind every gate
    ("none", SHAM): "control/none_sham",
    ("fast_none", SHAM): "control/fast_none_sham",
    ("likelihood", FROZEN): "control/likelihood_frozen_generator",
    ("likelihood", PLACEBO): "control/likelihood_placebo",
    ("self_evaluation", FROZEN): "control/self_evaluation_frozen_generator",
    ("self_evaluation", PLACEBO): "control/self_evaluation_placebo",
}
PARTS = (BASE, *GATES, "again", *FAST.values(), *CONTROLS.values())
JUDGES = {  # that the untouched base is asked as
    "own": "likelihood",
    "Likelihood1": "likelihood, 0.8",
    "Likelihood2": "likelihood, 0.97",
    "Comparison": "comparison",
    "CommitFirst": "commit first",
    "SelfEvaluation": "self-evaluation",
}
MARKS = "SelfEvaluation"
UNGATED = {"likelihood": "Likelihood", "self_evaluation": "SelfEvaluation"}  # judges in all loops
FIRST = 1  # the round in which the policy is still the base
LEAST_MATCHED = 0.03  # share of problems that both get wrong, or a length says nothing
HORIZONS = (5, 10)  # rounds
RATES = {"": "", ", rate 3e-3": "fast_"}  # beginnings of parts by learning rate


def self_trust(values: xr.DataArray) -> xr.DataArray:
    """Own reader less other reader, of own mistakes less of the other's.

    What all mistakes of one author have in common cancels, and so does what one reader says of all.
    """
    by_author = values.sel(author="own") - values.sel(author="other")
    return by_author.sel(reader="own") - by_author.sel(reader="other")


@remembered
def loops(*datasets: xr.Dataset | None) -> dict[str, xr.Dataset]:
    """The parts by name, without controls that there are not, until they diverged."""
    found = zip(PARTS, datasets, strict=False)
    return {name: phase.until_diverged(data) for name, data in found if data is not None}


def controls_of(named: dict[str, xr.Dataset]) -> dict[tuple[str, str], xr.Dataset]:
    """The controls that there are, by part and role."""
    return {of: named[part] for of, part in CONTROLS.items() if part in named}


def readings(named: dict[str, xr.Dataset], name: str, judge: str) -> xr.DataArray:
    """A reading of the untouched base by seed, reader and author: mean over the lengths at which
    both policies err often enough.
    """
    data = named[BASE].sel(round=FIRST, drop=True)
    is_known = data.matched_rate >= LEAST_MATCHED
    values = data[name].sel(judge=judge, drop=True).where(is_known)
    return values.mean("start").transpose("seed", ...)


def of_pairs(values: xr.DataArray) -> Estimate:
    """The mean over pairs of neighbouring bases, numbered by the first, and its interval: by the
    jackknife over bases, as two pairs may have one in common.
    """
    known = values.dropna("seed")
    by_seed = dict(zip(known.seed.values.tolist(), known.values.tolist(), strict=True))
    bases = sorted(set(by_seed) | {seed + 1 for seed in by_seed})

    def mean(some: np.ndarray) -> float:
        left = set(some.tolist())
        both = [x for seed, x in by_seed.items() if {seed, seed + 1} <= left]
        return float(np.mean(both)) if both else np.nan

    found = intervals.jackknife(np.array(bases, int), mean)
    return found._replace(num=len(by_seed))


def trust(judge: str, *datasets: xr.Dataset) -> Estimate:
    """Self-trust of the untouched base in P(accept | wrong)."""
    return of_pairs(self_trust(readings(loops(*datasets), "trust_fpr", judge)))


def than(judge: str, other: str, name: str, *datasets: xr.Dataset) -> Estimate:
    """A judge's reading of own mistakes by their own author, minus another's of the same ones."""
    named = loops(*datasets)
    each = [
        readings(named, name, x).sel(reader="own", author="own", drop=True) for x in (judge, other)
    ]
    return of_pairs(each[0] - each[1])


def gaps(judge: str, *datasets: xr.Dataset) -> xr.DataArray:
    """The gap of a judge of the untouched base's answers, by seed: mean over lengths."""
    data = loops(*datasets)[BASE].gap.sel(round=FIRST, drop=True)
    return data.sel(judge=judge, drop=True).mean("start")


def gap(judge: str, *datasets: xr.Dataset) -> Estimate:
    return intervals.mean(gaps(judge, *datasets).values)


def gap_beyond(judge: str, other: str, *datasets: xr.Dataset) -> Estimate:
    return intervals.paired(*(gaps(x, *datasets) for x in (judge, other)))


def mean_of_later(values: xr.DataArray) -> np.ndarray:
    """f[S]: the mean of the rounds in which a trained policy answers, of those that are known."""
    return values.sel(round=slice(FIRST + 1, None)).mean("round").values


def passed_more(judge: str, *datasets: xr.Dataset | None) -> Estimate:
    """P(accept | wrong) of a gate in its loop minus that of the untouched base, which judges its
    own answers to the same lengths with a frozen generator.
    """
    named = loops(*datasets)
    if (frozen := controls_of(named).get((judge, FROZEN))) is None:
        return UNKNOWN
    fpr, of_base = xr.align(named[judge].verifier_fpr, frozen.verifier_fpr, join="inner")
    return intervals.mean(mean_of_later(fpr - of_base))


def passed_ungated(judge: str, *datasets: xr.Dataset | None) -> Estimate:
    """The same, minus that of the judge in a loop that nothing gates."""
    named = loops(*datasets)
    loose = named["none"].judge_fpr.sel(judge=UNGATED[judge], drop=True)
    fpr, of_loose = xr.align(named[judge].verifier_fpr, loose, join="inner")
    return intervals.mean(mean_of_later(fpr - of_loose))


def ended(part: str, last: int, *datasets: xr.Dataset | None) -> Estimate:
    """How far a loop is after a round below both its untouched base and the sham at its rate, in
    digits: below 0 in retention or in reach if it collapsed.
    """
    named = loops(*datasets)
    rate = "fast_none" if part.startswith("fast_") else "none"
    if (sham := controls_of(named).get((rate, SHAM))) is None:
        return UNKNOWN
    runs = (x.isel(round=slice(last + 1)) for x in (named[part], sham))
    return lengths.depth(lengths.collapse(*runs), lengths.base_length(named[part]))


def worth(judge: str, *datasets: xr.Dataset | None) -> Estimate:
    """Digits gained behind a judge minus those behind its placebo, same bases."""
    named = loops(*datasets)
    if (placebo := controls_of(named).get((judge, PLACEBO))) is None:
        return UNKNOWN
    return intervals.paired(*(lengths.final_gain(x) for x in (named[judge], placebo)))


def at_both_rates(judge: str) -> dict:
    """`ended` of a judge's loops at both horizons and learning rates."""
    return {
        f"round {last}{words}": partial(ended, f"{start}{judge}", last)
        for last in HORIZONS
        for words, start in RATES.items()
    }
