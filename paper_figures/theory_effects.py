"""What the claims about the one number that decides measure: effects, functions of the datasets.

What data lack is not a number.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from avax.analysis import intervals, numbers, surface
from avax.analysis.intervals import Estimate
from paper_figures import theory as found
from paper_figures.beside import ALL, HALF, at_end
from paper_figures.claims import UNKNOWN

RATIO, ONE_LESS_J = "FPR / (1 - FNR)", "1 - J"


def beats(learner: str, number: str, other: str, *datasets) -> Estimate:
    """Share of the variance that one number explains, minus that of another."""
    return numbers.advantage(found.order_of(found.named(datasets), learner), number, other)


def isolines(learner: str, *datasets) -> Estimate:
    """Exponent k of lines of equal outcome."""
    return surface.exponent(found.order_of(found.named(datasets), learner))


def gain_where(learner: str, sign: int, *datasets) -> Estimate:
    """Mean gain over the verifiers whose J has a sign, times that sign."""
    order = found.order_of(found.named(datasets), learner)
    chosen = order.where(np.sign(1 - order.fpr - order.fnr).round(6) == sign)
    return found.mean_of_settings(sign * chosen)


def beyond(line: str, control: str, end: Callable, horizon: str, *datasets) -> Estimate:
    """What a line gained more than a control, base by base, at its lowest or its highest FPR."""
    return found.beyond(found.named(datasets), line, control, end, horizon)


def placebo_gains(line: str, is_mean: bool, horizon: str, *datasets) -> Estimate:
    """What the placebo of a line gained over the untouched base: at as many accepted as at the
    lowest FPR, or the mean over the FPRs below 1.
    """
    placebo = found.controls_of(found.named(datasets), line).get("placebo")
    if placebo is None:
        return UNKNOWN
    values = found.gained(placebo, horizon)
    if not is_mean:
        return intervals.mean(at_end(values, min))
    return intervals.mean(values.sel(fpr=values.fpr < 1).mean("fpr", skipna=False))


def over(learner: str, number: str, *others: str) -> dict:
    """An advantage over several numbers."""
    return {f"over {other}": partial(beats, learner, number, other) for other in others}


def divides(learner: str) -> dict:
    """Gain on one side of J = 0, and loss on the other."""
    return {
        "gain where J > 0": partial(gain_where, learner, 1),
        "loss where J < 0": partial(gain_where, learner, -1),
    }


def at_both_horizons(effect: Callable, *args) -> dict:
    """An effect after half and after all of the rounds."""
    return {horizon: partial(effect, *args, horizon) for horizon in (HALF, ALL)}
