"""The vote of other base policies: against their own decoding, and where they come from."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import stand_in_pretraining

from avax.curricula import Fixed
from avax.engine import bases as engine_bases
from avax.fields import ConfigError
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models import transformer
from avax.models.transformer import TransformerConfig
from avax.policies import generation, sampling
from avax.policies.pretrain import Pretraining
from avax.sweeps.stacking import stack_members
from avax.sweeps.sweep import Sweep
from avax.sweeps.validate import validate
from avax.tasks import Addition
from avax.types import Rollout
from avax.verifiers import AcceptAll, AllOf, CrossModel, Noisy, Oracle

TASK = Addition(max_difficulty=2)
MODEL = TransformerConfig(num_layers=1, num_heads=1, width=8)
B, K, NUM_OTHERS = 30, 6, 4


def stack(*trees):
    return jax.tree.map(lambda *x: jnp.stack(x), *trees)


@pytest.fixture(scope="module")
def bases():
    """M = 5 stacked policies; the third and the fourth are the same."""
    keys = jax.random.split(jax.random.key(0), 4)
    # Large embeddings make greedy answers that depend on the prompt.
    first, second, third, last = (
        jax.tree.map(lambda x: 3 * x, transformer.init(key, MODEL)) for key in keys
    )
    return stack(first, second, third, third, last)


@pytest.fixture(scope="module")
def answers(bases):
    """Prompts i32[B, P] and the greedy completion i32[M, B, C] of each policy."""
    problems = jax.vmap(TASK.sample, (0, None))(jax.random.split(jax.random.key(1), B), 2)

    def greedy(policy):
        key = jax.random.key(2)
        return generation.generate(key, policy, problems.prompt, TASK.completion_len, 1, 0.0)

    rollouts = jax.jit(jax.vmap(greedy))(bases)
    return problems.prompt, rollouts.completion[:, :, 0]


@pytest.fixture(scope="module")
def rollouts(answers):
    """The answer of every policy, and a copy of the first one with its first digit changed."""
    prompts, completions = answers
    changed = completions[0].at[:, 0].set((completions[0, :, 0] + 1) % 10)
    completion = jnp.concatenate([completions, changed[None]]).transpose(1, 0, 2)
    mask = sampling.completion_mask(completion)
    return Rollout(prompts, completion, mask, jnp.zeros(mask.shape))


def verdicts(verifier, bases, policy, rollouts):
    state = verifier.init(jax.random.key(3), bases)
    keys = jax.random.split(jax.random.key(4), B)
    verify = jax.vmap(lambda k, rollout: verifier.verify(k, state, policy, rollout, None))
    return jax.jit(verify)(keys, rollouts)


def num_agreeing(answers, rollouts):
    """i[B, K]: how many of the other policies give exactly this completion, counted one by one."""
    others = np.asarray(answers[1])[1:]
    found = np.zeros((B, K), int)
    for b, completions in enumerate(np.asarray(rollouts.completion)):
        for k, completion in enumerate(completions):
            found[b, k] = sum(tuple(completion) == tuple(other[b]) for other in others)
    return found


@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.26, 0.5, 0.51, 0.75, 1.0])
def test_counts_the_others_that_give_the_same_string(bases, answers, rollouts, threshold):
    agreeing = num_agreeing(answers, rollouts)
    assert {0, 1, 2} <= set(agreeing.ravel().tolist())
    found = verdicts(CrossModel(threshold), bases, None, rollouts)
    np.testing.assert_array_equal(found.accept, agreeing >= threshold * NUM_OTHERS)
    np.testing.assert_array_equal(found.step_score, found.score[..., None] * rollouts.mask)


def test_exactly_the_threshold_is_enough(bases, answers, rollouts):
    """Two of three others agree, and 2/3 is no float."""
    three = jax.tree.map(lambda x: x[:4], bases)  # others: second, third, third again
    agreeing = num_agreeing((answers[0], answers[1][:4]), rollouts)
    assert 2 in agreeing
    found = verdicts(CrossModel(2 / 3), three, None, rollouts)
    np.testing.assert_array_equal(found.accept, agreeing >= 2)


def test_one_other_policy_is_asked_alone(bases, answers, rollouts):
    two = jax.tree.map(lambda x: x[:2], bases)
    agreeing = num_agreeing((answers[0], answers[1][:2]), rollouts)
    for threshold in (0.1, 1.0):
        found = verdicts(CrossModel(threshold), two, None, rollouts)
        np.testing.assert_array_equal(found.accept, agreeing == 1)


def test_neither_the_policy_nor_the_first_base_has_a_vote(bases, rollouts):
    expected = verdicts(CrossModel(), bases, None, rollouts)
    first = jax.tree.map(lambda x: x[0], bases)
    other_first = jax.tree.map(lambda x: x.at[0].set(jnp.nan), bases)
    for other in (verdicts(CrossModel(), bases, first, rollouts),
                  verdicts(CrossModel(), other_first, first, rollouts)):  # fmt: skip
        jax.tree.map(np.testing.assert_array_equal, expected, other)
    assert 0.1 < expected.accept.mean() < 0.9


def test_the_others_stay_as_they_are(bases):
    state = CrossModel().init(jax.random.key(0), bases)
    assert jax.tree.leaves(state)[0].shape[0] == NUM_OTHERS
    assert CrossModel().update(jax.random.key(1), state, None, None, None) is state


def test_inside_other_verifiers(bases, rollouts):
    alone = verdicts(CrossModel(), bases, None, rollouts)
    for same in (AllOf(CrossModel(), AcceptAll()), Noisy(CrossModel())):
        jax.tree.map(np.testing.assert_array_equal, alone, verdicts(same, bases, None, rollouts))


# The engine

EXPERIMENT = Experiment(
    task=TASK,
    curriculum=Fixed(highest=2),
    verifier=CrossModel(),
    learner=FilteredSFT(num_problems=8, num_updates=2, batch_size=8, num_kept=1),
    base_difficulty=1,
    num_bases=3,
    num_rounds=2,
    num_eval=4,
)
PRETRAINING = Pretraining(TransformerConfig(num_layers=1, num_heads=1, width=8), num_snapshots=2)
SWEEP = Sweep(EXPERIMENT, PRETRAINING, {"snapshot": (0, -1)}, num_seeds=2, seed=7)


def toy_pretrain(pretraining, task, base_difficulty, key):
    """Stands in for pretraining: numbers that only this key gives, one for each snapshot."""
    return {"w": jax.random.uniform(key) + jnp.arange(2.0)}, jnp.zeros(1)


def test_the_other_bases_are_those_of_the_seeds_that_follow(monkeypatch, tmp_path):
    stand_in_pretraining(monkeypatch, toy_pretrain)
    lone = dataclasses.replace(SWEEP, base=EXPERIMENT.replace(num_bases=1), num_seeds=1)
    each = [
        engine_bases.base_policies(dataclasses.replace(lone, seed=s), lone.base, tmp_path)["w"][0]
        for s in range(7, 11)
    ]
    assert len({float(x[0]) for x in each}) == 4
    bases = engine_bases.base_policies(SWEEP, EXPERIMENT, tmp_path)
    np.testing.assert_array_equal(bases["w"], np.stack(each))
    _, own, *_ = stack_members(SWEEP, SWEEP.settings(), [0, 1], bases)[0]
    expected = [[each[s + m][snapshot] for m in range(3)] for snapshot in (0, 1) for s in (0, 1)]
    np.testing.assert_array_equal(own["w"], expected)


@pytest.mark.parametrize(
    "verifier, path",
    [
        (CrossModel(), "base.verifier"),
        (Noisy(CrossModel()), "base.verifier.inner"),
        (AllOf(Oracle(), Noisy(CrossModel())), "base.verifier.second.inner"),
    ],
)
def test_a_run_without_other_bases_is_refused(verifier, path):
    for num_bases in (2, 1):
        base = EXPERIMENT.replace(verifier=verifier, num_bases=num_bases)
        sweep = dataclasses.replace(SWEEP, base=base)
        if num_bases == 2:
            validate(sweep)
            continue
        with pytest.raises(ConfigError, match="base.num_bases: is 1.* 2 .*CrossModel") as error:
            validate(sweep)
        assert str(error.value).endswith(f"as {path})")
    validate(dataclasses.replace(sweep, base=base.replace(verifier=AcceptAll())))


def test_the_number_of_bases_may_be_an_axis():
    """Every setting is looked at: the smallest number is the one that is refused."""
    validate(dataclasses.replace(SWEEP, axes={"num_bases": (2, 3)}))
    with pytest.raises(ConfigError, match="base.num_bases: is 1"):
        validate(dataclasses.replace(SWEEP, axes={"num_bases": (1, 3)}))
