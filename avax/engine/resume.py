"""Whether what a folder holds can be continued: the same bits, or a refusal in one line."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import jax

from avax import results, store, struct
from avax.engine import lock, platform
from avax.engine.progress import say
from avax.engine.sweep import EXECUTION, Sweep
from avax.results import ResultsError

CHECKPOINTS = "checkpoints"  # of the tiles that are not done, below the folder of the results
MODES = ("auto", "never", "must")


def claim(sweeps: Mapping[pathlib.Path, Sweep], mode: str = "auto") -> contextlib.ExitStack:
    """Makes each folder the place of its sweep's results; no other process may, until closed.

    All folders are checked before anything is written.

    Args:
      mode: `auto` continues what the folders hold, `never` starts over, `must` refuses to start.

    Raises:
      ResultsError: naming the folder; nothing is held then.
    """
    about = {out: (struct.to_dict(s), s.digest(), EXECUTION) for out, s in sweeps.items()}
    for out, of_sweep in about.items():
        results.check_free(out, *of_sweep)
    if mode == "must" and not any(is_begun(out, store.read_progress(out)) for out in sweeps):
        listed = ", ".join(map(str, sweeps))
        raise ResultsError(f"{listed}: nothing to continue; leave out --resume must to start")
    with contextlib.ExitStack() as held:
        for out, of_sweep in about.items():
            held.enter_context(lock.hold(out))
            results.claim(out, *of_sweep)
            if mode == "never":
                store.forget(out)
                shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
        return held.pop_all()


def facts(config: Sweep, widths: list[int]) -> dict[str, Any]:
    """What the bits of a run depend on, ready for JSON."""
    spmd = config.placement == "spmd"
    return {
        "digest": config.digest(),
        "versions": platform.versions(),
        "device": jax.devices()[0].device_kind,
        "num_devices": len(jax.local_devices()) if spmd else "any",
        "placement": config.placement,
        "optimization": config.optimization,
        "tile_width": widths,
    }


def recorded_widths(config: Sweep, before: Mapping[str, Any] | None) -> list[int] | None:
    """The tile widths that `auto` chose when the runs in a folder were begun."""
    is_ours = before is not None and before["facts"].get("digest") == config.digest()
    return before["facts"]["tile_width"] if is_ours and config.tile_width == "auto" else None


def is_begun(folder: pathlib.Path, before: Mapping[str, Any] | None) -> bool:
    """Whether a folder has runs that are done, or tiles that are begun."""
    return before is not None and (bool(before["runs"]) or (folder / CHECKPOINTS).is_dir())


def check(
    folder: pathlib.Path, before: Mapping[str, Any] | None, now: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """What is to be continued in a folder, None if nothing is.

    Raises:
      ResultsError: if runs from now on would differ from those in the folder by rounding.
    """
    if not is_begun(folder, before):
        return None
    if changed := results.differences(before["facts"], now):
        raise ResultsError(
            f"{folder}: further runs would not have the bits of those in it: "
            f"{'; '.join(changed)}; --resume never starts over"
        )
    say(f"{folder}: {len(before['runs'])} runs were done before")
    return before
