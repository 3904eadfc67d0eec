"""The boundary that a lapse predicts: the reference beside its controls, with known effects."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from avax import plotting
from avax.analysis import law, lengths
from avax.sweeps import needs
from configs import response as config
from paper_figures import beside
from paper_figures import fig_response as figure
from paper_figures import response_effects as effects

ALL = "all rounds"


@pytest.fixture(scope="module")
def parts():
    """Made-up runs, but that the reference gains 0.1 less 0.4 x FPR, its sham -0.1, and with a
    frozen generator 0.05, evenly over rounds and at all lengths.
    """
    sweeps = needs.parts(config, config.build("smoke"), config.CONTROLS)
    assert tuple(sweeps) == figure.PARTS
    found = {name: needs.made_up(sweep) for name, sweep in sweeps.items()}
    gains = {effects.LINE: 0.1 - 0.4 * found[effects.LINE].fpr, "control/sham": -0.1}
    for part, gain in (gains | {"control/frozen_generator": 0.05}).items():
        data = found[part]
        reached = 0.5 + 0.01 * data.seed + gain * data["round"] / data["round"].max()
        for name in ("accuracy", "accuracy_by_difficulty"):
            each = xr.broadcast(reached, data[name])[0].transpose(*data[name].dims)
            data[name] = each.copy(data=np.array(each))
    return found


def alone(parts) -> list[xr.Dataset | None]:
    """The same without controls."""
    return [None if name.startswith("control/") else x for name, x in parts.items()]


def test_effects_are_differences_from_the_controls_that_were_run(parts):
    line, both = parts[effects.LINE], list(parts.values())
    assert effects.compounded(ALL, *both).value == pytest.approx(0.1 - 0.4 - 0.05)
    known = lengths.base_length(line)
    most = max(known, line.sizes["difficulty"] - known)
    assert effects.collapse(ALL, *both).value == pytest.approx(-0.2 * most)  # 0.2 below the sham
    for effect in (effects.collapse, effects.compounded):
        found = effect(ALL, *alone(parts))
        assert np.isnan(found.value) and found.num == 0


def test_the_boundary_from_the_sham_is_where_the_gain_falls_to_it(parts):
    """To -0.1 at FPR 0.5, a third of the way from 0.4 to 0.7; to 0 at 0.25."""
    line, lapse, sham = (parts[x] for x in (effects.LINE, "lapse/reference", "control/sham"))
    measured = effects.boundaries(line, lapse, sham)["measured"].value
    assert measured == pytest.approx(0.4 * (7 / 4) ** (1 / 3))
    assert 0.2 < effects.boundaries(line, lapse)["measured"].value < 0.4


def test_the_law_from_both_ends_beside_the_response(parts):
    """0.1 is gained without errors and 0.3 lost without a filter."""
    line = parts[effects.LINE]
    picks, odds = np.arange(line.sizes["seed"]), law.odds_after(line.sizes["round"] - 1)
    said = effects.from_both_ends(line, picks)
    assert said == pytest.approx(0.1 / (0.1 + (1 + odds) * 0.3))
    idle = line.assign(accuracy=line.accuracy.where(line.fpr < 1, 0.5))
    assert np.isnan(effects.from_both_ends(idle, picks))  # as GRPO where all is accepted
    # Measured 0.1: the law says four times as much, the response twice.
    assert effects.law_less_response(np.array([0.1, 0.2, 9, 0.4])) == pytest.approx(np.log(2))


def test_controls_are_drawn_and_told_of_where_they_were_run(parts):
    for datasets, is_there in ((parts.values(), True), (alone(parts), False)):
        data = effects.named(list(datasets))
        axes = plotting.paper_figure(2).subplots()
        figure.draw_line(axes, data)
        named = [x.get_text() for x in axes.get_legend().get_texts()]
        assert ("sham" in named and "frozen generator" in named) == is_there
        lines = list(beside.control_lines("it", data[effects.LINE], effects.controls_of(data)))
        told = [x for x in lines if "loop minus frozen generator: -0.35" in x]
        assert len(told) == is_there and bool(lines) == is_there
