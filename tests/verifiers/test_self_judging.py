"""Verifiers that ask the policy about its own completions, against a policy that is known."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import vocab
from avax.models import transformer
from avax.policies import generation
from avax.tasks.copy import Copy
from avax.types import Rollout, graded_verdict
from avax.verifiers.commit_first import CommitFirst
from avax.verifiers.comparison import Comparison
from avax.verifiers.likelihood import Likelihood
from avax.verifiers.self_evaluation import SelfEvaluation

TASK = Copy(max_difficulty=2)
C = TASK.completion_len
MODEL = transformer.TransformerConfig(num_layers=1, num_heads=1, width=8)
# Large embeddings make tokens that differ in probability.
POLICY = jax.tree.map(lambda x: 3 * x, transformer.init(jax.random.key(0), MODEL))
PROMPT = TASK.sample(jax.random.key(1), 2).prompt


def rollout_of(completion) -> Rollout:
    mask = completion != vocab.PAD
    return Rollout(PROMPT, completion, mask, jnp.full(mask.shape, jnp.nan))  # which none may use


@jax.jit
def judged(verifier, rollout, key=None):
    key = jax.random.key(2) if key is None else key
    return verifier.verify(key, verifier.init(key, None), POLICY, rollout, None)


logits_of = jax.jit(lambda tokens: POLICY(tokens[None])[0][0])


def by_hand(completion) -> tuple[float, int]:
    """Log-probability of one completion, token by token, and its tokens."""
    completion = np.asarray(completion)
    logits = np.asarray(logits_of(jnp.concatenate([PROMPT, completion])), np.float64)
    count = int((completion != vocab.PAD).sum())
    before = logits[len(PROMPT) - 1 :][:count]  # each token is foretold by the one before it
    logprob = before - np.log(np.exp(before).sum(-1, keepdims=True))
    return logprob[np.arange(count), completion[:count]].sum(), count


@pytest.fixture(scope="module")
def samples() -> Rollout:
    """K = 8 different completions, likely ones and unlikely ones, and one without a token."""
    hot, warm = (
        generation.generate(jax.random.key(3), POLICY, PROMPT[None], C, 20, t).completion[0]
        for t in (1.0, 3.0)
    )
    different = np.unique(np.concatenate([hot, warm]), axis=0)[::3][:7]
    return rollout_of(jnp.concatenate([different, jnp.full((1, C), vocab.PAD)]))


def test_likelihood_is_the_mean_over_tokens(samples):
    score = np.asarray(judged(Likelihood(threshold=0.5), samples).score)  # the probability itself
    for completion, found in zip(samples.completion[:-1], score[:-1], strict=True):
        total, count = by_hand(completion)
        assert found == pytest.approx(np.exp(total / count), rel=1e-4)
    assert score[-1] == 0 and len(set(score.round(6))) == len(score)


def test_comparison_is_the_share_among_all_candidates(samples):
    """With alternatives that are known: those that the same key samples."""
    verifier = Comparison(num_alternatives=5, threshold=0.5)
    key = jax.random.key(4)
    others = generation.generate(key, POLICY, PROMPT[None], C, 5, 1.0).completion[0]
    pool = {tuple(row) for row in np.concatenate([samples.completion[:-1], others]).tolist()}
    total = sum(np.exp(by_hand(row)[0]) for row in pool)
    score = judged(verifier, samples, jax.random.clone(key)).score
    for completion, found in zip(samples.completion[:-1], score[:-1], strict=True):
        assert found == pytest.approx(np.exp(by_hand(completion)[0]) / total, rel=1e-4)
    assert score[-1] == 0


def test_equal_completions_share_one_score(samples):
    twice = rollout_of(jnp.repeat(samples.completion, 2, axis=0))
    for verifier in (Likelihood(), Comparison(), CommitFirst(), SelfEvaluation()):
        once, double = (np.asarray(judged(verifier, r).score) for r in (samples, twice))
        np.testing.assert_allclose(double[::2], double[1::2], rtol=1e-5)
        np.testing.assert_allclose(double[::2], once, rtol=1e-4)


def test_commit_first_accepts_the_greedy_answer_alone(samples):
    greedy = generation.generate(jax.random.key(5), POLICY, PROMPT[None], C, 1, 0.0).completion[0]
    rollout = rollout_of(jnp.concatenate([samples.completion, greedy]))
    expected = (rollout.completion == greedy).all(-1)
    assert expected[-1] and not expected.all()
    np.testing.assert_array_equal(judged(CommitFirst(), rollout).accept, expected)


def test_self_evaluation_is_the_probability_of_marks_that_all_say_yes(samples):
    """As if `?` stood right behind the last digit: neither EOS nor PAD is shown."""
    verdict = judged(SelfEvaluation(threshold=0.5), samples)  # scores are probabilities
    for completion, *found in zip(samples.completion[:-1], *verdict, strict=False):
        shown = completion[(completion != vocab.EOS) & (completion != vocab.PAD)]
        marks = jnp.full(len(shown) + 1, vocab.YES)
        tokens = jnp.concatenate([PROMPT, shown, jnp.array([vocab.RETRY]), marks])
        logits = np.asarray(logits_of(tokens), np.float64)[-len(marks) - 1 : -1]
        yes = np.exp(logits[:, vocab.YES]) / np.exp(logits).sum(-1)
        assert found[0] == pytest.approx(yes.prod(), rel=1e-4)
        np.testing.assert_allclose(found[1][: len(shown)], yes[:-1], rtol=1e-4)
    assert verdict.score[-1] == 0 and len(set(np.asarray(verdict.score).tolist())) > 4


@pytest.mark.parametrize("threshold", [0.0, 0.03, 0.5, 0.9, 1.0])
def test_a_graded_verdict_accepts_above_its_threshold(threshold):
    probability = jnp.array([0.0, 0.01, 0.2, 0.49, 0.51, 0.89, 0.91, 0.999, 1.0])
    rollout = rollout_of(jnp.full((9, C), vocab.EOS))
    verdict = graded_verdict(probability, threshold, rollout)
    expected = (probability > min(threshold, 1 - 1e-6)) | (threshold == 0)
    np.testing.assert_array_equal(verdict.accept, expected)
    assert (np.diff(verdict.score) >= 0).all()
    assert (verdict.score >= 0).all() and (verdict.score <= 1).all()
