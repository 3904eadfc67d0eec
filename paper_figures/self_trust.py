"""What is known of policies that judge themselves: numbers, and effects of claims."""

from __future__ import annotations

from functools import partial

import xarray as xr

from avax.analysis import intervals, lengths, phase, seeds
from avax.analysis.intervals import Estimate
from paper_figures.claims import UNKNOWN, remembered

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
FROZEN, SHAM = "frozen generator", "sham"
CONTROLS = {  # by part and role; a sham trains alike behind every gate
    ("none", FROZEN): "control/none_frozen_generator",
    ("none", SHAM): "control/none_sham",
    ("likelihood", FROZEN): "control/likelihood_frozen_generator",
    ("self_evaluation", FROZEN): "control/self_evaluation_frozen_generator",
    ("fast_none", SHAM): "control/fast_none_sham",
}
PARTS = (*GATES, "again", *FAST.values(), *CONTROLS.values())
JUDGES = tuple(GATES)[3:]  # those that ask a policy
FIRST = 1  # the round in which the policy is still the base
EARLY = slice(2, 3)  # rounds in which both policies err, and the loops have not ended yet
WHEN = {"base": slice(FIRST, FIRST), "rounds 2 and 3": EARLY}
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
    """The loops by what gates them and the controls that there are by part, until they diverged."""
    found = zip(PARTS, datasets, strict=False)
    return {name: phase.until_diverged(data) for name, data in found if data is not None}


def controls_of(named: dict[str, xr.Dataset]) -> dict[tuple[str, str], xr.Dataset]:
    """The controls that there are, by part and role."""
    return {of: named[part] for of, part in CONTROLS.items() if part in named}


def readings(dataset: xr.Dataset, name: str, rounds: slice = EARLY) -> xr.DataArray:
    """Readings of a loop's own gate, mean over rounds, by seed, reader and author."""
    values = dataset[name].sel(judge="own", round=rounds).transpose("round", ...)
    return values.isel(round=0, drop=True).copy(data=seeds.mean(values.values))


def trust(judge: str, when: str, *datasets: xr.Dataset) -> Estimate:
    """Self-trust in P(accept | wrong); of the judge that was run twice the mean of both."""
    named = loops(*datasets)
    parts = (judge, "again") if judge == "likelihood" else (judge,)
    each = [self_trust(readings(named[x], "trust_fpr", WHEN[when])) for x in parts]
    return intervals.mean((sum(each[1:], each[0]) / len(each)).values)


def own(judge: str, name: str, when: str, *datasets: xr.Dataset) -> xr.DataArray:
    """A reading of own mistakes by their own author."""
    found = readings(loops(*datasets)[judge], name, WHEN[when])
    return found.sel(reader="own", author="own", drop=True)


def than_likelihood(judge: str, name: str, when: str, *datasets: xr.Dataset) -> Estimate:
    """A judge's reading of own mistakes, minus likelihood's."""
    return intervals.paired(*(own(x, name, when, *datasets) for x in (judge, "likelihood")))


def passed_more(judge: str, *datasets: xr.Dataset | None) -> Estimate:
    """P(accept | wrong) of a gate in its loop minus that of the untouched base on the same lengths,
    which judges its own answers with a frozen generator: mean of the rounds after the first.
    """
    named = loops(*datasets)
    if (frozen := controls_of(named).get((judge, FROZEN))) is None:
        return UNKNOWN
    rounds = {"round": slice(FIRST + 1, None)}
    each = (x.verifier_fpr.sel(rounds).mean("round") for x in (named[judge], frozen))
    return intervals.paired(*each)


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
    """Digits gained behind a judge minus those without a filter, same bases."""
    named = loops(*datasets)
    return intervals.paired(*(lengths.final_gain(named[x]) for x in (judge, "none")))


def gap(when: slice, *datasets: xr.Dataset) -> Estimate:
    """Right among the accepted less right among all, of a policy that marks."""
    data = loops(*datasets)["self_evaluation"].sel(round=when)
    values = (data.label_precision - data.sampled_accuracy).transpose("round", "seed").values
    return intervals.mean(seeds.mean(values))


def of_judges(effect, *args, judges=JUDGES, whens=tuple(WHEN)) -> dict:
    return {
        f"{GATES[judge]}, {when}": partial(effect, judge, *args, when)
        for when in whens
        for judge in judges
    }
