"""Panels on the gap of bases, by their size and by what they know, and of judges."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from avax import plotting
from avax.analysis import intervals
from avax.analysis.intervals import Estimate
from paper_figures.gap import (
    BASES,
    FAR,
    HALF,
    JUDGES,
    NEAR,
    SKILLS,
    UPDATES,
    WIDTH,
    WIDTHS,
    at_skill,
    by_width,
    judges,
    learning,
    of_own,
    share_removed,
    skill_of,
)

COLOURS = plotting.arms([*JUDGES, "learned"])
SIZES = {  # how widths look
    16: {"color": "0.7", "marker": "^"},
    32: {"color": "0.45", "marker": "s"},
    64: {"color": "0.1", "marker": "o"},
}
SIZED = {NEAR: "digits, as trained on", FAR: "digits, beyond"}


def draw_by_skill(axes, data: dict[str, xr.Dataset]) -> None:
    """The gap of the policy's own judges by the share of answers right: every snapshot of every
    base as a dot, and means where equal shares are right.
    """
    for width, style in SIZES.items():
        right, gaps = skill_of(data, width), of_own(learning(data, "gap", width)).values
        axes.plot(right, gaps, ".", color=style["color"], markersize=1.5, alpha=0.4)
        each = [intervals.mean(at_skill(data, width, skill)) for skill in SKILLS]
        draw_points(axes, SKILLS, each, label=f"width {width}", **style)
    axes.set_xlim(-0.03, 1.03)
    axes.set_xlabel(f"right, of answers to {length_of(data, NEAR)} digits")
    axes.set_ylabel("gap (accuracy)")
    axes.set_title("Bases as they learn")
    axes.legend(loc="upper right")


def length_of(data: dict[str, xr.Dataset], start: int) -> int:
    """The length of the answers of bases as they learn."""
    return data[BASES[WIDTH]].start.values[start]


def draw_alike(axes, data: dict[str, xr.Dataset]) -> None:
    """The share of errors removed by width: of bases that had equally many updates, and where
    equally many answers are right.
    """
    alike = [share_removed(data, NEAR, (width,)) for width in WIDTHS]
    equal = [intervals.mean(at_skill(data, width, HALF) / (1 - HALF)) for width in WIDTHS]
    at, style = np.arange(len(WIDTHS)), {"color": "0.1", "marker": "o"}
    name = f"after {UPDATES} updates"
    draw_points(axes, at - 0.08, alike, label=name, markerfacecolor="white", **style)
    draw_points(axes, at + 0.08, equal, label=f"where {HALF:g} is right", **style)
    axes.set_xticks(at, WIDTHS)
    axes.set_xlabel("width of the policy")
    axes.set_ylabel("share of errors removed")
    axes.set_ylim(-0.1, 1.1)
    axes.set_title("Equal training, and equal skill")
    axes.legend(loc="upper left")


def draw_points(axes, at, each: Iterable[Estimate], **style) -> None:
    """Estimates with their intervals, which no line joins."""
    mean, low, high = np.array([x[:3] for x in each]).T
    style = {"linestyle": "", "elinewidth": 1, "markersize": 4} | style
    axes.errorbar(at, mean, [mean - low, high - mean], **style)


def band_of(rows: np.ndarray) -> np.ndarray:
    """f[3, R]: means of f[R, S] and their t intervals."""
    return np.array([intervals.mean(row)[:3] for row in rows]).T


def draw_each(axes, x: np.ndarray, values: xr.DataArray, lost: np.ndarray) -> None:
    """f[X, S, judge]: each judge's mean, and the interval of the mean over all."""
    for judge, title in judges(values).items():
        mean = [intervals.mean(row).value for row in values.sel(judge=judge).values]
        style = {"color": COLOURS[judge], "marker": "o", "markersize": 2.5, "label": title}
        plotting.plot_until(axes, x, np.array(mean), lost, **style)
    _, low, high = band_of(of_own(values).values)
    style = {"color": "0.5", "alpha": plotting.BAND, "linewidth": 0}
    axes.fill_between(x, low, high, where=~lost, label="95 %, mean of them", **style)


def draw_sizes(axes, data: dict[str, xr.Dataset], start: int) -> None:
    """Gaps of bases that were trained alike by their width, for every judge."""
    values = by_width(data, "gap", start).transpose("width", "seed", "judge")
    at = np.arange(len(WIDTHS))
    draw_each(axes, at, values, np.zeros(len(WIDTHS), bool))
    axes.axhline(0, **plotting.NO_EFFECT)
    axes.set_xticks(at, WIDTHS)
    axes.set_xlabel("width of the policy")
    axes.set_ylabel("gap (accuracy)")
    axes.set_title(f"{length_of(data, start)} {SIZED[start]}")
