"""Effects of the claims on the avalanche: functions of its datasets."""

from __future__ import annotations

import xarray as xr

from avax.analysis import intervals, lengths
from avax.analysis.intervals import Estimate
from avax.analysis.runway import label_error
from paper_figures import avalanche as found
from paper_figures.avalanche import LEVELS, Runs
from paper_figures.claims import UNKNOWN, remembered


@remembered
def prepared(*datasets: xr.Dataset | None) -> Runs:
    return found.split(*datasets)


def compounded(arm: str, last: int, *datasets) -> Estimate:
    return intervals.mean(found.compounded(prepared(*datasets), arm, last))


def faster(*datasets) -> Estimate:
    """Growth a round of direct labels in the loop over that a digit of the untouched base."""
    loop, base = found.paces(prepared(*datasets), "direct")
    return found.as_factor(loop - base)


def collapsed(after: int, *datasets) -> Estimate:
    """How far the loop on direct answers is, after a round, below both the untouched base and the
    sham, in digits; below 0 in retention or in reach if it collapsed.
    """
    runs = prepared(*datasets)
    sham = runs.controls.get(("direct", "sham"))
    if sham is None:
        return UNKNOWN
    both = (x.isel(round=slice(after + 1)) for x in (runs.arms["direct"], sham))
    return lengths.depth(lengths.collapse(*both), lengths.base_length(sham))


def longer(arm: str, than: str, *datasets) -> Estimate:
    return intervals.mean(found.longer(prepared(*datasets), arm, LEVELS[0], than))


def outlasted(arm: str, *datasets) -> Estimate:
    return intervals.mean(found.outlasted(prepared(*datasets), arm, LEVELS[0]))


def cut(digits: int, *datasets) -> Estimate:
    return found.as_factor(found.cut(prepared(*datasets), digits))


def ended(*datasets) -> Estimate:
    """Label error with both checks in the last round minus that in the first."""
    error = label_error(prepared(*datasets).arms["vote_commutative"])
    return intervals.mean(error[:, -1] - error[:, 0])


def announced(*datasets) -> Estimate:
    """Mean over the runs of each base that fell."""
    return intervals.mean(found.mean_of_known(found.leads(prepared(*datasets))))
