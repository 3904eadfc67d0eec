"""How far does clean verification carry: from 10 digits to 100?

python paper_figures/fig_length_generalization.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import phase
from paper_figures import command

SHIPPED = ("length_generalization",)
ARMS = {
    "oracle": "truth",
    "none": "no filter",
    "length": "length filter",
    "vote": "vote of 5 that train",
    "plain": "truth, plain order",
    "multiplication": "truth, products",
}
PARTS = ("oracle", "accelerated", *(name for name in ARMS if name != "oracle"))


def trained_length(dataset: xr.Dataset) -> xr.DataArray:
    """Longest length posed up to each round of a frontier; the base's own before the first."""
    config = dataset.attrs["config"]["base"]
    start, step = config["curriculum"]["start"], config["curriculum"]["step"]
    rounds = dataset["round"]
    posed = start + step * (rounds - 1)
    return posed.where(rounds > 0, config["base_difficulty"])


def all_solved(dataset: xr.Dataset) -> xr.DataArray:
    """First round after which every length is solved (accuracy 0.99 in the mean), NaN if none."""
    rounds = dataset["round"]
    return rounds.where(dataset.accuracy >= 0.99).min("round")


def summary(*datasets: xr.Dataset) -> str:
    """How far every arm came, and whether the truth's frontier speeds up."""
    named = dict(zip(PARTS, datasets, strict=True))
    lines = ["solved length in digits, mean (lowest, highest seed)"]
    for name, title in ARMS.items():
        lines.append(arm_line(title, named[name]))
    ahead = lead(named["oracle"])
    trained = trained_length(named["oracle"])
    for n in (20, 40, 60, 80):
        at = ahead.sel(round=trained["round"].where(trained == n, drop=True).values)
        if at.size:
            lines.append(f"truth: trained to {n} digits it solves {shown(at.isel(round=0))} more")
    fast = named["accelerated"]
    for reach in fast.reach.values:
        run = fast.sel(reach=reach)
        done = all_solved(run)
        solved = phase.solved_length(run)
        ends = ", ".join("-" if np.isnan(x) else f"{x:.0f}" for x in done.values)
        lines.append(
            f"reach {reach}: {shown(solved.isel(round=-1))} of {run.sizes['difficulty']} digits "
            f"after {run.sizes['round'] - 1} rounds; all solved after rounds {ends}"
        )
    return "\n".join(lines)


def arm_line(title: str, dataset: xr.Dataset) -> str:
    """Solved length of an arm before and after, and how right its last round's data are."""
    solved = phase.solved_length(dataset)
    last = dataset.sampled_accuracy.isel(round=-1)
    return (
        f"{title:22} {shown(solved.isel(round=0))} -> {shown(solved.isel(round=-1))} "
        f"of {dataset.sizes['difficulty']}, right at the last frontier {shown(last)}"
    )


def shown(values: xr.DataArray) -> str:
    """Mean and range over seeds."""
    return f"{values.mean():.2f} ({values.min():.2f}, {values.max():.2f})"


def lead(dataset: xr.Dataset) -> xr.DataArray:
    """Digits solved beyond the longest length that was trained on, by seed and round."""
    return phase.solved_length(dataset) - trained_length(dataset)


def draw(*datasets: xr.Dataset) -> Figure:
    """Maps of accuracy by round and length for every arm, and how fast the solved length grows."""
    named = dict(zip(PARTS, datasets, strict=True))
    figure = plotting.new_figure(12, 6.6)
    grid = figure.subplots(2, 4)
    places = [grid[0, 0], grid[0, 1], grid[0, 2], grid[0, 3], grid[1, 0], grid[1, 1]]
    for axes, (name, title) in zip(places, ARMS.items(), strict=True):
        image = draw_map(axes, named[name], title)
    figure.colorbar(image, ax=grid[0, 3], label="share of right answers", pad=0.02)
    draw_growth(grid[1, 2], named)
    draw_lead(grid[1, 3], named["oracle"])
    return figure


def draw_map(axes, dataset: xr.Dataset, title: str):
    """Accuracy by round and length, mean over seeds; the line is what is posed."""
    mean = dataset.accuracy_by_difficulty.mean("seed").transpose("difficulty", "round")
    image = axes.pcolormesh(
        mean["round"], mean.difficulty, mean.values, cmap="Blues", vmin=0, vmax=1,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    trained = trained_length(dataset)
    axes.plot(trained["round"], trained, color="tab:red", linewidth=1.2, label="posed")
    axes.set_title(f"{title} (mean of {dataset.sizes['seed']} seeds)")
    axes.set_xlabel("round")
    axes.set_ylabel("digits of each number")
    axes.legend(loc="upper left", labelcolor="tab:red")
    return image


def draw_growth(axes, named: dict[str, xr.Dataset]) -> None:
    """Solved length by round: one length a round, and as many as are solved."""
    fast = named["accelerated"]
    lines = {"one a round": (phase.solved_length(named["oracle"]), "k")}
    colours = ("tab:orange", "tab:purple", "tab:green")
    for reach, colour in zip(fast.reach.values, colours, strict=False):
        solved = phase.solved_length(fast.sel(reach=reach))
        lines[f"up to {reach} a round"] = solved, colour
    for label, (solved, colour) in lines.items():
        solved = solved.transpose("round", "seed")
        axes.plot(solved["round"], solved, color=colour, linewidth=0.5, alpha=0.6)
        axes.plot(solved["round"], solved.mean("seed"), color=colour, label=label)
    axes.set_title("Truth: how fast the solved length grows")
    axes.set_xlabel("round")
    axes.set_ylabel("solved length (digits)")
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.37))


def draw_lead(axes, dataset: xr.Dataset) -> None:
    """How far a policy goes beyond what it was trained on, by how far that is."""
    trained, ahead = trained_length(dataset), lead(dataset).transpose("round", "seed")
    most = dataset.sizes["difficulty"] - trained
    axes.plot(trained, ahead, color="k", linewidth=0.5, alpha=0.6)
    axes.plot(trained, ahead.mean("seed"), color="k", label="mean; thin: seeds")
    axes.plot(trained, most, color="0.6", linestyle=":", label="all that is measured")
    axes.set_ylim(min(0, float(ahead.min())) - 1, float(ahead.max()) * 1.15 + 1)
    axes.axhline(0, color="k", linewidth=0.8)
    axes.set_title("Truth: how far beyond")
    axes.set_xlabel("posed last (digits)")
    axes.set_ylabel("solved beyond that (digits)")
    axes.legend()


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
