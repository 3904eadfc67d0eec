"""Experiments on gaps, length and self-trust: their parts, and what their figures find."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

from avax.analysis import seeds
from avax.curricula import Accelerated, Fixed
from avax.engine.validate import ConfigError
from avax.learners import Population
from avax.verifiers import Likelihood, MajorityVote, Oracle
from configs import gap, length_generalization, self_trust
from paper_figures import fig_gap, fig_length_generalization, fig_self_trust


def test_arms_differ_in_one_thing_each():
    parts = length_generalization.parts(length_generalization.build("laptop"))
    oracle = parts["oracle"].base
    assert oracle.task.max_difficulty == 100 and oracle.verifier == Oracle()
    short = parts["none"].base.replace(verifier=Oracle())
    assert short == length_generalization.shortened(oracle)
    assert parts["length"].base.replace(verifier=Oracle()) == short
    vote = parts["vote"].base
    assert vote.learner == Population(oracle.learner, threshold=0.75)
    assert vote.replace(learner=oracle.learner, verifier=Oracle(), num_bases=1) == short
    plain = parts["plain"].base
    assert plain.replace(task=short.task) == short and not plain.task.reversed_digits
    fast = parts["accelerated"]
    assert isinstance(fast.base.curriculum, Accelerated)
    assert fast.base.replace(curriculum=oracle.curriculum, num_rounds=90) == oracle


@pytest.mark.parametrize(
    "config, change, words",
    [
        (length_generalization, {"axes": {"verifier.fpr": (0.0,)}}, "no axes"),
        (length_generalization, {"curriculum": Fixed()}, "frontier of step 1"),
        (gap, {"axes": {}}, "has two, curriculum.step and curriculum.start"),
        (gap, {"verifier": MajorityVote()}, "the parts set it"),
        (self_trust, {"axes": {"verifier.fpr": (0.0,)}}, "has none"),
        (self_trust, {"verifier": Likelihood()}, "the parts set it"),
    ],
)
def test_what_does_not_fit_is_refused(config, change, words):
    sweep = config.build("laptop")
    axes = change.pop("axes", sweep.axes)
    with pytest.raises(ConfigError, match=words):
        config.parts(dataclasses.replace(sweep, base=sweep.base.replace(**change), axes=axes))


def test_gates_of_self_trust():
    """Self-trust is measured where a policy is asked, and all loops differ in their gate alone."""
    parts = self_trust.parts(self_trust.build("laptop"))
    assert set(fig_self_trust.JUDGES) == set(self_trust.SELF_JUDGES)
    probe = parts["likelihood"].base.probe
    for name, part in parts.items():
        measured = set(part.base.probe.metrics)
        assert ("trust_fpr" in measured) == (name in self_trust.SELF_JUDGES)
        assert "same_wrong" in measured
        assert part.base.replace(verifier=Oracle(), probe=probe) == self_trust.build("laptop").base


def test_parts_of_gap_differ_in_gate_and_width():
    """And a smaller sweep has one width only, so that it compiles few programs."""
    sweep = gap.build("laptop")
    parts = gap.parts(sweep)
    assert tuple(parts) == fig_gap.PARTS
    assert {p.pretraining.model.width for p in parts.values()} == set(gap.WIDTHS)
    assert all(p.base.replace(verifier=Oracle()) == sweep.base for p in parts.values())
    assert {type(j).__name__ for j in gap.JUDGES} == set(fig_gap.JUDGES)
    smoke = gap.parts(gap.build("smoke"))
    assert len({p.pretraining.model.width for p in smoke.values()}) == 1


def test_interval_over_seeds_leaves_out_what_is_not_known():
    values = xr.DataArray([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]], dims=("seed", "k"))
    mean, low, high = seeds.interval(values)
    assert mean[0] == 2 and 1 <= low[0] < 2 < high[0] <= 3
    assert np.isnan([mean[1], low[1], high[1]]).all()
    alone = xr.DataArray([[0.5]], dims=("seed", "k"))
    assert seeds.shown(alone.isel(k=0)) == "0.50 (0.50, 0.50)"


def test_interval_covers_the_mean_of_most_samples():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        _, low, high = seeds.interval(xr.DataArray(rng.normal(size=30), dims="seed"), 200)
        hits += low < 0 < high
    assert 0.85 < hits / 200 <= 1


def test_self_trust_is_what_neither_author_nor_reader_explains():
    """A hard author, a lenient reader, and 0.3 of self-trust on top."""
    author, reader = {"own": 0.1, "other": 0.25}, {"own": 0.2, "other": 0.05}
    values = xr.DataArray(
        [[reader[r] + author[a] + 0.3 * (r == a == "own") for a in author] for r in reader],
        coords={"reader": list(reader), "author": list(author)},
        dims=("reader", "author"),
    )
    assert float(fig_self_trust.self_trust(values)) == pytest.approx(0.3)


def frontier(accuracy) -> xr.Dataset:
    """A run of one seed from a base of 2 digits, one length more a round."""
    accuracy = np.asarray(accuracy, float)[None]
    dims = ("seed", "round", "difficulty")
    coords = {"round": np.arange(accuracy.shape[1]), "difficulty": 1 + np.arange(accuracy.shape[2])}
    data = xr.Dataset({"accuracy_by_difficulty": (dims, accuracy)}, coords)
    config = {"base": {"curriculum": {"start": 3, "step": 1}, "base_difficulty": 2}}
    return data.assign(accuracy=data.accuracy_by_difficulty.mean("difficulty")).assign_attrs(
        config=config
    )


def test_lead_is_what_is_solved_beyond_what_was_trained_on():
    data = frontier([[1, 1, 0.5, 0], [1, 1, 1, 0], [1, 1, 1, 1]])
    trained = fig_length_generalization.trained_length(data)
    assert trained.values.tolist() == [2, 3, 4]
    assert fig_length_generalization.lead(data).values.tolist() == [[0.5, 0, 0]]
    assert fig_length_generalization.all_solved(data).values.tolist() == [2]
    never = frontier([[1, 1, 0.5, 0], [1, 1, 1, 0], [1, 1, 1, 0]])
    assert np.isnan(fig_length_generalization.all_solved(never)).all()
