"""Folders of results: each is the place of one configuration's. Imports no JAX."""

from __future__ import annotations

import json
import os
import pathlib
import stat
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from avax.results import provenance, untrusted
from avax.results.checked_json import write_json
from avax.results.compare import differences
from avax.results.dataset import CONFIG, PROGRESS, PROVENANCE, STORE, ResultsError
from avax.results.grow import GROWING, GROWN

POLICIES = "policies"  # trained ones, if they are kept
BELOW = 300  # bytes: no path below a folder of results is longer
# All that is written to below a folder of results.
WRITTEN = (
    *(STORE, CONFIG, PROVENANCE, PROGRESS, ".lock", ".lock.json", "checkpoints"),
    *(GROWN, GROWING, POLICIES, "figure.png", "figure.pdf"),
    *(f"{name}.part" for name in (STORE, CONFIG, PROVENANCE, PROGRESS)),
)


def _never(stored: Mapping[str, Any]) -> bool:
    return False


def claim(
    folder: pathlib.Path,
    config: Mapping[str, Any],
    digest: str,
    how: Sequence[str] = (),
    grows: Callable[[Mapping[str, Any]], bool] = _never,
) -> None:
    """Makes `folder` the place of one configuration's results. What finished results say of theirs
    stays as it is, fields that the digest leaves out included.

    Args:
      how: fields of the configuration that the digest leaves out.
      grows: whether results of another configuration may become those of this one.

    Raises:
      ResultsError: if it can't be written to or holds another configuration's results. Then
        nothing on disk is changed.
    """
    check_free(folder, config, digest, how, grows)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not _is_stored(folder, digest):
            write_json(folder / CONFIG, {"digest": digest, **config})
    except OSError as error:
        raise ResultsError(f"{folder}: can't be written to: {error.strerror}") from error


def check_free(
    folder: pathlib.Path,
    config: Mapping[str, Any],
    digest: str,
    how: Sequence[str] = (),
    grows: Callable[[Mapping[str, Any]], bool] = _never,
) -> None:
    """Raises ResultsError if `folder` can't be written to or holds other results, or links where
    results are written. The arguments are those of `claim`.
    """
    check_writable(folder)
    try:
        if folder.is_dir():
            untrusted.check_no_links(folder, WRITTEN)
        # A configuration alone was claimed by a process that came to run nothing.
        is_taken = any((folder / name).exists() for name in (STORE, PROGRESS, PROVENANCE))
    except OSError as error:  # a folder that may not be looked into
        raise _refusal(folder, f"can't be used: {error.strerror}") from error
    if is_taken:
        _check_same(folder, config, digest, how, grows)


def check_writable(folder: pathlib.Path, flag: str = "--out") -> None:
    """Raises ResultsError if no files can be put into a folder, or into the one to make it in."""
    check_place(folder, flag)
    if not is_writable(folder):
        raise _refusal(folder, "can't be written to", flag)


def check_place(folder: pathlib.Path, flag: str = "--out") -> None:
    """Raises ResultsError if there is no folder of that name and there can't be one, or none for
    results and checkpoints.

    Args:
      flag: that names another.
    """
    whole = folder.absolute()
    try:
        size = len(str(whole).encode())
    except UnicodeEncodeError as error:  # files below it hold paths as text
        raise _refusal(whole, "is no path in UTF-8", flag) from error
    if size > os.pathconf("/", "PC_PATH_MAX") - BELOW:
        raise _refusal(folder, "is too long for a path with results below it", flag)
    for path in (whole, *whole.parents):
        where = "" if path == whole else f"lies below {path}, which "
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError) as error:
            if path.is_symlink():
                raise _refusal(folder, f"{where}is a link that leads nowhere", flag) from error
            continue
        except OSError as error:  # a name that is too long, links in a circle, a closed folder
            raise _refusal(folder, f"can't be used: {error.strerror}", flag) from error
        if not stat.S_ISDIR(mode):
            kind = "a file" if stat.S_ISREG(mode) else "no folder"
            raise _refusal(folder, f"{where}is {kind}", flag)
        return


def _refusal(folder: pathlib.Path, why: str, flag: str = "--out") -> ResultsError:
    name = str(folder)
    shown = name if len(name) <= 500 else f"{name[:100]} ..."
    return ResultsError(f"{shown}: {why}; choose another folder with {flag}")


def is_complete(folder: pathlib.Path) -> bool:
    """Whether a folder holds results to the end, if nothing of them is damaged."""
    return (folder / PROVENANCE).exists() and (folder / PROGRESS).exists()


def is_writable(folder: pathlib.Path) -> bool:
    """Whether files can be made in a folder or, if there is none, in the nearest one above."""
    # Trying is the only test that also holds for root and for read-only mounts.
    try:
        nearest = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
        with tempfile.TemporaryFile(dir=nearest):
            return True
    except OSError:
        return False


def _is_stored(folder: pathlib.Path, digest: str) -> bool:
    """Whether finished results vouch for a configuration of this digest."""
    try:
        both = provenance.read_both(folder)
        return provenance.is_sealed(both) and both["config"].get("digest") == digest
    except ResultsError:
        return False


def _check_same(folder, config, digest, how, grows) -> None:
    """Raises ResultsError if the results in a folder are not known to be this configuration's."""
    stored, progress = read_config(folder), _read_dict(folder / PROGRESS)
    found = stored.get("digest", "unknown")
    if digest in (found, _digest_of(progress)) or grows(stored):  # either may be damaged
        return
    names = {"digest", *how}
    old, new = ({k: v for k, v in c.items() if k not in names} for c in (stored, config))
    lines = differences(old, json.loads(json.dumps(new))) if old else []
    raise ResultsError(
        f"{folder}: holds results of another configuration ({found}, this one is {digest}"
        f"{''.join(f'; {line}' for line in lines)}); choose another folder with --out"
    )


def read_config(folder: pathlib.Path) -> dict[str, Any]:
    """The configuration that a folder is claimed for, its digest with it; empty if none can be
    read.
    """
    return _read_dict(folder / CONFIG)


def _read_dict(path: pathlib.Path) -> dict[str, Any]:
    try:
        return untrusted.read_dict(path)
    except (OSError, ResultsError):
        return {}


def _digest_of(progress: Mapping[str, Any]) -> str | None:
    facts = progress.get("facts")
    return facts.get("digest") if isinstance(facts, dict) else None
