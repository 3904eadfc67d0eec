"""What the claims about the phase diagram measure: effects as functions of the shipped runs.

Each takes the parts of all folders, one after another; what data lack is not a number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from avax.analysis import intervals, law, lengths, numbers, surface
from avax.analysis.intervals import Estimate
from paper_figures import noise_phase_diagram as found
from paper_figures import places
from paper_figures.beside import ALL, HALF, horizons, until
from paper_figures.claims import UNKNOWN, remembered
from paper_figures.noise_phase_diagram import PARTS

PLACES = {  # by the folder of their results
    "noise_phase_diagram": "frontier",
    "noise_phase_diagram_fixed": "fixed range",
    "noise_phase_diagram_rate_3e-3": "frontier at three times the rate",
    "noise_phase_diagram_fixed_rate_3e-3": "fixed range at three times the rate",
}
OWN_PLACES = {  # the fixed range at rates and from seeds where nothing had been run
    "noise_phase_diagram_own_7e-4": "learning rate 7e-4",
    "noise_phase_diagram_own_1.7e-3": "learning rate 1.7e-3",
    "noise_phase_diagram_own_4.5e-3": "learning rate 4.5e-3",
}
RATIO, ONE_LESS_J = "FPR / (1 - FNR)", "1 - J"


@remembered
def prepared(*datasets: xr.Dataset | None) -> dict[str, found.Data]:
    """The parts of all folders by name, or of the first of them."""
    names = (PLACES | OWN_PLACES).values()
    return places.split(datasets, names, len(PARTS), lambda *parts: found.named(parts))


def at(place: str, horizon: str, datasets) -> tuple[found.Data, int]:
    """The parts of one folder, and the round at which they are read."""
    data = prepared(*datasets)[place]
    return data, horizons(data[""])[horizon]


def boundary(place: str, horizon: str, *datasets) -> Estimate:
    """The FPR / (1 - FNR) at which a run ends as good as its untouched base."""
    data, last = at(place, horizon, datasets)
    return found.ratio_of(found.order_of(data[""], last))


def boundary_beyond_sham(place: str, horizon: str, *datasets) -> Estimate:
    """The FPR / (1 - FNR) at which a run of the map ends as good as its base's sham."""
    data, last = at(place, horizon, datasets)
    sham = found.controls_of(data).get("sham")
    if sham is None:
        return UNKNOWN
    return found.ratio_of(found.beyond(found.order_of(data[""], last), sham, last))


def advantage(place: str, other: str, *datasets) -> Estimate:
    """Share of the variance between verifiers that the ratio explains, minus another number's."""
    order = found.order_of(prepared(*datasets)[place][""])
    return numbers.advantage(order, RATIO, other)


def exponent(place: str, horizon: str, *datasets) -> Estimate:
    data, last = at(place, horizon, datasets)
    return surface.exponent(found.order_of(data[""], last))


def predicted_over_measured(place: str, horizon: str, *datasets: xr.Dataset | None) -> Estimate:
    """What the law from both ends says over the measured boundary ratio; every base is left out
    once.
    """
    return over_bases(lambda factors: factors[0], place, horizon, datasets, log=True)


def nearer(place: str, horizon: str, *datasets: xr.Dataset | None) -> Estimate:
    """How far the law from both ends is from the measured boundary, less how far a straight line
    between both ends is, in logarithms; every base is left out once.
    """

    def value(factors: tuple[float, float]) -> float:
        return float(np.subtract(*np.abs(np.log(factors))))

    return over_bases(value, place, horizon, datasets)


def over_bases(value: Callable, place: str, horizon: str, datasets, log=False) -> Estimate:
    """A value of two numbers: what the law from both ends says over the measured boundary ratio,
    and what a straight line between both ends says over it.
    """
    data, last = at(place, horizon, datasets)
    ends = found.ends_of(data, last)
    if ends is None:
        return UNKNOWN
    order, ends = xr.align(found.order_of(data[""], last), ends, join="inner")

    def of_bases(picks: np.ndarray) -> float:
        measured = found.ratio_of(order.isel(seed=picks)).value
        said = [found.from_ends(ends.isel(seed=picks).values, k) for k in (law.odds_after(last), 0)]
        return value(tuple(float(np.divide(one, measured)) for one in said))

    with np.errstate(all="ignore"):
        return intervals.jackknife(np.arange(order.sizes["seed"]), of_bases, log=log)


def lost(place: str, horizon: str, measure: Callable, *datasets) -> Estimate:
    """What retention or reach lose without a filter, against the untouched base, in digits."""
    data, last = at(place, horizon, datasets)
    loop = found.at_fpr(until(data["line"], last), found.line_fprs(data)[-1])
    change = found.changed(loop, measure).isel(round=-1)
    if measure is lengths.retention:
        change = change * lengths.base_length(loop)
    return intervals.mean(change, "seed")


def collapse(place: str, horizon: str, against: str, *datasets) -> Estimate:
    """How far the line without a filter is below both its base and a sham, in digits."""
    data, last = at(place, horizon, datasets)
    judged = found.collapse(data, last, against)
    return UNKNOWN if judged is None else lengths.depth(judged, lengths.base_length(data["line"]))


def beyond(place: str, horizon: str, control: str, is_filtered: bool, *datasets) -> Estimate:
    """Digits that the loop gains more than a control, base by base: behind a verifier without
    errors, or without a filter.
    """
    data, last = at(place, horizon, datasets)
    if control not in (controls := found.controls_of(data)):
        return UNKNOWN
    fpr = found.line_fprs(data)[0 if is_filtered else -1]
    both = (found.at_fpr(found.solved(x, last), fpr) for x in (data["line"], controls[control]))
    return intervals.paired(*both, axis="seed")


def at_places(names: dict[str, str], when: tuple[str, ...], effect: Callable, *args) -> dict:
    """An effect in some places at some horizons."""
    effects = {horizon: places.of(effect, horizon, *args) for horizon in when}
    return places.everywhere(names.values(), effects)


def everywhere(effect: Callable, *args) -> dict:
    """An effect in all places with controls at both horizons."""
    return at_places(PLACES, (HALF, ALL), effect, *args)
