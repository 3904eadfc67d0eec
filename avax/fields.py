"""The fields of a configuration: what each may hold, and one line for what it may not.

Imports no JAX.
"""

from __future__ import annotations

import functools
from dataclasses import Field, is_dataclass
from typing import Any

import numpy as np

SMALLEST = float(np.finfo(np.float32).tiny)  # above 0 that the loop tells from it
LARGEST = float(np.finfo(np.float32).max)
MOST = 2**31 - 1  # of whole numbers
FLOATS = ("Scalar", "float")
# What a field holds, by its annotation.
KINDS = {
    **dict.fromkeys((*FLOATS, "Integer"), "a number"),
    "int": "a whole number",
    "bool": "True or False",
    "str": "a text",
    "Task": "a task",
    "Curriculum": "a curriculum",
    "Verifier": "a verifier",
    "Learner": "a learner",
    "Probe": "a probe",
    "Experiment": "an experiment",
}


class ConfigError(ValueError):
    """A configuration that can't be run, or a plug-in that can't. The message is one line."""


def check_value(path: str, field: Field, value: Any) -> None:
    """Raises ConfigError if a value is not of the field's kind or lies outside its range.

    Arrays, and what JAX puts in their place while it traces, pass unseen, and so does None.
    """
    value = value.item() if isinstance(value, np.generic) else value
    about = field.metadata
    low, high, choices = about.get("low"), about.get("high"), about.get("choices")
    if choices is not None and value not in choices:
        raise ConfigError(f"{path}: is {value!r}, must be one of {', '.join(map(str, choices))}")
    expected = kind_of(field)
    if expected is not None and _is_another(expected, value):
        raise ConfigError(f"{path}: is {shown(value)}, must be {expected}")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    too_low = low is not None and value < low
    too_high = high is not None and value > high
    if too_low or too_high or not _fits(path, field, value):
        is_short = isinstance(value, float) or abs(value) < 10**20
        if low is not None and high is None and not too_low and _is_whole(field, value):
            high = MOST
        raise ConfigError(
            f"{path}: is {value if is_short else 'too large'}, must {_range(low, high)}"
        )
    least = about.get("nonzero_low") or SMALLEST
    if value != 0 and abs(value) < least:
        raise ConfigError(f"{path}: is {value}, must be 0 or at least {least:g}")


def is_checked(field: Field) -> bool:
    """Whether there is anything that a field may not hold."""
    limits = (field.metadata.get(name) for name in ("low", "high", "choices"))
    return kind_of(field) is not None or any(x is not None for x in limits)


@functools.cache
def kind_of(field: Field) -> str | None:
    """What a field holds, in words; None if its annotation doesn't say so."""
    if is_dataclass(field.default):
        return KINDS.get(_annotation(field), f"a {type(field.default).__name__}")
    if "nonzero_low" in field.metadata:  # made by `struct.leaf`
        return "a number"
    return KINDS.get(_annotation(field))


def shown(value: Any) -> str:
    """A wrong value, as a line shows it."""
    return value.__name__ if isinstance(value, type) else repr(value)


def _annotation(field: Field) -> str:
    """The name of a field's type, without its module and without `| None`."""
    name = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", "")
    return name.removesuffix("| None").strip().rpartition(".")[2]


def _is_another(expected: str, value: Any) -> bool:
    """Whether a value is plainly not what is expected, being a text, a number or a class."""
    if isinstance(value, str):
        return expected != "a text"
    if expected == "a whole number" and isinstance(value, float):
        return True
    is_number = expected in ("a number", "a whole number", "True or False")
    return isinstance(value, type) or (isinstance(value, (int, float)) and not is_number)


def _fits(path: str, field: Field, value: int | float) -> bool:
    """Whether a number is finite as the loop holds it, in 32 bits; a seed has limits of its own."""
    most = MOST if _is_whole(field, value) else LARGEST
    return -most <= value <= most or (path == "seed" and value > 0)


def _is_whole(field: Field, value: int | float) -> bool:
    """Whether the loop holds a number as a whole one."""
    return isinstance(value, int) and _annotation(field) not in FLOATS


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"lie in [{low}, {high}]"
    if low is not None:
        return f"be at least {low}"
    return f"be at most {high}" if high is not None else "be finite in 32 bits"
