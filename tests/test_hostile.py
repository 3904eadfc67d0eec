"""Results from anybody: nothing in them is run, and what is wrong with them is said in one line."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
from hostile import ATTACKS, WAYS

MOST = 256 * 2**20  # bytes


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What happened, by attack and way of opening."""
    script, root = pathlib.Path(__file__).with_name("hostile.py"), tmp_path_factory.mktemp("h")
    ended = subprocess.run(
        [sys.executable, script, root], capture_output=True, text=True, timeout=500
    )
    assert ended.returncode == 0, ended.stderr
    each = map(json.loads, ended.stdout.splitlines())
    return {(row.pop("attack"), row.pop("way")): row for row in each}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_it_is_refused_in_one_line_and_at_no_cost(found, attack, way):
    row = found[attack, way]
    assert row["escaped"] is False, row
    assert row["bytes"] <= MOST and row["seconds"] < 10, row
    line = row["err"].removesuffix("\n") if way == "draw" else row["line"]
    if way == "resume":
        assert row["status"] == 0 and (line is None or line.isprintable()), row
        return
    assert row["status"] == (2 if way == "draw" else 0) and line.isprintable(), row
    assert row["err"] == (f"{line}\n" if way == "draw" else ""), row
