"""A population that votes: what is trained on is what enough of its members say."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import one_base

from avax.curricula.accelerated import Accelerated
from avax.learners.filtered_sft import FilteredSFT
from avax.learners.population import Population
from avax.models import transformer
from avax.tasks.copy import Copy
from avax.types import Problem, Rollout, Source, StepInfo, outcome_verdict

TASK = Copy(max_difficulty=1)
MODEL = transformer.TransformerConfig(num_layers=1, num_heads=1, width=8)
INNER = FilteredSFT(num_problems=16, num_updates=2, batch_size=8, num_kept=2, temperature=0.0)
M = 3


def policies(count):
    """Untrained ones, so much alike that they agree now and then."""
    keys = jax.random.split(jax.random.key(0), count + 1)
    first, *others = (transformer.init(k, MODEL) for k in keys)
    each = [jax.tree.map(lambda x, y: x + 0.3 * y, first, other) for other in others]
    return jax.tree.map(lambda *x: jnp.stack(x), *each)


def accept(key, policy, problems, rollouts):
    verdict = jax.vmap(lambda r: outcome_verdict(jnp.ones(r.mask.shape[0]), r))
    return rollouts, verdict(rollouts)


def draw(key):
    return TASK.sample(key, 1)


@jax.jit
def play(learner, bases, key):
    state = learner.init(jax.random.key(1), bases, draw(jax.random.key(2)))
    return (*learner.step(key, state, Source(draw, draw, accept)), state)


def leaves_equal(one, other) -> bool:
    return all(map(np.array_equal, jax.tree.leaves(one), jax.tree.leaves(other)))


def test_accepted_is_what_enough_members_say():
    """Against the votes counted by hand, for every possible majority."""
    bases = policies(M)
    alone = [
        play(INNER, one_base(jax.tree.map(lambda x, i=i: x[i], bases)), jax.random.key(3))[1]
        for i in range(M)
    ]
    answers = np.stack([info.rollouts.completion for info in alone])
    votes = (answers == answers[0]).all(-1).sum(0)
    assert set(votes.ravel()) >= {1, 2}
    for needed in (1, 2, 3):
        info = play(Population(INNER, threshold=(needed - 0.5) / M), bases, jax.random.key(3))[1]
        np.testing.assert_array_equal(info.rollouts.completion, answers[0])
        np.testing.assert_array_equal(info.verdicts.accept, votes >= needed)


def test_a_population_of_equals_is_each_of_them_alone():
    """All agree, so the vote changes nothing, for any member."""
    base = policies(1)
    alone = play(INNER, base, jax.random.key(4))[0]
    bases = jax.tree.map(lambda x: jnp.repeat(x, M, 0), base)
    together = play(Population(INNER, threshold=1.0), bases, jax.random.key(4))[0]
    for one, stacked in zip(*map(jax.tree.leaves, (alone, together.members)), strict=True):
        for member in stacked:
            np.testing.assert_allclose(member, one, rtol=1e-5, atol=1e-6)


def test_every_member_is_trained():
    after, info, before = play(Population(INNER, threshold=0.0), policies(M), jax.random.key(5))
    old, new = before.members.policy.embed, after.members.policy.embed
    assert all((np.asarray(old[i]) != np.asarray(new[i])).any() for i in range(M))
    assert leaves_equal(after.policy, jax.tree.map(lambda x: x[0], after.members.policy))


def test_without_agreement_nobody_moves():
    bases = policies(M)
    one = play(INNER, one_base(jax.tree.map(lambda x: x[0], bases)), jax.random.key(6))[1]
    assert one.verdicts.accept.all()
    # A threshold above 1 can't be reached: no vote is ever enough. Only an array may be one.
    unreachable = Population(INNER, threshold=jnp.float32(1.1))
    after, info, before = play(unreachable, bases, jax.random.key(6))
    assert not info.verdicts.accept.any() and info.loss == 0
    assert leaves_equal(after.members.policy, before.members.policy)
    assert leaves_equal(after.members.optimizer, before.members.optimizer)


def test_frozen_members_are_shown_what_their_own_bases_write():
    """As many rounds as it takes to train them: all say what the untrained ones say."""
    bases = policies(M)
    learner = Population(INNER, threshold=0.5)
    state = learner.init(jax.random.key(1), bases, draw(jax.random.key(2)))
    source = Source(draw, draw, accept, generator=lambda policy, base=None: base)
    rounds = jax.jit(lambda state, key: learner.step(key, state, source))
    untrained = jax.jit(lambda key: learner.step(key, state, Source(draw, draw, accept))[1])
    after = state
    for number in range(3):
        key = jax.random.key(10 + number)
        after, info = rounds(after, key)
        expected = untrained(jax.random.clone(key))
        assert leaves_equal(info.rollouts.completion, expected.rollouts.completion)
        assert leaves_equal(info.verdicts.accept, expected.verdicts.accept)
    assert leaves_equal(after.bases, bases)
    assert not leaves_equal(after.members.policy, bases)


def info_of(difficulty, accepted) -> StepInfo:
    """A round with problems of these difficulties, one sample each."""
    count = len(difficulty)
    rollout = Rollout(
        jnp.zeros((count, 1)), jnp.zeros((count, 1, 1)), jnp.ones((count, 1, 1), bool), None
    )
    verdict = jax.vmap(outcome_verdict)(jnp.asarray(accepted, float)[:, None], rollout)
    problems = Problem(None, None, jnp.asarray(difficulty))
    return StepInfo(problems, rollout, verdict, jnp.zeros(()), jnp.zeros(()))


@pytest.mark.parametrize(
    "difficulty, accepted, expected",
    [
        ([5, 5, 6, 7], [1, 1, 1, 1], 9),  # all solved, 8 was not posed: on to what lies behind
        ([5, 5, 6, 7], [1, 0, 1, 1], 5),  # 5 only half
        ([5, 6, 7, 8], [1, 0, 1, 0], 6),  # the first that is not solved counts
        ([8, 5, 8, 6], [0, 1, 1, 1], 8),
        ([5, 6, 7, 8], [0, 0, 0, 0], 5),
    ],
)
def test_accelerated_goes_on_behind_what_is_solved(difficulty, accepted, expected):
    curriculum = Accelerated(start=5, reach=4, threshold=0.8, ceiling=20)
    assert curriculum.update(curriculum.init(), info_of(difficulty, accepted)) == expected


def test_accelerated_stops_at_its_ceiling():
    curriculum = Accelerated(start=5, reach=4, ceiling=6)
    state = curriculum.update(curriculum.init(), info_of([5, 6], [1, 1]))
    assert state == 6
    for start, expected in ((5, {5, 6}), (6, {6})):
        keys = jax.random.split(jax.random.key(0), 50)
        drawn = jax.vmap(lambda k, s=start: curriculum.difficulty(k, jnp.int32(s), 1))(keys)
        assert set(drawn.tolist()) == expected
