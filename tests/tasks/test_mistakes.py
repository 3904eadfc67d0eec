"""Kinds of mistakes and long carries, against a plain classification of text and integers."""

from __future__ import annotations

import functools
import re

import jax
import numpy as np
import pytest

from avax import vocab
from avax.tasks import digits
from avax.tasks.addition import Addition
from avax.tasks.copy import Copy
from avax.tasks.multiplication import Multiplication
from avax.types import MISTAKES, Problem

N, COUNT = 12, 60_000  # longest operands, completions of each order of writing
SYMBOLS = vocab.to_text(range(vocab.VOCAB_SIZE))


def text(row) -> str:
    return "".join(SYMBOLS[t] for t in row)


def tokens(*rows: str) -> np.ndarray:
    return np.array([[SYMBOLS.index(c) for c in row] for row in rows], np.int32)


def kinds_of(answer: str, completion: str) -> set[str]:
    """The kinds of mistakes of a text, by the definitions in `types.MISTAKES`."""
    found = re.fullmatch(r"(\d*)(\$_*)?", completion)
    if completion == answer or not found:
        return set()
    right, given = answer.rstrip("_$"), found[1]
    if len(given) != len(right):
        return {"short" if len(given) < len(right) else "long"}
    wrong = [(int(r), int(g)) for r, g in zip(right, given, strict=True) if r != g]
    kinds = set()
    if len(wrong) == 1:
        kinds.add("near_miss")
    if all(g == (r - 1) % 10 for r, g in wrong):
        kinds.add("dropped_carry")
    return kinds


def carries_far(a: int, b: int, n: int) -> bool:
    """Whether a column whose digits add to 9 gets a carry, and so passes it on."""
    return any(
        a // 10**i % 10 + b // 10**i % 10 == 9 and a % 10**i + b % 10**i >= 10**i for i in range(n)
    )


def operands(rng) -> tuple[np.ndarray, np.ndarray]:
    """Digits i32[COUNT, N + 1] of two numbers, many of whose columns add to 9."""
    a, b = rng.integers(0, 10, (2, COUNT, N + 1), np.int32)
    nines = rng.random((COUNT, 1)) * 0.8
    return a, np.where(rng.random(a.shape) < nines, 9 - a, b)


def spoilt(rng, answers: np.ndarray, a, b, lengths, is_reversed: bool) -> np.ndarray:
    """Completions of many sorts: right, without carries, other digits, lengths, and no numbers."""
    out, index = answers.copy(), np.arange(answers.shape[1])
    sort, count = rng.integers(0, 9, len(out))[:, None], (answers < 10).sum(1)[:, None]
    is_digit = index < count
    columns = (a + b) % 10  # carries dropped
    column = index[None] if is_reversed else lengths[:, None] - index
    uncarried = np.take_along_axis(columns, np.broadcast_to(column.clip(0, N), out.shape), 1)
    out = np.where((sort == 1) & is_digit, uncarried, out)
    one = index == (rng.random((len(out), 1)) * count).astype(int)
    for kind, where in ((2, one), (3, is_digit & (rng.random(out.shape) < 0.3))):
        out = np.where((sort == kind) & where & is_digit, (out + 9) % 10, out)
    out = np.where((sort == 4) & one, rng.integers(0, 10, out.shape), out)
    out = np.where((sort == 5) & is_digit, rng.integers(0, 10, out.shape), out)
    ends = rng.integers(0, answers.shape[1] + 1, (len(out), 1))  # beyond the last: no EOS
    number = np.where(is_digit, out, rng.integers(0, 10, out.shape))
    number = np.where(index < ends, number, np.where(index == ends, vocab.EOS, vocab.PAD))
    out = np.where(sort == 6, number, out)
    return np.where((sort == 7) & one, rng.integers(0, vocab.VOCAB_SIZE, out.shape), out)


