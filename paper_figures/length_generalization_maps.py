"""Maps of accuracy by round and length, an arm in each panel."""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax import plotting
from paper_figures import length_generalization as numbers
from paper_figures.length_generalization import posed_length


def lost_of(dataset: xr.Dataset) -> np.ndarray:
    """bool[R, S]: which runs had diverged by a round."""
    return (dataset.diverged == 1).transpose("round", "seed").values


def draw_maps(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Accuracy by round and length, of four arms."""
    return maps(("oracle", "steady", "none", "vote"), *datasets)


def draw_more_maps(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Accuracy by round and length, of the other arms."""
    return maps(("slow", "clipped", "slow_none", "length"), *datasets)


def maps(parts: tuple[str, ...], *datasets: xr.Dataset | None) -> plotting.Figure:
    data = numbers.named(*datasets)
    words = numbers.titles(data)
    figure = plotting.paper_figure(2.3)
    panels = figure.subplots(1, len(parts))
    for axes, part in zip(panels, parts, strict=True):
        image = draw_map(axes, data[part])
        axes.set_title(words[part].removesuffix(" a round"))
    panels[0].set_ylabel("digits of each number")
    seeds = data[parts[0]].sizes["seed"]
    figure.colorbar(image, ax=panels[-1], label=f"right answers, mean of {seeds}", pad=0.03)
    plotting.letter(panels)
    return figure


def draw_map(axes, dataset: xr.Dataset):
    """Accuracy by round and length, mean over bases; the line is what is posed. It ends where a run
    diverged.
    """
    lost = lost_of(dataset)
    mean = dataset.accuracy_by_difficulty.mean("seed").transpose("difficulty", "round")
    mean = mean.where(xr.DataArray(~lost.any(1), dims="round"))
    colours = plotting.colour_map("Blues").with_extremes(bad=plotting.NOT_RUN)
    image = axes.pcolormesh(
        mean["round"], mean.difficulty, mean.values, cmap=colours, vmin=0, vmax=1,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    if (posed := posed_length(dataset)) is not None:
        style = {"color": "k", "linewidth": 0.9, "linestyle": ":", "label": "posed"}
        plotting.plot_until(axes, posed["round"], posed, lost.any(1), **style)
        axes.legend(loc="upper left")
    elif lost.any():
        plotting.mark_lost(axes, dataset["round"].values[lost.any(1).argmax()], True)
    axes.set_xlabel("round")
    return image
