"""What the claims about predicting the boundary measure: effects, functions of the datasets.

What data lack is not a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals, law, phase, response
from avax.analysis.intervals import Estimate
from paper_figures import beside
from paper_figures.claims import UNKNOWN, remembered

VARIANTS = {
    "reference": "reference",
    "base_data": "half base data",
    "gentle": "1/3 of learning rate",
    "accumulated": "accumulated data",
    "wide": "width 48, not 32",
    "grpo": "GRPO, 20 rounds",
    "frontier": "frontier",
}
CONTROLS = {  # of the reference, by the roles that they have in figures
    "frozen generator": "control/frozen_generator",
    "sham": "control/sham",
}
OWN = tuple(f"{kind}/{name}" for name in VARIANTS for kind in ("line", "lapse"))
PARTS = ("random_labels", *OWN, *CONTROLS.values())
LINE, FROM_SHAM = "line/reference", "reference less sham"
LATE = slice(4, 10)  # rounds after the wrong labels
Data = dict[str, xr.Dataset]


def named(datasets: Sequence[xr.Dataset | None]) -> Data:
    """The parts by name, without the controls that there are not."""
    found = dict(zip(PARTS, datasets, strict=False))
    return {name: data for name, data in found.items() if data is not None}


def controls_of(data: Data) -> Data:
    """The controls of the reference that there are, by role."""
    return {role: data[part] for role, part in CONTROLS.items() if part in data}


def measured(line: xr.Dataset, picks: np.ndarray, sham: xr.DataArray | None = None) -> float:
    """The boundary FPR on the line FNR = 0 for some of the bases; infinite if all of it gains.

    Args:
      sham: what each base gained under a sham, which a gain falls to there; else that is 0, the
        untouched base.
    """
    order = phase.order_parameter(line).expand_dims(fnr=[0.0]).isel(seed=picks)
    return float(phase.boundary(order, reference=sham).fpr[0])


def seen_by(lapse: xr.Dataset):
    """The response for some of the bases; those with a run that diverged are left out."""
    start, *data = response.injected(lapse)
    known = np.isfinite(data[0]).all(1) & np.isfinite(data[2]).all((1, 2))

    def seen(picks: np.ndarray) -> response.Response:
        some = picks[known[picks]]
        return response.measure(*(x[some] for x in data), start)

    return seen


def predicted(seen: response.Response, level: float = 0.0) -> tuple[float, float]:
    """The boundary by the whole response, where the gain falls to a level, and by the next round's,
    which knows no level: infinite if there is none.
    """
    kappa = seen.error_by_lag[1]
    return response.critical_ratio(seen, level), 1 / kappa if kappa > 0 else np.inf


def from_both_ends(line: xr.Dataset, picks: np.ndarray) -> float:
    """What the law from both ends says of some of the bases, by what their mean gains at both ends
    of the line; NaN of a learner that learns nothing where all is accepted.
    """
    order = phase.order_parameter(line).isel(seed=picks).mean("seed").sortby("fpr").values
    blind = order[-1] or np.nan
    return float(law.between(order[0], -blind, law.odds_after(line.sizes["round"] - 1)))


def boundaries(
    line: xr.Dataset, lapse: xr.Dataset, sham: xr.Dataset | None = None
) -> dict[str, Estimate]:
    """All boundaries of a variant, and the factors by which predictions are too high.

    Args:
      sham: which gains fall to at a boundary, base by base; else that is the untouched base.
    """
    if sham is not None:
        shared = sorted(set(line.seed.values) & set(sham.seed.values))
        line, lapse, sham = (x.sel(seed=shared) for x in (line, lapse, sham))
    units = np.arange(line.sizes["seed"])
    seen, cached = seen_by(lapse), {}

    def each(picks: np.ndarray) -> np.ndarray:
        at = tuple(picks.tolist())
        if at not in cached:
            reference, level = fallen_to(sham, picks)
            said = *predicted(seen(picks), level), from_both_ends(line, picks)
            cached[at] = np.array([measured(line, picks, reference), *said])
        return cached[at]

    numbers = {
        "measured": lambda p: each(p)[0],
        "response": lambda p: each(p)[1],
        "one round": lambda p: each(p)[2],
        "factor of the response": lambda p: each(p)[1] / each(p)[0],
        "factor of one round": lambda p: each(p)[2] / each(p)[0],
    }
    with np.errstate(all="ignore"):
        found = {n: bounded(intervals.jackknife(units, f, log=True)) for n, f in numbers.items()}
        apart = intervals.jackknife(units, lambda p: law_less_response(each(p)))
        return found | {"law less response": apart}


def law_less_response(each: np.ndarray) -> float:
    """How far the law from both ends is from the measured boundary, less how far the response is,
    in logarithms.
    """
    measured, response, _, both_ends = np.log(each)
    return float(abs(both_ends - measured) - abs(response - measured))


def fallen_to(sham: xr.Dataset | None, picks: np.ndarray) -> tuple[xr.DataArray | None, float]:
    """What some of the bases gained under a sham, and the mean progress that this is: None and 0
    without one. A sham that diverged tells nothing.
    """
    if sham is None:
        return None, 0.0
    some = sham.isel(seed=picks)
    order, gain = phase.order_parameter(some), phase.gain(some).isel(round=-1)
    known = np.isfinite(order)
    return order.where(known), float(gain.where(known).mean())


def bounded(estimate: Estimate) -> Estimate:
    """An interval whose ends are open where they are not known."""
    value, low, high, num = estimate
    low, high = (0.0 if np.isnan(low) else low), (np.inf if np.isnan(high) else high)
    return Estimate(value, low, high, num)


@remembered
def prepared(*datasets: xr.Dataset | None) -> dict[str, dict[str, Estimate]]:
    """The boundaries of all variants, and of the reference from its sham if that was run."""
    data = named(datasets)
    found = {name: boundaries(data[f"line/{name}"], data[f"lapse/{name}"]) for name in VARIANTS}
    if (sham := controls_of(data).get("sham")) is not None:
        found[FROM_SHAM] = boundaries(data[LINE], data["lapse/reference"], sham)
    return found


def factor(kind: str, name: str, *datasets: xr.Dataset | None) -> Estimate:
    """A predicted boundary over the measured one; not known where that needs a sham not run."""
    found = prepared(*datasets).get(name)
    return found[f"factor of {kind}"] if found else UNKNOWN


def nearer(name: str, *datasets: xr.Dataset | None) -> Estimate:
    """How much farther from the boundary the law from both ends is than the response."""
    return prepared(*datasets)[name]["law less response"]


def more(lags: slice, *datasets: xr.Dataset | None) -> Estimate:
    """Response to own mistakes minus that to random digits, summed over lags."""
    found = named(datasets)
    own, random = found["lapse/reference"], found["random_labels"]
    seen, last = [seen_by(x) for x in (own, random)], own.sizes["round"] - 1
    chosen = slice(lags.start, min(lags.stop, last))

    def statistic(picks: np.ndarray) -> float:
        first, second = (each(picks).error_by_lag[chosen].sum() for each in seen)
        return float(first - second)

    return intervals.jackknife(np.arange(own.sizes["seed"]), statistic)


def collapse(horizon: str, *datasets: xr.Dataset | None) -> Estimate:
    """How far the reference at its highest FPR is below both its base and its sham, in digits."""
    line, found = reference(datasets)
    return beside.depth(line, found.get("sham"), beside.horizons(line)[horizon])


def compounded(horizon: str, *datasets: xr.Dataset | None) -> Estimate:
    """What the reference at its highest FPR gained more than with a frozen generator."""
    line, found = reference(datasets)
    last = beside.horizons(line)[horizon]
    return beside.beyond(line, found.get("frozen generator"), max, last)


def reference(datasets: Sequence[xr.Dataset | None]) -> tuple[xr.Dataset, Data]:
    """The line of the reference, and its controls by role."""
    data = named(datasets)
    return data[LINE], controls_of(data)


def of_variants(kind: str) -> dict:
    """A factor of all variants, and of the reference from its sham."""
    shown = VARIANTS | {FROM_SHAM: FROM_SHAM}
    return {words: partial(factor, kind, name) for name, words in shown.items()}


def at_both_horizons(effect: Callable) -> dict:
    """An effect after half and after all of the rounds."""
    return {horizon: partial(effect, horizon) for horizon in ("half of the rounds", "all rounds")}
