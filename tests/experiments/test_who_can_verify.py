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
from avax.verifiers import Likelihood, MajorityVote
from configs import gap, length_generalization, self_trust
from paper_figures import fig_length_generalization, fig_self_trust


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


def test_interval_over_seeds_leaves_out_what_is_not_known():
    values = xr.DataArray([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]], dims=("seed", "k"))
    mean, low, high = seeds.interval(values)
    assert mean[0] == 2 and low[0] < 1 < 3 < high[0]
    assert np.isnan([mean[1], low[1], high[1]]).all()
    alone = xr.DataArray([[0.5]], dims=("seed", "k"))
    assert seeds.shown(alone.isel(k=0)) == "0.50 (nan, nan)"


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
            {"frozen generator, no filter", "sham"},
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
