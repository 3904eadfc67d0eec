"""What the machine is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from small_sweeps import SMALL

from avax.engine import platform, resume, worker

ZEN = "processor : 0\nvendor_id : AuthenticAMD\ncpu family : 25\nmodel : 1\nflags : fpu avx avx2\n"
SAPPHIRE = "vendor_id : GenuineIntel\ncpu family : 6\nmodel : 143\nflags : avx avx2 avx512f\n"
LOOPS_AND_SUMS = """
from avax.engine import platform
platform.configure(cache=False)
import jax, jax.numpy as jnp
both = jax.jit(lambda x: (jnp.exp(x).sum(-1), jnp.where(x > 0, x * jnp.exp(x), 0)))
print(both.lower(jnp.ones((512, 512))).compile().as_text())
"""
ARM = "processor : 0\nFeatures : fp asimd\nCPU implementer : 0x41\nCPU part : 0xd0c\n"


@pytest.mark.parametrize(
    "text, expected",
    [
        (ZEN + ZEN.replace("0\n", "1\n", 1), "AuthenticAMD 25 1 avx2"),
        (SAPPHIRE, "GenuineIntel 6 143 avx512f"),
        (ARM, "0x41 0xd0c asimd"),
    ],
)
def test_a_processor_is_named_by_what_it_compiles_for(tmp_path, text, expected):
    (tmp_path / "cpuinfo").write_text(text)
    assert platform.processor(tmp_path / "cpuinfo") == expected


def test_there_is_a_name_where_nothing_is_told(tmp_path):
    assert platform.processor(tmp_path / "nothing")
    (tmp_path / "empty").touch()
    assert platform.processor(tmp_path / "empty")


def test_the_bits_of_a_run_depend_on_it(monkeypatch):
    for facts in (lambda: resume.facts(SMALL, [4]), worker.facts):
        before = facts()
        with monkeypatch.context() as patch:
            patch.setattr(platform, "processor", lambda: "another")
            assert {k for k, v in facts().items() if v != before[k]} == {"device"}


@pytest.mark.parametrize("own, are_whole", [("", True), ("--xla_disable_hlo_passes=none", False)])
def test_loops_and_sums_are_left_whole_unless_the_user_says_otherwise(own, are_whole):
    """XLA ignores the name of a pass that it doesn't know."""
    environment = os.environ | {"XLA_FLAGS": own, "PJRT_NPROC": "2"}
    program = subprocess.run(
        [sys.executable, "-c", LOOPS_AND_SUMS], env=environment, text=True, capture_output=True
    ).stdout
    assert "ROOT" in program
    for split in ("reduce-window", '"outer_dimension_partitions":["'):
        assert (split in program) != are_whole
