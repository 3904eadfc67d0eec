"""The axes of a sweep as text: which numbers can be one, their short names, their values."""

from __future__ import annotations

from typing import Any

import numpy as np

from avax import struct
from avax.fields import ConfigError

MAX_VALUES = 10_000  # of an axis
AXIS_HELP = "values: `0,0.1,0.5`, or from:to:count evenly spaced, or log:from:to:count"


def parse_values(path: str, text: str, kind: type) -> tuple:
    """The values of an axis. ConfigError if the text is none of the forms of AXIS_HELP."""
    try:
        words = text.removeprefix("log:").split(":")
        if len(words) == 3:
            space = np.geomspace if text.startswith("log:") else np.linspace
            ends, count = np.asarray_chkfinite([float(w) for w in words[:2]]), int(words[2])
            if count > MAX_VALUES:
                raise ConfigError(f"{path}: asks for {count} values, at most {MAX_VALUES} can be")
            with np.errstate(all="ignore"):  # what comes of numbers too large is refused later
                values = space(*ends, count).tolist()
            values = [float(f"{v:.6g}") for v in values]
        else:
            values = [float(word) for word in text.split(",") if word.strip()]
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"{path}: can't read {text!r}; {AXIS_HELP}") from error
    if kind is int and not all(float(v).is_integer() for v in values):
        raise ConfigError(f"{path}: {text!r} holds a number that is not whole")
    return tuple(kind(v) for v in values)


def sweepable(experiment: Any) -> list[str]:
    """Dotted paths of all numbers that can be an axis: the leaves."""
    return [
        path
        for path, field, value in struct.walk(experiment)
        if isinstance(value, (int, float)) and not struct.is_static(field)
    ]


def axis_names(experiment: Any, path: str) -> list[str]:
    """The dotted path of an axis, and its last part where no other field ends in it."""
    last = path.rpartition(".")[2]
    same = [p for p in sweepable(experiment) if p.rpartition(".")[2] == last]
    return [path] if len(same) > 1 or last == path else [path, last]
