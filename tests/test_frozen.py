"""The untouched base beside the loop, and in its place: `base_accuracy`, `frozen_generator`."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from copying import TASK, copying_base

from avax import loop
from avax.curricula.fixed import Fixed
from avax.learners import LEARNERS
from avax.learners.filtered_sft import FilteredSFT
from avax.learners.grpo import GRPO
from avax.learners.population import Population
from avax.sweeps import stacking
from avax.sweeps.sweep import Sweep
from avax.sweeps.validate import validate
from avax.types import Source, Verdict
from avax.verifiers import CommitFirst, Oracle

NUM_PROBLEMS, NUM_ROUNDS = 64, 4
LEARNER = FilteredSFT(
    NUM_PROBLEMS, 1, 8, 32, num_kept=1, base_rate=0.0, temperature=0.0, learning_rate=5e-3
)
EXPERIMENT = loop.Experiment(
    TASK, Fixed(1, 2), Oracle(fpr=0.2), LEARNER,
    base_difficulty=2, num_rounds=NUM_ROUNDS, num_eval=32,
)  # fmt: skip
SETTINGS = [  # (frozen, learning rate, temperature)
    (frozen, rate, temperature)
    for temperature in (0.0, 1.0)
    for rate in (0.0, 5e-3)
    for frozen in (0, 1)
]


@pytest.fixture(scope="module")
def base():
    return copying_base()


@pytest.fixture(scope="module")
def runs(base):
    """Metrics [setting, round, ...] of all SETTINGS with one key, by one program."""
    settings = [
        EXPERIMENT.replace(
            frozen_generator=frozen,
            learner=LEARNER.replace(learning_rate=rate, temperature=temperature),
        )
        for frozen, rate, temperature in SETTINGS
    ]
    assert len(stacking.group_by_structure(settings)) == 1
    many = jax.jit(jax.vmap(loop.run, (0, None, None)))
    found = many(stacking.stack(settings), base, jax.random.key(1))[1]
    return {
        setting: {name: np.asarray(x[i]) for name, x in found.items()}
        for i, setting in enumerate(SETTINGS)
    }


def test_the_labels_of_a_frozen_generator_are_those_of_the_base_in_every_round(runs):
    """Exactly, if greedy; and yet the policy learns."""
    one = runs[1, 5e-3, 0.0]
    np.testing.assert_array_equal(one["sampled_accuracy"][1:], one["base_accuracy"][1:])
    assert (0.3 < one["base_accuracy"][1:]).all() and (one["base_accuracy"][1:] < 0.95).all()
    assert len(set(one["accuracy"].tolist())) > 2
    assert (one["grad_norm"][1:] > 0).all()


def test_labels_of_the_loop_are_those_of_the_base_in_round_1_alone(runs):
    one = runs[0, 5e-3, 0.0]
    equal = one["sampled_accuracy"] == one["base_accuracy"]
    assert equal[1] and not equal[2:].all()


def test_at_a_temperature_the_base_is_sampled_as_well(runs):
    """By draws of its own: within five standard errors, and below the greedy base."""
    one, greedy = runs[1, 5e-3, 1.0], runs[1, 5e-3, 0.0]
    sampled, base = one["sampled_accuracy"][1:].mean(), one["base_accuracy"][1:].mean()
    error = np.sqrt(2 * base * (1 - base) / (NUM_PROBLEMS * NUM_ROUNDS))
    assert abs(sampled - base) < 5 * error
    assert (one["sampled_accuracy"] != one["base_accuracy"])[1:].any()
    assert base < greedy["base_accuracy"][1:].mean() - 0.1


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_what_learns_nothing_is_its_own_base(runs, temperature):
    loop_, frozen = runs[0, 0.0, temperature], runs[1, 0.0, temperature]
    for name, values in loop_.items():
        np.testing.assert_array_equal(values, frozen[name], err_msg=name)
    assert (loop_["loss"][1:] > 0).all()


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_base_is_measured_on_the_same_problems_whatever_is_learned(runs, temperature):
    every = [runs[f, rate, temperature]["base_accuracy"] for f in (0, 1) for rate in (0.0, 5e-3)]
    for values in every:
        np.testing.assert_array_equal(values, every[0])
    assert np.isnan(every[0][0])


def test_a_sweep_over_frozen_generators_is_one_program_of_other_runs():
    sweep = Sweep(EXPERIMENT, axes={"frozen_generator": (0, 1)})
    validate(sweep)
    assert stacking.groups(sweep) == [[0, 1]]
    # A field that has its default names no run: those without it stay what they were.
    keys = stacking.run_keys(sweep.settings(), [0])
    assert (jax.random.key_data(keys[0]) != jax.random.key_data(keys[1])).any()


class Generated(Exception):
    """Ends a round as soon as a learner asks what generates."""


@pytest.mark.parametrize("name", sorted(LEARNERS.keys()))
def test_every_learner_asks_what_generates(name, base):
    """One that doesn't would take its own policy, whatever the experiment says."""

    def ask(policy, base=None):
        raise Generated

    learner, example = LEARNERS[name], TASK.sample(jax.random.key(0), 1)
    state = jax.eval_shape(lambda b: learner.init(jax.random.key(1), b, example), base)
    source = Source(lambda key: TASK.sample(key, 1), None, None, ask)
    with pytest.raises(Generated):
        jax.eval_shape(lambda s: learner.step(jax.random.key(2), s, source), state)


