"""Paper style and the plots that several figures share. Matplotlib only."""

from __future__ import annotations

import functools
import io
import pathlib
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

if TYPE_CHECKING:  # else where it is used: it would take a fifth of the time to start
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "svg.hashsalt": "avax",
    "pdf.fonttype": 42,
}

DIVERGED = "a run diverged"
NOT_RUN = "0.8"  # the grey of settings that were not run


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, inches, laid out so that nothing overlaps; no display is needed."""
    from matplotlib import rcParams

    rcParams.update(STYLE)
    return _figure_class()(figsize=(width, height), layout="constrained")


@functools.cache
def _figure_class() -> type[Figure]:
    """Of figures that a notebook shows: of one made without pyplot it would print the name."""
    from matplotlib import figure

    class Figure(figure.Figure):
        def _repr_png_(self) -> bytes:
            file = io.BytesIO()
            self.savefig(file, format="png", dpi=self.dpi)
            return file.getvalue()

    return Figure


def colour_map(name: str):
    """Matplotlib's colour map of that name: numbers from 0 to 1 in, RGBA out."""
    from matplotlib import colormaps

    return colormaps[name]


def save(figure: Figure, stem: pathlib.Path) -> list[pathlib.Path]:
    """Writes `stem`.png and `stem`.pdf, the same bytes for the same figure; returns the paths."""
    _fix_layout(figure)
    without = {"png": ["Software"], "pdf": ["CreationDate", "Producer", "Creator"]}
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind, names in without.items():
        path = stem.with_name(f"{stem.name}.{kind}")
        path.unlink(missing_ok=True)  # a link would lead elsewhere
        with path.open("xb") as file:
            figure.savefig(file, format=kind, metadata=dict.fromkeys(names))
        paths.append(path)
    return paths


def _fix_layout(figure: Figure) -> None:
    """Lays a figure out for good, rounded: the last bits of Matplotlib's solver differ by call."""
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")
        for axes in figure.axes:
            axes.set_position(np.round(axes.get_position(original=True).bounds, 6))


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


def with_doubts(figure: Figure, lines: Sequence[str]) -> Figure:
    """The figure with reasons to doubt it above its panels; the same if there are none."""
    if lines:
        text = "\n".join(textwrap.fill(line, int(14 * figure.get_figwidth())) for line in lines)
        figure.suptitle(text, fontsize=8, color="tab:red", x=0.01, ha="left")
    return figure


def whole_ticks(axes: Axes) -> None:
    """Ticks of the x axis at whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


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
    last = order.sizes["fpr"] - 1
    left, right = (
        np.nan_to_num(to_position(order.fpr.values, np.asarray(x)), nan=last) for x in (low, high)
    )
    axes.fill_betweenx(to_position(order.fnr.values, fnr), left, right, linewidth=0, **style)
