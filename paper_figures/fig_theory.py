"""Which one number of a verifier decides whether self-training gains or loses?

python paper_figures/fig_theory.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import numbers, phase
from paper_figures import command

LEARNERS = {"": "fine-tuning", "samples": "fine-tuning, 4 x samples", "grpo": "GRPO"}
PARTS = (*LEARNERS, "skill")
SHIPPED = ("theory",)


def summary(*datasets: xr.Dataset) -> str:
    """What each number explains, by learner, and how iso-lines depend on FNR."""
    lines = []
    for learner, dataset in zip(LEARNERS.values(), datasets[:3], strict=True):
        order = phase.order_parameter(dataset)
        lines.append(f"{learner}: share of the variance between verifiers explained by")
        run = phase.measured(order)
        if not run.all():
            lines.append(f"  (of {run.sum().item()} of {run.size}, beside the boundary)")
        lines += [f"  {n:15} {_text(numbers.explained(order, n))}" for n in numbers.NUMBERS]
        exponent = numbers.isoline_exponent(order, levels(order))
        lines.append(f"  iso-lines: FPR ~ (1 - FNR)^{_text(exponent)}")
    return "\n".join(lines)


def levels(order: xr.DataArray) -> np.ndarray:
    """Levels of six iso-lines, evenly spaced in rank."""
    mean = order.mean("seed").values
    return np.quantile(mean[np.isfinite(mean)], np.linspace(0.2, 0.8, 6))


def _text(values: tuple[float, float, float]) -> str:
    value, low, high = (f"{v:.2g}" for v in values)
    return f"{value} ({low} to {high})"


def draw(*datasets: xr.Dataset) -> plotting.Figure:
    """Diagrams with iso-lines, collapses onto one number, what each explains, skill and rounds."""
    figure = plotting.new_figure(13, 10.5)
    axes = figure.subplots(3, 3)
    orders = dict(zip(LEARNERS.values(), map(phase.order_parameter, datasets[:3]), strict=True))
    for i, (learner, order) in enumerate(orders.items()):
        draw_map(axes[0, i], order, learner)
        draw_collapse(axes[1, i], order, learner)
    draw_explained(axes[2, 0], orders)
    draw_rounds(axes[2, 1], datasets[0])
    draw_skill(axes[2, 2], datasets[3])
    return figure


def draw_map(axes, order: xr.DataArray, learner: str) -> None:
    """A phase diagram with the iso-lines of the outcome."""
    plotting.phase_map(axes, order, "accuracy gained (0: the base)")
    for level in levels(order):
        line = phase.boundary(order, level, num_bootstrap=1)
        plotting.boundary_line(axes, order, line.fpr, line.fnr, color="k", linewidth=0.7)
    axes.set_title(f"{learner}: gain and its iso-lines")


def draw_collapse(axes, order: xr.DataArray, learner: str) -> None:
    """All settings against the number that explains most."""
    best = max(numbers.NUMBERS, key=lambda n: numbers.explained(order, n, 2)[0])
    x, values = numbers.by_setting(order, best)
    fnr = numbers.by_setting(order, "FNR")[0]
    mean, error = values.mean(1), values.std(1) / np.sqrt(values.shape[1])
    axes.errorbar(x, mean, error, fmt="none", ecolor="0.7", linewidth=0.8, zorder=1)
    points = axes.scatter(x, mean, c=fnr, cmap="viridis", s=18, zorder=2)
    axes.figure.colorbar(points, ax=axes, label="FNR", pad=0.02)
    rates = xr.broadcast(order.fpr, order.fnr)
    at = rates[0].copy(data=numbers.NUMBERS[best](*(rate.values for rate in rates)))
    plotting.mark_diverged(axes, at, order)
    by_x = np.argsort(x)
    axes.plot(x[by_x], numbers.monotone(x, mean)[by_x], "k-", linewidth=1)
    axes.axhline(0, color="0.5", linewidth=0.8)
    axes.set_xscale("symlog", linthresh=0.02)
    axes.set_xlim(-0.002, 1.1 * x.max())
    axes.set_xlabel(best)
    axes.set_ylabel("accuracy gained")
    axes.set_title(f"{learner}: all verifiers on one line")


def draw_explained(axes, orders: dict[str, xr.DataArray]) -> None:
    """How much of the variance each number explains, by learner."""
    colours = plotting.colour_map("viridis")(np.linspace(0.1, 0.85, len(orders)))
    for i, (learner, order) in enumerate(orders.items()):
        shares = np.array([numbers.explained(order, n) for n in numbers.NUMBERS])
        value, low, high = shares.T
        where = np.arange(len(shares)) + 0.27 * (i - 1)
        error = np.clip([value - low, high - value], 0, None)
        axes.bar(where, value, 0.25, yerr=error, color=colours[i], label=learner, capsize=2)
    axes.set_xticks(
        range(len(numbers.NUMBERS)), [n.replace("/ (", "/\n(") for n in numbers.NUMBERS]
    )
    axes.set_ylim(0, 1.35)
    axes.set_ylabel("share of variance explained (R²)")
    axes.set_title("Which one number decides?")
    axes.legend()


def draw_rounds(axes, dataset: xr.Dataset) -> None:
    """Gain of fine-tuning after each round, FNR 0."""
    gain = phase.gain(dataset).sel(fnr=0).isel(round=slice(1, None)).rename(round="after")
    plotting.map_of(axes, gain, "after", "accuracy gained (0: the base)")
    axes.set_ylabel("rounds")
    axes.set_title("Rounds x FPR (fine-tuning, FNR 0)")


def draw_skill(axes, skill: xr.Dataset) -> None:
    """Gain by the skill of the base."""
    plotting.map_of(axes, phase.order_parameter(skill), "snapshot", "accuracy gained (0: the base)")
    base = phase.progress(skill).isel(round=0).mean(("seed", "fpr"))
    axes.set_yticks(range(len(base)), [f"{v:.2f}" for v in base.values])
    axes.set_ylabel("accuracy of the base")
    axes.set_title("Base skill x FPR (fine-tuning, FNR 0)")


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
