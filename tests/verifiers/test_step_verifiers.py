"""Verifiers of steps: the noisy oracle's rates, and one that learns from labels."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import types, vocab
from avax.models.transformer import TransformerConfig
from avax.tasks.chain import Chain
from avax.types import MISTAKES, Grade, Problem, Rollout, StepInfo
from avax.verifiers.learned import Learned, is_last
from avax.verifiers.step_oracle import StepOracle

N, B = 4, 2000  # additions of a chain, problems
TASK = Chain(max_difficulty=N, modulus=3, outcome_only=True)
C = TASK.completion_len
LEVELS = ("outcome", "product", "minimum")
each_level = pytest.mark.parametrize("level", LEVELS)


def problems_of(seed: int, n: int) -> Problem:
    return jax.vmap(TASK.sample, (0, None))(jax.random.split(jax.random.key(seed), B), n)


def graded(problems: Problem, completion) -> tuple[Problem, Rollout, Grade]:
    """Problems with one completion i32[B, C] each, and the truth about it."""
    completion = jnp.asarray(completion)[:, None]
    mask = completion != vocab.PAD
    grades = jax.vmap(jax.vmap(TASK.grade, (None, 0)))(problems, completion)
    return problems, Rollout(problems.prompt, completion, mask, jnp.zeros(mask.shape)), grades


def wrong_at_random(seed: int, rate: float) -> tuple[Problem, Rollout, Grade]:
    """Chains in which each sum is one too many, and all that follow with it, with P = rate."""
    problems = problems_of(seed, N)
    off = np.cumsum(np.random.default_rng(seed).random((B, N)) < rate, axis=1, dtype=np.int32)
    sums = (problems.answer[:, :N] + off) % TASK.modulus
    return graded(problems, jnp.concatenate([sums, problems.answer[:, N:]], axis=1))


def toy(level: str, seed: int) -> tuple[Problem, Rollout, Grade]:
    """What each level can learn quickly: which steps are wrong, which sums have a digit more."""
    if level != "outcome":
        return wrong_at_random(seed, 0.2)
    problems = problems_of(seed, 1)
    longer = jnp.concatenate([problems.answer[:, :1], problems.answer[:, :-1]], axis=1)
    is_long = np.random.default_rng(seed).random((B, 1)) < 0.4
    return graded(problems, jnp.where(is_long, longer, problems.answer))


@functools.partial(jax.jit, static_argnames="level")
def judged(verifier, state, rollouts, grades, level=None):
    verifier = verifier if level is None else verifier.replace(level=level)
    keys = jax.random.split(jax.random.key(1), len(rollouts.prompt))
    verify = lambda k, r, g: verifier.verify(k, state, None, r, g)  # noqa: E731
    return jax.vmap(verify, axis_name=types.PROBLEMS)(keys, rollouts, grades)


def oracle(fpr, fnr, rollouts, grades):
    return judged(StepOracle(jnp.float32(fpr), jnp.float32(fnr)), (), rollouts, grades)


def assert_share(events, rate):
    """An observed share within five standard errors, and exact at 0 and 1."""
    events = np.asarray(events)
    assert len(events) > 100
    assert abs(events.mean() - rate) <= 5 * np.sqrt(rate * (1 - rate) / events.size)


def test_a_perfect_step_oracle_accepts_what_is_right_throughout():
    _, rollouts, grades = wrong_at_random(0, 0.3)
    verdict = oracle(0.0, 0.0, rollouts, grades)
    right = np.asarray(grades.step_correct.all(-1))
    np.testing.assert_array_equal(verdict.accept, right)
    np.testing.assert_array_equal(verdict.step_score, grades.step_correct)
    assert (np.asarray(grades.correct) & ~right).mean() > 0.05  # errors that cancel are there


@pytest.mark.parametrize("fpr, fnr", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.05, 0.2), (0.4, 0.0)])
def test_each_step_has_its_rates(fpr, fnr):
    _, rollouts, grades = wrong_at_random(1, 0.3)
    verdict = oracle(fpr, fnr, rollouts, grades)
    step, right = np.asarray(verdict.step_score) == 1, np.asarray(grades.step_correct)
    assert_share(step[~right], fpr)
    assert_share(~step[right], fnr)
    np.testing.assert_array_equal(verdict.accept, step.all(-1))
    num_wrong = (~right).sum(-1)
    for k in range(3):  # by how many steps of C are wrong
        assert_share(verdict.accept[num_wrong == k], fpr**k * (1 - fnr) ** (C - k))


def test_steps_behind_the_end_are_none():
    """A completion of one token is rejected as often as a step is, or 1 - (1 - fnr)^1."""
    completion = jnp.full((B, 1, C), vocab.PAD).at[:, :, 0].set(vocab.EOS)
    mask = completion != vocab.PAD
    right = jnp.ones((B, 1, C), bool)
    grades = Grade(right[..., 0], right, jnp.zeros((B, 1, len(MISTAKES)), bool), right[..., 0])
    rollouts = Rollout(jnp.zeros((B, 2), jnp.int32), completion, mask, jnp.zeros(mask.shape))
    verdict = oracle(0.0, 0.3, rollouts, grades)
    assert_share(~verdict.accept.ravel(), 0.3)
    assert (verdict.step_score[~mask] == 0).all()


def test_the_same_noise_serves_all_rates():
    _, rollouts, grades = wrong_at_random(2, 0.3)
    less, more = (oracle(rate, 0.0, rollouts, grades).accept for rate in (0.1, 0.3))
    assert (more | ~less).all() and more.sum() > less.sum()


# With one head three of six seeds learn it to 0.9; which, depends on how sums are rounded.
SMALL = TransformerConfig(num_layers=1, num_heads=2, width=16, rotary_base=10.0)


def learned(level, **changes):
    numbers = {"label_rate": 0.5, "learning_rate": 1e-2, "threshold": 0.5} | changes
    leaves = {name: jnp.float32(x) for name, x in numbers.items()}
    return Learned(SMALL, level, num_updates=200, batch_size=64, **leaves)


@jax.jit
def first_state(verifier):
    return verifier.init(jax.random.key(2), None)


@jax.jit
def updated(verifier, state, key, problems, rollouts, grades):
    info = StepInfo(problems, rollouts, None, jnp.zeros(()), jnp.zeros(()))
    return verifier.update(key, state, None, info, grades)


@pytest.fixture(scope="module")
def states():
    """What each level has learned from half of the labels of each of five rounds."""
    found = {}
    for level in LEVELS:
        state = first_state(learned(level))
        for r in range(5):
            key = jax.random.key(3 + r)
            state = updated(learned(level), state, key, *toy(level, 3 + r))
        found[level] = state
    return found


@each_level
def test_without_a_label_nothing_moves_and_nothing_is_accepted(level):
    round_ = wrong_at_random(3, 0.2)
    verifier = learned(level, label_rate=0.0)
    before = first_state(verifier)
    after = updated(verifier, before, jax.random.key(3), *round_)
    jax.tree.map(np.testing.assert_array_equal, before, after)
    for threshold in (0.0, 0.5):
        verdict = judged(verifier.replace(threshold=jnp.float32(threshold)), after, *round_[1:])
        assert not verdict.accept.any() and not verdict.step_score.any()


@each_level
def test_labels_teach_it_to_tell_right_from_wrong(level, states):
    """On problems that it has not seen."""
    _, rollouts, grades = toy(level, 9)
    assert all(jnp.isfinite(x).all() for x in jax.tree.leaves(states[level]))
    verdict = judged(learned(level), states[level], rollouts, grades)
    right = np.asarray(grades.correct if level == "outcome" else grades.step_correct.all(-1))
    score = np.asarray(verdict.score)
    above = (score[right][:, None] > score[~right]).mean()  # chance: 0.5
    assert above > 0.9
    if level != "outcome":
        steps, step_right = np.asarray(verdict.step_score), np.asarray(grades.step_correct)
        assert steps[step_right].mean() > steps[~step_right].mean() + 0.3


@each_level
def test_the_truth_is_not_used_in_a_verdict(level, states):
    _, rollouts, grades = toy(level, 9)
    scrambled = jax.tree.map(lambda x: ~x, grades)
    verdicts = [judged(learned(level), states[level], rollouts, g) for g in (grades, scrambled)]
    jax.tree.map(np.testing.assert_array_equal, *verdicts)
    assert 0.05 < verdicts[0].accept.mean() < 0.95


def test_a_product_of_steps_is_at_most_their_minimum():
    """Of a judge that has not learned to be sure of itself, whatever the machine."""
    _, rollouts, grades = wrong_at_random(9, 0.2)
    state = first_state(learned("product"))._replace(is_trained=jnp.array(True))
    product, minimum = (
        judged(learned("product"), state, rollouts, grades, level=level)
        for level in ("product", "minimum")
    )
    assert (product.score <= minimum.score + 1e-6).all()
    assert (minimum.score - product.score).max() > 0.1 and minimum.score.std() > 0.01
    np.testing.assert_array_equal(product.step_score, minimum.step_score)
    lowest = jnp.where(rollouts.mask, minimum.step_score, 1.0).min(-1)
    np.testing.assert_allclose(minimum.score, lowest, rtol=1e-4, atol=1e-6)  # at threshold 0.5
    multiplied = jnp.where(rollouts.mask, product.step_score, 1.0).prod(-1)
    np.testing.assert_allclose(product.score, multiplied, rtol=1e-3, atol=1e-6)


def test_the_last_token_is_the_one_before_the_padding():
    mask = jnp.array([[1, 1, 0], [1, 1, 1], [0, 0, 0]], bool)
    assert is_last(mask).tolist() == [[False, True, False], [False, False, True], [False] * 3]
