"""Does the verifier or the model's size decide where self-training comes to rest?

python paper_figures/fig_error_floor.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis.intervals import jackknife
from paper_figures import command

SHIPPED = ("error_floor",)
WIDTHS, FNRS = (16, 32, 48), (0.5, 0.8)
PARTS = (
    *(f"width_{width}" for width in WIDTHS),
    *(f"fnr_{fnr:g}" for fnr in FNRS),
    *(f"labels_{width}" for width in WIDTHS),
)
MARKERS = "os^"


class Findings(NamedTuple):
    """Errors in the end, dimensions fpr (or ratio) and seed, by width or by FNR."""

    widths: dict[int, xr.DataArray]
    fnrs: dict[float, xr.DataArray]  # of `fnr_width`, FNR 0 included
    fnr_width: int
    labels: dict[int, xr.DataArray]
    drifts: dict[str, xr.DataArray]  # change over the last third of the rounds, by part


def config_of(dataset: xr.Dataset) -> tuple[int, float]:
    """Width and FNR of a part."""
    config = dataset.attrs["config"]
    return config["pretraining"]["model"]["width"], config["base"]["verifier"]["fnr"]


def error_of(dataset: xr.Dataset) -> xr.DataArray:
    """Greedy error on the whole range, by ratio FPR / (1 - FNR), seed and round."""
    return by_ratio(1 - dataset.accuracy, dataset)


def by_ratio(values: xr.DataArray, dataset: xr.Dataset) -> xr.DataArray:
    """Values by FPR, seed and maybe round, by FPR / (1 - FNR) instead of FPR."""
    values = values.rename(fpr="ratio").transpose("ratio", "seed", ...)
    return values.assign_coords(
        ratio=np.round(values.ratio.values / (1 - config_of(dataset)[1]), 6)
    )


def unless_diverged(values: xr.DataArray, dataset: xr.Dataset) -> xr.DataArray:
    """What runs came to, by ratio and seed; NaN if they diverged, as their coordinate says."""
    diverged = by_ratio(dataset.diverged.isel(round=-1, drop=True) == 1, dataset)
    return values.where(~diverged).assign_coords(diverged=diverged)


def last_third(error: xr.DataArray) -> xr.DataArray:
    """The rounds that count as the end."""
    return error.isel(round=slice(-max(2, error.sizes["round"] // 3), None))


def floor_of(dataset: xr.Dataset) -> xr.DataArray:
    """Error in the end: the mean over the last third of the rounds, by ratio and seed."""
    return unless_diverged(last_third(error_of(dataset)).mean("round"), dataset)


def drift_of(dataset: xr.Dataset) -> xr.DataArray:
    """How much the error rises over the last third of the rounds, along the line through it."""
    end = last_third(error_of(dataset))
    slope = end.polyfit("round", 1).polyfit_coefficients.sel(degree=1, drop=True)
    return unless_diverged(slope * float(end["round"][-1] - end["round"][0]), dataset)


def analyse(*datasets: xr.Dataset) -> Findings:
    """Errors in the end and what else is drawn, of the parts in their order."""
    named = dict(zip(PARTS, datasets, strict=True))
    widths = {config_of(named[f"width_{w}"])[0]: named[f"width_{w}"] for w in WIDTHS}
    fnrs = [named[f"fnr_{fnr:g}"] for fnr in FNRS]
    fnr_width = config_of(fnrs[0])[0]
    return Findings(
        {width: floor_of(dataset) for width, dataset in widths.items()},
        {config_of(dataset)[1]: floor_of(dataset) for dataset in (widths[fnr_width], *fnrs)},
        fnr_width,
        {w: floor_of(named[f"labels_{w}"]).isel(ratio=0, drop=True) for w in WIDTHS},
        {name: drift_of(dataset) for name, dataset in named.items()},
    )


def interval(
    values: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A statistic of values [..., S], and its 95 % t interval over the S bases, that of the
    jackknife; NaN where there is none.
    """
    found = jackknife(np.arange(values.shape[-1]), lambda i: statistic(values[..., i]))
    ends = (np.where(np.isfinite(x), x, np.nan) for x in found[1:3])
    return np.asarray(found.value), *ends


