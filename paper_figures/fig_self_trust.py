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
from avax.analysis import intervals, phase
from avax.analysis.runway import posed
from paper_figures import command
from paper_figures.self_trust import (
    EARLY,
    FAST,
    FIRST,
    FROZEN,
    GATES,
    JUDGES,
    PARTS,
    controls_of,
    loops,
    readings,
    self_trust,
)
from paper_figures.self_trust_claims import CLAIMS, QUESTION
from paper_figures.self_trust_words import name_of, summary

__all__ = ["CLAIMS", "JUDGES", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
SHIPPED = ("self_trust",)
READS = (
    *("accuracy", "accuracy_by_difficulty", "sampled_accuracy", "base_accuracy", "label_precision"),
    *("accept_rate", "verifier_fpr", "auroc", "trust_fpr", "same_wrong", "both_wrong", "diverged"),
)
STYLES = {
    "oracle": plotting.role("truth"),
    "none": plotting.role("no filter"),
    **{name: {"color": colour} for name, colour in plotting.arms(tuple(GATES)[2:]).items()},
}
ASKED = ("likelihood", "self_evaluation")  # gates that the untouched base is asked as
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
    draw_readings(panels[0, 0], named, "trust_fpr", "P(accept | wrong), rounds 2 and 3")
    panels[0, 0].set_title("Own mistakes are accepted by their author")
    draw_trust(panels[0, 1], named)
    draw_solved(panels[1, 0], named, {x: x for x in BESIDE}, "none")
    panels[1, 0].set_title("Loops by what gates them")
    draw_passed(panels[1, 1], named)
    pairs = [axes.get_legend_handles_labels() for axes in panels[1]]
    lines = {x: line for found in pairs for line, x in zip(*found, strict=True)}
    figure.legend(lines.values(), lines, loc="outside lower center", ncols=3)
    plotting.letter(panels.flat)
    return figure


def draw_solved(axes, named: dict[str, xr.Dataset], parts: dict[str, str], none: str) -> None:
    """Solved length by round of gates by part, and of the controls of no filter."""
    label = "solved length (digits)"
    draw_rounds(axes, named, phase.solved_length, label, parts)
    for (part, role), control in controls_of(named).items():
        if part == none:
            draw_control(axes, part, role, control, phase.solved_length(control))
    base = phase.solved_length(named[none].isel(round=0, drop=True))
    axes.axhline(base.mean("seed"), label="untouched base", **BASE)


def draw_passed(axes, named: dict[str, xr.Dataset]) -> None:
    """How often gates accept wrong answers in their loops, and where the untouched base judges its
    own on the same lengths.
    """
    controls = controls_of(named)
    for gate in ASKED:
        style = {**STYLES[gate], "label": GATES[gate]}
        draw_mean(axes, named[gate].verifier_fpr, named[gate].diverged, style, alpha=WEAK)
        if (frozen := controls.get((gate, FROZEN))) is not None:
            style |= {"linestyle": "-.", "label": f"untouched base, {GATES[gate]}"}
            draw_mean(axes, frozen.verifier_fpr, frozen.diverged, style, alpha=WEAK)
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("P(accept | wrong)")
    axes.set_title("What a gate passes in its loop")


def draw_rates(*datasets: xr.Dataset | None) -> plotting.Figure:
    """The same loops at a higher learning rate, and right answers at the frontier: a picture, as
    lengths grow.
    """
    named = loops(*datasets)
    figure = plotting.paper_figure(2.9)
    panels = figure.subplots(1, 2)
    draw_solved(panels[0], named, FAST, "fast_none")
    panels[0].set_title("Loops at a rate of 3e-3")
    right = "right, of a round's answers"
    draw_rounds(panels[1], named, lambda d: d.sampled_accuracy, right, {x: x for x in GATES})
    base = named["none"].isel(round=0, drop=True)
    lengths = xr.DataArray(posed(named["none"]), dims="round")
    on_these = base.accuracy_by_difficulty.sel(difficulty=lengths).mean("seed")
    panels[1].plot(named["none"]["round"][1:], on_these, **BASE)
    panels[1].set_title("Samples at the frontier, 1e-3")
    panels[1].set_ylim(-0.03, 1.03)
    pairs = [axes.get_legend_handles_labels() for axes in panels]
    lines = {x: line for found in pairs for line, x in zip(*found, strict=True)}
    figure.legend(lines.values(), lines, loc="outside lower center", ncols=5)
    plotting.letter(panels)
    return figure


def draw_control(
    axes, part: str, role: str, control: xr.Dataset, values: xr.DataArray, name: str = ""
) -> None:
    """A control by round, in the look of its role."""
    style = plotting.role(role) | {"label": name or name_of(part, role)}
    draw_mean(axes, values, control.diverged, style, alpha=WEAK)


def draw_seen(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Whether judges tell right from wrong, and whether they pass more than is right."""
    named = loops(*datasets)
    figure = plotting.paper_figure(2.6)
    panels = figure.subplots(1, 2)
    draw_readings(panels[0], named, "auroc", "AUROC, rounds 2 and 3")
    panels[0].axhline(0.5, **plotting.NO_EFFECT)
    panels[0].set_title("Can it tell right from wrong?")
    label = "accepted less right, of all answers"
    draw_rounds(panels[1], named, pass_less_truth, label, {x: x for x in GATES})
    of = ("likelihood", FROZEN)
    if (control := controls_of(named).get(of)) is not None:
        draw_control(panels[1], *of, control, pass_less_truth(control))
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


def draw_readings(axes, named: dict[str, xr.Dataset], name: str, label: str) -> None:
    """Four readings of each judge with intervals: by who is asked, and whose mistakes they are."""
    lost = np.array([(named[gate].diverged.sel(round=EARLY) == 1).any() for gate in JUDGES])
    pairs = [(r, a) for r in ("own", "other") for a in ("own", "other")]
    colours = {"own": "0.15", "other": "0.6"}
    for i, (reader, author) in enumerate(pairs):
        for x, gate in enumerate(JUDGES):
            cell = readings(named[gate], name).sel(reader=reader, author=author).values
            value, low, high, _ = intervals.mean(np.full(len(cell), np.nan) if lost[x] else cell)
            at, colour = x + 0.18 * (i - 1.5), colours[reader]
            axes.plot([at, at], np.clip([low, high], 0, 1), color=colour, linewidth=1.2)
            face = colour if author == "own" else "white"
            style = {"color": colour, "markerfacecolor": face, "ms": 4, "zorder": 3}
            named_once = f"{reader} / {author}" if x == 0 else None
            axes.plot(at, value, "o", label=named_once, **style)
        plotting.mark_lost(axes, np.arange(len(JUDGES)) + 0.18 * (i - 1.5), lost)
    titles = [GATES[gate].replace(" ", "\n").replace("-", "-\n") for gate in JUDGES]
    axes.set_xticks(range(len(JUDGES)), titles)
    axes.set_ylim(-0.03, 1.6)  # room for the legend
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_ylabel(label)
    axes.legend(title="who is asked / whose mistakes", title_fontsize=7, loc="upper left", ncols=2)


def draw_trust(axes, named: dict[str, xr.Dataset]) -> None:
    """Self-trust in FPR by round, in the loop that each judge gates."""
    for gate in JUDGES:
        dataset = named[gate].isel(round=slice(FIRST, None))
        values = self_trust(dataset.trust_fpr.sel(judge="own"))
        style = {**STYLES[gate], "label": GATES[gate]}
        draw_mean(axes, values, dataset.diverged, style, alpha=WEAK)
    axes.axhline(0, **plotting.NO_EFFECT)
    axes.set_ylim(-1.1, 1.6)
    axes.set_ylabel("self-trust, in P(accept | wrong)")
    axes.set_title("Self-trust in the judge's own loop")
    axes.legend(loc="upper left", ncols=2)


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
        draw_mean(axes, values, named[part].diverged, style, alpha=WEAK)
    axes.set_ylabel(label)


FIGURES = {"": draw, "seen": draw_seen, "rates": draw_rates}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
