"""JSON files that appear whole, and with a checksum of their own. Imports no JAX."""

from __future__ import annotations

import json
import pathlib
import zlib
from collections.abc import Mapping
from typing import Any

from avax.results.untrusted import ResultsError, read_dict


def read(path: pathlib.Path) -> dict[str, Any]:
    """The fields that `write` was given: what is read is what was written.

    Raises:
      OSError: if there is no file or it can't be opened.
      ResultsError: if it holds anything else than what was written.
    """
    found = read_dict(path)
    if found.pop("crc32", None) != _crc32(found):
        raise ResultsError(f"{path}: is damaged: its checksum differs")
    return found


def write(path: pathlib.Path, content: Mapping[str, Any]) -> None:
    """Replaces a file; OSError if that can't be done."""
    write_json(path, {**content, "crc32": _crc32(content)})


def write_json(path: pathlib.Path, content: Any) -> None:
    """Writes JSON; the file appears complete or not at all, and never where a link leads."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with part.open("x") as file:
        file.write(json.dumps(content, indent=1) + "\n")
    part.replace(path)


def _crc32(content: Any) -> int:
    return zlib.crc32(json.dumps(content, sort_keys=True).encode())
