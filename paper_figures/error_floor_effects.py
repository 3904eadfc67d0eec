"""Effects of the claims about where self-training comes to rest: functions of the datasets."""

from __future__ import annotations

from functools import partial

import xarray as xr

from avax.analysis import intervals
from avax.analysis.intervals import Estimate
from paper_figures import beside
from paper_figures import error_floor as found
from paper_figures.claims import UNKNOWN, remembered
from paper_figures.error_floor import END, LINES, SHAM, THIRDS


@remembered
def prepared(*datasets: xr.Dataset | None):
    return found.effects(*datasets)


def effect(heading: str, name: str, *datasets: xr.Dataset | None) -> Estimate:
    """One of the comparisons of `error_floor.effects`; not known without the control it is from."""
    values = prepared(*datasets).get(heading, {}).get(name)
    return UNKNOWN if values is None else intervals.mean(values)


def collapse(line: str, when: str, *datasets: xr.Dataset | None) -> Estimate:
    """How far a loop without a filter is below both its base and its sham, in digits, after the
    last round of a third.
    """
    parts = found.named(datasets)
    (part,) = (part for part, words in LINES.items() if words == line)
    last = int(found.third(parts[part]["round"], when)[-1])
    return beside.depth(parts[part], found.controls_of(parts).get((line, SHAM)), last)


def effects(heading: str, names) -> dict:
    return {f"{n}, {t}": partial(effect, heading, f"{n}, {t}") for t in THIRDS for n in names}


def moves(fpr: float, *datasets: xr.Dataset | None) -> Estimate:
    """The largest change of the error over the last third, up or down, among all lines."""
    each = (effect(found.DRIFT, f"{x}, FPR {fpr:g}, {END}", *datasets) for x in LINES.values())
    return max(each, key=lambda x: abs(x.value))
