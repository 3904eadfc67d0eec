"""Does a policy that judges itself trust its own mistakes, and what becomes of the loop?

python paper_figures/fig_self_trust.py [RESULTS] [--out STEM]
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

SHIPPED = ("self_trust",)
GATES = {
    "oracle": ("the truth", "k"),
    "none": ("no filter", "0.6"),
    "cross_model": ("another policy", "tab:green"),
    "likelihood": ("likelihood", "tab:red"),
    "comparison": ("comparison", "tab:orange"),
    "commit_first": ("commit first", "tab:blue"),
    "self_evaluation": ("self-evaluation", "tab:purple"),
}
PARTS = tuple(GATES)
JUDGES = tuple(GATES)[3:]  # those that ask a policy
FIRST = 1  # the round in which the policy is still the base
EARLY = slice(2, 3)  # rounds in which both policies err, and the loops have not ended yet


def self_trust(values: xr.DataArray) -> xr.DataArray:
    """Own reader less other reader, of own mistakes less of the other's.

    What all mistakes of one author have in common cancels, and so does what one reader says of all.
    """
    by_author = values.sel(author="own") - values.sel(author="other")
    return by_author.sel(reader="own") - by_author.sel(reader="other")


def loops(*datasets: xr.Dataset) -> dict[str, xr.Dataset]:
    """The loops by what gates them, until they diverged."""
    return dict(zip(PARTS, map(phase.until_diverged, datasets), strict=True))


def early(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Readings of a loop's own gate in early rounds, by seed, reader and author."""
    values = dataset[name].sel(judge="own", round=EARLY).transpose("round", ...)
    return values.isel(round=0, drop=True).copy(data=seeds.mean(values.values))


def summary(*datasets: xr.Dataset) -> str:
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
    for gate, (title, _) in GATES.items():
        data = named[gate]
        solved = phase.solved_length(data)
        gained = shown(solved.isel(round=-1) - solved.isel(round=0))
        first, last = data.sel(round=FIRST), data.isel(round=-1)
        lines.append(
            f"{title:15} gains {gained} digits; accepted {shown(first.accept_rate)} -> "
            f"{shown(last.accept_rate)}, right {shown(first.sampled_accuracy)} -> "
            f"{shown(last.sampled_accuracy)}, FPR {shown(first.verifier_fpr)} -> "
            f"{shown(last.verifier_fpr)}"
        )
    lines.append("generation-verification gap / errors there are, rounds 1 to 4")
    for gate in PARTS[2:]:
        data = named[gate].isel(round=slice(FIRST, FIRST + 4))
        each = (data.label_precision - data.sampled_accuracy, 1 - data.sampled_accuracy)
        cells = [[shown(x.isel(round=r)) for x in each] for r in range(data.sizes["round"])]
        lines.append(f"{GATES[gate][0]:15} {', '.join(' / '.join(cell) for cell in cells)}")
    return "\n".join(lines)


def draw(*datasets: xr.Dataset) -> plotting.Figure:
    """Top: what judges see. Bottom: what the loops behind them come to."""
    named = loops(*datasets)
    figure = plotting.new_figure(12, 7)
    top, bottom = figure.subplots(2, 3)
    draw_readings(top[0], named, "auroc", "AUROC: right above wrong")
    top[0].axhline(0.5, color="k", linestyle=":", linewidth=0.8)
    top[0].set_title("Rounds 2, 3: can it tell right from wrong?")
    draw_readings(top[1], named, "trust_fpr", "P(accept | wrong)")
    top[1].set_title("Rounds 2, 3: which mistakes does it accept?")
    top[1].legend(title="who is asked / whose mistakes", loc="upper right")
    draw_trust(top[2], named)
    draw_rounds(bottom[0], named, lambda d: phase.solved_length(d), "solved length (digits)")
    bottom[0].set_title("Loops by what gates them")
    draw_rounds(bottom[1], named, pass_less_truth, "accepted less right, of a round's answers")
    bottom[1].axhline(0, color="k", linewidth=0.8)
    bottom[1].set_title("Do they pass more than is right?")
    draw_rounds(bottom[2], named, lambda d: d.sampled_accuracy, "right, of a round's answers")
    bottom[2].set_title("What is right at the frontier")
    bottom[0].legend()
    return figure


def pass_less_truth(dataset: xr.Dataset) -> xr.DataArray:
    """By how much the share of accepted completions is above that of right ones."""
    return dataset.accept_rate - dataset.sampled_accuracy


def draw_readings(axes, named: dict[str, xr.Dataset], name: str, label: str) -> None:
    """Four readings of each judge with intervals: by who is asked, and whose mistakes they are."""
    each = [early(named[gate], name) for gate in JUDGES]
    lost = np.array([(named[gate].diverged.sel(round=EARLY) == 1).any() for gate in JUDGES])
    values = xr.concat(each, dim="gate").transpose("gate", ...).where(~lost[:, None, None, None])
    readings = [(r, a) for r in ("own", "other") for a in ("own", "other")]
    for i, (reader, author) in enumerate(readings):
        cell = values.sel(reader=reader, author=author)
        mean, low, high = seeds.interval(cell)
        at = np.arange(len(JUDGES)) + 0.17 * (i - 1.5)
        colour = "tab:blue" if reader == "own" else "tab:orange"
        face = colour if author == "own" else "white"
        axes.errorbar(
            at, mean, (mean - low, high - mean), fmt="o", color=colour, markerfacecolor=face,
            capsize=2, label=f"{reader} / {author}",
        )  # fmt: skip
        plotting.mark_lost(axes, at, lost)
    titles = [GATES[gate][0].replace(" ", "\n").replace("-", "-\n") for gate in JUDGES]
    axes.set_xticks(range(len(JUDGES)), titles)
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel(label)


def draw_trust(axes, named: dict[str, xr.Dataset]) -> None:
    """Self-trust in FPR by round, in the loop that each judge gates."""
    for gate in JUDGES:
        title, colour = GATES[gate]
        dataset = named[gate].isel(round=slice(FIRST, None))
        trust = seeds.interval(self_trust(dataset.trust_fpr.sel(judge="own")))
        rounds, lost = dataset["round"], (dataset.diverged == 1).any("seed")
        plotting.plot_band(axes, rounds, trust, lost, alpha=0.15, color=colour, label=title)
    axes.axhline(0, color="k", linewidth=0.8)
    axes.set_xlabel("round")
    axes.set_ylabel("self-trust, in P(accept | wrong)")
    axes.set_title("Self-trust in the judge's own loop (95 %)")
    axes.legend()


def draw_rounds(axes, named: dict[str, xr.Dataset], measure, label: str) -> None:
    """A measure by round for every gate: mean over seeds, thin lines are seeds."""
    for gate, (title, colour) in GATES.items():
        values = measure(named[gate]).transpose("seed", "round")
        lost = (named[gate].diverged == 1).transpose("seed", "round")
        rounds, mean = values["round"], seeds.mean(values.values)
        plotting.plot_until(axes, rounds, mean, lost.any("seed"), color=colour, label=title)
        thin = {"color": colour, "linewidth": 0.4, "alpha": 0.4}
        plotting.plot_until(axes, rounds, values.T, lost.T, **thin)
    axes.set_xlabel("round")
    axes.set_ylabel(label)


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
