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
LATE = 3  # rounds of training after which a gap is gone, as they have it


@remembered
def prepared(*datasets: xr.Dataset | None) -> dict[str, xr.Dataset]:
    return found.named(datasets)


def grown(name: str, start: int, widths: tuple[int, int], *datasets: xr.Dataset) -> Estimate:
    """A gap of the wider bases minus that of the narrower ones."""
    return intervals.mean(found.grown(prepared(*datasets), name, start, widths))


def narrow(start: int, *datasets: xr.Dataset) -> Estimate:
    """The gap of the narrowest bases."""
    gaps = found.by_width(prepared(*datasets), "gap", start).sel(width=found.WIDTHS[0])
    return intervals.mean(found.of_own(gaps).values)


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


def of_vote(measure: Callable, start: int, *datasets: xr.Dataset | None) -> Estimate:
    """A measure of the vote's gap on fixed prompts."""
    return intervals.mean(measure(own_gap("majority_32", start, FIXED, *datasets)).values)


def beyond(
    role: str, measure: Callable, step: int, starts: tuple[int, ...], *datasets: xr.Dataset | None
) -> Estimate:
    """A measure of the vote's gap in the loop behind it, minus the same of a control: mean over
    starts, base by base. Not known if the control was not run.
    """
    data = prepared(*datasets)
    if role not in (controls := found.controls_of(data)):
        return UNKNOWN
    apart = []
    for start in starts:
        loop, control = (found.of(x, start, step) for x in (data["majority_32"], controls[role]))
        apart.append(measure(found.vote_gap(loop)) - measure(found.vote_gap(control, role)))
    return intervals.mean(sum(apart) / len(apart))


def kept_open(start: int, *datasets: xr.Dataset) -> Estimate:
    """The vote's gap in the last round on a frontier, minus that on fixed prompts."""
    moving, fixed = (own_gap("majority_32", start, s, *datasets) for s in (MOVING, FIXED))
    return intervals.mean((moving - fixed).isel(round=-1).values)


def change(gate: str, k: int, *datasets: xr.Dataset | None) -> Estimate:
    """Pass@k in the last round, minus the base's."""
    before, after = found.passed(prepared(*datasets)[f"{gate}_32"])
    return intervals.mean((after - before).sel(k=k).values)


def change_beyond_sham(gate: str, k: int, *datasets: xr.Dataset | None) -> Estimate:
    """The same, minus what the sham changes."""
    data = prepared(*datasets)
    if "sham" not in (controls := found.controls_of(data)):
        return UNKNOWN
    runs = (found.passed(x) for x in (data[f"{gate}_32"], controls["sham"]))
    return intervals.paired(*((after - before).sel(k=k) for before, after in runs))


def learned(start: int, *datasets: xr.Dataset) -> Estimate:
    """The gap of a verifier that learns, mean over the rounds after its first labels."""
    gap = own_gap("learned", start, FIXED, *datasets)
    return intervals.mean(gap.sel(round=slice(FIRST + 1, None)).mean("round", skipna=False).values)


def of_starts(effect, *args) -> dict:
    return {name: partial(effect, start, *args) for name, start in STARTS.items()}


def of_widths(name: str, widths: tuple[int, int]) -> dict:
    return {words: partial(grown, name, start, widths) for words, start in STARTS.items()}
