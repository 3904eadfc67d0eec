"""What lengthens the runway before errors bury self-training? Label errors, arm by arm.

python paper_figures/fig_avalanche.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from paper_figures import command

ARMS = {
    "direct": ("direct answers, unchecked", "#999999"),
    "simplify": ("simplify once, guess, unchecked", "#E69F00"),
    "vote_few": ("vote over {} guesses", "#56B4E9"),
    "vote": ("vote over {} guesses", "#0072B2"),
    "vote_commutative": ("vote over {} guesses + commutativity", "#CC79A7"),
    "oracle": ("the truth, on {} guesses", "#009E73"),
}
PARTS = tuple(ARMS)
SHIPPED = ("avalanche",)
LEVELS = (0.1, 0.5)  # label errors that a runway is measured to
NUM_BOOTSTRAP = 2000


def label_error(dataset: xr.Dataset) -> np.ndarray:
    """f[S, R]: share of wrong labels among those trained on; NaN where there are none."""
    return 1 - rounds_of(dataset.label_precision)


def guess_error(dataset: xr.Dataset) -> np.ndarray:
    """f[S, R]: share of wrong completions, accepted or not."""
    return 1 - rounds_of(dataset.sampled_accuracy)


def rounds_of(metric: xr.DataArray) -> np.ndarray:
    """f[S, R]: without the base."""
    return metric.isel(round=slice(1, None)).transpose("seed", "round").values


def posed(dataset: xr.Dataset) -> np.ndarray:
    """i[R]: digits of each round's problems."""
    curriculum = dataset.attrs["config"]["base"]["curriculum"]
    return curriculum["start"] + curriculum["step"] * np.arange(dataset.sizes["round"] - 1)


def learned(dataset: xr.Dataset) -> np.ndarray:
    """f[S, R]: greedy accuracy of direct answers at the posed length, after the round."""
    index = xr.DataArray(posed(dataset), dims="round")
    after = dataset.accuracy_by_difficulty.isel(round=slice(1, None))
    picked = after.drop_vars("round").sel(difficulty=index)
    return picked.transpose("seed", "round").values


def runway(event: np.ndarray) -> np.ndarray:
    """i[S]: rounds before the first one in which bool[S, R] holds; R if it never does."""
    return np.where(event.any(1), event.argmax(1), event.shape[1])


def interval(values: np.ndarray, statistic=np.mean) -> tuple[float, float, float]:
    """A statistic of f[S, ...] over its first axis, the seeds, with a 95 % bootstrap interval."""
    picks = np.random.default_rng(0).integers(len(values), size=(NUM_BOOTSTRAP, len(values)))
    samples = [statistic(values[p]) for p in picks]
    low, high = np.nanquantile(samples, (0.025, 0.975))
    return float(statistic(values)), float(low), float(high)


