"""Finished results of one configuration and several seeds, as one dataset. Imports no JAX."""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from avax.results import progress_file
from avax.results.compare import differences
from avax.results.dataset import PROGRESS, ResultsError, load, template


@dataclasses.dataclass(frozen=True)
class Source:
    """Finished results of some seeds.

    Attributes:
      config: without its digest, which is `digest`.
      facts: what the bits of the runs depend on.
      runs: flat indices of those that were run, i64[N].
    """

    folder: pathlib.Path
    digest: str
    config: Mapping[str, Any]
    facts: Mapping[str, Any]
    runs: np.ndarray
    dataset: xr.Dataset

    @property
    def seeds(self) -> range:
        """Its seeds."""
        return range(self.config["seed"], self.config["seed"] + self.config["num_seeds"])


def read(folder: pathlib.Path, most: int = 0) -> Source:
    """The results in a folder, with what a further run would have to know; see `load`.

    Raises:
      ResultsError: naming the folder, also if it doesn't hold that.
    """
    dataset, progress = load(folder, most), progress_file.read(folder)
    if progress is None:
        raise ResultsError(
            f"{folder}: there is no {PROGRESS} that says how its runs were done, or it is damaged"
        )
    config = dict(dataset.attrs["config"])
    digest, runs = config.pop("digest", None), np.array(sorted(map(int, progress["runs"])), int)
    source = Source(folder, digest, config, progress["facts"], runs, dataset)
    try:
        is_ours = (
            digest == source.facts["digest"]
            and dataset.seed.values.tolist() == list(source.seeds)
            and set(dataset.sizes) == set(dataset.indexes)
            and all(dataset[name].dims == ("seed",) for name in _of_bases(dataset))
            and len({_run_axes(array) for array in dataset.values()}) == 1
            and "seed" in _run_axes(array := next(iter(dataset.values())))
            and max(runs, default=0) < _num_runs(array)
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        is_ours = False
    if not is_ours:
        raise ResultsError(f"{folder}: can't be merged: is not as avax writes it")
    return source


def check_alike(one: Source, other: Source, how: Sequence[str], but: str) -> None:
    """Raises ResultsError if two results differ in more than their seeds and what changes no bit.

    Args:
      how: fields of a configuration that stand in the facts where they change bits.
      but: of the facts, one that may differ.
    """
    ours = {"seed", "num_seeds", *how}
    pair = ({n: x for n, x in s.config.items() if n not in ours} for s in (one, other))
    if changed := differences(*pair):
        raise ResultsError(
            f"{other.folder}: holds results of another configuration than {one.folder} "
            f"({'; '.join(changed)})"
        )
    pair = ({n: x for n, x in s.facts.items() if n not in ("digest", but)} for s in (one, other))
    if changed := differences(*pair):
        raise ResultsError(
            f"{other.folder}: was run in another way than {one.folder}: {'; '.join(changed)}"
        )
    if _layout(one.dataset) != _layout(other.dataset):
        raise ResultsError(f"{other.folder}: holds other arrays than {one.folder}")


def check_next(before: Source, after: Source) -> None:
    """Raises ResultsError if seeds don't follow those before them."""
    if after.seeds.start == before.seeds.stop:
        return
    seeds = [f"{x.seeds.start} to {x.seeds.stop - 1}" for x in (before, after)]
    what = "overlap" if after.seeds.start < before.seeds.stop else "don't follow"
    raise ResultsError(f"{after.folder}: its seeds {seeds[1]} {what} {seeds[0]} of {before.folder}")


def stacked(sources: Sequence[Source]) -> tuple[xr.Dataset, np.ndarray]:
    """The dataset of results that are alike and follow each other, and the flat indices of the
    runs in it that were run.
    """
    first = sources[0].dataset
    seeds = range(sources[0].seeds.start, sources[-1].seeds.stop)
    coords = {str(n): first[n].values.tolist() for n in first.indexes} | {"seed": seeds}
    shapes = {str(name): array.dims for name, array in first.items()}
    about = {str(n): a.description for n, a in first.items() if "description" in a.attrs}
    dataset, found = template(coords, shapes, about).assign_coords(_bases_of(sources)), []
    for source in sources:
        for name, array in source.dataset.items():
            dataset[name].loc[{"seed": list(source.seeds)}] = array
        array = next(iter(dataset.values()))
        axes = _run_axes(array)
        runs = np.arange(_num_runs(array)).reshape([array.sizes[x] for x in axes])
        own = np.array(source.seeds) - seeds.start
        found.append(runs.take(own, axes.index("seed")).ravel()[source.runs])
    return dataset, np.sort(np.concatenate(found))


def _bases_of(sources: Sequence[Source]) -> dict[str, xr.Variable]:
    """What is said of the bases of all sources, along their seeds."""
    of_each = {
        name: [x.dataset[name].variable for x in sources] for name in _of_bases(sources[0].dataset)
    }
    return {name: xr.Variable.concat(each, "seed") for name, each in of_each.items()}


def _of_bases(dataset: xr.Dataset) -> list[str]:
    """The coordinates that say something of the bases, and tell no runs apart."""
    return sorted(str(name) for name in set(dataset.coords) - set(dataset.indexes))


def rows(array: xr.DataArray) -> np.ndarray:
    """An array with one leading axis for the runs."""
    return array.values.reshape(_num_runs(array), *array.shape[len(_run_axes(array)) :])


def provenance(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How merged results came about: seconds and runs are added up, devices and the like listed."""
    merged = dict(found[0])
    for name in ("git_commit", "device", "engine"):  # the others are the same
        merged[name] = ", ".join(dict.fromkeys(str(x.get(name)) for x in found))
    seconds = [x.get("seconds") for x in found]
    parts = [x if isinstance(x, Mapping) else {} for x in seconds]
    lists = [x.get("left_out") for x in found]
    merged["left_out"] = [seed for x in lists if isinstance(x, list) for seed in x]
    merged["seconds"] = {name: _sum(x.get(name) for x in parts) for name in parts[0]}
    return merged | {"num_kept": _sum(x.get("num_kept") for x in found)}


def _sum(values: Iterable[Any]) -> float:
    return sum(x for x in values if isinstance(x, (int, float)))


def _run_axes(array: xr.DataArray) -> tuple[str, ...]:
    """The dimensions that tell runs apart; ValueError if it has no rounds."""
    return array.dims[: array.dims.index("round")]


def _num_runs(array: xr.DataArray) -> int:
    return math.prod(array.sizes[name] for name in _run_axes(array))


def _layout(dataset: xr.Dataset) -> tuple:
    """All but the metrics and the seeds."""
    coords = {n: x.values.tolist() for n, x in dataset.indexes.items() if n != "seed"}
    return coords, _of_bases(dataset), {name: (x.dims, x.dtype) for name, x in dataset.items()}
