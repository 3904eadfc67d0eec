"""Probes against counting by hand, and what they leave alone."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import loop, metrics, source, struct
from avax.curricula import Fixed
from avax.fields import ConfigError
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models import transformer
from avax.probes import PROBES, Both, Gap, Overlap, PassAt, SelfTrust, judging
from avax.probes.gap import filter_gap
from avax.probes.pass_at import pass_at
from avax.probes.self_trust import area_by_author, matched_weight
from avax.sweeps.sweep import Sweep
from avax.sweeps.tables import empty_dataset
from avax.sweeps.validate import validate
from avax.tasks import Addition, Copy, Multiplication
from avax.types import Metric, Probe
from avax.verifiers import AcceptAll, CommitFirst, CrossModel, Likelihood, Oracle

RNG = np.random.default_rng(0)
MODEL = transformer.TransformerConfig(num_layers=1, num_heads=1, width=8)
BASES = jax.vmap(lambda k: transformer.init(k, MODEL))(jax.random.split(jax.random.key(0), 2))
EXPERIMENT = Experiment(
    task=Copy(max_difficulty=2),
    curriculum=Fixed(highest=2),
    verifier=Oracle(),
    learner=FilteredSFT(num_problems=4, num_updates=1, batch_size=4, num_kept=1),
    base_difficulty=1,
    num_bases=2,
    num_rounds=2,
    num_eval=2,
)
SMALL = {"num_problems": 3, "num_samples": 2}


@jax.jit
def run(experiment):
    return loop.run(experiment, BASES, jax.random.key(1))


@pytest.mark.parametrize(
    "n, c, k", [(n, c, k) for n in (1, 3, 6) for c in range(n + 1) for k in range(1, n + 1)]
)
def test_pass_at_is_the_share_of_subsets_with_a_right_one(n, c, k):
    subsets = list(itertools.combinations([True] * c + [False] * (n - c), k))
    expected = sum(any(s) for s in subsets) / len(subsets)
    assert pass_at(jnp.array([c]), n, k)[0] == pytest.approx(expected, abs=1e-6)
    assert len(subsets) == math.comb(n, k)


def test_gap_by_hand():
    correct = jnp.array([[1, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]], bool)
    accept = jnp.array([[1, 0, 0, 0], [1, 0, 0, 1], [0, 0, 0, 0]], bool)
    # 1/2 -> 1, 1/4 -> 1/2, and none is accepted: as it was.
    assert filter_gap(correct, accept) == pytest.approx((1 / 2 + 1 / 4 + 0) / 3)
    assert filter_gap(correct, correct) == pytest.approx((1 / 2 + 3 / 4 + 3 / 4) / 3)
    assert filter_gap(correct, jnp.ones_like(accept)) == 0
    assert filter_gap(correct, ~correct) == pytest.approx(-(1 / 2 + 1 / 4 + 1 / 4) / 3)


def test_area_is_the_share_of_pairs_in_the_right_order():
    score = RNG.integers(0, 4, (2, 5, 3)) / 4  # with ties
    wrong = RNG.random((2, 5, 3)) < 0.5
    weight, matched = matched_weight(jnp.asarray(wrong))
    np.testing.assert_array_equal(matched, wrong.any(-1).all(0))
    found = area_by_author(jnp.asarray(score), jnp.asarray(~wrong), weight)
    for author in range(2):
        right = score[author][~wrong[author]]
        per_problem = [
            np.mean([(right > s).mean() + (right == s).mean() / 2 for s in scores[bad]])
            for scores, bad, both in zip(score[author], wrong[author], matched, strict=True)
            if both
        ]
        assert 0 < len(per_problem) < 5
        assert found[author] == pytest.approx(np.mean(per_problem), rel=1e-5)


def test_without_a_problem_that_both_get_wrong_nothing_is_known():
    weight, matched = matched_weight(jnp.array([[[True]], [[False]]]))
    assert not matched.any()
    score = jnp.ones((2, 1, 1))
    assert np.isnan(area_by_author(score, jnp.ones((2, 1, 1), bool), weight)).all()


@struct.dataclass
class Tattler:
    """A judge that says who it was asked to be: it accepts if its policy's embedding is large."""

    uses_ground_truth: ClassVar[bool] = False

    def init(self, key, bases):
        return ()

    def verify(self, key, state, policy, rollout, grade):
        score = jnp.where(policy.embed.mean() > 0, 0.9, 0.1)
        return (
            Likelihood()
            .verify(key, (), policy, rollout, None)
            ._replace(score=jnp.full(rollout.mask.shape[0], score))
        )

    def update(self, key, state, policy, info, grades):
        return state


