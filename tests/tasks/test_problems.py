"""Problems of each task: some by hand, some counted, and all pairs of small numbers."""

from __future__ import annotations

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from solved import number, numeral, texts, to_digits

from avax import vocab
from avax.tasks import digits
from avax.tasks.addition import Addition
from avax.tasks.copy import Copy
from avax.tasks.judged import JudgedAddition
from avax.tasks.multiplication import Multiplication
from avax.tasks.scratchpad import Scratchpad

each_pair_task = pytest.mark.parametrize("task_type", [Addition, Multiplication])
each_order = pytest.mark.parametrize("is_reversed", [True, False], ids=["reversed", "plain"])


@functools.cache
def jitted_pose(task):
    return jax.jit(task.pose)


def posed(task, *values: int, n: int, width: int) -> tuple[str, str]:
    problem = jitted_pose(task)(*(to_digits(v, width) for v in values), jnp.int32(n))
    return vocab.to_text(problem.prompt), vocab.to_text(problem.answer)


@each_order
@each_pair_task
@pytest.mark.parametrize("max_difficulty, n", [(1, 1), (2, 2), (3, 1)])
def test_all_pairs(task_type, is_reversed, max_difficulty, n):
    task = task_type(max_difficulty=max_difficulty, reversed_digits=is_reversed)
    width = max_difficulty + 1 if task_type is Addition else max_difficulty
    a, b = (x.ravel() for x in np.indices((10**n, 10**n)))
    scale = 10 ** np.arange(width)[None, :]
    a_digits, b_digits = (jnp.asarray(x[:, None] // scale % 10, jnp.int32) for x in (a, b))
    problems = jax.jit(jax.vmap(task.pose, (0, 0, None)))(a_digits, b_digits, jnp.int32(n))
    prompts, answers = texts(problems.prompt), texts(problems.answer)
    for x, y, prompt, answer in zip(a.tolist(), b.tolist(), prompts, answers, strict=True):
        operator, value, count = "+", x + y, n + 1
        if task_type is Multiplication:
            operator, value, count = "*", x * y, 2 * n
        question = f"{numeral(x, n, is_reversed)}{operator}{numeral(y, n, is_reversed)}="
        assert prompt == question.rjust(task.prompt_len, "_")
        expected = f"{numeral(value, count, is_reversed)}$"
        assert answer == expected.ljust(task.completion_len, "_")


# 95 + 7 = 102
@pytest.mark.parametrize(
    "shown, judgement",
    [("201", "YYYY$"), ("200", "YYNN$"), ("291", "YNNN$"), ("20", "YYN$_"), ("2", "YN$__")],
)
def test_judgements_by_hand(shown, judgement):
    task = JudgedAddition(max_difficulty=2, max_judged=2)
    problem = jitted_pose(task)(
        *(to_digits(x, 3) for x in (95, 7, number(shown, True))),
        jnp.int32(len(shown)), jnp.array(True), jnp.int32(2),
    )  # fmt: skip
    assert vocab.to_text(problem.prompt) == f"59+70={shown}?".rjust(task.prompt_len, "_")
    assert vocab.to_text(problem.answer) == judgement


# 95 + 7 = 102, 999 + 1 = 1000, 0 + 0 = 0
@pytest.mark.parametrize(
    "max_difficulty, n, a, b, reversed_texts, plain_texts",
    [
        (2, 2, 95, 7, ("59+70=", "201$"), ("95+07=", "102$")),
        (3, 2, 95, 7, ("__59+70=", "201$_"), ("__95+07=", "102$_")),
        (3, 3, 999, 1, ("999+100=", "0001$"), ("999+001=", "1000$")),
        (2, 1, 0, 0, ("__0+0=", "00$_"), ("__0+0=", "00$_")),
    ],
)
def test_addition_by_hand(max_difficulty, n, a, b, reversed_texts, plain_texts):
    task = Addition(max_difficulty=max_difficulty)
    assert posed(task, a, b, n=n, width=max_difficulty + 1) == reversed_texts
    task = Addition(max_difficulty=max_difficulty, reversed_digits=False)
    assert posed(task, a, b, n=n, width=max_difficulty + 1) == plain_texts


# 95 * 7 = 665, 99 * 99 = 9801, 7 * 8 = 56, 999 * 999 = 998001
@pytest.mark.parametrize(
    "max_difficulty, n, a, b, reversed_texts, plain_texts",
    [
        (2, 2, 95, 7, ("59*70=", "5660$"), ("95*07=", "0665$")),
        (3, 2, 99, 99, ("__99*99=", "1089$__"), ("__99*99=", "9801$__")),
        (2, 1, 7, 8, ("__7*8=", "65$__"), ("__7*8=", "56$__")),
        (3, 3, 999, 999, ("999*999=", "100899$"), ("999*999=", "998001$")),
        (2, 1, 0, 9, ("__0*9=", "00$__"), ("__0*9=", "00$__")),
    ],
)
def test_multiplication_by_hand(max_difficulty, n, a, b, reversed_texts, plain_texts):
    task = Multiplication(max_difficulty=max_difficulty)
    assert posed(task, a, b, n=n, width=max_difficulty) == reversed_texts
    task = Multiplication(max_difficulty=max_difficulty, reversed_digits=False)
    assert posed(task, a, b, n=n, width=max_difficulty) == plain_texts


@pytest.mark.parametrize(
    "max_difficulty, n, x, expected",
    [
        (3, 3, 120, ("021>", "021$")),
        (4, 2, 57, ("__75>", "75$__")),
        (2, 1, 0, ("_0>", "0$_")),
    ],
)
def test_copy_by_hand(max_difficulty, n, x, expected):
    assert posed(Copy(max_difficulty=max_difficulty), x, n=n, width=max_difficulty) == expected


# 5 + 7 = 12, 5 + 4 = 9, 5 + 4 + 1 = 10
@pytest.mark.parametrize(
    "max_difficulty, n, a, b, carry, is_step, texts",
    [
        (2, 2, 95, 7, False, False, ("59+70=", "201$")),
        (2, 2, 95, 7, True, False, ("59&70=", "301$")),
        (2, 2, 95, 7, False, True, ("59+70;", "2&$_")),
        (3, 2, 95, 4, False, True, ("__59+40;", "9+$__")),
        (3, 2, 95, 4, True, True, ("__59&40;", "0&$__")),
        (3, 3, 155, 244, True, True, ("551&442;", "0&$__")),
        (3, 1, 9, 9, True, False, ("____9&9=", "91$__")),
        (3, 3, 999, 999, True, False, ("999&999=", "9991$")),
    ],
)
def test_scratchpad_by_hand(max_difficulty, n, a, b, carry, is_step, texts):
    pose = jitted_pose(Scratchpad(max_difficulty=max_difficulty))
    numbers = (to_digits(x, max_difficulty + 1) for x in (a, b))
    problem = pose(*numbers, jnp.array(carry), jnp.array(is_step), jnp.int32(n))
    assert (vocab.to_text(problem.prompt), vocab.to_text(problem.answer)) == texts


@pytest.mark.parametrize("step_rate", [0.0, 0.3, 1.0])
def test_how_often_a_scratchpad_asks_for_a_step(step_rate):
    """Never with one digit; a carry from below is there in half of all problems."""
    task = Scratchpad(max_difficulty=2, step_rate=step_rate)
    sample = jax.jit(jax.vmap(task.sample, (0, None)))
    for n, expected in ((1, 0.0), (2, step_rate)):
        keys = jax.random.split(jax.random.key(n), 10_000)
        prompt = np.asarray(sample(keys, jnp.int32(n)).prompt)
        assert abs((prompt[:, -1] == vocab.STEP).mean() - expected) <= 0.03 * (0 < expected < 1)
        assert abs((prompt == vocab.PLUS_ONE).any(1).mean() - 0.5) < 0.03


def way_of(a: int, b: int, shown: str, n: int) -> str:
    """In which way a sum that is shown, least significant digit first, is wrong."""
    right = numeral(a + b, n + 1, True)
    if len(shown) < n + 1:
        assert right.startswith(shown) and n + 1 - len(shown) <= 3
        return "short"
    if sum(x != y for x, y in zip(right, shown, strict=True)) <= 1:
        return "right" if right == shown else "digit"
    missed = (number(shown, True) - a - b) % 10 ** (n + 1)
    is_carry = str(min(missed, 10 ** (n + 1) - missed)).strip("0") == "1"
    return "carry" if is_carry else "random"


@pytest.mark.parametrize("judge_rate", [0.0, 0.5, 1.0])
def test_what_is_judged(judge_rate):
    """As often as asked, never of longer numbers; half of it wrong, and half of that random."""
    task = JudgedAddition(max_difficulty=6, max_judged=5, judge_rate=judge_rate)
    sample = jax.jit(jax.vmap(task.sample, (0, None)))
    for n, expected in ((1, judge_rate), (5, judge_rate), (6, 0.0)):
        problems = sample(jax.random.split(jax.random.key(n), 10_000), jnp.int32(n))
        asked = [re.fullmatch(r"_*(\d+)[+](\d+)=(\d+)[?]", t) for t in texts(problems.prompt)]
        asked = [found.groups() for found in asked if found]
        assert abs(len(asked) / 10_000 - expected) <= 0.03 * (0 < expected < 1)
        ways = [way_of(number(a, True), number(b, True), shown, n) for a, b, shown in asked]
        shares = {way: ways.count(way) / max(1, len(ways)) for way in set(ways)}
        # A carry that nothing follows from is another digit; all four at one digit are much alike.
        expected = {"right": 0.5, "short": 1 / 12, "random": 1 / 4} if n > 1 else {"short": 1 / 12}
        assert not ways or all(abs(shares[way] - rate) < 0.03 for way, rate in expected.items())
        assert not ways or n == 1 or set(ways) == {*expected, "digit", "carry"}


@each_pair_task
def test_order_of_operands_does_not_change_the_answer(task_type):
    task = task_type(max_difficulty=20)
    a, b = np.random.default_rng(0).integers(0, 10, (2, 1000, 20), np.int32)
    if task_type is Addition:
        a, b = (np.pad(x, ((0, 0), (0, 1))) for x in (a, b))
    pose = jax.jit(jax.vmap(task.pose, (0, 0, None)))
    one, other = pose(a, b, jnp.int32(20)), pose(b, a, jnp.int32(20))
    np.testing.assert_array_equal(one.answer, other.answer)
    assert (one.prompt != other.prompt).any(axis=1).all()


def test_carry_runs_through_every_column():
    task = Addition(max_difficulty=100, reversed_digits=False)
    _, answer = posed(task, 10**100 - 1, 1, n=100, width=101)
    assert answer == "1" + "0" * 100 + "$"


def test_product_of_long_numbers():
    task = Multiplication(max_difficulty=100, reversed_digits=False)
    _, answer = posed(task, 10**100 - 1, 10**100 - 1, n=100, width=100)
    assert answer == "9" * 99 + "8" + "0" * 99 + "1" + "$"


def test_numbers_are_uniform_and_independent():
    num_pairs = 100_000
    sample = jax.jit(jax.vmap(digits.sample_numbers, (0, None, None, None)), static_argnums=(1, 3))
    for n, values in ((1, range(10)), (2, range(10, 100))):
        keys = jax.random.split(jax.random.key(n), num_pairs)
        numbers = np.asarray(sample(keys, 2, jnp.int32(n), 3)) @ np.array([1, 10, 100])
        numbers = numbers.reshape(-1)
        counts = np.bincount(numbers, minlength=1000)[list(values)]
        assert counts.sum() == 2 * num_pairs
        mean = 2 * num_pairs / len(values)
        assert np.abs(counts - mean).max() < 6 * np.sqrt(mean)
        a, b = numbers.reshape(num_pairs, 2).T
        assert abs(np.corrcoef(a, b)[0, 1]) < 6 / np.sqrt(num_pairs)
