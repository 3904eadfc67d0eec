"""Laws of the verifiers, and that label noise comes in behind them."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import loop, source, vocab
from avax.curricula.fixed import Fixed
from avax.faults.label_noise import LabelNoise
from avax.learners.grpo import GRPO
from avax.models import transformer
from avax.tasks.copy import Copy
from avax.types import MISTAKES, PROBLEMS, Grade, Problem, Rollout
from avax.verifiers import VERIFIERS
from avax.verifiers.accept_all import AcceptAll
from avax.verifiers.majority import MajorityVote
from avax.verifiers.noisy import Noisy
from avax.verifiers.oracle import Oracle

TASK = Copy(max_difficulty=3)
B, K, C = 500, 8, TASK.completion_len
POLICY = transformer.init(
    jax.random.key(0), transformer.TransformerConfig(num_layers=1, num_heads=1, width=4)
)
BASES = jax.tree.map(lambda x: jnp.stack([x, x]), POLICY)


def tokens(*texts: str) -> jax.Array:
    """i32[K, C]: the inverse of `vocab.to_text`, PAD behind short texts."""
    symbols = vocab.to_text(range(vocab.VOCAB_SIZE))
    return jnp.array([[symbols.index(c) for c in text.ljust(C, "_")] for text in texts])


def rollout_of(completion) -> Rollout:
    """A rollout, or rollouts with a leading axis B, whatever the prompt."""
    mask = completion != vocab.PAD
    prompt = jnp.zeros((*completion.shape[:-2], TASK.prompt_len), jnp.int32)
    return Rollout(prompt, completion, mask, jnp.zeros(mask.shape))


def grade_of(correct) -> Grade:
    """The truth about K completions, their steps being like the whole."""
    mistake = jnp.zeros((*correct.shape, len(MISTAKES)), bool)
    return Grade(correct, jnp.repeat(correct[:, None], C, axis=1), mistake, correct & False)


def accepted(verifier, *texts: str, correct=None) -> list[bool]:
    """Which of the completions of one prompt a verifier accepts."""
    grade = None
    if correct is not None:
        correct = jnp.array(correct)
        grade = grade_of(correct)
    verdict = verifier.verify(jax.random.key(0), (), None, rollout_of(tokens(*texts)), grade)
    return verdict.accept.tolist()


@functools.partial(jax.jit, static_argnums=2)
def judged_many(verifier, correct, num_problems):
    """Verdicts on `num_problems` prompts with the same completions, right and wrong ones."""
    completion = jnp.arange(len(correct) * C).reshape(-1, C) % 10
    grade = grade_of(correct)
    keys = jax.random.split(jax.random.key(1), num_problems)
    judge = jax.vmap(lambda k: verifier.verify(k, (), None, rollout_of(completion), grade))
    return judge(keys)


def assert_share(events, rate):
    """An observed share within five standard errors, and exact at 0 and 1."""
    events = np.asarray(events)
    assert abs(events.mean() - rate) <= 5 * np.sqrt(rate * (1 - rate) / events.size)


CORRECT = np.arange(200) % 2 == 0


@pytest.mark.parametrize("fpr, fnr", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.02, 0.3), (0.5, 0.1)])
def test_oracle_hits_its_rates(fpr, fnr):
    verdict = judged_many(Oracle(jnp.float32(fpr), jnp.float32(fnr)), CORRECT, 200)
    assert_share(verdict.accept[:, ~CORRECT], fpr)
    assert_share(~verdict.accept[:, CORRECT], fnr)
    np.testing.assert_array_equal(verdict.step_score, verdict.score[..., None].repeat(C, -1))


def test_oracle_errs_independently():
    """Each completion of each prompt has its own coin: counts of a prompt vary as a binomial's."""
    verdict = judged_many(Oracle(jnp.float32(0.5), jnp.float32(0.5)), CORRECT, 200)
    for axis in (0, 1):
        spread = np.asarray(verdict.accept).sum(axis).var()
        assert 0.5 < spread / (200 / 4) < 1.6


@pytest.mark.parametrize("fpr, fnr", [(0.1, 0.4), (0.7, 0.0)])
def test_noise_is_relative_to_the_inner_verdict(fpr, fnr):
    """Around an oracle that is wrong about everything, so that the truth would give other rates."""
    inner = Oracle(jnp.float32(1.0), jnp.float32(1.0))
    verdict = judged_many(Noisy(inner, jnp.float32(fpr), jnp.float32(fnr)), CORRECT, 200)
    assert_share(verdict.accept[:, CORRECT], fpr)
    assert_share(~verdict.accept[:, ~CORRECT], fnr)


def test_noise_is_independent_of_the_errors_of_the_inner_verdict():
    inner = Oracle(jnp.float32(0.2), jnp.float32(0.3))
    verdict = judged_many(Noisy(inner, jnp.float32(0.1), jnp.float32(0.4)), CORRECT, 200)
    assert_share(verdict.accept[:, ~CORRECT], 0.2 * 0.6 + 0.8 * 0.1)
    assert_share(verdict.accept[:, CORRECT], 0.7 * 0.6 + 0.3 * 0.1)


def random_rollouts():
    """B rollouts of which some agree, with EOS at different places."""
    texts = np.array(["1$", "2$", "12$", "123$", "1234"])
    chosen = np.random.default_rng(0).choice(len(texts), (B, K), p=[0.3, 0.3, 0.2, 0.1, 0.1])
    return rollout_of(tokens(*texts)[chosen])


def verify_all(verifier, rollouts):
    keys = jax.random.split(jax.random.key(2), len(rollouts.prompt))
    verify = jax.vmap(
        lambda k, rollout: verifier.verify(k, (), None, rollout, None), axis_name=PROBLEMS
    )
    return jax.jit(verify)(keys, rollouts)


