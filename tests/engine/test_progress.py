"""Progress: on a terminal of any width and without one, and never in the way of other lines."""

from __future__ import annotations

import concurrent.futures
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time

import pytest
from rich.console import Console
from small_sweeps import SMALL
from toys import execute

from avax.engine import progress
from avax.engine.progress import Meter

WIDTHS = (40, 60, 80, 120, 200)
SHOWN = """
import sys, time
from avax.engine.progress import Meter, say
from avax.engine.durable.signals import leave
with Meter(10000, "settings", lambda: "3 runs gained, 2 lost", per=2) as meter:
    say("compiling 2 programs")
    time.sleep(0.3)
    with meter.running():
        for i in range(4):
            time.sleep(0.5)
            meter.add(5000)
            say(f"line {i}")
            print(f"warning {i}", file=sys.stderr)
print("the end")
with Meter(2, "settings") as meter:
    time.sleep(0.1)
    leave(0)
"""


@pytest.fixture
def now(monkeypatch):
    """A clock that stands; no thread looks at it."""
    found = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: found[0])
    monkeypatch.setattr(Meter, "_tick", lambda self: None)
    return found


@pytest.fixture
def half(now):
    """A meter after 50 of 100 seconds, of what was not done before."""
    with Meter(256, "settings", lambda: "3 runs gained, 2 lost", per=5) as meter:
        meter.add(56 * 5, kept=True)
        with meter.running():
            now[0] += 50
            meter.add(100 * 5)
            yield meter


