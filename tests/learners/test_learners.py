"""Losses by hand, and what a learner does and leaves alone in a round."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import one_base

from avax import struct, vocab
from avax.learners.filtered_sft import FilteredSFT
from avax.learners.grpo import GRPO, GRPOBatch, group_advantage, grpo_loss
from avax.models import transformer
from avax.policies import sampling, training
from avax.tasks.copy import Copy
from avax.types import Source, StepInfo, Verdict

TASK = Copy(max_difficulty=2)
MODEL = transformer.TransformerConfig(num_layers=1, num_heads=2, width=16)
B, K, P, C = 3, 2, TASK.prompt_len, TASK.completion_len
BASE_DIGIT = 9  # the answer of all base problems; rounds are labelled 1, 2, ...


@pytest.fixture(scope="module")
def policy():
    return jax.jit(transformer.init, static_argnums=1)(jax.random.key(0), MODEL)


def assert_same(one, other):
    """Bit by bit."""
    jax.tree.map(np.testing.assert_array_equal, one, other)


def same(one, other) -> bool:
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, one, other)))


def answer(digit):
    """i32[C]: one digit and EOS."""
    return jnp.full(C, vocab.PAD).at[0].set(digit).at[1].set(vocab.EOS)


def source_of(score, label=None) -> Source:
    """Problems of one digit, verdicts f32[B, K] known in advance, and labels if one is given."""

    def judge(key, policy, problems, rollouts):
        if label is not None:
            completion = jnp.broadcast_to(answer(label), rollouts.completion.shape)
            rollouts = rollouts._replace(completion=completion)
        return rollouts, Verdict(score, jnp.zeros(rollouts.mask.shape))

    def draw_base(key):
        return TASK.sample(key, 1)._replace(answer=answer(BASE_DIGIT))

    return Source(lambda key: TASK.sample(key, 1), draw_base, judge)


@jax.jit
def logits_of(policy, rows):
    return policy(rows)[0]


@jax.jit
def init(learner, policy):
    return learner.init(jax.random.key(1), one_base(policy), TASK.sample(jax.random.key(2), 1))


@jax.jit
def step(learner, state, key, score, label):
    return learner.step(key, state, source_of(score, label))


@jax.jit
def batches_of(learner, state, key):
    return learner._batches(key, state, source_of(None))


def sft(**fields) -> FilteredSFT:
    fields = {"base_rate": 0.0, "newest_rate": 0.5, "temperature": 1.0} | fields
    return FilteredSFT(num_problems=B, num_samples=K, num_updates=2, batch_size=64, **fields)


ALL, NOTHING = np.ones((B, K), np.float32), np.zeros((B, K), np.float32)


def cross_entropy_by_hand(policy, prompts, completions):
    """Mean over all tokens up to EOS, from the logits of each sequence."""
    total, count = 0.0, 0
    logits = logits_of(policy, jnp.concatenate([prompts, completions], axis=1))
    for row, completion in zip(np.asarray(logits, np.float64), completions.tolist(), strict=True):
        for place, token in enumerate(completion):
            scores = row[P - 1 + place]
            total -= scores[token] - np.log(np.exp(scores).sum())
            count += 1
            if token == vocab.EOS:
                break
    return total / count


def test_cross_entropy_by_hand(policy):
    prompts = jnp.array([[vocab.PAD, 3, vocab.COPY], [1, 2, vocab.COPY], [7, 7, vocab.COPY]])
    completions = jnp.stack([answer(3), jnp.array([1, 2, vocab.EOS]), jnp.array([7, 7, 7])])
    found = jax.jit(training.cross_entropy)(policy, (prompts, completions))
    np.testing.assert_allclose(
        found, cross_entropy_by_hand(policy, prompts, completions), rtol=1e-5
    )


def test_nothing_to_train_on_has_no_loss_and_no_gradient(policy):
    empty = jnp.full((2, C), vocab.PAD)
    prompts = jnp.array([[vocab.PAD, 3, vocab.COPY], [1, 2, vocab.COPY]])
    loss, gradient = jax.jit(jax.value_and_grad(training.cross_entropy))(policy, (prompts, empty))
    assert loss == 0
    assert_same(gradient, jax.tree.map(jnp.zeros_like, gradient))


def test_update_on_follows_adam_with_clipping():
    """Two updates of one number, by hand: gradients 3 and -0.5, clipped to norm 1."""
    transform = training.optimizer(0.1, 1.0)
    start = {"x": jnp.float32(2.0)}
    trained = training.update_on(
        lambda p, g: p["x"] * g, transform, start, transform.init(start), jnp.array([3.0, -0.5])
    )
    m1, v1 = 0.1 * 1.0, 0.001 * 1.0
    m2, v2 = 0.9 * m1 + 0.1 * -0.5, 0.999 * v1 + 0.001 * 0.25
    moved = 0.1 * 1.0 + 0.1 * (m2 / (1 - 0.9**2)) / np.sqrt(v2 / (1 - 0.999**2))
    np.testing.assert_allclose(trained.policy["x"], 2.0 - moved, rtol=1e-5)
    np.testing.assert_allclose(trained.grad_norm, [3.0, 0.5], rtol=1e-6)
    np.testing.assert_allclose(trained.loss, [6.0, -0.5 * 1.9], rtol=1e-5)


@pytest.fixture(scope="module")
def rounds(policy):
    """States of filtered fine-tuning before and after each round, and what happened in it."""

    def play(learner, scores):
        states, infos = [init(learner, policy)], []
        for r, score in enumerate(scores, start=1):
            state, info = step(learner, states[-1], jax.random.key(10 + r), score, jnp.int32(r))
            states.append(state)
            infos.append(info)
        return states, infos

    return play


def test_a_round_without_accepted_data_changes_nothing(rounds):
    """Bit by bit, although there are kept data, and momentum of earlier rounds."""
    for learner in (sft(num_kept=2), sft(num_kept=2, base_rate=0.5)):
        states, infos = rounds(learner, [NOTHING, ALL, NOTHING])
        for before, after in ((states[0], states[1]), (states[2], states[3])):
            assert_same(after.policy, before.policy)
            assert_same(after.optimizer, before.optimizer)
        assert not same(states[2].policy, states[1].policy)
        assert [float(x.loss) > 0 for x in infos] == [False, True, False]
        assert [float(x.grad_norm) > 0 for x in infos] == [False, True, False]


def digits_in_batches(learner, state):
    """The share of each first token in the batches of the round after `state` was reached."""
    _, completions = batches_of(learner, state, jax.random.key(3))
    assert (completions[..., 1] == vocab.EOS).all()
    return (
        np.bincount(np.asarray(completions)[..., 0].ravel(), minlength=10)
        / completions[..., 0].size
    )


def test_only_accepted_rows_are_trained_on(rounds):
    score = NOTHING.copy()
    score[1, 0] = 0.51
    learner = sft(num_kept=2)
    states, (info,) = rounds(learner, [score])
    prompts, completions = batches_of(learner, states[1], jax.random.key(3))
    assert_same(prompts, jnp.broadcast_to(info.problems.prompt[1], prompts.shape))
    assert_same(completions, jnp.broadcast_to(info.rollouts.completion[1, 0], completions.shape))
    rows = (prompts[0, :3], completions[0, :3])
    at_start = cross_entropy_by_hand(states[0].policy, *rows)
    assert 0.9 * at_start < info.loss < at_start  # a mean over two updates, the first from there


def test_replacing_uses_the_newest_round_alone(rounds):
    learner = sft(num_kept=1)
    states, _ = rounds(learner, [ALL, ALL])
    assert digits_in_batches(learner, states[2])[2] == 1


def test_accumulating_uses_earlier_rounds_and_forgets_the_oldest(rounds):
    learner = sft(num_kept=2)
    states, _ = rounds(learner, [ALL, ALL, ALL])
    assert digits_in_batches(learner, states[1])[1] == 1
    share = digits_in_batches(learner, states[2])
    assert abs(share[2] - 0.5) < 0.2 and share[1] + share[2] == 1
    share = digits_in_batches(learner, states[3])
    assert abs(share[3] - 0.5) < 0.2 and share[2] + share[3] == 1


def test_rejected_rows_of_earlier_rounds_stay_out(rounds):
    learner = sft(num_kept=2, newest_rate=0.0)
    states, _ = rounds(learner, [NOTHING, ALL])
    assert digits_in_batches(learner, states[2])[2] == 1


@pytest.mark.parametrize("base_rate, low, high", [(1.0, 1, 1), (0.25, 0.1, 0.4), (0.0, 0, 0)])
def test_share_of_base_data(rounds, base_rate, low, high):
    learner = sft(num_kept=2, base_rate=base_rate)
    states, _ = rounds(learner, [ALL, ALL])
    assert low <= digits_in_batches(learner, states[2])[BASE_DIGIT] <= high


def test_rows_are_drawn_uniformly_from_the_allowed_ones():
    allowed = np.random.default_rng(0).random((5, 8)) < 0.4
    num_draws = 20_000
    uniform = jnp.append(jax.random.uniform(jax.random.key(4), (num_draws,)), 1 - 2**-23)
    counts = np.bincount(jax.jit(sampling.draw_row)(uniform, allowed), minlength=allowed.size)
    assert (counts[~allowed.ravel()] == 0).all()
    mean = num_draws / allowed.sum()
    assert np.abs(counts[allowed.ravel()] - mean).max() < 5 * np.sqrt(mean)
    assert sampling.draw_row(uniform[:3], jnp.zeros(4, bool)).max() < 4


@pytest.mark.parametrize(
    "score, centered, normalized",
    [
        ([1, 0, 0, 0], [0.75, -0.25, -0.25, -0.25], [3**0.5, *[-(3**-0.5)] * 3]),
        ([1, 1, 0, 0], [0.5, 0.5, -0.5, -0.5], [1, 1, -1, -1]),
        ([0.2, 0.4, 0.4, 0.6], [-0.2, 0, 0, 0.2], [-(2**0.5), 0, 0, 2**0.5]),
        ([0.1, 0.1, 0.1, 0.1], [0, 0, 0, 0], [0, 0, 0, 0]),
    ],
)
def test_advantage_by_hand(score, centered, normalized):
    score = jnp.array([score, [0.5] * 4], jnp.float32)
    for normalize_std, expected in ((0, centered), (1, normalized)):
        found = group_advantage(score, normalize_std)
        np.testing.assert_allclose(found, [expected, [0] * 4], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("num_samples", [3, 7, 10])
@pytest.mark.parametrize("normalize_std", [0, 1])
def test_equal_scores_have_no_advantage(num_samples, normalize_std):
    """Exactly 0, even where rounding moves the mean away from the scores."""
    score = np.linspace(0, 1, 101, dtype=np.float32)[:, None].repeat(num_samples, 1)
    assert (jax.jit(group_advantage)(score, normalize_std) == 0).all()


MASK = np.array([True, True, True, False])
OLD = np.log(np.float32([0.5, 0.5, 0.5, 0.5]))


def test_grpo_gradient_is_finite_beside_tokens_of_almost_no_probability():
    def logprob(top):
        logits = jnp.zeros(4).at[0].set(top).at[1].set(-1e9)
        return jax.nn.log_softmax(logits / 0.5)[:2]

    mask = jnp.array([True, False])
    old = logprob(5.0)
    gradient = jax.grad(grpo_loss)(logprob(40.0), old, old, mask, 1.0, 0.2, 0.01)
    assert jnp.isfinite(gradient).all() and gradient[1] == 0


# Ratios 1.5, 1 and 0.5 with clipping at 0.2, and a token that does not count.
@pytest.mark.parametrize(
    "advantage, surrogate, still_learns",
    [
        (2.0, (1.2 + 1 + 0.5) / 3 * 2.0, [False, True, True]),
        (-2.0, (1.5 + 1 + 0.8) / 3 * -2.0, [True, True, False]),
    ],
)
def test_grpo_loss_by_hand(advantage, surrogate, still_learns):
    logprob = np.log(np.float32([0.75, 0.5, 0.25, 0.9]))
    reference = np.log(np.float32([0.75, 0.25, 0.75, 0.1]))
    inputs = (OLD, reference, MASK, advantage, 0.2)
    np.testing.assert_allclose(grpo_loss(logprob, *inputs, 0.0), -surrogate, rtol=1e-5)
    # Log ratios 0, -log 2 and log 3: exp(x) - 1 - x.
    kl = (0 + (0.5 - 1 + np.log(2)) + (3 - 1 - np.log(3))) / 3
    np.testing.assert_allclose(grpo_loss(logprob, *inputs, 0.3), 0.3 * kl - surrogate, rtol=1e-5)
    gradient = jax.grad(grpo_loss)(logprob, *inputs, 0.0)
    expected = -np.float32([1.5, 1, 0.5]) * advantage / 3 * still_learns
    np.testing.assert_allclose(gradient, [*expected, 0], rtol=1e-5)


def test_advantages_and_kl_weights_of_single_tokens_by_hand():
    """Ratios 1.5, 1 and 0.5, log ratios to the base 0, -log 2 and log 3; one that doesn't count."""
    logprob = np.log(np.float32([0.75, 0.5, 0.25, 0.9]))
    reference = np.log(np.float32([0.75, 0.25, 0.75, 0.1]))
    advantage, kl_coef = np.float32([2, -1, 0, 7]), np.float32([0.3, 0, 0.1, 9])
    found = grpo_loss(logprob, OLD, reference, MASK, advantage, 0.2, kl_coef)
    surrogate = 1.2 * 2 - 1 * 1 + 0
    kl = 0.3 * 0 + 0 + 0.1 * (3 - 1 - np.log(3))
    np.testing.assert_allclose(found, -(surrogate - kl) / 3, rtol=1e-5)
    one = grpo_loss(logprob, OLD, reference, MASK, 2.0, 0.2, 0.3)
    each = grpo_loss(logprob, OLD, reference, MASK, np.full(4, 2.0), 0.2, np.full(4, 0.3))
    assert one == each


