"""Problems that are read from tokens, against a regular expression and Python's integers."""

from __future__ import annotations

import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from solved import numeral, texts, tokens

from avax import vocab
from avax.tasks import TASKS, Addition

READING = {name: task for name, task in TASKS.items() if hasattr(task, "read")}
READING["plain"] = Addition(max_difficulty=4, reversed_digits=False)


@pytest.mark.parametrize("task", READING.values(), ids=READING.keys())
def test_a_prompt_is_read_as_its_problem(task):
    """As it is, and as a completion would have it: at the start, EOS behind it, or cut there."""
    number = 50
    keys = jax.random.split(jax.random.key(0), number)
    lengths = jnp.arange(number) % task.max_difficulty + 1
    problems = jax.jit(jax.vmap(task.sample))(keys, lengths)
    written = [text.strip("_") for text in texts(problems.prompt)]
    width = task.prompt_len + 3
    forms = [text.rjust(width, "_") for text in written]
    forms += [f"{text}$".ljust(width, "_") for text in written]
    forms += [text.ljust(width, "_") for text in written]
    found, is_readable = jax.jit(jax.vmap(task.read))(jnp.stack([*map(tokens, forms)]))
    assert is_readable.all()
    for one, other in zip(problems, found, strict=True):
        np.testing.assert_array_equal(np.tile(one, (3, *[1] * (one.ndim - 1))), other)


@pytest.mark.parametrize("is_reversed", [True, False], ids=["reversed", "plain"])
@pytest.mark.parametrize("max_difficulty, alphabet, length", [(1, "0059+=_$", 5), (2, "01+=_$", 6)])
def test_all_sequences(is_reversed, max_difficulty, alphabet, length):
    """All texts over a small alphabet: those that are a problem, and no other."""
    task = Addition(max_difficulty=max_difficulty, reversed_digits=is_reversed)
    symbols = tokens("".join(sorted(set(alphabet))))
    rows = symbols[np.indices((len(symbols),) * length).reshape(length, -1).T]
    found, is_readable = jax.jit(jax.vmap(task.read))(rows)
    expected = {}
    for i, text in enumerate(texts(rows)):
        match = re.fullmatch(r"_*(\d+)[+](\d+)=[$]?_*", text)
        if match and len(match[1]) == len(match[2]) <= max_difficulty:
            first = -1 if is_reversed else 0
            if len(match[1]) == 1 or "0" not in (match[1][first], match[2][first]):
                expected[i] = match.groups()
    assert np.flatnonzero(is_readable).tolist() == list(expected)
    prompts, answers = texts(found.prompt), texts(found.answer)
    for i, (a, b) in itertools.islice(expected.items(), 500):
        order = slice(None, None, -1 if is_reversed else 1)
        total = numeral(int(a[order]) + int(b[order]), len(a) + 1, is_reversed)
        assert prompts[i] == f"{a}+{b}=".rjust(task.prompt_len, "_")
        assert answers[i] == f"{total}$".ljust(task.completion_len, "_")
        assert found.difficulty[i] == len(a)


def test_random_tokens_are_mostly_no_problem_and_read_as_some():
    task = Addition(max_difficulty=3)
    rows = jax.random.randint(jax.random.key(0), (20_000, 8), 0, vocab.VOCAB_SIZE)
    found, is_readable = jax.jit(jax.vmap(task.read))(rows)
    assert is_readable.mean() < 0.001
    assert ((found.difficulty >= 1) & (found.difficulty <= 3)).all()
    pattern = r"_*\d+[+]\d+="
    assert all(re.fullmatch(pattern, text) for text in texts(found.prompt[:500]))
