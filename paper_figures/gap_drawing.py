"""Panels on the gap of bases, by their size and by what they know, and of judges."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from avax import plotting
from avax.analysis import intervals
from paper_figures.gap import (
    BEYOND,
    HALF,
    JUDGES,
    KNOWN,
    SKILLS,
    WIDTHS,
    at_skill,
    by_training,
    by_width,
    judges,
    of_own,
)

COLOURS = plotting.arms([*JUDGES, "learned"])
SIZES = {  # how widths look
    16: {"color": "0.7", "marker": "^"},
    32: {"color": "0.45", "marker": "s"},
    64: {"color": "0.1", "marker": "o"},
}
SIZED = {KNOWN: "digits, as trained on", BEYOND: "digits, beyond"}


def draw_by_skill(axes, data: dict[str, xr.Dataset]) -> None:
    """The share of errors that the policy's own judges remove, by the share of answers right: every
    base as a dot, and means where equal shares are right.
    """
    for width, style in SIZES.items():
        right, gaps = (
            x.transpose("factor", "seed").values
            for x in (
                by_training(data, "sampled_accuracy", width, KNOWN),
                of_own(by_training(data, "relative_gap", width, KNOWN)),
            )
        )
        axes.plot(right, gaps, ".", color=style["color"], markersize=2.5, alpha=0.5)
        each = [at_skill(data, "relative_gap", width, x) for x in SKILLS]
        draw_points(axes, SKILLS, each, label=f"width {width}", **style)
    axes.set_xlim(-0.03, 1.03)
    axes.set_xlabel(f"right, of answers to {data['oracle'].start.values[KNOWN]} digits")
    axes.set_title("Bases of all trainings")


def draw_alike(axes, data: dict[str, xr.Dataset]) -> None:
    """The same by width: of bases that had equally many updates, and where half is right."""
    alike = of_own(by_width(data, "relative_gap", KNOWN)).transpose("width", "seed").values
    equal = [at_skill(data, "relative_gap", width, HALF) for width in WIDTHS]
    at, style = np.arange(len(WIDTHS)), {"color": "0.1", "marker": "o"}
    draw_points(axes, at - 0.08, alike, label="trained alike", markerfacecolor="white", **style)
    draw_points(axes, at + 0.08, equal, label=f"where {HALF:g} is right", **style)
    axes.set_xticks(at, WIDTHS)
    axes.set_xlabel("width of the policy")
    axes.set_title("Equal training, and equal skill")


def draw_points(axes, at, rows: Iterable[np.ndarray], **style) -> None:
    """Means over bases with their t intervals, which no line joins."""
    mean, low, high = np.array([intervals.mean(row)[:3] for row in rows]).T
    style = {"linestyle": "", "elinewidth": 1, "markersize": 4} | style
    axes.errorbar(at, mean, [mean - low, high - mean], **style)


def band_of(rows: np.ndarray, least: float) -> np.ndarray:
    """f[3, R]: means of f[R, S] and their t intervals, cut off where no value can be."""
    mean, low, high = np.array([intervals.mean(row)[:3] for row in rows]).T
    return np.array([mean, np.maximum(low, least), np.minimum(high, 1)])


def draw_each(axes, x: np.ndarray, values: xr.DataArray, lost: np.ndarray) -> None:
    """f[X, S, judge]: each judge's mean, and the interval of the mean over the policy's own."""
    for judge, title in judges(values).items():
        mean = [intervals.mean(row).value for row in values.sel(judge=judge).values]
        style = {"color": COLOURS[judge], "marker": "o", "markersize": 2.5, "label": title}
        plotting.plot_until(axes, x, np.array(mean), lost, **style)
    _, low, high = band_of(of_own(values).values, -1)
    style = {"color": "0.5", "alpha": plotting.BAND, "linewidth": 0}
    axes.fill_between(x, low, high, where=~lost, label="95 %, mean of own judges", **style)


def draw_sizes(axes, data: dict[str, xr.Dataset], name: str, start: int) -> None:
    """Gaps of the base by its width, for every judge."""
    values = by_width(data, name, start).transpose("width", "seed", "judge")
    lost = (by_width(data, "diverged", start) == 1).any("seed").values
    at = np.arange(len(WIDTHS))
    draw_each(axes, at, values.where(~lost[:, None, None]), lost)
    axes.axhline(0, **plotting.NO_EFFECT)
    axes.set_xticks(at, WIDTHS)
    axes.set_xlabel("width of the policy")
    axes.set_title(f"The base at {data['learned'].start.values[start]} {SIZED[start]}")
