"""Can the boundary between gain and collapse be predicted from one lapse of the verifier?

python paper_figures/fig_response.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import intervals, phase, response
from paper_figures import beside, command
from paper_figures.response_claims import CLAIMS, QUESTION
from paper_figures.response_effects import (
    CONTROLS,
    FROM_SHAM,
    LINE,
    PARTS,
    VARIANTS,
    Data,
    controls_of,
    named,
    prepared,
    reference,
    seen_by,
)

__all__ = ["CLAIMS", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
SHIPPED = ("response",)
READS = (
    *("accuracy", "accuracy_by_difficulty", "sampled_accuracy", "base_accuracy", "label_precision"),
    *("verifier_fpr", "diverged"),
)
LOWEST, LARGEST = 0.008, 8.0  # boundaries beyond are drawn here: no FPR is above 1
OWN, RANDOM, LOOP = plotting.ARMS[:3]
ROWS = VARIANTS | {FROM_SHAM: FROM_SHAM}
KINDS = {"measured": ("o", LOOP), "response": ("s", OWN), "one round": ("x", "0.35")}
WEAK = 0.5 * plotting.BAND  # of bands that lie over others


def summary(*datasets: xr.Dataset | None) -> str:
    """Measured and predicted boundaries of all variants, and the reference beside its controls."""
    lines = ["boundary FPR at FNR 0: measured; predicted by the response; by one round's kappa"]
    for name, found in prepared(*datasets).items():
        cells = "; ".join(_text(found[kind]) for kind in KINDS)
        lines.append(f"  {ROWS[name]:22} {cells}")
    random = named(datasets)["random_labels"]
    found = seen_by(random)(np.arange(random.sizes["seed"])).error_by_lag
    total = found[1 : random.sizes["round"] - 1].sum()
    lines.append(f"random digits: kappa {found[1]:.2g}, all rounds {total:.2g}")
    return "\n".join([*lines, *beside.control_lines("reference", *reference(datasets))])


def _text(estimate) -> str:
    value, low, high = (f"{v:.2g}" for v in estimate[:3])
    return f"{value} ({low} to {high})"


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """The response by lag; the gain along FNR 0 beside the controls that were run; boundaries,
    predicted and measured, by name.
    """
    found = named(datasets)
    figure = plotting.paper_figure(2.8)
    panels = figure.subplots(1, 3, width_ratios=(1, 1, 1.25))
    draw_responses(panels[0], found)
    draw_line(panels[1], found)
    draw_boundaries(panels[2], found, prepared(*datasets))
    plotting.letter(panels)
    return figure


def draw_responses(axes, found) -> None:
    """What one share of wrong labels does in all rounds afterwards."""
    kinds = {"lapse/reference": ("own mistakes", OWN), "random_labels": ("random digits", RANDOM)}
    for part, (name, colour) in kinds.items():
        lags = np.arange(1, found[part].sizes["round"] - 1)
        band = np.array([each[:3] for each in by_lag(found[part], lags)]).T
        style = {"color": colour, "label": name}
        plotting.plot_band(axes, lags, band, np.zeros(len(lags), bool), plotting.BAND, **style)
        start, lost = response.injected(found[part])[0], diverged(found[part])
        first = lost & ~lost.shift(round=1, fill_value=False)
        plotting.mark_lost(axes, np.maximum(lost["round"] - start, 1), first)
    axes.axhline(0, **plotting.NO_EFFECT)
    axes.set_xlim(0.5, 9.5)
    axes.set_ylim(-0.5, 1.5)  # room for the legend
    axes.set_xticks(range(1, 10, 2))
    axes.set_xlabel("rounds after the wrong labels")
    axes.set_ylabel("wrong completions per wrong label")
    axes.set_title("Remembered how long?")
    axes.legend(loc="upper left")


def by_lag(dataset: xr.Dataset, lags: np.ndarray) -> list[intervals.Estimate]:
    """The response in each round after the wrong labels, with jackknife intervals over bases."""
    seen, units = seen_by(dataset), np.arange(dataset.sizes["seed"])
    return [
        intervals.jackknife(units, lambda picks, at=lag: seen(picks).error_by_lag[at])
        for lag in lags
    ]


def diverged(dataset: xr.Dataset) -> xr.DataArray:
    """By round, whether any run has; a prediction is made without its seed."""
    return (dataset.diverged == 1).any([dim for dim in dataset.diverged.dims if dim != "round"])


def draw_line(axes, found: Data) -> None:
    """Measured gain along FNR = 0, the one that the lapses predict, and what controls gain."""
    line, lapse = found[LINE], found["lapse/reference"]
    scale, each = line.fpr.values, [phase.order_parameter(line)]
    plotting.mean_line(axes, each[0], scale, color=LOOP, label="measured")
    seen = seen_by(lapse)(np.arange(lapse.sizes["seed"]))
    ratios = scale[-1] * np.concatenate([[0.0], np.geomspace(1e-3, 1, 200)])
    gains = response.trajectory(seen, ratios)[1][-1] - seen.progress[0]
    at = plotting.to_position(scale, ratios)
    axes.plot(at, gains, "--", color=OWN, label="predicted")
    for role, control in controls_of(found).items():
        each.append(phase.order_parameter(control))
        style = plotting.role(role) | {"label": role, "alpha": WEAK}
        if "fpr" in control.dims:
            plotting.mean_line(axes, each[-1], scale, **style)
        else:
            plotting.mean_level(axes, each[-1], **style)
    axes.axhline(0, label="untouched base", **plotting.role("untouched base"))
    plotting.tick_values(axes.xaxis, scale)
    known = np.concatenate([x.values[np.isfinite(x.values)] for x in each])
    margin = 0.1 * np.ptp(known) + 1e-3 if known.size else 1.0
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    num_names = 3 + len(each) - 1
    axes.set_ylim(low - margin, high + (1 + num_names) * margin)  # room for the legend
    axes.set_xlabel("verifier's FPR, at FNR 0")
    axes.set_ylabel("accuracy gained")
    axes.set_title("Reference: one line")
    axes.legend(loc="upper right")


def draw_boundaries(axes, found, all_found) -> None:
    """A row for each variant: the measured boundary and both predictions, with intervals."""
    rows = [name for name in ROWS if name in all_found]
    for y, name in enumerate(rows):
        for shift, (kind, (marker, colour)) in zip((-0.22, 0, 0.22), KINDS.items(), strict=True):
            value, low, high, _ = all_found[name][kind]
            if np.isfinite(value) and kind != "one round":
                ends = np.clip([low, high], LOWEST, LARGEST)
                axes.plot(ends, [y + shift] * 2, color=colour, linewidth=1.3)
            at = np.nan if np.isnan(value) else np.clip(value, LOWEST, LARGEST)
            label = {"measured": "measured", "response": "all rounds", "one round": "1 / κ"}[kind]
            style = {"color": colour, "ms": 4, "label": label if y == 0 else None}
            axes.plot(at, y + shift, marker, linestyle="", **style)
        arm = "reference" if name == FROM_SHAM else name
        runs = [f"line/{arm}", f"lapse/{arm}", *([CONTROLS["sham"]] if name == FROM_SHAM else [])]
        if any(diverged(found[part]).any() for part in runs):
            plotting.cross(axes, 0.015, y, transform=axes.get_yaxis_transform())
    axes.set_yticks(range(len(rows)), [ROWS[name] for name in rows])
    axes.set_ylim(len(rows) - 0.5, -2.1)  # room for the legend
    axes.set_xscale("log")
    axes.set_xlim(LOWEST * 0.9, LARGEST * 1.15)
    axes.set_xticks([0.01, 0.1, 1, LARGEST], ["0.01", "0.1", "1", "none"])
    axes.minorticks_off()
    axes.axvline(1, ymax=0.82, **plotting.NO_EFFECT)
    axes.set_xlabel("boundary, FPR at FNR 0")
    axes.set_title("Boundaries")
    axes.legend(loc="upper left", ncols=2, columnspacing=0.8, handletextpad=0.2)


FIGURES = {"": draw}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
