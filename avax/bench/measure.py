"""Times all contestants in turn, so that a change of the machine's speed hits them alike."""

from __future__ import annotations

import contextlib
import pathlib
import platform as system
from typing import Any

import jax
import numpy as np

from avax.bench import peer, steps
from avax.bench.steps import WIDTHS, Contestant
from avax.engine import platform
from avax.engine.progress import say


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = models[0] if models else system.processor()
    return {"cores": platform.num_cores(), "processor": name, "device": str(jax.devices()[0])}


def steps_of(size: steps.Size, stack: contextlib.ExitStack) -> list[Contestant]:
    """Everybody who trains or generates at one size, and the bare chains of products."""
    num_devices = len(jax.local_devices())
    counts = sorted({1, num_devices})
    found = [steps.chain(size, num_devices, padded=padded) for padded in (True, False)]
    for work in ("train", "generate"):
        found += [steps.contestant(size, work, w, n) for n in counts for w in WIDTHS]
    if peer.is_installed():
        for processes, threads in ((1, num_devices), (num_devices, 1)):
            torch = peer.Peer(size, processes, threads)
            stack.callback(torch.close)
            found += [torch.contestant(work) for work in ("train", "generate")]
    return found


def steps_table(contestants: list[Contestant], repeats: int) -> list[dict[str, Any]]:
    """The facts of each contestant with the median, least and most seconds of a unit of work."""
    times: list[list[float]] = [[] for _ in contestants]
    for one in contestants:
        one.seconds()
    for _ in range(repeats):
        for one, seconds in zip(contestants, times, strict=True):
            seconds.append(one.seconds())
    return [
        one.facts | {"median_s": float(np.median(t)), "least_s": min(t), "most_s": max(t)}
        for one, t in zip(contestants, times, strict=True)
    ]


def measure_steps(repeats: int, sizes: list[steps.Size]) -> dict[str, Any]:
    """Training, generation and the machine's limits at some sizes."""
    num_devices = len(jax.local_devices())
    rows = []
    for size in sizes:
        say(f"timing width {size.width}")
        with contextlib.ExitStack() as stack:
            # The peak is measured beside each size: the machine's speed drifts.
            contestants = [steps.gemm(1), *steps_of(size, stack)]
            rows += [{"size": size.width} | row for row in steps_table(contestants, repeats)]
    nominal = {size.width: size.nominal_flops() for size in sizes}
    return {"rows": rows, "nominal_flops": nominal, "devices": num_devices}
