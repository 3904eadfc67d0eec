"""Grades of a chain of additions: all completions of small ones, and errors that cancel."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import vocab
from avax.tasks.chain import Chain
from avax.types import MISTAKES

SYMBOLS = vocab.to_text(range(vocab.VOCAB_SIZE))
each_mode = pytest.mark.parametrize("outcome_only", [True, False])


def tokens(text: str) -> np.ndarray:
    return np.array([SYMBOLS.index(c) for c in text], np.int32)


def judged(prompt: str, completion: str, modulus: int) -> tuple[bool, bool, list[bool]]:
    """Whether the last sum is right, all of them are, and which steps are, by the definitions."""
    addends, start = prompt.lstrip("_").split("=")
    n = len(addends)
    steps, written = [], start
    for c, d in zip(completion, addends, strict=False):
        right = written.isdigit() and c == str((int(written) + int(d)) % modulus)
        steps.append(right)
        written = c
    ending = "$".ljust(len(completion) - n, "_")
    steps += [c == e for c, e in zip(completion[n:], ending, strict=True)]
    sums = list(itertools.accumulate(map(int, addends), initial=int(start)))[1:]
    answer = "".join(str(s % modulus) for s in sums)
    has_form = completion[:n].isdigit() and completion[n:] == ending
    outcome = has_form and completion[n - 1] == answer[-1]
    return outcome, completion == answer + ending, steps


@each_mode
@pytest.mark.parametrize(
    "modulus, max_difficulty, n", [(2, 2, 2), (3, 2, 2), (3, 2, 1), (10, 1, 1)]
)
def test_all_completions(modulus, max_difficulty, n, outcome_only):
    """Every completion of digits up to the modulus, EOS, PAD and a symbol, of several problems."""
    task = Chain(max_difficulty, modulus, outcome_only)
    alphabet = [*range(modulus + 1), vocab.EOS, vocab.PAD, vocab.EQUALS]
    completions = np.array(list(itertools.product(alphabet, repeat=task.completion_len)), np.int32)
    grade = jax.jit(jax.vmap(task.grade, (None, 0)))
    num_cancelled = 0
    for seed in range(8):
        problem = task.sample(jax.random.key(seed), jnp.int32(n))
        prompt = vocab.to_text(problem.prompt)
        found = grade(problem, completions)
        for row, correct, step_correct, mistake in zip(completions, *found[:3], strict=True):
            text = "".join(SYMBOLS[t] for t in row)
            outcome, exact, steps = judged(prompt, text, modulus)
            assert step_correct.tolist() == steps, (prompt, text)
            assert all(steps) == exact  # right steps from a right start lead nowhere else
            assert correct == (outcome if outcome_only else exact), (prompt, text)
            assert not (correct and mistake.any())
            num_cancelled += outcome and not exact
    assert (num_cancelled > 0) == (n > 1)


# 7 + 5 = 2, + 9 = 1, + 3 = 4, modulo 10
@pytest.mark.parametrize(
    "completion, outcome, exact, steps",
    [
        ("214$_", True, True, "11111"),
        ("324$_", True, False, "01011"),  # one too many, the next follows from it, one too few
        ("325$_", False, False, "01111"),  # one wrong step, and the error stays to the end
        ("314$_", True, False, "00111"),  # the same, one after the other
        ("2$4$_", False, False, "10011"),
        ("214__", False, False, "11101"),
        ("2147$", False, False, "11100"),
    ],
)
def test_errors_that_cancel_by_hand(completion, outcome, exact, steps):
    addends, start = jnp.array([5, 9, 3, 0]), jnp.int32(7)
    for outcome_only, expected in ((True, outcome), (False, exact)):
        task = Chain(max_difficulty=4, outcome_only=outcome_only)
        problem = jax.jit(task.pose)(addends, start, jnp.int32(3))
        assert vocab.to_text(problem.prompt) == "_593=7"
        assert vocab.to_text(problem.answer) == "214$_"
        grade = jax.jit(task.grade)(problem, tokens(completion))
        assert bool(grade.correct) == expected
        assert "".join(str(int(x)) for x in grade.step_correct) == steps


def test_a_wrong_last_sum_is_a_near_miss_and_a_cancelled_error_is_none():
    addends, start = jnp.array([5, 9, 3]), jnp.int32(7)
    task = Chain(max_difficulty=3, outcome_only=True)
    problem = task.pose(addends, start, jnp.int32(3))
    near = task.grade(problem, tokens("215$")).mistake
    assert near.tolist() == [kind == "near_miss" for kind in MISTAKES]
    assert not task.grade(problem, tokens("224$")).mistake.any()
    exact = task.replace(outcome_only=False)
    assert exact.grade(problem, tokens("224$")).mistake.tolist() == near.tolist()


@pytest.mark.parametrize("modulus", [2, 5, 10])
def test_one_program_draws_the_digits_of_every_modulus_evenly(modulus):
    num_problems = 20_000
    sample = jax.jit(jax.vmap(lambda m, k: Chain(3, m).sample(k, jnp.int32(3)), (None, 0)))
    keys = jax.random.split(jax.random.key(modulus), num_problems)
    problems = sample(jnp.int32(modulus), keys)
    drawn = np.asarray(problems.prompt)[:, [0, 1, 2, 4]]
    for column in (*drawn.T, *np.asarray(problems.answer)[:, :3].T):
        counts = np.bincount(column, minlength=10)
        mean = num_problems / modulus
        assert counts[modulus:].sum() == 0
        assert np.abs(counts[:modulus] - mean).max() < 6 * np.sqrt(mean)
    assert np.abs(np.corrcoef(drawn.T) - np.eye(4)).max() < 6 / np.sqrt(num_problems)


def test_random_errors_cancel_in_one_of_modulus_chains():
    """Wrong completions of the right form: all that differ from the answer in some sums."""
    n, num_problems = 4, 40_000
    for modulus in (2, 10):
        task = Chain(n, modulus, outcome_only=True)
        keys = jax.random.split(jax.random.key(modulus), num_problems)
        problems = jax.vmap(task.sample, (0, None))(keys, jnp.int32(n))
        sums = np.random.default_rng(0).integers(0, modulus, (num_problems, n), np.int32)
        completions = np.concatenate([sums, problems.answer[:, n:]], axis=1)
        grades = jax.jit(jax.vmap(task.grade))(problems, completions)
        wrong = ~np.asarray(grades.step_correct.all(-1))
        share = np.asarray(grades.correct)[wrong].mean()
        assert share == pytest.approx(1 / modulus, abs=0.1 / modulus + 0.05 * (modulus == 2))