def growth(error: np.ndarray, lowest: float) -> np.ndarray:
    """f[S, R - 1]: the logarithm of the factor by which the label error grows in a round.

    NaN where it is below `lowest`, too few wrong labels to tell, or above one half.
    """
    before, after = error[:, :-1], error[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(np.maximum(after, lowest) / before)
    return np.where((before >= lowest) & (before <= 0.5) & ~np.isnan(after), ratio, np.nan)


def growth_factor(logarithms: np.ndarray) -> float:
    """The geometric mean over seeds and rounds; NaN if there is nothing to average."""
    known = logarithms[~np.isnan(logarithms)]
    return float(np.exp(known.mean())) if known.size else float("nan")


def name_of(arm: str, dataset: xr.Dataset) -> str:
    """The arm's name in the legend."""
    return ARMS[arm][0].format(dataset.attrs["config"]["base"]["learner"]["num_samples"])


def smallest(dataset: xr.Dataset) -> float:
    """The share that one wrong label of a round is, if there is one label a problem."""
    return 1 / dataset.attrs["config"]["base"]["learner"]["num_problems"]


def draw(*datasets: xr.Dataset) -> Figure:
    """Label errors and what they do to the policy; runways; growth; where it starts."""
    arms = dict(zip(PARTS, datasets, strict=True))
    figure = plotting.new_figure(13, 7.6)
    ((errors, accuracy, runways), (growths, first, legend)) = figure.subplots(2, 3)
    draw_rounds(errors, arms, label_error)
    for level in LEVELS:
        errors.axhline(level, color="k", linestyle=":", linewidth=0.8)
    errors.set_ylabel("label error: wrong share of what is trained on")
    errors.set_title("a  Errors in the training data (0 is drawn at the bottom)")
    log_share(errors, floor(datasets))
    draw_rounds(accuracy, arms, learned)
    accuracy.set_ylabel("accuracy of direct answers, same length, after the round")
    accuracy.set_ylim(-0.03, 1.03)
    accuracy.set_title("b  What the policy has learned from them")
    draw_runways(runways, arms)
    draw_growth(growths, arms)
    draw_first(first, arms)
    legend.set_axis_off()
    handles = [
        legend.plot([], [], color=ARMS[a][1], linewidth=2.5, label=name_of(a, d))[0]
        for a, d in arms.items()
    ]
    legend.legend(handles=handles, loc="center", title="labels of a round are", fontsize=9)
    return figure


def floor(datasets) -> float:
    """Where an error of 0 is drawn: below one wrong label of a round."""
    return min(smallest(d) for d in datasets) / 3


def log_share(axes, lowest: float, which: str = "y") -> None:
    """A logarithmic axis from `lowest`, which stands for 0, to 1."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    (axes.set_yscale if which == "y" else axes.set_xscale)("log")
    (axes.set_ylim if which == "y" else axes.set_xlim)(0.85 * lowest, 1.15)
    ticks = [t for t in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0) if t > 1.5 * lowest]
    axis.set_ticks([lowest, *ticks], ["0", *(f"{t:g}" for t in ticks)])
    axis.set_minor_locator(plotting.mpl.ticker.NullLocator())


def draw_rounds(axes, arms, values) -> None:
    """A quantity f[S, R] against the digits posed: thin lines are seeds, thick ones their mean."""
    lowest = floor(arms.values()) if values is label_error else -np.inf
    for arm, dataset in arms.items():
        rows, colour = np.maximum(values(dataset), lowest), ARMS[arm][1]
        axes.plot(posed(dataset), rows.T, color=colour, linewidth=0.5, alpha=0.5)
        mean = np.maximum(mean_of(values(dataset)), lowest)
        axes.plot(posed(dataset), mean, color=colour, linewidth=2.2)
    axes.set_xlabel("digits of the round's problems (one round each)")


def mean_of(rows: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is known, NaN where nothing is."""
    known = ~np.isnan(rows)
    total = np.where(known, rows, 0).sum(0)
    return np.where(known.any(0), total / np.maximum(known.sum(0), 1), np.nan)


def runways_of(dataset: xr.Dataset) -> dict[str, np.ndarray]:
    """Rounds survived by each seed, by what ends them."""
    found = {
        f"label error above {level:.0%}": runway(label_error(dataset) > level) for level in LEVELS
    }
    return found | {"accuracy below 50 %": runway(learned(dataset) < 0.5)}


def draw_runways(axes, arms) -> None:
    """Rounds before the end: small dots are seeds, large ones their mean, with its interval."""
    num_rounds = max(d.sizes["round"] - 1 for d in arms.values())
    for row, (arm, dataset) in enumerate(arms.items()):
        for i, (end, rounds) in enumerate(runways_of(dataset).items()):
            mark, y = "o^s"[i], row + 0.25 * (i - 1)
            colour = ARMS[arm][1]
            mean, low, high = interval(rounds)
            axes.plot([low, high], [y, y], color=colour, linewidth=1.5)
            axes.plot(rounds, np.full(len(rounds), y), mark, color=colour, markersize=3, alpha=0.4)
            label = f"{end}" if row == 0 else None
            axes.plot(mean, y, mark, color=colour, markersize=7, markeredgecolor="k", label=label)
    axes.axvline(num_rounds, color="k", linestyle=":", linewidth=0.8)
    axes.set_yticks(range(len(arms)), [name_of(a, d) for a, d in arms.items()], fontsize=7)
    axes.set_ylim(len(arms) - 0.4, -0.6)
    axes.set_xlim(-0.3, num_rounds + 0.5)
    axes.set_xlabel("rounds before the end (dotted: all rounds of the run)")
    axes.set_title("c  Runway: seeds, mean, 95 % interval")
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.14), ncols=1, fontsize=7)


