"""Both ends of every script: the paths that it is given, and the lines that it prints. Imports no
JAX.
"""

from __future__ import annotations

import argparse
import io
import pathlib
import sys
from typing import NoReturn

from avax.results.untrusted import printable


class Parser(argparse.ArgumentParser):
    """Ends in one line and status 2 on any mistake."""

    def error(self, message: str) -> NoReturn:
        fail(message)


def fail(message: str) -> NoReturn:
    """One line on standard error, exit status 2."""
    print(f"error: {printable(' '.join(message.split()))}", file=sys.stderr)
    sys.exit(2)


def print_anything() -> None:
    """From now on, what the encoding of standard output or error lacks is shown as Python writes
    it: a run of an hour must not end for want of a letter.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def path(text: str) -> pathlib.Path:
    """The type of an argument that names a file or a folder."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("must name a file or a folder")
    return pathlib.Path(text)
