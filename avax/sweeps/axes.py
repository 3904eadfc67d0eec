"""The axes of a sweep as text: what can be one, their short names, their values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from avax import struct
from avax.fields import ConfigError
from avax.sweeps import plugins

MAX_VALUES = 10_000  # of an axis
AXIS_HELP = "values: `0,0.1,0.5`, or from:to:count evenly spaced, or log:from:to:count"


def parse_names(path: str, text: str, kind: plugins.Kind) -> tuple:
    """The plug-ins of an axis, by their names; ConfigError if there is no such name."""
    return tuple(kind.taken(path, name) for name in text.replace(" ", "").split(",") if name)


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


def sweepable(base: Any, axes: Mapping[str, tuple] = MappingProxyType({})) -> list[str]:
    """Dotted paths of all that can be an axis: the leaves that hold a number, and the plug-ins.

    Args:
      axes: of plug-ins, whose numbers can be axes, too.
    """
    return [
        path
        for path, (field, value) in plugins.fields(base, axes).items()
        if plugins.kind_of(field)
        or (isinstance(value, (int, float)) and not struct.is_static(field))
    ]


def axis_names(base: Any, path: str, axes: Mapping[str, tuple] = MappingProxyType({})) -> list[str]:
    """The dotted path of an axis, and its last part where no other field ends in it."""
    last = path.rpartition(".")[2]
    same = [p for p in sweepable(base, axes) if p.rpartition(".")[2] == last]
    return [path] if len(same) > 1 or last == path else [path, last]
