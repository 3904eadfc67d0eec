"""What two devices do, four do: the tests of the engine once more, on four of them."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
LAWS = ("number_of_devices", "placement", "order_of_settings", "length_of_segments")


@pytest.mark.slow
def test_the_laws_of_the_engine_hold_on_four_devices():
    """Bitwise the same on one, three and four, for tiles and settings in another order; `spmd` to
    rounding, with equal phases; 25 settings, which no number of them divides.
    """
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
        + ["tests/engine/test_engine.py", "-k", " or ".join(LAWS)],
        cwd=ROOT,
        env=os.environ | {"AVAX_TEST_DEVICES": "4"},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert ended.returncode == 0, ended.stdout
    assert re.search(r"^5 passed", ended.stdout, re.MULTILINE), ended.stdout
