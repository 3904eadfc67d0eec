"""Does the pattern of errors decide, or only their rate? Two figures, and the findings in words.

python paper_figures/fig_noise_patterns.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import intervals, patterns, phase
from avax.plotting import Row
from paper_figures import command
from paper_figures.noise_patterns import (
    KINDS,
    NAMES,
    PARTS,
    SHAM,
    SHUFFLES,
    SPOILT,
    arms_of,
    bred,
    differences,
    excess,
    excess_lost,
    gained,
    named,
    own_share,
    structure,
    summary,
)
from paper_figures.noise_patterns_claims import CLAIMS, QUESTION

__all__ = ["CLAIMS", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
SHIPPED = ("noise_patterns",)
READS = (
    *("accuracy", "accuracy_by_difficulty", "sampled_accuracy", "base_accuracy", "mistake_share"),
    *("verifier_fpr", "verifier_fnr", "diverged"),
)
COLOURS = plotting.arms(NAMES)
SHUFFLE = (0, (4, 1, 1, 1, 1, 1))  # of a recipient shuffle, in its arm's colour
WEAK = 0.4 * plotting.BAND  # of bands that lie over others
OF_LABELS = ("0.35", *plotting.ARMS[5:])  # other colours: these are no verifiers
SHORT = {
    "hashed": "the same each time",
    "dropped_carry": "blind to dropped carries",
    "near_miss": "blind to near misses",
    "long": "blind to answers too long",
    "recurring": "the same each time, 128 problems",
}
HEADINGS = {"run_fpr": "equal FPR over the run", "base_fpr": "equal FPR on the base's mistakes"}


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """All effects of patterns with their intervals, one below another; and, where controls were
    run, what blind verifiers gain beside them.
    """
    data = named(datasets)
    rows = effect_rows(data)
    if not (SHAM in data or structure(data)):
        figure = plotting.paper_figure(3.3)
        draw_effects(figure.subplots(), data, rows)
        return figure
    height = 0.45 + 0.19 * len(rows)
    figure = plotting.paper_figure(height + 2.6)
    panels = figure.subplots(2, 1, height_ratios=(height, 1.9))
    draw_effects(panels[0], data, rows)
    draw_controls(panels[1], data)
    plotting.letter(panels)
    figure.legend(*panels[1].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def effect_rows(data) -> list[Row]:
    """Differences from independent errors, from recipient shuffles that were run, and from random
    rejection.
    """
    found, rows = differences(arms_of(data), data), []
    for rate, heading in HEADINGS.items():
        rows.append(Row(heading))
        for name, short in SHORT.items():
            if (values := found.get((name, rate))) is not None:
                rows.append(row(short, values, COLOURS.get(name, COLOURS["hashed"])))
    if shuffled := structure(data):
        rows.append(Row("less a recipient shuffle"))
        for arm, values in shuffled.items():
            name = arm.removeprefix("hashed_")
            rows.append(row(SHORT[name], values, COLOURS.get(arm, COLOURS["hashed"])))
    rows.append(Row("long carries rejected, less random rejection"))
    gains = patterns.selective_difference(data["reject_long_carry"], data["reject_at_random"])
    for fpr in gains.fpr.values:
        values = gains.sel(fpr=fpr).isel(fnr=-1).values
        rows.append(row(f"FNR 0.19, FPR {fpr:g}", values, "0.25"))
    return rows


def draw_effects(axes, data, rows: list[Row]) -> None:
    plotting.forest(axes, rows)
    others = "independent errors or a shuffle" if structure(data) else "independent errors"
    axes.set_xlabel(f"{gained(data['independent'])}, minus that with {others}")
    axes.set_title("Left of 0 a pattern does more harm than its rate")


def draw_controls(axes, data) -> None:
    """What blind verifiers gain by their rate, beside recipient shuffles and the sham, as run."""
    scale = data[KINDS[0]].fpr.values
    for kind in KINDS:
        style = {"color": COLOURS[kind], "label": SHORT[kind], "alpha": WEAK}
        plotting.mean_line(axes, phase.order_parameter(data[kind]), scale, **style)
        if SHUFFLES[kind] in data:
            style |= {"label": "its recipient shuffle", "linestyle": SHUFFLE}
            plotting.mean_line(axes, phase.order_parameter(data[SHUFFLES[kind]]), scale, **style)
    if SHAM in data:
        style = plotting.role("sham") | {"label": "sham", "alpha": WEAK}
        plotting.mean_level(axes, phase.order_parameter(data[SHAM]), **style)
    axes.axhline(0, label="untouched base", **plotting.role("untouched base"))
    plotting.tick_values(axes.xaxis, scale)
    axes.set_xlim(-0.2, len(scale) - 0.8)
    axes.set_xlabel("P(accept | a mistake of the kind); other mistakes are rejected")
    axes.set_ylabel(gained(data["independent"]))
    axes.set_title(f"Blind verifiers and controls, means of {data[KINDS[0]].sizes['seed']} bases")


def row(name: str, values: np.ndarray, colour: str) -> Row:
    return Row(name, intervals.mean(values), colour, values)


def draw_rounds(*datasets: xr.Dataset | None) -> plotting.Figure:
    """What happens in between: rates, kinds and spoilt labels by round."""
    data = named(datasets)
    figure = plotting.paper_figure(4.6)
    panels = figure.subplots(2, 2)
    draw_rates(panels[0, 0], data)
    draw_kinds(panels[0, 1], data)
    draw_bred(panels[1, 0], data)
    draw_labels(panels[1, 1], data)
    plotting.letter(panels.flat)
    return figure


def draw_rates(axes, data) -> None:
    """Measured FPR by round at the largest nominal rate below 1, or at 1 where it stands alone."""
    for name in NAMES:
        dataset = data[name]
        fpr = max((x for x in dataset.fpr.values if x < 1), default=1.0)
        rate = dataset.verifier_fpr.sel(fpr=fpr).isel(round=slice(1, None))
        draw_mean(axes, rate, dataset.diverged.sel(fpr=fpr), COLOURS[name])
        short = SHORT.get(name, "independent")
        axes.plot([], [], color=COLOURS[name], label=f"{short} ({fpr:g})")
    axes.set_ylim(0, 1.25)  # room for the legend
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_ylabel("measured FPR = P(accept | wrong)")
    axes.set_title("The rate of a blind verifier drifts")
    axes.legend(title="pattern (nominal FPR)", title_fontsize=7, loc="upper left", ncols=1)


def draw_mean(axes, values: xr.DataArray, diverged: xr.DataArray, colour: str, **style) -> None:
    """A mean over bases by round, with its t interval as a band."""
    values = values.transpose("round", "seed")
    lost = (diverged == 1).transpose("round", "seed").sel(round=values["round"]).any("seed")
    each = np.array([intervals.mean(row)[:3] for row in values.values]).T
    mean, low, high = each
    band = mean, np.maximum(low, 0), np.minimum(high, 1)
    plotting.plot_band(
        axes, values["round"], band, lost.values, alpha=plotting.BAND, color=colour, **style
    )
    axes.set_xlabel("round")
    plotting.whole_ticks(axes)


def draw_kinds(axes, data) -> None:
    """Share of the kind that a verifier is blind to, against the same with a perfect verifier."""
    for kind in KINDS:
        fpr = data[kind].fpr.values[-1]
        for dataset, rate, line in ((data[kind], fpr, "-"), (data["independent"], 0.0, "--")):
            share, _ = own_share(dataset, kind, rate)
            lost = (dataset.diverged.sel(fpr=rate) == 1).any("seed").isel(round=slice(1, None))
            mean = share.mean("seed")
            style = {"color": COLOURS[kind], "linestyle": line}
            plotting.plot_until(axes, share["round"], mean, lost.values, **style)
        axes.plot([], [], color=COLOURS[kind], label=SHORT[kind].removeprefix("blind to "))
    axes.plot([], [], "k-", label="blind to the kind, FPR 1 in it")
    axes.plot([], [], "k--", label="perfect verifier")
    axes.set_ylim(0, 1.5)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_xlabel("round")
    plotting.whole_ticks(axes)
    axes.set_ylabel("share among the mistakes, mean")
    axes.set_title("Kinds of mistakes")
    axes.legend(loc="upper left", ncols=1)


def draw_bred(axes, data) -> None:
    """How much more of a kind there is behind a verifier that is blind to it."""
    rows = [row(SHORT[k].removeprefix("blind to "), bred(data, k), COLOURS[k]) for k in KINDS]
    plotting.forest(axes, rows)
    for y, kind in enumerate(KINDS):  # their seed is left out of the mean
        pair = data[kind].diverged.isel(fpr=-1), data["independent"].diverged.sel(fpr=0.0)
        if any((x == 1).any() for x in pair):
            plotting.cross(axes, 0.015, y, transform=axes.get_yaxis_transform())
    axes.set_xlabel("share in the last 5 rounds, blind minus perfect")
    axes.set_title("Is a kind bred by blindness to it?")


def draw_labels(axes, data) -> None:
    """Excess error by rounds since the labels of round 1 were spoilt, at the largest rate."""
    colours = dict(zip(SPOILT, OF_LABELS, strict=True))
    for pattern in SPOILT:
        at = {"label_noise.round": 1}
        cost = excess(data, pattern).isel(rate=-1).sel(at).transpose("since", "seed")
        lost = excess_lost(data, pattern).isel(rate=-1).sel(at).any("seed")
        each = np.array([intervals.mean(row)[:3] for row in cost.values]).T
        style = {"color": colours[pattern], "label": pattern}
        plotting.plot_band(axes, cost.since, each, lost.values, alpha=plotting.BAND, **style)
    axes.axhline(0, **plotting.NO_EFFECT)
    axes.set_xlabel("rounds since the labels of round 1 were spoilt")
    axes.set_ylabel("excess error (accuracy lost)")
    axes.set_title("60 % of one round's labels spoilt")
    axes.legend()


FIGURES = {"": draw, "rounds": draw_rounds}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
