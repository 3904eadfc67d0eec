"""How much better than its policy is a verifier, by model size and by round?

python paper_figures/fig_gap.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import phase, seeds
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
KNOWN, BEYOND = 0, 1  # its starts, in their order
FIRST = 1  # the round in which the policy is still the base


def judges(dataset: xr.Dataset) -> dict[str, tuple[str, str]]:
    """Title and colour of every judge that was asked beside a loop's own verifier."""
    return {name: JUDGES[name] for name in dataset.judge.values if name in JUDGES}


def of(dataset: xr.Dataset, start: int, step: int = FIXED) -> xr.Dataset:
    """Loops that begin with lengths known or beyond, on fixed prompts or moving on; until they
    diverged.
    """
    return phase.until_diverged(dataset.isel(start=start).sel(step=step))


def summary(*datasets: xr.Dataset) -> str:
    """Gaps of the base by size, how they change over the rounds, and pass@k."""
    named = dict(zip(PARTS, datasets, strict=True))
    digits = named["learned"].start.values
    lines = []
    for start in (KNOWN, BEYOND):
        bases = [of(named[f"oracle_{w}"], start).sel(round=FIRST) for w in WIDTHS]
        right = ", ".join(shown(b.sampled_accuracy) for b in bases)
        lines.append(f"{digits[start]} digits, the base, by width: right {right}")
        for judge in judges(bases[0]):
            both = (
                f"{shown(b.gap.sel(judge=judge))} / {shown(b.relative_gap.sel(judge=judge))}"
                for b in bases
            )
            lines.append(f"  gap / relative gap of {judge:13} " + ", ".join(both))
    for part in ("oracle_32", "majority_16", "majority_32", "majority_64", "learned"):
        for start in (KNOWN, BEYOND):
            for step, words in ((FIXED, "fixed"), (MOVING, "frontier")):
                run = of(named[part], start, step)
                own, right = run.gap.sel(judge="own"), run.sampled_accuracy
                change = (
                    f"{shown(x.sel(round=FIRST))} -> {shown(x.isel(round=-1))}"
                    for x in (own, right)
                )
                lines.append(
                    f"{part}, from {digits[start]} digits, {words}: own gap, right: "
                    + "; ".join(change)
                )
    for gate in GATES:
        passed = of(named[f"{gate}_32"], BEYOND).pass_at
        change = passed.isel(round=-1) - passed.sel(round=FIRST)
        cells = [f"{k}: {shown(change.sel(k=k))}" for k in change.k.values]
        lines.append(f"pass@k behind {gate}, beyond, fixed, last less first: " + ", ".join(cells))
    return "\n".join(lines)


def draw(*datasets: xr.Dataset) -> plotting.Figure:
    """Top: gaps of the bases by size, and of a loop's own verifier. Bottom: by round, pass@k."""
    named = dict(zip(PARTS, datasets, strict=True))
    digits = named["learned"].start.values
    figure = plotting.new_figure(12, 7)
    top, bottom = figure.subplots(2, 3)
    for axes, start, words in ((top[0], KNOWN, "as trained on"), (top[1], BEYOND, "beyond")):
        draw_sizes(axes, named, start)
        axes.set_title(f"The base, {digits[start]} digits ({words})")
    top[1].sharey(top[0])
    top[1].legend(loc="upper left", fontsize=7, title="mean, 95 % over seeds")
    draw_gates(top[2], named)
    for axes, step, words in ((bottom[0], FIXED, "fixed prompts"), (bottom[1], MOVING, "frontier")):
        draw_rounds(axes, of(named["majority_32"], BEYOND, step))
        axes.set_title(f"Gated by the vote, {words} (width 32)")
    draw_pass(bottom[2], named)
    return figure


def line(axes, x, values: xr.DataArray, run: xr.Dataset, **style) -> None:
    """Mean over seeds with its interval as a band, until a seed's run diverged."""
    lost = (run.diverged == 1).any("seed")
    plotting.plot_band(axes, x, seeds.interval(values), lost, alpha=0.12, **style)


def draw_sizes(axes, named: dict[str, xr.Dataset], start: int) -> None:
    """The relative gap of the base by width, for every judge."""
    bases = [of(named[f"oracle_{width}"], start).sel(round=FIRST) for width in WIDTHS]
    lost = np.array([(base.diverged == 1).any() for base in bases])
    values = xr.concat([base.relative_gap for base in bases], dim="width")
    values = values.transpose("width", "seed", "judge").where(~lost[:, None, None])
    for i, (judge, (title, colour)) in enumerate(judges(named["learned"]).items()):
        mean, low, high = seeds.interval(values.sel(judge=judge))
        at = np.arange(len(WIDTHS)) + 0.05 * (i - 2.5)
        axes.errorbar(
            at, mean, (mean - low, high - mean), color=colour, marker="o", markersize=4,
            capsize=2, label=title,
        )  # fmt: skip
        plotting.mark_lost(axes, at, lost)
    axes.axhline(0, color="k", linewidth=0.8)
    axes.set_xticks(range(len(WIDTHS)), WIDTHS)
    axes.set_xlabel("width of the policy")
    axes.set_ylabel("share of the errors that the judge removes")


def draw_rounds(axes, dataset: xr.Dataset) -> None:
    """Gaps of all judges by round, and the accuracy they add to."""
    dataset = dataset.isel(round=slice(FIRST, None))
    for judge, (title, colour) in judges(dataset).items():
        gap = dataset.gap.sel(judge=judge)
        line(axes, dataset["round"], gap, dataset, color=colour, label=title)
    right, style = dataset.sampled_accuracy, {"color": "k", "linestyle": ":"}
    line(axes, dataset["round"], right, dataset, label="accuracy of the policy's samples", **style)
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
            run = of(named[part], BEYOND, step).isel(round=slice(FIRST, None))
            gap, label = run.gap.sel(judge="own"), f"{title}, {where}"
            line(axes, gap["round"], gap, run, color=colour, linestyle=style, label=label)
    axes.axhline(0, color="k", linewidth=0.8)
    axes.set_xlabel("round")
    axes.set_ylabel("gap of the loop's own verifier")
    axes.set_title("What is left to gain, beyond (width 32)")
    axes.legend(fontsize=7)


def draw_pass(axes, named: dict[str, xr.Dataset]) -> None:
    """Pass@k before and after, on fixed prompts beyond what the base knows."""
    truth, vote = (of(named[f"{gate}_32"], BEYOND) for gate in GATES)
    rows = {
        "the base": (truth.sel(round=FIRST), "0.5", ":"),
        "behind the truth": (truth.isel(round=-1), "k", "-"),
        "behind the vote": (vote.isel(round=-1), "tab:blue", "-"),
    }
    for title, (run, colour, style) in rows.items():
        line(axes, run.k, run.pass_at, run, color=colour, linestyle=style, label=title)
    axes.set_xscale("log", base=2)
    axes.set_xticks(truth.k.values, truth.k.values)
    axes.set_xlabel("k")
    axes.set_ylabel("pass@k")
    axes.set_title("Fixed prompts beyond: what is found (width 32)")
    axes.legend()


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
