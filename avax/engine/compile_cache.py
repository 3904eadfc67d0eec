"""JAX's compile cache: what is damaged in it is replaced, and said in one line.

JAX alone warns of a damaged entry, compiles the program, and leaves the entry as it is: it does so
again at every start.
"""

from __future__ import annotations

import pathlib
import re
import warnings
import zlib

import jax

from avax.engine.progress import say

# What JAX warns of, with the name of the program that begins the names of its entries. It warns
# before it compiles the program, and writes an entry only where there is none.
PROBLEM = r"Error (reading|writing) persistent compilation cache entry for '(\w+)': (.*)"
ZSTD = b"\x28\xb5\x2f\xfd"  # begins what is packed by the other means that JAX may use
_said: set[str] = set()


def watch() -> None:
    """From now on, removes an entry that can't be read, so that JAX writes it anew, and the rest of
    one that couldn't be written. Says so once in a process.
    """
    show = warnings.showwarning
    if getattr(show, "is_ours", False):
        return

    def handle(message, *where, **more):
        if found := re.match(PROBLEM, str(message), re.DOTALL):
            mend(*found.groups())
        else:
            show(message, *where, **more)

    handle.is_ours = True
    warnings.filterwarnings("always", message=PROBLEM)  # of each program, not of the first
    warnings.showwarning = handle


def mend(verb: str, program: str, why: str) -> None:
    """Removes the damaged entries of a program; all of them if none is found to be damaged."""
    folder = pathlib.Path(jax.config.jax_compilation_cache_dir or "")
    entries = [path for path in folder.glob(f"{program}-*") if path.is_file()]
    damaged = [path for path in entries if is_damaged(path)]
    try:
        for path in damaged or (entries if verb == "reading" else []):
            path.unlink(missing_ok=True)
        end = "they are replaced"
    except OSError as error:
        end = f"they can't be removed: {error.strerror}"
    if verb in _said:
        return
    _said.add(verb)
    if verb == "reading":
        say(f"{folder}: compiled programs in it are damaged, {end}")
    else:
        say(f"{folder}: compiled programs can't be kept in it: {' '.join(why.split())}")


def is_damaged(path: pathlib.Path) -> bool:
    """Whether what JAX has packed can't be unpacked; unknown, and so false, if it isn't by zlib."""
    try:
        content = path.read_bytes()
        if content[:4] != ZSTD:
            zlib.decompress(content)
    except (OSError, zlib.error):
        return True
    return False
