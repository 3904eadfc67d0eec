"""Names of flags, and one line for a command line that doesn't keep to them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from avax.fields import ConfigError
from avax.sweeps.axes import axis_names
from avax.sweeps.sweep import Sweep


def flag_name(path: str) -> str:
    """A dotted path as a flag: hyphens for underscores."""
    return path.replace("_", "-")


def axis_flags(sweep: Sweep, path: str) -> list[str]:
    """The flags of an axis, the shortest last."""
    return [f"--axes.{flag_name(alias)}" for alias in axis_names(sweep.base, path, sweep.axes)]


def check_names(known: Mapping[str, Any], argv: Sequence[str], sweep: Sweep) -> None:
    """Raises ConfigError, with the nearest flags, for one that is not known or given twice.

    Args:
      known: by flag what it sets; several flags may set the same.
    """
    seen = set()
    for word in argv:
        flag = word.split("=")[0]
        if not flag.startswith("--"):
            continue
        if flag not in known:
            raise ConfigError(f"{flag}: there is no such field; {hint(flag, known, sweep)}")
        if known[flag] in seen:
            raise ConfigError(f"{flag}: is given twice")
        seen.add(known[flag])


def hint(flag: str, known: Iterable[str], sweep: Sweep) -> str:
    """The flags that may be meant: fields of the same last name, else the most similar flag.

    Of a field that is swept it is its axis: the field itself would have no effect.
    """
    axes = {f"--base.{flag_name(path)}": axis_flags(sweep, path)[-1] for path in sweep.axes}
    last = flag.rpartition(".")[2].lstrip("-")
    same = [f for f in known if f.startswith("--base.") and f.rpartition(".")[2] == last]
    same += [f for f in known if f == f"--pretraining.{last}"]
    near = same or difflib.get_close_matches(flag, known, 1, 0.5)
    names = [axes.get(f, f) for f in near]
    return f"did you mean {' or '.join(names[:2])}?" if names else "see --help"


def check_no_more(choices: Mapping[str, tuple[str, ...]], words: Iterable[str]) -> None:
    """Raises ConfigError if there are words without a flag."""
    for word in words:
        flags = [f"--{flag} {word}" for flag, values in choices.items() if word in values]
        meant = f"did you mean {flags[0]}?" if flags else "see --help"
        raise ConfigError(f"{word}: stands without a flag; {meant}")
