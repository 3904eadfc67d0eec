"""Panels that any sweep can have: rounds of some settings, gain against a number, a map."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import xarray as xr

from avax import plotting
from avax.analysis import lengths, phase, seeds
from avax.plotting import settings
from avax.plotting.settings import Line, Study

BASE = {"color": "k", "linestyle": "--", "linewidth": 1}
BASE_NAME = "untouched base (round 0)"
RATES = {
    "verifier_fpr": ("FPR", "P(accept | wrong)", {"color": "#CC6677", "marker": "o"}),
    "verifier_fnr": ("FNR", "P(reject | right)", {"color": "#332288", "marker": "s", "ls": "--"}),
    "label_precision": (
        *("label precision", "P(right | accepted)"),
        {"color": "#117733", "marker": "^", "ls": ":"},
    ),
}
NONE = {  # why nothing was measured
    "verifier_fpr": "no completion was wrong",
    "verifier_fnr": "no completion was right",
    "label_precision": "no completion was accepted",
}
LEAST_SEEDS = 3  # of an interval that is drawn: of two it is 13 standard errors wide, and hides all
MOST_BARS = 8  # intervals drawn as bars; more of them are a band
MOST_THIN = 25  # lines of single seeds in a panel; more of them are a smear


def draw_solved(axes, study: Study, lines: Sequence[Line]) -> None:
    """Solved length by round, and the same as an accuracy on the right."""
    data = study.dataset
    most, unit = data.sizes["difficulty"], lengths.unit(data)
    by_round(axes, study, phase.solved_length(data), lines)
    axes.set_title(f"Solved length: 1 to {most} {unit}")
    axes.set_ylabel(f"solved length, {unit}")
    right = axes.secondary_yaxis("right", functions=(lambda s: s / most, lambda a: a * most))
    right.set_ylabel("accuracy, mean of lengths")


def draw_retention(axes, study: Study, lines: Sequence[Line]) -> None:
    """Accuracy at the lengths that the base was trained on."""
    longest = lengths.base_length(study.dataset)
    if longest is None:
        return say(axes, "which lengths the base\nwas trained on is not known")
    by_round(axes, study, lengths.retention(study.dataset, longest), lines)
    axes.set_title(f"Retention: 1 to {last_of(longest)} {lengths.unit(study.dataset)}")
    axes.set_ylabel("accuracy, mean of lengths")
    from_half(axes)


def draw_reach(axes, study: Study, lines: Sequence[Line]) -> None:
    """Accuracy summed over longer lengths."""
    data = study.dataset
    longest, most = lengths.base_length(data), data.sizes["difficulty"]
    if longest is None or np.all(longest >= most):
        return say(axes, "no longer lengths\nthan the base's were posed")
    by_round(axes, study, lengths.reach(data, longest), lines)
    first = longest + 1 if isinstance(longest, int) else f"above {last_of(longest)}"
    axes.set_title(f"Reach: {first} to {most} {lengths.unit(data)}")
    axes.set_ylabel(f"solved of these, {lengths.unit(data)}")


def last_of(longest: xr.DataArray | int) -> str:
    """The longest trained difficulty in words."""
    several = isinstance(longest, xr.DataArray) and longest.ndim
    return "base_difficulty" if several else str(int(longest))


def by_round(axes, study: Study, values: xr.DataArray, lines: Sequence[Line]) -> None:
    """A measure by round: means over seeds, each seed thin, and the untouched base, dashed."""
    rounds, lost = study.dataset["round"].values, study.dataset.diverged == 1
    every = max(1, len(rounds) // 8)
    for line in lines:
        y, gone = (x.isel(line.at).transpose("round", "seed").values for x in (values, lost))
        style = {**line.style, "label": line.name, "markersize": 4, "markevery": every}
        plotting.plot_until(axes, rounds, seeds.mean(y.T), gone.any(1), **style)
        if shows_seeds(study, lines):
            thin = {"color": line.style["color"], "linewidth": 0.6, "alpha": 0.4}
            plotting.plot_until(axes, rounds, y, gone, **thin)
    base = values.isel(round=0)
    if settings.shares_base(study):
        axes.axhline(float(base.mean()), label=BASE_NAME, **BASE)
    else:
        for line in lines:
            style = {**BASE, "color": line.style["color"], "label": f"{BASE_NAME}, of each"}
            axes.axhline(float(base.isel(line.at).mean()), **style)
    rounds_axis(axes, rounds)


def shows_seeds(study: Study, lines: Sequence[Line]) -> bool:
    """Whether the seeds of each line are drawn, too."""
    return 1 < study.num_each <= MOST_THIN / max(1, len(lines))


def rounds_axis(axes, rounds: np.ndarray) -> None:
    axes.set_xlabel("round")
    axes.set_xlim(rounds[0], rounds[-1] + 0.02 * len(rounds))
    plotting.whole_ticks(axes)


def draw_rate(axes, study: Study, lines: Sequence[Line], metric: str) -> None:
    """One measured rate by round, a line for each setting: means of what is known."""
    name, meaning, _ = RATES[metric]
    rounds_axis(axes, study.dataset["round"].values)
    for line in lines:
        plot_rate(axes, study, line.at, metric, label=line.name, **line.style)
    axes.set_title(f"Measured {name}")
    if not drawn(axes).size:
        axes.text(0.5, 0.5, NONE[metric], ha="center", fontsize=8, transform=axes.transAxes)
    axes.set_ylabel(f"{name} = {meaning}" if len(name) < 4 else meaning)
    if metric == "label_precision":
        return from_half(axes)
    top = min(1.03, max(0.05, 1.1 * drawn(axes).max(initial=0)))
    axes.set_ylim(-0.03 * top, top)


def draw_rates(axes, study: Study) -> None:
    """All measured rates by round, of the only setting."""
    for metric, (name, meaning, style) in RATES.items():
        plot_rate(axes, study, {}, metric, label=f"{name} = {meaning}", **style)
    rounds_axis(axes, study.dataset["round"].values)
    axes.set_title("Measured in the round's samples")
    axes.set_ylabel("probability, mean over seeds")
    axes.set_ylim(-0.03, 1.03)
    axes.legend(loc="best")


def plot_rate(axes, study: Study, at: settings.At, metric: str, **style) -> None:
    """The mean over seeds of what is known, from round 1 on: the base's samples aren't judged."""
    trained = study.dataset.isel(at).isel(round=slice(1, None))
    rounds = trained["round"].values
    y, gone = (trained[n].transpose("seed", "round").values for n in (metric, "diverged"))
    every = max(1, len(rounds) // 8)
    style = {**style, "markersize": 4, "markevery": every}
    plotting.plot_until(axes, rounds, seeds.mean(y), (gone == 1).any(0), **style)


def from_half(axes) -> None:
    """A probability's axis: from 0, or from 0.5 if all is above."""
    axes.set_ylim((0.5, 1.015) if (drawn(axes) > 0.5).all() else (-0.03, 1.03))


