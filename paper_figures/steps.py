"""What outcomes and steps as a verifier's level lead to: numbers for the figure, and words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths, phase
from avax.analysis.intervals import Estimate
from paper_figures.pages import text

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
CONTROLS = {  # by the part that they are of and their role; a sham trains alike in every part
    ("outcome", "frozen generator"): "control/frozen_generator",
    ("outcome", "sham"): "control/sham",
    ("none", "frozen generator"): "control/none_frozen_generator",
}
PARTS = (*NAMES, *CONTROLS.values())
NOISY = ("outcome", "steps", "exact_outcome")  # verifiers with rates of errors
SEEING_ALL = ("none", "outcome", "steps")  # accept every chain without a wrong step


def named(datasets: Sequence[xr.Dataset | None]) -> dict[str, xr.Dataset]:
    """The parts by name, runs until they diverged; without the controls that there are not."""
    found = zip(PARTS, datasets, strict=False)
    return {name: phase.until_diverged(data) for name, data in found if data is not None}


def controls_of(data: dict[str, xr.Dataset]) -> dict[tuple[str, str], xr.Dataset]:
    """The controls that there are, without errors of a verifier, by part and role."""
    return {of: clean(data[part]) for of, part in CONTROLS.items() if part in data}


def name_of(part: str, role: str) -> str:
    """A control in words."""
    return role if role == "sham" else f"{role}, {NAMES[part].removesuffix(', perfect')}"


def rates_of(dataset: xr.Dataset) -> Iterator[tuple[tuple[float, float], xr.Dataset]]:
    """Each (FPR, FNR) of a part and its runs, dimensions modulus, seed and round."""
    for fpr in dataset.fpr.values:
        for fnr in dataset.fnr.values:
            yield (float(fpr), float(fnr)), dataset.sel(fpr=fpr, fnr=fnr, drop=True)


def clean(dataset: xr.Dataset) -> xr.Dataset:
    """A part at the lowest rates of errors that it was run with, 0 unless the user says so."""
    return next(rates_of(dataset))[1] if "fpr" in dataset.dims else dataset


def gained(dataset: xr.Dataset, after: int | None = None) -> np.ndarray:
    """f[S, M]: solved length after a round minus the untouched base's on the same lengths, in
    additions, by seed and modulus; -inf for a run that diverged.

    Args:
      after: the round; the last by default.
    """
    gain = phase.gain(dataset)
    gain = gain.isel(round=-1) if after is None else gain.sel(round=after)
    return gain.transpose("seed", "modulus").values


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """One gain minus another, NaN where both runs diverged."""
    with np.errstate(invalid="ignore"):
        return one - other


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


def share(rows: np.ndarray) -> np.ndarray:
    """f[S, M]: P(event | given) of f[S, M, 2], by base; NaN where `given` never happens."""
    event, given = rows[..., 0], rows[..., 1]
    return event / np.where(given > 1e-6, given, np.nan)


def by_modulus(rows: np.ndarray) -> list[Estimate]:
    """Means over bases of f[S, M] for each modulus."""
    return [intervals.mean(column) for column in rows.T]


def over_moduli(gains: np.ndarray) -> np.ndarray:
    """f[S]: the mean over moduli of f[S, M]. Bases of one seed differ by modulus, but share random
    numbers: so they count as one unit.
    """
    return gains.mean(1)


def mean_of_moduli(dataset: xr.Dataset) -> xr.Dataset:
    """Runs whose accuracies are means over moduli, seed by seed; what diverged solves nothing."""
    solved = dataset.accuracy_by_difficulty.where(dataset.diverged != 1, 0)
    return xr.Dataset(
        {
            "accuracy_by_difficulty": solved.mean("modulus", skipna=False),
            "diverged": xr.zeros_like(dataset.diverged.isel(modulus=0, drop=True)),
        },
        attrs=dataset.attrs,
    )


def collapse(data: dict[str, xr.Dataset], part: str, after: int) -> lengths.Collapse | None:
    """Collapse of a part in the mean over moduli, after a round. None without a sham."""
    if ("outcome", "sham") not in (controls := controls_of(data)):
        return None
    both = (mean_of_moduli(x) for x in (clean(data[part]), controls["outcome", "sham"]))
    return lengths.collapse(*(x.sel(round=slice(None, after)) for x in both))


def beyond(data: dict[str, xr.Dataset], part: str, control: xr.Dataset) -> np.ndarray:
    """f[S, M]: what a part gained more than a control, base by base."""
    both = xr.align(clean(data[part]), clean(control), join="inner", exclude=["fpr", "fnr"])
    return apart(*map(gained, both))


def with_errors(dataset: xr.Dataset) -> dict[tuple[float, float], np.ndarray]:
    """What was gained at each (FPR, FNR), mean over moduli, f[S]."""
    return {rates: over_moduli(gained(runs)) for rates, runs in rates_of(dataset)}


def summary(*datasets: xr.Dataset | None) -> str:
    """Additions gained, errors that cancel and wrong chains let through, by modulus; and gains of
    verifiers that err.
    """
    data = named(datasets)
    gains = {name: gained(clean(data[name])) for name in NAMES}
    moduli = data["none"].modulus.values.tolist()
    lines = [f"means over {data['none'].sizes['seed']} bases with 95 % t intervals, by modulus"]
    found = {name: and_mean(gain) for name, gain in gains.items()}
    lines += table("additions gained", [*moduli, "mean"], found)
    found = {name: by_modulus(share(cancelled(data[name]))) for name in SEEING_ALL}
    lines += table("P(last sum right | a step is wrong)", moduli, found)
    found = {name: by_modulus(share(let_through(data[name]))) for name in NAMES}
    lines += table("P(a step is wrong | accepted)", moduli, found)
    found = {n: and_mean(apart(gains["steps"], gains[n])) for n in ("outcome", "exact_outcome")}
    lines += table("gained more by steps than by", [*moduli, "mean"], found)
    lines.append("additions gained by verifiers that err, mean over moduli")
    for name in NOISY:
        cells = with_errors(data[name]).items()
        each = (f"{fpr:g} / {fnr:g}: {text(intervals.mean(x))}" for (fpr, fnr), x in cells)
        lines.append(f"{NAMES[name]}, FPR / FNR {', '.join(each)}")
    return "\n".join([*lines, *control_lines(data)])


def control_lines(data: dict[str, xr.Dataset]) -> list[str]:
    """What controls gained, how far their loops are from them, and whether loops collapsed."""
    controls = controls_of(data)
    if not controls:
        return []
    columns = [*data["none"].modulus.values.tolist(), "mean"]
    gains = {name_of(*of): and_mean(gained(x)) for of, x in controls.items()}
    lines = table("additions gained by controls", columns, gains)
    pairs = [(part, of) for of in controls for part in dict.fromkeys((of[0], *also(of[1])))]
    found = {
        f"{NAMES[part]}, less {role}": and_mean(beyond(data, part, controls[of, role]))
        for part, (of, role) in pairs
    }
    lines += table("additions gained more than a control", columns, found)
    last = int(data["none"]["round"][-1])
    for part in ("outcome", "none"):
        if (judged := collapse(data, part, last)) is not None:
            verdict = "yes" if bool(judged.collapsed) else "not shown"
            lines.append(f"{NAMES[part]}: collapse (below base and sham, mean over m): {verdict}")
    return lines


def also(role: str) -> tuple[str, ...]:
    """Other parts that a control of one is compared with."""
    return ("none",) if role == "sham" else ()


def and_mean(gains: np.ndarray) -> list[Estimate]:
    """Means over bases by modulus, and over all."""
    return [*by_modulus(gains), intervals.mean(over_moduli(gains))]


def table(title: str, columns: list, rows: dict[str, list[Estimate]]) -> list[str]:
    """Lines of text: a row for each part, or for what has a name of its own."""
    lines = [f"{title:36}" + "".join(f"{c:^26}" for c in columns)]
    for name, cells in rows.items():
        lines.append(f"{NAMES.get(name, name):36}" + "".join(f"{text(cell):^26}" for cell in cells))
    return lines
