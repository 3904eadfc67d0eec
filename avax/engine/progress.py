"""How far something long is: a live line with a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.file_proxy import FileProxy
from rich.live import Live
from rich.segment import Segment
from rich.style import Style

from avax.results.untrusted import printable

MIN_BAR = 10  # columns
FIRST = 1.0  # seconds of running before which a plain line doesn't tell the time left
TICK = 0.5  # seconds between two looks at whether a plain line is due, and between two notes
_turn = threading.Lock()  # held by the meter that is shown


class Meter:
    """Counts what is done of something long, and shows it while it is entered.

        with Meter(256, "settings") as meter:
            ...  # compile
            with meter.running():
                meter.add(2)  # as often as some are done

    On a terminal it is one live line that fits; lines that are said go above it. Elsewhere, and at
    TERM=dumb, it is plain lines: one when running begins, one when the time left is known, then
    one in every so many seconds, with news or without, and a last one. Inside of another meter it
    is silent.
    """

    def __init__(
        self,
        total: int | None,
        what: str,
        note: Callable[[], str] = lambda: "",
        per: int = 1,
        every: float = 10.0,
        silent: bool = False,
    ):
        """
        Args:
          total: how many there are; None if that is not known before the end.
          what: is counted, in the plural.
          note: a few words on what is known, such as `3 lost`; asked when some are added.
          per: so much of what `add` and `part` take makes one of them.
          every: seconds between two plain lines.
        """
        self._total, self._what, self._ask, self._per = total, what, note, per
        self._every, self._is_silent = every, silent
        self._done = self._kept = 0
        self._parts: dict[Hashable, float] = {}  # what is done of that in flight
        self._note, self._next_note = "", 0.0
        self._entered = time.monotonic()
        self._began: float | None = None  # when running began, if it goes on
        self._seconds = 0.0  # of running, before that
        self._last = 0.0  # seconds of running when something was done last
        self._said, self._due, self._is_left_said = "", 0.0, False
        self._lock, self._is_over = threading.RLock(), threading.Event()
        self._live: Live | None = None

    def __enter__(self) -> Meter:
        self._entered = time.monotonic()
        self._is_silent = self._is_silent or not _turn.acquire(blocking=False)
        if self._is_silent:
            return self
        console = _Console(stderr=True)
        if sys.stderr.isatty() and console.is_interactive:
            self._live = Live(self, console=console, transient=True, redirect_stdout=False)
            self._live.start(refresh=True)
        else:
            self._due = self._entered + self._every
            threading.Thread(target=self._tick, daemon=True).start()
        return self

    def __exit__(self, error: type[BaseException] | None, *_) -> None:
        self._is_over.set()
        if self._is_silent:
            return
        if self._live:
            self._live.stop()
        elif error is None and (self._said or self._kept):
            self._note = self._ask()
            if self.line() != self._said:
                self._say()
        _turn.release()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """In the block things get done: its seconds alone count for the rate."""
        with self._lock:
            self._began = time.monotonic()
            if self._seconds == 0 and not self._live:
                self._say()
        try:
            yield
        finally:
            with self._lock:
                self._seconds, self._began = self._run_seconds(), None

    def add(self, amount: int, key: Hashable = None, kept: bool = False) -> None:
        """Tells that some more are done, such as all that was in flight under a key.

        `kept`: they were done before, and say nothing about the rate.
        """
        now = time.monotonic()
        if not self._is_silent and now > self._next_note:
            self._note, end = self._ask(), time.monotonic()
            self._next_note = end + max(TICK, 50 * (end - now))  # of a million runs, it takes long
        with self._lock:
            self._done += amount
            self._parts.pop(key, None)
            self._note_time(amount, kept)

    def part(self, key: Hashable, amount: float, kept: bool = False) -> None:
        """Tells how much of what is in flight under a key is done; `kept`: was done before."""
        with self._lock:
            self._parts[key] = amount
            self._note_time(amount, kept)

    def line(self, width: int | None = None) -> str:
        """What is done, the time left, the rate and the note: as many of the words as fit."""
        with self._lock:
            counts, times = self._counts(), self._times()
        words = [f", {x}" for x in times]
        words += [f"{', ' if i else '; '}{x}" for i, x in enumerate(self._note.split(", ")) if x]
        if width is None:
            return "".join([counts, *words])
        line = counts if len(counts) <= width else counts.partition(" ")[0]
        for word in words:
            if len(line + word) > width:
                break
            line += word
        return line[:width]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """A bar if there is room for it beside the counts and the time left, and the words."""
        width = options.max_width - 1  # in the last column, some terminals begin another line
        room = max(MIN_BAR, width // 4)
        with self._lock:
            essential = ", ".join([self._counts(), *self._times()[:1]])
        if len(essential) > width - room - 1:
            yield Segment(self.line(width))
        else:
            yield from self._bar(room, "#-" if options.ascii_only else "━─")
            yield Segment(f" {self.line(width - room - 1)}")

    def _bar(self, room: int, signs: str) -> Iterator[Segment]:
        """Filled as far as things are done; if the total isn't known, a piece of it wanders."""
        if self._total is None:
            start, length = int(4 * time.monotonic()) % (room - 3), 4
        else:
            share = self._work() / max(1, self._total * self._per)
            start, length = 0, int(room * min(1.0, share))
        dim = Style(dim=True)
        yield Segment(signs[1] * start, dim)
        yield Segment(signs[0] * length, Style(color="cyan"))
        yield Segment(signs[1] * (room - start - length), dim)

    def _note_time(self, amount: float, kept: bool) -> None:
        if kept:
            self._kept += amount
        else:
            self._last = self._run_seconds()

    def _counts(self) -> str:
        of = "" if self._total is None else f"/{self._total}"
        return f"{self._done // self._per}{of} {self._what}"

    def _times(self) -> list[str]:
        """Time left and rate as far as they are known, else the time that has passed."""
        is_all = self._is_over.is_set() or self._done // self._per == self._total
        if is_all and self._done == self._kept > 0:
            return ["all done before"]
        work = self._work() - self._kept
        if work > 0 and self._last > 0:
            rate = f"{work / self._per / self._last:.2f} a second"
            if self._total is None or self._done // self._per == self._total:
                return [rate]
            left = (self._total * self._per - self._work()) / work * self._last
            since = self._run_seconds() - self._last
            return [f"{clock(max(0.0, left - since))} left", rate]
        passed = time.monotonic() - self._entered
        return [f"{clock(passed)} passed"] if passed >= 1 else []

    def _work(self) -> float:
        """What is done, with the parts of what is in flight."""
        return self._done + sum(self._parts.values())

    def _run_seconds(self) -> float:
        return self._seconds + (0 if self._began is None else time.monotonic() - self._began)

    def _tick(self) -> None:
        """Says a line when one is due, and as soon as the time left is known for the first time."""
        while not self._is_over.wait(min(TICK, self._every)):
            with self._lock:
                is_known = self._work() > self._kept and self._total is not None
                is_news = is_known and not self._is_left_said and self._run_seconds() > FIRST
                if (is_news or time.monotonic() > self._due) and not self._is_over.is_set():
                    self._is_left_said = is_known
                    self._say()

    def _say(self) -> None:
        if self._is_silent:
            return
        self._due, self._said = time.monotonic() + self._every, self.line()
        say(self._said)


class _Console(Console):
    def show_cursor(self, show: bool = True) -> bool:
        """Leaves it as it is: hidden, it would stay so when the process is killed."""
        return False


def say(line: str) -> None:
    """One line for whoever watches, on standard error."""
    sys.stderr.write(f"{printable(line)}\n")  # at once: threads may say something, too
    sys.stderr.flush()


def clear() -> None:
    """Takes the live line off the terminal, if there is one, for a process that ends at once."""
    if isinstance(sys.stderr, FileProxy):
        sys.stderr.rich_proxied_file.write("\r\x1b[2K")


def clock(seconds: float) -> str:
    """`1:05` or `2:00:00`."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
