"""Laws of the verifiers that shuffle another one's scores: placebo and recipient shuffle."""

from __future__ import annotations

import collections
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import requirements, struct, vocab
from avax.learners import FilteredSFT, Population
from avax.models import transformer
from avax.policies import generation, sampling
from avax.policies.sampling import share
from avax.sweeps import defaults
from avax.types import MISTAKES, Grade, Rollout, Verifier
from avax.verifiers import (
    VERIFIERS,
    AcceptAll,
    AllOf,
    Learned,
    MajorityVote,
    Noisy,
    Oracle,
    StepOracle,
    Systematic,
)
from avax.verifiers.placebo import Placebo
from avax.verifiers.recipient_shuffle import RecipientShuffle
from avax.verifiers.shuffling import Shuffled, random_source

B, K, P, C, NUM_ROUNDS = 40, 6, 5, 5, 60
MODEL = transformer.TransformerConfig(num_layers=1, num_heads=1, width=4)
BASES = jax.vmap(functools.partial(transformer.init, config=MODEL))(
    jax.random.split(jax.random.key(0), 2)
)
POLICY = jax.tree.map(lambda x: x[0], BASES)
WRAPPABLE = [name for name, plugin in VERIFIERS.items() if not isinstance(plugin, Shuffled)]
ASK_POLICIES = {
    *("commutative", "cross_model", "learned", "likelihood", "comparison", "commit_first"),
    *("self_evaluation", "all_of", "any_of"),
}


def rollouts_of(completion=None) -> Rollout:
    """Completions i32[B, K, C]: by default numbers of 1 to C - 1 digits, of which some agree."""
    rng = np.random.default_rng(0)
    prompt = jnp.array(rng.integers(0, 10, (B, P)), jnp.int32)
    if completion is None:
        length = rng.choice(C - 1, (B, K, 1), p=[0.2, 0.1, 0.1, 0.6]) + 1
        digits = np.where(np.arange(C) < length, 7, vocab.PAD)
        completion = jnp.array(np.where(np.arange(C) == length, vocab.EOS, digits), jnp.int32)
    mask = sampling.completion_mask(completion)
    return Rollout(prompt, completion, mask, jnp.zeros(mask.shape))


