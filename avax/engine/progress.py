"""How far a sweep is: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from avax.untrusted import printable


class SweepProgress:
    """Counts settings; `note` turns what is known into a few words, such as `3 collapsed`."""

    def __init__(
        self,
        total: int | None,
        num_seeds: int,
        note: Callable[[], str],
        every: float = 10.0,
        silent: bool = False,
    ):
        """A setting has `num_seeds` runs; without a terminal, one line in `every` seconds.

        A total of None is one that is not known before the end.
        """
        self._total, self._num_seeds, self._note, self._every = total, num_seeds, note, every
        self._runs = self._kept = 0
        self._start = self._said = time.monotonic()
        self._bar, self._silent = None, silent
        if not silent and sys.stderr.isatty():
            columns = (BarColumn(bar_width=None), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("compiling", total=total)

    def __enter__(self) -> SweepProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, error: type[BaseException] | None, *_) -> None:
        if self._bar:
            self._bar.stop()
        elif self._total is None and error is None and not self._silent:
            say(self.line())

    def start_running(self) -> None:
        """Tells that compilation is over: the rate counts from here."""
        if self._runs == 0:
            self._start = time.monotonic()

    def add(self, num_runs: int) -> None:
        """Tells that some more runs have ended."""
        self._runs += num_runs
        done = self._runs / self._num_seeds
        if self._silent:
            return
        if self._bar:
            self._bar.update(self._task, completed=done, description=self.line())
        elif done == self._total or time.monotonic() - self._said > self._every:
            say(self.line())
            self._said = time.monotonic()

    def keep(self, num_runs: int) -> None:
        """Tells of runs that were done before: they say nothing about the rate."""
        self._kept += num_runs
        self.add(num_runs)

    def line(self) -> str:
        """Settings done, settings a second, time left where it is known, and the note."""
        done = self._runs / self._num_seeds
        rate = (done - self._kept / self._num_seeds) / max(time.monotonic() - self._start, 1e-9)
        if self._total is None:
            return f"{int(done)} settings, {rate:.2f} a second; {self._note()}"
        left = (self._total - done) / rate if rate else float("nan")
        counts = f"{int(done)}/{self._total} settings, {rate:.2f} a second"
        return f"{counts}, {clock(left)} left; {self._note()}"


def say(line: str) -> None:
    """One line for whoever watches, on standard error."""
    print(printable(line), file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """`1:05` or `2:00:00`; `?` if unknown."""
    if seconds != seconds:
        return "?"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
