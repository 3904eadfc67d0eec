"""Numbers that a learner reports of its own: measured in every round, labelled, checked."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_sweeps import BASE, SMALL

from avax import loop, metrics, struct
from avax.engine.run import Engine
from avax.fields import ConfigError
from avax.learners import FilteredSFT, Population
from avax.models import transformer
from avax.probes import PassAt
from avax.sweeps import tables
from avax.sweeps.sweep import Sweep
from avax.sweeps.validate import validate
from avax.types import Metric

MODEL = transformer.TransformerConfig(num_layers=1, num_heads=1, width=8)
HALVES = ("first", "second")


@struct.dataclass
class Reports(FilteredSFT):
    """Says which share of each half of its completions was accepted, and how many rounds it did."""

    def metrics(self, task):
        return {
            "accepted_by_half": Metric("share of a half that is accepted", {"half": HALVES}),
            "rounds_kept": Metric("rounds in memory so far", {}),
        }

    def step(self, key, state, source):
        state, info = FilteredSFT.step(self, key, state, source)
        halves = info.verdicts.accept.reshape(2, -1).mean(1)
        seen = state.memory.num_seen.astype(jnp.float32)
        return state, info._replace(own={"accepted_by_half": halves, "rounds_kept": seen})


def of(cls, **changes):
    """The base's learner as one of another class."""
    values = {f.name: getattr(BASE.learner, f.name) for f in dataclasses.fields(BASE.learner)}
    return BASE.replace(learner=cls(**values), **changes)


def bases(count):
    keys = jax.random.split(jax.random.key(0), count)
    return jax.vmap(lambda key: transformer.init(key, MODEL))(keys)


@pytest.mark.parametrize("num_members", [1, 2])
def test_a_run_has_them_beside_all_others(num_members):
    """Of a population, those of its first member."""
    experiment = of(Reports, num_bases=num_members)
    if num_members > 1:
        experiment = experiment.replace(learner=Population(experiment.learner))
    found = jax.eval_shape(loop.run, experiment, bases(num_members), jax.random.key(1))[1]
    assert found.keys() == metrics.METRICS.keys() | {"accepted_by_half", "rounds_kept"}
    assert found["accepted_by_half"].shape == (BASE.num_rounds + 1, 2)


def test_they_are_labelled():
    data = tables.empty_dataset(Sweep(of(Reports), axes={"verifier.fpr": (0.0, 1.0)}))
    assert data.accepted_by_half.dims == ("fpr", "seed", "round", "half")
    assert data.half.values.tolist() == list(HALVES)
    assert data.rounds_kept.dims == ("fpr", "seed", "round")
    assert data.rounds_kept.attrs["description"] == "rounds in memory so far"


def test_where_learners_differ_all_their_numbers_are_there():
    other = FilteredSFT(num_problems=8)
    data = tables.empty_dataset(Sweep(BASE, axes={"learner": (other, of(Reports).learner)}))
    assert {"accepted_by_half", "rounds_kept"} <= set(data)

    @struct.dataclass
    class OtherMeaning(FilteredSFT):
        def metrics(self, task):
            return {"rounds_kept": Metric("something else", {})}

    sweep = Sweep(BASE, axes={"learner": (OtherMeaning(), of(Reports).learner)})
    with pytest.raises(ConfigError, match=r"axes: rounds_kept has other dimensions or another"):
        tables.empty_dataset(sweep)


@pytest.mark.parametrize(
    "reported, line",
    [
        ({"loss": {}}, "learner: reports loss, as every run does; must be another name"),
        ({"pass_at": {}}, "learner: reports pass_at, as the probe does"),
        ({"x": {"k": ("a",)}}, "learner: reports x by k, which has other values elsewhere"),
        ({"x": {"round": (1, 2)}}, "learner: reports x by round, which has other values"),
        ({"x": {"difficulty": (1,)}}, "learner: reports x by difficulty, which has other values"),
        ({"seed": {}}, "report seed, which is a dimension; must be another name"),
        ({"x": {"x": (1,)}}, "report x, which is a dimension; must be another name"),
    ],
)
def test_a_name_that_is_taken_is_refused(reported, line):
    @struct.dataclass
    class Takes(FilteredSFT):
        def metrics(self, task):
            return {name: Metric("", dims) for name, dims in reported.items()}

    experiment = of(Takes, probe=PassAt())
    with pytest.raises(ConfigError, match=line) as caught:
        validate(Sweep(experiment))
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match=line):
        metrics.blank(experiment)


def test_by_the_dimensions_of_a_run_they_may_be_measured():
    @struct.dataclass
    class ByLength(FilteredSFT):
        def metrics(self, task):
            return {"x": Metric("", {"difficulty": (1, 2)})}

    data = tables.empty_dataset(Sweep(of(ByLength)))
    assert data.x.dims == ("seed", "round", "difficulty")


@pytest.mark.parametrize(
    "own, line",
    [
        ({}, r"step, as StepInfo.own,: returns a dict of nothing, must return a dict of a"),
        ({"b": jnp.zeros(())}, r"returns a dict of b, must return a dict of accepted_by_half"),
        (
            {"accepted_by_half": jnp.zeros(3), "rounds_kept": jnp.zeros(())},
            r"accepted_by_half is float32\[3\], must be float32\[2\]",
        ),
    ],
)
def test_what_is_reported_is_what_was_said(own, line):
    @struct.dataclass
    class Misreports(Reports):
        def step(self, key, state, source):
            state, info = FilteredSFT.step(self, key, state, source)
            return state, info._replace(own=own)

    with pytest.raises(ConfigError, match=line):
        jax.eval_shape(loop.run, of(Misreports), bases(1), jax.random.key(1))


@pytest.mark.slow
def test_a_sweep_over_learners_stores_them(tmp_path):
    """Through the engine, to the disk and back: NaN in round 0, and of a learner without them."""
    from toys import execute

    axes = {"learner": (BASE.learner, of(Reports).learner)}
    config = dataclasses.replace(SMALL, axes=axes, num_seeds=1)
    data = execute(config, tmp_path, Engine(tmp_path / "bases"))
    plain, reports = data.isel(learner=0, seed=0), data.isel(learner=1, seed=0)
    assert plain.accepted_by_half.isnull().all()
    np.testing.assert_array_equal(reports.rounds_kept, [np.nan, 1, 2])
    halves = reports.accepted_by_half.isel(round=slice(1, None)).mean("half")
    np.testing.assert_allclose(halves, reports.accept_rate.isel(round=slice(1, None)))
