"""Boundary tracing: every ray is bracketed, nothing is asked twice, and few settings are enough."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import pytest
import xarray as xr

from avax import results
from avax.analysis import monotone, phase, trace
from paper_figures import command

nan, inf = float("nan"), float("inf")


def replay(truth: np.ndarray) -> tuple[np.ndarray, int]:
    """What a design learns of a diagram that is known, and in how many batches."""
    values, num_batches = np.full(truth.shape, nan), 0
    while asked := trace.next_settings(values):
        num_batches += 1
        assert len({ray for ray, _ in asked}) == len(asked)
        for setting in asked:
            assert np.isnan(values[setting]), "asked twice"
            values[setting] = truth[setting]
        assert num_batches <= truth.shape[1] * 2
    return values, num_batches


def steps(crossings, size: int) -> np.ndarray:
    """Rays that are 1 before their crossing's index, and -1 from there on."""
    return np.where(np.arange(size) < np.asarray(crossings)[:, None], 1.0, -1.0)


@pytest.mark.parametrize("num_rays, size", [(1, 9), (2, 5), (3, 5), (4, 4), (5, 2), (6, 2)])
def test_every_boundary_is_found(num_rays, size):
    """All diagrams that fall along their rays, those that improve nowhere or everywhere too."""
    for crossings in itertools.product(range(size + 1), repeat=num_rays):
        values, _ = replay(steps(crossings, size))
        found = trace.brackets(values)
        assert (found[:, 1] == crossings).all() and (found[:, 0] == found[:, 1] - 1).all()
        assert trace.num_traced(values) == num_rays


@functools.cache
def questions(size: int, crossing: int, guess: float | None) -> int:
    """How many settings one ray takes."""
    low, high, count = -1, size, 0
    while high - low > 1:
        at, count = trace.probe(low, high, size, guess), count + 1
        assert low < at < high
        low, high = (at, high) if at < crossing else (low, at)
    return count


@pytest.mark.parametrize("size", [2, 3, 7, 16, 33, 64])
def test_the_worst_ray(size):
    """Without a guess a ray takes what bisection takes; with one, at most twice that."""
    doublings = math.ceil(math.log2(size + 1))
    guesses = np.arange(-0.5, size, 0.5)
    for crossing in range(size + 1):
        assert questions(size, crossing, None) <= doublings
        counts = [questions(size, crossing, guess) for guess in guesses]
        assert max(counts) <= 2 * doublings
        assert questions(size, crossing, crossing - 0.5) <= 2


def test_the_worst_diagram():
    """Neighbours that say nothing: improvement everywhere on odd rays, nowhere on even ones."""
    for size in (4, 16, 33):
        values, _ = replay(steps([size * (ray % 2) for ray in range(16)], size))
        most = 2 * math.ceil(math.log2(size + 1))
        assert (~np.isnan(values)).sum(1).max() <= min(most, size)


@pytest.mark.parametrize("kind", ["noise", "falling and noisy", "diverged", "ties"])
def test_whatever_the_values_it_ends_in_brackets(kind):
    rng = np.random.default_rng(0)
    for _ in range(100):
        num_rays, size = rng.integers(1, 12, size=2)
        truth = rng.normal(size=(num_rays, size))
        if kind == "falling and noisy":
            truth += rng.uniform(-3, 3, size=(num_rays, 1)) - np.linspace(0, 3, size)
        elif kind == "diverged":
            truth[rng.uniform(size=truth.shape) < 0.5] = -inf
        elif kind == "ties":
            truth = truth.round()
        values, _ = replay(truth)
        found = trace.brackets(values)
        assert (found[:, 1] - found[:, 0] == 1).all()
        x = np.geomspace(0.01, 1, size)
        for row, (low, high) in zip(values, found, strict=True):
            run = ~np.isnan(row)
            crossing, side = monotone.located(x[run], row[run], 0.0)
            assert (side == 1) == (high == size) and (side == -1) == (low < 0 and high < size)
            if side == 0:
                assert x[low] <= crossing <= x[high] * (1 + 1e-9)


def test_a_value_at_the_level_and_a_diverged_one_are_below():
    assert trace.brackets(np.array([[1.0, 0.0], [1.0, -inf], [-inf, -inf]])).tolist() == [
        [0, 1], [0, 1], [-1, 0]
    ]  # fmt: skip
    assert trace.brackets(np.array([[1.0, 0.5]]), level=0.7).tolist() == [[0, 1]]


def test_values_in_the_wrong_order_are_averaged():
    assert trace.brackets(np.array([[nan, -0.1, 0.3, nan]])).tolist() == [[2, 4]]
    assert trace.brackets(np.array([[nan, -0.3, 0.1, nan]])).tolist() == [[-1, 1]]


def test_leaders_first_then_rays_from_their_neighbours():
    values = np.full((7, 16), nan)
    assert trace.next_settings(values) == [(0, 7), (3, 7), (6, 7)]
    values[:4] = steps([12, 0, 0, 6], 16)
    values[1:3] = nan
    asked = dict(trace.next_settings(values))
    assert asked == {1: 10, 2: 8, 6: 7}  # those beside the open leader wait


def wedge(num_rays: int, size: int, noise: float, rng) -> np.ndarray:
    """A ray FPR / (1 - FNR) on axes like the main job's, three decades of FPR, FNR up to 0.9."""
    fnr = np.linspace(0, 0.9, num_rays)[:, None]
    position = size * (rng.uniform(0.4, 0.9) + np.log10(1 - fnr) / 3)
    order = np.tanh(3 * (position - np.arange(size)) / size)
    return order + noise * rng.normal(size=order.shape)


@pytest.mark.parametrize("size, noise, fewer", [(16, 0.0, 6), (16, 0.1, 5.5), (32, 0.1, 11)])
def test_how_many_settings_a_wedge_takes(size, noise, fewer):
    rng = np.random.default_rng(0)
    found = [replay(wedge(size, size, noise, rng)) for _ in range(40)]
    counts = [(~np.isnan(values)).sum() for values, _ in found]
    assert size**2 / np.mean(counts) > fewer
    assert np.mean([num_batches for _, num_batches in found]) < 10


@pytest.mark.parametrize("name", ["noise_phase_diagram", "noise_phase_diagram_fixed"])
def test_the_shipped_diagrams_traced(name):
    """The same boundary, within its interval, from a fifth of the settings or little more. Each has
    two bases, so that a traced map says little of where it is; at the lower learning rate it is at
    the edge of the map.
    """
    order = phase.order_parameter(results.load(command.DATA / f"{name}_rate_3e-3"))
    order = order.transpose("fnr", "fpr", "seed")
    values, num_batches = replay(order.mean("seed").values)
    run = xr.DataArray(~np.isnan(values), dims=("fnr", "fpr"))
    assert order.fpr.size * order.fnr.size >= 4.5 * run.sum() and num_batches <= 12
    one, other = (phase.boundary(x).ratio for x in (order, order.where(run)))
    assert other.low <= one.value <= other.high < 0.5
