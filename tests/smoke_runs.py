"""Experiments as users start them, in their smallest form."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]
SCRIPT = ROOT / "experiments" / "noise_phase_diagram.py"
FILES = {"metrics.zarr", "config.json", "provenance.json", "figure.png", "figure.pdf"}
NOT_PRINTED = {"progress.json", "experiment.json", "policies"}


def start_script(folder, script, out, *argv) -> subprocess.CompletedProcess:
    bases = pathlib.Path(os.environ["AVAX_CACHE_DIR"]) / "bases"
    return subprocess.run(
        [sys.executable, script, "--preset", "smoke", "--out", out, "--bases", bases, *argv],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=1800,
    )
