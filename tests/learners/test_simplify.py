"""Simplify, then guess: what steps are read as, with policies whose answers are known."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import one_base

from avax import loop, source, vocab
from avax.curricula import Frontier
from avax.learners import simplification, simplify
from avax.learners.simplify import SimplifyThenGuess
from avax.models import transformer
from avax.tasks.scratchpad import Scratchpad
from avax.types import Source, Verdict
from avax.verifiers import MajorityVote

SYMBOLS = vocab.to_text(range(vocab.VOCAB_SIZE))
N, B, K = 5, 40, 3
TASK = Scratchpad(max_difficulty=N, step_rate=0.0)
STEPS = TASK.replace(step_rate=1.0)
P, C = TASK.prompt_len, TASK.completion_len


def tokens(text: str):
    return jnp.array([SYMBOLS.index(c) for c in text])


@dataclasses.dataclass(frozen=True)
class Student:
    """A policy that knows all answers, but for what it is told not to know.

    Attributes:
      longest: direct answers to problems with more digits have a wrong first digit.
      unreadable: steps of problems with so many digits have no operator.
      mistaken: steps of problems with so many digits have a wrong digit.
    """

    longest: int = N
    unreadable: int = 0
    mistaken: int = 0

    def init_cache(self, batch, max_len):
        return jnp.full((batch, max_len), vocab.PAD)

    def __call__(self, tokens, cache=None, pos=0, start=0):
        read = tokens
        if cache is not None:
            read = cache = jax.lax.dynamic_update_slice_in_dim(cache, tokens, pos, axis=1)
        # Where the prompts end: nothing is asked of what stands before that.
        last = ((read[0] == vocab.EQUALS) | (read[0] == vocab.STEP)).argmax()
        prompts = jax.lax.dynamic_slice_in_dim(read, last + 1 - P, P, axis=1)
        answers = jnp.roll(jax.vmap(self.answer)(prompts), last - pos - start, axis=1)
        return jax.nn.one_hot(answers[:, : tokens.shape[1] - start], vocab.VOCAB_SIZE), cache

    def answer(self, prompt):
        """i32[C]: the task's own answer, spoilt as told."""
        start, middle = (prompt == vocab.PAD).sum(), vocab.is_operator(prompt).argmax()
        n, place = middle - start, jnp.arange(N + 1)
        a, b = (jnp.where(place < n, prompt[(s + place) % P], 0) for s in (start, middle + 1))
        is_step = prompt[-1] == vocab.STEP
        answer = TASK.pose(a, b, prompt[middle] == vocab.PLUS_ONE, is_step, n).answer
        wrong = jnp.where(is_step, n == self.mistaken, n > self.longest)
        answer = answer.at[0].set(jnp.where(wrong, (answer[0] + 1) % 10, answer[0]))
        spoilt = answer.at[1].set(vocab.EQUALS)
        return jnp.where(is_step & (n == self.unreadable), spoilt, answer)


def problems_of(n: int, task=TASK):
    keys = jax.random.split(jax.random.key(n), B)
    return jax.vmap(task.sample, (0, None))(keys, jnp.int32(n))


@functools.partial(jax.jit, static_argnums=0)
def guess(student, prompts):
    """Compiled once for each student."""
    return simplification.simplify_then_guess(student, prompts, C, K)


@pytest.mark.parametrize(
    "prompt, operator, expected",
    [
        ("__12+34=", "&", "____2&4="),
        ("123+456=", "+", "__23+56="),
        ("____1&2=", "+", "______+="),
        ("_123&456=", "&", "___23&56="),
    ],
)
def test_the_problem_that_is_left(prompt, operator, expected):
    found = simplification.shortened(tokens(prompt), tokens(operator)[0])
    assert vocab.to_text(found) == expected


