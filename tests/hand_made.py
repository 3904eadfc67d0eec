"""Results of sweeps over all kinds of axes, whose numbers can be worked out by hand."""

from __future__ import annotations

import numpy as np
import xarray as xr

FPR, FNR = [0.0, 0.1, 1.0], [0.0, 0.5]
NAMES = ["none", "majority", "oracle"]
SPREAD = 0.01  # how much more a seed gains than the one before it
nan = float("nan")


def made(axes: dict[str, list], gains: np.ndarray, num_seeds: int = 3, rounds: int = 4):
    """Difficulties 1 to 4, a base trained on 1 and 2 and right on 1, 0.8, 0.5 and 0.1; all of the
    final gain is at difficulty 4 but for a loss of 0.1 at difficulty 2 in the last round.
    """
    shape = (*map(len, axes.values()), num_seeds, rounds + 1)
    dims = (*axes, "seed", "round")
    done = np.arange(rounds + 1) / rounds
    by_seed = SPREAD * (np.arange(num_seeds) - (num_seeds - 1) / 2)[:, None]
    gained = (np.asarray(gains, float)[..., None, None] + by_seed) * done
    accuracy = np.zeros((*shape, 4)) + [1, 0.8, 0.5, 0.1]
    accuracy[..., 3] += gained
    accuracy[..., -1, 1] -= 0.1
    accuracy[..., -1, 3] += 0.1
    rates = {"verifier_fpr": 0.25, "verifier_fnr": 0.5, "label_precision": 0.75}
    trained = np.where(np.arange(rounds + 1) > 0, 1.0, nan) + np.zeros(shape)
    coords = {
        name: np.array(x, object if isinstance(x[0], str) else None) for name, x in axes.items()
    }
    coords |= {"seed": range(num_seeds), "round": range(rounds + 1), "difficulty": range(1, 5)}
    base = {"task": {"type": "Addition"}, "curriculum": {"type": "Frontier"}, "base_difficulty": 2}
    paths = {f"verifier.{a}" if a in ("fpr", "fnr") else a: list(x) for a, x in axes.items()}
    return xr.Dataset(
        {
            "accuracy_by_difficulty": ((*dims, "difficulty"), accuracy),
            "accuracy": (dims, accuracy.mean(-1)),
            "diverged": (dims, np.zeros(shape)),
            **{name: (dims, x * trained) for name, x in rates.items()},
        },
        coords,
        {"config": {"base": base, "axes": paths}, "provenance": {}},
    )


def spoilt(dataset: xr.Dataset, diverged: dict, unrun: dict) -> xr.Dataset:
    """A run that diverged in round 3, and a setting that was not run."""
    dataset = dataset.copy(deep=True)
    dataset.diverged[diverged | {"seed": 1, "round": slice(3, None)}] = 1
    for name in dataset:
        dataset[name][unrun] = nan
    return dataset


def grid(*sizes: int) -> np.ndarray:
    return np.linspace(-0.3, 0.4, int(np.prod(sizes))).reshape(sizes)


SWEEPS = {
    "no axis": made({}, 0.2),
    "axes of one value": made({"fpr": [0.1], "verifier": ["oracle"]}, [[0.2]]),
    "numbers": made({"fpr": FPR}, grid(3)),
    "many numbers": made({"rate": list(np.geomspace(1e-3, 1, 20))}, grid(20)),
    "names": made({"verifier": NAMES}, grid(3)),
    "many names": made({"verifier": [f"verifier_{i}" for i in range(11)]}, grid(11)),
    "FPR and FNR": made({"fpr": FPR, "fnr": FNR}, grid(3, 2)[::-1]),
    "other numbers": made({"start": [4, 2, 8], "rate": [0.0, 0.5, 1.0]}, grid(3, 3)),
    "names and numbers": made({"verifier": NAMES, "fpr": FPR}, grid(3, 3)),
    "names, FPR and FNR": made({"fpr": FPR, "fnr": FNR, "verifier": NAMES}, grid(3, 2, 3)),
    "three numbers": made({"fpr": FPR, "start": list(range(9)), "fnr": FNR}, grid(3, 9, 2)),
    "names twice": made({"verifier": NAMES, "learner": ["a", "b"]}, grid(3, 2)),
    "four": made({"a": NAMES, "b": [1, 2], "c": [0.1, 0.2], "d": [True, False]}, grid(3, 2, 2, 2)),
    "one seed": made({"fpr": FPR, "fnr": FNR}, grid(3, 2), num_seeds=1),
    "one seed, names": made({"verifier": NAMES, "fpr": FPR}, grid(3, 3), 1),
    "one round": made({"verifier": NAMES}, grid(3), 1, rounds=1),
    "spoilt": spoilt(made({"fpr": FPR, "fnr": FNR}, grid(3, 2)), {"fpr": 1, "fnr": 1}, {"fpr": 2}),
    "spoilt line": spoilt(made({"fpr": FPR}, grid(3)), {"fpr": 1}, {"fpr": 2}),
    "spoilt names": spoilt(made({"verifier": NAMES}, grid(3)), {"verifier": 1}, {"verifier": 2}),
    "not run": made({"fpr": FPR, "fnr": FNR}, grid(3, 2)) * nan,
    "not run, names": made({"fpr": FPR, "fnr": FNR, "a": NAMES}, grid(3, 2, 3)) * nan,
}
for sweep in SWEEPS.values():
    sweep.attrs = sweep.attrs or SWEEPS["FPR and FNR"].attrs
