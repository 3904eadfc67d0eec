"""What an experiment prints when it has ended."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

from avax import results
from avax.engine.study import Seconds


def wrote(out: pathlib.Path, figures: Iterable[pathlib.Path]) -> None:
    """The paths of the results and figures."""
    for path in (*(out / n for n in (results.STORE, results.CONFIG, results.PROVENANCE)), *figures):
        print(path)


def spent(imported: float, seconds: Seconds) -> None:
    """The wall time and what it was spent on."""
    parts = {
        "import": imported,
        "pretraining": seconds.pretraining,
        "compilation": seconds.compilation,
        "running": seconds.running,
    }
    listed = ", ".join(f"{name} {s:.1f} s" for name, s in parts.items())
    print(f"wall time {sum(parts.values()):.1f} s: {listed}")
