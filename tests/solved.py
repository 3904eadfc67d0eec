"""What the tasks ask for, by Python's unlimited integers: problems as text, and their answers."""

from __future__ import annotations

import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np

from avax import vocab
from avax.tasks.addition import Addition
from avax.tasks.chain import Chain
from avax.tasks.copy import Copy
from avax.tasks.judged import JudgedAddition
from avax.tasks.scratchpad import Scratchpad
from avax.tasks.shortcut import Shortcut

CHARACTERS = np.frombuffer(vocab.to_text(range(vocab.VOCAB_SIZE)).encode(), np.uint8)


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
    if isinstance(task, Shortcut):
        return solve_shortcut(task, prompt)
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


def solve_shortcut(task, prompt: str) -> tuple[list[str], str]:
    """All partial sums, or where all working is skipped `;` and the last; no operands either."""
    addends, start = re.fullmatch(r"_*(\d+)=(\d)", prompt).groups()
    sums = "".join(str(x % 10) for x in itertools.accumulate(map(int, start + addends)))[1:]
    assert task.skip_rate in (0, 1)
    return [], (f";{sums[-1]}" if task.skip_rate else sums) + "$"
