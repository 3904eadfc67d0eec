"""Every task against Python's unlimited integers, and the laws that all tasks obey."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import types, vocab
from avax.tasks import TASKS, digits
from avax.tasks.addition import Addition
from avax.tasks.chain import Chain
from avax.tasks.copy import Copy
from avax.tasks.judged import JudgedAddition
from avax.tasks.multiplication import Multiplication
from avax.tasks.scratchpad import Scratchpad

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
]
BATCH = 10_000

CHARACTERS = np.frombuffer(vocab.to_text(range(vocab.VOCAB_SIZE)).encode(), np.uint8)
SYMBOL = {"PAD": "_", "EOS": "$", "PLUS": "+", "TIMES": "*", "EQUALS": "="}
SYMBOL |= {"COPY": ">", "STEP": ";", "PLUS_ONE": "&", "RETRY": "?", "YES": "Y", "NO": "N"}

each_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
# A step of a chain is judged by what was written before it: see test_chain.
each_exact_task = pytest.mark.parametrize("task", [t for n, t in TASKS.items() if n != "chain"])
each_pair_task = pytest.mark.parametrize("task_type", [Addition, Multiplication])
each_order = pytest.mark.parametrize("is_reversed", [True, False], ids=["reversed", "plain"])


def texts(rows) -> list[str]:
    """One string for each row of i32[B, L]."""
    return [row.tobytes().decode() for row in CHARACTERS[np.asarray(rows)]]


def tokens(text: str) -> np.ndarray:
    """i32[len(text)]: the inverse of `vocab.to_text`."""
    symbols = CHARACTERS.tobytes().decode()
    return np.array([symbols.index(c) for c in text], np.int32)


def number(text: str, is_reversed: bool) -> int:
    return int(text[::-1] if is_reversed else text)


def numeral(value: int, width: int, is_reversed: bool) -> str:
    text = str(value).zfill(width)
    return text[::-1] if is_reversed else text


def to_digits(value: int, width: int) -> jax.Array:
    """i32[width], least significant first."""
    return jnp.array([int(c) for c in numeral(value, width, is_reversed=True)], jnp.int32)


def solve(task, prompt: str) -> tuple[list[str], str]:
    """The operands in a prompt, each most significant digit first, and the answer with its EOS."""
    if isinstance(task, Copy):
        (x,) = re.fullmatch(r"_*(\d+)>", prompt).groups()
        return [x[::-1]], x + "$"
    if isinstance(task, Scratchpad):
        return solve_scratchpad(prompt)
    if isinstance(task, JudgedAddition):
        return solve_judged(prompt)
    if isinstance(task, Chain):
        return solve_chain(task, prompt)
    is_reversed = task.reversed_digits
    operator = "+" if isinstance(task, Addition) else "*"
    written = re.fullmatch(rf"_*(\d+)[{operator}](\d+)=", prompt).groups()
    a, b = (number(x, is_reversed) for x in written)
    n = len(written[0])
    value, width = (a + b, n + 1) if operator == "+" else (a * b, 2 * n)
    operands = [x[::-1] if is_reversed else x for x in written]
    return operands, numeral(value, width, is_reversed) + "$"


def solve_scratchpad(prompt: str) -> tuple[list[str], str]:
    """The sum after `=`; after `;` its lowest digit and whether there is a carry."""
    a, operator, b, end = re.fullmatch(r"_*(\d+)([+&])(\d+)([=;])", prompt).groups()
    carry = operator == "&"
    if end == "=":
        answer = numeral(number(a, True) + number(b, True) + carry, len(a) + 1, True)
    else:
        carry, lowest = divmod(int(a[0]) + int(b[0]) + carry, 10)
        answer = f"{lowest}{'+&'[carry]}"
    return [a[::-1], b[::-1]], answer + "$"


def solve_judged(prompt: str) -> tuple[list[str], str]:
    """The sum after `=`; after `=c?` a mark for each digit of c and for its end."""
    a, b, shown = re.fullmatch(r"_*(\d+)[+](\d+)=(\d+[?])?", prompt).groups()
    answer = numeral(number(a, True) + number(b, True), len(a) + 1, True)
    if shown:
        shown = shown[:-1]
        right = [answer.startswith(shown[: i + 1]) for i in range(len(shown))]
        answer = "".join("NY"[x] for x in [*right, shown == answer])
    return [a[::-1], b[::-1]], answer + "$"


def solve_chain(task, prompt: str) -> tuple[list[str], str]:
    """All partial sums of the digits, from the last one on; there are no operands to speak of."""
    addends, start = re.fullmatch(r"_*(\d+)=(\d)", prompt).groups()
    assert all(int(x) < task.modulus for x in addends + start)
    totals = itertools.accumulate(map(int, addends), initial=int(start))
    return [], "".join(str(x % task.modulus) for x in list(totals)[1:]) + "$"


@functools.cache
def examples(task) -> tuple[list[types.Problem], int]:
    """A problem of each length, sampled under jit, and how often that compiled."""
    sample = jax.jit(task.sample)
    keys = jax.random.split(jax.random.key(0), task.max_difficulty)
    problems = [sample(key, jnp.int32(n)) for n, key in enumerate(keys, start=1)]
    return problems, sample._cache_size()


@functools.cache
def jitted_pose(task):
    return jax.jit(task.pose)


def posed(task, *values: int, n: int, width: int) -> tuple[str, str]:
    problem = jitted_pose(task)(*(to_digits(v, width) for v in values), jnp.int32(n))
    return vocab.to_text(problem.prompt), vocab.to_text(problem.answer)


def case_id(case) -> str:
    task, _ = case
    order = "" if getattr(task, "reversed_digits", True) else "-plain"
    rates = [
        str(getattr(task, name)) for name in ("step_rate", "judge_rate") if hasattr(task, name)
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
        assert correct and step_correct.all() and not mistake.any()


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


@each_task
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
