"""Is it enough to verify outcomes where wrong steps can still give the right answer?

python paper_figures/fig_steps.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import phase
from paper_figures import command
from paper_figures.steps import (
    NAMES,
    NOISY,
    PARTS,
    SEEING_ALL,
    by_modulus,
    cancelled,
    clean,
    diverged,
    gained,
    let_through,
    named,
    rates_of,
    share,
    summary,
    with_errors,
)

__all__ = ["PARTS", "SHIPPED", "draw", "summary"]
SHIPPED = ("steps",)
MOST = 4  # moduli whose runs are drawn
# Okabe and Ito's colours, safe for colour-blind readers.
COLOURS = ("#000000", "#D55E00", "#0072B2", "#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#999999")
MARKERS = "xosv^DPd"
STYLES = {
    name: {"color": colour, "marker": marker, "markersize": 4, "label": NAMES[name]}
    for name, colour, marker in zip(PARTS, COLOURS, MARKERS, strict=True)
}


def draw(*datasets: xr.Dataset) -> plotting.Figure:
    """Above: solved length by round. Below: errors that cancel, what they lead to, other errors."""
    data = named(datasets)
    figure = plotting.new_figure(15, 8)
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)
    above, below = figure.subfigures(2, 1)
    draw_runs(above, data)
    panels = below.subplots(1, 4)
    draw_shares(panels[0], {name: cancelled(data[name]) for name in SEEING_ALL}, data)
    moduli = data["none"].modulus.values
    panels[0].plot(range(len(moduli)), 1 / moduli, "k:", label="1 / m")
    panels[0].set_ylim(0, max(0.55, panels[0].get_ylim()[1]))
    panels[0].set_ylabel("P(last sum right | a step is wrong)")
    panels[0].set_title("How often do errors cancel?")
    draw_shares(panels[1], {name: let_through(data[name]) for name in PARTS[:6]}, data)
    panels[1].set_ylabel("P(a step is wrong | accepted)")
    panels[1].set_title("What is let through (all rounds)")
    draw_gains(panels[2], data)
    draw_errors(panels[3], data)
    for axes in panels[[0, 3]]:
        axes.legend(fontsize=7)
    return figure


def draw_runs(figure, data: dict[str, xr.Dataset]) -> None:
    """Solved length by round where errors can cancel, a panel for each modulus."""
    moduli = data["none"].modulus.values
    picked = np.linspace(0, len(moduli) - 1, min(MOST, len(moduli))).round().astype(int)
    panels = figure.subplots(1, len(picked), sharey=True, squeeze=False)[0]
    for axes, modulus in zip(panels, moduli[picked], strict=True):
        for name in PARTS[:6]:
            dataset = clean(data[name]).sel(modulus=modulus).transpose("round", "seed", ...)
            runs, lost = phase.solved_length(dataset), dataset.diverged == 1
            rounds, mean, style = runs["round"], runs.mean("seed"), STYLES[name] | {"marker": ""}
            plotting.plot_until(axes, rounds, mean, lost.any("seed"), linewidth=2, **style)
            thin = {"color": style["color"], "linewidth": 0.4, "alpha": 0.6}
            plotting.plot_until(axes, rounds, runs, lost, **thin)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("round")
        axes.set_ylabel("solved length, in additions")
        axes.set_title(f"Sums modulo m = {modulus} (thin: seeds)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center")


def draw_intervals(axes, cells: list, shift: float, lost, **style) -> None:
    """Values and their intervals over seeds, side by side; crosses where a run was lost."""
    value, low, high = np.where(lost, np.nan, np.array(cells, float).T)
    at = np.arange(len(cells)) + shift
    plotting.mark_lost(axes, at, lost)
    bars = np.maximum(0, (value - low, high - value))
    axes.errorbar(at, value, bars, capsize=2, linestyle="", **style)


def draw_shares(axes, rows: dict[str, np.ndarray], data: dict[str, xr.Dataset]) -> None:
    """A share by modulus, for some of the parts."""
    for i, (name, values) in enumerate(rows.items()):
        shift = 0.1 * (i - (len(rows) - 1) / 2)
        lost = diverged(clean(data[name]))
        draw_intervals(axes, by_modulus(values, share), shift, lost, **STYLES[name])
    tick_moduli(axes, data)
    axes.set_ylim(bottom=0)


def draw_gains(axes, data: dict[str, xr.Dataset]) -> None:
    """Additions gained where errors can cancel and where they can't."""
    names = ("steps", "outcome", "exact_outcome", "learned_outcome", "exact_learned_outcome")
    for i, name in enumerate(names):
        runs = clean(data[name])
        cells, lost = by_modulus(gained(runs)), diverged(runs)
        draw_intervals(axes, cells, 0.1 * (i - 2), lost, **STYLES[name])
    axes.axhline(0, color="k", linewidth=0.8)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.4 * (high - low))  # room for the legend
    tick_moduli(axes, data)
    axes.set_ylabel("additions gained, all rounds")
    axes.set_title("Does it matter that errors cancel?")
    axes.legend(fontsize=7)


def draw_errors(axes, data: dict[str, xr.Dataset]) -> None:
    """Additions gained by verifiers that err, in each completion or in each step."""
    for i, name in enumerate(NOISY):
        found = with_errors(data[name])
        lost = [diverged(runs).any() for _, runs in rates_of(data[name])]
        style = STYLES[name] | {"label": NAMES[name].replace(", perfect", "")}
        draw_intervals(axes, list(found.values()), 0.1 * (i - 1), lost, **style)
    axes.set_xticks(range(len(found)), [f"{fpr:g}\n{fnr:g}" for fpr, fnr in found])
    axes.axhline(0, color="k", linewidth=0.8)
    axes.set_xlabel("verifier's FPR (above) and FNR (below)")
    axes.set_ylabel("additions gained, mean over m")
    axes.set_title("Verifiers that err (steps: at each step)")


def tick_moduli(axes, data: dict[str, xr.Dataset]) -> None:
    moduli = data["none"].modulus.values
    axes.set_xticks(range(len(moduli)), moduli)
    axes.set_xlabel("modulus m of the sums (bars: 95 % over seeds)")


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
