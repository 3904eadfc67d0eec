"""What the claims on the gap measure: effects, functions of the datasets.

What data lack is not a number.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import xarray as xr

from avax.analysis import intervals
from avax.analysis.intervals import Estimate
from paper_figures import gap as found
from paper_figures.claims import UNKNOWN, remembered
from paper_figures.gap import FAR, FIRST, FIXED, MOVING, NEAR, WIDTHS

KNOWN = {"8 digits": NEAR, "10 digits": FAR}  # of bases as they learn
STARTS = {"10 digits": NEAR, "12 digits": FAR}  # of loops
RATES = {"": "majority", ", rate 3e-3": found.FAST}  # loops behind the vote by learning rate
SHAM = {found.FAST: found.FAST_SHAM}  # of other parts that at their rate
MIDDLE = 4  # a round; three rounds of training after which a gap is gone, as they have it
WHEN = {f"round {MIDDLE}": {"round": MIDDLE}, "end": {"round": -1}}


@remembered
def prepared(*datasets: xr.Dataset | None) -> dict[str, xr.Dataset]:
    return found.named(datasets)


def sham_of(part: str, data: dict[str, xr.Dataset]) -> xr.Dataset | None:
    """The sham at the learning rate of a part, if it was run."""
    return data.get(SHAM.get(part, found.CONTROLS["sham"]))


def removed_more(start: int, *datasets: xr.Dataset) -> Estimate:
    """The relative gap of the widest bases minus that of the narrowest, after equal training."""
    return found.share_removed(prepared(*datasets), start, (WIDTHS[0], WIDTHS[-1]))


def grown(start: int, *datasets: xr.Dataset) -> Estimate:
    """The gap of the widest bases minus that of width 32, after equal training."""
    gaps = found.of_own(found.by_width(prepared(*datasets), "gap", start))
    return intervals.unpaired(*(gaps.sel(width=w).values for w in (WIDTHS[-1], found.WIDTH)))


def grown_at(skill: float, is_greedy: bool, *datasets: xr.Dataset) -> Estimate:
    """The share of errors that judges remove of the widest bases minus that of the narrowest, where
    equally many of their answers are right.
    """
    data, ends = prepared(*datasets), (WIDTHS[-1], WIDTHS[0])
    gaps = (found.at_skill(data, width, skill, is_greedy) for width in ends)
    # Samples are wrong more often than greedy answers: as sampled, equal shares are wrong.
    return intervals.unpaired(*(x if is_greedy else x / (1 - skill) for x in gaps))


def narrow(start: int, *datasets: xr.Dataset) -> Estimate:
    """The gap of the narrowest bases after as much training as the others."""
    gaps = found.of_own(found.by_width(prepared(*datasets), "gap", start))
    return intervals.mean(gaps.sel(width=WIDTHS[0]).values)


def narrow_at(skill: float, *datasets: xr.Dataset) -> Estimate:
    """The gap of the narrowest bases where a share of their answers is right."""
    return intervals.mean(found.at_skill(prepared(*datasets), WIDTHS[0], skill))


def own_gap(part: str, start: int, step: int, *datasets: xr.Dataset) -> xr.DataArray:
    """The gap of a loop's own verifier, by seed and round; of the vote's two runs the mean."""
    data = prepared(*datasets)
    runs = [part, "again"] if part == "majority" else [part]
    gaps = [found.of(data[x], start, step).gap.sel(judge="own") for x in runs]
    return sum(gaps[1:], gaps[0]) / len(gaps)


def late(gap: xr.DataArray) -> xr.DataArray:
    """A gap after three rounds of training."""
    return gap.sel(round=MIDDLE, drop=True)


def last(gap: xr.DataArray) -> xr.DataArray:
    return gap.isel(round=-1, drop=True)


def fall(gap: xr.DataArray) -> xr.DataArray:
    """A gap in the last round, minus that of the base."""
    return last(gap) - first(gap)


def first(gap: xr.DataArray) -> xr.DataArray:
    return gap.sel(round=FIRST, drop=True)


def of_vote(measure: Callable, part: str, start: int, *datasets: xr.Dataset | None) -> Estimate:
    """A measure of the vote's gap on fixed prompts, in a loop behind it."""
    return intervals.mean(measure(own_gap(part, start, FIXED, *datasets)).values)


