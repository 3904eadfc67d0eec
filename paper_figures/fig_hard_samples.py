"""Do problems that are nearly impossible spoil a policy, or do false rewards? Three figures.

python paper_figures/fig_hard_samples.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import intervals
from avax.plotting import Row
from paper_figures import command
from paper_figures.hard_samples import (
    BUCKETS,
    CENTRES,
    LEARNERS,
    PARTS,
    arms,
    change,
    doses,
    named,
    old,
    part_at,
)
from paper_figures.hard_samples_claims import CLAIMS, QUESTION
from paper_figures.pages import text

__all__ = ["CLAIMS", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
SHIPPED = ()
READS = (
    *("accuracy", "skill_whole", "skill_token", "num_accepted", "trace_precision", "grad_norm"),
    "diverged",
)
COLOURS = plotting.arms(BUCKETS)
MARKERS = dict(zip(BUCKETS, "osv^", strict=True))
OTHER = {"too_long": "hard", "paid_to_skip": "hard", "equal_hard": "hard"}
ROUNDS = {  # parts by round, with where they are on their axes
    "whole working, FPR 0": ("hard_whole", {"fpr": 0.0}),
    "whole working, FPR 0.05": ("false", {}),
    "its placebo": ("control/false_placebo", {}),
    "answers modulo 2": ("guessed", {}),
    "paid to skip": ("paid_to_skip", {}),
}
LOOKS = plotting.arms(ROUNDS)


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Harm by the share of false rewards, and what old problems come to by round."""
    data = named(datasets)
    figure = plotting.paper_figure(4.6)
    panels = figure.subplots(2, 2)
    draw_doses(panels[0, 0], data)
    readings = {
        "worked": "worked out, right",
        "skipped": "working skipped",
        "able": "right if worked out",
    }
    for axes, (name, words) in zip(panels.flat[1:], readings.items(), strict=True):
        draw_by_round(axes, data, name)
        axes.set_ylabel(f"old problems: {words}")
        axes.set_title(words[0].upper() + words[1:])
    handles, names = panels[0, 1].get_legend_handles_labels()
    figure.legend(handles, names, title="b to d", loc="outside lower center", ncols=3)
    plotting.letter(panels.flat)
    return figure


def draw_doses(axes, data: dict[str, xr.Dataset]) -> None:
    """The change of what is worked out, by the share of rewards that are false, an arm a point."""
    names, units = doses(data)
    seen = set()
    for i, name in enumerate(names):
        part = name.split(",")[0]
        bucket = next(x for x in BUCKETS if x in OTHER.get(part, part).split("_"))
        false, accepted, changed = units[:, 0, i].sum(), units[:, 1, i].sum(), units[:, 2, i]
        mean, low, high, _ = intervals.mean(changed)
        style = {"color": COLOURS[bucket], "marker": MARKERS[bucket], "markersize": 3}
        label = bucket if bucket not in seen else None
        seen.add(bucket)
        error = np.abs([[mean - low], [high - mean]])
        at = false / max(accepted, 1)
        axes.errorbar([at], [mean], error, linestyle="", label=label, linewidth=0.8, **style)
    axes.axhline(0, **plotting.NO_EFFECT)
    axes.set_xlim(-0.05, 1.05)
    axes.set_xlabel("share of rewards that are false")
    axes.set_ylabel("change of what is worked out")
    axes.set_title("Harm by false rewards")
    axes.legend(loc="lower left", title="problems")


def by_round(arm: xr.Dataset, name: str) -> xr.DataArray:
    """A reading by seed and round."""
    worked, skipped = (
        old(arm[x]).isel(round=slice(1, None)) for x in ("skill_whole", "skill_token")
    )
    able = (worked / (1 - skipped)).where(skipped < 1)
    return {"worked": worked, "skipped": skipped, "able": able}[name]


def draw_by_round(axes, data: dict[str, xr.Dataset], name: str) -> None:
    """Means over bases by round, with t intervals as bands."""
    lines = {"untouched base": (part_at(data, "untouched"), plotting.role("untouched base"))}
    for words, (part, at) in ROUNDS.items():
        style = plotting.role("placebo") if "placebo" in words else {"color": LOOKS[words]}
        lines[words] = part_at(data, part, **at), style
    for words, (arm, style) in lines.items():
        if arm is None:
            continue
        values = by_round(arm, name).transpose("round", "seed")
        each = np.array([intervals.mean(row)[:3] for row in values.values]).T
        lost = (arm.diverged.isel(round=slice(1, None)) == 1).any("seed").values
        at = values["round"].values
        plotting.plot_band(axes, at, each.clip(0, 1), lost, plotting.BAND / 2, label=words, **style)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("round")


def draw_arms(*datasets: xr.Dataset | None) -> plotting.Figure:
    """What old problems come to in the end behind every reward, on all kinds of problems."""
    data = named(datasets)
    others = ("untouched", "control", *CENTRES)
    own = {part: runs for part, runs in data.items() if not part.startswith(others)}
    return forest(data, dict(arms(own)), "By reward and problems")


def draw_learners(*datasets: xr.Dataset | None) -> plotting.Figure:
    """The same of other learners at three places, and of the placebos."""
    data = named(datasets)
    rows: dict[str, xr.Dataset | str] = {}
    for centre, words in CENTRES.items():
        rows[words] = ""
        rows[f"{centre}: as it is"] = data[centre]
        rows |= {f"{centre}: {name}": data[f"{centre}_{x}"] for x, name in LEARNERS.items()}
        if (placebo := data.get(f"control/{centre}_placebo")) is not None:
            rows[f"{centre}: placebo"] = placebo
    return forest(data, rows, "By learner")


def forest(data: dict[str, xr.Dataset], rows: dict, title: str) -> plotting.Figure:
    """Changes of what is worked out in the end, a row each; a row of words alone is a heading."""
    lines = []
    for name, arm in rows.items():
        if isinstance(arm, str):
            lines.append(Row(name))
            continue
        values = change(data, arm, "worked").values
        lines.append(Row(name, intervals.mean(values), "0.25", values))
    figure = plotting.paper_figure(0.9 + 0.17 * len(lines))
    axes = figure.subplots()
    plotting.forest(axes, lines)
    axes.set_xlabel("change of what is worked out, in the end")
    axes.set_title(title)
    return figure


def summary(*datasets: xr.Dataset | None) -> str:
    """What every part does to old problems, in words."""
    data, lines = named(datasets), ["change of old problems in the end, less the untouched base's"]
    for name, arm in arms({part: runs for part, runs in data.items() if part != "untouched"}):
        each = (text(intervals.mean(change(data, arm, x))) for x in ("worked", "skipped", "able"))
        lines.append(
            f"  {name}: "
            + ", ".join(
                f"{x} {y}"
                for x, y in zip(("worked out", "skipped", "right if worked out"), each, strict=True)
            )
        )
    return "\n".join(lines)


FIGURES = {"": draw, "arms": draw_arms, "learners": draw_learners}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
