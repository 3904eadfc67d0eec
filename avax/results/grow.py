"""A folder of results that is to hold more runs: all of it is built aside, then takes the place of
what is there. A kill at any moment leaves the one or the other. Imports no JAX.
"""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from avax.results import store
from avax.results.checked_json import write_json
from avax.results.dataset import CONFIG, PROGRESS, PROVENANCE, STORE, ResultsError, one_line
from avax.results.dataset import finish as finish_results

GROWN = "grown"  # a folder in that of the results; of this name, it is complete
GROWING = f"{GROWN}.part"
# The configuration is the last: as long as it isn't there, the others may not be.
MOVED = (STORE, PROGRESS, PROVENANCE, CONFIG)


def grow(
    folder: pathlib.Path,
    config: Mapping[str, Any],
    dataset: xr.Dataset,
    facts: Mapping[str, Any],
    runs: np.ndarray,
    metrics: Mapping[str, np.ndarray],
    about: Mapping[str, Any] | None = None,
) -> None:
    """Makes a folder, which this process holds, that of a configuration of which some runs are
    done. What else lies in it stays, but for checkpoints.

    Args:
      config: with its digest.
      dataset: full of NaN, of the configuration.
      facts: what the bits of the runs depend on.
      runs: flat indices of those that are done, and their metrics.
      about: how the results came about, if they are finished.

    Raises:
      ResultsError: if it can't be written to.
    """
    part = folder / GROWING
    settle(folder)
    try:
        part.mkdir()
        writer = store.Writer(part, dataset, facts)
        writer.put(runs, metrics)
        writer.close()
        if about is None:
            write_json(part / CONFIG, config)
        else:
            finish_results(part, config, dataset, about)
        part.replace(folder / GROWN)
    except OSError as error:
        raise ResultsError(f"{folder}: can't be written to: {one_line(error)}") from error
    settle(folder)


def settle(folder: pathlib.Path) -> None:
    """Ends what a process that was killed began in a folder, which this one holds: what is built
    takes its place, what is not is removed.

    Raises:
      ResultsError: if that can't be done.
    """
    grown = folder / GROWN
    try:
        _remove(folder / GROWING)
        if (grown / STORE).exists():  # nothing was moved, and these are of fewer runs
            for name in (PROVENANCE, "checkpoints"):
                _remove(folder / name)
        if (grown / CONFIG).exists():
            for name in MOVED:
                if (grown / name).exists():
                    if (folder / name).is_dir():  # a file is replaced, and missing at no moment
                        shutil.rmtree(folder / name)
                    (grown / name).replace(folder / name)
        _remove(grown)
    except OSError as error:
        raise ResultsError(f"{folder}: can't be written to: {one_line(error)}") from error


def _remove(path: pathlib.Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
