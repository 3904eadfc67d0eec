"""One curve through settings that have bases of their own, against surfaces that are known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from made_designs import FNR, FPR, design

from avax.analysis import phase, surface

nan = float("nan")


def test_a_design_that_is_dealt_out_is_told_from_one_that_is_not():
    assert phase.is_dealt(design(12, 2)) and not phase.is_dealt(design(12))
    assert not phase.is_dealt(design(5).where(design(5).fpr > 0.1))


@pytest.mark.parametrize("k", [0.0, 0.5, 1.0, 2.0])
def test_without_noise_the_surface_is_found(k):
    order = design(12, 3, spread=0.0, noise=1e-4, k=k)
    found = surface.exponent(order)
    assert found.low <= found.value <= found.high and found.num == 12
    assert found.value == pytest.approx(k, abs=0.03)
    lines, _ = surface.boundaries(order)
    np.testing.assert_allclose(lines[:, 0], 0.1 * (1 - FNR) ** k, rtol=0.05)


def test_laws_of_the_surface():
    order = design(16, 3, seed=1)
    lines, ratio = surface.boundaries(order)
    for other in (order.isel(seed=slice(None, None, -1)), order.transpose("seed", "fnr", "fpr")):
        np.testing.assert_allclose(surface.boundaries(other)[0], lines, rtol=1e-6)
    assert surface.boundary_ratio(order) == ratio
    scaled, same = surface.boundaries(3 * order + 1, level=1.0)
    np.testing.assert_allclose(scaled, lines, rtol=1e-4)
    assert same == pytest.approx(ratio, rel=1e-4)
    moved = order.assign_coords(fpr=order.fpr / 2)
    np.testing.assert_allclose(surface.boundaries(moved)[0], lines / 2, rtol=1e-4)
    np.testing.assert_allclose(surface.exponent(moved), surface.exponent(order), rtol=1e-4)


def test_levels_of_bases_are_not_taken_for_effects_of_settings():
    """Bases differ by more than settings do, yet each is compared with itself."""
    order = design(16, 6, noise=0.01, spread=0.0, level=0.5)
    found = surface.exponent(order)
    assert found.value == pytest.approx(1, abs=0.05) and found.high - found.low < 0.2


def test_ends_beyond_what_was_run_are_open():
    order = design(12, 3, centre=np.log(30.0), noise=0.02)
    lines, ratio = surface.boundaries(order)
    assert np.isinf(lines).any(1)[0] and lines[0, 2] == ratio.high == np.inf
    lines, ratio = surface.boundaries(design(12, 3, centre=np.log(1e-5), noise=0.02))
    assert lines[0, 1] == ratio.low == 0


def test_where_there_is_too_little_nothing_is_known():
    one = design(12, 2).isel(seed=[0])
    assert np.isnan(surface.exponent(one)[:3]).all() and np.isnan(surface.boundaries(one)[0]).all()
    assert np.isnan(surface.boundary_ratio(one).value)
    row = design(12, 4).isel(fnr=[0])
    assert np.isnan(surface.exponent(row)[:3]).all() and surface.boundaries(row)[1].value > 0
    empty = design(12, 2).where(False)
    assert np.isnan(surface.boundaries(empty)[1][:3]).all()
    corner = design(12, 4)
    corner = corner.assign_coords(fpr=[0.0, *FPR[1:]], fnr=[*FNR[:-1], 1.0])  # no logarithms
    lines, _ = surface.boundaries(corner)
    assert np.isnan(lines[-1]).all() and np.isfinite(lines[:-1, 0]).all()


def test_phase_boundary_takes_the_surface_for_a_dealt_design():
    order = design(32, 4, seed=3)
    found = phase.boundary(order)
    lines, ratio = surface.boundaries(order)
    np.testing.assert_array_equal(np.stack([found.fpr, found.low, found.high], 1), lines)
    assert found.ratio == ratio and ratio.num == 32 and np.isnan(found.by_base).all()
    twice = xr.concat([order + 0.01, order - 0.01], "replicate")
    assert phase.boundary(twice).ratio == pytest.approx(ratio, rel=1e-6)


def test_a_run_that_diverged_counts_as_the_lowest():
    order = design(16, 3, seed=2)
    lost = order.copy()
    worst = np.unravel_index(np.nanargmin(order.values), order.shape)
    lost[worst] = -np.inf
    second = np.sort(order.values[~np.isnan(order.values)])[1]
    expected = order.copy()
    expected[worst] = second
    np.testing.assert_allclose(surface.boundaries(lost)[0], surface.boundaries(expected)[0])
