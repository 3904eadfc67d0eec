"""`avax.merge`: folders of one configuration that have some of the seeds each become one."""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from avax import results
from avax.engine.durable import keeper, lock
from avax.engine.durable.resume import COMMIT
from avax.engine.progress import say
from avax.results import PROGRESS, ResultsError, merging, roots, untrusted
from avax.results.folders import check_free, check_writable, claim
from avax.results.grow import grow, settle
from avax.sweeps.sweep import EXECUTION, stored_digest


class Merged(NamedTuple):
    """What is to be written, as `grow` takes it."""

    config: Mapping[str, Any]
    dataset: xr.Dataset
    facts: Mapping[str, Any]
    runs: np.ndarray
    metrics: Mapping[str, np.ndarray]
    about: Mapping[str, Any]


def merge(
    folders: Sequence[str | os.PathLike], out: str | os.PathLike, most: int = 0
) -> xr.Dataset:
    """Makes of several folders of finished results one, as a run of all their seeds leaves it. All
    parts of an experiment are merged; its figure is drawn by its command, which finds all done.

    Args:
      folders: of one configuration; their seeds follow each other without overlap, in any order.
        They stay as they are.
      out: a folder that is not there yet, or holds just that.
      most: bytes that the arrays of one of them may take; see `avax.load`.

    Returns:
      The results, of an experiment's first part.

    Raises:
      ResultsError: in one line, if they are no such folders, were run in ways that change bits, or
        `out` holds something else. Nothing is written then.
    """
    if isinstance(folders, (str, os.PathLike)):
        raise ResultsError(f"{folders}: is one folder, must be a list of folders")
    sources, out = [pathlib.Path(folder) for folder in folders], pathlib.Path(out)
    if not sources:
        raise ResultsError(f"{out}: there are no folders to merge into it")
    root = _root(sources, out)
    parts = root.parts if root else ("",)
    merged = {out / part: _merged([x / part for x in sources], most) for part in parts}
    if root:
        roots.check(root)
    places = list(dict.fromkeys([out, *merged]))
    for folder in places:
        _check_free(folder, merged.get(folder))
    with contextlib.ExitStack() as held:
        for folder in places:
            held.enter_context(lock.hold(folder))
        for folder in merged:
            settle(folder)
        todo = [folder for folder, content in merged.items() if not _is_there(folder, content)]
        if root:
            roots.claim(root)
        for folder in todo:
            claim(folder, *_own(merged[folder]))  # whose it is stands there at each moment
            part = folder.relative_to(out)
            keeper.copy([source / part for source in sources], folder)
            grow(folder, *merged[folder])
    return results.load(out / parts[0], max(most, 2 * merged[out / parts[0]].dataset.nbytes))


def _root(sources: Sequence[pathlib.Path], out: pathlib.Path) -> roots.Root | None:
    """The root of the experiment whose results all of them are; None if they are of none."""
    found = [roots.read(source) or {} for source in sources]
    first, *others = ((x.get("experiment"), x.get("parts")) for x in found)
    for source, other in zip(sources[1:], others, strict=True):
        if other != first:
            names = [x[0] or "no experiment" for x in (other, first)]
            of = " with other parts" if names[0] == names[1] else ""
            raise ResultsError(f"{source}: is of {names[0]}{of}, {sources[0]} of {names[1]}")
    name, parts = first
    if name is None:
        return None
    names = [name for part in parts if part for name in part.split("/")]
    if not parts or not all(map(untrusted.is_name, names)):
        raise ResultsError(f"{sources[0]}: names parts that can't be folders")
    choices = found[0].get("choices")
    return roots.Root(out, name, choices if isinstance(choices, dict) else {}, tuple(parts))


def _check_free(folder: pathlib.Path, content: Merged | None) -> None:
    """Raises ResultsError before a folder is made where it can't be, or in another's."""
    if content is None:
        check_writable(folder, "out")
    else:
        check_free(folder, *_own(content))


def _own(content: Merged) -> tuple:
    """Its configuration, as `claim` takes it."""
    config = {name: x for name, x in content.config.items() if name != "digest"}
    return config, content.config["digest"], EXECUTION


def _is_there(folder: pathlib.Path, content: Merged) -> bool:
    """Whether a folder holds just that; ResultsError if it holds other results."""
    names = (results.STORE, PROGRESS, results.PROVENANCE)
    if not any((folder / name).exists() for name in names):
        return False
    try:
        there = results.load(folder, 2 * content.dataset.nbytes)
        if results.fingerprint(there) == results.fingerprint(content.dataset):
            return True
    except ResultsError:
        pass
    raise ResultsError(f"{folder}: holds other results; choose another folder")


def _merged(places: Sequence[pathlib.Path], most: int) -> Merged:
    """The results in some folders, as one run's.

    Raises:
      ResultsError: naming the folder, if they can't be.
    """
    found = [_read(place, most) for place in places]
    for source in found if len(found) > 1 else ():
        if source.config.get("design") == "balanced":
            raise ResultsError(
                f"{source.folder}: can't be merged: its design is balanced over its own pool of "
                "bases; run all the seeds in one folder"
            )
    sources = sorted(found, key=lambda x: x.seeds.start)
    first = sources[0]
    for before, source in itertools.pairwise(sources):
        merging.check_alike(first, source, EXECUTION, COMMIT)
        merging.check_next(before, source)
        pair = [str(x.facts.get(COMMIT)) for x in (first, source)]
        if len(set(pair)) > 1:
            say(f"{source.folder}: was run by the code of commit {pair[1]}, not of {pair[0]}")
    dataset, runs = merging.stacked(sources)
    config = {**first.config, "num_seeds": dataset.sizes["seed"]}
    digest = stored_digest(config)
    metrics = {str(name): merging.rows(array)[runs] for name, array in dataset.items()}
    about = merging.provenance([source.dataset.attrs["provenance"] for source in sources])
    facts = {**first.facts, "digest": digest}
    return Merged({"digest": digest, **config}, dataset, facts, runs, metrics, about)


def _read(place: pathlib.Path, most: int) -> merging.Source:
    """Results whose digest is that of this version; ResultsError if they can't be merged."""
    source = merging.read(place, most)
    if source.digest != stored_digest(source.config):
        raise ResultsError(f"{place}: can't be merged: its digest is not that of its configuration")
    return source
