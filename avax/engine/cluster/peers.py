"""A sweep's results where several processes run it: the first alone has them, and decides."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from avax.engine.cluster import hosts
from avax.engine.progress import say
from avax.results import store
from avax.sweeps import adaptive
from avax.sweeps.sweep import Sweep


class NoStore:
    """Stands for the store on a process that writes nothing, and so is given no metrics.

    Attributes:
      dataset: full of NaN.
      kept: bool[runs], which runs the first process has from before.
    """

    def __init__(self, dataset: xr.Dataset, kept: np.ndarray):
        self.dataset, self.kept = dataset, kept

    def put_kept(self, runs: np.ndarray) -> None:
        """Does nothing: the first process has their metrics."""

    def flush(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


def open_store(
    out: pathlib.Path,
    dataset: xr.Dataset,
    facts: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    before_flush: Callable[[], None],
) -> store.Writer | NoStore:
    """What takes the results of a sweep; the other processes are told which runs are kept.

    Args:
      dataset: of the sweep, full of NaN.
    """
    writer = None
    if hosts.is_first():
        writer = store.Writer(out, dataset, facts, before, say, before_flush=before_flush)
    kept = hosts.share(lambda: writer.kept.tolist())
    return writer or NoStore(dataset, np.array(kept, bool))


def batches(config: Sweep, dataset: xr.Dataset) -> Iterator[set[int]]:
    """`adaptive.batches` of the first process, which has the results that they depend on."""
    own = adaptive.batches(config, dataset)

    def ask():
        batch = next(own, None)
        return None if batch is None else sorted(batch)

    while (batch := hosts.share(ask)) is not None:
        yield set(batch)
