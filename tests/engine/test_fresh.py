"""The same sweep in fresh processes, on all cores and on one: the same bits of everything."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
from tiny_runs import SCRIPT

from avax import results

CORES = sorted(os.sched_getaffinity(0))
METADATA = "_CHECKPOINT_METADATA"


def words(numbers: list[int]) -> str:
    return " ".join(map(str, numbers))


def play(folder: pathlib.Path, cores: list[int]) -> dict[str, object]:
    """Digests of the results, the base policies and every state of every tile of a sweep; nothing
    is left from an earlier process, not even a compiled program.
    """
    folder.mkdir()
    subprocess.run(
        [sys.executable, SCRIPT, "--out", "out", "--bases", "bases"],
        cwd=folder,
        env=os.environ
        | {"AVAX_CACHE_DIR": "cache", "TINY_STATES": "states", "TINY_CORES": words(cores)},
        check=True,
        timeout=300,
    )
    bases = sorted((folder / "bases").glob(f"*/{METADATA}"))
    data = results.load(folder / "out")
    return {
        "results": results.fingerprint(data),
        "bases": {p.parent.name: json.loads(p.read_text())["custom_metadata"] for p in bases},
        "states": sorted((folder / "states").read_text().splitlines()),
        "devices": data.attrs["provenance"]["device"].split()[0],
    }


@pytest.mark.slow
def test_fresh_processes_on_any_cores_have_the_same_bits(tmp_path):
    first = play(tmp_path / "first", CORES)
    second = play(tmp_path / "second", CORES)
    pinned = play(tmp_path / "pinned", CORES[-1:])
    assert first == second
    assert pinned.pop("devices") == "1" and first.pop("devices") == str(len(CORES))
    assert pinned == first
    assert len(first["states"]) == 3 * 7 == len(set(first["states"]))
    assert len(first["bases"]) == 1
