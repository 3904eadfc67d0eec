"""A line of verifiers beside its controls: what it gains more than they do, base by base, and how
deep it collapses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths, phase, variance
from avax.analysis.intervals import Estimate
from paper_figures.claims import UNKNOWN
from paper_figures.pages import text

HALF, ALL = "half of the rounds", "all rounds"


def until(dataset: xr.Dataset, last: int) -> xr.Dataset:
    """The runs up to a round."""
    return dataset.isel(round=slice(last + 1))


def horizons(dataset: xr.Dataset) -> dict[str, int]:
    """The rounds after which runs are compared: half and all of them."""
    last = int(dataset["round"][-1])
    return {HALF: max(1, last // 2), ALL: last}


def at_end(values, end: Callable):
    """Values, or runs, at the lowest or highest FPR, `min` or `max`; of what has no FPR, all."""
    if "fpr" not in values.dims:
        return values
    return values.sel(fpr=end(values.fpr.values), drop=True)


def gained(dataset: xr.Dataset, end: Callable, last: int) -> xr.DataArray:
    """What runs at one end of a line gained over the untouched base until a round, by base."""
    return at_end(phase.order_parameter(until(dataset, last)), end)


def beyond(line: xr.Dataset, control: xr.Dataset | None, end: Callable, last: int) -> Estimate:
    """What a line gained more than a control, base by base; not known if that was not run."""
    if control is None:
        return UNKNOWN
    return intervals.paired(*(gained(x, end, last) for x in (line, control)))


def depth(line: xr.Dataset, sham: xr.Dataset | None, last: int) -> Estimate:
    """How far a line at its highest FPR is, after a round, below both its untouched base and its
    sham, in difficulties: below 0 in retention or in reach if it collapsed (`lengths.depth`).
    """
    if sham is None or (longest := lengths.base_length(line)) is None:
        return UNKNOWN
    loop = until(at_end(line, max), last)
    return lengths.depth(lengths.collapse(loop, until(sham, last)), longest)


def control_lines(name: str, line: xr.Dataset, controls: Mapping[str, xr.Dataset]) -> Iterator[str]:
    """What loop and controls gained at both ends of a line, and how far apart they are; nothing
    without controls.
    """
    last = int(line["round"][-1])
    if controls:
        yield f"{name}, gain after {last} rounds (untouched base: 0):"
    for end in (min, max) if controls else ():
        loop = intervals.mean(gained(line, end, last))
        yield f"  FPR {end(line.fpr.values):g}: loop {text(loop)}, {loop.num} bases"
        for role, control in controls.items():
            if "fpr" in control.dims or end is min:  # else it is the same at both ends
                yield f"    {role}: {text(intervals.mean(gained(control, end, last)))}"
            yield f"    loop minus {role}: {text(beyond(line, control, end, last))}"
    if "sham" in controls:
        for name, after in horizons(line).items():
            found = text(depth(line, controls["sham"], after))
            yield f"  below base and sham at the highest FPR, {lengths.unit(line)}, {name}: {found}"


def spread_text(values: np.ndarray) -> str:
    """How much f[base, run] differ between bases and between runs of one; nothing if there are too
    few to tell.
    """
    parts = variance.variance_components(values)
    if np.isnan(parts.within.value):
        return ""
    between, within = (np.sqrt(x.value) for x in parts[:2])
    return f"standard deviation between bases {between:.2g}, between two runs of one {within:.2g}"