@pytest.mark.parametrize("is_reversed", [True, False], ids=["reversed", "plain"])
def test_grades_agree_with_a_plain_classification(is_reversed):
    task = Addition(max_difficulty=N, reversed_digits=is_reversed)
    rng = np.random.default_rng(is_reversed)
    lengths = rng.integers(1, N + 1, COUNT).astype(np.int32)
    a, b = (np.where(np.arange(N + 1) < lengths[:, None], x, 0) for x in operands(rng))
    problems = jax.jit(jax.vmap(task.pose))(a, b, lengths)
    completions = spoilt(rng, np.asarray(problems.answer), a, b, lengths, is_reversed)
    grades = jax.jit(jax.vmap(task.grade))(problems, completions.astype(np.int32))

    powers = [10**i for i in range(N + 1)]
    seen, num_far = dict.fromkeys([*MISTAKES, "none"], 0), 0
    rows = zip(a.tolist(), b.tolist(), lengths.tolist(), np.asarray(problems.answer).tolist(),
               completions.tolist(), np.asarray(grades.mistake).tolist(),
               np.asarray(grades.long_carry).tolist(), strict=True)  # fmt: skip
    for x, y, n, answer, completion, mistake, long_carry in rows:
        found = {kind for kind, is_it in zip(MISTAKES, mistake, strict=True) if is_it}
        expected = kinds_of(text(answer), text(completion))
        assert found == expected, (text(answer), text(completion))
        for kind in found or {"none"}:
            seen[kind] += 1
        values = (sum(d * p for d, p in zip(z, powers, strict=True)) for z in (x, y))
        assert long_carry == carries_far(*values, n), (x, y)
        num_far += long_carry
    assert min(seen.values()) > COUNT / 30 and 0.2 < num_far / COUNT < 0.8


@functools.partial(jax.jit, static_argnums=0)
def graded_answer(task, *posed):
    problem = task.pose(*posed)
    return task.grade(problem, problem.answer)


@pytest.mark.parametrize(
    "a, b, n, expected",
    [
        (95, 7, 2, True),  # 5 + 7 carries, 9 + 0 passes it on
        (94, 5, 2, False),  # columns of 9, and no carry
        (55, 55, 2, False),  # every column makes a carry of its own
        (999, 1, 3, True),
        (0, 9, 1, False),
        (49, 51, 2, True),
        (91, 9, 2, True),  # out of the last column
        (900, 150, 3, False),
    ],
)
def test_long_carries_by_hand(a, b, n, expected):
    place = 10 ** np.arange(5)
    for is_reversed in (True, False):
        grade = graded_answer(Addition(4, is_reversed), *(x // place % 10 for x in (a, b)), n)
        assert grade.long_carry == carries_far(a, b, n) == expected


classify = jax.jit(digits.mistakes)


@pytest.mark.parametrize(
    "completion, expected",
    [
        ("905$__", ""),
        ("805$__", "dropped_carry near_miss"),
        ("995$__", "dropped_carry near_miss"),  # 0 becomes 9
        ("894$__", "dropped_carry"),
        ("904$__", "dropped_carry near_miss"),
        ("915$__", "near_miss"),
        ("804$__", "dropped_carry"),
        ("814$__", ""),
        ("90$___", "short"),
        ("12$___", "short"),
        ("$_____", "short"),
        ("9050$_", "long"),
        ("123456", "long"),
        ("905___", ""),  # no EOS
        ("9+5$__", ""),
        ("905$_1", ""),
        ("______", ""),
    ],
)
def test_mistakes_by_hand(completion, expected):
    answer, given = tokens("905$__", completion)
    found = classify(answer, given)
    assert {k for k, is_it in zip(MISTAKES, found, strict=True) if is_it} == {*expected.split()}


@pytest.mark.parametrize("task", [Copy(), Multiplication()])
def test_tasks_without_carries_have_no_long_ones(task):
    prompt, answer = (np.zeros(n, np.int32) for n in (task.prompt_len, task.completion_len))
    assert not jax.jit(task.grade)(Problem(prompt, answer, np.int32(1)), answer).long_carry


def test_every_kind_is_named_once():
    assert len(set(MISTAKES)) == len(MISTAKES) == digits.mistakes(*tokens("1$", "2$")).shape[0]