def draw_growth(axes, arms) -> None:
    """The label error of a round against that of the round before."""
    lowest = floor(arms.values())
    for arm, dataset in arms.items():
        if arm != "oracle":
            error = np.maximum(label_error(dataset), lowest)
            style = {"color": ARMS[arm][1], "markersize": 4, "alpha": 0.7}
            axes.plot(error[:, :-1].ravel(), error[:, 1:].ravel(), "o", **style)
    ends = np.array([lowest, 1.0])
    axes.plot(ends, ends, "k-", linewidth=0.8)
    axes.plot(ends, 3 * ends, "k--", linewidth=0.8)
    axes.text(0.02, 0.98, "solid: as many\ndashed: three times as many", va="top",
              transform=axes.transAxes, fontsize=8)  # fmt: skip
    log_share(axes, lowest, "x")
    log_share(axes, lowest, "y")
    axes.set_xlabel("label error of a round")
    axes.set_ylabel("label error of the next round")
    axes.set_title("d  Errors multiply from round to round")


def draw_first(axes, arms) -> None:
    """The label error in the first round, on a length that the base was not trained on."""
    lowest = floor(arms.values())
    for row, (arm, dataset) in enumerate(arms.items()):
        first, colour = label_error(dataset)[:, :1], ARMS[arm][1]
        mean, low, high = np.maximum(interval(first, lambda x: mean_of(x)[0]), lowest)
        axes.plot([low, high], [row, row], color=colour, linewidth=2)
        rows = np.full(len(first), row)
        axes.plot(np.maximum(first[:, 0], lowest), rows, "o", color=colour, markersize=3, alpha=0.5)
        axes.plot(mean, row, "o", color=colour, markersize=8, markeredgecolor="k")
    names = [name_of(a, d) for a, d in arms.items()]
    axes.set_yticks(range(len(arms)), names, fontsize=7)
    axes.set_ylim(len(arms) - 0.5, -0.5)
    log_share(axes, lowest, "x")
    digits = posed(next(iter(arms.values())))[0]
    axes.set_xlabel(f"label error at {digits} digits, the first length beyond the base's")
    axes.set_title("e  Where it starts: the same bases in all arms")


def summary(*datasets: xr.Dataset) -> str:
    """Arm by arm: the first label error, its growth, the runways; then what announces the end."""
    arms = dict(zip(PARTS, datasets, strict=True))
    num_rounds = datasets[0].sizes["round"] - 1
    lines = [
        f"{datasets[0].sizes['seed']} seeds, {num_rounds} rounds (a runway of {num_rounds} is at "
        "least that); means with 95 % intervals over seeds"
    ]
    for arm, dataset in arms.items():
        lines += [f"{name_of(arm, dataset)}:", *(f"  {x}" for x in arm_summary(dataset))]
    simplest = runways_of(arms["simplify"])
    for arm in ("direct", "vote_few", "vote", "vote_commutative", "oracle"):
        gained = [
            f"{show(interval(rounds - simplest[end]))} to {end}"
            for end, rounds in runways_of(arms[arm]).items()
        ]
        lines.append(f"rounds gained on simplify once, {arm}: {', '.join(gained)}")
    return "\n".join([*lines, announcement(arms)])


def arm_summary(dataset: xr.Dataset) -> list[str]:
    """One arm's numbers, a line each."""
    error = label_error(dataset)
    first = interval(error[:, :1], lambda x: mean_of(x)[0])
    factor = interval(growth(error, smallest(dataset)), growth_factor)
    ends = ", ".join(f"{show(interval(x))} to {end}" for end, x in runways_of(dataset).items())
    guesses = ", ".join(
        f"{show(interval(runway(guess_error(dataset) > level)))} to {level:.0%}" for level in LEVELS
    )
    return [
        f"label error in round 1 {show(first, 4)}; it grows by a factor {show(factor)} a round",
        f"rounds {ends}",
        f"rounds by the error of all guesses {guesses}",
    ]


def announcement(arms) -> str:
    """How many rounds before the policy fails on the new length the labels go bad."""
    leads, silent = [], 0
    for arm, dataset in arms.items():
        if arm == "oracle":
            continue
        fails = learned(dataset) < 0.5
        warned, ended = runway(label_error(dataset) > LEVELS[0]), runway(fails)
        leads += (ended - warned)[fails.any(1)].tolist()
        silent += int((warned > ended)[fails.any(1)].sum())
    if not leads:
        return "no run without the truth failed on the newest length"
    return (
        f"of {len(leads)} runs without the truth that failed (accuracy below 50 % on the newest "
        f"length), {len(leads) - silent} had label errors above {LEVELS[0]:.0%} in that round or "
        f"before, the median {np.median(leads):.0f} rounds before"
    )


def show(estimate: tuple[float, float, float], digits: int = 2) -> str:
    """A number with its interval."""
    mean, low, high = (f"{x:.{digits}f}" for x in estimate)
    return f"{mean} ({low} to {high})"


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
