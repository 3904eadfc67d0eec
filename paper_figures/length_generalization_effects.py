"""What the claims on length generalization measure: effects, functions of the datasets.

What data lack is not a number.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths
from avax.analysis.intervals import Estimate
from paper_figures import length_generalization as found
from paper_figures.claims import UNKNOWN, remembered


@remembered
def prepared(*datasets: xr.Dataset | None) -> found.Effects:
    return found.effects(*datasets)


def effect(heading: str, name: str, *datasets: xr.Dataset | None) -> Estimate:
    """One of the comparisons of `length_generalization.effects`."""
    return intervals.mean(prepared(*datasets)[heading][name])


def share(heading: str, name: str, *datasets: xr.Dataset | None) -> Estimate:
    """A share of bases, of zeros and ones, and its exact interval (Clopper and Pearson 1934)."""
    from scipy.stats import binomtest

    values = prepared(*datasets)[heading][name]
    each = values[np.isfinite(values)]
    if not each.size:
        return UNKNOWN
    low, high = binomtest(int(each.sum()), each.size).proportion_ci(intervals.COVERAGE)
    return Estimate(float(each.mean()), float(low), float(high), each.size)


def effects(heading: str, *names: str) -> dict:
    return {name: partial(effect, heading, name) for name in names}


def beyond(heading: str, name: str, *datasets: xr.Dataset | None) -> Estimate:
    """One of the comparisons with controls; not known if that control was not run."""
    values = prepared(*datasets).get(heading, {}).get(name)
    return UNKNOWN if values is None else intervals.mean(values)


def collapsed(arm: str, when: str, *datasets: xr.Dataset | None) -> Estimate:
    """How far a loop without a filter is below both the untouched base and the sham, in digits.
    Below 0, in retention or in reach, if it collapsed.
    """
    data = found.named(*datasets)
    judged = found.collapse(data, arm, when)
    return UNKNOWN if judged is None else lengths.depth(judged, lengths.base_length(data[arm]))