def test_kl_is_never_negative_and_0_at_the_reference():
    logprob, reference = np.log(np.random.default_rng(0).random((2, 1000, 4), np.float32))
    kl_of = jax.jit(jax.vmap(lambda lp, ref: grpo_loss(lp, lp, ref, MASK, 0.0, 0.2, 1.0)))
    assert (kl_of(logprob, reference) > 0).all()
    assert (kl_of(logprob, logprob) == 0).all()
    gradient = jax.jit(jax.grad(lambda lp: kl_of(lp, logprob).sum()))(logprob)
    np.testing.assert_allclose(gradient, 0, atol=1e-6)


def grpo(**fields) -> GRPO:
    fields = {"temperature": 0.7, "kl_coef": 0.1} | fields
    return GRPO(num_problems=B, num_samples=K, num_updates=2, **fields)


def test_gradient_before_the_first_update_is_the_policy_gradient(policy):
    """Advantage times the mean log-probability of the tokens, at the sampling temperature."""
    prompts = jnp.array([[vocab.PAD, 3, vocab.COPY], [1, 2, vocab.COPY]])
    completions = jnp.stack([answer(3), jnp.array([4, 2, vocab.EOS])])
    mask, advantage = completions != vocab.PAD, jnp.array([1.5, -0.5])

    def logprob(policy):
        return sampling.completion_logprob(policy, prompts, completions, 0.7)

    @jax.jit
    def gradients(policy):
        old = logprob(policy)
        each = jnp.broadcast_to(advantage[:, None], mask.shape)
        batch = GRPOBatch(prompts, completions, mask, each, 0.1 * mask, old, old)
        return jax.grad(grpo()._loss)(policy, batch), jax.grad(expected_loss)(policy)

    def expected_loss(policy):
        return -(advantage * (logprob(policy) * mask).sum(1) / mask.sum(1)).mean()

    found, expected = gradients(policy)
    jax.tree.map(functools.partial(np.testing.assert_allclose, atol=1e-5), found, expected)
    assert max(float(jnp.abs(x).max()) for x in jax.tree.leaves(found)) > 0.01


