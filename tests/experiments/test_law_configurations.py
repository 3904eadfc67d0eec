"""The configurations of `law`: what is run without a verifier, and behind which."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from avax import struct
from avax.verifiers import AcceptAll, Oracle, Placebo
from configs import law as config

CONFIGURATIONS = [name for name in config.CONFIGURATIONS if "grpo" not in name]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_is_run_without_a_verifier_is_blind(name):
    sweep = config.build("shipped", name)
    sham, frozen, line = config.parts(sweep).values()
    assert list(config.parts(sweep)) == ["sham", "frozen", ""]  # the prediction comes first
    assert sham.base.learner.base_rate == 1 and isinstance(sham.base.verifier, AcceptAll)
    assert frozen.base.frozen_generator == 1 and line.base.frozen_generator == 0
    verifier = frozen.base.verifier
    assert verifier.fpr == pytest.approx(1 - verifier.fnr) and not frozen.axes and not sham.axes
    (fpr,) = line.axes.values()
    np.testing.assert_allclose(np.array(fpr) / (1 - line.base.verifier.fnr), config.RATIOS)
    assert sham.num_seeds == frozen.num_seeds == line.num_seeds == 32


@pytest.mark.parametrize("name", config.CONFIGURATIONS)
def test_each_differs_from_the_reference_in_what_it_names_alone(name):
    """GRPO in its learner besides."""
    sweep, reference = (config.build("shipped", x) for x in (name, "reference"))
    fields = config.CONFIGURATIONS[name]
    for path, value in fields.items():
        assert struct.get(sweep, path) == value
        sweep = struct.replace(sweep, path, struct.get(reference, path))
    sweep = dataclasses.replace(sweep, axes=reference.axes)
    if "grpo" in name:
        sweep = struct.replace(sweep, "base.learner", reference.base.learner)
    assert sweep == reference


def test_frontiers_go_equally_far():
    for name in ("frontier_1", "frontier_2", "frontier_4"):
        base = config.build("shipped", name).base
        assert base.curriculum.bounds(base.num_rounds) == (9, 29)


def test_all_learn_as_the_reference_but_for_what_they_are_named_after():
    reference = config.build("shipped", "reference").base
    assert reference.num_rounds == config.NUM_ROUNDS
    short = config.build("shipped", "updates_8").base
    assert short.learner == reference.learner.replace(num_updates=8)
    slow = config.build("shipped", "rate_1e-3").base
    assert slow == reference.replace(learner=reference.learner.replace(learning_rate=1e-3))


def test_a_group_relative_learner_has_a_placebo_for_a_sham():
    sham, frozen, line = config.parts(config.build("shipped", "grpo")).values()
    assert sham.base.verifier == Placebo(Oracle(fpr=0.5)) and sham.base.frozen_generator == 0
    assert frozen.base == sham.base.replace(frozen_generator=1)
    assert line.base.num_rounds == config.NUM_ROUNDS
