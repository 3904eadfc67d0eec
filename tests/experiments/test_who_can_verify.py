"""Experiments on gaps, length and self-trust: their parts, and what their figures find."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

from avax.analysis import phase, seeds
from avax.curricula import Fixed, Frontier
from avax.fields import ConfigError
from avax.learners import Population
from avax.sweeps import needs
from avax.verifiers import Likelihood, MajorityVote, Oracle
from configs import gap, length_generalization, self_trust
from paper_figures import fig_length_generalization, fig_self_trust
from paper_figures import length_generalization as length_numbers


def test_arms_differ_in_one_thing_each():
    sweep = length_generalization.build("laptop")
    parts = needs.parts(length_generalization, sweep, length_generalization.CONTROLS)
    assert tuple(parts) == fig_length_generalization.PARTS
    oracle = parts["oracle"]
    assert oracle.base.task.max_difficulty == 100 and oracle.base.verifier == Oracle()
    assert oracle.axes == {"curriculum.reach": (fig_length_generalization.REACH,)}
    steady = parts["steady"]
    assert steady == length_generalization.shortened(oracle)
    assert isinstance(steady.base.curriculum, Frontier) and not steady.axes
    for name in ("none", "length"):
        assert parts[name].base.replace(verifier=Oracle()) == steady.base
    vote = parts["vote"].base
    assert vote.learner == Population(oracle.base.learner, threshold=0.75)
    assert vote.replace(learner=oracle.base.learner, verifier=Oracle(), num_bases=1) == steady.base
    plain = parts["plain"].base
    assert plain.replace(task=steady.base.task) == steady.base and not plain.task.reversed_digits


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


def arms(**accuracies) -> dict[str, xr.Dataset | None]:
    """Runs of one base by arm or control, right on labels as on the newest length."""
    found = {}
    for part, accuracy in accuracies.items():
        data = frontier(accuracy)
        right = data.accuracy_by_difficulty.isel(difficulty=2, drop=True)
        found[part] = data.assign(diverged=0 * data.accuracy, sampled_accuracy=right)
    names = [part.replace("control/", "") for part in length_numbers.PARTS]
    return {name: found.get(name) for name in names}


def test_arms_are_compared_with_their_own_controls():
    """Without a filter a base of 2 digits comes to lose 1.5, with a sham 0.5, frozen 1."""
    lost = {x: [[1, 1, 0.5, 0], [1, 1, 0.5, 0], [1, 1 - x, 0.5 - x, 0]] for x in (0.25, 0.5)}
    loop = [[1, 1, 0.5, 0], [1, 1, 0.25, 0], [0.5, 0.5, 0, 0]]
    runs = arms(none=loop, none_sham=lost[0.25], none_frozen_generator=lost[0.5])
    data = {
        part: run
        for part, run in zip(length_numbers.PARTS, runs.values(), strict=True)
        if run is not None
    }
    found = length_numbers.beside_controls(data)
    assert found[length_numbers.COMPOUNDED]["no filter"].item() == -1.5 + 1
    assert found[length_numbers.BEYOND_SHAM]["no filter"].item() == -1.5 + 0.5
    # Labels of lengths 3 and 4 in two rounds: 0.25 and 0, of the sham 0.5 and 0.25.
    assert found[length_numbers.NEWEST_BEYOND]["sham"].item() == -0.25
    judged = length_numbers.collapse(data, length_numbers.END)
    assert judged.retention.value == -0.5 and judged.retention_beyond_sham.value == -0.5 + 0.125
    assert judged.reach.value == -0.5 and judged.reach_beyond_sham.value == -0.5 + 0.25
    del data["control/none_sham"]
    assert length_numbers.collapse(data, length_numbers.END) is None




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


def test_speed_is_told_by_the_seeds_that_got_there():
    data = frontier([[1, 1, 0.5, 0], [1, 1, 1, 0], [1, 1, 1, 1]])
    assert length_numbers.posed_length(data).values.tolist() == [2, 3, 4]
    solved = phase.solved_length(data)
    assert length_numbers.rounds_until(solved, 3).values.tolist() == [1]
    assert length_numbers.speed_cell(solved, 4) == "2.0 (1)"
    assert length_numbers.speed_cell(solved, 5) == "-"
    waits = data.assign_attrs(config={"base": {"curriculum": {"start": 3, "reach": 8}}})
    assert length_numbers.posed_length(waits) is None


def test_labels_are_compared_with_the_untouched_base_at_the_same_length():
    """Up to twice the base's 2 digits: 3, where the base is at 0.5, and 4, where it is at 0.25."""
    data = frontier([[1, 1, 0.5, 0.25, 0], *4 * [[1, 1, 1, 1, 1]]])
    right = "sampled_accuracy", (("seed", "round"), [[np.nan, 0.5, 0.75, 0.0, 0.0]])
    data = data.assign(dict([right]))
    assert length_numbers.base_right(data).values[0, :3].tolist() == [0.5, 0.25, 0.0]
    assert length_numbers.newest(data).values.tolist() == [0.25]
    measured = data.assign(base_accuracy=0 * data.sampled_accuracy + 0.5)
    assert length_numbers.newest(measured).values.tolist() == [0.125]


def test_falls_growth_and_wrong_labels():
    """Solved: 20 digits in round 0, 40 in round 2, 80 in round 3, with a fall of 15 between."""
    rounds = {"round": np.arange(5)}
    solved = xr.DataArray([[20.0, 35, 40, 80, 65]], rounds | {"seed": [0]}, ("seed", "round"))
    assert length_numbers.growth(solved).values.tolist() == [40 / 1 - 20 / 2]
    assert length_numbers.deepest_fall(solved).values.tolist() == [15]
    assert np.isnan(length_numbers.growth(solved - 1)).all()  # never at 80
    labels = {"label_precision": [[np.nan, 1, 0.5, np.nan]], "num_accepted": [[np.nan, 30, 10, 0]]}
    data = xr.Dataset({name: (("seed", "round"), x) for name, x in labels.items()})
    assert length_numbers.wrong_labels(data).values.tolist() == [5 / 40]
    assert np.isnan(length_numbers.wrong_labels(data.assign(num_accepted=0 * data.num_accepted)))


def test_what_is_kept_is_told_from_what_is_reached():
    """A base of 2 digits that forgets half of one and learns another."""
    data = frontier([[1, 1, 0, 0], [1, 1, 0.5, 0], [1, 0.5, 1, 0]])
    found = {name: x.item() for name, x in length_numbers.kept_and_reached(data)}
    assert found == {
        "known, middle": 0, "known, end": -0.5, "longer, middle": 0.5, "longer, end": 1
    }  # fmt: skip
