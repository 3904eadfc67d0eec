"""Results as they come in: written run by run, and continued where a process was killed.

A run counts as done only if the arrays hold what `progress.json` says was written. Imports no JAX.
"""

from __future__ import annotations

import contextlib
import math
import pathlib
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
import zarr

from avax.results import progress_file
from avax.results.dataset import PROGRESS, PROVENANCE, STORE, ResultsError, one_line, write_store
from avax.results.store_check import read_chunk

MAX_BLOCKS = 32  # files an array is split into, along its first axis


class Writer:
    """Fills a dataset in memory and on disk; at most one flush in `every` seconds.

    Attributes:
      dataset: what was put in so far; runs kept from before are NaN until they are put in again.
      kept: bool[runs], which runs are on disk from before and undamaged.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        dataset: xr.Dataset,
        facts: Mapping[str, Any] | None = None,
        before: Mapping[str, Any] | None = None,
        say: Callable[[str], None] = lambda line: None,
        every: float = 5.0,
        before_flush: Callable[[], None] = lambda: None,
    ):
        """
        Args:
          dataset: full of NaN; the axes before `round` are those of the runs.
          facts: what the bits of the runs depend on, kept beside them.
          before: what `progress_file.read` said, to go on with the folder; None starts over.
          say: told in one line about every file that is damaged.
          before_flush: writes what else is kept of the runs, before they count as done.
        """
        self.dataset, self._every, self._before_flush = dataset, every, before_flush
        self._folder, self._facts, self._say = folder, dict(facts or {}), say
        arrays = {str(name): array for name, array in dataset.data_vars.items()}
        self._block = {n: -(-len(a) // MAX_BLOCKS) for n, a in arrays.items()}
        # What is on disk, with one leading axis for the runs.
        num_axes = {n: a.dims.index("round") for n, a in arrays.items()}
        self._shown = {n: a.values.reshape(-1, *a.shape[num_axes[n] :]) for n, a in arrays.items()}
        self._stored = {name: rows.copy() for name, rows in self._shown.items()}
        num_runs = len(next(iter(self._stored.values())))
        self.kept = np.zeros(num_runs, bool)
        self._checksums: dict[int, int] = {}
        self._rows = {n: num_runs // len(a) for n, a in arrays.items()}  # runs of a row
        self._dirty: set[int] = set()
        with self._disk():
            checksums = self._begin(before)
            group = zarr.open_group(folder / STORE, mode="r+")
            self._arrays = {name: group[name] for name in arrays}  # to open one takes 1 ms
        self._recover(checksums)
        self._flushed = time.monotonic()

    def put(self, runs: np.ndarray, metrics: Mapping[str, np.ndarray]) -> None:
        """Stores metrics (leading axis: the runs) of runs given by flat index over the run axes."""
        for name, values in metrics.items():
            self._stored[name][runs] = self._shown[name][runs] = values
            self._dirty.update((runs // self._rows[name]).tolist())
        self._checksums |= {int(run): self._checksum(run) for run in runs}
        if time.monotonic() - self._flushed > self._every:
            self.flush()

    def put_kept(self, runs: np.ndarray) -> None:
        """Puts in runs that are kept from before."""
        for name, rows in self._stored.items():
            self._shown[name][runs] = rows[runs]

    def kept_metrics(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The flat indices of the runs that are kept from before, and their metrics."""
        runs = np.flatnonzero(self.kept)
        return runs, {name: rows[runs] for name, rows in self._stored.items()}

    def flush(self) -> None:
        """Brings the store up to date.

        Raises:
          ResultsError: naming the path and the bytes needed.
        """
        self._before_flush()
        with self._disk():
            for name, rows in self._stored.items():
                size, per_row = self._block[name], self._rows[name]
                for first, last in stretches({row // size for row in self._dirty}):
                    part = slice(first * size, (last + 1) * size)
                    runs = slice(part.start * per_row, part.stop * per_row)
                    shape = self.dataset[name].shape[1:]
                    self._arrays[name][part] = rows[runs].reshape(-1, *shape)
            progress_file.write(self._folder, self._facts, self._checksums)
        self._dirty.clear()
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Brings the store up to date, without runs from before that were not put in again."""
        for name, rows in self._stored.items():
            differs = (rows != self._shown[name]) & ~(np.isnan(rows) & np.isnan(self._shown[name]))
            runs = np.flatnonzero(differs.reshape(len(rows), -1).any(1))
            rows[runs] = np.nan
            self._dirty.update((runs // self._rows[name]).tolist())
            for run in runs.tolist():
                self._checksums.pop(run, None)
        self.flush()

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            path, needed = self._folder / STORE, sum(x.nbytes for x in self._stored.values())
            raise ResultsError(
                f"{path}: can't be written, needs {needed:,} bytes: {one_line(error)}"
            ) from error

    def _is_good(self, run: int, checksum: int) -> bool:
        return 0 <= run < len(self.kept) and self._checksum(run) == checksum

    def _checksum(self, run: int) -> int:
        found = 0
        for name in sorted(self._stored):
            found = zlib.crc32(self._stored[name][run].tobytes(), found)
        return found

    def _begin(self, before: Mapping[str, Any] | None) -> dict[int, int]:
        """Makes the store, or its metadata whole; the checksums of the runs in it."""
        chunks = {
            name: (self._block[name], *array.shape[1:])
            for name, array in self.dataset.data_vars.items()
        }
        store, fresh = self._folder / STORE, self._folder / f"{STORE}.part"
        write_store(self.dataset, fresh, chunks)
        if before is None or not store.is_dir():
            for name in (PROGRESS, PROVENANCE):
                (self._folder / name).unlink(missing_ok=True)
            shutil.rmtree(store, ignore_errors=True)
            fresh.replace(store)
            # Here already: what tiles that are begun now depend on.
            progress_file.write(self._folder, self._facts, self._checksums)
            return {}
        self._repair(store, fresh)
        shutil.rmtree(fresh)
        return {int(run): checksum for run, checksum in before["runs"].items()}

    def _repair(self, store: pathlib.Path, fresh: pathlib.Path) -> None:
        """Puts back files that hold no results: they are known. What else lies there stays."""
        files = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
        of_bases = self._of_bases()
        known = files | self._chunks() | of_bases
        inner = {folder for name in known for folder in name.parents}
        for path in sorted(store.rglob("*"), reverse=True):  # what is in a folder before it
            name = path.relative_to(store)
            if path.is_dir() and name in known:
                shutil.rmtree(path)
            elif path.is_file() and name in inner:
                path.unlink()
        names = (path.relative_to(store) for path in sorted(store.rglob("*")))
        strays = [str(name) for name in names if name.parent in inner and name not in known | inner]
        if strays:
            listed = ", ".join(strays[:3] + ["..."] * (len(strays) > 3))
            self._say(f"{store}: holds {listed}: not of these results, left as it is")
        for name in sorted(files):
            there, path = store / name, fresh / name
            is_data = name in self._chunks()
            if there.is_file() and (is_data or there.read_bytes() == path.read_bytes()):
                continue
            is_new = name in of_bases and not (self._folder / PROVENANCE).exists()
            if not is_new:  # results that grow began without it
                self._say(f"{there}: is {'damaged' if there.exists() else 'missing'}, put back")
            there.parent.mkdir(parents=True, exist_ok=True)
            path.replace(there)

    def _of_bases(self) -> set[pathlib.Path]:
        """Where what is known of the bases lies; it is not written where nothing is known."""
        names = (str(x) for x in self.dataset.coords if x not in self.dataset.dims)
        return {pathlib.Path(name, "c", "0") for name in names}

    def _chunks(self) -> set[pathlib.Path]:
        """Where the runs' metrics lie below the store, if they are not NaN."""
        num_blocks = {n: -(-len(a) // self._block[n]) for n, a in self.dataset.data_vars.items()}
        return {self._chunk(name, i) for name, n in num_blocks.items() for i in range(n)}

    def _chunk(self, name: str, block: int) -> pathlib.Path:
        return pathlib.Path(name, "c", str(block), *"0" * (self.dataset[name].ndim - 1))

    def _recover(self, checksums: Mapping[int, int]) -> None:
        """Reads what is on disk; runs whose files are damaged are not kept."""
        for name, rows in self._stored.items():
            array, per_row = self._arrays[name], self._rows[name]
            num_rows, size = array.shape[0], self._block[name]
            for i in range(-(-num_rows // size)):
                part = slice(i * size, min((i + 1) * size, num_rows))
                runs = slice(part.start * per_row, part.stop * per_row)
                path = self._folder / STORE / self._chunk(name, i)
                try:
                    if path.exists():  # else it holds nothing but NaN
                        read_chunk(path, "float32", math.prod(array.chunks))
                    rows[runs] = array[part].reshape(rows[runs].shape)
                except Exception:  # zarr raises many kinds for a damaged file
                    path.unlink(missing_ok=True)
                    self._dirty.update(range(part.start, part.stop))
                    self._say(f"{path}: is damaged")
        good = [run for run, checksum in checksums.items() if self._is_good(run, checksum)]
        self.kept[good] = True
        self._checksums = {run: checksums[run] for run in good}
        for name, rows in self._stored.items():
            left = ~self.kept & ~np.isnan(rows.reshape(len(rows), -1)).all(1)
            self._dirty.update((np.flatnonzero(left) // self._rows[name]).tolist())
            rows[~self.kept] = np.nan
        if lost := len(checksums) - len(good):
            self._say(f"{self._folder / STORE}: {lost} runs are not what was written, done again")


def stretches(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The first and the last of each unbroken stretch of whole numbers."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return found
