"""Retention, reach, and intervals over seeds."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hand_made import made, nan
from scipy import stats
from small_sweeps import GRID

from avax.analysis import lengths, phase, seeds
from avax.sweeps.needs import made_up


def test_retention_and_reach_add_up_to_the_solved_length():
    data = made_up(GRID)
    longest = lengths.base_length(data)
    both = longest * lengths.retention(data, longest) + lengths.reach(data, longest)
    assert np.allclose(both, phase.solved_length(data))
    swept = made({"base_difficulty": [1, 3]}, [0, 0])
    kept = lengths.retention(swept, lengths.base_length(swept)).isel(seed=1, round=0)
    assert kept.values.tolist() == pytest.approx([1, 2.3 / 3])


def test_t_intervals():
    values = xr.DataArray(
        [[1.0, 2, 4], [1, nan, 3], [1, nan, nan], [1, -np.inf, 2]], dims=("x", "seed")
    )
    mean, low, high = seeds.t_interval(values)
    assert mean.tolist() == pytest.approx([7 / 3, 2, 1, -np.inf])
    for i, known in enumerate(([1, 2, 4], [1, 3])):
        ends = stats.t.interval(0.95, len(known) - 1, np.mean(known), stats.sem(known))
        assert (low[i], high[i]) == pytest.approx(ends)
    assert np.isnan(low[2:]).all() and np.isnan(high[2:]).all()
