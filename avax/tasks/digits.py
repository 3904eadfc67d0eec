"""Numbers as arrays of digits, least significant first: no value is ever held in one integer."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
from jax import Array

from avax import vocab
from avax.types import MISTAKES, Grade, Integer, Key, Problem


def sample_numbers(key: Key, count: int, num_digits: Integer, width: int) -> Array:
    """i32[count, width]: digits of uniform numbers of exactly `num_digits` digits, zeros above.

    The most significant digit is not 0, except that a number of one digit may be 0.
    """
    place = jnp.arange(width)[None]
    lowest = ((place == num_digits - 1) & (num_digits > 1)).astype(jnp.int32)
    # One draw for all digits: every place where random numbers are drawn takes long to compile.
    uniform = jax.random.uniform(key, (count, width))
    digits = lowest + (uniform * (10 - lowest)).astype(jnp.int32)
    return jnp.where(place < num_digits, digits, 0)


def carry(columns: Array) -> Array:
    """i32[W]: the digits of sum(columns[i] * 10**i). What overflows the last column is dropped."""

    def step(carried, column):
        total = column + carried
        return total // 10, total % 10

    return jax.lax.scan(step, jnp.zeros_like(columns[0]), columns)[1]


def place(length: int, pieces: list[tuple[Array, Integer]], right: bool) -> Array:
    """i32[length]: the first `count` tokens of each (tokens, count) in a row, PAD around them.

    Args:
      pieces: counts are traced; the tokens beyond a count are ignored.
      right: align to the end (prompts) rather than to the start (answers).
    """
    tokens = jnp.concatenate([tokens for tokens, _ in pieces])
    starts = jnp.array([0, *itertools.accumulate(len(tokens) for tokens, _ in pieces[:-1])])
    bounds = jnp.array([0, *itertools.accumulate(count for _, count in pieces)])
    index = jnp.arange(length) - (length - bounds[-1] if right else 0)
    piece = (index[:, None] >= bounds[None, 1:-1]).sum(-1)
    inside = (index >= 0) & (index < bounds[-1])
    source = jnp.where(inside, starts[piece] + index - bounds[piece], 0)
    return jnp.where(inside, tokens[source], vocab.PAD)


def written(digits: Array, count: Integer, is_reversed: bool) -> tuple[Array, Integer]:
    """The piece that writes `count` digits, least significant first if `is_reversed`."""
    if is_reversed:
        return digits, count
    return digits[jnp.clip(count - 1 - jnp.arange(digits.shape[0]), 0)], count


def symbol(token: Integer) -> tuple[Array, int]:
    """The piece that writes one token."""
    return jnp.full((1,), token, jnp.int32), 1


def equation(
    a: Array, operator: Integer, b: Array, count: Integer, is_reversed: bool
) -> list[tuple[Array, Integer]]:
    """The pieces of a prompt that asks for `a operator b =`, both operands with `count` digits."""
    return [
        written(a, count, is_reversed),
        symbol(operator),
        written(b, count, is_reversed),
        symbol(vocab.EQUALS),
    ]


def read_equation(
    tokens: Array, operator: int, max_digits: int, width: int, is_reversed: bool
) -> tuple[Array, Array, Array, Array]:
    """The operands of `a operator b =` as tokens i32[L] of any length write it, i32[width] each,
    least significant digit first; how many digits either has, i32[]; and bool[] whether it can be
    read: `equation`, with PAD around it and perhaps EOS behind it, nothing else.

    What can't be read is some equation all the same. It can't where operands have unequal numbers
    of digits or more than `max_digits`, or a leading 0 that is not the only digit.
    """
    # What stands in front goes behind; with room for what is looked up there.
    text = jnp.append(tokens, jnp.full((2 * max_digits + 3,), vocab.PAD, tokens.dtype))
    text = jnp.roll(text, -(text != vocab.PAD).argmax())
    # Where the operator stands elsewhere, what is written again is not the same.
    count = jnp.clip((text == operator).argmax(), 1, max_digits)
    index = jnp.arange(width)
    order = index if is_reversed else jnp.clip(count - 1 - index, 0)
    operands = []
    for start in (0, count + 1):
        digit = text[jnp.minimum(start + order, len(text) - 1)]
        operands.append(jnp.where((index < count) & vocab.is_digit(digit), digit, 0))
    a, b = operands
    written_again = place(len(text), equation(a, operator, b, count, is_reversed), right=False)
    end = (jnp.arange(len(text)) == 2 * count + 2) & (text == vocab.EOS)
    is_same = (text == jnp.where(end, vocab.EOS, written_again)).all()
    has_zero = (count > 1) & ((a[count - 1] == 0) | (b[count - 1] == 0))
    return a, b, count, is_same & ~has_zero


def grade_exact(problem: Problem, completion: Array, long_carry: Array | None = None) -> Grade:
    """Token by token against the answer, PAD included: a wrong length is a wrong answer.

    Args:
      long_carry: bool[], of the problem; False if there are no carries to speak of.
    """
    step_correct = completion == problem.answer
    if long_carry is None:
        long_carry = jnp.zeros((), bool)
    return Grade(step_correct.all(), step_correct, mistakes(problem.answer, completion), long_carry)


def mistakes(answer: Array, completion: Array) -> Array:
    """bool[E]: which of MISTAKES a completion i32[C] is; all False if it is correct or no number.

    A number is digits and then EOS and PAD, or nothing where it fills the completion.
    """
    index = jnp.arange(answer.shape[0])
    count, right_count = (vocab.is_digit(x).sum() for x in (completion, answer))
    behind = jnp.where(index == count, vocab.EOS, vocab.PAD)
    is_number = jnp.where(index < count, vocab.is_digit(completion), completion == behind).all()
    wrong = completion != answer
    one_less = (completion + 1 - answer) % len(vocab.DIGITS) == 0
    kinds = {
        "dropped_carry": (count == right_count) & (one_less | ~wrong).all(),
        "near_miss": (count == right_count) & (wrong.sum() == 1),
        "short": count < right_count,
        "long": count > right_count,
    }
    return jnp.stack([kinds[kind] for kind in MISTAKES]) & is_number & wrong.any()