def of_both(measure: Callable, *datasets: xr.Dataset | None) -> Estimate:
    """The same, the mean of both starts."""
    gaps = (measure(own_gap("majority", x, FIXED, *datasets)) for x in (NEAR, FAR))
    return intervals.mean((sum(gaps) / 2).values)


def than_sham(measure: Callable, part: str, start: int, *datasets: xr.Dataset | None) -> Estimate:
    """The same as `of_vote`, minus that of the sham at its learning rate."""
    if (sham := sham_of(part, prepared(*datasets))) is None:
        return UNKNOWN
    gap = found.vote_gap(found.of(sham, start), "sham")
    return intervals.paired(measure(own_gap(part, start, FIXED, *datasets)), measure(gap))


def than_base(start: int, *datasets: xr.Dataset | None) -> Estimate:
    """The vote's gap in the last round of a frontier minus that of the untouched base on the same
    length.
    """
    data = prepared(*datasets)
    base = found.untouched_gap(data, found.of(data["majority"], start, MOVING))
    return intervals.paired(last(own_gap("majority", start, MOVING, *datasets)), last(base))


def kept_open(start: int, *datasets: xr.Dataset) -> Estimate:
    """The vote's gap in the last round on fresh problems, minus that on fixed prompts."""
    each = (own_gap(part, start, FIXED, *datasets) for part in ("fresh", "majority"))
    return intervals.paired(*map(last, each))


def taught(part: str, at: dict, *datasets: xr.Dataset | None) -> Estimate:
    """Digits reached on the nearer frontier, more than the untouched base's."""
    found_ = found.reached(found.of(prepared(*datasets)[part], NEAR, MOVING))
    return intervals.mean(_at(found_, at).values)


def taught_beyond(role: str, part: str, at: dict, *datasets: xr.Dataset | None) -> Estimate:
    """The same, minus a control's of the vote."""
    data = prepared(*datasets)
    if role not in (controls := found.controls_of(data)):
        return UNKNOWN
    runs = (found.of(x, NEAR, MOVING) for x in (data[part], controls[role]))
    return intervals.paired(*(_at(found.reached(x), at) for x in runs))


def _at(values: xr.DataArray, at: dict) -> xr.DataArray:
    """Values in a round, or by its place from the last."""
    is_last = at["round"] < 0
    return values.isel(at, drop=True) if is_last else values.sel(at, drop=True)


def change(part: str, k: int, *datasets: xr.Dataset | None) -> Estimate:
    """Pass@k in the last round, minus the base's."""
    before, after = found.passed(prepared(*datasets)[part])
    return intervals.mean((after - before).sel(k=k).values)


def change_beyond_sham(part: str, k: int, *datasets: xr.Dataset | None) -> Estimate:
    """The same, minus what the sham changes."""
    data = prepared(*datasets)
    if (sham := sham_of(part, data)) is None:
        return UNKNOWN
    runs = (found.passed(x) for x in (data[part], sham))
    return intervals.paired(*((after - before).sel(k=k) for before, after in runs))


def learned(start: int, *datasets: xr.Dataset) -> Estimate:
    """The gap of a verifier that learns, mean over the rounds after its first labels."""
    gap = own_gap("learned", start, FIXED, *datasets)
    return intervals.mean(gap.sel(round=slice(FIRST + 1, None)).mean("round", skipna=False).values)


def from_starts(effect: Callable, *args, starts=STARTS) -> dict:
    return {name: partial(effect, *args, start) for name, start in starts.items()}


def at_rates(effect: Callable, measure: Callable) -> dict:
    """An effect of the vote's gap from both starts at both learning rates."""
    return {
        f"{name}{rate}": partial(effect, measure, part, start)
        for name, start in STARTS.items()
        for rate, part in RATES.items()
    }


def reaches(part: str, *roles: str) -> dict:
    """Digits reached more than the untouched base, and than controls, at both horizons."""
    return {
        f"minus the {role}'s, {when}": partial(effect, part, at)
        for when, at in WHEN.items()
        for role, effect in (
            ("untouched base", taught),
            *((role, partial(taught_beyond, role)) for role in roles),
        )
    }
