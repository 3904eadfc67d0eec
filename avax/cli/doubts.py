"""What a user should know before believing results: said after a run, and drawn in its figure.

Only what can't be known before it; what can is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import xarray as xr

from avax import requirements
from avax.loop import Experiment
from avax.sweeps.sweep import Sweep

WEAK = 0.5  # share right below which a base hardly knows what it was trained on
FAR = 5.0  # standard errors between a verifier's nominal and measured rates
NEAR = 0.01  # between rates, what makes no difference
SMOKE = "preset smoke: it shows that everything works; its numbers say nothing about the question"


def doubts(parts: Mapping[str, Sweep], datasets: list[xr.Dataset], is_smoke: bool) -> list[str]:
    """A line for each reason to doubt the results of an experiment's parts.

    Args:
      parts: by folder, in the order of the datasets.
    """
    found: dict[str, list[str]] = {}
    for (name, sweep), dataset in zip(parts.items(), datasets, strict=True):
        for line in of_part(sweep, dataset, is_smoke):
            found.setdefault(line, []).append(name)
    lines = [SMOKE] if is_smoke else []
    for line, names in found.items():
        listed = ", ".join(name or "the main sweep" for name in names)
        where = "" if len(names) == len(parts) else f" (in {listed})"
        lines.append(line + where)
    return lines


def of_part(sweep: Sweep, dataset: xr.Dataset, is_smoke: bool = False) -> Iterator[str]:
    """The reasons to doubt one sweep's results; a smoke run is weak and short by design."""
    diverged = (dataset.diverged.isel(round=-1) == 1).values
    num_runs = int(dataset.diverged.isel(round=-1).notnull().sum())
    if diverged.any():
        yield f"{diverged.sum()} of {num_runs} runs diverged; a lower learning rate may help"
    if is_smoke:
        return
    yield from _weak_bases(sweep, dataset)
    trained = dataset.isel(round=slice(1, None))
    idle = ((trained.grad_norm == 0).all("round") & trained.grad_norm.notnull().any("round")).values
    if idle.any():
        yield f"{idle.sum()} of {num_runs} runs were never trained: nothing to learn from was left"
    yield from _wrong_rates(sweep, trained)


def _weak_bases(sweep: Sweep, dataset: xr.Dataset) -> Iterator[str]:
    """Bases that are wrong on most problems as long as those that they were trained on."""
    known = dataset.accuracy_by_difficulty.isel(round=0)
    known = known.sel(difficulty=slice(1, sweep.base.base_difficulty)).mean("difficulty")
    others = [dim for dim in known.dims if dim != "seed"]
    right = known.max(others)  # of the best snapshot, if there are several
    weak = right.seed.values[(right < WEAK).values]
    if weak.size:
        yield (
            f"bases that are wrong on most of what they were trained on, of seeds "
            f"{', '.join(map(str, weak))}: more --pretraining.num-updates may help, or other seeds"
        )


def _wrong_rates(sweep: Sweep, trained: xr.Dataset) -> Iterator[str]:
    """Where a verifier that promises error rates has others."""
    settings = sweep.settings()

    def rows(name):
        return trained[name].values.reshape(len(settings), -1)

    right = rows("sampled_accuracy")
    for name, among in (("fpr", 1 - right), ("fnr", right)):
        share, off = rows(f"verifier_{name}"), []
        for experiment, rate, part in zip(settings, share, among, strict=True):
            promised = getattr(experiment.verifier, name, None)
            if _keeps_rates(experiment) and _is_off(
                promised, rate, part * _num_completions(experiment)
            ):
                off.append((abs(promised - _mean(rate, part)), promised, _mean(rate, part)))
        if off:
            _, promised, found = max(off)
            yield (
                f"in {len(off)} of {len(settings)} settings the measured {name.upper()} is not "
                f"that of the verifier, {found:.2g} instead of {promised:.2g}"
            )


def _is_off(promised: float, share: np.ndarray, count: np.ndarray) -> bool:
    """Whether shares of so many completions, f[N] each, are far from a promised one."""
    total = np.nansum(np.where(np.isnan(share), 0, count))
    if total < 1:
        return False
    error = np.sqrt(max(promised * (1 - promised), 1 / total) / total)
    return abs(_mean(share, count) - promised) > max(NEAR, FAR * error)


def _mean(share: np.ndarray, count: np.ndarray) -> float:
    """The mean of what is known, weighted."""
    known = ~np.isnan(share)
    return float((share[known] * count[known]).sum() / count[known].sum())


def _keeps_rates(experiment: Experiment) -> bool:
    """Whether the rates that the loop measures are to be those of the verifier's fields: labels
    that are spoilt or let through on purpose change them.
    """
    noise = experiment.label_noise
    spoilt = noise.digit_rate + noise.uniform_rate + noise.drop_rate + noise.perturb_rate
    promises = getattr(experiment.verifier, "promises_rates", False)
    return promises and spoilt + experiment.lapse.rate == 0


def _num_completions(experiment: Experiment) -> int:
    """Completions of a round."""
    _, learner = requirements.sampler(experiment)
    return learner.num_problems * learner.num_samples