def variance_shares(floors: np.ndarray) -> np.ndarray:
    """Shares of the variance of floors [W, F, S]: FPR, width, both together, and seeds."""
    cells, total = floors.mean(-1), floors.var()
    by_fpr, by_width = cells.mean(0).var(), cells.mean(1).var()
    parts = [by_fpr, by_width, cells.var() - by_fpr - by_width, total - cells.var()]
    return np.array(parts) / (total if total > 0 else np.nan)


def mean_over_seeds(values: np.ndarray) -> np.ndarray:
    return values.mean(-1)


def summary(*datasets: xr.Dataset) -> str:
    """Floors by width and FPR, how far they differ, what explains them, whether they still move."""
    found = analyse(*datasets)
    (small, smallest), *_, (large, largest) = found.widths.items()
    clean, *others = found.fnrs.items()
    floors = {f"width {w}": x for w, x in found.widths.items()}
    floors |= {f"FNR {fnr:g}": x for fnr, x in others}
    apart = {f"width {small} - {large}": smallest - largest}
    apart |= {f"FNR {fnr:g} - 0": x - clean[1] for fnr, x in others}
    drifts = {f"width {w}": found.drifts[f"width_{w}"] for w in found.widths}
    lines = [f"95 % t intervals over {smallest.sizes['seed']} bases, by FPR / (1 - FNR)"]
    lines += table("error in the end", floors)
    lines += table("how far apart", apart)
    lines += table("change over the end", drifts)
    for width, labels in found.labels.items():
        left = shown(*interval(labels.values, np.mean))
        lines.append(f"true labels leave width {width} {left}, {labels.sizes['seed']} seeds")
    stacked = np.stack([x.values for x in found.widths.values()])
    shares = zip(*interval(stacked, variance_shares), strict=True)
    names = ("FPR", "width", "FPR x width", "seeds")
    listed = ", ".join(f"{n} {shown(*s)}" for n, s in zip(names, shares, strict=True))
    return "\n".join([*lines, f"shares of the variance of the error in the end: {listed}"])


def table(title: str, rows: dict[str, xr.DataArray]) -> list[str]:
    """Lines of text: the mean of each row and ratio, with its interval."""
    ratios = next(iter(rows.values())).ratio.values
    lines = [f"{title:22}" + "".join(f"{x:^24.3g}" for x in ratios)]
    for name, values in rows.items():
        cells = zip(*interval(values.values, mean_over_seeds), strict=True)
        lines.append(f"{name:22}" + "".join(f"{shown(*cell):^24}" for cell in cells))
    return lines


def shown(value: float, low: float, high: float) -> str:
    value, low, high = (round(float(x), 3) + 0.0 for x in (value, low, high))  # no -0.000
    return f"{value:.3f} ({low:.3f}, {high:.3f})"


