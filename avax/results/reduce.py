"""Makes reduced tables of results: see `archive`. Imports no JAX."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping, Sequence

import xarray as xr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import MemoryStore

from avax.results import archive, provenance
from avax.results.dataset import ResultsError, encoded, fingerprint

# What no figure or claim is about: numbers of the optimizer.
OF_TRAINING = ("loss", "grad_norm")


def reduced(dataset: xr.Dataset, variables: Sequence[str] | None = None) -> xr.Dataset:
    """The same results with some of their variables alone; every number stays as it is.

    Args:
      variables: their names, those that results lack passed over; by default all but those of the
        optimizer.
    """
    names = [n for n in dataset.data_vars if n not in OF_TRAINING]
    if variables is not None:
        names = [n for n in dataset.data_vars if n in variables]
    kept = dataset[names]
    used = {dim for array in kept.data_vars.values() for dim in array.dims}
    return kept.drop_vars([n for n in kept.coords if not set(kept[n].dims) <= used])


def write(folder: pathlib.Path, datasets: Mapping[str, xr.Dataset]) -> pathlib.Path:
    """Writes the reduced tables of an experiment into a folder; returns the path.

    Args:
      datasets: by the names of the parts, as `load` returns them; they are written as they are.

    Raises:
      ResultsError: if that can't be done.
    """
    path, files = folder / archive.TABLES, {}
    for part, dataset in datasets.items():
        for name, content in _store_of(dataset).items():
            files[f"{part}/{name}" if part else name] = content
    try:
        folder.mkdir(parents=True, exist_ok=True)
        archive.write(path, files)
    except OSError as error:
        raise ResultsError(f"{path}: can't be written: {error.strerror}") from error
    return path


def _store_of(dataset: xr.Dataset) -> dict[str, bytes]:
    """The files of a zarr store with one chunk an array."""
    held: dict = {}
    store, compressors = MemoryStore(held), [ZstdCodec(level=19), Crc32cCodec()]
    chunks = {str(name): array.shape for name, array in dataset.data_vars.items()}
    encoding = encoded(dataset, chunks, compressors)
    how = {"mode": "w", "zarr_format": 3, "consolidated": False, "encoding": encoding}
    plain = dataset.reset_coords()  # else each array lists those without an axis of their own
    plain.drop_attrs(deep=False).to_zarr(store, **how)
    files = {name: content.to_bytes() for name, content in held.items()}
    names = sorted(map(str, dataset.variables))
    facts = dataset.attrs["config"], dataset.attrs["provenance"]
    sealed = provenance.seal(*facts, names, fingerprint(dataset))
    group = json.loads(files["zarr.json"])
    group = {name: group[name] for name in ("zarr_format", "node_type")}
    group["attributes"] = {"config": facts[0], "provenance": sealed}
    return {**files, "zarr.json": json.dumps(group).encode()}
