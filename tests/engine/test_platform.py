"""What the machine is."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import jaxlib
import pytest
from packaging.version import Version
from small_sweeps import SMALL

from avax.engine import platform
from avax.engine.cluster import worker
from avax.engine.durable import resume

ZEN = "processor : 0\nvendor_id : AuthenticAMD\ncpu family : 25\nmodel : 1\nflags : fpu avx avx2\n"
SAPPHIRE = "vendor_id : GenuineIntel\ncpu family : 6\nmodel : 143\nflags : avx avx2 avx512f\n"
START = """
import json
from avax.engine import platform
from avax.engine.cluster import processes
platform.configure(cache=False)
"""
LOOPS_AND_SUMS = """
import jax, jax.numpy as jnp
both = jax.jit(lambda x: (jnp.exp(x).sum(-1), jnp.where(x > 0, x * jnp.exp(x), 0)))
lowered = both.lower(jnp.ones((512, 512)))
print(lowered.compile(platform.compiler_options()).as_text())
"""
OPTIONS = """
print(json.dumps([platform.compiler_options(level) for level in (0, 2)]))
"""
UNKNOWN = """
platform.CPU_OPTIONS["xla_cpu_no_such_option"] = True
platform.CPU_OPTIONS["xla_disable_hlo_passes"] = 7
platform.CPU_OPTIONS["xla_cpu_experimental_ynn_fusion_type"] = "NO_SUCH_VALUE"
print(json.dumps(platform.compiler_options()))
"""
FLAGS = """
platform.add_xla_flags(processes.XLA_FLAGS | {"xla_no_such_flag": 1})
import jax, os
jax.devices()
print(json.dumps(os.environ["XLA_FLAGS"].split()))
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


def output(program: str, xla_flags: str = "") -> str:
    """What a program prints in a process of its own, as users start one."""
    environment = os.environ | {"XLA_FLAGS": xla_flags, "PJRT_NPROC": "2"}
    command = [sys.executable, "-W", "error", "-c", START + program]
    ended = subprocess.run(command, env=environment, text=True, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("own, are_whole", [("", True), ("--xla_disable_hlo_passes=none", False)])
def test_loops_and_sums_are_left_whole_unless_the_user_says_otherwise(own, are_whole):
    """XLA ignores the name of a pass that it doesn't know."""
    program = output(LOOPS_AND_SUMS, own)
    assert "ROOT" in program
    for split in ("reduce-window", '"outer_dimension_partitions":["'):
        assert (split in program) != are_whole


def test_each_version_gets_the_compiler_options_that_it_has():
    quick, usual = json.loads(output(OPTIONS))
    expected = platform.CPU_OPTIONS | {"xla_backend_optimization_level": 2}
    assert usual == expected
    has_emitters = Version(jaxlib.__version__) < Version("0.11")
    emitters = {"xla_cpu_use_fusion_emitters": False} if has_emitters else {}
    assert quick == expected | {"xla_backend_optimization_level": 0} | emitters


def test_an_option_or_value_that_the_compiler_has_not_is_left_out():
    (name,) = json.loads(output(UNKNOWN))
    assert name == "xla_backend_optimization_level"


@pytest.mark.slow
def test_a_flag_that_xla_has_not_is_left_out():
    """And what the user gives is left alone."""
    own = "--xla_cpu_collective_timeout_seconds=9"
    assert json.loads(output(FLAGS, own)) == [own, "--xla_gpu_shard_autotuning=false"]