def test_the_ratio_of_grpo_is_to_what_generated(base):
    """In the batch of a policy that has left its base; and the filter is shown what generated."""
    seen = {}

    class Looks(GRPO):
        def batch(self, *arguments):
            seen["batch"] = GRPO.batch(self, *arguments)
            return seen["batch"]

    def judge(key, policy, problems, rollouts):
        seen["policy"] = policy
        return rollouts, Verdict(jnp.eye(2), jnp.zeros(rollouts.mask.shape))

    def draw(key):
        return TASK.sample(key, 2)

    @jax.jit
    def old_and_reference(base, is_frozen):
        learner = Looks(num_problems=2, num_samples=2, num_updates=1)
        state = learner.init(jax.random.key(1), base, draw(jax.random.key(0)))
        moved = jax.tree.map(lambda x: 1.5 * x, state.policy)

        def generator(policy):
            return jax.tree.map(lambda x, y: jnp.where(is_frozen, x, y), state.reference, policy)

        source = Source(draw, draw, judge, generator)
        learner.step(jax.random.key(3), state._replace(policy=moved), source)
        batch, shown = seen["batch"], seen["policy"].embed
        return batch.logprob_old, batch.logprob_ref, shown / state.reference.embed

    old, reference, ratio = old_and_reference(base, True)
    np.testing.assert_allclose(old, reference, atol=1e-5)
    np.testing.assert_allclose(ratio, 1, rtol=1e-5)
    old, reference, ratio = old_and_reference(base, False)
    assert np.abs(old - reference).max() > 0.1
    np.testing.assert_allclose(ratio, 1.5, rtol=1e-5)


@pytest.mark.slow
def test_every_member_of_a_population_has_its_own_frozen_base(base):
    """Labels of all rounds are those of members that learn nothing, while these learn."""
    bases = jax.tree.map(lambda x: jnp.concatenate([x, 0.7 * x, 1.1 * x]), base)
    settings = [
        EXPERIMENT.replace(
            learner=Population(LEARNER.replace(learning_rate=rate), threshold=0.5),
            num_bases=3,
            frozen_generator=frozen,
        )
        for frozen, rate in ((1, 5e-3), (0, 0.0), (0, 5e-3))
    ]
    validate(Sweep(settings[0]))
    many = jax.jit(jax.vmap(loop.run, (0, None, None)))
    found = many(stacking.stack(settings), bases, jax.random.key(1))[1]
    for name in ("sampled_accuracy", "num_accepted", "verifier_fpr"):
        frozen, untrained, loop_ = found[name][:, 1:]
        np.testing.assert_array_equal(frozen, untrained)
        assert (frozen != loop_)[1:].any()
    assert (found["accuracy"][0] != found["accuracy"][1]).any()


@pytest.mark.slow
def test_a_verifier_sees_the_policy_that_generated(base):
    """A judge that accepts the greedy answers of the policy it is given takes all that was decoded
    greedily, whether the policy or its base generates.
    """
    experiment = EXPERIMENT.replace(verifier=CommitFirst())
    many = jax.jit(jax.vmap(loop.run, (0, None, None)))
    settings = [experiment.replace(frozen_generator=x) for x in (0, 1)]
    found = many(stacking.stack(settings), base, jax.random.key(1))[1]
    assert (found["accept_rate"][:, 1:] == 1).all()
