"""`progress.json`: the runs in a folder that are done, with a checksum of each. Imports no JAX."""

from __future__ import annotations

import json
import pathlib
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from avax.results import PROGRESS, write_json
from avax.untrusted import read_dict


def read(
    folder: pathlib.Path, say: Callable[[str], None] = lambda line: None
) -> dict[str, Any] | None:
    """What a folder knows about the runs that are done, facts and checksums; None if nothing."""
    path = folder / PROGRESS
    if not path.exists():
        return None
    try:
        found = read_dict(path)
        if found.pop("crc32") != _crc32(found):
            raise ValueError("its checksum differs")
        _check(found)
    except (OSError, ValueError, KeyError, AttributeError):
        say(f"{path}: is damaged, all runs are done again")
        return None
    return found


def write(folder: pathlib.Path, facts: Mapping[str, Any], checksums: Mapping[int, int]) -> None:
    """Replaces what a folder knows: checksums of the runs that are done, and what they depend on.

    Raises:
      OSError: if it can't be written.
    """
    runs = {str(run): checksums[run] for run in sorted(checksums)}
    content = {"facts": facts, "runs": runs}
    write_json(folder / PROGRESS, {**content, "crc32": _crc32(content)})


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


def _crc32(content: Any) -> int:
    return zlib.crc32(json.dumps(content, sort_keys=True).encode())
