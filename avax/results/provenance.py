"""`config.json` and `provenance.json`: what results are of, and how they came about. What is read
is what was written. Imports no JAX.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from avax.results.checked_json import write_json
from avax.results.untrusted import ResultsError, read_dict

CONFIG = "config.json"
PROVENANCE = "provenance.json"

# Of the provenance: the names of all arrays and coordinates, and checksums of these, of the
# configuration, and of the provenance without the last.
_NAMES, _ARRAYS_SUM, _CONFIG_SUM, _OWN_SUM = "arrays", "arrays_sha256", "config_sha256", "sha256"
# Of results that are older than the others: no damage to one of these names makes it this one.
_OLD_SUM = "data_sha256"
_REPAIR = "the same command repairs it"


def read_both(folder: pathlib.Path) -> dict[str, dict[str, Any]]:
    """`config` and `provenance` of finished results, as they were written.

    Those of results that are older than the checksums of both are what the files say.

    Raises:
      ResultsError: naming the file, if one is missing, can't be read, or is damaged.
    """
    provenance, config = read(folder), _read_file(folder / CONFIG)
    _check(folder / CONFIG, provenance, _CONFIG_SUM, _sum(config))
    return {"config": config, "provenance": provenance}


def check(path: os.PathLike | str, both: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises ResultsError, naming the path, unless `config` and `provenance` are what `seal` made
    of them.
    """
    _check(path, both["provenance"], _OWN_SUM, _own_sum(both["provenance"]))
    _check(path, both["provenance"], _CONFIG_SUM, _sum(both["config"]))


def read(folder: pathlib.Path) -> dict[str, Any]:
    """The `provenance` alone, on the same terms."""
    found = _read_file(folder / PROVENANCE)
    _check(folder / PROVENANCE, found, _OWN_SUM, _own_sum(found))
    return found


def is_sealed(both: Mapping[str, Any]) -> bool:
    """Whether there were checksums of what `read_both` returned."""
    return _OWN_SUM in both["provenance"]


def arrays_of(both: Mapping[str, Any]) -> tuple[Sequence[str] | None, str | None]:
    """Names of the arrays that were written, None if they are not told, and their fingerprint."""
    found = both["provenance"]
    return found.get(_NAMES), found.get(_ARRAYS_SUM, found.get(_OLD_SUM))


def write(
    folder: pathlib.Path,
    config: Mapping[str, Any],
    provenance: Mapping[str, Any],
    names: Sequence[str],
    fingerprint: str,
) -> None:
    """Writes both files for results that are complete.

    Args:
      provenance: checksums in it are not kept.
      names: of all arrays.
      fingerprint: of them.

    Raises:
      ResultsError: if they can't be written.
    """
    content = seal(config, provenance, names, fingerprint)
    try:
        (folder / PROVENANCE).unlink(missing_ok=True)  # at no moment that of another configuration
        write_json(folder / CONFIG, config)
        write_json(folder / PROVENANCE, content)
    except OSError as error:
        raise ResultsError(f"{folder}: can't be written to: {error.strerror}") from error


def seal(
    config: Mapping[str, Any],
    provenance: Mapping[str, Any],
    names: Sequence[str],
    fingerprint: str,
) -> dict[str, Any]:
    """A provenance with checksums of a configuration, of arrays and of itself, in place of those
    that it had.
    """
    sums = {_NAMES, _ARRAYS_SUM, _CONFIG_SUM, _OWN_SUM, _OLD_SUM}
    content = {name: x for name, x in provenance.items() if name not in sums}
    content |= {_NAMES: list(names), _ARRAYS_SUM: fingerprint, _CONFIG_SUM: _sum(config)}
    return {**content, _OWN_SUM: _own_sum(content)}


def _read_file(path: pathlib.Path) -> dict[str, Any]:
    try:
        return read_dict(path)
    except OSError as error:
        raise ResultsError(f"{path}: can't be read: {error.strerror}; {_REPAIR}") from error


def _check(path: os.PathLike | str, provenance: Mapping[str, Any], name: str, found: str) -> None:
    if _OLD_SUM not in provenance and provenance.get(name) != found:
        raise ResultsError(f"{path}: is damaged: it is not what was written; {_REPAIR}")


def _sum(content: Any) -> str:
    """64 hexadecimal digits that name what a JSON file holds."""
    content = json.loads(json.dumps(content))  # with lists for tuples, and texts for keys
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _own_sum(provenance: Mapping[str, Any]) -> str:
    return _sum({name: x for name, x in provenance.items() if name != _OWN_SUM})
