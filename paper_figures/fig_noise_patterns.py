"""Does the pattern of errors decide, or only their rate? Six panels, and the findings in words.

python paper_figures/fig_noise_patterns.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import patterns, phase
from paper_figures import command
from paper_figures.noise_patterns import (
    KINDS,
    NAMES,
    PARTS,
    SPOILT,
    arms_of,
    differences,
    excess,
    excess_lost,
    gained,
    named,
    own_share,
    summary,
)

__all__ = ["PARTS", "SHIPPED", "draw", "summary"]
SHIPPED = ("noise_patterns",)
# Okabe and Ito's colours, safe for colour-blind readers.
COLOURS = dict(zip(NAMES, ("#000000", "#E69F00", "#009E73", "#0072B2", "#D55E00"), strict=True))
LABEL_COLOURS = dict(zip(SPOILT, ("#000000", "#56B4E9", "#D55E00", "#CC79A7"), strict=True))


def draw(*datasets: xr.Dataset) -> plotting.Figure:
    """Above: false positives by pattern. Below: their kinds, false negatives, spoilt labels."""
    data = named(datasets)
    arms = arms_of(data)
    figure = plotting.new_figure(13, 7.6)
    above, below = figure.subplots(2, 3)
    draw_gain(above[0], arms, data["independent"])
    draw_differences(above[1], arms, data)
    draw_rates(above[2], data)
    draw_kinds(below[0], data)
    draw_rejections(below[1], data)
    draw_labels(below[2], data)
    return figure


def draw_gain(axes, arms: dict[str, patterns.Arm], dataset: xr.Dataset) -> None:
    """Gain against the FPR on the base's mistakes: points are runs, the line a mean."""
    for name, arm in arms.items():
        style = {"color": COLOURS[name], "label": NAMES[name]}
        x, y = arm.base_fpr.values, arm.gain.values
        axes.plot(x[1:].ravel(), y[1:].ravel(), "o", markersize=3.5, alpha=0.7, **style)
        plotting.mark_diverged(axes, arm.base_fpr, arm.gain)
    independent = arms["independent"]
    mean = independent.gain.mean("seed")
    axes.plot(independent.base_fpr[:, 0], mean, "k-", linewidth=1, label="independent, mean")
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.set_xscale("symlog", linthresh=0.001)
    axes.set_xlim(0, 1.1)
    axes.set_xlabel("FPR on the base's mistakes (share of its kind x nominal)")
    axes.set_ylabel(f"{gained(dataset)} (0: the base)")
    axes.set_title("Gain of each run, by pattern of false positives")
    axes.legend(fontsize=7)


def draw_differences(axes, arms, data) -> None:
    """Seeds (points) and their mean with its interval, at equal FPR: of the base, of the run."""
    names = [*NAMES][1:] + ["recurring"]
    for (name, rate), values in differences(arms, data).items():
        x = names.index(name) + (0.15 if rate == "run_fpr" else -0.15)
        colour, marker = COLOURS.get(name, COLOURS["hashed"]), "s" if rate == "run_fpr" else "o"
        axes.plot(np.full(len(values), x), values, marker, color=colour, markersize=3, alpha=0.5)
        plotting.mark_lost(axes, x, ~np.isfinite(values))
        mean, low, high = patterns.interval(values)
        if np.isfinite(mean):
            bars = [[mean - low], [high - mean]]
            axes.errorbar(x, mean, bars, fmt=marker, color=colour, markersize=7, capsize=3)
    axes.axhline(0, color="0.6", linewidth=0.8)
    labels = ["hashed", "dropped\ncarries", "near\nmisses", "too\nlong", "hashed,\n128 problems"]
    axes.set_xticks(range(len(names)), labels)
    axes.set_ylabel(f"{gained(data['independent'])}, minus independent")
    axes.set_xlabel("pattern; circles: equal FPR on the base's mistakes,\nsquares: over the run")
    axes.set_title("At equal rate: seeds, mean, 95 % interval")