def drawn(axes) -> np.ndarray:
    """All that lines go through."""
    values = np.concatenate([np.ravel(x.get_ydata()) for x in axes.lines] or [np.zeros(0)])
    return values[np.isfinite(values)]


def say(axes, text: str) -> None:
    """Words where a panel would be."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, fontsize=8)


def gain_label(study: Study) -> str:
    last = int(study.dataset["round"][-1])
    return f"gain after round {last}, {lengths.unit(study.dataset)}"


def draw_gain(axes, study: Study, dim: str, lines: Sequence[Line]) -> None:
    """Final gain along one axis with its interval over seeds: a line for each name of the other
    axis, in the colours of `lines`; without another one grey over numbers, else coloured points.
    """
    other = next((d for d in study.axes if d != dim), None)
    if other is None:
        colours = {line.at[dim]: line.style["color"] for line in lines}
        is_joined = dim in study.numeric
        grey = ["0.35" if is_joined else colours.get(i, "0.35") for i in range(len(study.gain))]
        points(axes, study.gain, grey, marker="o", linestyle="-" if is_joined else "")
    first = {line.at[other]: line for line in lines} if other else {}
    for k, (i, line) in enumerate(first.items()):
        shift = 0.12 * (k / max(1, len(first) - 1) - 0.5)  # else bars hide one another
        gain = study.gain.isel({other: i})
        points(axes, gain, [line.style["color"]] * len(gain), shift, marker=line.style["marker"])
    axes.axhline(0, **BASE)
    ticks(axes.xaxis, study.dataset[dim])
    axes.set_xlabel(settings.label_of(study.dataset, dim))
    axes.set_ylabel(gain_label(study))
    axes.set_title("Final gain over the base")


def points(axes, gain: xr.DataArray, colours: Sequence, shift: float = 0.0, **style) -> None:
    """Means with their t intervals by index: bars and every seed as a small dot, a band if the
    values are many.

    Args:
      gain: by one axis and seed.
      colours: of each value of the axis.
    """
    each = gain.transpose(..., "seed").values
    x = np.arange(len(each)) + shift
    mean, low, high = seeds.t_interval(gain)
    if gain.notnull().sum("seed").max() < LEAST_SEEDS:
        low = high = mean
    mean = np.where(np.isfinite(mean), mean, np.nan)
    is_band = len(each) > MOST_BARS and len(set(map(str, colours))) == 1
    axes.plot(x, mean, color=colours[0], markersize=4 if is_band else 0, **style)
    if is_band:
        axes.fill_between(x, low, high, color=colours[0], alpha=0.12, linewidth=0)
    for i, colour in [] if is_band else enumerate(colours):
        bar = np.nan_to_num([[mean[i] - low[i]], [high[i] - mean[i]]])
        mark = {"color": colour, "marker": style["marker"], "markersize": 4, "capsize": 2}
        axes.errorbar(x[i], mean[i], bar, linewidth=1, **mark)
        if len(each[i]) > 1:
            y = np.where(np.isfinite(each[i]), each[i], np.nan)
            dots = {"color": colour, "markersize": 2.5, "alpha": 0.6}
            axes.plot(np.full(len(y), x[i]), y, ".", **dots)
    plotting.mark_lost(axes, x[:, None], np.isneginf(each))


def ticks(axis, values: xr.DataArray) -> None:
    """Ticks of an axis that is drawn by index: all names, all numbers if they are few."""
    if not settings.is_numeric(values) or values.size <= 6:
        names = [textwrap.shorten(settings.shown(v), 20, placeholder="...") for v in values.values]
        axis.set_ticks(range(len(names)), names)
        if axis.axis_name == "x" and sum(map(len, names)) > 24:
            turned = {"rotation": 25, "ha": "right", "rotation_mode": "anchor"}
            many = {"rotation": 90, "ha": "right", "va": "center", "rotation_mode": "anchor"}
            for label in axis.get_ticklabels():
                label.set(**(many if len(names) > 4 else turned), fontsize=7)
    elif plotting.is_log(values.values):
        low, high = np.log10(values.values[[1, -1]])
        decades = 10.0 ** np.arange(np.ceil(low - 1e-9), np.floor(high + 1e-9) + 1)
        at = plotting.to_position(values.values, decades)
        known = at > 0.12 * values.size  # beside the first value, which has a label of its own
        names = [settings.shown(x) for x in (values.values[0], *decades[known])]
        axis.set_ticks([0, *at[known]], names)
    else:
        at = settings.spread(values.size, 6)
        axis.set_ticks(at, [settings.shown(values.values[i]) for i in at])