def test_noise_without_rates_is_the_inner_verifier():
    rollouts = random_rollouts()
    plain, noisy = (verify_all(v, rollouts) for v in (MajorityVote(), Noisy(MajorityVote())))
    jax.tree.map(np.testing.assert_array_equal, plain, noisy)
    assert 0.1 < plain.accept.mean() < 0.9
    opposite = verify_all(Noisy(MajorityVote(), fpr=1.0, fnr=1.0), rollouts)
    np.testing.assert_array_equal(opposite.accept, ~plain.accept)
    np.testing.assert_array_equal(opposite.step_score, (1 - plain.step_score) * rollouts.mask)


def test_majority_does_not_care_about_the_order_of_samples():
    rollouts, verifier = random_rollouts(), MajorityVote(0.3)
    order = np.random.default_rng(1).permutation(K)
    shuffled = rollouts._replace(completion=rollouts.completion[:, order])
    shuffled = shuffled._replace(mask=rollouts.mask[:, order])
    before, after = verify_all(verifier, rollouts), verify_all(verifier, shuffled)
    np.testing.assert_array_equal(after.score, before.score[:, order])
    np.testing.assert_array_equal(after.step_score, before.step_score[:, order])
    assert 0.1 < before.accept.mean() < 0.9


@pytest.mark.parametrize(
    "threshold, texts, expected",
    [
        (0.5, "1$ 1$ 1$ 2$", "1110"),
        (0.75, "1$ 1$ 1$ 2$", "1110"),
        (0.76, "1$ 1$ 1$ 2$", "0000"),
        (0.5, "1$ 2$ 1$ 2$", "1111"),  # a tie: all of the most frequent
        (0.0, "1$ 2$ 2$ 1$ 3$", "11110"),  # however few agree, the most frequent alone
        (0.4, "1$ 2$ 2$ 1$ 3$", "11110"),
        (0.41, "1$ 2$ 2$ 1$ 3$", "00000"),
        (0.25, "1$ 2$ 3$ 4$", "1111"),
        (0.26, "1$ 2$ 3$ 4$", "0000"),
        (1.0, "12$ 12$", "11"),
        (1.0, "12$ 13$", "00"),
        (1.0, "1234", "1"),
        (0.5, "12$ 1$ 12 12$", "1001"),  # all tokens have to agree, EOS too
    ],
)
def test_majority_by_hand(threshold, texts, expected):
    found = accepted(MajorityVote(threshold), *texts.split())
    assert "".join(str(int(x)) for x in found) == expected


@pytest.mark.parametrize("num_samples", [6, 7, 10])
def test_majority_at_its_threshold(num_samples):
    """Exactly the threshold's share is enough, whatever the rounding of the shares."""
    agree = np.arange(num_samples // 2 + 1, num_samples + 1)
    place = np.arange(num_samples)
    completion = np.where(place < agree[:, None], 0, place)[..., None].repeat(C, -1)

    @jax.jit
    @jax.vmap
    def verify(threshold, rows):
        return MajorityVote(threshold).verify(None, (), None, rollout_of(rows), None).accept

    counts = verify((agree / num_samples).astype(np.float32), completion).sum(-1)
    assert counts.tolist() == agree.tolist()


def test_accept_all():
    assert accepted(AcceptAll(), "1$", "2$", "1234") == [True] * 3
    verdict = verify_all(AcceptAll(), random_rollouts())
    assert (verdict.score == 1).all()
    np.testing.assert_array_equal(verdict.step_score, random_rollouts().mask)


def test_oracle_by_hand():
    texts, correct = ("1$", "2$", "3$"), [True, False, True]
    assert accepted(Oracle(), *texts, correct=correct) == correct
    assert accepted(Oracle(fpr=1.0), *texts, correct=correct) == [True] * 3
    assert accepted(Oracle(fnr=1.0), *texts, correct=correct) == [False] * 3


def judged_in_the_loop(verifier, problems, rollouts, noise):
    experiment = loop.Experiment(TASK, Fixed(1, 3), verifier, GRPO(), noise)

    @jax.jit
    def judge(problems, rollouts):
        state = verifier.init(jax.random.key(3), BASES)
        key, number = jax.random.key(4), jnp.int32(1)
        return source.judge(experiment, state, number, key, POLICY, problems, rollouts)

    return judge(problems, rollouts)


@pytest.mark.parametrize("name", VERIFIERS)
def test_scrambled_truth_changes_no_verdict_of_verifiers_that_do_not_use_it(name):
    rollouts = random_rollouts()._replace(prompt=jnp.zeros((B, TASK.prompt_len), jnp.int32))
    answers = rollouts.completion[:, 0]
    problems = Problem(rollouts.prompt, answers, jnp.ones(B, jnp.int32))
    scrambled = problems._replace(answer=jnp.roll(answers, 1, axis=0))
    verifier = VERIFIERS[name]
    (_, before), (_, after) = (
        judged_in_the_loop(verifier, p, rollouts, LabelNoise()) for p in (problems, scrambled)
    )
    same = all(jax.tree.leaves(jax.tree.map(np.array_equal, before, after)))
    sees_truth = verifier.uses_ground_truth and name != "learned"  # which learns from it later
    assert same != sees_truth


def test_noise_comes_behind_the_verdict():
    rollouts = random_rollouts()
    problems = Problem(rollouts.prompt, rollouts.completion[:, 0], jnp.ones(B, jnp.int32))
    noisy, verdicts = judged_in_the_loop(Oracle(), problems, rollouts, LabelNoise(digit_rate=1.0))
    right = (rollouts.completion == problems.answer[:, None]).all(-1)
    np.testing.assert_array_equal(verdicts.accept, right)
    assert ((noisy.completion != rollouts.completion).sum(-1) == 1).all()
