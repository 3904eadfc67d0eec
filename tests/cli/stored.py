"""Small results with numbers of their own, to be looked at by commands."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
import xarray as xr
from small_sweeps import BASE, SMALL

from avax import results
from avax.probes import PassAt
from avax.sweeps.sweep import Sweep
from avax.sweeps.tables import empty_dataset
from avax.tasks import Addition
from avax.verifiers import Oracle

ABOUT = {"device": "toy", "versions": {"jax": "none"}, "seconds": {"running": 1.0}}
PROBED = dataclasses.replace(SMALL, base=BASE.replace(probe=PassAt(sizes=(1, 2), num_samples=2)))
ADDITION = Sweep(
    BASE.replace(task=Addition(max_difficulty=5), base_difficulty=3, verifier=Oracle(fnr=0.5)),
    SMALL.pretraining,
    {"verifier.fpr": (0.0, 1 / 3, 1.0), "learner.temperature": (0.5, 1.0)},
    num_seeds=2,
    seed=3,
)


def store(sweep: Sweep, folder: pathlib.Path) -> xr.Dataset:
    """Puts results of random numbers into a folder."""
    rng, dataset = np.random.default_rng(0), empty_dataset(sweep)
    for array in dataset.data_vars.values():
        array.values[...] = rng.random(array.shape, np.float32)
    results.save(dataset.assign_attrs(provenance=ABOUT), folder)
    return results.load(folder)
