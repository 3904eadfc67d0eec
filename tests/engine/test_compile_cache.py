"""A damaged compile cache: the same bits, one line, and nothing of it at the next start."""

from __future__ import annotations

import os
import pathlib
import random
import subprocess
import sys
import zlib

import jax
import pytest

from avax.engine import compile_cache

PROGRAMS = """
import zlib
from avax.engine import platform
platform.configure()
import jax
import jax.numpy as jnp
import numpy as np
from avax.engine.program import Program, compile_all
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
counts = {"hits": 0, "misses": 0}
def listen(event, **_):
    for name in counts:
        counts[name] += event.endswith("compilation_cache/cache_" + name)
jax.monitoring.register_event_listener(listen)
def first(x):
    return jnp.sin(x) @ jnp.cos(x).T
def second(x):
    return jnp.tanh(x).cumsum()
found = []
unit = (jax.devices()[0],)
for size in range(8, 12):  # of each, several entries
    for function in (first, second):
        member = (np.linspace(0, 1, 2 * size * size, dtype=np.float32).reshape(2, size, size),)
        program = Program(function, member, 2)
        compile_all([(program, unit)])
        found.append(program(unit, member))
found.append(jax.jit(first)(np.ones((5, 5), np.float32)))
bits = zlib.crc32(b"".join(np.asarray(x).tobytes() for x in found))
print(counts["hits"], counts["misses"], bits)
"""


def start(folder: pathlib.Path) -> tuple[int, int, str, list[str]]:
    """A process that compiles: its hits and misses in the cache, its bits, and what it says."""
    environ = {"AVAX_CACHE_DIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAMS],
        env={k: x for k, x in os.environ.items() if k != "XLA_FLAGS"} | environ,
        capture_output=True,
        text=True,
        check=True,
    )
    hits, misses, bits = done.stdout.split()
    return int(hits), int(misses), bits, done.stderr.splitlines()


def flip(content: bytes) -> bytes:
    changed = bytearray(content)
    bit = random.Random(content).randrange(8 * len(content))
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def empty(content: bytes) -> bytes:
    return b""


def foreign(content: bytes) -> bytes:
    return b"not packed by anybody"


def test_damaged_entries_are_replaced(tmp_path):
    """Each in another way, some not at all: those are left alone."""
    hits, misses, bits, said = start(tmp_path)
    assert misses > 8 and said == []
    entries = sorted(path for path in tmp_path.rglob("*-cache"))
    ways = (flip, cut, None, empty, foreign, flip)
    before, spared = {}, {}
    for i, path in enumerate(entries):
        before[path] = path.read_bytes()
        if (damage := ways[i % len(ways)]) is None:
            spared[path] = path.stat().st_mtime_ns
        else:
            path.write_bytes(damage(before[path]))
            assert path.read_bytes() != before[path] and compile_cache.is_damaged(path)

    hits, again, same_bits, said = start(tmp_path)
    (line,) = said
    assert line.endswith(": compiled programs in it are damaged, they are replaced")
    assert same_bits == bits and again == misses - len(spared) and hits == len(spared)
    assert {path: path.stat().st_mtime_ns for path in spared} == spared
    assert sorted(tmp_path.rglob("*-cache")) == entries
    assert not any(compile_cache.is_damaged(path) for path in entries)

    assert start(tmp_path) == (misses, 0, bits, [])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    monkeypatch.setattr(compile_cache, "_said", set())
    yield tmp_path
    jax.config.update("jax_compilation_cache_dir", before)


def test_an_entry_that_unpacks_but_is_no_program_goes_with_those_of_its_name(folder, capsys):
    for name in ("jit_f-1-cache", "jit_f-2-cache", "jit_g-1-cache"):
        (folder / name).write_bytes(zlib.compress(b"nothing that XLA knows"))
    compile_cache.mend("reading", "jit_f", "ValueError: nothing that XLA knows")
    assert [path.name for path in folder.iterdir()] == ["jit_g-1-cache"]


def test_what_cannot_be_written_leaves_nothing_and_is_said_once(folder, capsys):
    (folder / "jit_f-1-cache").write_bytes(zlib.compress(b"x" * 100)[:-1])
    (folder / "jit_f-2-cache").write_bytes(zlib.compress(b"x" * 100))
    for _ in range(2):
        compile_cache.mend("writing", "jit_f", "OSError: [Errno 28] No space left\non device")
    assert [path.name for path in folder.iterdir()] == ["jit_f-2-cache"]
    assert capsys.readouterr().err == (
        f"{folder}: compiled programs can't be kept in it: "
        "OSError: [Errno 28] No space left on device\n"
    )
