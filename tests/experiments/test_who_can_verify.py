"""Experiments on gaps, length and self-trust: their parts, and what their figures find."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

from avax.analysis import seeds
from avax.curricula import Fixed
from avax.fields import ConfigError
from avax.sweeps import needs
from avax.verifiers import Likelihood, MajorityVote, Oracle
from configs import gap, length_generalization, self_trust
from paper_figures import fig_gap, fig_length_generalization, fig_self_trust, self_trust_claims


@pytest.mark.parametrize(
    "config, change, words",
    [
        (length_generalization, {"axes": {}}, "axes: are none, must be curriculum.reach"),
        (length_generalization, {"curriculum": Fixed()}, "base.curriculum: is Fixed"),
        (gap, {"axes": {}}, "must be curriculum.step, curriculum.start"),
        (gap, {"verifier": MajorityVote()}, "the parts of this experiment set it"),
        (self_trust, {"axes": {"verifier.fpr": (0.0,)}}, "must be none"),
        (self_trust, {"verifier": Likelihood()}, "the parts of this experiment set it"),
    ],
)
def test_what_does_not_fit_is_refused(config, change, words):
    sweep = config.build("laptop")
    axes = change.pop("axes", sweep.axes)
    with pytest.raises(ConfigError, match=words):
        changed = dataclasses.replace(sweep, base=sweep.base.replace(**change), axes=axes)
        needs.parts(config, changed)


def test_gates_of_self_trust():
    """Self-trust is measured where a policy is asked, and all loops differ in their gate alone."""
    sweep = self_trust.build("laptop")
    with_controls = needs.parts(self_trust, sweep, self_trust.CONTROLS)
    assert tuple(with_controls) == fig_self_trust.PARTS
    parts = self_trust.parts(sweep)
    assert set(fig_self_trust.JUDGES) == set(self_trust.SELF_JUDGES)
    probe = parts["likelihood"].base.probe
    for name, part in parts.items():
        measured = set(part.base.probe.metrics(part.base.task))
        assert ("trust_fpr" in measured) == (name in self_trust.SELF_JUDGES)
        assert "same_wrong" in measured
        assert part.base.replace(verifier=Oracle(), probe=probe) == self_trust.build("laptop").base


def test_parts_of_gap_differ_in_gate_and_width():
    """And a smaller sweep has one width only, so that it compiles few programs."""
    sweep = gap.build("laptop")
    parts = gap.parts(sweep)
    assert tuple(needs.parts(gap, sweep, gap.CONTROLS)) == fig_gap.PARTS
    assert {p.pretraining.model.width for p in parts.values()} == set(gap.WIDTHS)
    assert all(p.base.replace(verifier=Oracle()) == sweep.base for p in parts.values())
    assert {type(j).__name__ for j in gap.JUDGES} == set(fig_gap.JUDGES)
    smoke = gap.parts(gap.build("smoke"))
    assert len({p.pretraining.model.width for p in smoke.values()}) == 1


def test_interval_over_seeds_leaves_out_what_is_not_known():
    values = xr.DataArray([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]], dims=("seed", "k"))
    mean, low, high = seeds.interval(values)
    assert mean[0] == 2 and low[0] < 1 < 3 < high[0]
    assert np.isnan([mean[1], low[1], high[1]]).all()
    alone = xr.DataArray([[0.5]], dims=("seed", "k"))
    assert seeds.shown(alone.isel(k=0)) == "0.50 (nan, nan)"


def test_self_trust_is_what_neither_author_nor_reader_explains():
    """A hard author, a lenient reader, and 0.3 of self-trust on top."""
    author, reader = {"own": 0.1, "other": 0.25}, {"own": 0.2, "other": 0.05}
    values = xr.DataArray(
        [[reader[r] + author[a] + 0.3 * (r == a == "own") for a in author] for r in reader],
        coords={"reader": list(reader), "author": list(author)},
        dims=("reader", "author"),
    )
    assert float(fig_self_trust.self_trust(values)) == pytest.approx(0.3)


def judged(accepted: list[float], right: list[float]) -> xr.Dataset:
    """Three rounds of two bases that are alike."""
    found = {"accept_rate": accepted, "sampled_accuracy": right, "diverged": [0.0] * 4}
    values = {name: (("seed", "round"), [x, x]) for name, x in found.items()}
    return xr.Dataset(values, {"seed": [0, 1], "round": range(4)})


def test_a_gate_is_compared_with_a_frozen_generator_and_a_sham():
    """Likelihood accepts 0.3 less in the end than at first, and 0.5 less of what the base writes;
    by self-evaluation 0.2 and 0.1 fewer are right than in a sham, of rounds 2 and 3.
    """
    nan = float("nan")
    given = {
        "likelihood": judged([nan, 0.9, 0.5, 0.6], [nan, 1, 1, 1]),
        "self_evaluation": judged([nan, 1, 1, 1], [nan, 0.1, 0.3, 0.2]),
        "control/none_sham": judged([nan, 1, 1, 1], [nan, 0.9, 0.5, 0.3]),
        "control/likelihood_frozen_generator": judged([nan, 0.9, 0.5, 0.4], [nan, 1, 1, 1]),
    }
    parts = [given.get(part) for part in fig_self_trust.PARTS]
    found = self_trust_claims.more_than_frozen(*parts)
    assert found.value == pytest.approx(0.2) and found.num == 2
    found = self_trust_claims.less_right_than_sham("self_evaluation", *parts)
    assert found.value == pytest.approx(0.15) and found.num == 2
    gates = [part if part in fig_self_trust.GATES else "" for part in fig_self_trust.PARTS]
    alone = [given.get(part) for part in gates]
    assert self_trust_claims.more_than_frozen(*alone).num == 0
    assert self_trust_claims.less_right_than_sham("self_evaluation", *alone).num == 0


@pytest.mark.parametrize(
    "config, figure, words",
    [
        (
            length_generalization,
            fig_length_generalization,
            {"frozen generator, no filter", "sham, no filter", "frozen generator, truth"},
        ),
        (
            self_trust,
            fig_self_trust,
            {"frozen generator, no filter", "sham", "frozen generator, likelihood"},
        ),
    ],
)
def test_controls_are_drawn_and_told(config, figure, words):
    sweeps = needs.parts(config, config.build("smoke"), config.CONTROLS)
    parts = [needs.made_up(sweeps[part]) for part in figure.PARTS]
    named = {x.get_text() for x in figure.draw(*parts).legends[0].get_texts()}
    assert words < named
    told = figure.summary(*parts)
    assert all(x in told for x in words)
