"""Effects of the claims about hard problems and false rewards: functions of the datasets."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals
from avax.analysis.intervals import Estimate
from paper_figures import hard_samples as found
from paper_figures.claims import UNKNOWN, remembered
from paper_figures.hard_samples import END, TIMES


@remembered
def prepared(*datasets: xr.Dataset | None) -> dict[str, xr.Dataset]:
    return found.named(datasets)


def changed(part: str, name: str, when: str, *datasets: xr.Dataset | None, **at: float) -> Estimate:
    """A reading of a part less that of the untouched base."""
    data = prepared(*datasets)
    arm = found.part_at(data, part, **at)
    return UNKNOWN if arm is None else intervals.mean(found.change(data, arm, name, when))


def apart(
    part: str, other: str, name: str, when: str, *datasets: xr.Dataset | None, **at: float
) -> Estimate:
    """A reading of a part less that of another one, base by base; `at` says where the first is."""
    data = prepared(*datasets)
    one, two = found.part_at(data, part, **at), found.part_at(data, other)
    if one is None or two is None:
        return UNKNOWN
    return intervals.paired(*(found.reading(x, name, when) for x in (one, two)))


def more_accurate(part: str, other: str, when: str, *datasets: xr.Dataset | None) -> Estimate:
    """Greedy accuracy over all lengths of a part less that of another one."""
    data = prepared(*datasets)
    each = (found.accuracy_change(data, found.part_at(data, x), when) for x in (part, other))
    return intervals.paired(*each)


def idle(part: str, *datasets: xr.Dataset | None) -> Estimate:
    """Share of the rounds of a part in which nothing was trained."""
    return intervals.mean(found.inert(found.part_at(prepared(*datasets), part)))


def one_curve(when: str, *datasets: xr.Dataset | None) -> Estimate:
    """How the change of the arms goes with the share of their rewards that are false."""
    _, units = found.doses(prepared(*datasets), when)
    return intervals.jackknife(units, found.explained)


def later(part: str, *datasets: xr.Dataset | None) -> Estimate:
    """Rounds by which the ability lags behind the skipping, each at half of its own way."""
    data = prepared(*datasets)
    able, skipped = (found.half_way(data, data[part], x) for x in ("able", "skipped"))
    return intervals.mean(np.asarray(able) - skipped)


def at_times(effect, *words, **at) -> dict:
    """An effect at both times, by their names."""
    return {when: partial(effect, *words, when, **at) for when in TIMES}


def of_parts(effect, parts: dict[str, str], *words, when: str = END, **at) -> dict:
    """An effect of several parts, by what they are called."""
    return {name: partial(effect, part, *words, when, **at) for part, name in parts.items()}