@pytest.mark.parametrize(
    "step, readable",
    [("3+$", True), ("0&$", True), ("3*$", False), ("++$", False), ("$__", False), ("3+4", False)]
    + [("3$_", False), ("_+$", False), ("33$", False), ("3+_", False)],
)  # fmt: skip
def test_which_steps_can_be_read(step, readable):
    assert simplification.can_read(tokens(step)) == readable


@pytest.mark.parametrize("n", range(2, N + 1))
def test_a_true_step_leaves_the_rest_of_the_sum(n):
    """For random problems: s + 10 (x + y + carry) = a + b + carry, in Python's integers."""
    problems = problems_of(n, STEPS)
    left = jax.vmap(simplification.shortened)(problems.prompt, problems.answer[:, 1])
    for prompt, step, rest in zip(problems.prompt, problems.answer, left, strict=True):
        (digit, *_), rest = vocab.to_text(step), vocab.to_text(rest)
        before, after = (value(text) for text in (vocab.to_text(prompt), rest))
        assert int(digit) + 10 * after == before
        assert len(rest.lstrip("_")) == 2 * n


def value(prompt: str) -> int:
    """What a prompt asks for: a + b, or a + b + 1."""
    for operator, carry in (("+", 0), ("&", 1)):
        if operator in prompt:
            a, b = prompt.strip("_=;").split(operator)
            return int(a[::-1]) + int(b[::-1]) + carry
    raise ValueError(prompt)


@pytest.mark.parametrize("n", [1, 2, 3, N])
def test_all_candidates_of_a_perfect_policy_are_the_answer(n):
    """With fewer digits than guesses too: the last problem is guessed again."""
    problems = problems_of(n)
    rollouts, steps, all_right = guess(Student(), problems.prompt)
    answers = jnp.broadcast_to(problems.answer[:, None], rollouts.completion.shape)
    assert (rollouts.completion == answers).all()
    assert (rollouts.mask == (answers != vocab.PAD)).all()
    assert (rollouts.prompt == problems.prompt).all()
    assert all_right.all()
    if n > 1:
        assert (steps == problems_of(n, STEPS).answer).all()


def test_a_candidate_is_right_once_the_rest_is_short_enough():
    problems = problems_of(N)
    completion = guess(Student(longest=3), problems.prompt)[0].completion
    right = (completion == problems.answer[:, None]).all(-1)
    assert right.tolist() == [[False, True, True]] * B
    # All but the digit that was guessed wrong.
    assert ((completion[:, 0] != problems.answer).sum(-1) == 1).all()


def test_a_wrong_step_spoils_all_candidates_after_it():
    problems = problems_of(N)
    completion = guess(Student(mistaken=N - 1), problems.prompt)[0].completion
    right = (completion == problems.answer[:, None]).all(-1)
    assert right.tolist() == [[True, False, False]] * B
    assert (completion[:, 1] == completion[:, 2]).all()


