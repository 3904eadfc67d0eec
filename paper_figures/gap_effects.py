"""What the claims on the gap measure: effects, functions of the datasets.

What data lack is not a number.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import xarray as xr

from avax.analysis import intervals
from avax.analysis.intervals import Estimate
from paper_figures import gap as found
from paper_figures.claims import UNKNOWN, remembered
from paper_figures.gap import BEYOND, FIRST, FIXED, KNOWN, MOVING

STARTS = {"8 digits": KNOWN, "10 digits": BEYOND}
RATES = {"": "majority", ", rate 3e-3": found.FAST}  # loops behind the vote by learning rate
SHAMS = {"majority": "control/majority_sham", found.FAST: found.FAST_SHAM}
LATE = 3  # rounds of training after which a gap is gone, as they have it


@remembered
def prepared(*datasets: xr.Dataset | None) -> dict[str, xr.Dataset]:
    return found.named(datasets)


def grown(name: str, start: int, widths: tuple[int, int], *datasets: xr.Dataset) -> Estimate:
    """A gap of the wider bases minus that of the narrower ones."""
    return intervals.mean(found.grown(prepared(*datasets), name, start, widths))


def narrow(skill: float, *datasets: xr.Dataset) -> Estimate:
    """The gap of the narrowest bases where a share of their answers is right."""
    gaps = found.at_skill(prepared(*datasets), "gap", found.WIDTHS[0], skill)
    return intervals.mean(gaps)


def grown_at(name: str, skill: float, *datasets: xr.Dataset) -> Estimate:
    """A gap of the widest bases minus that of the narrowest ones, where equally many of their
    answers are right. Seeds are paired arbitrarily.
    """
    data, widths = prepared(*datasets), (found.WIDTHS[-1], found.WIDTHS[0])
    return intervals.paired(*(found.at_skill(data, name, width, skill) for width in widths))


def own_gap(part: str, start: int, step: int, *datasets: xr.Dataset) -> xr.DataArray:
    """The gap of a loop's own verifier, by seed and round."""
    return found.of(prepared(*datasets)[part], start, step).gap.sel(judge="own")


def late(gap: xr.DataArray) -> xr.DataArray:
    """A gap after three rounds of training."""
    return gap.sel(round=FIRST + LATE, drop=True)


def last(gap: xr.DataArray) -> xr.DataArray:
    return gap.isel(round=-1, drop=True)


def fall(gap: xr.DataArray) -> xr.DataArray:
    """A gap in the last round, minus that of the base."""
    return last(gap) - gap.sel(round=FIRST, drop=True)


def of_vote(measure: Callable, part: str, start: int, *datasets: xr.Dataset | None) -> Estimate:
    """A measure of the vote's gap on fixed prompts, in a loop behind it."""
    return intervals.mean(measure(own_gap(part, start, FIXED, *datasets)).values)


def than_sham(measure: Callable, part: str, start: int, *datasets: xr.Dataset | None) -> Estimate:
    """The same, minus that of the sham at its learning rate; not known if that was not run."""
    data = prepared(*datasets)
    if (control := data.get(SHAMS[part])) is None:
        return UNKNOWN
    loop, sham = (found.of(x, start, FIXED) for x in (data[part], control))
    gaps = found.vote_gap(loop), found.vote_gap(sham, "sham")
    return intervals.paired(*map(measure, gaps))


def than_base(measure: Callable, start: int, *datasets: xr.Dataset | None) -> Estimate:
    """A measure of the vote's gap on a frontier, in the loop behind it, minus that of the untouched
    base on the same lengths, which a frozen generator is; not known if none was run.
    """
    data = prepared(*datasets)
    if (frozen := found.controls_of(data).get("frozen generator")) is None:
        return UNKNOWN
    loop, base = (found.vote_gap(found.of(x, start, MOVING)) for x in (data["majority"], frozen))
    return intervals.paired(measure(loop), measure(base))


def kept_open(start: int, *datasets: xr.Dataset) -> Estimate:
    """The vote's gap in the last round on a frontier, minus that on fixed prompts."""
    moving, fixed = (own_gap("majority", start, s, *datasets) for s in (MOVING, FIXED))
    return intervals.mean((moving - fixed).isel(round=-1).values)


def taught(part: str, start: int, *datasets: xr.Dataset | None) -> Estimate:
    """Greedy accuracy on the newest length of each round of a frontier, minus the untouched base's
    on the same lengths: mean over rounds.
    """
    after, base = found.skill(found.of(prepared(*datasets)[part], start, MOVING))
    return intervals.mean((after - base).mean("round", skipna=False).values)


def taught_beyond_sham(part: str, start: int, *datasets: xr.Dataset | None) -> Estimate:
    """The same, minus the sham's."""
    data = prepared(*datasets)
    sham = data.get(SHAMS.get(part, SHAMS["majority"]))
    if sham is None:
        return UNKNOWN
    each = (found.skill(found.of(x, start, MOVING))[0] for x in (data[part], sham))
    return intervals.paired(*(x.mean("round", skipna=False) for x in each))


def change(part: str, k: int, *datasets: xr.Dataset | None) -> Estimate:
    """Pass@k in the last round, minus the base's."""
    before, after = found.passed(prepared(*datasets)[part])
    return intervals.mean((after - before).sel(k=k).values)


def change_beyond_sham(part: str, k: int, *datasets: xr.Dataset | None) -> Estimate:
    """The same, minus what the sham changes."""
    data = prepared(*datasets)
    if (sham := data.get(SHAMS.get(part, SHAMS["majority"]))) is None:
        return UNKNOWN
    runs = (found.passed(x) for x in (data[part], sham))
    return intervals.paired(*((after - before).sel(k=k) for before, after in runs))


def learned(start: int, *datasets: xr.Dataset) -> Estimate:
    """The gap of a verifier that learns, mean over the rounds after its first labels."""
    gap = own_gap("learned", start, FIXED, *datasets)
    return intervals.mean(gap.sel(round=slice(FIRST + 1, None)).mean("round", skipna=False).values)


def of_starts(effect, *args) -> dict:
    return {name: partial(effect, start, *args) for name, start in STARTS.items()}


def of_widths(name: str, widths: tuple[int, int]) -> dict:
    return {words: partial(grown, name, start, widths) for words, start in STARTS.items()}
