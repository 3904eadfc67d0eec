"""Does a policy that judges itself trust its own mistakes, and what becomes of the loop?

python paper_figures/fig_self_trust.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Mapping

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import intervals, lengths, phase
from avax.plotting import Row
from paper_figures import command
from paper_figures.self_trust import (
    FAST,
    FROZEN,
    GATES,
    JUDGES,
    PARTS,
    PLACEBO,
    UNGATED,
    controls_of,
    loops,
    of_pairs,
    readings,
    self_trust,
)
from paper_figures.self_trust_claims import CLAIMS, QUESTION
from paper_figures.self_trust_words import name_of, summary

__all__ = ["CLAIMS", "JUDGES", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
SHIPPED = ("self_trust",)
READS = (
    *("accuracy", "accuracy_by_difficulty", "sampled_accuracy", "base_accuracy", "accept_rate"),
    *("num_accepted", "verifier_fpr", "verifier_fnr", "judge_fpr", "judge_fnr", "gap", "auroc"),
    *("trust_fpr", "matched_rate", "same_wrong", "diverged"),
)
STYLES = {
    "oracle": plotting.role("truth"),
    "none": plotting.role("no filter"),
    **{name: {"color": colour} for name, colour in plotting.arms(tuple(GATES)[2:]).items()},
}
BESIDE = ("oracle", "none", "likelihood", "self_evaluation")  # gates that controls are drawn beside
WEAK = plotting.BAND / 2  # of bands that lie over others
BASE = plotting.role("untouched base")


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """What judges accept of whose mistakes, and what the loops behind them come to, beside the
    controls that were run.
    """
    named = loops(*datasets)
    figure = plotting.paper_figure(5.3)
    panels = figure.subplots(2, 2)
    draw_readings(panels[0, 0], named, "trust_fpr", "P(accept | wrong)")
    panels[0, 0].set_title("The untouched base, asked about mistakes")
    draw_trust(panels[0, 1], named)
    draw_solved(panels[1, 0], named, {x: x for x in BESIDE}, "none")
    panels[1, 0].set_title("Loops by what gates them")
    draw_passed(panels[1, 1], named)
    pairs = [axes.get_legend_handles_labels() for axes in panels[1]]
    lines = {x: line for found in pairs for line, x in zip(*found, strict=True)}
    figure.legend(lines.values(), lines, loc="outside lower center", ncols=3)
    plotting.letter(panels.flat)
    return figure


def draw_readings(axes, named: dict[str, xr.Dataset], name: str, label: str) -> None:
    """Four readings of each judge with intervals: by who is asked, and whose mistakes they are."""
    pairs = [(r, a) for r in ("own", "other") for a in ("own", "other")]
    colours = {"own": "0.15", "other": "0.6"}
    for i, (reader, author) in enumerate(pairs):
        for x, judge in enumerate(JUDGES):
            cell = readings(named, name, judge).sel(reader=reader, author=author)
            value, low, high, _ = of_pairs(cell)
            at, colour = x + 0.18 * (i - 1.5), colours[reader]
            axes.plot([at, at], np.clip([low, high], 0, 1), color=colour, linewidth=1.2)
            face = colour if author == "own" else "white"
            style = {"color": colour, "markerfacecolor": face, "ms": 3.5, "zorder": 3}
            named_once = f"{reader} / {author}" if x == 0 else None
            axes.plot(at, value, "o", label=named_once, **style)
    axes.set_xticks(range(len(JUDGES)), [in_lines(title) for title in JUDGES.values()])
    axes.set_ylim(-0.03, 1.6)  # room for the legend
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_ylabel(label)
    axes.legend(title="who is asked / whose mistakes", title_fontsize=7, loc="upper left", ncols=2)


def in_lines(title: str) -> str:
    """A judge's name below an axis."""
    return title.replace(", ", "\n").replace(" ", "\n").replace("-", "-\n").replace("lihood", "l.")


def draw_trust(axes, named: dict[str, xr.Dataset]) -> None:
    """Self-trust by each judge, every pair of bases as a dot."""
    rows = []
    for judge, title in JUDGES.items():
        values = self_trust(readings(named, "trust_fpr", judge))
        rows.append(Row(title, of_pairs(values), "0.15", values.dropna("seed").values))
    plotting.forest(axes, rows)
    axes.set_xlabel("self-trust, in P(accept | wrong)")
    axes.set_title("What neither author nor reader explains")


