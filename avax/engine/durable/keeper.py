"""Trained policies, written beside the results that they belong to."""

from __future__ import annotations

import math
import pathlib
import shutil
from collections.abc import Iterable

import jax
import numpy as np
import xarray as xr

from avax.engine.bases import base_shapes
from avax.engine.cluster import hosts
from avax.engine.durable import checkpoint
from avax.loop import Experiment
from avax.results import ResultsError, one_line, untrusted
from avax.results.folders import POLICIES
from avax.sweeps import design, tables
from avax.sweeps.sweep import Sweep
from avax.types import Policy

MAX_BYTES = 10**8  # that `auto` keeps
MAX_RUNS = 1000  # of a checkpoint: what it says of them must not be too much to be read


class Keeper:
    """Writes trained policies, those of some runs at a time, each batch a checkpoint of its own."""

    def __init__(self, out: pathlib.Path, config: Sweep, keep: str, goes_on: bool):
        """
        Args:
          out: the folder of the results.
          keep: `last`, `none` or `all`.
          goes_on: whether the folder's results are continued; else what is kept there is removed.
        """
        self._folder, self._labels = out / POLICIES, tables.run_labels(config)
        rounds = list(range(config.base.num_rounds + 1))
        self._rounds = {"last": rounds[-1:], "all": rounds, "none": []}[keep]
        self._waiting: list[tuple[np.ndarray, Policy]] = []
        if hosts.is_first() and not goes_on:
            shutil.rmtree(self._folder, ignore_errors=True)

    def put(self, runs: np.ndarray, policies: Policy | None) -> None:
        """Takes the policies of runs given by flat index; leading axes: runs, kept rounds."""
        if policies is not None:
            self._waiting.append((runs, policies))

    def flush(self) -> None:
        """Writes what was taken; ResultsError if that can't be done."""
        if not self._waiting:
            return
        runs, policies = zip(*self._waiting, strict=True)
        stacked = jax.tree.map(lambda *each: np.concatenate(each), *policies)
        runs = np.concatenate(runs)
        for start in range(0, len(runs), MAX_RUNS):
            part = slice(start, start + MAX_RUNS)
            self._write(runs[part], jax.tree.map(lambda x, part=part: x[part], stacked))
        self._waiting.clear()

    def _write(self, runs: np.ndarray, policies: Policy) -> None:
        sizes = [len(values) for values in self._labels.values()]
        labels = [
            [values[i] for values, i in zip(self._labels.values(), place, strict=True)]
            for place in np.stack(np.unravel_index(runs, sizes), 1).tolist()
        ]
        facts = {"dims": list(self._labels), "rounds": self._rounds, "labels": labels}
        number = max((int(path.name) for path in batches(self._folder)), default=-1) + 1
        checkpoint.save(self._folder / f"{number:06}", policies, facts)


def what_to_keep(config: Sweep, experiment: Experiment) -> str:
    """`last`, `none` or `all`: for `auto` the last, if they are not too large.

    Args:
      experiment: one of the settings; the policies of all have the same sizes.
    """
    if config.keep_policies != "auto":
        return config.keep_policies
    return "last" if bytes_of_last(config, experiment) <= MAX_BYTES else "none"


def bytes_of_last(config: Sweep, experiment: Experiment) -> int:
    """What the policies of all runs take after a round, if all bases are admitted."""
    shapes = jax.tree.leaves(base_shapes(config, experiment))
    one = sum(x.dtype.itemsize * math.prod(x.shape[2:]) for x in shapes)
    return one * design.most_per_setting(config) * math.prod(config.shape)


def copy(sources: Iterable[pathlib.Path], out: pathlib.Path) -> None:
    """Puts the policies that are kept in some folders of results into another one, in the place of
    those that it has.

    Raises:
      ResultsError: if they are no plain files, or can't be written.
    """
    place = out / POLICIES
    try:
        shutil.rmtree(place, ignore_errors=True)
        found = [batch for source in sources for batch in _plain_batches(source)]
        for number, batch in enumerate(found):
            shutil.copytree(batch, place / f"{number:06}")
            about = batch.with_name(f"{batch.name}.json")
            if about.exists():  # last: without it, a batch is not complete
                shutil.copyfile(about, place / f"{number:06}.json")
    except OSError as error:
        raise ResultsError(f"{place}: can't be written: {one_line(error)}") from error


def _plain_batches(folder: pathlib.Path) -> list[pathlib.Path]:
    untrusted.check_no_links(folder, [POLICIES])
    return batches(folder / POLICIES)


def run_dims(dataset: xr.Dataset) -> list[str]:
    """The dimensions of a sweep's runs: its axes and the seed."""
    dims = list(map(str, dataset.diverged.dims))
    return dims[: dims.index("round")]


def batches(folder: pathlib.Path) -> list[pathlib.Path]:
    """The checkpoints in a folder of policies, in the order in which they were written."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name.isdecimal())
