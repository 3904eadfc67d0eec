"""Lines of runs: they end where a run diverged, intervals are bands, ends are labelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import xarray as xr

from avax.plotting import palette

if TYPE_CHECKING:  # else where it is used: it would take a fifth of the time to start
    from matplotlib.axes import Axes

DIVERGED = "a run diverged"


def mark_diverged(axes: Axes, x: xr.DataArray, gain: xr.DataArray) -> None:
    """`mark_lost` where the gain of a run is -inf."""
    at, gain = xr.broadcast(x, gain)
    mark_lost(axes, at.values, np.isneginf(gain.values))


def mark_lost(axes: Axes, x: np.ndarray, lost: np.ndarray) -> None:
    """Crosses at the lower edge of a plot, at the `x` where runs were lost because they diverged;
    nothing if there are none.
    """
    at = np.unique(np.broadcast_to(x, np.shape(lost))[np.asarray(lost)])
    if len(at):
        low = np.full(len(at), 0.03)  # of the height
        cross(axes, at, low, transform=axes.get_xaxis_transform())


def plot_until(axes: Axes, x: np.ndarray, y: np.ndarray, lost: np.ndarray, **style) -> None:
    """`axes.plot(x, y)`, but a line ends where a run that it is of diverged: with a cross, as high
    as its last value, or at the lower edge if it has none.

    Args:
      x: f[R].
      y: f[R], or f[R, S] for S lines.
      lost: bool of the shape of y, or of one that can be broadcast to it.
    """
    lost = np.broadcast_to(lost, np.shape(y))
    lines = axes.plot(x, np.where(lost, np.nan, y), **style)
    for line, gone in zip(lines, lost.reshape(len(lost), -1).T, strict=True):
        if gone.any():
            end = gone.argmax()
            at, before = np.asarray(x)[end], line.get_ydata()[:end]
            before = before[np.isfinite(before)]
            cross(axes, at, before[-1]) if before.size else mark_lost(axes, at, True)


def plot_band(
    axes: Axes, x: np.ndarray, estimate: tuple, lost: np.ndarray, alpha: float, **style
) -> None:
    """`plot_until` of a mean, and its interval as a band.

    Args:
      estimate: mean, lowest and highest, f[R] each.
    """
    mean, low, high = estimate
    plot_until(axes, x, mean, lost, **style)
    known = ~np.broadcast_to(lost, np.shape(mean))
    axes.fill_between(x, low, high, where=known, color=style["color"], alpha=alpha, linewidth=0)


def cross(axes: Axes, x: np.ndarray, y: np.ndarray, **style) -> None:
    """Where runs diverged; the first cross of a figure names them all in its upper right corner."""
    from matplotlib.lines import Line2D

    axes.plot(x, y, "kx", markersize=4, zorder=3, gid=DIVERGED, **style)
    figure = axes.get_figure(root=True)
    if not any(DIVERGED == text.get_text() for key in figure.legends for text in key.get_texts()):
        mark = Line2D([], [], color="k", marker="x", markersize=4, linestyle="", label=DIVERGED)
        figure.legend(handles=[mark], loc="outside upper right")


def label_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]], gap: float = 8) -> None:
    """Names at the right ends of lines, apart from one another, in place of a legend.

    Args:
      ends: x, y, name and colour of each line's end; the limits of the axes have to be final.
      gap: points between two names.
    """
    figure = axes.get_figure(root=True)
    figure.draw_without_rendering()
    height = axes.get_window_extent().height * 72 / figure.dpi
    to_share = axes.transData + axes.transAxes.inverted()
    known = [end for end in ends if np.isfinite(end[1])]
    at = sorted((to_share.transform(end[:2])[1] * height, end) for end in known)
    places = spread([place for place, _ in at], gap)
    for place, (own, (x, y, name, colour)) in zip(places, at, strict=True):
        axes.annotate(
            name, (x, y), (4, place - own), textcoords="offset points", va="center",
            color=colour, fontsize=7, annotation_clip=False,
        )  # fmt: skip


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Growing places, moved as little as needed so that neighbours are at least `gap` apart."""
    blocks: list[tuple[float, int]] = []  # middle of each bunch, and its size
    for place in places:
        blocks.append((place, 1))
        while len(blocks) > 1:
            (a, m), (b, n) = blocks[-2:]
            if b - a >= gap * (m + n) / 2:
                break
            blocks[-2:] = [((a * m + b * n) / (m + n), m + n)]
    return [middle + gap * (i - (n - 1) / 2) for middle, n in blocks for i in range(n)]


class Row(NamedTuple):
    """A row of a `forest`: a heading if it has no estimate.

    Attributes:
      estimate: value, low and high first.
      units: f[S], the value of each independent unit.
    """

    name: str
    estimate: tuple | None = None
    colour: str = "k"
    units: Sequence[float] = ()


def forest(axes: Axes, rows: Sequence[Row], null: float = 0.0) -> None:
    """Estimates one below another: points with intervals, units as small dots, and the value that
    would be no effect. Crosses at the left edge mark what was lost because runs diverged.
    """
    axes.axvline(null, **palette.NO_EFFECT)
    for y, row in enumerate(rows):
        if row.estimate is None:
            continue
        units = np.asarray(row.units, float)
        known = np.isfinite(units)
        axes.plot(units[known], np.full(known.sum(), y + 0.3), ".", color=row.colour, ms=3)
        value, low, high = row.estimate[:3]
        if np.isfinite([value, low, high]).all():
            axes.plot([low, high], [y, y], color=row.colour, linewidth=1.6)
            axes.plot(value, y, "o", color=row.colour, markersize=4)
        if np.isinf(units).any() or np.isinf(value):
            cross(axes, 0.015, y, transform=axes.get_yaxis_transform())
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        if row.estimate is None:
            label.set_fontweight("bold")
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