def test_which_way_a_right_answer_was_found():
    """Of three candidates a problem the second and third are made by a step with a wrong digit:
    here their answers are called right all the same.
    """
    problems = problems_of(N)
    rollouts, _, all_right = guess(Student(mistaken=N - 1), problems.prompt)
    assert all_right.tolist() == [[True, False, False]] * B
    answers = jnp.broadcast_to(problems.answer[:, None], rollouts.completion.shape)
    as_right = rollouts._replace(completion=answers)
    accept = (ALL > 0.5).at[: B // 2, 1:].set(False)
    found = simplify.of_steps(problems, as_right, accept, all_right)
    assert float(found["wrong_way_share"]) == pytest.approx(0.5)  # B of 2 B that are accepted
    assert float(found["step_precision"]) == 1
    wrong_first = simplify.of_steps(problems, rollouts, accept, all_right.at[: B // 4].set(False))
    assert float(wrong_first["step_precision"]) == 0.75
    none = simplify.of_steps(problems, rollouts, accept & False, all_right)
    assert np.isnan([float(x) for x in none.values()]).all()


@pytest.mark.parametrize("n", range(2, N + 1))
def test_the_true_step_is_the_tasks_own(n):
    problems = problems_of(n, STEPS)
    true = jax.vmap(simplification.true_step)(problems.prompt)
    assert (true == problems.answer[:, :3]).all()
    assert {vocab.PLUS, vocab.PLUS_ONE} == set(np.unique(true[:, 1]).tolist())


def test_behind_an_unreadable_step_candidates_are_empty():
    problems = problems_of(N)
    rollouts, *_ = guess(Student(unreadable=N - 1), problems.prompt)
    assert (rollouts.completion[:, 0] == problems.answer).all()
    assert (rollouts.completion[:, 1:] == vocab.PAD).all()
    assert not rollouts.mask[:, 1:].any() and (rollouts.logprob[:, 1:] == 0).all()


def learner_of(**fields) -> SimplifyThenGuess:
    fields = {"base_rate": 0.0, "step_rate": 0.5, "num_kept": 1} | fields
    return SimplifyThenGuess(num_problems=B, num_samples=K, num_updates=2, batch_size=64, **fields)


@pytest.fixture(scope="module")
def policy():
    model = transformer.TransformerConfig(num_layers=1, num_heads=2, width=16)
    return transformer.init(jax.random.key(0), model)


def play(learner, student, accept, n=N):
    """The learner's state after it kept a round of a student's work, verdicts f32[B, K] given."""
    rollouts, steps, _ = guess(student, problems_of(n).prompt)
    verdicts = simplify.without_empty(Verdict(accept, rollouts.mask * 1.0), rollouts)
    bases, example = {"unused": jnp.zeros((1, 1))}, jax.tree.map(lambda x: x[0], problems_of(n))
    state = learner.init(jax.random.key(0), bases, example)
    state = learner._keep(state, rollouts, steps, verdicts.accept)
    return batches_of(learner, state), verdicts


@jax.jit
def batches_of(learner, state):
    """Base problems have one digit."""
    source = Source(None, lambda key: TASK.sample(key, 1), None)
    return learner._batches(jax.random.key(1), state, source)


def texts(rows) -> list[str]:
    return [vocab.to_text(row).strip("_") for row in rows.reshape(-1, rows.shape[-1])]


ALL = jnp.ones((B, K))


def test_accepted_answers_and_their_first_steps_are_trained_on():
    """True ones here, so that each row can be checked; the problem that was rejected stays out."""
    accept = ALL.at[:7].set(0.0).at[7, :2].set(0.0)
    (prompts, completions), _ = play(learner_of(), Student(), accept)
    allowed = {p.strip("=") for p in texts(problems_of(N).prompt[7:])}
    count = {"=": 0, ";": 0}
    for prompt, completion in zip(texts(prompts), texts(completions), strict=True):
        count[prompt[-1]] += 1
        assert prompt[:-1] in allowed
        if prompt[-1] == "=":
            assert int(completion.strip("$")[::-1]) == value(prompt)
        else:
            assert completion[2:] == "$" and int(completion[0]) == value(prompt) % 10
    assert abs(count[";"] / (2 * 64) - 0.5) < 0.2


@pytest.mark.parametrize("step_rate, n", [(0.0, N), (1.0, 1)])
def test_no_steps_at_rate_0_and_none_of_one_digit(step_rate, n):
    (prompts, _), _ = play(learner_of(step_rate=step_rate), Student(), ALL, n)
    assert all(text.endswith("=") for text in texts(prompts))


def test_only_steps_at_rate_1():
    (prompts, _), _ = play(learner_of(step_rate=1.0), Student(), ALL)
    assert all(text.endswith(";") for text in texts(prompts))


@pytest.mark.parametrize("base_rate, low, high", [(0.0, 0, 0), (0.25, 0.1, 0.4), (1.0, 1, 1)])
def test_share_of_base_data(base_rate, low, high):
    (prompts, _), _ = play(learner_of(base_rate=base_rate), Student(), ALL)
    share = np.mean([len(text) == len("1+2=") for text in texts(prompts)])
    assert low <= share <= high


def test_empty_candidates_are_rejected_and_not_trained_on():
    """Although the verifier accepts everything, and although a vote would be unanimous."""
    (prompts, completions), verdicts = play(learner_of(), Student(unreadable=N - 1), ALL)
    assert verdicts.accept.tolist() == [[True, False, False]] * B
    assert (completions[..., 0] != vocab.PAD).all()


@jax.jit
def step(learner, state, key, score):
    def judge(key, policy, problems, rollouts):
        return rollouts, Verdict(score, rollouts.mask * 1.0)

    def draw(key):
        return TASK.sample(key, 3)

    return learner.step(key, state, Source(draw, draw, judge))


def test_a_round_without_accepted_data_changes_nothing(policy):
    """Bit by bit, although there are kept data, base data, and momentum of earlier rounds."""
    learner = learner_of(num_kept=2, base_rate=0.5)
    state = learner.init(
        jax.random.key(0), one_base(policy), jax.tree.map(lambda x: x[0], problems_of(3))
    )
    kept = play_state(learner, state)
    after, info = step(learner, kept, jax.random.key(1), ALL * 0.0)
    for one, other in ((kept.policy, after.policy), (kept.optimizer, after.optimizer)):
        jax.tree.map(np.testing.assert_array_equal, one, other)
    assert info.loss == 0 and info.grad_norm == 0 and not info.verdicts.accept.any()
    assert after.steps.accepted.any(1).tolist() == [True, False]


def play_state(learner, state):
    """The state after a round of a perfect student's work."""
    rollouts, steps, _ = guess(Student(), problems_of(3).prompt)
    return learner._keep(state, rollouts, steps, ALL > 0.5)


@dataclasses.dataclass(frozen=True)
class Shifted(Scratchpad):
    """The same problems with other answers."""

    def sample(self, key, difficulty):
        problem = super().sample(key, difficulty)
        moved = (problem.answer + 1) % 10
        return problem._replace(
            answer=jnp.where(vocab.is_digit(problem.answer), moved, problem.answer)
        )


def test_scrambled_truth_changes_nothing_for_a_label_free_verifier():
    """A round of the loop, a student that errs, bit by bit; and the truth is measured."""

    def collect(task):
        experiment = loop.Experiment(task, Frontier(start=N), MajorityVote(0.5), learner_of())
        problems = jax.vmap(task.sample, (0, None))(jax.random.split(jax.random.key(4), B), N)
        rollouts, steps, _ = guess(Student(mistaken=N - 1), problems.prompt)
        judged = source.judge(
            experiment, (), jnp.int32(1), jax.random.key(5), Student(), problems, rollouts
        )
        return (judged, steps), source.grade(task, problems, rollouts).correct

    found, correct = collect(TASK)
    scrambled, none_correct = collect(Shifted(max_difficulty=N, step_rate=0.0))
    jax.tree.map(np.testing.assert_array_equal, found, scrambled)
    assert correct[:, 0].all() and not correct[:, 1:].any() and not none_correct.any()
    assert found[0][1].accept.tolist() == [[False, True, True]] * B


def test_a_real_policy_learns_from_a_round(policy):
    """An untrained policy writes nothing that can be read, until steps are all it is taught."""
    learner = learner_of(base_rate=1.0)
    state = learner.init(
        jax.random.key(0), one_base(policy), jax.tree.map(lambda x: x[0], problems_of(3))
    )
    after, info = step(learner, state, jax.random.key(1), ALL)
    assert info.rollouts.completion.shape == (B, K, C)
    assert bool(info.verdicts.accept.any()) == bool(info.rollouts.mask.any())
    moved = any(
        (a != b).any() for a, b in zip(*map(jax.tree.leaves, (after.policy, policy)), strict=True)
    )
    assert moved == bool(info.verdicts.accept.any())
