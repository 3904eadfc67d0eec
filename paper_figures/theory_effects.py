"""What the claims about the one number that decides measure: effects, functions of the datasets.

What data lack is not a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from avax.analysis import intervals, numbers, surface
from avax.analysis.intervals import Estimate
from paper_figures import places
from paper_figures import theory as found
from paper_figures.beside import ALL, HALF, at_end
from paper_figures.claims import UNKNOWN, remembered
from paper_figures.places import of

# By folder: the learning rate of fine-tuning. That of GRPO is a tenth of it.
PLACES = {"theory": "3e-3", "theory_rate_1e-3": "1e-3"}
RATIO, ONE_LESS_J = "FPR / (1 - FNR)", "1 - J"


@remembered
def prepared(*datasets: xr.Dataset | None) -> dict[str, found.Data]:
    """The parts of all folders by learning rate, or of the first of them."""
    number = len(found.PARTS)
    return places.split(datasets, PLACES.values(), number, lambda *parts: found.named(parts))


def beats(rate: str, learner: str, number: str, other: str, horizon: str, *datasets) -> Estimate:
    """Share of the variance that one number explains, minus that of another."""
    order = found.order_of(prepared(*datasets)[rate], learner, horizon)
    return numbers.advantage(order, number, other)


def isolines(rate: str, learner: str, horizon: str, *datasets) -> Estimate:
    """Exponent k of lines of equal outcome."""
    return surface.exponent(found.order_of(prepared(*datasets)[rate], learner, horizon))


def gain_where(rate: str, learner: str, sign: int, horizon: str, *datasets) -> Estimate:
    """Mean gain over the verifiers whose J has a sign, times that sign."""
    order = found.order_of(prepared(*datasets)[rate], learner, horizon)
    chosen = order.where(np.sign(1 - order.fpr - order.fnr).round(6) == sign)
    return found.mean_of_settings(sign * chosen)


def beyond(rate: str, line: str, control: str, end: Callable, horizon: str, *datasets) -> Estimate:
    """What a line gained more than a control, base by base, at its lowest or its highest FPR."""
    return found.beyond(prepared(*datasets)[rate], line, control, end, horizon)


def placebo_gains(rate: str, line: str, is_mean: bool, horizon: str, *datasets) -> Estimate:
    """What the placebo of a line gained over the untouched base: at as many accepted as at the
    lowest FPR, or the mean over the FPRs below 1.
    """
    placebo = found.controls_of(prepared(*datasets)[rate], line).get("placebo")
    if placebo is None:
        return UNKNOWN
    values = found.gained(placebo, horizon)
    if not is_mean:
        return intervals.mean(at_end(values, min))
    return intervals.mean(values.sel(fpr=values.fpr < 1).mean("fpr", skipna=False))


def at_rates(effects: Mapping[str, Callable]) -> dict[str, Callable]:
    """Effects that take a learning rate first and a horizon last, at each of both."""
    return places.everywhere(
        PLACES.values(),
        {
            ", ".join(filter(None, (name, horizon))): of(effect, horizon)
            for name, effect in effects.items()
            for horizon in (HALF, ALL)
        },
    )


def over(learner: str, number: str, *others: str) -> dict:
    """An advantage over several numbers."""
    return at_rates({f"over {other}": of(beats, learner, number, other) for other in others})


def divides(learner: str) -> dict:
    """Gain on one side of J = 0, and loss on the other."""
    return at_rates(
        {
            "gain where J > 0": of(gain_where, learner, 1),
            "loss where J < 0": of(gain_where, learner, -1),
        }
    )


def at_both_horizons(effect: Callable, *args) -> dict:
    """An effect after half and after all of the rounds."""
    return at_rates({"": of(effect, *args)})