def draw(*datasets: xr.Dataset) -> plotting.Figure:
    """Top: floors by width, by FNR, and their drift. Bottom: every run, round by round."""
    found = analyse(*datasets)
    figure = plotting.new_figure(11, 6.8)
    top, bottom = figure.subplots(2, 3)
    colours = plotting.colour_map("viridis")(np.linspace(0, 0.8, len(WIDTHS)))
    draw_widths(top[0], found, colours)
    draw_fnrs(top[1], found)
    draw_drifts(top[2], found, colours)
    for axes, dataset in zip(bottom, datasets[: len(WIDTHS)], strict=True):
        draw_rounds(axes, dataset, found)
    highest = max(axes.get_ylim()[1] for axes in bottom)
    for axes in bottom:
        axes.set_ylim(0, highest)
    bottom[-1].legend(title="FPR", loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def draw_floors(axes, floors: xr.DataArray, label: str, shift: float, **style) -> None:
    """Mean over seeds with its interval, and every seed as a small dot."""
    at = plotting.to_position(floors.ratio.values, floors.ratio.values) + shift
    mean, low, high = interval(floors.values, mean_over_seeds)
    axes.errorbar(at, mean, (mean - low, high - mean), label=label, capsize=2, **style)
    dots = np.repeat(at[:, None], floors.sizes["seed"], axis=1)
    axes.plot(dots, floors.values, ".", color=style["color"], markersize=3, alpha=0.5)
    plotting.mark_lost(axes, dots, floors.diverged)
    plotting.tick_values(axes.xaxis, floors.ratio.values)
    axes.set_ylabel("error in the end: share of wrong answers")


def draw_widths(axes, found: Findings, colours) -> None:
    """Floors by FPR, a line for each width, and what true labels leave."""
    for i, (width, floors) in enumerate(found.widths.items()):
        style = {"color": colours[i], "marker": MARKERS[i], "markersize": 4}
        draw_floors(axes, floors, f"width {width}", 0.08 * (i - 1), **style)
        left = found.labels[width]
        style = {"color": colours[i], "linestyle": ":", "label": f"true labels, width {width}"}
        axes.axhline(float(left.mean(skipna=False)), **style)
        plotting.mark_lost(axes, 0, left.diverged)
    axes.set_xlabel("verifier's FPR = P(accept | wrong), FNR = 0")
    axes.set_title("By size (bars: 95 % over seeds; dots: seeds)")
    axes.legend()


def draw_fnrs(axes, found: Findings) -> None:
    """Floors of one width by FPR / (1 - FNR), a line for each FNR."""
    colours = plotting.colour_map("plasma")(np.linspace(0, 0.8, len(found.fnrs)))
    for i, (fnr, floors) in enumerate(found.fnrs.items()):
        style = {"color": colours[i], "marker": MARKERS[i], "markersize": 4}
        draw_floors(axes, floors, f"FNR = {fnr:g}", 0.08 * (i - 1), **style)
    axes.set_xlabel("FPR / (1 - FNR)")
    axes.set_title(f"By rejected right answers, width {found.fnr_width}")
    axes.legend()


def draw_drifts(axes, found: Findings, colours) -> None:
    """Change of the error over the last third of the rounds: at rest it is 0."""
    for i, width in enumerate(WIDTHS):
        drift = found.drifts[f"width_{width}"]
        style = {"color": colours[i], "marker": MARKERS[i], "markersize": 4}
        draw_floors(axes, drift, f"width {width}", 0.08 * (i - 1), **style)
    axes.axhline(0, color="k", linewidth=0.8)
    axes.set_xlabel("verifier's FPR = P(accept | wrong), FNR = 0")
    axes.set_ylabel("change of the error over the grey rounds")
    axes.set_title("Has it come to rest? (0: yes)")
    axes.legend()


def draw_rounds(axes, dataset: xr.Dataset, found: Findings) -> None:
    """Error by round for every FPR: thin lines are seeds, thick their mean."""
    error, width = error_of(dataset), config_of(dataset)[0]
    lost = by_ratio(dataset.diverged == 1, dataset)
    colours = plotting.colour_map("viridis")(np.linspace(0, 0.9, error.sizes["ratio"]))
    for line, gone, colour in zip(error, lost, colours, strict=True):
        rounds, mean, label = line["round"], line.mean("seed"), f"{line.ratio:.2g}"
        plotting.plot_until(axes, rounds, mean, gone.any("seed"), color=colour, label=label)
        thin = {"color": colour, "linewidth": 0.5, "alpha": 0.5}
        plotting.plot_until(axes, rounds, line.T, gone.T, **thin)
    labels = float(found.labels[width].mean(skipna=False))
    axes.axhline(labels, color="k", linestyle=":", label="true labels")
    axes.axvspan(*last_third(error)["round"].values[[0, -1]], color="k", alpha=0.06, linewidth=0)
    axes.set_xlabel("round (grey: the end)")
    axes.set_ylabel("error: share of wrong answers")
    axes.set_title(f"Width {width}: seeds (thin) and their mean")


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
