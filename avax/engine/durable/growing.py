"""Results that grow: the runs that are done stay, at their places in the larger sweep."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

from avax import struct
from avax.engine.progress import say
from avax.engine.width import known_width
from avax.results import grow as grown_files
from avax.results import store
from avax.sweeps import adaptive, growth, stacking, tables
from avax.sweeps.sweep import Sweep


def most_runs(config: Sweep) -> list[int]:
    """The most runs at a time of each structure."""
    return [adaptive.most_runs(config, len(group)) for group in stacking.groups(config)]


def are_widths(found: Any, most: list[int]) -> bool:
    """Whether something that a file says can be the tile width of each structure."""
    if not isinstance(found, list) or len(found) != len(most):
        return False
    return all(type(w) is int and 1 <= w <= n for w, n in zip(found, most, strict=True))


def widths(config: Sweep, part: Sweep, found: Any) -> list[int] | None:
    """The tile width of each structure of a sweep, of which a part was run with the widths `found`:
    as configured, or as `auto` chose it then. None if it chose none that could be.
    """
    most = most_runs(config)
    if config.tile_width != "auto":
        return [known_width(config.tile_width, n) for n in most]
    if not are_widths(found, most_runs(part)):
        return None
    # Structures that are new take the widest: what they would be measured at, nobody knows.
    own = dict(zip(growth.structures(part, config), found, strict=True))
    return [own.get(i, min(max(found), n)) for i, n in enumerate(most)]


def part_widths(config: Sweep, part: Sweep, found: Any) -> list[int] | None:
    """Those that the structures of the part would go on with."""
    of_all = widths(config, part, found)
    return of_all and [of_all[i] for i in growth.structures(part, config)]


def hint(config: Sweep, part: Sweep, found: Any) -> str:
    """The flag that lets the part go on with the tile widths that it has; nothing if none does."""
    if not are_widths(found, most_runs(part)):
        return ""
    asked = dataclasses.replace(config, tile_width=str(max(found)))
    same = part_widths(asked, part, found) == found
    return f"; --tile-width {max(found)} goes on with them" if same else ""


def grow(folder: pathlib.Path, config: Sweep, part: Sweep, before: Mapping[str, Any]) -> None:
    """Makes a claimed folder that of a larger sweep; says how many of its runs are there.

    Args:
      part: the sweep whose results the folder holds.
      before: what `progress_file.read` said of them, checked.

    Raises:
      ResultsError: if it can't be written to.
    """
    facts = before["facts"]
    old = store.Writer(folder, tables.empty_dataset(part), facts, before, say)
    runs, metrics = old.kept_metrics()
    most = "at most " if config.trace else ""
    line = f"{len(runs)} of {most}{growth.num_runs(config)} runs are there"
    say(f"{folder}: {line}, {growth.change(part, config)}")
    of_all = widths(config, part, facts["tile_width"])
    grown_files.grow(
        folder,
        {"digest": config.digest(), **struct.to_dict(config)},
        tables.empty_dataset(config),
        {**facts, "digest": config.digest(), "tile_width": of_all},
        growth.places(part, config)[runs],
        metrics,
    )
