"""When does self-training survive a noisy verifier? Phase diagram and trajectories.

python paper_figures/fig_noise_phase_diagram.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys
from typing import NamedTuple

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import phase, response, theory
from paper_figures import command

SHIPPED = ("noise_phase_diagram", "noise_phase_diagram_fixed")
PARTS = ("", "label_noise")


class Findings(NamedTuple):
    """What the figure says, as numbers."""

    order: xr.DataArray
    measured: phase.Boundary
    amplification: theory.Amplification


def analyse(dataset: xr.Dataset, injection: xr.Dataset) -> Findings:
    """Measured boundary and amplification.

    Args:
      dataset: the sweep over fpr and fnr.
      injection: a sweep over label_noise.digit_rate in one round, with a clean verifier.
    """
    order = phase.order_parameter(dataset)
    return Findings(order, phase.boundary(order), response.amplification(injection))


def summary(dataset: xr.Dataset, injection: xr.Dataset) -> str:
    """The diagram in characters, the measured and the predicted boundary, and how far apart."""
    findings = analyse(dataset, injection)
    lines = [phase.text_diagram(findings.order), compared(findings)]
    run = phase.measured(findings.order)
    if not run.all():
        lines.insert(
            1,
            f"{run.sum().item()} of {run.size} settings were run; "
            "beyond them the measured boundary is open",
        )
    return "\n".join(lines)


def compared(findings: Findings) -> str:
    """The measured and the predicted boundary, as far as there are any, and how far apart."""
    kappa, why = findings.amplification, phase.uncrossed(findings.order, findings.measured)
    ratio, low, high, num = findings.measured.ratio
    measured = f"measured boundary: FPR / (1 - FNR) = {ratio:.3g} ({low:.3g} to {high:.3g})"
    intervals = f"95 % t interval over {num} bases"
    if findings.order.sizes["seed"] == 1:
        intervals = "one base, so there is no interval"
    lines = [
        f"no boundary was measured: {why}"
        if why
        else f"{measured}, geometric mean of bases; {intervals}"
    ]
    if not kappa.kappa > 0:
        return f"{lines[0]}\nno prediction: kappa = {kappa.kappa:.2f} is not above 0"
    predicted = 1 / kappa.kappa
    near, far = (1 / k if k > 0 else float("inf") for k in (kappa.high, kappa.low))
    lines.append(
        f"predicted boundary: 1 / kappa = {predicted:.3g} ({near:.3g} to {far:.3g}), "
        f"kappa = {kappa.kappa:.2f} ({kappa.low:.2f} to {kappa.high:.2f})"
    )
    if not why:
        apart = f"{predicted / ratio:.2g} times the measured one" if ratio > 0 else "above 0"
        lines.append(f"the predicted ratio is {apart}")
    return "\n".join(lines)


def draw(dataset: xr.Dataset, injection: xr.Dataset) -> plotting.Figure:
    """Left: the phase diagram with measured and predicted boundary. Right: some trajectories."""
    findings = analyse(dataset, injection)
    figure = plotting.new_figure(11, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    draw_map(left, dataset, findings)
    draw_trajectories(right, dataset, findings.order)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def draw_map(axes, dataset: xr.Dataset, findings: Findings) -> None:
    """The order parameter with both boundaries."""
    order, measured, kappa = findings
    frontier = phase.is_frontier(dataset)
    label = "digits gained a round (0: the base)" if frontier else "accuracy gained (0: the base)"
    plotting.phase_map(axes, order, label)
    if why := phase.uncrossed(order, measured):
        axes.plot([], [], " ", label=f"no boundary was measured: {why}")
    else:
        draw_measured(axes, order, measured)
    fnr = np.linspace(order.fnr.values[0], order.fnr.values[-1], 200)
    if kappa.kappa > 0:
        predicted = theory.critical_fpr(fnr, kappa.kappa)
        name = f"mean field: FPR / (1 - FNR) = 1 / κ = {1 / kappa.kappa:.2g}"
        if len(kappa.wrong_labels) < order.sizes["seed"]:  # of others a run diverged
            name += f" ({len(kappa.wrong_labels)} of {order.sizes['seed']} seeds)"
        plotting.boundary_line(axes, order, predicted, fnr, color="k", linestyle="--", label=name)
    neutral = np.where(fnr > 0, 1 - fnr, np.nan)
    plotting.boundary_line(
        axes, order, neutral, fnr, color="k", linestyle=":", label="FPR = 1 - FNR: no information"
    )
    where = "a frontier that grows a digit a round" if frontier else "a fixed range of lengths"
    axes.set_title(f"Self-training on {where}")


def draw_measured(axes, order: xr.DataArray, measured: phase.Boundary) -> None:
    """The measured boundary, with its interval if all settings were run."""
    name = "measured boundary"
    if phase.measured(order).all():
        name += ", 95 % t interval over bases"
        band = measured.low, measured.high, measured.fnr
        plotting.boundary_band(axes, order, *band, color="k", alpha=0.2)
    plotting.boundary_line(axes, order, measured.fpr, measured.fnr, color="k", label=name)


def draw_trajectories(axes, dataset: xr.Dataset, order: xr.DataArray, fnr: float = 0.0) -> None:
    """Progress against round for settings on both sides: thin lines are seeds, thick their mean."""
    frontier = phase.is_frontier(dataset)
    row, lost = (
        x.sel(fnr=fnr, method="nearest").transpose("fpr", "round", "seed")
        for x in (phase.progress(dataset), dataset.diverged == 1)
    )
    run = np.flatnonzero(phase.measured(order.sel(fnr=fnr, method="nearest")))
    chosen = run[np.unique(np.linspace(0, len(run) - 1, 6).round().astype(int))]
    gain = order.sel(fnr=fnr, method="nearest").mean("seed")
    colours = plotting.colour_map("viridis")(np.linspace(0, 0.9, len(chosen)))
    for i, colour in zip(chosen, colours, strict=True):
        line, gone = row.isel(fpr=i), lost.isel(fpr=i)
        style = {"color": colour, "linestyle": "-" if gain[i] > 0 else "--"}
        mean, label = line.mean("seed"), f"{order.fpr.values[i]:.2g}"
        plotting.plot_until(axes, line["round"], mean, gone.any("seed"), label=label, **style)
        plotting.plot_until(axes, line["round"], line, gone, linewidth=0.6, alpha=0.5, **style)
    curriculum = dataset.attrs["config"]["base"]["curriculum"]
    if curriculum["type"] == "Frontier":
        rounds = dataset["round"].values[1:]
        posed = curriculum["start"] + curriculum["step"] * (rounds - 1)
        axes.plot(rounds, posed, "k:", label="digits posed")
    axes.set_xlabel("round")
    axes.set_ylabel("solved length, digits" if frontier else "accuracy, all lengths of the range")
    axes.set_title(f"FNR = {row.fnr.item():.2g}: seeds (thin) and their mean")
    axes.legend(title="FPR\n(dashed: collapse)", loc="center left", bbox_to_anchor=(1, 0.5))
    axes.set_xlim(0, dataset.sizes["round"] - 1)


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
