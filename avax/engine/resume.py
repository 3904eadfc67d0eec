"""Whether what a folder holds can be continued: the same bits, or a refusal in one line."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

import jax

from avax.engine import platform
from avax.engine.progress import say
from avax.engine.sweep import Sweep
from avax.results import ResultsError

CHECKPOINTS = "checkpoints"  # of the tiles that are not done, below the folder of the results


def facts(config: Sweep, commit: str, widths: list[int]) -> dict[str, Any]:
    """What the bits of a run depend on, and the commit that made it; ready for JSON."""
    spmd = config.placement == "spmd"
    return {
        "digest": config.digest(),
        "versions": platform.versions(),
        "device": jax.devices()[0].device_kind,
        "num_devices": len(jax.local_devices()) if spmd else "any",
        "placement": config.placement,
        "optimization": config.optimization,
        "tile_width": widths,
        "git_commit": commit,
    }


def recorded_widths(config: Sweep, before: Mapping[str, Any] | None) -> list[int] | None:
    """The tile widths that `auto` chose when the runs in a folder were begun."""
    return before["facts"]["tile_width"] if before and config.tile_width == "auto" else None


def holds_something(folder: pathlib.Path, before: Mapping[str, Any] | None) -> bool:
    """Whether a folder has runs that are done, or tiles that are begun."""
    return bool(before) and (bool(before["runs"]) or (folder / CHECKPOINTS).is_dir())


def check(
    folder: pathlib.Path, before: Mapping[str, Any] | None, now: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """What is to be continued in a folder, None if nothing is.

    Raises:
      ResultsError: if runs from now on would differ from those in the folder by rounding.
    """
    if not holds_something(folder, before):
        return None
    old, new = flat(before["facts"]), flat(now)
    changed = [f"{k}: {old.get(k)} -> {new.get(k)}" for k in new if old.get(k) != new.get(k)]
    commit = [line for line in changed if line.startswith("git_commit")]
    if other := [line for line in changed if line not in commit]:
        raise ResultsError(
            f"{folder}: its runs would get other bits than those done so far: "
            f"{'; '.join(other)}; --resume never starts over"
        )
    say(f"{folder}: continues, {len(before['runs'])} runs are done {' '.join(commit)}".rstrip())
    return before


def flat(node: Any, path: str = "") -> dict[str, Any]:
    """The values in nested mappings by their dotted path."""
    if not isinstance(node, Mapping):
        return {path: node}
    found: dict[str, Any] = {}
    for name, value in node.items():
        found |= flat(value, f"{path}.{name}" if path else name)
    return found
