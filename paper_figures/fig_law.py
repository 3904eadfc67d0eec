"""Can the boundary of a loop be predicted? One configuration's runs; all boundaries.

python paper_figures/fig_law.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterator

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import phase
from paper_figures import command
from paper_figures.law import (
    ALL,
    BY_BASE,
    HORIZONS,
    LAWS,
    OF_MEAN,
    PARTS,
    Runs,
    gains,
    measured,
    prediction,
    read,
    window,
)
from paper_figures.law_across import ACROSS
from paper_figures.law_claims import CLAIMS, QUESTION, SHIPPED
from paper_figures.pages import text

__all__ = ["ACROSS", "CLAIMS", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
READS = (
    *("accuracy", "accuracy_by_difficulty", "base_accuracy", "label_precision", "diverged"),
    *("verifier_fpr", "verifier_fnr"),
)
LOOP, *LAW_COLOURS = plotting.ARMS[:6]
LAW_STYLES = {
    rule: {"marker": marker, "color": colour, "linestyle": "", "markersize": 5}
    for rule, marker, colour in zip(LAWS, "^vsDP", LAW_COLOURS, strict=True)
}
FAINT = (0.3, 0.6, 1.0)  # opacity of horizons


def summary(*datasets: xr.Dataset) -> str:
    """Measured and predicted boundaries of a configuration at three horizons."""
    runs = Runs.known(*datasets)
    found, number = read(runs), runs.line.sizes["seed"]
    lines = [f"boundary FPR / (1 - FNR), {number} bases:"]
    if lost := number - len(found.seeds):
        lines[0] += f" (laws are of {number - lost}: runs of {lost} diverged)"
    for horizon in HORIZONS:
        lines.append(f"  {last_round(runs, horizon)} rounds:")
        lines += [f"    {how}: {text(measured(runs, horizon, how))}" for how in (BY_BASE, OF_MEAN)]
        for rule in LAWS:
            said = prediction(found, rule, horizon)
            lines.append(f"    predicted, {rule}: {text(said)}")
    return "\n".join(lines)


def last_round(runs: Runs, horizon: str) -> int:
    return window(runs, horizon).stop - 1


def draw(*datasets: xr.Dataset) -> plotting.Figure:
    """Accuracy by round, and what was gained at three horizons by what the verifier lets pass."""
    runs = Runs.known(*datasets)
    figure = plotting.paper_figure(3.2)
    left, right = figure.subplots(1, 2)
    draw_rounds(left, runs)
    draw_gains(right, runs)
    plotting.letter((left, right))
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower left")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=2)
    return figure


def draw_rounds(axes, runs: Runs) -> None:
    """Mean accuracy of the loop at each ratio, and of what no verifier touches."""
    rounds, ends = runs.line["round"].values, []
    shades = np.linspace(0.1, 0.9, runs.line.sizes["fpr"])
    for (ratio, values), shade in zip(by_ratio(runs), shades, strict=True):
        colour = plotting.colour_map("viridis")(shade)
        end = draw_mean(axes, rounds, values, color=colour)
        ends.append((rounds[-1], end, f"{ratio:.2g}", colour))
    for name, data in ((runs.control, runs.sham), ("frozen generator", runs.frozen)):
        draw_mean(axes, rounds, data.accuracy, label=name, **plotting.role(name))
    base = runs.sham.accuracy.isel(round=0).mean().item()
    axes.axhline(base, label="untouched base", **plotting.role("untouched base"))
    plotting.whole_ticks(axes)
    axes.set_xlabel("round")
    axes.set_ylabel("accuracy")
    axes.set_title("By FPR / (1 - FNR)")
    plotting.label_ends(axes, ends)


def draw_mean(axes, rounds: np.ndarray, values: xr.DataArray, **style) -> float:
    """A mean over bases by round, which ends where a run diverged; returns its last value."""
    mean = values.mean("seed", skipna=False).values
    plotting.plot_until(axes, rounds, mean, values.isnull().any("seed").values, **style)
    return mean[np.isfinite(mean)][-1]


def by_ratio(runs: Runs) -> Iterator[tuple[float, xr.DataArray]]:
    """Accuracy by seed and round at each ratio."""
    for fpr in runs.line.fpr.values:
        yield fpr / (1 - runs.fnr), runs.line.accuracy.sel(fpr=fpr)


def draw_gains(axes, runs: Runs) -> None:
    """Gain by ratio at three horizons; on the line of no gain, what laws say for the last."""
    fpr = runs.line.fpr.values
    for horizon, alpha in zip(HORIZONS, FAINT, strict=True):
        values = gains(runs.line, window(runs, horizon))
        colour = f"{LOOP}{round(255 * alpha):02x}"
        last = last_round(runs, horizon)
        style = {"color": colour, "label": f"{last} round{'s' * (last != 1)}"}
        plotting.mean_line(axes, values, fpr, alpha * plotting.BAND, **style)
    axes.axhline(0, **plotting.role("untouched base"))
    found = read(runs)
    for rule in LAWS:
        said = prediction(found, rule, ALL).value
        if np.isnan(said):  # it says nothing of such a loop
            continue
        at = plotting.to_position(fpr, np.minimum([said * (1 - runs.fnr)], fpr[-1]))
        axes.plot(at, [0], label=f"predicted: {rule}", **LAW_STYLES[rule])
    plotting.tick_values(axes.xaxis, fpr)
    axes.set_xlabel("FPR" + (f", at FNR {runs.fnr:g}" if runs.fnr else ""))
    is_frontier = phase.is_frontier(runs.line)
    axes.set_ylabel("digits gained" if is_frontier else "accuracy gained")
    axes.set_title("At three horizons")


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