def draw_solved(axes, named: dict[str, xr.Dataset], parts: Mapping[str, str], none: str) -> None:
    """Solved length by round of gates by part, and of the controls of no filter."""
    draw_rounds(axes, named, phase.solved_length, "solved length (digits)", parts)
    for (part, role), control in controls_of(named).items():
        if part == none:
            style = plotting.role(role) | {"label": name_of(part, role)}
            draw_mean(axes, phase.solved_length(control), control.diverged, style, WEAK)
    base = phase.solved_length(named[none].isel(round=0, drop=True))
    axes.axhline(base.mean("seed"), label="untouched base", **BASE)


def draw_passed(axes, named: dict[str, xr.Dataset]) -> None:
    """How often gates accept wrong answers in their loops, where the untouched base judges its own,
    and where nothing gates the loop.
    """
    controls, loose = controls_of(named), named["none"]
    for gate, judge in UNGATED.items():
        style = {**STYLES[gate], "label": GATES[gate]}
        draw_mean(axes, named[gate].verifier_fpr, named[gate].diverged, style, WEAK)
        ungated = loose.judge_fpr.sel(judge=judge, drop=True)
        asked = style | {"linestyle": ":", "label": f"{GATES[gate]}, ungated"}
        draw_mean(axes, ungated, loose.diverged, asked, WEAK)
        if (frozen := controls.get((gate, FROZEN))) is not None:
            style |= {"linestyle": "-.", "label": f"{GATES[gate]}, untouched base"}
            draw_mean(axes, frozen.verifier_fpr, frozen.diverged, style, WEAK)
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("P(accept | wrong)")
    axes.set_title("What judges pass in loops")


def draw_seen(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Whether judges tell right from wrong, and whether they pass more than is right."""
    named = loops(*datasets)
    figure = plotting.paper_figure(2.6)
    panels = figure.subplots(1, 2)
    draw_readings(panels[0], named, "auroc", "AUROC")
    panels[0].axhline(0.5, **plotting.NO_EFFECT)
    panels[0].set_title("Can it tell right from wrong?")
    label = "accepted less right, of all answers"
    draw_rounds(panels[1], named, pass_less_truth, label, {x: x for x in GATES})
    panels[1].axhline(0, **plotting.NO_EFFECT)
    panels[1].set_ylim(-0.6, 1.9)  # room for the legend
    panels[1].set_yticks(np.linspace(-0.5, 1, 4))
    panels[1].set_title("Does it pass more than is right?")
    panels[1].legend(loc="upper left", ncols=2)
    plotting.letter(panels)
    return figure


def pass_less_truth(dataset: xr.Dataset) -> xr.DataArray:
    """By how much the share of accepted completions is above that of right ones."""
    return dataset.accept_rate - dataset.sampled_accuracy


def draw_rates(*datasets: xr.Dataset | None) -> plotting.Figure:
    """The same loops at a higher learning rate, and digits gained by gate and by placebo."""
    named = loops(*datasets)
    figure = plotting.paper_figure(2.9)
    panels = figure.subplots(1, 2)
    draw_solved(panels[0], named, FAST, "fast_none")
    panels[0].set_title("Loops at a rate of 3e-3")
    panels[0].legend(loc="lower left")
    gained = {GATES[x]: (named[x], STYLES[x]["color"]) for x in GATES}
    for (gate, role), control in controls_of(named).items():
        if role == PLACEBO:
            gained[name_of(gate, role)] = control, plotting.role(role)["color"]
    each = {name: (lengths.final_gain(x).values, colour) for name, (x, colour) in gained.items()}
    rows = [Row(name, intervals.mean(x), colour, x) for name, (x, colour) in each.items()]
    plotting.forest(panels[1], rows)
    panels[1].set_xlabel("digits gained on the untouched base")
    panels[1].set_title("At the end, 1e-3")
    plotting.letter(panels)
    return figure


def draw_mean(axes, values: xr.DataArray, diverged, style: dict, alpha: float) -> None:
    """A mean over bases by round, and its t interval as a band."""
    values = values.transpose("round", "seed")
    lost = (diverged == 1).any("seed").values
    band = np.array([intervals.mean(row)[:3] for row in values.values]).T
    plotting.plot_band(axes, values["round"], band, lost, alpha=alpha, **style)
    axes.set_xlabel("round")
    plotting.whole_ticks(axes)


def draw_rounds(
    axes, named: dict[str, xr.Dataset], measure, label: str, parts: Mapping[str, str]
) -> None:
    """A measure by round for every gate, in one of its parts: mean over bases with its interval."""
    for gate, part in parts.items():
        values, style = measure(named[part]), {**STYLES[gate], "label": GATES[gate]}
        draw_mean(axes, values, named[part].diverged, style, WEAK)
    axes.set_ylabel(label)


FIGURES = {"": draw, "seen": draw_seen, "rates": draw_rates}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
