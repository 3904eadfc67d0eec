"""Grades of a chain whose working may be left out, against the definition in plain Python."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import solved

from avax import optional, vocab
from avax.tasks.shortcut import Shortcut

SYMBOLS = vocab.to_text(range(vocab.VOCAB_SIZE))


def judged(prompt: str, completion: str, modulus: int, whole: bool) -> tuple[bool, str]:
    """Whether a completion is right, and which of its tokens are, by the definitions."""
    question, start = prompt.lstrip("_").split("=")
    total = sum(map(int, question + start)) % 10
    working = "".join(itertools.takewhile(str.isdigit, completion))
    rest, answer = completion[len(working) :], working[-1:]
    steps = "".join(
        "01"[i < len(question) and int(c) == (int(before) + int(question[i])) % 10]
        for i, (c, before) in enumerate(zip(working, start + working, strict=False))
    )
    skips = rest.startswith(";")
    if skips:
        answer = rest[1:2]
        steps += "01"[len(working) == len(question)] + "01"[answer == str(total)] * len(answer)
        rest = rest[2:]
    ends = [c == e for c, e in zip(rest, "$".ljust(len(rest), "_")[: len(rest)], strict=True)]
    fits = skips or len(working) == len(question)
    steps += "".join("01"[ok and (i > 0 or fits)] for i, ok in enumerate(ends))
    right = bool(rest) and all(ends) and answer.isdigit() and (int(answer) - total) % modulus == 0
    return right and (not whole or "0" not in steps), steps


def graded(task: Shortcut, problem, completions: np.ndarray) -> list[tuple[bool, str]]:
    """The same by the task."""
    found = jax.jit(jax.vmap(task.grade, (None, 0)))(problem, completions)
    assert not found.mistake.any() and not found.long_carry.any()
    steps = ["".join(map(str, row)) for row in np.asarray(found.step_correct, int)]
    return list(zip(np.asarray(found.correct).tolist(), steps, strict=True))


@pytest.mark.parametrize("modulus, whole", [(3, 0), (10, 1)])
def test_all_completions_of_some_symbols(modulus, whole):
    """Two additions: every text of four digits, EOS, PAD, a separator and another symbol."""
    task = Shortcut(2, modulus, whole)
    for seed in range(2):
        problem = task.sample(jax.random.key(seed), jnp.int32(2))
        prompt = vocab.to_text(problem.prompt)
        right = solved.solve(task.replace(skip_rate=0.0), prompt)[1]
        alphabet = {*map(int, right[:2]), (int(right[1]) + 2) % 10, (int(right[1]) + 5) % 10}
        alphabet = [*alphabet, vocab.EOS, vocab.PAD, vocab.STEP, vocab.PLUS]
        every = itertools.product(alphabet, repeat=task.completion_len)
        completions = np.array(list(every), np.int32)
        for row, found in zip(completions, graded(task, problem, completions), strict=True):
            text = "".join(SYMBOLS[t] for t in row)
            assert found == judged(prompt, text, modulus, whole), (prompt, text)


def test_texts_near_to_right_ones():
    """Chains of three, one or two tokens exchanged, left out or put in."""
    task, rng = Shortcut(4, 5, skip_rate=0.0), np.random.default_rng(0)
    for seed in range(8):
        problem = task.sample(jax.random.key(seed), jnp.int32(3))
        prompt, answer = vocab.to_text(problem.prompt), vocab.to_text(problem.answer).rstrip("_")
        texts = [answer]
        for _ in range(300):
            text = list(answer)
            for _ in range(rng.integers(1, 3)):
                at = rng.integers(len(text) + 1)
                text[at : at + rng.integers(2)] = rng.choice(
                    list("0123456789;$_+"), rng.integers(3)
                )
            texts.append("".join(text)[: task.completion_len])
        texts = [text.ljust(task.completion_len, "_") for text in texts]
        grades = graded(task, problem, np.stack([solved.tokens(text) for text in texts]))
        assert grades[0] == (True, "1" * task.completion_len)
        for text, found in zip(texts, grades, strict=True):
            assert found == judged(prompt, text, 5, False), (prompt, text)


# 7 + 5 = 2, + 9 = 1, modulo 10
@pytest.mark.parametrize(
    "completion, correct, whole, steps",
    [
        ("21$___", True, True, "111111"),
        ("2;1$__", True, False, "101111"),  # half of the working
        (";1$___", True, False, "011111"),  # none of it
        (";6$___", False, False, "001111"),
        ("1$____", True, False, "001111"),  # ends too soon, with the right answer
        ("31$___", True, False, "001111"),  # an error, and one that makes up for it
        ("32$___", False, False, "011111"),
        ("21;1$_", True, True, "111111"),
        ("211$__", True, False, "110011"),
        ("213;1$", True, False, "110011"),
        ("2;1___", False, False, "101011"),
        (";$____", False, False, "000111"),
    ],
)
def test_by_hand(completion, correct, whole, steps):
    given = jnp.array([5, 9, 3]), jnp.int32(7), jnp.int32(2)
    for needs_working, expected in ((0, correct), (1, whole)):
        task = Shortcut(3, needs_working=needs_working)
        problem = task.pose(*given, jnp.array(False))
        assert vocab.to_text(problem.prompt) == "_59=7"
        assert vocab.to_text(problem.answer) == "21$___"
        assert vocab.to_text(task.pose(*given, jnp.array(True)).answer) == ";1$___"
        assert graded(task, problem, solved.tokens(completion)[None]) == [(expected, steps)]


@pytest.mark.parametrize("modulus", [2, 5, 10])
def test_a_guess_is_right_in_one_of_modulus(modulus):
    task, num_problems = Shortcut(3, modulus), 20_000
    keys = jax.random.split(jax.random.key(modulus), num_problems)
    problems = jax.jit(jax.vmap(task.sample, (0, None)))(keys, jnp.int32(3))
    guess = solved.tokens(";7$".ljust(task.completion_len, "_"))
    right = jax.jit(jax.vmap(task.grade, (0, None)))(problems, guess).correct.mean()
    assert right == pytest.approx(1 / modulus, abs=4 * (modulus * num_problems) ** -0.5)


def test_half_of_the_answers_show_no_working():
    task, keys = Shortcut(3), jax.random.split(jax.random.key(0), 4000)
    answers = jax.jit(jax.vmap(lambda k: task.sample(k, jnp.int32(2)).answer))(keys)
    assert np.mean(answers[:, 0] == vocab.STEP) == pytest.approx(0.5, abs=0.04)
    for rate, skips in ((0.0, False), (1.0, True)):
        answer = task.replace(skip_rate=rate).sample(jax.random.key(1), jnp.int32(2)).answer
        assert (answer[0] == vocab.STEP) == skips


def test_accuracy_goes_by_true_answers():
    exact = optional.exact(Shortcut(3, 2, needs_working=1))
    assert (exact.modulus, exact.needs_working) == (10, 0)
