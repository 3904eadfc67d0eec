"""The experiment on longer and longer sums: its arms, and what its figures find."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

from avax.analysis import phase
from avax.curricula import Frontier
from avax.learners import Population
from avax.sweeps import needs
from avax.verifiers import Oracle
from configs import length_generalization
from paper_figures import fig_length_generalization
from paper_figures import length_generalization as length_numbers
from paper_figures import length_generalization_falls as falls
from paper_figures import length_generalization_growth as growth
from paper_figures import length_generalization_words as words


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


def arms(**accuracies) -> dict[str, xr.Dataset | None]:
    """Runs of one base by arm or control, right on labels as on the newest length."""
    found = {}
    for part, accuracy in accuracies.items():
        data = frontier(accuracy)
        right = data.accuracy_by_difficulty.isel(difficulty=2, drop=True)
        found[part] = data.assign(diverged=0 * data.accuracy, sampled_accuracy=right)
    names = [part.replace("control/", "") for part in length_numbers.PARTS]
    return {name: found.get(name) for name in names}


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
    for name, other in (("slow", "oracle"), ("slow_none", "none")):
        fast = parts[other].base
        slow = fast.learner.replace(learning_rate=3e-4, num_updates=3 * fast.learner.num_updates)
        assert parts[name].base == fast.replace(learner=slow)
        assert parts[name].axes == parts[other].axes
    clipped = oracle.base.replace(learner=oracle.base.learner.replace(max_grad_norm=1e-3))
    assert parts["clipped"] == dataclasses.replace(oracle, base=clipped)
    far = oracle.base.replace(curriculum=steady.base.curriculum)
    assert parts["far"] == dataclasses.replace(oracle, base=far, axes={})
    assert parts["again"].base == steady.base.replace(replicate=1)
    frozen = parts["control/vote_frozen_generator"].base
    assert frozen == parts["vote"].base.replace(frozen_generator=1)
    vote = parts["vote"].base
    assert vote.learner == Population(oracle.base.learner, threshold=0.75)
    assert vote.replace(learner=oracle.base.learner, verifier=Oracle(), num_bases=1) == steady.base


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
    # Labels of length 4 in the second round: 0, of the sham 0.25; up to 3 digits there are none.
    assert found[length_numbers.NEWEST_BEYOND]["sham, to 20 digits"].item() == -0.25
    judged = length_numbers.collapse(data, "none", length_numbers.END)
    assert judged.retention.value == -0.5 and judged.retention_beyond_sham.value == -0.5 + 0.125
    assert judged.reach.value == -0.5 and judged.reach_beyond_sham.value == -0.5 + 0.25
    del data["control/none_sham"]
    assert length_numbers.collapse(data, "none", length_numbers.END) is None


def test_speed_is_told_by_the_seeds_that_got_there():
    data = frontier([[1, 1, 0.5, 0], [1, 1, 1, 0], [1, 1, 1, 1]])
    assert length_numbers.posed_length(data).values.tolist() == [2, 3, 4]
    solved = phase.solved_length(data)
    assert length_numbers.rounds_until(solved, 3).values.tolist() == [1]
    assert words.speed_cell(solved, 4) == "2.0 (1)"
    assert words.speed_cell(solved, 5) == "-"
    waits = data.assign_attrs(config={"base": {"curriculum": {"start": 3, "reach": 8}}})
    assert length_numbers.posed_length(waits) is None


def test_labels_are_compared_with_the_untouched_base_at_the_same_length():
    """Up to twice the base's 2 digits, but for the first round: 4 digits, where it is at 0.25."""
    data = frontier([[1, 1, 0.5, 0.25, 0], *4 * [[1, 1, 1, 1, 1]]])
    right = "sampled_accuracy", (("seed", "round"), [[np.nan, 0.5, 0.75, 0.0, 0.0]])
    data = data.assign(dict([right]))
    assert length_numbers.base_right(data).values[0, :3].tolist() == [0.5, 0.25, 0.0]
    assert length_numbers.newest(data).values.tolist() == [0.5]
    assert length_numbers.newest(data, times=2.5).values.tolist() == [0.25]
    measured = data.assign(base_accuracy=0 * data.sampled_accuracy + 0.5)
    assert length_numbers.newest(measured).values.tolist() == [0.25]


