"""`progress.json`: the runs in a folder that are done, with a checksum of each. Imports no JAX."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from avax.results import checked_json

PROGRESS = "progress.json"


def read(
    folder: pathlib.Path, say: Callable[[str], None] = lambda line: None
) -> dict[str, Any] | None:
    """What a folder knows about the runs that are done, facts and checksums; None if nothing."""
    path = folder / PROGRESS
    if not path.exists():
        return None
    try:
        found = checked_json.read(path)
        _check(found)
    except (OSError, ValueError, KeyError):
        say(f"{path}: is damaged, all runs are done again")
        return None
    return found


def write(folder: pathlib.Path, facts: Mapping[str, Any], checksums: Mapping[int, int]) -> None:
    """Replaces what a folder knows: checksums of the runs that are done, and what they depend on.

    Raises:
      OSError: if it can't be written.
    """
    runs = {str(run): checksums[run] for run in sorted(checksums)}
    checked_json.write(folder / PROGRESS, {"facts": facts, "runs": runs})


def forget(folder: pathlib.Path) -> None:
    """Lets the next process start over in a folder."""
    (folder / PROGRESS).unlink(missing_ok=True)


def _check(found: dict[str, Any]) -> None:
    """Raises ValueError or KeyError if it isn't of the form that `write` gives it."""
    facts, runs = found["facts"], found["runs"]
    if not (isinstance(facts, dict) and isinstance(runs, dict)):
        raise ValueError("holds no facts or no runs")
    if not all(re.fullmatch("[0-9]{1,9}", run) and type(x) is int for run, x in runs.items()):
        raise ValueError("runs are no numbers")
