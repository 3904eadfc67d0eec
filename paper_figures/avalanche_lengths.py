"""The avalanche on lengths that stay, drawn."""

from __future__ import annotations

import xarray as xr

from avax import plotting
from avax.analysis import intervals
from avax.analysis.runway import diverged
from paper_figures import avalanche_fixed as fixed
from paper_figures.avalanche import Runs, name_of, split
from paper_figures.avalanche_drawing import BASE, STYLES, WORDS, band_of, name_lines, plot_mean


def draw_fixed(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Errors of direct answers on fixed lengths by round; right answers by wrong steps."""
    runs = split(*datasets)
    figure = plotting.paper_figure(2.9)
    panels = figure.subplots(1, 2)
    draw_errors(panels[0], runs)
    draw_ways(panels[1], runs)
    name_lines(figure, panels)
    plotting.letter(panels)
    return figure


def draw_errors(axes, runs: Runs) -> None:
    """Share of wrong direct answers, mean over the lengths of the first rounds."""
    direct = runs.arms["direct"]
    lines = {
        "direct": (direct, STYLES["direct"]),
        "truth": (runs.arms["direct_oracle"], STYLES["direct_oracle"]),
    }
    for (arm, control), dataset in runs.controls.items():
        if arm == "direct":
            lines[WORDS[control]] = (dataset, plotting.role(WORDS[control]))
    for word, (dataset, style) in lines.items():
        lost = (dataset.diverged == 1).transpose("seed", "round").values
        style = style | {"label": word, "opacity": band_of(word)}
        plot_mean(axes, dataset["round"], fixed.errors(dataset), lost, **style)
    level = float(intervals.mean(fixed.errors(direct)[:, 0]).value)
    axes.axhline(level, label=BASE, **plotting.role(BASE))
    digits = fixed.fixed_lengths(direct)
    axes.set_ylim(0, 1.02)
    plotting.whole_ticks(axes)
    axes.set_xlabel("round")
    axes.set_ylabel("share of direct answers that is wrong")
    axes.set_title(f"On {digits[0]} to {digits[-1]} digits, whatever was posed")


def draw_ways(axes, runs: Runs) -> None:
    """Share of the accepted right answers that were found by a wrong step, by round: means alone,
    as most bases have none.
    """
    lines = {
        name_of(arm, runs.arms[arm], True): (runs.arms[arm], STYLES[arm]) for arm in fixed.BY_STEPS
    }
    if (frozen := runs.controls.get(("vote", "frozen_generator"))) is not None:
        word = WORDS["frozen_generator"]
        lines[word] = (frozen, plotting.role(word))
    for word, (dataset, style) in lines.items():
        mean = intervals.mean(fixed.wrong_ways(dataset), axis=0).value
        lost = diverged(dataset).any(0)
        plotting.plot_until(axes, dataset["round"].values[1:], mean, lost, label=word, **style)
    axes.set_ylim(bottom=0)
    plotting.whole_ticks(axes)
    axes.set_xlabel("round")
    axes.set_ylabel("share of right answers")
    axes.set_title("Found by a wrong step (frozen: vote)")
