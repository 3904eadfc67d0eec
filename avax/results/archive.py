"""Reduced tables: what figures and claims read of an experiment, in one zip file. Imports no JAX.

The file is a zarr store with a group for each part of the experiment, so that
`xarray.open_zarr(zarr.storage.ZipStore(path, mode="r"), group=part)` opens it as well as
`avax.load`; the attributes of a group are the configuration and the provenance. It may come from
anybody: it is looked through before it is decoded, and nothing in it is run.
"""

from __future__ import annotations

import io
import json
import math
import os
import pathlib
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from avax.results import provenance, store_check, untrusted
from avax.results.untrusted import ResultsError, is_name

TABLES = "tables.zarr.zip"
STORE = "metrics.zarr"
DEPTH = 2  # of a part below the folder of its experiment
MAX_FACTS = 2**20  # bytes of a configuration and a provenance
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
STAMP = (1980, 1, 1, 0, 0, 0)  # of all files, so that equal results are equal bytes
Facts = dict[str, dict[str, Any]]


def locate(folder: pathlib.Path) -> tuple[pathlib.Path, str] | None:
    """The file of reduced tables that a folder has or, if it holds nothing of its own, lies below,
    and the name of the part that it stands for; None if there is none.
    """
    if (folder / STORE).exists():
        return None
    for above in (folder, *folder.parents[:DEPTH]):
        if (above / TABLES).is_file():
            return above / TABLES, "/".join(folder.relative_to(above).parts)
    return None


def is_there(folder: pathlib.Path) -> bool:
    """Whether a folder holds results, whole or reduced, that may be loaded."""
    if found := locate(folder):
        return found[1] in parts(found[0])
    return (folder / STORE).is_dir()


def parts(path: pathlib.Path) -> list[str]:
    """The names of all parts in a file, "" for that of the experiment's own folder."""
    with _opened(path) as file:
        names = set(file.namelist())
    above = ("/".join(n.split("/")[:-2]) for n in names if n.endswith("/zarr.json"))
    return sorted({n for n in above if f"{n}/zarr.json".removeprefix("/") in names})


def read(path: pathlib.Path, part: str, most: int = 0) -> tuple[dict[str, bytes], Facts]:
    """The files of one part's zarr store by their path in it, looked through, and the part's
    configuration and provenance.

    Args:
      most: bytes that its arrays may have, beyond what is usual for the size of the file.

    Raises:
      ResultsError: naming the file and the part, if it is not there or not as avax writes it.
    """
    with _opened(path) as file:
        infos = {info.filename: info for info in file.infolist()}
        if len(infos) < len(file.infolist()):
            raise ResultsError(f"{path}: can't be read: has two files of one name")
        prefix = f"{part}/" if part else ""
        try:
            return _read_part(path, file, infos, prefix, most)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
            raise ResultsError(f"{path}: can't be read: is damaged ({error})") from error


def _read_part(
    path: pathlib.Path,
    file: zipfile.ZipFile,
    infos: Mapping[str, zipfile.ZipInfo],
    prefix: str,
    most: int,
) -> tuple[dict[str, bytes], Facts]:
    def take(name: str, limit: int) -> bytes:
        info = infos[f"{prefix}{name}"]
        if info.file_size > limit or info.compress_type not in PACKED or info.flag_bits & 1:
            raise ResultsError(f"{path}/{prefix}{name}: can't be read: is not as avax writes it")
        return file.read(info)

    def take_dict(name: str, limit: int = MAX_FACTS) -> dict[str, Any]:
        found = untrusted.parse_json(take(name, limit), f"{path}/{prefix}{name}")
        if not isinstance(found, dict):
            raise ResultsError(f"{path}/{prefix}{name}: can't be read: holds no names")
        return found

    here = f"{path}/{prefix}".rstrip("/")
    if f"{prefix}zarr.json" not in infos:
        raise ResultsError(f"{here}: there is no such part")
    facts = _facts_of(here, take_dict("zarr.json"))
    names, _ = provenance.arrays_of(facts)
    if not isinstance(names, list) or not all(map(is_name, names)):
        raise ResultsError(f"{here}: can't be read: does not say which arrays it has")
    if missing := [name for name in names if f"{prefix}{name}/zarr.json" not in infos]:
        raise ResultsError(f"{here}: can't be read: lacks {missing[0]}")
    arrays = {n: store_check.array_of(f"{here}/{n}", take_dict(f"{n}/zarr.json")) for n in names}
    if sum(math.prod(array.grid) for array in arrays.values()) > store_check.MAX_CHUNKS:
        raise ResultsError(f"{here}: can't be read: has more than {store_check.MAX_CHUNKS} chunks")
    size = path.stat().st_size
    limit = max(most, store_check.MAX_BYTES, store_check.MAX_RATIO * size)
    store_check.check_size(here, arrays.values(), limit)
    files = {"zarr.json": json.dumps(store_check.GROUP).encode()}
    for name, array in arrays.items():
        files[f"{name}/zarr.json"] = json.dumps(array.about).encode()
        kind = array.about["data_type"]
        for chunk in array.chunks():
            if f"{prefix}{name}/{chunk}" in infos:
                at = f"{name}/{chunk}"
                files[at] = take(at, store_check.most_of(kind, array.items))
                store_check.check_chunk(f"{here}/{at}", files[at], kind, array.items)
    return files, facts


def _facts_of(here: str, about: Mapping[str, Any]) -> Facts:
    """The configuration and the provenance that are a group's attributes."""
    both = about.get("attributes")
    kinds = {name: x for name, x in about.items() if name != "attributes"}
    is_ours = kinds == {"zarr_format": 3, "node_type": "group"} and isinstance(both, dict)
    if not is_ours or {n: type(x) for n, x in both.items()} != dict(config=dict, provenance=dict):
        raise ResultsError(f"{here}: can't be read: is not as avax writes it")
    provenance.check(here, both)
    return both


def _opened(path: pathlib.Path) -> zipfile.ZipFile:
    """A zip file, held in memory."""
    try:
        found = zipfile.ZipFile(io.BytesIO(untrusted.read_file(path)))
    except OSError as error:
        raise ResultsError(f"{path}: can't be read: {error.strerror}") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        if isinstance(error, ResultsError):
            raise
        raise ResultsError(f"{path}: can't be read: is no zip file ({error})") from error
    if len(found.infolist()) > untrusted.MAX_FILES:
        raise ResultsError(f"{path}: can't be read: has more than {untrusted.MAX_FILES:,} files")
    return found


def write(path: pathlib.Path, files: Mapping[str, bytes]) -> None:
    """Writes a zip file; it appears whole or not at all, the same bytes for the same files.

    Raises:
      OSError: if it can't be written.
    """
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with zipfile.ZipFile(os.fspath(part), "x") as file:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, STAMP)
            # Arrays are compressed already.
            is_text = name.endswith("zarr.json")
            info.compress_type = zipfile.ZIP_DEFLATED if is_text else zipfile.ZIP_STORED
            file.writestr(info, files[name], compresslevel=9)
    part.replace(path)
