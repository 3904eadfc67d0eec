"""What a worker process of a cluster does: whole tiles, with the bits of the driver's own.

It is one of as many on its machine as there are cores, or GPUs, and has one device.
"""

from __future__ import annotations

import functools
import os
import pathlib
import socket
import zlib
from typing import Any, NamedTuple

import jax

from avax.engine import platform
from avax.engine.segments import Outcome, Run
from avax.engine.width import check_memory
from avax.fields import ConfigError
from avax.results.compare import differences

_runs: dict[Any, Run] = {}  # what this process has compiled, by structure


class Setup(NamedTuple):
    """How tiles are to be run, and what their bits depend on besides their members."""

    width: int
    optimization: int
    backend: str  # as `jax.default_backend()` names it
    xla_flags: str
    facts: dict[str, Any]
    keep: str  # which policies are sent back: `last`, `none` or `all`


def setup_here(width: int, optimization: int, keep: str = "none") -> Setup:
    """The set-up that gives the bits which tiles of this process would have."""
    flags = os.environ.get("XLA_FLAGS", "")
    return Setup(width, optimization, jax.default_backend(), flags, facts(), keep)


def facts() -> dict[str, Any]:
    """What has to be the same in all processes whose bits are to be."""
    return {
        "versions": platform.versions(),
        "device": platform.device_kind(),
        "code": code_digest(),
    }


@functools.cache  # of the code that is loaded now, not of what the files become
def code_digest() -> str:
    """8 hexadecimal digits that name the source of the package."""
    checksum = 0
    for path in sorted(pathlib.Path(__file__).parents[1].rglob("*.py")):
        checksum = zlib.crc32(path.read_bytes(), checksum)
    return f"{checksum:08x}"


def pack(members: tuple) -> tuple:
    """(experiments, bases, keys, eval_keys) as NumPy arrays: JAX's own start a backend where they
    arrive.
    """
    experiments, bases, *keys = members
    return jax.device_get((experiments, bases, *map(jax.random.key_data, keys)))


def run_tile(setup: Setup, tile: tuple) -> Outcome:
    """What is left of a tile, all rounds of it; programs are compiled once in a process.

    Args:
      tile: `width` members, packed.

    Raises:
      ConfigError: if this process would give other bits, or the tile doesn't fit in its memory.
    """
    configure(setup.xla_flags, setup.backend)
    if changed := differences(setup.facts, facts()):
        raise ConfigError(f"a worker on {socket.gethostname()} differs: {'; '.join(changed)}")
    experiments, bases, *keys = tile
    members = experiments, bases, *map(jax.random.wrap_key_data, keys)
    unit = (jax.local_devices()[0],)
    shapes = tuple((x.shape, str(x.dtype)) for x in jax.tree.leaves(tile))
    key = jax.tree.structure(tile), shapes, setup.optimization
    if key not in _runs:
        run = Run(members, setup.width, setup.optimization)
        run.compile_all([unit])
        check_memory(run, unit)
        _runs[key] = run
    return _runs[key].outcome(unit, members, setup.keep)


@functools.cache  # once JAX has started, nothing of this can be changed
def configure(xla_flags: str, backend: str) -> None:
    """Sets this process up as one worker among as many as the machine has cores."""
    os.environ["XLA_FLAGS"] = xla_flags
    if backend == "cpu":
        jax.config.update("jax_platforms", "cpu")
    platform.configure(num_processes=platform.num_cores())
