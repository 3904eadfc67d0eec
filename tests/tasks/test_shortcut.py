"""Grades of a chain whose working may be left out, against the definition in plain Python."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import optional, vocab
from avax.tasks.shortcut import Shortcut

SYMBOLS = vocab.to_text(range(vocab.VOCAB_SIZE))


def tokens(text: str) -> np.ndarray:
    return np.array([SYMBOLS.index(c) for c in text], np.int32)


def number(text: str) -> int | None:
    """Two digits, the lowest first."""
    return int(text[::-1]) if len(text) == 2 and text.isdigit() else None


def judged(prompt: str, completion: str, modulus: int) -> tuple[bool, str]:
    """Whether a completion is right, and which of its tokens are, by the definitions."""
    text = prompt.lstrip("_")
    question, start = text.split("=")
    addends = [number(question[i : i + 2]) for i in range(0, len(question), 2)]
    total = (number(start) + sum(addends)) % 100
    working = "".join(itertools.takewhile(str.isdigit, completion))
    steps, before = "", start
    for i, c in enumerate(working):
        known = number(before[-2:] if i % 2 == 0 else (start + working)[i - 1 : i + 1])
        add = addends[i // 2] if i // 2 < len(addends) else None
        right = known is not None and add is not None
        true = f"{(known + add) % 100:02}"[::-1] if right else "  "
        steps += "01"[right and c == true[i % 2]]
        before += c
    rest, is_whole, answer = completion[len(working) :], len(working) % 2 == 0, working[-2:]
    skips = rest.startswith(";")
    if skips:
        steps += "01"[is_whole and len(working) <= 2 * len(addends)]
        answer = rest[1:3]
        true = f"{total:02}"[::-1]
        steps += "".join("01"[a == t] for a, t in zip(answer, true, strict=False))
        rest = rest[3:]
    closing = "$".ljust(len(rest), "_") if rest else ""
    ends = [c == e for c, e in zip(rest, closing, strict=True)]
    whole = skips or len(working) == 2 * len(addends)
    steps += "".join("01"[ok and (i > 0 or (is_whole and whole))] for i, ok in enumerate(ends))
    has_form = bool(rest) and all(ends) and is_whole and number(answer) is not None
    return has_form and (number(answer) - total) % modulus == 0, steps


def graded(task: Shortcut, problem, completions: np.ndarray) -> list[tuple[bool, str]]:
    """The same by the task."""
    found = jax.jit(jax.vmap(task.grade, (None, 0)))(problem, completions)
    assert not found.mistake.any() and not found.long_carry.any()
    steps = ["".join(map(str, row)) for row in np.asarray(found.step_correct, int)]
    return list(zip(np.asarray(found.correct).tolist(), steps, strict=True))


@pytest.mark.parametrize("modulus", [2, 3, 10, 100])
def test_all_completions_of_some_symbols(modulus):
    """One addition: every text of three digits, EOS, PAD, a separator and another symbol."""
    task = Shortcut(1, modulus)
    for seed in range(3):
        problem = task.sample(jax.random.key(seed), jnp.int32(1))
        prompt = vocab.to_text(problem.prompt)
        shown = {int(t) for t in np.asarray(problem.answer) if t < 10}
        alphabet = [*shown, (max(shown) + 1) % 10, vocab.EOS, vocab.PAD, vocab.STEP, vocab.PLUS]
        every = itertools.product(dict.fromkeys(alphabet), repeat=task.completion_len)
        completions = np.array(list(every), np.int32)
        for row, found in zip(completions, graded(task, problem, completions), strict=True):
            text = "".join(SYMBOLS[t] for t in row)
            assert found == judged(prompt, text, modulus), (prompt, text)


def test_texts_near_to_right_ones():
    """Chains of three, one or two tokens exchanged, left out or put in."""
    task, rng = Shortcut(4, 10), np.random.default_rng(0)
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
        grades = graded(task, problem, np.stack([tokens(text) for text in texts]))
        assert grades[0] == (True, "1" * task.completion_len)
        for text, found in zip(texts, grades, strict=True):
            assert found == judged(prompt, text, 10), (prompt, text)


# 60 + 45 = 105, + 78 = 183: 05, then 83, lowest digit first.
@pytest.mark.parametrize(
    "completion, correct, steps",
    [
        ("5038$_____", True, "1111111111"),
        ("50;38$____", True, "1111111111"),  # half of the working
        (";38$______", True, "1111111111"),  # none of it
        (";88$______", False, "1011111111"),
        ("38$_______", True, "0001111111"),  # ends too soon, with the right answer
        ("5048$_____", False, "1101111111"),
        ("5138$_____", True, "1010111111"),  # an error, and one that makes up for it
        ("5;38$_____", False, "1011011111"),
        ("50;38_____", False, "1111101111"),
        ("503838;38$", True, "1111000111"),
    ],
)
def test_by_hand(completion, correct, steps):
    task = Shortcut(3)
    problem = task.pose(jnp.array([45, 78, 9]), jnp.int32(60), jnp.int32(2), jnp.array(False))
    assert vocab.to_text(problem.prompt) == "__5487=06"
    assert vocab.to_text(problem.answer) == "5038$_____"
    skipped = task.pose(jnp.array([45, 78, 9]), jnp.int32(60), jnp.int32(2), jnp.array(True))
    assert vocab.to_text(skipped.answer) == ";38$______"
    assert graded(task, problem, tokens(completion)[None]) == [(correct, steps)]


@pytest.mark.parametrize("modulus", [2, 5, 100])
def test_a_guess_is_right_in_one_of_modulus(modulus):
    task, num_problems = Shortcut(3, modulus), 20_000
    keys = jax.random.split(jax.random.key(modulus), num_problems)
    problems = jax.jit(jax.vmap(task.sample, (0, None)))(keys, jnp.int32(3))
    guess = tokens(";74$".ljust(task.completion_len, "_"))
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
    assert optional.exact(Shortcut(3, 2)).modulus == 100
