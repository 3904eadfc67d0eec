"""The laws that all tasks obey, and every task against Python's unlimited integers."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from solved import solve, texts, tokens

from avax import types, vocab
from avax.tasks import TASKS
from avax.tasks.addition import Addition
from avax.tasks.chain import Chain
from avax.tasks.copy import Copy
from avax.tasks.judged import JudgedAddition
from avax.tasks.multiplication import Multiplication
from avax.tasks.scratchpad import Scratchpad
from avax.tasks.shortcut import Shortcut

# (task, number of random problems), at least 100,000 for each class
CASES = [
    (Addition(max_difficulty=1), 10_000),
    (Addition(max_difficulty=100), 50_000),
    (Addition(max_difficulty=100, reversed_digits=False), 50_000),
    (Copy(max_difficulty=3), 10_000),
    (Copy(max_difficulty=100), 100_000),
    (JudgedAddition(max_difficulty=1, max_judged=3), 10_000),
    (JudgedAddition(max_difficulty=3, judge_rate=1.0, max_judged=2), 40_000),
    (JudgedAddition(max_difficulty=100, max_judged=100), 50_000),
    (Multiplication(max_difficulty=1), 10_000),
    (Multiplication(max_difficulty=6), 50_000),
    (Multiplication(max_difficulty=6, reversed_digits=False), 50_000),
    (Scratchpad(max_difficulty=1), 10_000),
    (Scratchpad(max_difficulty=3, step_rate=1.0), 40_000),
    (Scratchpad(max_difficulty=100), 50_000),
    (Chain(max_difficulty=1), 10_000),
    (Chain(max_difficulty=20, modulus=3), 40_000),
    (Chain(max_difficulty=100, outcome_only=True), 50_000),
    (Shortcut(max_difficulty=1, skip_rate=1.0), 10_000),
    (Shortcut(max_difficulty=40, skip_rate=0.0), 50_000),
    (Shortcut(max_difficulty=40, skip_rate=1.0), 40_000),
]
BATCH = 10_000

SYMBOL = {"PAD": "_", "EOS": "$", "PLUS": "+", "TIMES": "*", "EQUALS": "="}
SYMBOL |= {"COPY": ">", "STEP": ";", "PLUS_ONE": "&", "RETRY": "?", "YES": "Y", "NO": "N"}

each_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
# A step of a chain is judged by what was written before it: see test_chain, test_shortcut.
EXACT = [task for name, task in TASKS.items() if name not in ("chain", "shortcut")]
each_exact_task = pytest.mark.parametrize("task", EXACT)


@functools.cache
def examples(task) -> tuple[list[types.Problem], int]:
    """A problem of each length, sampled under jit, and how often that compiled."""
    sample = jax.jit(task.sample)
    keys = jax.random.split(jax.random.key(0), task.max_difficulty)
    problems = [sample(key, jnp.int32(n)) for n, key in enumerate(keys, start=1)]
    return problems, sample._cache_size()


def case_id(case) -> str:
    task, _ = case
    order = "" if getattr(task, "reversed_digits", True) else "-plain"
    rates = [
        str(getattr(task, name))
        for name in ("step_rate", "judge_rate", "skip_rate")
        if hasattr(task, name)
    ]
    return "-".join([type(task).__name__, str(task.max_difficulty), *rates]) + order


def test_symbols():
    for name, character in SYMBOL.items():
        assert vocab.to_text([getattr(vocab, name)]) == character
    assert vocab.to_text(vocab.DIGITS) == "0123456789"


def test_every_task_is_checked_against_integers():
    checked = {}
    for task, num_problems in CASES:
        checked[type(task)] = checked.get(type(task), 0) + num_problems
    assert set(checked) == {type(task) for task in TASKS.values()}
    assert min(checked.values()) >= 100_000


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_agrees_with_integers(case):
    task, num_problems = case

    @jax.jit
    def sample(key):
        key, key_length, key_sample = jax.random.split(key, 3)
        lengths = jax.random.randint(key_length, (BATCH,), 1, task.max_difficulty + 1)
        problems = jax.vmap(task.sample)(jax.random.split(key_sample, BATCH), lengths)
        return key, lengths, problems

    key = jax.random.key(CASES.index(case))
    lengths_seen, num_equal = set(), 0
    for _ in range(num_problems // BATCH):
        key, lengths, problems = sample(key)
        np.testing.assert_array_equal(problems.difficulty, lengths)
        rows = zip(texts(problems.prompt), texts(problems.answer), lengths.tolist(), strict=True)
        for prompt, answer, n in rows:
            operands, expected = solve(task, prompt)  # PADs only in front, or no match
            assert all(len(x) == n and (n == 1 or x[0] != "0") for x in operands), prompt
            assert answer == expected.ljust(task.completion_len, "_"), prompt
            lengths_seen.add(n)
            num_equal += n >= 4 and len(operands) > len(set(operands))
    assert lengths_seen == set(range(1, task.max_difficulty + 1))
    assert num_equal < num_problems / 1000  # operands come from different keys


@each_task
def test_protocol(task):
    assert isinstance(task, types.Task)
    assert all(field.metadata for field in dataclasses.fields(task))

    def int32(*shape):
        return jax.ShapeDtypeStruct(shape, jnp.int32)

    def boolean(*shape):
        return jax.ShapeDtypeStruct(shape, jnp.bool_)

    prompt_len, completion_len = task.prompt_len, task.completion_len
    problem = jax.eval_shape(task.sample, jax.random.key(0), int32())
    assert problem == types.Problem(int32(prompt_len), int32(completion_len), int32())
    grade = jax.eval_shape(task.grade, problem, int32(completion_len))
    kinds = len(types.MISTAKES)
    assert grade == types.Grade(boolean(), boolean(completion_len), boolean(kinds), boolean())

    keys = jax.random.split(jax.random.key(0), 5)
    problems = jax.eval_shape(jax.vmap(task.sample), keys, int32(5))
    assert problems == types.Problem(int32(5, prompt_len), int32(5, completion_len), int32(5))
    grades = jax.eval_shape(jax.vmap(task.grade), problems, int32(5, completion_len))
    assert grades == types.Grade(
        boolean(5), boolean(5, completion_len), boolean(5, kinds), boolean(5)
    )


@each_task
def test_one_compilation_serves_all_lengths(task):
    problems, num_compilations = examples(task)
    lengths = [int(problem.difficulty) for problem in problems]
    assert lengths == list(range(1, task.max_difficulty + 1))
    assert num_compilations == 1


@each_task
def test_true_answer_is_correct(task):
    grade = jax.jit(task.grade)
    for problem in examples(task)[0]:
        correct, step_correct, mistake, _ = grade(problem, problem.answer)
        # Of an answer without its working the first step is that it is missing.
        is_whole = step_correct[int(problem.answer[0] == vocab.STEP) :].all()
        assert correct and is_whole and not mistake.any()


@each_exact_task
def test_any_changed_token_is_wrong_at_that_step_only(task):
    """Every step, PAD after EOS included, replaced by every token of the vocabulary."""
    steps, vocabulary = jnp.arange(task.completion_len), jnp.arange(vocab.VOCAB_SIZE)

    @jax.jit
    def grades(problem):
        def changed(step, token):
            return task.grade(problem, problem.answer.at[step].set(token))

        return jax.vmap(jax.vmap(changed, (None, 0)), (0, None))(steps, vocabulary)

    for problem in examples(task)[0]:
        correct, step_correct, mistake, _ = grades(problem)
        assert not (mistake.any(-1) & correct).any()
        same = np.asarray(problem.answer)[:, None] == np.asarray(vocabulary)[None, :]
        np.testing.assert_array_equal(correct, same)
        at_step = np.eye(len(steps), dtype=bool)[:, None, :]
        np.testing.assert_array_equal(step_correct, ~at_step | same[:, :, None])


# The answer of a shortcut counts however it was come to.
@pytest.mark.parametrize("task", [t for n, t in TASKS.items() if n != "shortcut"])
def test_wrong_length_is_wrong(task):
    grade = jax.jit(task.grade)
    for problem in examples(task)[0]:
        answer = vocab.to_text(problem.answer).rstrip("_$")
        wrong = [answer[:end] + "$" for end in range(len(answer))]  # too short
        wrong += [answer, ""]  # no EOS
        wrong += [f"{answer}{digit}$" for digit in range(10)]  # EOS cut off if there is no room
        for text in wrong:
            completion = tokens(text.ljust(task.completion_len, "_")[: task.completion_len])
            assert not grade(problem, completion).correct, text