def draw_rates(axes, data) -> None:
    """Measured FPR by round at the largest nominal rate below 1, or at 1 where it stands alone."""
    for name in NAMES:
        dataset = data[name]
        fpr = max((x for x in dataset.fpr.values if x < 1), default=1.0)
        counts = patterns.wrong(dataset).sel(fpr=fpr)
        rate = dataset.verifier_fpr.sel(fpr=fpr).isel(round=slice(1, None))
        style = {"color": COLOURS[name], "label": f"{NAMES[name]} ({fpr:g})"}
        thin = {"lw": 0.6, "alpha": 0.5}
        draw_seeds(axes, rate, counts, dataset.diverged.sel(fpr=fpr) == 1, thin, **style)
    axes.set_ylim(0, 1)
    axes.set_xlabel("round")
    axes.set_ylabel("measured FPR = P(accept | wrong)")
    axes.set_title("Measured rate by round (nominal in brackets)")
    axes.legend(fontsize=7)


def draw_seeds(axes, rate: xr.DataArray, count, lost, thin: dict, **style) -> None:
    """A rate by round from the first on: a thin line for each seed, and all of them together."""
    lost = lost.isel(round=slice(1, None)).transpose("round", "seed")
    rows = rate.transpose("round", "seed")
    plotting.plot_until(axes, rate["round"], rows, lost, **style | thin | {"label": None})
    mean = patterns.pooled(rate, count, "seed")
    plotting.plot_until(axes, rate["round"], mean, lost.any("seed"), **style)


def draw_kinds(axes, data) -> None:
    """Share of the kind that a verifier is blind to, against the same with a perfect verifier."""
    for kind in KINDS:
        fpr = data[kind].fpr.values[-1]
        cases = ((data[kind], fpr, "-", "blind"), (data["independent"], 0.0, "--", "perfect"))
        for dataset, rate, line, name in cases:
            share, count = own_share(dataset, kind, rate)
            style = {"color": COLOURS[kind], "linestyle": line}
            style["label"] = f"{kind.replace('_', ' ')}, {name} verifier"
            thin = {"lw": 0.5, "alpha": 0.3}
            draw_seeds(axes, share, count, dataset.diverged.sel(fpr=rate) == 1, thin, **style)
    axes.set_ylim(0, 1.35)  # room for the legend
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_xlabel("round")
    axes.set_ylabel("share among the wrong completions")
    axes.set_title("Is a blind verifier's kind bred? (FPR 1 within it)")
    axes.legend(fontsize=7, loc="upper left", ncols=2)


def draw_rejections(axes, data) -> None:
    """Gain against the FNR on the base's right answers."""
    styles = {"reject_at_random": ("k", "at random"), "reject_long_carry": ("C1", "long carries")}
    for part, (colour, name) in styles.items():
        order, fnr = phase.order_parameter(data[part]), patterns.measured_fnr(data[part])
        for fpr, line in zip(order.fpr.values, ("-", ":"), strict=True):
            gain = order.sel(fpr=fpr).transpose("fnr", "seed")
            x = fnr.transpose("fnr", "seed")
            axes.plot(x.values.ravel(), gain.values.ravel(), "o", color=colour, ms=3, alpha=0.5)
            plotting.mark_diverged(axes, x, gain)
            label = f"{name}, FPR {fpr:g}"
            axes.plot(x.mean("seed"), gain.mean("seed"), color=colour, linestyle=line, label=label)
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.set_ylim(top=1.35 * axes.get_ylim()[1])  # room for the legend
    axes.set_xlabel("FNR on the base's right answers")
    axes.set_ylabel(f"{gained(data['independent'])} (0: the base)")
    axes.set_title("Right answers rejected at random or selectively")
    axes.legend(fontsize=7, title="rejected", title_fontsize=7)


def draw_labels(axes, data) -> None:
    """Excess error by rounds since labels were spoilt, at the largest rate."""
    for pattern in SPOILT:
        cost = excess(data, pattern).isel(rate=-1)
        lost = excess_lost(data, pattern).isel(rate=-1).any("seed")
        for start, line in zip(cost["label_noise.round"].values, ("-", "--", ":"), strict=False):
            at = {"label_noise.round": start}
            mean = cost.sel(at).mean("seed")
            style = {"color": LABEL_COLOURS[pattern], "linestyle": line, "marker": "."}
            style["label"] = f"{pattern}, round {start}"
            plotting.plot_until(axes, mean.since, mean, lost.sel(at), **style)
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.set_xlabel("rounds since the labels were spoilt")
    axes.set_ylabel("excess error (accuracy lost), mean over seeds")
    axes.set_title(f"{cost.rate.item():.0%} of one round's labels spoilt")
    axes.legend(fontsize=6, ncols=2)


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
