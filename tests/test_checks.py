"""What a plug-in returns wrongly ends in one line that names it, before anything runs."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import pytest
from small_sweeps import SMALL

from avax import checks, struct
from avax.curricula import Fixed
from avax.engine.run import Engine
from avax.fields import ConfigError
from avax.learners import FilteredSFT
from avax.probes import PassAt
from avax.tasks import Copy
from avax.verifiers import AcceptAll


@struct.dataclass
class WrongScore(AcceptAll):
    def verify(self, key, state, policy, rollout, grade):
        verdict = AcceptAll.verify(self, key, state, policy, rollout, grade)
        return verdict._replace(score=verdict.score[:, None])


@struct.dataclass
class Truth(AcceptAll):
    def verify(self, key, state, policy, rollout, grade):
        verdict = AcceptAll.verify(self, key, state, policy, rollout, grade)
        return verdict._replace(score=verdict.score > 0)


@struct.dataclass
class ScoreAlone(AcceptAll):
    def verify(self, key, state, policy, rollout, grade):
        return AcceptAll.verify(self, key, state, policy, rollout, grade).score


@struct.dataclass
class Growing(AcceptAll):
    def init(self, key, bases):
        return jnp.zeros(1)

    def update(self, key, state, policy, info, grades):
        return jnp.append(state, 0.0)


@struct.dataclass
class Fractions(Fixed):
    def difficulty(self, key, state, round):
        return Fixed.difficulty(self, key, state, round) / 2


@struct.dataclass
class Ungraded(Copy):
    def grade(self, problem, completion):
        return Copy.grade(self, problem, completion)._replace(correct=completion == 0)


@struct.dataclass
class ByProblem(FilteredSFT):
    def step(self, key, state, source):
        state, info = FilteredSFT.step(self, key, state, source)
        return state, info._replace(loss=jnp.zeros(3))


@struct.dataclass
class Unnamed(PassAt):
    def measure(self, key, state, subject):
        return {"other": jnp.zeros(())}


def fields(node):
    """The values of a plug-in's fields, for one of another class."""
    return {f.name: getattr(node, f.name) for f in dataclasses.fields(node)}


BASE = SMALL.base.replace(learner=SMALL.base.learner.replace(num_samples=4))


@pytest.mark.parametrize(
    "wrong, line",
    [
        (
            {"verifier": WrongScore()},
            r"WrongScore.verify: score is float32\[4, 1\], must be .*\[4\]",
        ),
        ({"verifier": Truth()}, r"Truth.verify: score is bool\[4\], must be float32\[4\]"),
        (
            {"verifier": ScoreAlone()},
            r"ScoreAlone.verify: returns .* of 1 array, must return Verdict",
        ),
        ({"verifier": Growing()}, r"Growing.update: .* is float32\[2\], must be float32\[1\]"),
        (
            {"curriculum": Fractions(**fields(BASE.curriculum))},
            r"Fractions.difficulty: .* is float32\[\], must be int32\[\]",
        ),
        (
            {"task": Ungraded(**fields(BASE.task))},
            r"Ungraded.grade: correct is bool\[\d+\], must be bool\[\]",
        ),
        (
            {"learner": ByProblem(**fields(BASE.learner))},
            r"ByProblem.step: loss is float32\[3\], must be float32\[\]",
        ),
        ({"probe": Unnamed()}, r"Unnamed.measure: returns a dict of other, must return a dict of "),
    ],
)
def test_the_line_names_plugin_and_array(tmp_path, wrong, line):
    axes = {} if "verifier" in wrong else SMALL.axes
    config = dataclasses.replace(SMALL, base=BASE.replace(**wrong), axes=axes)
    with pytest.raises(ConfigError, match=line) as caught:
        Engine(tmp_path).prepare([config])
    assert "\n" not in str(caught.value)


def test_what_is_right_passes_unchanged():
    number = jnp.float32(1)
    like = jax.ShapeDtypeStruct((), jnp.float32)
    assert checks.returned(AcceptAll(), "verify", number, like) is number
