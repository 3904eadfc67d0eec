"""Maps over two axes, drawn by index: cells, ticks, and boundaries over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from avax.plotting.lines import cross
from avax.plotting.style import colour_map

if TYPE_CHECKING:  # else where it is used: it would take a fifth of the time to start
    from matplotlib.axes import Axes

NOT_RUN = "0.8"  # the grey of settings that were not run


def is_log(axis: np.ndarray) -> bool:
    """Whether axis values, a first 0 aside, span more than a decade."""
    return len(axis) > 2 and axis[-1] > 20 * axis[1] > 0


def to_position(axis: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Fractional index of `values` between the axis values: linear in log, linear next to 0.

    NaN outside of the axis.
    """
    axis, values = np.asarray(axis, float), np.asarray(values, float)
    log = is_log(axis)
    scale = (lambda v: np.log(np.maximum(v, 1e-300))) if log else (lambda v: v)
    start = 1 if log and axis[0] <= 0 else 0
    inner = np.interp(scale(values), scale(axis[start:]), np.arange(start, len(axis)))
    if start:
        inner = np.where(values < axis[1], np.clip(values / axis[1], 0, 1), inner)
    slack = 1e-9 * (axis[-1] - axis[0])
    inside = (values >= axis[0] - slack) & (values <= axis[-1] + slack)
    return np.where(inside, inner, np.nan)


def phase_map(axes: Axes, order: xr.DataArray, label: str):
    """`map_of` an order parameter, FPR to the right and FNR upwards."""
    image = map_of(axes, order, "fnr", label)
    axes.set_ylabel("verifier's FNR = P(reject | correct)")
    return image


def map_of(axes: Axes, gain: xr.DataArray, rows: str, label: str):
    """Mean over seeds of a gain, FPR to the right and the dimension `rows` upwards.

    The colours are those of `cells`.
    """
    mean = gain.mean("seed").transpose(rows, "fpr").values
    image = cells(axes, mean)
    name_unrun(axes, mean)
    axes.figure.colorbar(image, ax=axes, label=label, pad=0.02)
    tick_values(axes.xaxis, gain.fpr.values)
    tick_values(axes.yaxis, gain[rows].values)
    axes.set_xlabel("verifier's FPR = P(accept | wrong)")
    return image


def cells(axes: Axes, mean: np.ndarray, limit: float | None = None):
    """A cell for each setting, white where nothing changed, blue for gain, red for loss: f[Y, X].

    Crosses mark what diverged (-inf); grey is what was not run (NaN).

    Args:
      limit: the gain of the darkest blue; the largest change by default.
    """
    limit = limit or np.abs(mean[np.isfinite(mean)]).max(initial=1e-6)
    colours = colour_map("RdBu").with_extremes(bad=NOT_RUN, under="white")
    shown = np.where(np.isneginf(mean), -2 * limit, mean)  # `under` the scale, so white
    image = axes.imshow(shown, origin="lower", aspect="auto", cmap=colours, vmin=-limit, vmax=limit)
    y, x = np.nonzero(np.isneginf(mean))
    if len(x):
        cross(axes, x, y)
    return image


def name_unrun(axes: Axes, mean: np.ndarray, is_counted: bool = True) -> None:
    """Names the grey of `cells` for the legend if there is any, and counts the other cells."""
    num_run = np.count_nonzero(~np.isnan(mean))
    if num_run < mean.size:
        name = f"not run ({num_run} of {mean.size} settings were)" if is_counted else "not run"
        axes.plot([], [], "s", color=NOT_RUN, markersize=8, label=name)


def tick_values(axis, values: np.ndarray, most: int = 6) -> None:
    """Labels an axis drawn by index: decades if it is logarithmic, else at most `most` values."""
    if is_log(values):
        low, high = np.log10(values[1]), np.log10(values[-1])
        ticks = 10.0 ** np.arange(np.ceil(low - 1e-9), np.floor(high + 1e-9) + 1)
        ticks = np.concatenate([values[:1][values[:1] <= 0], ticks])
    else:
        ticks = values[np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int)]
    axis.set_ticks(to_position(values, ticks), [f"{v:.2g}" for v in ticks])


def boundary_line(axes: Axes, order: xr.DataArray, fpr, fnr, **style) -> None:
    """A boundary over a `phase_map`, broken where it leaves the map."""
    x = to_position(order.fpr.values, np.asarray(fpr))
    y = to_position(order.fnr.values, np.asarray(fnr))
    axes.plot(x, y, **style)


def boundary_band(axes: Axes, order: xr.DataArray, low, high, fnr, **style) -> None:
    """The interval of a boundary over a `phase_map`; what is beyond the map ends at its edge."""
    ends = order.fpr.values[[0, -1]]
    left, right = (to_position(order.fpr.values, np.clip(x, *ends)) for x in (low, high))
    axes.fill_betweenx(to_position(order.fnr.values, fnr), left, right, linewidth=0, **style)