def test_self_trust_asks_the_reader():
    """The first axis behind the judges is who is asked, and the second whose mistakes they are."""
    shift = jnp.array([5.0, -5.0])[:, None, None]
    bases = BASES.replace(embed=BASES.embed + shift)
    experiment = EXPERIMENT.replace(probe=SelfTrust((Tattler(),), **SMALL))
    state = loop.init(experiment, bases, jax.random.key(2))
    found = jax.jit(source.probed)(experiment, state)
    assert found["trust_fpr"].shape == (2, 2, 2)
    np.testing.assert_array_equal(found["trust_fpr"][0], 0)  # the oracle
    np.testing.assert_array_equal(found["trust_fpr"][1], [[1, 1], [0, 0]])


@pytest.mark.slow
def test_a_probe_measures_several_runs_at_a_time():
    """With the numbers of one run alone."""
    experiment = EXPERIMENT.replace(probe=SelfTrust((Likelihood(), CrossModel()), **SMALL))
    states = jax.vmap(lambda key: loop.init(experiment, BASES, key))(
        jax.random.split(jax.random.key(5), 2)
    )
    found = jax.jit(jax.vmap(source.probed, (None, 0)))(experiment, states)
    one = jax.jit(source.probed)(experiment, jax.tree.map(lambda x: x[1], states))
    for name, values in found.items():
        np.testing.assert_allclose(values[1], one[name], atol=1e-5)


def test_equals_have_all_mistakes_in_common():
    twins = jax.tree.map(lambda x: jnp.repeat(x[:1], 2, axis=0), BASES)
    experiment = EXPERIMENT.replace(probe=Overlap(num_problems=20))
    found = {}
    for name, bases in (("twins", twins), ("others", BASES)):
        state = loop.init(experiment, bases, jax.random.key(3))
        found[name] = {k: float(v) for k, v in jax.jit(source.probed)(experiment, state).items()}
    assert found["twins"]["same_wrong"] == found["twins"]["own_error"] > 0
    assert found["others"]["same_wrong"] < found["others"]["both_wrong"]
    for each in found.values():
        assert (
            each["same_wrong"] <= each["both_wrong"] <= min(each["own_error"], each["other_error"])
        )


@pytest.fixture(scope="module")
def plain():
    return run(EXPERIMENT)