@functools.cache
def answered() -> Rollout:
    """Each problem is answered greedily by two policies, by one several times, and by chance."""
    prompt = rollouts_of().prompt

    def completions(policy, num_samples, temperature):
        key = jax.random.key(1)
        return generation.generate(key, policy, prompt, C, num_samples, temperature).completion

    first, second = jax.jit(jax.vmap(lambda policy: completions(policy, 1, 0.0)))(BASES)
    third = jnp.concatenate([first[: B // 2], second[B // 2 :]])
    sampled = completions(POLICY, K - 4, 1.0)
    return rollouts_of(jnp.concatenate([first, first, third, second, sampled], axis=1))


def grades_of(seed: int = 0) -> Grade:
    """A third is right; the wrong ones are of one kind or of none."""
    rng = np.random.default_rng(seed)
    correct = rng.random((B, K)) < 1 / 3
    mistake = np.zeros((B, K, len(MISTAKES)), bool)
    mistake[..., 1] = ~correct & (rng.random((B, K)) < 0.5)
    steps = np.repeat(correct[..., None], C, -1)
    return Grade(*map(jnp.array, (correct, steps, mistake, np.zeros((B, K), bool))))


@struct.dataclass
class Inner:
    """A verifier with the key that one that shuffles it gives it."""

    inner: Verifier

    def verify(self, key, state, policy, rollout, grade):
        return self.inner.verify(jax.random.split(key)[0], state, policy, rollout, grade)

    @property
    def uses_ground_truth(self):
        return self.inner.uses_ground_truth


@functools.partial(jax.jit, static_argnums=1)
def judged(verifiers, num_rounds, state, rollouts, grades):
    """Verdicts of verifiers in the same rounds; leading axes [rounds, B]."""

    def verdict(verifier, key):
        return sampling.verify(verifier, key, state, POLICY, rollouts, grades)

    keys = [jax.random.split(jax.random.key(3), num_rounds) for _ in verifiers]
    return [
        jax.vmap(functools.partial(verdict, v))(each)
        for v, each in zip(verifiers, keys, strict=True)
    ]


def in_rounds(shuffled, num_rounds=NUM_ROUNDS, rollouts=None, grades=None, state=()):
    """Verdicts of a verifier, and of one that shuffles it in the same rounds, as NumPy's."""
    verifiers = [Inner(shuffled.inner), shuffled]
    found = judged(verifiers, num_rounds, state, rollouts or rollouts_of(), grades or grades_of())
    return jax.tree.map(np.asarray, found)


def num_sd(accept, correct) -> float:
    """By how many standard deviations right completions are accepted more often than by chance.

    Args:
      accept, correct: bool[rounds, B, K]; accepted right ones of a round are hypergeometric.
    """
    total, axes = correct[0].size, (1, 2)
    right, among = correct.sum(axes), accept.sum(axes)
    variance = among * right / total * (1 - right / total) * (total - among) / (total - 1)
    excess = (accept & correct).sum(axes) - among * right / total
    return float(excess.sum() / np.sqrt(max(variance.sum(), 1e-9)))


@pytest.mark.parametrize(
    "name",
    [pytest.param(x, marks=pytest.mark.slow) if x in ASK_POLICIES else x for x in WRAPPABLE],
)
def test_a_placebo_is_blind_whatever_it_wraps(name):
    """The same scores are given to others, and TPR - FPR is 0 within error: for the truth, and for
    one that is what the verifier itself finds best, from which nothing is as far as no shuffle.
    """
    inner, grades = VERIFIERS[name], grades_of()
    state = inner.init(jax.random.key(4), BASES)
    if isinstance(inner, Learned):  # before its first label it accepts nothing
        state = state._replace(is_trained=jnp.array(True))
    rollouts = answered() if name in ASK_POLICIES else rollouts_of()
    plain, blind = in_rounds(Placebo(inner), rollouts=rollouts, grades=grades, state=state)
    shape = NUM_ROUNDS, -1
    same = np.sort(plain.score.reshape(shape)) == np.sort(blind.score.reshape(shape))
    assert same.all()
    correct = np.broadcast_to(grades.correct, plain.accept.shape)
    assert abs(num_sd(blind.accept, correct)) < 5
    cut = np.median(plain.score)
    is_best = np.greater_equal if cut == plain.score.max() else np.greater
    best, found = (is_best(x.score, cut) for x in (plain, blind))
    assert abs(num_sd(found, best)) < 5
    # All of these completions are numbers that end, and none holds a separator.
    assert name in ("none", "has_form", "has_token") or num_sd(best, best) > 20
    if inner.uses_ground_truth and not isinstance(inner, Learned):
        assert num_sd(plain.accept, correct) > 20


def test_a_placebo_around_no_filter_is_no_filter():
    plain, blind = in_rounds(Placebo(AcceptAll()), num_rounds=2)
    assert plain.accept.all() and jax.tree.all(jax.tree.map(np.array_equal, plain, blind))


def test_every_permutation_is_equally_likely():
    """Of 4 of 5 places; the one between them keeps what is its own."""
    moves = jnp.array([True, False, True, True, True])
    num = 24 * 500
    keys = jax.random.split(jax.random.key(5), num)
    found = np.asarray(jax.jit(jax.vmap(random_source, (0, None)))(keys, moves))
    assert (found[:, 1] == 1).all()
    counts = collections.Counter(map(tuple, found[:, [0, 2, 3, 4]].tolist()))
    assert counts.keys() == set(itertools.permutations((0, 2, 3, 4)))
    chi2 = sum((n - 500) ** 2 / 500 for n in counts.values())  # 23 degrees of freedom
    assert abs(chi2 - 23) < 5 * np.sqrt(2 * 23)


def test_scores_move_from_problem_to_problem_and_anew_each_round():
    """One problem's completions are right: of its verdicts, 1 in B stays with it."""
    first = jnp.arange(B)[:, None] + jnp.zeros((1, K)) == 0
    truth = grades_of()._replace(correct=first)
    accept = in_rounds(Placebo(Oracle()), grades=truth)[1].accept
    assert (accept.sum((1, 2)) == K).all()
    assert accept[:, 0].sum() < 5 * NUM_ROUNDS * K / B
    assert len({row.tobytes() for row in accept}) == NUM_ROUNDS


SHUFFLERS = [Placebo(Systematic(near_miss=1.0)), RecipientShuffle(Systematic(near_miss=1.0))]


@pytest.mark.parametrize("verifier", SHUFFLERS)
def test_a_completion_without_a_token_keeps_its_verdict(verifier):
    """A learner may have to reject it, whatever the verifier says."""
    completion = rollouts_of().completion.at[:, ::2].set(vocab.PAD)
    found = in_rounds(verifier, rollouts=rollouts_of(completion))
    plain, shuffled = (x.accept for x in found)
    np.testing.assert_array_equal(plain[..., ::2], shuffled[..., ::2])
    assert (plain != shuffled).any()


@pytest.mark.parametrize("fpr, fnr", [(0.0, 0.0), (0.1, 0.3), (1.0, 0.5)])
def test_rates_of_a_recipient_shuffle_are_those_of_the_other_in_each_round(fpr, fnr):
    correct = np.asarray(grades_of().correct)
    inner = Systematic(fpr=jnp.float32(fpr), near_miss=jnp.float32(0.8))
    inner = Noisy(inner, fnr=jnp.float32(fnr))  # false negatives of its own
    plain, shuffled = (x.accept for x in in_rounds(RecipientShuffle(inner)))
    np.testing.assert_array_equal(plain[:, correct], shuffled[:, correct])
    for one, other in zip(plain, shuffled, strict=True):
        assert share(one, ~correct) == share(other, ~correct)
        assert share(~one, correct) == share(~other, correct)


def test_false_positives_go_to_any_wrong_completion():
    """Each is as likely; the kind that the other verifier is blind to is no more than others."""
    grades = grades_of()
    correct, blind = (np.asarray(x) for x in (grades.correct, grades.mistake[..., 1]))
    plain, shuffled = (
        x.accept for x in in_rounds(RecipientShuffle(Systematic(near_miss=1.0)), 400)
    )
    assert plain[:, blind].all() and not plain[:, ~correct & ~blind].any()
    wrong = shuffled[:, ~correct]
    (among,) = set(wrong.sum(1))
    assert among == blind.sum()
    rate, num_wrong = among / wrong.shape[1], wrong.shape[1]
    expected = 400 * rate
    chi2 = ((wrong.sum(0) - expected) ** 2).sum() / (expected * (1 - rate)) * (1 - 1 / num_wrong)
    assert abs(chi2 - (num_wrong - 1)) < 5 * np.sqrt(2 * num_wrong)
    kind = np.broadcast_to(blind[~correct], wrong.shape)[:, None]
    assert abs(num_sd(wrong[:, None], kind)) < 5


def test_verdicts_on_steps_follow_and_stay_where_nothing_moves():
    verifier = StepOracle(fpr=jnp.float32(0.5), fnr=jnp.float32(0.1))
    rollouts, correct = rollouts_of(), np.asarray(grades_of().correct)
    plain, shuffled = in_rounds(RecipientShuffle(verifier), num_rounds=3)
    np.testing.assert_array_equal(plain.step_score[:, correct], shuffled.step_score[:, correct])
    moved = shuffled.score[..., None] * np.asarray(rollouts.mask)
    np.testing.assert_array_equal(shuffled.step_score[:, ~correct], moved[:, ~correct])


def test_the_other_verifier_sees_the_truth_only_if_it_says_so():
    @struct.dataclass
    class Blindfolded(AcceptAll):
        def verify(self, key, state, policy, rollout, grade):
            assert grade is None
            return super().verify(key, state, policy, rollout, grade)

        def update(self, key, state, policy, info, grades):
            assert grades is None
            return state

    verifier = RecipientShuffle(Blindfolded())
    in_rounds(verifier, num_rounds=1)
    assert verifier.uses_ground_truth and verifier.update(None, (), None, None, grades_of()) == ()
    assert not Placebo(Blindfolded()).uses_ground_truth and Placebo(Oracle()).uses_ground_truth


@pytest.mark.parametrize(
    "verifier, words",
    [
        (Placebo(Placebo(Oracle())), "verifier: is Placebo around Placebo, must be around what"),
        (Placebo(AllOf(Oracle(), RecipientShuffle(Oracle()))), "is Placebo around RecipientSh"),
        (RecipientShuffle(Noisy(Placebo(Oracle()))), "is RecipientShuffle around Placebo"),
        (Placebo(MajorityVote()), "num_samples: is 1, must be at least 2"),
    ],
)
def test_what_can_not_mean_anything_is_refused(verifier, words):
    lines = [x for _, _, x in requirements.unmet(defaults.EXPERIMENT.replace(verifier=verifier))]
    assert any(words in line for line in lines)


@pytest.mark.parametrize("verifier", SHUFFLERS)
def test_a_filter_that_is_not_shuffled_is_refused(verifier):
    """A population's vote comes behind the verifier: its choice would be no placebo's."""
    experiment = defaults.EXPERIMENT.replace(verifier=verifier, num_bases=2)
    assert not list(requirements.unmet(experiment))
    voted = experiment.replace(learner=Population(FilteredSFT()))
    ((path, _, line),) = requirements.unmet(voted)
    assert path == "verifier" and line.startswith("learner: is Population, must be one without")
