"""Diagrams with known boundaries: complete, or with bases of its own for each setting."""

from __future__ import annotations

import functools

import numpy as np
import xarray as xr

from avax.sweeps.design import balanced

FPR, FNR = np.geomspace(0.003, 1, 12), np.array([0.0, 0.3, 0.6])
MAIN_JOB = np.array([0.0, *np.geomspace(0.001, 1, 15)]), np.linspace(0, 0.9, 16)
dealt = functools.cache(balanced)  # the same in every simulation, as in every run


def design(
    num_bases: int,
    per_setting: int = 0,
    spread: float = 0.7,
    noise: float = 0.07,
    level: float = 0.0,
    k: float = 1.0,
    centre: float = np.log(0.1),
    seed: int = 0,
    rates: tuple[np.ndarray, np.ndarray] = (FPR, FNR),
) -> xr.DataArray:
    """Gains that fall through 0 at FPR / (1 - FNR)^k = exp(centre of the base).

    Args:
      per_setting: how many bases a setting has; 0: all.
      spread: standard deviation of the bases' centres.
      noise: that of runs.
      level: that of what a base gains anywhere.
      rates: FPRs and FNRs.
    """
    rng = np.random.default_rng(seed)
    fpr, fnr = np.meshgrid(*rates, indexing="ij")
    centres = centre + spread * rng.normal(size=num_bases)
    x = np.log(np.maximum(fpr, 1e-12)) - k * np.log(1 - fnr)
    values = -0.2 * np.tanh((x[..., None] - centres) / 1.2) + level * rng.normal(size=num_bases)
    values = values + noise * rng.normal(size=values.shape)
    if per_setting:
        kept = np.zeros((x.size, num_bases), bool)
        np.put_along_axis(kept, dealt(x.shape, num_bases, per_setting), True, 1)
        values = np.where(kept.reshape(values.shape), values, np.nan)
    coords = {"fpr": rates[0], "fnr": rates[1], "seed": range(num_bases)}
    return xr.DataArray(values, coords, ("fpr", "fnr", "seed"))
