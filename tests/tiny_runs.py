"""The tiny sweep in processes of its own: started, ended, and what they leave."""

from __future__ import annotations

import os
import pathlib
import random
import subprocess
import sys

from avax import results
from avax.results import progress_file

SCRIPT = pathlib.Path(__file__).with_name("tiny_sweep.py")
SEED = int(os.environ.get("AVAX_TEST_SEED", random.randrange(10**6)))


def start(folder: pathlib.Path, out: str, *argv: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, SCRIPT, "--out", out, "--bases", "bases", *argv],
        cwd=folder,
        env=os.environ
        | {"AVAX_CACHE_DIR": str(folder / "cache"), "TINY_SEGMENTS": f"{folder / out}.segments"}
        | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen) -> tuple[int, str]:
    """Exit status and standard error; fails if the process hangs."""
    err = process.communicate(timeout=180)[1]
    return process.returncode, err


def bits(folder: pathlib.Path, out: str) -> str:
    """A digest of all results; the folder holds nothing that is left over."""
    left = {p.name for p in (folder / out).iterdir()}
    assert left == {
        *("metrics.zarr", "config.json", "provenance.json", "progress.json"),
        *("experiment.json", "figure.png", "figure.pdf", "policies"),
    }
    return bits_of(folder / out)


def bits_of(folder: pathlib.Path) -> str:
    return results.fingerprint(results.load(folder))


def rounds_done(out: pathlib.Path) -> int:
    """Rounds of all tiles that are in checkpoints or results."""
    progress = progress_file.read(out)
    done = 7 * len(progress["runs"]) // 2 if progress else 0
    saved: dict[str, int] = {}
    for path in out.glob("checkpoints/*/*"):
        if path.name.isdigit() and path.with_suffix(".json").exists():
            saved[path.parent.name] = max(saved.get(path.parent.name, 0), int(path.name))
    return done + sum(saved.values())