def test_a_line_holds_what_fits_and_no_piece_of_a_word(half):
    whole = "156/256 settings, 0:50 left, 2.00 a second; 3 runs gained, 2 lost"
    assert half.line() == whole
    ends = {half.line(width) for width in range(16, 100)}
    counts, left, rate, note = re.split("[,;] ", whole, maxsplit=3)
    shorter = [counts, f"{counts}, {left}", f"{counts}, {left}, {rate}"]
    assert ends == {*shorter, f"{shorter[-1]}; 3 runs gained", f"{shorter[-1]}; {note}"}
    assert half.line(15) == half.line(7) == "156/256"
    assert all(len(half.line(width)) <= width for width in range(100))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_bar_where_there_is_room_for_it(half, width):
    for of, encoding, full in ((2, "utf-8", "━"), (10**4, "utf-8", "━"), (2, "ascii", "#")):
        half._total = 156 * of
        file = io.TextIOWrapper(io.BytesIO(), encoding)
        console = Console(width=width, force_terminal=True, file=file, no_color=True)
        console.print(half, end="")
        file.flush()
        text = re.sub(r"\x1b\[\d*m", "", file.buffer.getvalue().decode())
        assert f"156/{156 * of} settings, " in text and " left" in text and len(text) < width
        has_bar = text[0] in "━─#-"
        assert has_bar or width == 40 and of == 10**4
        if has_bar:
            bar = text.partition(" ")[0]
            assert len(bar) == max(10, (width - 1) // 4)
            assert bar.count(full) == int(len(bar) / of)


def test_the_time_left_counts_what_is_in_flight(now):
    """And what was in flight before is no part of the rate; without news the time left falls."""
    with Meter(8, "settings") as meter, meter.running():
        assert meter.line() == "0/8 settings"
        now[0] += 20
        assert meter.line() == "0/8 settings, 0:20 passed"
        meter.part("a", 1.0, kept=True)
        assert meter.line() == "0/8 settings, 0:20 passed"
        meter.part("a", 2.0)
        assert meter.line() == "0/8 settings, 2:00 left, 0.05 a second"
        now[0] += 15
        assert meter.line() == "0/8 settings, 1:45 left, 0.05 a second"
        now[0] -= 15
        meter.add(4, "a")
        assert meter.line() == "4/8 settings, 0:27 left, 0.15 a second"
        meter.add(4)
        assert meter.line() == "8/8 settings, 0.35 a second"


def test_only_time_that_is_run_in_counts(now):
    with Meter(8, "updates") as meter:
        for _ in range(2):
            now[0] += 100
            with meter.running():
                now[0] += 2
                meter.add(2)
        assert meter.line() == "4/8 updates, 0:04 left, 1.00 a second"


def test_a_total_that_is_not_known(now, capsys):
    with Meter(None, "settings", lambda: "1 of 4 rays traced") as meter, meter.running():
        now[0] += 2
        meter.add(2)
        assert meter.line() == "2 settings, 1.00 a second; 1 of 4 rays traced"
    with Meter(None, "settings") as meter:
        meter.add(3, kept=True)
    assert capsys.readouterr().err.splitlines()[-1] == "3 settings, all done before"


def test_a_finished_folder_says_so(toy, tmp_path, capsys):
    execute(SMALL, tmp_path)
    first = capsys.readouterr().err.splitlines()
    assert any(line.startswith("0/6 settings") for line in first)
    assert re.fullmatch(r"6/6 settings, [\d.]+ a second", first[-1])
    execute(SMALL, tmp_path)
    assert capsys.readouterr().err.splitlines()[-1] == "6/6 settings, all done before"


def test_plain_lines_come_early_and_often(capsys, monkeypatch):
    """The first at once, the next when the time left is known, others with news or without."""
    monkeypatch.setattr(progress, "FIRST", 0.0)
    monkeypatch.setattr(progress, "TICK", 0.02)
    lines = []

    def wait_for(words):
        end = time.monotonic() + 20
        while not any(words in line for line in lines):
            assert time.monotonic() < end, lines
            time.sleep(0.01)
            lines.extend(capsys.readouterr().err.splitlines())

    with Meter(4, "settings", every=1.2) as meter, meter.running():
        wait_for("0/4 settings")
        meter.part("a", 0.5)
        wait_for("0/4 settings, 0:0")
        lines.clear()
        wait_for("0/4 settings, 0:")


def test_a_note_that_takes_long_is_asked_rarely(now):
    asked = []

    def note():
        now[0] += 1
        asked.append(now[0])
        return str(len(asked))

    with Meter(1000, "settings", note) as meter, meter.running():
        for _ in range(300):
            now[0] += 1
            meter.add(1)
    assert 6 <= len(asked) <= 8  # with the last line's


def test_an_error_or_a_stop_ends_without_a_line(now, capsys):
    with pytest.raises(KeyError), Meter(4, "settings") as meter, meter.running():
        raise KeyError
    assert capsys.readouterr().err == "0/4 settings\n"
    with Meter(4, "settings"):
        pass
    assert capsys.readouterr().err == ""


def test_a_meter_inside_of_another_is_silent(now, capsys):
    with Meter(4, "settings"), Meter(2, "updates") as inner, inner.running():
        inner.add(2)
    with Meter(2, "updates") as later, later.running():
        later.add(2)
    assert capsys.readouterr().err == "0/2 updates\n2/2 updates\n"


def test_threads_may_add_at_the_same_time(capsys):
    with Meter(8000, "settings") as meter, meter.running():
        threads = [
            threading.Thread(target=lambda: [meter.add(1) for _ in range(1000)]) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert meter.line().startswith("8000/8000 settings")


def on_terminal(width: int, **environ: str) -> str:
    """What a process that shows its progress writes to a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    known = {k: x for k, x in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-c", SHOWN],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=known | {"TERM": "xterm-256color", "PYTHONPATH": os.pathsep.join(sys.path)} | environ,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            written += os.read(ours, 65536)
        except OSError:  # the process has ended
            break
    os.close(ours)
    assert process.wait() == 0
    return written.decode()


@pytest.fixture(scope="module")
def terminals():
    """What is written to each, by its width and by what is special about it."""
    asked = {width: (width, {}) for width in WIDTHS}
    asked |= {"no colour": (80, {"NO_COLOR": "1"}), "dumb": (60, {"TERM": "dumb"})}
    with concurrent.futures.ThreadPoolExecutor(len(asked)) as pool:
        found = {n: pool.submit(on_terminal, w, **more) for n, (w, more) in asked.items()}
        return {name: future.result() for name, future in found.items()}


def screen(text: str, width: int) -> tuple[list[str], list[str]]:
    """The lines that are left on a terminal, and all that was ever overwritten there."""
    rows, row, column, gone = [""], 0, 0, []
    for token in re.findall(r"\x1b\[[\d;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
        if token == "\n":
            row += 1
            rows += [""] * (row + 1 - len(rows))
        elif token == "\r":
            column = 0
        elif token == "\x1b[2K":
            gone.append(rows[row])
            rows[row] = ""
        elif token == "\x1b[1A":
            row -= 1
        elif not token.startswith("\x1b"):
            rows[row] = rows[row][:column].ljust(column) + token + rows[row][column + len(token) :]
            column += len(token)
            assert column < width  # nothing is wrapped
        else:
            assert token.endswith("m"), f"{token!r} changes more than colours"
    return rows, gone


@pytest.mark.parametrize("width", WIDTHS)
def test_a_live_line_and_what_is_said_do_not_mix(terminals, width):
    rows, shown = screen(terminals[width], width)
    said = [line for i in range(4) for line in (f"line {i}", f"warning {i}")]
    assert rows == ["compiling 2 programs", *said, "the end", ""]
    assert "0/2 settings" in shown.pop()  # by the process that leaves at once
    shown = [line for line in shown if line]
    assert shown and all(re.search(r"(^|[━─] )\d+/10000 settings", line) for line in shown)
    assert any(re.search(r"5000/10000 settings, 0:0\d left", line) for line in shown)


def test_colours_are_left_out_where_they_are_not_wanted(terminals):
    assert "\x1b[36m" in terminals[80]
    written = terminals["no colour"]
    assert "━" in written and not re.search(r"\x1b\[[\d;]*3\d", written)


def test_a_terminal_that_can_do_nothing_gets_plain_lines(terminals):
    written = terminals["dumb"]
    assert "\x1b" not in written and "━" not in written
    lines = written.splitlines()
    assert lines[0] == "compiling 2 programs" and lines[1].startswith("0/10000 settings")
    assert sum("left" in line for line in lines) == 1  # after a second
    assert re.fullmatch(r"10000/10000 settings, [\d.]+ a second; 3 runs.*", lines[-2])
