"""SIGINT and SIGTERM: the segment in flight is finished and saved; a second SIGINT ends at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

from avax.engine.progress import clear, say


class Stop:
    """Whether the process was asked to end.

    Attributes:
      asked: set by the first signal, or by whoever else wants the tiles to end.
      number: the signal, None if there was none.
    """

    def __init__(self):
        self.asked = threading.Event()
        self.number: int | None = None
        self._is_waited_for = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Handles the signals of the process while the block runs; only in the main thread."""
        numbers = signal.SIGINT, signal.SIGTERM
        before = [signal.signal(number, self._handle) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    @contextlib.contextmanager
    def waited_for(self) -> Iterator[None]:
        """In the block a signal only sets `asked`; outside of it nothing has to be saved."""
        self._is_waited_for = True
        try:
            yield
        finally:
            self._is_waited_for = False

    def _handle(self, number: int, frame: object) -> None:
        again = self.number == number == signal.SIGINT
        if again or not self._is_waited_for:
            say(f"stopped by {signal.Signals(number).name}; the same command goes on")
            leave(128 + number)
        if self.number is None:
            say("stopping; Ctrl-C again to stop at once")
        self.number = number
        self.asked.set()


def leave(status: int) -> None:
    """Ends the process without waiting for its threads: a failed save keeps one for minutes."""
    clear()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