@pytest.mark.parametrize(
    "probe",
    [
        Both(Gap((AcceptAll(), CrossModel(), CommitFirst()), **SMALL), PassAt((1, 2), **SMALL)),
        pytest.param(
            Both(
                SelfTrust((Likelihood(), Likelihood(threshold=0.1)), **SMALL),
                Overlap(num_problems=3),
            ),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["gap", "self_trust"],
)
def test_a_probe_measures_and_changes_nothing(probe, plain):
    """All else is the same bit by bit; before the first round nothing is known."""
    policy, found = run(EXPERIMENT.replace(probe=probe))
    for one, other in zip(*map(jax.tree.leaves, (policy, plain[0])), strict=True):
        np.testing.assert_array_equal(one, other)
    for name, values in plain[1].items():
        np.testing.assert_array_equal(found.pop(name), values)
    assert set(found) == set(probe.metrics(EXPERIMENT.task))
    for name, metric in probe.metrics(EXPERIMENT.task).items():
        assert found[name].shape == (3, *map(len, metric.dims.values()))
        assert np.isnan(found[name][0]).all()
    if "gap" in found:
        accept_all, oracle = found["gap"][1:, 1], found["gap"][1:, 0]
        np.testing.assert_array_equal(accept_all, 0)
        assert (oracle >= np.max(found["gap"][1:], axis=1) - 1e-6).all()


def test_results_have_the_dimensions_of_the_probe():
    probe = Both(Gap((Likelihood(),)), PassAt((1, 2)))
    sweep = Sweep(EXPERIMENT.replace(probe=probe), axes={"verifier.fpr": (0.0, 0.5)}, num_seeds=3)
    data = empty_dataset(sweep)
    assert data.gap.dims == ("fpr", "seed", "round", "judge")
    assert data.judge.values.tolist() == ["own", "Likelihood"] and data.k.values.tolist() == [1, 2]
    assert data.pass_at.shape == (2, 3, 3, 2)
    assert (
        data.relative_gap.attrs["description"]
        == probe.metrics(EXPERIMENT.task)["relative_gap"].about
    )


def test_judges_are_told_apart():
    assert judging.judge_names((Likelihood(), Oracle(), Likelihood())) == (
        "own", "Likelihood1", "Oracle", "Likelihood2",
    )  # fmt: skip


@pytest.mark.parametrize("name", PROBES)
def test_protocol(name):
    assert isinstance(PROBES[name], Probe)


def test_a_probe_that_needs_another_base_says_so():
    alone = EXPERIMENT.replace(num_bases=1)
    for probe in (SelfTrust(), Both(Gap(), Overlap()), Gap((CrossModel(),))):
        with pytest.raises(ConfigError, match="num_bases: is 1, must be at least 2"):
            validate(Sweep(alone.replace(probe=probe)))
        validate(Sweep(EXPERIMENT.replace(probe=probe)))


def test_a_judge_in_a_probe_can_be_swept_and_is_checked():
    probe = Gap((Likelihood(), CrossModel()))
    path = "probe.verifiers.0.threshold"
    sweep = Sweep(EXPERIMENT.replace(probe=probe), axes={path: (0.1, 1)})
    validate(sweep)
    assert [s.probe.verifiers[0].threshold for s in sweep.settings()] == [0.1, 1.0]
    assert sweep.settings()[1].probe.verifiers[1] == CrossModel()
    with pytest.raises(ConfigError, match=path):
        validate(Sweep(EXPERIMENT.replace(probe=probe), axes={path: (0.1, 1.5)}))
    with pytest.raises(AttributeError):
        struct.get(probe, "verifiers.2.threshold")


@struct.dataclass
class ByLength:
    """The task's own problems of each length, as the policy answers them."""

    def metrics(self, task):
        return {"by_length": Metric("greedy accuracy", {"length": self._lengths(task)})}

    def _lengths(self, task):
        return tuple(range(1, task.max_difficulty + 1))

    def requires(self, context):
        return context.task_has("operator") if context.experiment.num_rounds == 7 else None

    def init(self, key, bases):
        return ()

    def measure(self, key, state, subject):
        problems = metrics.eval_problems(subject.task, 3, key)
        found = metrics.of_policy(subject.policy, subject.task, problems)
        return {"by_length": found["accuracy_by_difficulty"]}


def test_a_probe_knows_the_task():
    """What it measures may depend on it, and must be the same of all tasks of a sweep."""
    experiment = EXPERIMENT.replace(probe=ByLength())
    state = loop.init(experiment, BASES, jax.random.key(4))
    assert jax.eval_shape(source.probed, experiment, state)["by_length"].shape == (2,)
    assert metrics.blank(experiment)["by_length"].shape == (3, 2)
    data = empty_dataset(Sweep(experiment, num_seeds=3))
    assert data.by_length.dims == ("seed", "round", "length") and data.length.values.tolist() == [
        1,
        2,
    ]
    validate(Sweep(experiment))
    with pytest.raises(ConfigError, match="base.task: is Copy, must have two operands"):
        validate(Sweep(experiment.replace(num_rounds=7)))


def test_of_all_tasks_of_a_sweep_a_probe_measures_the_same():
    @struct.dataclass
    class OfOperands(ByLength):
        def _lengths(self, task):
            return tuple(task.features)

    sweep = Sweep(
        EXPERIMENT.replace(task=Addition(2), probe=OfOperands()),
        axes={"task": (Addition(2), Multiplication(2))},
    )
    with pytest.raises(ConfigError, match="base.probe: OfOperands measures other things of diff"):
        validate(sweep)
    validate(dataclasses.replace(sweep, base=sweep.base.replace(probe=ByLength())))
