"""Laws of the boundary: fixed points by iteration, maps by hand, limits that must hold."""

from __future__ import annotations

import numpy as np
import pytest

from avax.analysis import law
from avax.analysis.law import LengthMap

BASE = np.array([1.0, 0.95, 0.6, 0.2])
ALL_KEPT = np.ones((31, 4))
ROUNDS = slice(21, 31)


@pytest.mark.parametrize("base, eps", [(0.5, 0.1), (0.8, 0.05), (0.67, 0.12)])
def test_a_settled_loop_stays_at_its_base_behind_the_predicted_ratio(base, eps):
    ratio = law.settled(base, eps)
    assert law.trajectory(base, eps, ratio, 50)[-1] == pytest.approx(base, abs=1e-9)
    for other, sign in ((0.9 * ratio, 1), (1.1 * ratio, -1)):
        assert sign * (law.trajectory(base, eps, other, 1)[1] - base) > 0


def test_from_what_is_lost_without_a_filter():
    assert law.unfiltered(0.6, 0.0) == 1
    assert law.unfiltered(0.6, 0.2) == pytest.approx(0.5)  # 1 / (1 + 0.4 / 0.4)
    assert law.unfiltered(0.6, -0.1) == pytest.approx(2)
    assert law.unfiltered(0.6, -0.3) == np.inf
    for base, loss in ((0.6, 0.2), (0.67, 0.113), (0.5, 0.01)):
        ratio = law.unfiltered(base, loss)
        margin = (1 - ratio) / (1 + ratio)
        assert margin * (1 - base) - (1 - margin) * loss == pytest.approx(0)


def test_from_both_ends():
    assert law.between(0.3, 0.1, 1.0) == pytest.approx(0.6)  # 0.3 / (0.3 + 2 * 0.1)
    assert law.between(0.4, 0.2, 1.0) == law.unfiltered(0.6, 0.2)  # 1 - base is gained
    assert law.between(0.3, 0.0, 2.0) == 1
    assert law.between(0.3, -0.2, 1.0) == np.inf  # it gains without a filter
    assert law.between(-0.1, 0.2, 1.0) == 0  # nothing gains
    np.testing.assert_allclose(law.between([0.3, -0.1], [0.1, 0.2], 1.0), [0.6, 0])
    unknown = ((np.nan, 0.1), (0.2, np.nan), (0.2, np.inf), (-np.inf, 0.1))
    assert all(np.isnan(law.between(gained, lost, 1.0)) for gained, lost in unknown)
    assert np.isnan(law.unfiltered(0.6, np.nan))


@pytest.mark.parametrize("accuracy", [0.2, 0.5, 0.8])
def test_from_both_ends_gains_are_linear_in_the_precision_of_labels(accuracy):
    gained, lost = 0.25, 0.12
    ratio = law.between(gained, lost, (1 - accuracy) / accuracy)
    precision = accuracy / (accuracy + ratio * (1 - accuracy))
    share = (precision - accuracy) / (1 - accuracy)  # 1 behind a perfect verifier, 0 without one
    assert share * gained - (1 - share) * lost == pytest.approx(0)
    ends = law.gained_at([0, ratio, 1], gained, lost, (1 - accuracy) / accuracy)
    np.testing.assert_allclose(ends, [gained, 0, -lost], atol=1e-12)


def test_odds_fall_with_the_number_of_rounds():
    assert [law.odds_after(n) for n in (5, *law.AFTER, 80)] == pytest.approx([3.9, *law.ODDS, 0.7])
    assert law.odds_after(14) ** 2 == pytest.approx(3.9 * 1.9, rel=0.04)  # half way


def test_the_settled_law_as_a_map():
    found = law.trajectory(0.5, 0.1, 1.0, 3)
    np.testing.assert_allclose(found, 0.5 * 0.9 ** np.arange(4))  # without a filter it decays to 0
    assert law.trajectory(0.5, 0.1, 0.0, 2)[-1] == pytest.approx(0.9)
    assert law.trajectory(0.5, 0.1, law.settled(0.5, 0.1), 9)[-1] == pytest.approx(0.5)


def test_settled_by_hand():
    assert law.spoilt(0.8, 0.6) == pytest.approx(0.25)
    assert law.settled(0.5, 0.1) == pytest.approx(0.8)
    assert law.settled(0.5, 0.0) == 1  # nothing is spoilt: up to no information
    assert law.settled(0.9, 0.2) == 0  # more is spoilt than can be learned
    assert law.settled(0.5, -0.1) == pytest.approx(1.2)


def test_one_round_by_hand():
    found = LengthMap(0.5, 1.0, 2.0).trajectory(np.array([0.5]), np.array([[1.0], [0.9]]), 0.25)
    taught = 0.5 / (0.5 + 2 * 0.25 * 0.5)  # 2 / 3
    assert found[1] == pytest.approx(0.9 * (0.5 + 0.5 * (taught - 0.5)))
    found = LengthMap(0.5, 1.0, 2.0).trajectory(np.array([0.5]), np.array([[1.0], [1.0]]), 1.0)
    assert found[1] == pytest.approx(1 / 3)  # all of the way down


def test_without_damage_and_filter_nothing_moves():
    found = LengthMap(0.3, 0.3, 1.0).trajectory(BASE, ALL_KEPT, 1.0)
    np.testing.assert_allclose(found, np.tile(BASE, (31, 1)))


def test_more_false_positives_never_help():
    means = [law.FITTED.trajectory(BASE, ALL_KEPT, r)[-1].mean() for r in np.linspace(0, 2, 21)]
    assert (np.diff(means) < 0).all()
    assert means[0] > BASE.mean() > means[-1]


def test_at_the_boundary_nothing_is_gained():
    kept = np.concatenate([np.ones((1, 4)), np.tile([0.9, 0.9, 1, 1], (30, 1))])
    ratio = law.FITTED.boundary(BASE, kept, ROUNDS)
    found = law.FITTED.trajectory(BASE, kept, ratio)[ROUNDS].mean()
    assert 0 < ratio < 1 and found == pytest.approx(BASE.mean(), abs=1e-4)


def test_the_more_is_kept_the_higher_is_the_boundary():
    def boundary(share):
        kept = np.concatenate([np.ones((1, 4)), np.tile([share, share, 1, 1], (30, 1))])
        return law.FITTED.boundary(BASE, kept, ROUNDS)

    found = [boundary(share) for share in (0.8, 0.9, 0.95, 1.0)]
    assert found == sorted(found) and found[0] < found[-1]


def test_open_ends():
    nothing = np.concatenate([np.ones((1, 4)), np.full((30, 4), 0.3)])
    assert law.FITTED.boundary(BASE, nothing, ROUNDS) == 0
    assert LengthMap(0.3, 0.0, 1.0).boundary(BASE, ALL_KEPT, ROUNDS) == np.inf


def test_a_faster_round_goes_as_far_as_there_is():
    assert LengthMap(0.1, 0.4, 2.0).faster(3) == pytest.approx((0.3, 1.0, 2.0))


def test_only_what_is_known_is_spoilt():
    frozen = np.array([BASE, [0.9, 1.0, 0.3, 0.1]])
    np.testing.assert_allclose(law.kept(BASE, frozen), [[1, 1, 1, 1], [0.9, 1.0, 1, 1]])
