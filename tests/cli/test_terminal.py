"""Paths from a command line that can't be, and lines that a terminal can't show."""

from __future__ import annotations

import io
import os
import pathlib
import subprocess
import sys

import pytest

from avax import results
from avax.cli import script, terminal
from avax.engine import platform
from avax.results import folders, roots
from configs import gap as config
from paper_figures import command
from paper_figures import fig_gap as figure

ROOT = pathlib.Path(__file__).parents[2]
NOT_UTF8 = os.fsdecode(b"a\xff")
LONG = "/".join(["x" * 200] * 19)
REFUSED = {
    "file": "is a file",
    "file/below": "lies below {}/file, which is a file",
    "pipe": "is no folder",
    "nowhere": "is a link that leads nowhere",
    "nowhere/below": "lies below {}/nowhere, which is a link that leads nowhere",
    "circle": "can't be used: Too many levels of symbolic links",
    "x" * 256: "can't be used: File name too long",
    LONG: "is too long for a path with results below it",
    f"{LONG}/{LONG}": "is too long for a path with results below it",
    NOT_UTF8: "is no path in UTF-8",
    f"below/{NOT_UTF8}/below": "is no path in UTF-8",
}


@pytest.fixture
def inside(tmp_path, monkeypatch):
    """A folder to be in, with things of other kinds in it."""
    (tmp_path / "file").write_text("text")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "nowhere").symlink_to("missing")
    (tmp_path / "circle").symlink_to("circle")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ends(monkeypatch, capsys, function, *argv: str) -> str:
    """The line that a script ends with."""
    monkeypatch.setattr(sys, "argv", [*argv])
    with pytest.raises(SystemExit) as raised:
        function()
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert raised.value.code == 2 and out == "" and line.isprintable() and len(line) < 1000
    return line


def run_gap() -> None:
    script.main(0.0, config, figure)


@pytest.fixture
def never_runs(monkeypatch):
    """No experiment goes beyond claiming its folders."""

    def never(*args):
        raise RuntimeError("it would run")

    monkeypatch.setattr(script, "run", never)
    monkeypatch.setattr(platform, "configure", lambda: None)


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("flag", ["--out", "--bases"])
def test_what_can_be_no_folder_is_refused_before_anything_runs(
    inside, name, flag, never_runs, monkeypatch, capsys
):
    before = sorted(inside.rglob("*"))
    line = ends(monkeypatch, capsys, run_gap, "gap.py", "--preset", "smoke", flag, name)
    assert line.endswith(f"; choose another folder with {flag}")
    assert line.startswith("error: ") and REFUSED[name].format(inside) in line
    assert sorted(inside.rglob("*")) == before


def test_a_working_directory_that_is_not_utf8_holds_no_results(
    inside, never_runs, monkeypatch, capsys
):
    (inside / NOT_UTF8).mkdir()
    monkeypatch.chdir(inside / NOT_UTF8)
    line = ends(monkeypatch, capsys, run_gap, "gap.py", "--preset", "smoke", "--bases", "/tmp")
    assert "udcff/results/gap: is no path in UTF-8" in line


@pytest.mark.parametrize("name", ["file", "file/below", "nowhere", "circle", NOT_UTF8, "x" * 256])
def test_compiled_programs_that_can_not_be_kept_are_said_in_one_line(
    inside, name, never_runs, monkeypatch, capsys
):
    monkeypatch.setenv("AVAX_CACHE_DIR", name)
    line = ends(monkeypatch, capsys, run_gap, "gap.py", "--preset", "smoke")
    assert line.endswith("; choose another folder with AVAX_CACHE_DIR")


def test_a_folder_that_may_not_be_written_to_keeps_no_programs(
    tmp_path, never_runs, monkeypatch, capsys
):
    monkeypatch.setenv("AVAX_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(folders, "is_writable", lambda folder: folder.parent != tmp_path)
    line = ends(monkeypatch, capsys, run_gap, "gap.py", "--preset", "smoke")
    assert f"{tmp_path}/jaxlib-" in line and "can't be written to" in line


def test_a_folder_that_may_not_be_looked_into(inside, never_runs, monkeypatch, capsys):
    """As for a user who is not root."""

    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    (inside / "closed").mkdir()
    monkeypatch.setattr(roots.untrusted, "check_no_links", refuse)
    line = ends(monkeypatch, capsys, run_gap, "gap.py", "--preset", "smoke", "--out", "closed")
    expected = "closed: can't be used: Permission denied; choose another folder with --out"
    assert line == f"error: {expected}"


@pytest.mark.parametrize(
    "argv, words",
    [
        (["file"], "file: is a file, no folder of results"),
        (["missing"], "missing: there is no such folder"),
        (["x" * 256], "File name too long"),
        ([""], "must name a file or a folder"),
        (["--out", "file/figure"], "file: is a file; choose another folder with --out"),
        (["--out", f"{NOT_UTF8}/figure"], "is no path in UTF-8"),
        (["--out", "."], "--out: .: must end in the name of the figure"),
        (["--ot", "x"], "unrecognized arguments"),
    ],
)
def test_a_figure_script_refuses_what_can_not_be(inside, argv, words, monkeypatch, capsys):
    def run():
        command.main(figure.__doc__, figure.draw, figure.PARTS)

    assert words in ends(monkeypatch, capsys, run, "fig_gap.py", *argv)


def test_what_an_encoding_lacks_is_shown_as_python_writes_it(monkeypatch):
    for name in ("stdout", "stderr"):
        stream = io.TextIOWrapper(io.BytesIO(), "ascii")
        monkeypatch.setattr(sys, name, stream)
        terminal.print_anything()
        print("\xe4\u2265", file=getattr(sys, name), flush=True)
        assert stream.buffer.getvalue() == b"\\xe4\\u2265\n"
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    terminal.print_anything()  # streams of other kinds have no such setting


def test_a_figure_is_drawn_where_the_terminal_has_no_such_letters(tmp_path):
    fig = ROOT / "paper_figures" / "fig_benchmark.py"
    ended = subprocess.run(
        [sys.executable, fig, "--out", "\xe4"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=300,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    ends = [f"{stem}.{kind}" for stem in ("", "_runs") for kind in ("png", "pdf")]
    assert ended.stdout == b"".join(b"\\xe4" + end.encode() + b"\n" for end in ends)
    assert {p.name for p in tmp_path.iterdir()} == {f"\xe4{end}" for end in ends}


@pytest.mark.slow
def test_an_experiment_ends_well_where_the_terminal_has_no_such_letters(tmp_path):
    ended = subprocess.run(
        [sys.executable, ROOT / "tests" / "tiny_sweep.py", "--out", "\xe4"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "AVAX_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    assert b"\\xe4/metrics.zarr\n" in ended.stdout and b"Traceback" not in ended.stderr
    assert results.load(tmp_path / "\xe4").sizes
