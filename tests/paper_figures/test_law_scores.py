"""Errors of laws over configurations: by hand, and how often their intervals hold."""

from __future__ import annotations

import numpy as np
import pytest

from paper_figures import law_scores as scores

LEAST = 0.92  # coverage that is asked of an interval of 95 %
NUM_BASES, NUM_SIMULATED = 32, 300


def test_errors_by_hand():
    said, measured = (np.log(np.array([x] * 3)) for x in ([0.2, 0.4], [0.1, 0.8]))
    found = scores.Places(said, measured)
    assert scores.typical(found) == pytest.approx(np.log(2))
    assert scores.over_constant(found) == pytest.approx(np.log(2) - np.log(8) / 2)
    assert scores.own(found, np.array([0.1, 0.3])) == pytest.approx(np.log(2) ** 2 - 0.05)
    np.testing.assert_allclose(scores.to_one(found).off[0], np.log([0.8 / 0.9, 0.6 / 0.2]))
    assert scores.typical(found.without(0)) == pytest.approx(np.log(2))
    assert scores.of_all(found, scores.typical, log=True).value == pytest.approx(np.log(2))


def simulated(key, num: int, spread: float, noise: float, shared: float) -> scores.Places:
    """A law whose errors have a standard deviation of `spread` over configurations, measured with
    `noise`, of which a share of the variance is common to all as they have the same bases.
    """
    common, each = key.normal(size=(NUM_BASES, 1)), key.normal(size=(NUM_BASES, num))
    values = np.sqrt(NUM_BASES) * noise * (np.sqrt(shared) * common + np.sqrt(1 - shared) * each)
    without = (values.sum(0) - values) / (NUM_BASES - 1)
    measured = key.normal(0, 0.3, num) - np.concatenate([values.mean(0)[None], without])
    said = measured[:1] + values.mean(0) + key.normal(0, spread, num)
    return scores.Places(np.repeat(said, NUM_BASES + 1, axis=0), measured)


@pytest.mark.parametrize("num, spread, noise", [(12, 0.1, 0.1), (12, 0.2, 0.1), (18, 0.05, 0.12)])
@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_intervals_hold(num, spread, noise, shared):
    key = np.random.default_rng(0)
    held = np.zeros(2)
    for _ in range(NUM_SIMULATED):
        places = simulated(key, num, spread, noise, shared)
        low, high = scores.of_all(places, scores.typical, log=True)[1:3]
        held[0] += low <= np.hypot(spread, noise) <= high
        error = scores.errors(places)
        low, high = scores.of_all(places, lambda x, error=error: scores.own(x, error))[1:3]
        held[1] += low <= spread**2 <= high
    assert (held / NUM_SIMULATED >= LEAST).all(), held / NUM_SIMULATED
