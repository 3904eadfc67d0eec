"""How much better than its policy is a verifier, by model size and by round?

python paper_figures/fig_gap.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import seeds
from avax.analysis.seeds import shown
from paper_figures import command

SHIPPED = ("gap",)
WIDTHS, GATES = (16, 32, 64), ("oracle", "majority")
PARTS = (*(f"{gate}_{width}" for gate in GATES for width in WIDTHS), "learned")
JUDGES = {
    "MajorityVote": ("majority of 8", "tab:blue"),
    "Likelihood": ("likelihood", "tab:red"),
    "Comparison": ("comparison", "tab:orange"),
    "CommitFirst": ("commit first", "tab:cyan"),
    "CrossModel": ("another policy", "tab:green"),
    "Commutative": ("b + a", "tab:purple"),
}
FIXED, MOVING = 0, 1  # steps of the curriculum
FIRST = 1  # the round in which the policy is still the base


def summary(*datasets: xr.Dataset) -> str:
    """Gaps of the base by size, how they change over the rounds, and pass@k."""
    named = dict(zip(PARTS, datasets, strict=True))
    lines = []
    for name in ("gap", "relative_gap"):
        lines.append(f"{name} of the base, one digit beyond what it knows, by width")
        for judge in JUDGES:
            cells = [shown(start(named[f"oracle_{w}"])[name].sel(judge=judge)) for w in WIDTHS]
            lines.append(f"  {judge:13} " + ", ".join(cells))
    for step, words in ((FIXED, "fixed prompts"), (MOVING, "frontier")):
        lines.append(f"{words}: the gap of the vote in the loop that it gates, first -> last round")
        for width in WIDTHS:
            own = named[f"majority_{width}"].sel(step=step, judge="own")
            gap, accuracy = (f"{shown(x.sel(round=FIRST))} -> {shown(x.isel(round=-1))}"
                             for x in (own.gap, own.sampled_accuracy))  # fmt: skip
            lines.append(f"  width {width}: {gap}; right {accuracy}")
    learned = named["learned"]
    for step, words in ((FIXED, "fixed prompts"), (MOVING, "frontier")):
        own = learned.sel(step=step, judge="own").gap
        rounds = [shown(own.sel(round=r)) for r in (FIRST, FIRST + 1, int(own["round"][-1]))]
        lines.append(f"learned verifier, {words}: gap in round 1, 2, last: {', '.join(rounds)}")
    for gate in GATES:
        change = last(named[f"{gate}_32"]).pass_at - start(named[f"{gate}_32"]).pass_at
        cells = [f"{k}: {shown(change.sel(k=k))}" for k in change.k.values]
        lines.append(
            f"pass@k behind {gate}, fixed prompts, width 32, last less first: " + ", ".join(cells)
        )
    return "\n".join(lines)


def start(dataset: xr.Dataset, step: int = FIXED) -> xr.Dataset:
    """The base, before it is trained in the loop."""
    return dataset.sel(step=step, round=FIRST)


def last(dataset: xr.Dataset, step: int = FIXED) -> xr.Dataset:
    """The policy that the last round starts with."""
    return dataset.sel(step=step).isel(round=-1)


def draw(*datasets: xr.Dataset) -> Figure:
    """Top: gaps by size, over the rounds on fixed prompts. Bottom: on a frontier, pass@k."""
    named = dict(zip(PARTS, datasets, strict=True))
    figure = plotting.new_figure(12, 7)
    top, bottom = figure.subplots(2, 3)
    for axes, name, words in zip(
        top[:2], ("gap", "relative_gap"), ("gap", "relative gap"), strict=True
    ):
        draw_sizes(axes, named, name, words)
    top[0].legend(loc="best")
    draw_rounds(top[2], named["majority_32"].sel(step=FIXED))
    top[2].set_title("Fixed prompts, gated by the vote (width 32)")
    draw_rounds(bottom[0], named["majority_32"].sel(step=MOVING))
    bottom[0].set_title("Frontier, gated by the vote (width 32)")
    draw_gates(bottom[1], named)
    draw_pass(bottom[2], named)
    return figure


def line(axes, x, values: xr.DataArray, **style) -> None:
    """Mean over seeds with its interval as a band."""
    mean, low, high = seeds.interval(values)
    axes.plot(x, mean, **style)
    axes.fill_between(x, low, high, color=style["color"], alpha=0.12, linewidth=0)


def draw_sizes(axes, named: dict[str, xr.Dataset], name: str, words: str) -> None:
    """A gap of the base by width, for every judge."""
    base = [start(named[f"oracle_{width}"])[name] for width in WIDTHS]
    values = xr.concat(base, dim="width").transpose("width", "seed", "judge")
    for i, (judge, (title, colour)) in enumerate(JUDGES.items()):
        mean, low, high = seeds.interval(values.sel(judge=judge))
        at = np.arange(len(WIDTHS)) + 0.05 * (i - 2.5)
        axes.errorbar(
            at, mean, (mean - low, high - mean), color=colour, marker="o", markersize=4,
            capsize=2, label=title,
        )  # fmt: skip
    axes.axhline(0, color="k", linewidth=0.8)
    axes.set_xticks(range(len(WIDTHS)), WIDTHS)
    axes.set_xlabel("width of the policy")
    axes.set_ylabel(words)
    axes.set_title(f"The base: {words} by size")


def draw_rounds(axes, dataset: xr.Dataset) -> None:
    """Gaps of all judges by round, and the accuracy they add to."""
    rounds = dataset["round"].values[FIRST:]
    for judge, (title, colour) in JUDGES.items():
        gap = dataset.gap.sel(judge=judge).isel(round=slice(FIRST, None))
        line(axes, rounds, gap, color=colour, label=title)
    right = dataset.sampled_accuracy.isel(round=slice(FIRST, None))
    line(axes, rounds, right, color="k", linestyle=":", label="accuracy without a filter")
    axes.axhline(0, color="k", linewidth=0.8)
    axes.set_xlabel("round")
    axes.set_ylabel("gap, and accuracy")
    axes.legend(fontsize=7)


def draw_gates(axes, named: dict[str, xr.Dataset]) -> None:
    """The gap of a loop's own verifier by round, on fixed prompts and on a frontier."""
    gates = {"oracle_32": ("the truth", "k"), "majority_32": ("majority of 8", "tab:blue"),
             "learned": ("learned from labels", "tab:olive")}  # fmt: skip
    for part, (title, colour) in gates.items():
        for step, style, where in ((FIXED, "-", "fixed"), (MOVING, "--", "frontier")):
            gap = named[part].gap.sel(step=step, judge="own").isel(round=slice(FIRST, None))
            label = f"{title}, {where}"
            line(axes, gap["round"], gap, color=colour, linestyle=style, label=label)
    axes.axhline(0, color="k", linewidth=0.8)
    axes.set_xlabel("round")
    axes.set_ylabel("gap of the loop's own verifier")
    axes.set_title("What is left to gain (width 32)")
    axes.legend(fontsize=7)


def draw_pass(axes, named: dict[str, xr.Dataset]) -> None:
    """Pass@k before and after, on fixed prompts."""
    base = start(named["oracle_32"]).pass_at
    rows = {"the base": (base, "0.5", ":")}
    rows["behind the truth"] = last(named["oracle_32"]).pass_at, "k", "-"
    rows["behind the vote"] = last(named["majority_32"]).pass_at, "tab:blue", "-"
    for title, (values, colour, style) in rows.items():
        line(axes, values.k, values, color=colour, linestyle=style, label=title)
    axes.set_xscale("log", base=2)
    axes.set_xticks(base.k.values, base.k.values)
    axes.set_xlabel("k")
    axes.set_ylabel("pass@k")
    axes.set_title("Fixed prompts: what is still found (width 32)")
    axes.legend()


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
