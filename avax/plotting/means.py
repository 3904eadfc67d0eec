"""Means over bases with their t intervals, beside one another: a line along an axis that is drawn
by index, or a level where there is no such axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from avax.analysis import intervals
from avax.plotting import palette
from avax.plotting.grid import to_position
from avax.plotting.lines import mark_lost, plot_band

if TYPE_CHECKING:  # else where it is used: it would take a fifth of the time to start
    from matplotlib.axes import Axes

LEAST = 3  # bases of an interval that is drawn
MOST_MARKED = 20  # places of a line, each with a point
ROOM = 0.08  # of an axis that a tick's words take


def mean_line(
    axes: Axes, values: xr.DataArray, scale: np.ndarray, alpha: float = palette.BAND, **style
) -> None:
    """Mean over bases along an axis, its t interval as a band; crosses where a run diverged.

    Args:
      values: dimensions `seed` and one more, whose values lie on the scale; NaN where a base was
        not run, -inf where its run diverged.
      scale: the values that the axis is drawn by the index of.
      style: of the line, its colour at least.
    """
    (dim,) = (dim for dim in values.dims if dim != "seed")
    values = values.transpose(dim, "seed")
    values = values[values.notnull().any("seed").values]
    at, lost = to_position(scale, values[dim].values), np.isneginf(values.values)
    marker = {"marker": "o", "markersize": 2} if len(at) < MOST_MARKED else {}
    each = _shown(values.values, lost.any(1))
    plot_band(axes, at, each, np.zeros(len(at), bool), alpha, **marker | style)
    mark_lost(axes, at[:, None], lost)


def mean_level(axes: Axes, values: xr.DataArray, alpha: float = palette.BAND, **style) -> None:
    """Mean over bases of what has no axis, and its t interval, across the plot; nothing if a run
    diverged or none was made.
    """
    value, low, high = _shown(values.values[None], np.isneginf(values.values).any(keepdims=True))
    if np.isfinite(value).all():
        axes.axhline(value.item(), **style)
    if np.isfinite([low, high]).all():
        axes.axhspan(low.item(), high.item(), color=style["color"], alpha=alpha, linewidth=0)


def spread_ticks(axes: Axes, num_places: int) -> None:
    """Leaves out ticks of the x axis, drawn by index, whose words would run into those before."""
    at, words = axes.get_xticks(), [x.get_text() for x in axes.get_xticklabels()]
    kept = [0]
    for i in range(1, len(at)):
        if at[i] - at[kept[-1]] > ROOM * num_places:
            kept.append(i)
    axes.set_xticks(at[kept], [words[i] for i in kept])


def _shown(values: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """f[3, X]: mean, low and high of f[X, S]; NaN where a run was lost, and where an end is open or
    of fewer bases than say anything.
    """
    *each, num = intervals.mean(values)
    found = np.array(each, float).reshape(3, -1)
    found[1:] = np.where(np.asarray(num) < LEAST, np.nan, found[1:])
    return np.where(np.isfinite(found) & ~lost, found, np.nan)
