"""How far does clean verification carry: from 10 digits to 100?

python paper_figures/fig_length_generalization.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import phase
from paper_figures import command

SHIPPED = ("length_generalization",)
ARMS = {
    "oracle": "truth, up to {} a round",
    "steady": "truth, one a round",
    "none": "no filter",
    "length": "length filter",
    "vote": "vote of 5 that train",
    "plain": "truth, plain order",
    "multiplication": "truth, products",
}
PARTS = tuple(ARMS)
REACH = 8  # of the arm that is drawn as a map, if it was run
MARKS = (20, 40, 80, 160)


def arms(*datasets: xr.Dataset) -> dict[str, xr.Dataset]:
    """Datasets by title, the first arm at one reach, runs until they diverged."""
    named = dict(zip(PARTS, map(phase.until_diverged, datasets), strict=True))
    asked = named["oracle"].reach.values.tolist()
    reach = REACH if REACH in asked else asked[0]
    named["oracle"] = named["oracle"].sel(reach=reach)
    return {title.format(reach): named[name] for name, title in ARMS.items()}


def posed_length(dataset: xr.Dataset) -> xr.DataArray | None:
    """The length posed in each round of a steady frontier, the base's own before the first.

    None where it depends on what was solved.
    """
    config = dataset.attrs["config"]["base"]
    if "step" not in config["curriculum"]:
        return None
    rounds = dataset["round"]
    posed = config["curriculum"]["start"] + config["curriculum"]["step"] * (rounds - 1)
    return posed.where(rounds > 0, config["base_difficulty"])


def rounds_until(solved: xr.DataArray, length: int) -> xr.DataArray:
    """First round after which that many digits are solved, NaN if none, for each seed."""
    return solved["round"].where(solved >= length).min("round")


def summary(*datasets: xr.Dataset) -> str:
    """How far every arm came, how fast, and what was lost again."""
    lines = ["solved length in digits, mean (lowest, highest seed)"]
    lines += [arm_line(title, dataset) for title, dataset in arms(*datasets).items()]
    fast, steady = (
        phase.solved_length(phase.until_diverged(datasets[PARTS.index(name)]))
        for name in ("oracle", "steady")
    )
    lines.append(f"rounds until {', '.join(map(str, MARKS))} digits are solved (seeds that did)")
    speeds = {f"up to {r} a round": fast.sel(reach=r) for r in fast.reach.values}
    speeds["one a round"] = steady
    for title, solved in speeds.items():
        cells = (speed_cell(solved, mark) for mark in MARKS)
        lost = int((solved.max("round") - solved.isel(round=-1) > 5).sum())
        lines.append(f"  {title:18} {', '.join(cells)}; later lost over 5 digits: {lost}")
    return "\n".join(lines)


def speed_cell(solved: xr.DataArray, mark: int) -> str:
    """Mean round, and how many seeds it is the mean of."""
    found = rounds_until(solved, mark).dropna("seed")
    return f"{found.mean():.1f} ({found.size})" if found.size else "-"


def arm_line(title: str, dataset: xr.Dataset) -> str:
    """Solved length of an arm before and after, and how right its last round's data are."""
    solved = phase.solved_length(dataset)
    last = dataset.sampled_accuracy.isel(round=-1)
    return (
        f"  {title:22} {shown(solved.isel(round=0))} -> {shown(solved.isel(round=-1))} "
        f"of {dataset.sizes['difficulty']}, right at the last frontier {shown(last)}"
    )


def shown(values: xr.DataArray) -> str:
    """Mean and range over seeds."""
    return f"{values.mean():.2f} ({values.min():.2f}, {values.max():.2f})"


def draw(*datasets: xr.Dataset) -> plotting.Figure:
    """Maps of accuracy by round and length for every arm, and how fast the solved length grows."""
    figure = plotting.new_figure(12, 6.6)
    grid = figure.subplots(2, 4)
    for axes, (title, dataset) in zip(grid.flat, arms(*datasets).items(), strict=False):
        image = draw_map(axes, dataset, title)
    words = f"share of right answers, mean of {datasets[0].sizes['seed']} seeds"
    figure.colorbar(image, ax=grid[0, 3], label=words, pad=0.02)
    draw_growth(grid[1, 3], datasets[0], datasets[PARTS.index("steady")])
    return figure


def draw_map(axes, dataset: xr.Dataset, title: str):
    """Accuracy by round and length, mean over seeds; the line is what is posed. It ends where a
    run diverged.
    """
    lost = (dataset.diverged == 1).transpose("round", "seed")
    mean = dataset.accuracy_by_difficulty.mean("seed").where(~lost.any("seed"))
    mean = mean.transpose("difficulty", "round")
    colours = plotting.colour_map("Blues").with_extremes(bad=plotting.NOT_RUN)
    image = axes.pcolormesh(
        mean["round"], mean.difficulty, mean.values, cmap=colours, vmin=0, vmax=1,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    posed = posed_length(dataset)
    if posed is None:
        solved = phase.solved_length(dataset).transpose("round", "seed")
        style = {"color": "tab:orange", "linewidth": 0.6}
        plotting.plot_until(axes, solved["round"], solved, lost, **style)
        axes.plot([], [], color="tab:orange", label="solved, each seed")
    else:
        style = {"color": "tab:red", "linewidth": 1.2, "label": "posed"}
        plotting.plot_until(axes, posed["round"], posed, lost.any("seed"), **style)
    axes.set_title(title)
    axes.set_xlabel("round")
    axes.set_ylabel("digits of each number")
    axes.legend(loc="upper left", labelcolor="linecolor", frameon=True, framealpha=0.9)
    return image


def draw_growth(axes, fast: xr.Dataset, steady: xr.Dataset) -> None:
    """Solved length by round: one length a round, and as many as are solved."""
    lines = {"one a round": (steady, "k")}
    colours = dict(
        zip((1, 4, 8, 16), ("0.6", "tab:purple", "tab:orange", "tab:green"), strict=True)
    )
    for reach in fast.reach.values:
        title = f"up to {reach} a round" if reach > 1 else "one, once it is solved"
        lines[title] = fast.sel(reach=reach), colours.get(reach, "tab:blue")
    for label, (dataset, colour) in lines.items():
        solved = phase.solved_length(dataset).transpose("round", "seed")
        lost = (dataset.diverged == 1).transpose("round", "seed")
        rounds, median, thin = solved["round"], solved.median("seed"), {"linewidth": 0.4}
        plotting.plot_until(axes, rounds, solved, lost, color=colour, alpha=0.5, **thin)
        plotting.plot_until(axes, rounds, median, lost.any("seed"), color=colour, label=label)
    axes.set_title("Truth (bold: median of seeds)")
    axes.set_xlabel("round")
    axes.set_ylabel("solved length (digits)")
    axes.legend(fontsize=7)


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
