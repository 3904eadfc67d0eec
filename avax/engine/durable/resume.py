"""Whether what a folder holds can be continued: the same bits, or a refusal in one line."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import jax

from avax import struct
from avax.engine import platform
from avax.engine.durable import growing, lock
from avax.engine.progress import say
from avax.engine.width import known_width
from avax.results import PROVENANCE, ResultsError, folders, progress_file, provenance, roots
from avax.results.compare import differences
from avax.results.grow import settle
from avax.sweeps import growth
from avax.sweeps.sweep import EXECUTION, Sweep

CHECKPOINTS = "checkpoints"  # of the tiles that are not done, below the folder of the results
COMMIT = "git_commit"  # of the facts, the one that is only warned of: most change no bit
MODES = ("auto", "never", "must")


def claim(
    sweeps: Mapping[pathlib.Path, Sweep], mode: str = "auto", root: roots.Root | None = None
) -> contextlib.ExitStack:
    """Makes each folder the place of its sweep's results; no other process may, until closed.

    All folders are checked before anything in them is changed. Results of a part of a sweep, fewer
    seeds or values on its axes, become its own.

    Args:
      mode: `auto` continues what the folders hold, `never` starts over, `must` refuses to start.
      root: the experiment that the sweeps are the parts of, and its folder.

    Raises:
      ResultsError: naming the folder, and what differs if further runs would not have the bits of
        those in it; nothing is held then.
    """
    about = {out: _about(config) for out, config in sweeps.items()}
    if root:
        roots.check(root)
    for out, of_sweep in about.items():
        folders.check_free(out, *of_sweep)
    if mode == "must" and not any(is_begun(out, progress_file.read(out)) for out in sweeps):
        listed = ", ".join(map(str, sweeps))
        raise ResultsError(f"{listed}: nothing to continue; leave out --resume must to start")
    with contextlib.ExitStack() as held:
        above = [root.folder] if root else []  # first: of two experiments one has it, or neither
        for out in dict.fromkeys([*above, *sweeps]):
            held.enter_context(lock.hold(out))
        for out in sweeps:
            settle(out)  # what was decided before
        for out, of_sweep in about.items():
            folders.check_free(out, *of_sweep)  # again: nobody else changes it now
        parts = {out: _part_in(out, config) for out, config in sweeps.items()}
        for out, config in sweeps.items():
            if mode != "never":
                _check(out, config, parts[out])
        if root:
            roots.claim(root, say)
        for out, config in sweeps.items():
            if mode == "never":
                progress_file.forget(out)
                shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
            before, part = progress_file.read(out), parts[out]
            if part and is_begun(out, before):
                growing.grow(out, config, part, before)
            folders.claim(out, *about[out])
        return held.pop_all()


def _about(config: Sweep) -> tuple:
    """What `folders.claim` is to know of a sweep."""
    fields, digest = struct.to_dict(config), config.digest()
    return fields, digest, EXECUTION, lambda stored: growth.part_of(config, stored) is not None


def _part_in(folder: pathlib.Path, config: Sweep) -> Sweep | None:
    """The part of a sweep, and not the whole, that a folder holds; None if it holds none."""
    stored = folders.read_config(folder)
    return None if stored.get("digest") == config.digest() else growth.part_of(config, stored)


def _check(folder: pathlib.Path, config: Sweep, part: Sweep | None) -> None:
    """Refuses what a folder holds of a sweep, or of its part, if it can't be gone on with."""
    before = progress_file.read(folder)
    if not is_begun(folder, before):
        return
    found = before["facts"].get("tile_width")
    widths = growing.part_widths(config, part, found) if part else known_widths(config, before)
    for i in growing.too_few(config, part, found) if part else ():
        widths[i] = found[i]  # they are run again
    now = facts(part or config, widths)
    old, new = ({k: v for k, v in f.items() if k != COMMIT} for f in (before["facts"], now))
    if changed := differences(old, new):
        hint = growing.hint(config, part, found) if part and widths != found else ""
        raise ResultsError(
            f"{folder}: further runs would not have the bits of those in it: "
            f"{'; '.join(changed)}{hint}; --resume never starts over"
        )
    if (commit := before["facts"].get(COMMIT)) != now[COMMIT]:
        say(
            f"{folder}: what is in it was run by the code of commit {commit}, this is "
            f"{now[COMMIT]}; --resume never starts over"
        )


def facts(config: Sweep, widths: list[int]) -> dict[str, Any]:
    """What the bits of a run depend on, ready for JSON."""
    spmd = config.placement == "spmd"
    return {
        "digest": config.digest(),
        "versions": platform.versions(),
        COMMIT: platform.git_commit(),
        "device": platform.device_kind(),
        "num_devices": len(jax.devices()) if spmd else "any",
        "placement": config.placement,
        "optimization": config.optimization,
        "tile_width": widths,
    }


def known_widths(config: Sweep, before: Mapping[str, Any] | None) -> list[int] | None:
    """The tile width of each structure: as configured, or as `auto` chose it for the runs that a
    folder holds; None if it is to be measured.
    """
    most = growing.most_runs(config)
    if config.tile_width == "auto":
        is_ours = before is not None and before["facts"].get("digest") == config.digest()
        found = before["facts"].get("tile_width") if is_ours else None
        return found if growing.are_widths(found, most) else None
    return [known_width(config.tile_width, n) for n in most]


def is_begun(folder: pathlib.Path, before: Mapping[str, Any] | None) -> bool:
    """Whether a folder has runs that are done, or tiles that are begun."""
    return before is not None and (bool(before["runs"]) or (folder / CHECKPOINTS).is_dir())


def begun(folder: pathlib.Path) -> Mapping[str, Any] | None:
    """What is to be continued in a claimed folder, None if nothing is; says what it finds."""
    before = progress_file.read(folder, say)
    if not is_begun(folder, before):
        return None
    say(f"{folder}: {len(before['runs'])} runs were done before")
    return before


def earlier_provenance(folder: pathlib.Path) -> Mapping[str, Any] | None:
    """What finished results say of how they came about; None if there are none, and None and a line
    if that is damaged.
    """
    if not (folder / PROVENANCE).exists():
        return None
    try:
        return provenance.read(folder)
    except ResultsError:
        say(f"{folder / PROVENANCE}: is damaged, written anew without what it said")
        return None