def by_round(*rows) -> xr.DataArray:
    """Solved lengths f[S, R + 1]."""
    return xr.DataArray(np.array(rows, float), dims=("seed", "round"))


def test_falls_by_hand():
    """40 of 80 digits at first, as deep as 60 of 98 and 2 of 100 later."""
    early = [20.0, 80, 40, 98, *[98] * 8, 100, 98]
    late = [20.0, 60, 98, 100, 40, *[98] * 7, 100, 0]
    never = [10.0] * 14
    solved = by_round(early, late, never)
    np.testing.assert_allclose(falls.deepest_fall(solved), [0.5, 1, 0])
    # Of the ten rounds from 80 digits on: the last of `late` is beyond them.
    np.testing.assert_allclose(falls.late_fall(solved), np.log2([40, 60, np.nan]))
    assert np.isnan(falls.late_fall(solved.isel(round=slice(10)))).all()  # too few rounds
    assert falls.is_there(solved).tolist() == [1, 1, 0]
    flat = by_round([20.0, *[90] * 12])
    assert falls.late_fall(flat).tolist() == [0]  # at least a digit


def test_wrong_labels():
    labels = {"label_precision": [[np.nan, 1, 0.5, np.nan]], "num_accepted": [[np.nan, 30, 10, 0]]}
    data = xr.Dataset({name: (("seed", "round"), x) for name, x in labels.items()})
    assert length_numbers.wrong_labels(data).values.tolist() == [5 / 40]
    assert np.isnan(length_numbers.wrong_labels(data.assign(num_accepted=0 * data.num_accepted)))


def test_what_is_kept_is_told_from_what_is_reached():
    """A base of 2 digits that forgets half of one and learns another."""
    data = frontier([[1, 1, 0, 0], [1, 1, 0.5, 0], [1, 0.5, 1, 0]])
    found = {name: x.item() for name, x in length_numbers.kept_and_reached(data, "none")}
    assert found == {
        "known, middle": 0, "known, end": -0.5, "longer, middle": 0.5, "longer, end": 1
    }  # fmt: skip


def test_in_a_dip_short_lengths_are_told_from_long_ones():
    """Of 10 digits that were solved one of the two known is lost, and six of the other eight."""
    base, best = [1.0] * 2 + [0.0] * 8, [1.0] * 10
    dip = [1.0, 0.0] + [1.0] * 2 + [0.0] * 6
    found = falls.in_the_dip(frontier([base, best, dip, best]))
    assert found.tolist() == [0.5 - 0.25]
    shallow = falls.in_the_dip(frontier([base, best, [*[1.0] * 7, 0.0, 0.0, 0.0], best]))
    assert np.isnan(shallow).all()


ROUNDS = np.arange(30.0)


PATHS = {
    growth.LINEAR: 10 + 2 * ROUNDS,
    growth.FASTER: 10 * 1.08**ROUNDS,
    growth.SATURATING: 10 + 60 * (1 - np.exp(-ROUNDS / 8)),
}


@pytest.mark.parametrize("name", PATHS)
def test_each_kind_of_growth_is_predicted_best_by_its_own_model(name):
    rng = np.random.default_rng(0)
    for _ in range(5):
        found = growth.errors(PATHS[name] + rng.normal(size=ROUNDS.size), 1000)
        assert min(found, key=found.get) == name


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
def test_the_power_of_growth_is_found(p):
    rng = np.random.default_rng(0)
    path = 10 + 50 * (ROUNDS / ROUNDS[-1]) ** p
    found = [growth.power(path + rng.normal(size=path.size), 1000) for _ in range(8)]
    assert np.mean(found) == pytest.approx(np.log(p), abs=0.1)
    assert np.isnan(growth.power(10 + 0 * path, 1000))  # stalled


def test_growth_is_compared_until_nearly_all_is_solved():
    full = np.minimum(PATHS[growth.FASTER], 50)
    with_more = growth.errors(np.append(full, np.zeros(9)), 50)
    assert with_more == growth.errors(full, 50)
    assert np.isnan(list(growth.errors(full, 15).values())).all()  # too few rounds until then
    exact = growth.errors(PATHS[growth.LINEAR], 1000)
    assert exact[growth.LINEAR] == pytest.approx(np.log(growth.EXACT))
