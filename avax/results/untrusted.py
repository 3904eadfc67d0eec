"""Files that somebody else may have made: read without being led out of their folder, without
waiting, and without growing beyond bounds in memory. Imports no JAX.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import stat
from collections.abc import Iterable, Iterator
from typing import Any

MAX_JSON = 2**24  # bytes of a file
MAX_NODES = 100_000  # lists and dicts in it; each takes many times its two characters
MAX_DEPTH = 50
MAX_FILES = 100_000  # below a folder
# Not blocked by a pipe, not led away by a link, should a file have been replaced since it was
# looked at; as far as the system has it.
NAMES = ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")
CAREFULLY = sum(getattr(os, name, 0) for name in NAMES)


class ResultsError(ValueError):
    """A folder that can't be read from or written to. The message is one line for a user."""

    def __str__(self) -> str:
        return printable(super().__str__())


def printable(text: str, most: int = 2000) -> str:
    """Text for one line of a terminal: what can't be printed there, such as the start of an escape
    sequence, is shown as Python writes it; what is beyond `most` characters is left out.
    """
    text = text if len(text) <= most else f"{text[:most]} ..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def is_name(text: Any) -> bool:
    """Whether a text can name an array, a dimension or an axis, and a file without harm."""
    pattern = r"(?!zarr\.json$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
    return isinstance(text, str) and bool(re.fullmatch(pattern, text))


def is_label(text: Any) -> bool:
    """Whether a text can stand in a figure: letters, digits, and signs that mean nothing there."""
    return isinstance(text, str) and bool(re.fullmatch(r"[\w .,:;+*/()=|-]{0,100}", text))


def read_file(path: pathlib.Path, most: int = MAX_JSON) -> bytes:
    """The content of a regular file.

    Raises:
      OSError: if there is none or it can't be opened.
      ResultsError: if it is a link, a pipe or the like, or has more than `most` bytes.
    """
    _check_regular(path, os.lstat(path).st_mode)
    opened = os.open(path, os.O_RDONLY | CAREFULLY)
    with open(opened, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ResultsError(f"{path}: can't be read: has more than {most:,} bytes")
    return content


def _check_regular(path: os.PathLike | str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = "a link" if stat.S_ISLNK(mode) else "no regular file"
        raise ResultsError(f"{path}: can't be used: is {kind}")


def read_json(path: pathlib.Path) -> Any:
    """What a JSON file holds.

    Raises:
      OSError: if there is none or it can't be opened.
      ResultsError: if it is no JSON, or larger, deeper or stranger than any that avax writes.
    """
    return parse_json(read_file(path), path)


def parse_json(content: bytes, path: os.PathLike | str) -> Any:
    """`read_json` of what was read from a path."""
    try:
        if content.count(b"[") + content.count(b"{") > MAX_NODES:
            raise ValueError("has too many lists")
        found = json.loads(content)
        _check_node(found)
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: can't be read: {error}") from error
    return found


def _check_node(node: Any, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise ValueError("is nested too deeply")
    if isinstance(node, str) and not node.isprintable():
        raise ValueError("holds text that can't be printed")
    if isinstance(node, dict):
        for name, value in node.items():
            _check_node(name)
            _check_node(value, depth + 1)
    elif isinstance(node, list):
        for value in node:
            _check_node(value, depth + 1)


def read_dict(path: pathlib.Path) -> dict[str, Any]:
    """`read_json` of a file that has to hold a dict."""
    found = read_json(path)
    if not isinstance(found, dict):
        raise ResultsError(f"{path}: can't be read: holds no names")
    return found


def regular_files(root: pathlib.Path) -> Iterator[tuple[pathlib.Path, os.stat_result]]:
    """All files at and below a path, which may be missing.

    Raises:
      ResultsError: at the first link, pipe or device, and if there are too many files.
    """
    todo, seen = [root], 0
    while todo:
        path = todo.pop()
        try:
            about = os.lstat(path)
        except FileNotFoundError:
            continue
        seen += 1
        if seen > MAX_FILES:
            raise ResultsError(f"{root}: can't be used: has more than {MAX_FILES:,} files")
        if stat.S_ISDIR(about.st_mode):
            todo += [path / name for name in os.listdir(path)]
        else:
            _check_regular(path, about.st_mode)
            yield path, about


def check_no_links(folder: pathlib.Path, names: Iterable[str]) -> None:
    """Raises ResultsError if something of these names in a folder is, or holds, a link, a pipe or
    a device: what is written there would go elsewhere, or nowhere.
    """
    for name in names:
        for _ in regular_files(folder / name):
            pass
