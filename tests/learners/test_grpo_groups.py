"""Which groups GRPO learns from, and rewards corrected for a verifier that errs."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import vocab
from avax.curricula import Fixed
from avax.fields import ConfigError
from avax.learners.grpo import GRPO, group_advantage, grpo_loss
from avax.loop import Experiment
from avax.models import transformer
from avax.policies import sampling
from avax.sweeps.sweep import Sweep
from avax.sweeps.validate import validate
from avax.tasks import Copy
from avax.types import Source, Verdict
from avax.verifiers import Oracle

TASK = Copy(max_difficulty=2)
MODEL = transformer.TransformerConfig(num_layers=1, num_heads=1, width=8)
BASES = jax.tree.map(lambda x: x[None], transformer.init(jax.random.key(0), MODEL))


def verdicts(score) -> Verdict:
    score = jnp.asarray(score, jnp.float32)
    return Verdict(score, jnp.zeros((*score.shape, TASK.completion_len)))


@pytest.mark.parametrize("number", [1, 2, 4])
def test_preferred_rows_come_first_in_their_order(number):
    select = jax.jit(sampling.preferred_rows, static_argnums=1)
    for preferred in itertools.product([False, True], repeat=4):
        order = sorted(range(4), key=lambda i: not preferred[i])  # stable
        assert select(jnp.array(preferred), number).tolist() == order[:number]


def test_groups_with_too_few_accepted_have_no_advantage():
    score = [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0.4, 0.6, 0.1, 0.1]]
    plain = np.asarray(group_advantage(jnp.array(score), 1))
    for least, kept in ((0, [1, 1, 1, 1]), (1, [1, 1, 0, 1]), (2, [0, 1, 0, 0]), (3, [0] * 4)):
        found = GRPO(min_accepted=least).advantage(verdicts(score))
        np.testing.assert_array_equal(found, plain * np.array(kept)[:, None])


@pytest.mark.parametrize("fpr, fnr", [(0.2, 0.0), (0.1, 0.5), (0.7, 0.6)])
def test_corrected_rewards_are_those_of_a_verifier_that_does_not_err(fpr, fnr):
    """On average: whatever is right earns 1 more than what is wrong, also behind one with J < 0."""
    learner = GRPO(normalize_std=0, channel_fpr=fpr, channel_fnr=fnr)
    one = learner.advantage(verdicts([[1, 0, 0, 0]]))[0]
    # P(score 1) of a right completion and of a wrong one; an advantage is linear in the score.
    worth = (1 - fnr - fpr) * (one[0] - one[1])
    assert worth == pytest.approx(1, rel=1e-5)


def test_a_correction_is_undone_by_normalising_but_for_its_sign():
    score = jnp.array([[1, 0, 0, 1], [1, 0, 0, 0]])
    plain = GRPO().advantage(verdicts(score))
    same = GRPO(channel_fpr=0.3, channel_fnr=0.2).advantage(verdicts(score))
    turned = GRPO(channel_fpr=0.8, channel_fnr=0.7).advantage(verdicts(score))
    np.testing.assert_allclose(same, plain, rtol=1e-4)
    np.testing.assert_allclose(turned, -plain, rtol=1e-4)


def test_the_ratio_may_rise_further_than_it_falls_by_hand():
    """Ratios 1.5 and 0.5, clipped to 1.4 and 0.8."""
    old = np.log(np.float32([0.5, 0.5]))
    logprob, mask = np.log(np.float32([0.75, 0.25])), np.ones(2, bool)
    for advantage, expected in ((1.0, (1.4 + 0.5) / 2), (-1.0, -(1.5 + 0.8) / 2)):
        found = grpo_loss(logprob, old, old, mask, advantage, 0.2, 0.0, 0.2)
        np.testing.assert_allclose(found, -expected, rtol=1e-5)
    unclipped = grpo_loss(logprob, old, old, mask, 1.0, 1e6, 0.0)
    np.testing.assert_allclose(unclipped, -(1.5 + 0.5) / 2, rtol=1e-5)


@pytest.mark.parametrize("resample, expected", [(0, [0, 1]), (1, [1, 3])])
def test_resampling_takes_groups_that_teach_something(resample, expected):
    """Four problems are answered, of which the second and the fourth have unequal scores."""
    score = jnp.array([[1, 1], [1, 0], [0, 0], [0, 1]], jnp.float32)

    def judge(key, policy, problems, rollouts):
        # The number of a problem, to know it again.
        numbered = rollouts.completion.at[..., 0].set(jnp.arange(4)[:, None])
        numbered = numbered.at[..., 1].set(vocab.EOS)
        mask = jnp.broadcast_to(numbered != vocab.PAD, numbered.shape)
        return rollouts._replace(completion=numbered, mask=mask), verdicts(score)

    learner = GRPO(2, 2, 1, oversampling=2, resample=resample)
    given = Source(lambda key: TASK.sample(key, 1), None, judge)

    @jax.jit
    def step(learner):
        example = jax.eval_shape(TASK.sample, jax.random.key(0), 1)
        state = learner.init(jax.random.key(1), BASES, example)
        return state, *learner.step(jax.random.key(2), state, given)

    before, after, info = step(learner)
    assert info.rollouts.completion[:, 0, 0].tolist() == expected
    np.testing.assert_array_equal(info.verdicts.score, score[jnp.array(expected)])
    assert info.judged_mask.shape[:2] == (4, 2)  # all were judged
    moved = jax.tree.map(lambda x, y: (x != y).any(), before.policy, after.policy)
    assert any(jax.tree.leaves(moved))


@pytest.mark.parametrize(
    "fields, line",
    [
        (
            {"channel_fpr": 0.25, "channel_fnr": 0.75},
            "learner.channel_fpr: is 0.25 and adds up to 1",
        ),
        ({"resample": 1}, "learner.oversampling: is 1, must be at least 2"),
    ],
)
def test_what_can_mean_nothing_is_refused(fields, line):
    experiment = Experiment(TASK, Fixed(highest=2), Oracle(), GRPO(2, 2, 1), base_difficulty=1)
    validate(Sweep(experiment))
    with pytest.raises(ConfigError, match=line):
        validate(Sweep(experiment.replace(learner=experiment.learner.replace(**fields))))
