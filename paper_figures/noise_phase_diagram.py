"""What the phase diagram and its controls found, as numbers for figures, claims and words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import intervals, law, lengths, phase, surface, variance
from avax.analysis.intervals import Estimate
from paper_figures.beside import horizons, until
from paper_figures.claims import UNKNOWN

CONTROLS = {  # of the line, by the roles that they have in figures
    "frozen generator": "control/line_frozen_generator",
    "sham": "control/line_sham",
    "length-matched sham": "control/line_matched_sham",
    "placebo": "control/line_placebo",
}
PARTS = ("", "line", "twice", *CONTROLS.values())
Data = dict[str, xr.Dataset]


class Findings(NamedTuple):
    """What the figure says, as numbers."""

    order: xr.DataArray  # gain over the untouched base after all rounds: fpr, fnr, seed
    measured: phase.Boundary
    exponent: Estimate  # k of FPR ~ (1 - FNR)^k, along which outcomes are equal
    predicted: Estimate  # ratio of the boundary, from both ends of the line


def named(datasets: Sequence[xr.Dataset | None]) -> Data:
    """The parts by name, without the controls that there are not."""
    found = dict(zip(PARTS, datasets, strict=False))
    return {name: data for name, data in found.items() if data is not None}


def controls_of(data: Data) -> Data:
    """The controls that there are, by role."""
    return {role: data[part] for role, part in CONTROLS.items() if part in data}


def by_base(values: xr.DataArray) -> xr.DataArray:
    """One value of each base: the mean over its runs."""
    return values.mean("replicate") if "replicate" in values.dims else values


def order_of(dataset: xr.Dataset, last: int | None = None) -> xr.DataArray:
    """The order parameter of runs of so many rounds: gain over the untouched base."""
    dataset = dataset if last is None else until(dataset, last)
    return by_base(phase.order_parameter(dataset))


def at_fpr(values: xr.DataArray | xr.Dataset, fpr: float | None = None):
    """Values of the line at an FPR; of a control that has no FPR those that it has."""
    if "fpr" not in values.dims:
        return values
    return values.sel(fpr=fpr, method="nearest", drop=True)


def line_fprs(data: Data) -> np.ndarray:
    """The FPRs of the line, which has one FNR: the lowest of the map."""
    return np.sort(data["line"].fpr.values)


def is_run(order: xr.DataArray) -> xr.DataArray:
    """Which settings were run: with any of the bases, since they may be dealt out."""
    return order.notnull().any("seed")


def mean_of(order: xr.DataArray) -> xr.DataArray:
    """The mean over the bases that each setting was run with, as the only seed of a map."""
    return order.mean("seed").expand_dims(seed=[0], axis=-1)


def analyse(*datasets: xr.Dataset | None) -> Findings:
    """Measured boundary, its shape, and what a law says.

    Args:
      datasets: in the order of PARTS; None for a control that was not run.
    """
    data = named(datasets)
    order = order_of(data[""])
    found = phase.boundary(order), surface.exponent(order)
    return Findings(order, *found, predicted(data, unit(data[""])[0]))


def ratio_of(order: xr.DataArray) -> Estimate:
    """The FPR / (1 - FNR) at which the gain falls to 0."""
    if phase.is_dealt(order):
        return surface.boundary_ratio(order)
    return phase.boundary_ratio(order)


def beyond(order: xr.DataArray, control: xr.Dataset, last: int) -> xr.DataArray:
    """An order parameter less what a control without axes comes to, base by base; of bases whose
    control diverged it is not known.
    """
    reference = order_of(control, last)
    both = xr.align(order, reference.where(np.isfinite(reference)), join="inner")
    return both[0] - both[1]


def ratios(data: Data) -> Iterator[tuple[str, Estimate]]:
    """Boundary ratios of the map by what is compared and when; not of shams that are not there."""
    controls = controls_of(data)
    for against in ("untouched base", "sham", "length-matched sham"):
        for last in dict.fromkeys(horizons(data[""]).values()):
            order = order_of(data[""], last)
            if against in controls:
                order = beyond(order, controls[against], last)
            if against in controls or against == "untouched base":
                yield f"{against}, round {last}", ratio_of(order)


def changed(dataset: xr.Dataset, measure: Callable) -> xr.DataArray:
    """Retention or reach less the untouched base's, by run and round; NaN where the configuration
    doesn't tell what the base was trained on.
    """
    longest = lengths.base_length(dataset)
    if longest is None:
        return xr.full_like(dataset.accuracy, np.nan)
    return by_base(phase.since_base(measure(dataset, longest), dataset))


def solved(dataset: xr.Dataset, last: int) -> xr.DataArray:
    """Digits gained after so many rounds: solved length less the untouched base's."""
    return by_base(lengths.final_gain(until(dataset, last)))


def collapse(data: Data, last: int, against: str = "sham") -> lengths.Collapse | None:
    """Collapse without a filter: at the highest FPR of the line, below its untouched base and below
    a sham. None without that sham.
    """
    sham = controls_of(data).get(against)
    if sham is None or lengths.base_length(data["line"]) is None:
        return None
    loop = at_fpr(until(data["line"], last), line_fprs(data)[-1])
    return lengths.collapse(loop, until(sham, last))


def spreads(data: Data) -> Iterator[tuple[float, variance.Components]]:
    """At each FPR that was run twice, how much gains differ between bases and between two runs."""
    order = phase.order_parameter(data["twice"]).transpose("fpr", "seed", "replicate")
    for fpr, values in zip(order.fpr.values, order.values, strict=True):
        yield float(fpr), variance.variance_components(values)


def ends_of(data: Data, last: int) -> xr.DataArray | None:
    """What the line gains after so many rounds where no wrong answer is accepted and without a
    filter, by base: dimensions seed and end. Of bases whose runs did not diverge; None if the line
    has no such ends.
    """
    order, fnr = order_of(data["line"], last), float(data[""].fnr.min())
    low, high = line_fprs(data)[[0, -1]]
    if low > 0 or not np.isclose(high, 1 - fnr):
        return None
    ends = xr.concat([at_fpr(order, fpr) for fpr in (low, high)], "end").transpose("seed", "end")
    return ends.isel(seed=np.flatnonzero(np.isfinite(ends).all("end")))


def from_ends(ends: np.ndarray, odds: float) -> float:
    """The boundary ratio that the law from both ends says, of some bases f[S, 2]."""
    best, blind = ends.mean(0)
    return float(law.between(best, -blind, odds))


def predicted(data: Data, last: int) -> Estimate:
    """The same of all bases, each of which is left out once; not known without both ends."""
    ends = ends_of(data, last)
    if ends is None or not ends.size:
        return UNKNOWN
    with np.errstate(all="ignore"):
        odds = law.odds_after(last)
        return intervals.jackknife(ends.values, lambda x: from_ends(x, odds), log=True)


def unit(dataset: xr.Dataset) -> tuple[int, str]:
    """The last round, and what the order parameter counts."""
    last = int(dataset["round"][-1])
    what = "digits gained a round" if phase.is_frontier(dataset) else "accuracy gained"
    return last, what


def mean_at(order: xr.DataArray, fpr: float | None = None) -> Estimate:
    """Mean over bases on the line."""
    return intervals.mean(at_fpr(order, fpr), "seed")
