"""Does a policy that judges itself trust its own mistakes, and what becomes of the loop?

python paper_figures/fig_self_trust.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import intervals, lengths, phase
from avax.analysis.runway import posed
from paper_figures import command
from paper_figures.self_trust_claims import (
    CLAIMS,
    EARLY,
    FIRST,
    GATES,
    JUDGES,
    PARTS,
    QUESTION,
    controls_of,
    early,
    loops,
    self_trust,
)

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
BESIDE = ("oracle", "none", "likelihood", "self_evaluation")  # gates that controls are drawn beside
WEAK = plotting.BAND / 2  # of bands that lie over others
BASE = plotting.role("untouched base")


def summary(*datasets: xr.Dataset | None) -> str:
    """What judges see of own and others' mistakes, and what the loops behind them come to."""
    named = loops(*datasets)
    lines = ["rounds 2 and 3: asked / whose mistakes: own/own, own/other, other/own, other/other"]
    for judge in JUDGES:
        for name in ("auroc", "trust_fpr"):
            values = early(named[judge], name)
            cells = [
                shown(values.sel(reader=r, author=a)) for r in values.reader for a in values.author
            ]
            trust = shown(self_trust(values))
            lines.append(f"{judge:15} {name:9} {', '.join(cells)}; self-trust {trust}")
    shared = [float(named[gate].same_wrong.mean("seed").max()) for gate in GATES]
    lines.append(f"P(both policies give the same wrong answer), largest of all: {max(shared):.4f}")
    lines += [loop_line(title, named[gate]) for gate, title in GATES.items()]
    lines += control_lines(named)
    lines.append("generation-verification gap / errors there are, rounds 1 to 4")
    for gate in tuple(GATES)[2:]:
        data = named[gate].isel(round=slice(FIRST, FIRST + 4))
        each = (data.label_precision - data.sampled_accuracy, 1 - data.sampled_accuracy)
        cells = [[shown(x.isel(round=r)) for x in each] for r in range(data.sizes["round"])]
        lines.append(f"{GATES[gate]:15} {', '.join(' / '.join(cell) for cell in cells)}")
    return "\n".join(lines)


def loop_line(title: str, data: xr.Dataset) -> str:
    """What a loop comes to, and what its gate lets through."""
    first, last = data.sel(round=FIRST), data.isel(round=-1)
    pairs = {"accepted": "accept_rate", "right": "sampled_accuracy", "FPR": "verifier_fpr"}
    cells = [f"{n} {shown(first[x])} -> {shown(last[x])}" for n, x in pairs.items()]
    return f"{title:15} gains {shown(lengths.final_gain(data))} digits; {', '.join(cells)}"


def control_lines(named: dict[str, xr.Dataset]) -> Iterator[str]:
    """What controls come to, and how much more their loops gain; a sham is that of every gate."""
    for (gate, role), control in controls_of(named).items():
        yield loop_line(name_of(gate, role), control)
        for compared in (gate, *JUDGES) if role == "sham" else (gate,):
            gains = (lengths.final_gain(x) for x in (named[compared], control))
            found = "{:.2f} ({:.2f}, {:.2f})".format(*intervals.paired(*gains)[:3])
            yield f"  {GATES[compared]}, less {role}: {found} digits gained"


def name_of(gate: str, role: str) -> str:
    """A control in words."""
    return role if role == "sham" else f"{role}, {GATES[gate]}"


def shown(values: xr.DataArray) -> str:
    value, low, high, _ = intervals.mean(values.values)
    return f"{value:.2f} ({low:.2f}, {high:.2f})"


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """What judges accept of whose mistakes, and what the loops behind them come to, beside the
    controls that were run.
    """
    named = loops(*datasets)
    controls = controls_of(named)
    gates = BESIDE if controls else tuple(GATES)
    figure = plotting.paper_figure(5.3 if controls else 4.8)
    panels = figure.subplots(2, 2)
    draw_readings(panels[0, 0], named, "trust_fpr", "P(accept | wrong), rounds 2 and 3")
    panels[0, 0].set_title("Own mistakes are accepted by their author")
    draw_trust(panels[0, 1], named)
    draw_rounds(panels[1, 0], named, phase.solved_length, "solved length (digits)", gates)
    for of, control in controls.items():
        draw_control(panels[1, 0], of, control, phase.solved_length(control))
    base = named["none"].isel(round=0, drop=True)
    panels[1, 0].axhline(phase.solved_length(base).mean("seed"), **BASE)
    panels[1, 0].set_title("Loops by what gates them")
    right = "right, of a round's answers"
    draw_rounds(panels[1, 1], named, lambda d: d.sampled_accuracy, right, gates)
    if (sham := controls.get(("none", "sham"))) is not None:  # a frozen generator is the base
        draw_control(panels[1, 1], ("none", "sham"), sham, sham.sampled_accuracy)
    lengths = xr.DataArray(posed(named["none"]), dims="round")
    on_these = base.accuracy_by_difficulty.sel(difficulty=lengths).mean("seed")
    panels[1, 1].plot(named["none"]["round"][1:], on_these, label="untouched base", **BASE)
    panels[1, 1].set_title("What is right at the frontier")
    panels[1, 1].set_ylim(-0.03, 1.03)
    if controls:
        pairs = [axes.get_legend_handles_labels() for axes in panels[1]]
        lines = {x: line for found in pairs for line, x in zip(*found, strict=True)}
        figure.legend(lines.values(), lines, loc="outside lower center", ncols=3)
    else:
        panels[1, 1].legend(loc="upper right")
    plotting.letter(panels.flat)
    return figure


def draw_control(axes, of: tuple, control: xr.Dataset, values: xr.DataArray, name="") -> None:
    """A control by round, in the look of its role."""
    gate, role = of
    style = plotting.role(role) | {"label": name or name_of(gate, role)}
    if gate == "likelihood":  # of no filter another one is drawn as well
        style |= {"marker": "o", "markersize": 2.5}
    draw_mean(axes, values, control.diverged, style, alpha=WEAK)


def draw_seen(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Whether judges tell right from wrong, and whether they pass more than is right."""
    named = loops(*datasets)
    figure = plotting.paper_figure(2.6)
    panels = figure.subplots(1, 2)
    draw_readings(panels[0], named, "auroc", "AUROC, rounds 2 and 3")
    panels[0].axhline(0.5, **plotting.NO_EFFECT)
    panels[0].set_title("Can it tell right from wrong?")
    draw_rounds(panels[1], named, pass_less_truth, "accepted less right, of all answers")
    of = ("likelihood", "frozen generator")
    if (control := controls_of(named).get(of)) is not None:
        draw_control(panels[1], of, control, pass_less_truth(control), "frozen generator")
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
    readings = [(r, a) for r in ("own", "other") for a in ("own", "other")]
    colours = {"own": "0.15", "other": "0.6"}
    for i, (reader, author) in enumerate(readings):
        for x, gate in enumerate(JUDGES):
            cell = early(named[gate], name).sel(reader=reader, author=author).values
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
    axes, named: dict[str, xr.Dataset], measure, label: str, gates: Sequence[str] = tuple(GATES)
) -> None:
    """A measure by round for every gate: mean over bases with its interval."""
    for gate in gates:
        values, style = measure(named[gate]), {**STYLES[gate], "label": GATES[gate]}
        draw_mean(axes, values, named[gate].diverged, style, alpha=WEAK)
    axes.set_ylabel(label)


FIGURES = {"": draw, "seen": draw_seen}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
