"""Whole runs of the main job in processes of their own: scaling, memory, cold and warm start."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from avax.engine.progress import say

ROOT = pathlib.Path(__file__).parents[2]
SCALES = {8: (4, 2), 64: (8, 8), 256: (16, 16), 1024: (32, 32)}  # settings: FPRs x FNRs
# A base that has hardly learned takes as long.
SHORT = ("--base.num-rounds", "2", "--pretraining.num-updates", "200", "--base-criterion", "0")
ALONE = ("--num-seeds", "1", "--controls", "none")


def scaling() -> list[dict[str, Any]]:
    """Seconds a setting and peak memory of sweeps of 8 to 1024 settings, 2 rounds each."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        run(folder, "warm-up", 4, 2)  # compiles, and trains the base
        for num_settings, (fprs, fnrs) in SCALES.items():
            say(f"running {num_settings} settings")
            provenance, memory = run(folder, f"out-{num_settings}", fprs, fnrs)
            seconds = provenance["seconds"]["running"]
            row = {"settings": num_settings, "running_s": seconds, "peak_memory_bytes": memory}
            rows.append(row | {"s_a_setting": seconds / num_settings})
    return rows


def start() -> dict[str, Any]:
    """Import, pretraining and compilation of the main job, with an empty cache and again."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("cold", "warm"):
            say(f"{name} start")
            found[name] = run(folder, name, 4, 2)[0]["seconds"]
    return found


def run(folder: str, name: str, num_fprs: int, num_fnrs: int) -> tuple[dict[str, Any], int]:
    """The main job, short, on a grid of one base: its provenance when the map was done, with the
    import time, and peak memory.
    """
    out = pathlib.Path(folder) / name
    axes = f"--axes.fpr=log:0.001:1:{num_fprs}", f"--axes.fnr=0:0.9:{num_fnrs}"
    script = ROOT / "experiments" / "noise_phase_diagram.py"
    command = [sys.executable, script, *SHORT, *ALONE, *axes]
    paths = "--out", out, "--bases", pathlib.Path(folder) / "bases"
    process = subprocess.Popen(
        [str(word) for word in (*command, *paths)],
        env=os.environ | {"AVAX_CACHE_DIR": str(pathlib.Path(folder) / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the main job ended with status {process.returncode}")
    provenance = json.loads((out / "provenance.json").read_text())
    words = printed.split("import ")[-1].split()
    provenance["seconds"] |= {"import": float(words[0])}
    return provenance, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
