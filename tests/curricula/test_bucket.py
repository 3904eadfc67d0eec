"""Problems chosen by how often the base solves them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from copying import TASK, copying_base

from avax import loop, metrics, optional, source, types, vocab
from avax.curricula import Bucket, Fixed
from avax.fields import ConfigError
from avax.learners.filtered_sft import FilteredSFT
from avax.policies import generation
from avax.sweeps.sweep import Sweep
from avax.sweeps.validate import validate
from avax.tasks import Shortcut
from avax.types import first
from avax.verifiers import Oracle

N, K = 40, 6
BUCKET = Bucket(Fixed(1, 2), num_problems=N, num_samples=K, highest=K)
EXPERIMENT = loop.Experiment(
    TASK, BUCKET, Oracle(), FilteredSFT(16, 1, 2, 8, num_kept=1, base_rate=0.0, temperature=1.0),
    base_difficulty=2, num_rounds=2, num_eval=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def state():
    return jax.jit(loop.init)(EXPERIMENT, copying_base(), jax.random.key(1))


def posed(experiment, state, number=1, count=200):
    keys = jax.random.split(jax.random.key(number), count)
    draw = jax.jit(jax.vmap(lambda e, s, r, k: source.draw(e, s, r, k), (None, None, None, 0)))
    return np.asarray(draw(experiment, state, jnp.int32(number), keys).prompt)


def with_bucket(lowest, highest):
    return EXPERIMENT.replace(curriculum=BUCKET.replace(lowest=lowest, highest=highest))


def pool(state):
    pose = jax.jit(jax.vmap(lambda i: source.pose(EXPERIMENT, state, jnp.int32(1), i)))
    return pose(jnp.arange(N))


def test_problems_of_a_bucket_and_no_others(state):
    solved, prompts = np.asarray(state.curriculum.num_solved), np.asarray(pool(state).prompt)
    assert {0, K} < set(solved)
    for lowest, highest in ((0, 0), (1, K - 1), (K, K), (0, K)):
        inside = {tuple(p) for p in prompts[(lowest <= solved) & (solved <= highest)]}
        for number in (1, 2):  # the same in every round
            found = {tuple(p) for p in posed(with_bucket(lowest, highest), state, number)}
            assert found <= inside and len(found) > len(inside) / 2


def test_where_none_is_in_it_those_nearest_are_posed(state):
    solved, prompts = np.asarray(state.curriculum.num_solved), np.asarray(pool(state).prompt)
    kept = np.where(solved == 3, 2, solved)  # nobody solved three
    made = state._replace(curriculum=state.curriculum._replace(num_solved=jnp.asarray(kept)))
    found = {tuple(p) for p in posed(with_bucket(3, 3), made)}
    nearest = np.abs(kept - 3) == np.abs(kept - 3).min()
    assert found and found <= {tuple(p) for p in prompts[nearest]}


def test_solved_is_what_the_base_solves(state):
    """More often measured, the shares of right completions agree."""
    problems = pool(state)

    @jax.jit
    def right(policy):
        rollouts = generation.generate(jax.random.key(5), policy, problems.prompt, 3, 200, 1.0)
        return source.grade(TASK, problems, rollouts).correct.mean(-1)

    share, found = np.asarray(right(first(copying_base()))), np.asarray(state.curriculum.num_solved)
    error = np.sqrt((share * (1 - share)).clip(0.01) / K)
    assert (np.abs(found / K - share) < 5 * error).all()
    assert np.abs(np.mean(found / K - share)) < 5 * np.sqrt((error**2).sum()) / N


def test_with_the_current_policy_it_is_measured_in_every_round():
    @jax.jit
    def run(experiment):
        state = loop.init(experiment, copying_base(), jax.random.key(1))
        blank = metrics.blank(experiment)
        return loop.advance(experiment, state, blank, 0, experiment.num_rounds + 1)[0]

    both = []
    for with_current in (False, True):
        curriculum = BUCKET.replace(with_current=with_current)
        learner = EXPERIMENT.learner.replace(learning_rate=0.1)  # which spoils all
        both.append(run(EXPERIMENT.replace(curriculum=curriculum, learner=learner)))
    before, after = (np.asarray(x.curriculum.num_solved) for x in both)
    assert after.sum() < before.sum()


def test_luck_does_not_count(monkeypatch, state):
    """A chain of which any even answer would do is measured by its true answers."""
    task, given = Shortcut(2, modulus=2), []
    monkeypatch.setattr(optional, "measured", lambda *args: given.append(args[-1]))
    source.measured(EXPERIMENT.replace(task=task), state, jnp.int32(1))
    problems = jax.tree.map(lambda x: x[None], task.sample(jax.random.key(0), jnp.int32(1)))
    pad = jnp.full(task.completion_len - 3, vocab.PAD)
    texts = [jnp.array([vocab.STEP, answer, vocab.EOS]) for answer in range(10)]
    texts = jnp.stack([jnp.append(text, pad) for text in texts])
    rollouts = types.Rollout(problems.prompt, texts[None], texts[None] != vocab.PAD, None)
    assert source.grade(task, problems, rollouts).correct.sum() == 5
    assert given[0].grade(problems, rollouts).correct.sum() == 1


@pytest.mark.parametrize(
    "changes, line",
    [
        ({"curriculum": BUCKET.replace(highest=K + 1)}, "curriculum.highest: is 7, must lie in"),
        ({"curriculum": BUCKET.replace(lowest=3, highest=2)}, "curriculum.highest: is 2, must"),
        ({"num_distinct": 8}, "num_distinct: is 8, must be 0 where a pool is measured"),
    ],
)
def test_what_can_mean_nothing_is_refused(changes, line):
    validate(Sweep(EXPERIMENT))
    with pytest.raises(ConfigError, match=line):
        validate(Sweep(EXPERIMENT.replace(**changes)))


def test_by_steps_a_guess_solves_nothing(monkeypatch):
    """Two completions with the right answer, one of which skips all working."""
    task = Shortcut(2, skip_rate=0.0)

    def pose(index):
        return task.sample(jax.random.key(7), jnp.int32(2))

    answer = np.asarray(pose(0).answer)
    skipped = np.full_like(answer, vocab.PAD)
    skipped[:3] = [vocab.STEP, answer[1], vocab.EOS]
    texts = jnp.stack([jnp.asarray(answer), jnp.asarray(skipped)])

    def write(key, policy, prompts, *rest):
        rows = jnp.broadcast_to(texts, (len(prompts), *texts.shape))
        return types.Rollout(prompts, rows, rows != vocab.PAD, jnp.zeros(rows.shape))

    monkeypatch.setattr(generation, "generate", write)
    pool = optional.Pool(pose, lambda *x: source.grade(task, *x))
    for by_steps, expected in ((0, 2), (1, 1)):
        bucket = Bucket(Fixed(), num_problems=3, num_samples=2, by_steps=by_steps)
        found = bucket.prepare(jax.random.key(0), bucket.init(), None, pool).num_solved
        assert found.tolist() == [expected] * 3