@pytest.fixture(scope="module")
def grpo_rounds(policy):
    """States before and after rounds with equal, unequal and equal scores in each group."""
    learner = grpo()
    unequal = np.float32([[1, 0], [1, 1], [0, 0]])
    equal = np.float32([[1, 1], [0, 0], [0.3, 0.3]])
    states, infos = [init(learner, policy)], []
    for r, score in enumerate((equal, unequal, equal, unequal)):
        state, info = step(learner, states[-1], jax.random.key(20 + r), score, jnp.int32(5))
        states.append(state)
        infos.append(info)
    return states, infos


def test_a_round_of_equal_scores_changes_nothing(grpo_rounds):
    """Bit by bit, although there is momentum, and a KL term once the policy has left the base."""
    states, infos = grpo_rounds
    for before, after in ((states[0], states[1]), (states[2], states[3])):
        assert_same(after, before)
    for before, after in ((states[1], states[2]), (states[3], states[4])):
        assert not same(after.policy, before.policy)
    assert [bool(x.grad_norm > 0) for x in infos] == [False, True, False, True]


def test_reference_is_the_base(grpo_rounds, policy):
    for state in grpo_rounds[0]:
        assert_same(state.reference, policy)


@struct.dataclass
class LateTokens:
    """A learner that weighs tokens by itself: only those from `start` on count."""

    learner: GRPO = GRPO()
    start: int = struct.leaf(1, low=0)

    def init(self, key, bases, example):
        return self.learner.init(key, bases, example)

    def step(self, key, state, source):
        inner = self.learner
        problems, rollouts, verdicts = sampling.collect(
            key, source, state.policy, inner.num_problems, inner.num_samples, inner.temperature
        )
        advantage = group_advantage(verdicts.score, inner.normalize_std)
        batch = inner.batch(state, state.policy, rollouts, advantage)
        late = jnp.arange(batch.mask.shape[1])[None] >= self.start
        batch = batch._replace(advantage=batch.advantage * late, kl_coef=batch.kl_coef * late)
        trained = inner.update(state, batch)
        info = StepInfo(problems, rollouts, verdicts, trained.loss, trained.grad_norm)
        return state._replace(policy=trained.policy, optimizer=trained.optimizer), info


@pytest.mark.slow
def test_a_learner_may_weigh_tokens_itself(policy, grpo_rounds):
    """From the first token on it is GRPO, and where no token counts it does nothing."""
    unequal = np.float32([[1, 0], [1, 1], [0, 0]])
    (*_, before, expected), moved = grpo_rounds[0], {}
    for first in (0, 1, C):
        learner = LateTokens(grpo(), jnp.int32(first))
        moved[first], _ = step(learner, before, jax.random.key(23), unequal, jnp.int32(5))
    jax.tree.map(
        functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), moved[0], expected
    )
    assert_same(moved[C], before)
    assert not same(moved[1].policy, before.policy) and not same(moved[1].policy, moved[0].policy)


def test_both_ways_to_normalize_are_one_program():
    one, other = (jax.tree.structure(grpo(normalize_std=x)) for x in (0, 1))
    assert one == other
