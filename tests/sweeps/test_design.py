"""Which runs a design has, and what they draw."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest
from small_sweeps import BASE, PRETRAINING, SMALL

from avax import struct
from avax.fields import ConfigError
from avax.learners import GRPO, FilteredSFT
from avax.loop import run
from avax.models import transformer
from avax.sweeps import design, needs
from avax.sweeps.stacking import run_keys, stack_members
from avax.sweeps.sweep import Sweep
from avax.sweeps.validate import validate
from avax.verifiers import Oracle

BALANCED = dataclasses.replace(SMALL, num_seeds=5, design="balanced", num_runs=2)
SHAPES = [(), (5,), (16, 16), (7, 4), (3, 3, 3), (4, 4), (1, 6), (16, 3)]


def data(keys):
    return jax.random.key_data(keys).tolist()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("num_bases, num_runs", [(2, 1), (3, 1), (5, 2), (7, 7), (16, 1), (32, 3)])
def test_a_balanced_design(shape, num_bases, num_runs):
    """Every base as often as any other or once more, in no setting twice, in no two neighbours."""
    found = design.balanced(shape, num_bases, num_runs)
    assert found.shape == (np.prod(shape, dtype=int), num_runs)
    assert all(len(set(row)) == num_runs for row in found.tolist())
    counts = np.bincount(found.ravel(), minlength=num_bases)
    assert len(counts) == num_bases and np.ptp(counts) <= 1
    table = found.reshape(*shape, num_runs)
    for axis in range(len(shape)):
        rows = np.moveaxis(table, axis, 0)
        beside = rows[1:, ..., :, None] == rows[:-1, ..., None, :]
        assert not beside.any() or num_bases < 4 * num_runs * len(shape)


def test_a_base_has_all_values_of_each_axis():
    """As often as others, or nearly, on the main job's map and theory's. Turns that only shift from
    row to row would give a base two of sixteen columns.
    """
    for shape, num_runs, most in (((16, 16), 2, 2), ((7, 4), 5, 3), ((16, 16), 1, 2)):
        dealt = design.balanced(shape, 32, num_runs).reshape(*shape, num_runs)
        for axis in range(2):
            rows = np.moveaxis(dealt, axis, 0).reshape(shape[axis], -1)
            counts = np.stack([np.bincount(row, minlength=32) for row in rows])
            assert counts.max() <= most
        again = design.balanced(shape, 32, num_runs).reshape(*shape, num_runs)
        assert (dealt == again).all()


def test_two_bases_make_a_chessboard():
    found = design.balanced((4, 6), 2, 1).reshape(4, 6)
    assert (found == (np.add.outer(np.arange(4), np.arange(6)) + found[0, 0]) % 2).all()


def test_bases_that_were_left_out_are_in_no_setting():
    admitted = np.array([True, False, True, True, False])
    found = design.made(BALANCED, admitted)
    assert not found[:, ~admitted].any() and (found.sum(1) == 2).all()
    assert found[:, admitted].sum(0).tolist() == [4, 4, 4]
    every = design.made(dataclasses.replace(SMALL, num_seeds=5), admitted)
    assert (every == admitted).all()


def test_settings_that_are_the_same_have_the_same_bases():
    """And count once: the number of samples is one that only GRPO has here."""
    axes = {
        "learner": (FilteredSFT(num_samples=1), GRPO()),
        "learner.kl_coef": (0.0, 0.1, 0.2),
    }
    config = dataclasses.replace(BALANCED, axes=axes, num_seeds=4, num_runs=1)
    found = design.made(config, np.ones(4, bool)).reshape(2, 3, 4)
    assert (found[0] == found[0, 0]).all() and found[1].sum(0).max() == 1
    assert found[1].sum() == 3 and not (found[0, 0] & found[1].any(0)).any()


def test_replicates_have_the_same_bases():
    axes = {"verifier.fpr": (0.0, 0.5), "replicate": (0, 1), "verifier.fnr": (0.0, 0.1, 0.2)}
    found = design.made(dataclasses.replace(BALANCED, axes=axes), np.ones(5, bool))
    first, second = np.moveaxis(found.reshape(2, 2, 3, 5), 1, 0)
    assert (first == second).all() and np.ptp(first.sum((0, 1))) <= 1
    assert not (first[0] & first[1]).any()


@pytest.mark.parametrize(
    "changes, line",
    [
        ({"num_runs": 2}, "num_runs: is 2, which is for --design balanced"),
        ({"design": "balanced", "num_runs": 3}, "num_runs: is 3, must be at most num_seeds = 2"),
        ({"num_runs": 0}, "num_runs: is 0, must be at least 1"),
        ({"design": "half"}, "design: is 'half', must be one of all, balanced"),
        ({"base_criterion": 1.5}, r"base_criterion: is 1.5, must lie in \[0, 1\]"),
    ],
)
def test_what_is_no_design_is_refused(changes, line):
    with pytest.raises(ConfigError, match=line):
        validate(dataclasses.replace(SMALL, **changes))


def test_too_few_bases_are_refused():
    strict = dataclasses.replace(BALANCED, base_criterion=0.9)
    one = np.array([False, True, False, False, False])
    with pytest.raises(ConfigError, match=r"^num_runs: is 2, and 1 of 5 bases meet .* of 0.9: "):
        design.made(strict, one)
    with pytest.raises(ConfigError, match=r"^base_criterion: is 0.9, and no base .*seeds 3 to 7: "):
        design.made(strict, np.zeros(5, bool))


def test_members_are_the_runs_that_are_made():
    """With the keys and bases that they have among all runs."""
    bases = {"w": np.arange(5.0)[:, None]}
    settings, group = BALANCED.settings(), [4, 1]
    made = design.made(BALANCED, np.ones(5, bool))
    (_, every, keys, _), runs = stack_members(BALANCED, settings, group, bases)
    (stacked, own, some, _), chosen = stack_members(BALANCED, settings, group, bases, made)
    rows = [runs.tolist().index(run) for run in chosen]
    assert made.ravel()[chosen].all() and len(chosen) == 4
    assert own["w"].tolist() == every["w"][rows].tolist() and data(some) == data(
        keys[np.array(rows)]
    )
    rates = [settings[i].verifier.fpr for i in (4, 4, 1, 1)]
    assert stacked.verifier.fpr.tolist() == np.float32(rates).tolist()


def test_a_figure_is_rehearsed_with_the_runs_of_the_design():
    made = design.made(BALANCED, np.ones(5, bool)).reshape(3, 2, 5)
    found = needs.made_up(BALANCED)
    assert (found.accuracy.notnull().all("round").values == made).all()
    assert (found.diverged.notnull().all("round").values == made).all()


def test_a_replicate_is_another_draw_of_the_same_base():
    settings = [BASE.replace(replicate=i) for i in (0, 1, 2)]
    for common in (False, True):
        keys = data(run_keys(settings, (3, 4), common))
        assert len({tuple(key) for key in keys}) == 6
    assert data(run_keys(settings[:1], (3,))) == data(run_keys([BASE], (3,)))


def test_common_random_numbers_are_those_of_seed_and_replicate_alone():
    settings = [struct.replace(BASE, "verifier.fpr", x) for x in (0.0, 0.5)]
    settings += [x.replace(replicate=1) for x in settings]
    first, other, again, last = np.array(data(run_keys(settings, (3, 4), True))).reshape(4, 2, -1)
    assert (first == other).all() and (again == last).all()
    assert (first != again).any(1).all() and (first[0] != first[1]).any()
    config = dataclasses.replace(SMALL, common_random_numbers=True)
    bases = {"w": np.zeros((2, 1))}
    (_, _, keys, _), _ = stack_members(config, config.settings(), [0, 5], bases)
    keys = data(keys)
    assert keys[:2] == keys[2:] and config.digest() != SMALL.digest()


@pytest.mark.slow
def test_what_has_no_effect_yet_makes_no_difference_to_common_random_numbers():
    """Before anything is trained a learning rate has none: equal data of round 1. Without common
    random numbers, and in a second run, these differ.
    """
    learner = BASE.learner.replace(num_problems=256)
    base = BASE.replace(num_rounds=1, learner=learner, verifier=Oracle(fpr=0.5))
    axes = {"learner.learning_rate": (1e-3, 1e-2), "replicate": (0, 1)}
    policy = transformer.init(jax.random.key(0), PRETRAINING.model)
    bases = jax.tree.map(lambda x: np.asarray(x)[None, None], policy)
    go, measured = jax.jit(jax.vmap(run)), {}
    for common in (False, True):
        config = Sweep(base, PRETRAINING, axes, common_random_numbers=common)
        members, _ = stack_members(config, config.settings(), [0, 1, 2, 3], bases)
        found = go(*members)[1]
        names = ("sampled_accuracy", "completion_length", "accept_rate")
        measured[common] = np.stack([found[name][:, 1] for name in names], 1)
        assert len({tuple(row) for row in measured[common].tolist()}) == (2 if common else 4)
    low, low_again, high, high_again = measured[True]
    assert (low == high).all() and (low_again == high_again).all()
