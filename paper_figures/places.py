"""One experiment's shipped runs in several folders, which differ in one thing, as in a learning
rate: each folder has a name for people, its place. Effects of claims take the place first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import xarray as xr


def split(
    datasets: tuple[xr.Dataset | None, ...], places: Iterable[str], number: int, prepare: Callable
) -> dict[str, Any]:
    """What is made of each folder's datasets, by place: of all folders, or of the first of them.

    Args:
      datasets: of all folders, one after another.
      number: datasets of a folder.
      prepare: takes them as arguments.
    """
    starts = range(0, len(datasets), number)
    pairs = zip(places, starts, strict=False)
    return {place: prepare(*datasets[i : i + number]) for place, i in pairs}


def everywhere(places: Iterable[str], effects: Mapping[str, Callable]) -> dict[str, Callable]:
    """Effects that take a place before the datasets, at each place."""
    return {
        ", ".join(filter(None, (place, name))): partial(effect, place)
        for place in places
        for name, effect in effects.items()
    }


def of(effect: Callable, *args: Any) -> Callable:
    """An effect that takes a place, these arguments and then the datasets."""
    return lambda place, *datasets: effect(place, *args, *datasets)


def in_all_folders(*parts: str) -> tuple[str, ...]:
    """Patterns of parts, of one folder and of several."""
    return (*parts, *(f"*/{part}" for part in parts))
