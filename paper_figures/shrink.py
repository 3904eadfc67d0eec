"""From a folder of results to what is shipped of it: `python -m paper_figures reduce RESULTS NAME`.

What figures and claims read, in one file of reduced tables, and the figures: at most 1 MB.
"""

from __future__ import annotations

import fnmatch
import pathlib
import shutil
from collections.abc import Mapping
from types import ModuleType

from avax import results
from avax.results import reduce
from paper_figures import command

MOST = 10**6  # bytes of all that is shipped of an experiment, figures included


def shrink(source: pathlib.Path, figure: ModuleType, target: pathlib.Path) -> list[pathlib.Path]:
    """Writes reduced tables of the results in one folder into another; returns the paths.

    Args:
      figure: the script that draws them. Its READS names the variables that it and its claims
        read, or says by name of which parts, as patterns; by default all are kept but those of the
        optimizer.

    Raises:
      ResultsError: if they can't be read or written, or the tables alone are more than MOST bytes.
    """
    command.check_whose(source, figure.PARTS)
    target.mkdir(parents=True, exist_ok=True)
    found = {p: x for p, x in command.load_parts(source, figure).items() if x is not None}
    texts = [part for part in figure.PARTS if part.endswith(".json")]
    for name in texts:
        shutil.copyfile(source / name, target / name)
    there = {p: x for p, x in found.items() if p not in texts and x is not None}
    tables = {p: reduce.reduced(x, read_of(p, figure)) for p, x in there.items()}
    paths = [reduce.write(target, tables)] if tables else []
    paths += [target / name for name in texts]
    if (size := sum(path.stat().st_size for path in paths)) > MOST:
        raise results.ResultsError(f"{target}: has {size:,} bytes, more than {MOST:,}")
    return paths


def read_of(part: str, figure: ModuleType) -> tuple[str, ...] | None:
    """The variables that a figure reads of one part; None if it doesn't say."""
    reads = getattr(figure, "READS", None)
    if not isinstance(reads, Mapping):
        return reads
    return tuple(n for n, parts in reads.items() if any(fnmatch.fnmatch(part, p) for p in parts))
