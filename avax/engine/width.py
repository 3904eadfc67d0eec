"""How many runs a device advances together: what fits in memory, and what is fastest."""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any

import jax
import numpy as np

from avax.engine import platform
from avax.engine.cluster import hosts
from avax.engine.program import Unit, own_device
from avax.engine.progress import Meter, say
from avax.engine.segments import Run
from avax.fields import ConfigError
from avax.types import Policy

AUTO_WIDTHS = (1, 2, 4, 8)


def choose_width(members: tuple, size: int, devices: list[jax.Device]) -> tuple[int, str]:
    """The tile width with the least time a run, of a few tried, and a line that says why.

    Some of the runs are given, stacked; `size` is the most that are run at a time.

    Measures one round of the real program on one device. Where the compiler's estimate of memory
    is known, widths that do not fit are left out. On an accelerator everything goes at once if it
    fits, else the half, and so on.
    """
    device = devices[0]
    is_cpu = device.platform == "cpu"
    if is_cpu:
        widths = [w for w in AUTO_WIDTHS if w <= max(1, -(-size // len(devices)))]
    else:
        widths = [-(-size // 2**i) for i in range(size.bit_length())]
    short = members[0].replace(num_rounds=1), *members[1:]
    measured: dict[int, float] = {}
    with Meter(len(widths), "tile widths measured", silent=not hosts.is_first()) as meter:
        for width in widths:
            with contextlib.suppress(ConfigError):  # it is too wide
                measured[width] = seconds_a_run(short, width, device)
            meter.add(1)
            if measured and not is_cpu:
                break
    if not measured:
        return 1, "auto: no tile width was found to fit in memory, trying 1"
    best = min(measured, key=measured.__getitem__)
    listed = ", ".join(f"{w}: {1e3 * s:.1f}" for w, s in measured.items())
    return best, f"auto: {best} (milliseconds a run and round at each width: {listed})"


def seconds_a_run(members: tuple, width: int, device: jax.Device) -> float:
    """How long a run takes in a tile, without compilation; ConfigError if that doesn't fit."""
    program, unit = Run(members, width), (device,)
    check_state(program, unit)
    check_memory(program, unit)
    tile = jax.tree.map(lambda x: x[np.arange(width) % len(x)], members)
    program(unit, tile)
    start = time.perf_counter()
    program(unit, tile)
    return (time.perf_counter() - start) / width


def fits(compiled: Any, device: jax.Device) -> bool:
    """Whether the compiler's estimate fits in the memory that the device may use."""
    needed, limit = memory_needed(compiled), platform.memory(device)
    return needed is None or limit is None or needed < limit


def memory_needed(compiled: Any) -> int | None:
    """Bytes that a program needs on each device, and some more, by the compiler's estimate."""
    sizes = compiled.memory_analysis()
    if sizes is None:
        return None
    total = sizes.temp_size_in_bytes + sizes.argument_size_in_bytes + sizes.output_size_in_bytes
    return int(total / 0.9)


def check_memory(run: Run, unit: Unit) -> None:
    """Raises ConfigError, with the widest tile that fits, if those of a compiled run don't."""
    compiled, device = run.programs()[0].compile(unit), own_device(unit)
    if not fits(compiled, device):
        raise refusal(run, device, memory_needed(compiled), "", "fits")


def check_bases(shapes: Policy, num_copies: int) -> None:
    """Raises ConfigError if base policies, and copies of one for all runs, fill the memory.

    Args:
      shapes: of all seeds and snapshots, stacked.
    """
    sizes = [math.prod(x.shape) * x.dtype.itemsize for x in jax.tree.leaves(shapes)]
    num_policies = math.prod(jax.tree.leaves(shapes)[0].shape[:2])
    needed = sum(sizes) * (1 + num_copies / num_policies)
    if needed > (limit := platform.host_memory()):
        raise ConfigError(
            "pretraining.model, pretraining.num_snapshots, base.num_bases, axes, num_seeds: "
            f"{num_policies} base policies and {num_copies} copies of one for the runs need "
            f"{needed / 1e9:.2f} GB, this machine has {limit / 1e9:.2f} GB; lower one of them"
        )


def check_state(run: Run, unit: Unit) -> None:
    """Raises ConfigError if not even what a run keeps from round to round fits in memory.

    To be found out before it is compiled: XLA may fail at sizes that no memory holds.
    """
    device = own_device(unit)
    sizes = [math.prod(x.shape) * x.dtype.itemsize for x in jax.tree.leaves(run.like)]
    needed = run.width * sum(sizes)
    limit = platform.memory(device)
    if limit is not None and needed > limit:
        raise refusal(run, device, needed, "at least ", "is the widest that can fit")


def refusal(run: Run, device: jax.Device, needed: int, at_least: str, verdict: str) -> ConfigError:
    """What to say of runs that need more bytes than a device may use."""
    limit = platform.memory(device)
    widest = run.width * limit // needed
    return ConfigError(
        f"{run.what} need {at_least}{needed / 1e9:.2f} GB on each device, which may use "
        f"{limit / 1e9:.2f} GB; "
        + (f"--tile-width {widest} {verdict}" if widest else "not even one run fits")
    )


def known_width(setting: str, num_runs: int) -> int | None:
    """The tile width that a setting gives; None if it is to be measured."""
    if setting == "auto":
        return None
    return num_runs if setting == "all" else min(int(setting), num_runs)


def measured_width(members: tuple, num_runs: int, devices: list[jax.Device]) -> int:
    """The tile width that `auto` chooses; says what it found.

    Args:
      members: some of the runs.
      num_runs: the most that are run at a time.
    """
    width, why = choose_width(members, num_runs, devices)
    say(f"tile width {why}")
    return width
