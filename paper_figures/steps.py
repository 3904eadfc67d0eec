"""What outcomes and steps as a verifier's level lead to: numbers for the figure, and words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import xarray as xr

from avax.analysis import phase
from avax.analysis.runway import interval

NAMES = {
    "none": "no filter",
    "outcome": "outcome, perfect",
    "steps": "every step, perfect",
    "learned_outcome": "outcome, learned",
    "learned_product": "steps, learned: product",
    "learned_minimum": "steps, learned: minimum",
    "exact_outcome": "outcome, perfect; none cancels",
    "exact_learned_outcome": "outcome, learned; none cancels",
}
PARTS = tuple(NAMES)
NOISY = ("outcome", "steps", "exact_outcome")  # verifiers with rates of errors
SEEING_ALL = ("none", "outcome", "steps")  # accept every chain without a wrong step


def named(datasets: Sequence[xr.Dataset]) -> dict[str, xr.Dataset]:
    """The parts by name, runs until they diverged."""
    return dict(zip(PARTS, map(phase.until_diverged, datasets), strict=True))


def rates_of(dataset: xr.Dataset) -> Iterator[tuple[tuple[float, float], xr.Dataset]]:
    """Each (FPR, FNR) of a part and its runs, dimensions modulus, seed and round."""
    for fpr in dataset.fpr.values:
        for fnr in dataset.fnr.values:
            yield (float(fpr), float(fnr)), dataset.sel(fpr=fpr, fnr=fnr, drop=True)


def clean(dataset: xr.Dataset) -> xr.Dataset:
    """A part at the lowest rates of errors that it was run with, 0 unless the user says so."""
    return next(rates_of(dataset))[1] if "fpr" in dataset.dims else dataset


def gained(dataset: xr.Dataset) -> np.ndarray:
    """f[S, M]: solved length after the last round minus the base's, in additions, by seed and
    modulus; -inf for a run that diverged.
    """
    return phase.gain(dataset).isel(round=-1).transpose("seed", "modulus").values


def diverged(dataset: xr.Dataset) -> np.ndarray:
    """bool[M]: whether any seed's run did, by modulus."""
    return (dataset.diverged == 1).any(("seed", "round")).values


def right_throughout(dataset: xr.Dataset) -> xr.DataArray:
    """Share of a round's completions that were accepted and have no wrong step."""
    return dataset.accept_rate * dataset.trace_precision.fillna(0)


def cancelled(dataset: xr.Dataset) -> np.ndarray:
    """f[S, M, 2]: completions whose last sum is right though a step is wrong, and all with a wrong
    step, added up over the rounds. Of parts that accept every completion without a wrong step.
    """
    rounds = clean(dataset).isel(round=slice(1, None))
    right = right_throughout(rounds)
    return added_up(rounds.sampled_accuracy - right, 1 - right)


def let_through(dataset: xr.Dataset) -> np.ndarray:
    """f[S, M, 2]: accepted completions with a wrong step, and all accepted, likewise."""
    rounds = clean(dataset).isel(round=slice(1, None))
    return added_up(rounds.accept_rate - right_throughout(rounds), rounds.accept_rate)


def added_up(event: xr.DataArray, given: xr.DataArray) -> np.ndarray:
    """f[S, M, 2]: two shares of each round's completions, added up over the rounds; NaN for runs
    that diverged.
    """
    sums = (x.sum("round", skipna=False) for x in (event, given))
    return np.stack([x.transpose("seed", "modulus").values for x in sums], axis=-1)


def share(rows: np.ndarray) -> float:
    """P(event | given) of f[S, 2], all seeds together; NaN if `given` never happens."""
    event, given = rows.sum(0)
    return float(event / given) if given > 1e-6 else float("nan")


def and_mean(gains: np.ndarray) -> np.ndarray:
    """f[S, M + 1]: the mean over moduli behind f[S, M]."""
    return np.column_stack([gains, gains.mean(1)])


def by_modulus(
    rows: np.ndarray, statistic: Callable[[np.ndarray], float] = np.mean
) -> list[tuple[float, float, float]]:
    """A statistic over seeds of f[S, M, ...] and its interval, for each modulus."""
    return [interval(rows[:, i], statistic) for i in range(rows.shape[1])]


def with_errors(dataset: xr.Dataset) -> dict[tuple[float, float], tuple[float, float, float]]:
    """What was gained at each (FPR, FNR), mean over moduli, and its interval over seeds."""
    return {rates: interval(gained(runs).mean(1)) for rates, runs in rates_of(dataset)}


def summary(*datasets: xr.Dataset) -> str:
    """Additions gained, errors that cancel and wrong chains let through, by modulus; and gains of
    verifiers that err.
    """
    data = named(datasets)
    gains = {name: and_mean(gained(clean(data[name]))) for name in PARTS}
    moduli = data["none"].modulus.values.tolist()
    lines = [f"95 % t intervals over {data['none'].sizes['seed']} bases, by modulus"]
    found = {name: by_modulus(gain) for name, gain in gains.items()}
    lines += table("additions gained", [*moduli, "mean"], found)
    found = {name: by_modulus(cancelled(data[name]), share) for name in SEEING_ALL}
    lines += table("P(last sum right | a step is wrong)", moduli, found)
    found = {name: by_modulus(let_through(data[name]), share) for name in PARTS}
    lines += table("P(a step is wrong | accepted)", moduli, found)
    with np.errstate(invalid="ignore"):  # -inf less -inf, if both diverged
        apart = {n: by_modulus(gains["steps"] - gains[n]) for n in ("outcome", "exact_outcome")}
    lines += table("gained more by steps than by", [*moduli, "mean"], apart)
    lines.append("additions gained by verifiers that err, mean over moduli")
    for name in NOISY:
        cells = with_errors(data[name]).items()
        listed = ", ".join(f"{fpr:g} / {fnr:g}: {shown(*cell)}" for (fpr, fnr), cell in cells)
        lines.append(f"{NAMES[name]}, FPR / FNR {listed}")
    return "\n".join(lines)


def table(title: str, columns: list, rows: dict[str, list]) -> list[str]:
    """Lines of text: a row for each part."""
    lines = [f"{title:36}" + "".join(f"{c:^22}" for c in columns)]
    for name, cells in rows.items():
        lines.append(f"{NAMES[name]:36}" + "".join(f"{shown(*cell):^22}" for cell in cells))
    return lines


def shown(value: float, low: float, high: float) -> str:
    value, low, high = (round(float(x), 2) + 0.0 for x in (value, low, high))  # no -0.00
    return f"{value:.2f} ({low:.2f}, {high:.2f})"
