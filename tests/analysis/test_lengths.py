"""Retention, reach, and collapse."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hand_made import made
from small_sweeps import GRID

from avax.analysis import lengths, phase
from avax.sweeps.needs import made_up


def test_retention_and_reach_add_up_to_the_solved_length():
    data = made_up(GRID)
    longest = lengths.base_length(data)
    both = longest * lengths.retention(data, longest) + lengths.reach(data, longest)
    assert np.allclose(both, phase.solved_length(data))
    swept = made({"base_difficulty": [1, 3]}, [0, 0])
    kept = lengths.retention(swept, lengths.base_length(swept)).isel(seed=1, round=0)
    assert kept.values.tolist() == pytest.approx([1, 2.3 / 3])


def by_length(solved, seeds=None, diverged=None) -> xr.Dataset:
    """Accuracies [setting, seed, round, difficulty], of bases that know 2 of 4 lengths."""
    values = np.asarray(solved, float)
    dims = ("rate", "seed", "round", "difficulty")
    lost = np.zeros(values.shape[:3]) if diverged is None else diverged
    arrays = {"accuracy_by_difficulty": (dims, values), "diverged": (dims[:3], lost)}
    coords = {"difficulty": [1, 2, 3, 4], "seed": seeds or range(values.shape[1])}
    return xr.Dataset(arrays, coords, {"config": {"base": {"base_difficulty": 2}}})


def runs(lost_known, lost_longer, num=6, **options) -> xr.Dataset:
    """Bases that solve 0.9 of what they know and 0.4 beyond, and lose so much; one setting."""
    wobble = 0.02 * np.random.default_rng(0).normal(size=num)
    before = np.tile([0.9, 0.9, 0.4, 0.4], (num, 1)) + wobble[:, None]
    after = before - [lost_known, lost_known, lost_longer, lost_longer] + 0.1 * wobble[::-1, None]
    return by_length(np.stack([before, after], 1)[None], **options)


def test_gained_by_hand():
    loop, sham = runs(0.3, 0.1), runs(0.1, 0.0)
    wobble = 0.1 * 0.02 * np.random.default_rng(0).normal(size=6)[::-1]
    kept = lengths.gained(lengths.retention(loop, 2), loop)
    np.testing.assert_allclose(kept[0], -0.3 + wobble)
    sham_kept = lengths.gained(lengths.retention(sham, 2), sham)
    beyond = lengths.gained(lengths.retention(loop, 2), loop, sham_kept.isel(seed=[3, 1]))
    assert beyond.seed.values.tolist() in ([1, 3], [3, 1])
    np.testing.assert_allclose(beyond, -0.2, atol=1e-12)
    reached = lengths.gained(lengths.reach(loop, 2), loop)
    np.testing.assert_allclose(reached[0], 2 * (-0.1 + wobble))


@pytest.mark.parametrize(
    "loop, sham, expected",
    [
        ((0.3, 0.0), (0.1, 0.0), True),  # retention below both
        ((0.0, 0.3), (0.0, 0.1), True),  # reach below both
        ((0.3, 0.0), (0.3, 0.0), False),  # the sham loses as much
        ((0.0, -0.1), (0.0, -0.3), False),  # below the sham, above the base
        ((0.3, -0.1), (0.5, -0.3), False),  # retention below the base, reach below the sham
        ((-0.05, 0.0), (0.0, 0.0), False),
    ],
)
def test_collapse_is_below_the_base_and_below_the_sham(loop, sham, expected):
    found = lengths.collapse(runs(*loop), runs(*sham).isel(rate=0))
    assert found.collapsed.dims == ("rate",) and found.collapsed.values.tolist() == [expected]
    assert found.retention.value == pytest.approx([-loop[0]], abs=1e-2)
    assert found.reach_beyond_sham.value == pytest.approx([2 * (sham[1] - loop[1])], abs=1e-2)
    depth = lengths.depth(lengths.collapse(*(runs(*x).isel(rate=0) for x in (loop, sham))), 2)
    assert (depth.high < 0) == expected
    higher = [max(-x, y - x) for x, y in zip(loop, sham, strict=True)]
    assert depth.value == pytest.approx(2 * min(higher), abs=2e-2)


def test_one_base_collapses_nowhere_and_a_diverged_run_solves_nothing():
    loop, sham = runs(0.3, 0.3), runs(0.0, 0.0)
    assert not lengths.collapse(loop.isel(seed=[0]), sham).collapsed.any()
    lost = loop.diverged.copy()
    lost[:, :, 1] = 1
    found = lengths.collapse(runs(0.0, 0.0).assign(diverged=lost), sham)
    assert found.collapsed.all() and found.retention.value == pytest.approx([-0.9], abs=0.02)


def test_bases_are_aligned_on_seed():
    loop, sham = runs(0.3, 0.1), runs(0.1, 0.1, seeds=[4, 5, 6, 7, 8, 9])
    found = lengths.collapse(loop, sham)
    assert found.retention.num.tolist() == [6] and found.retention_beyond_sham.num.tolist() == [2]
