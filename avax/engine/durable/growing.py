"""Results that grow: the runs that are done stay, at their places in the larger sweep."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

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


def too_few(config: Sweep, part: Sweep, found: Any) -> list[int]:
    """The structures of a part, by index, whose runs were fewer than a tile is to have. In a wider
    tile they are rounded in another way, so they are run again, as one run of all would have them.
    """
    most = most_runs(part)
    if not config.tile_width.isdigit() or not are_widths(found, most):
        return []
    sizes = zip(found, most, part_widths(config, part, found), strict=True)
    return [i for i, (old, runs, new) in enumerate(sizes) if old == runs < new]


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
    of_all, again = widths(config, part, facts["tile_width"]), _again(config, part, facts, runs)
    runs, metrics = runs[~again], {name: x[~again] for name, x in metrics.items()}
    most = "at most " if config.trace or config.base_criterion else ""
    line = f"{len(runs)} of {most}{growth.num_runs(config)} runs are there"
    more = f"; {again.sum()} that were fewer than a tile has now are run again" * bool(again.any())
    say(f"{folder}: {line}, {growth.change(part, config)}{more}")
    grown_files.grow(
        folder,
        {"digest": config.digest(), **struct.to_dict(config)},
        tables.empty_dataset(config),
        {**facts, "digest": config.digest(), "tile_width": of_all},
        growth.places(part, config)[runs],
        metrics,
    )


def _again(config: Sweep, part: Sweep, facts: Mapping[str, Any], runs: np.ndarray) -> np.ndarray:
    """bool[runs]: which runs of a part, by flat index, are run again: those of `too_few`."""
    groups = stacking.groups(part)
    few = [i for group in too_few(config, part, facts["tile_width"]) for i in groups[group]]
    settings = [twin for i in few for twin in part.same[i]]
    return np.isin(runs // part.num_seeds, settings)
