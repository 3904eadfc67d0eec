"""Results from anybody: nothing in them is run, and what is wrong with them is said in one line."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import hostile
import hostile_checkpoints
import hostile_files
import pytest

pytestmark = pytest.mark.slow
MOST = 256 * 2**20  # bytes


def outcomes(script: str, folder: pathlib.Path) -> list[dict]:
    """What a script says, line by line."""
    ended = subprocess.run(
        [sys.executable, pathlib.Path(__file__).parents[1] / script, folder],
        capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What happened, by attack and way of opening."""
    rows = outcomes("hostile.py", tmp_path_factory.mktemp("results"))
    return {(row.pop("attack"), row.pop("way")): row for row in rows}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    rows = outcomes("hostile_checkpoints.py", tmp_path_factory.mktemp("checkpoints"))
    return {row.pop("attack"): row for row in rows}


@pytest.mark.parametrize("way", hostile.WAYS)
@pytest.mark.parametrize("attack", hostile.ATTACKS)
def test_results_are_refused_in_one_line_and_at_no_cost(results, attack, way):
    row = results[attack, way]
    assert row["escaped"] is False, row
    assert row["bytes"] <= MOST and row["seconds"] < 10, row
    if way == "resume":  # a sweep knows its arrays, and writes those anew that are not its own
        assert row["status"] == 0 and (row["line"] is None or row["line"].isprintable()), row
        return
    if attack in hostile_files.BESIDE and way == "load":
        assert row["status"] == 0 and row["line"] is None and row["err"] == "", row
        return
    line = row["err"].removesuffix("\n") if way == "draw" else row["line"]
    assert row["status"] == (2 if way == "draw" else 0) and line and line.isprintable(), row
    assert row["err"] == (f"{line}\n" if way == "draw" else ""), row


@pytest.mark.parametrize("attack", hostile_checkpoints.ATTACKS)
def test_checkpoints_are_moved_aside_in_one_line_and_at_no_cost(checkpoints, attack):
    row = checkpoints[attack]
    assert row["escaped"] is False and row["bytes"] <= MOST and row["seconds"] < 10, row
    if row["loaded"]:  # a name of a class is not looked at
        assert attack in ("nothing", "class_of_a_handler") and row["same"] and row["line"] == ""
        return
    line = row["line"].removesuffix("\n")
    assert line.isprintable() and "not used and moved to kept.damaged" in line, row
    assert row["left"] == ["kept.damaged"]
