"""Strict settings for every test, and one compile cache for the session."""

from __future__ import annotations

import os
import pathlib
import sys

import jax
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.engine import platform

os.environ.setdefault("MPLBACKEND", "agg")
# Programs are compiled here, and hardly run: the suite takes half the time. What users run is
# compiled by the slow tests. The last flag saves 8 % of the processor's time: to split a
# program between threads takes longer, and there is none to spare.
QUICK = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_use_fusion_emitters": "false",
    "xla_cpu_parallel_codegen_split_count": 1,
}
if "PYTEST_XDIST_WORKER" not in os.environ:  # they inherit it
    platform.add_xla_flags(QUICK)

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", int(os.environ.get("AVAX_TEST_DEVICES", 2)))
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)


def shared_folder(tmp_path_factory) -> pathlib.Path:
    """What all worker processes of a session have in common, or all sessions of AVAX_TEST_CACHE."""
    root = tmp_path_factory.getbasetemp()
    shared = root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root
    return pathlib.Path(os.environ.get("AVAX_TEST_CACHE") or shared / "compiled")


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> pathlib.Path:
    """The AVAX_CACHE_DIR of programs that tests start as users would: what several of them need is
    compiled, and a base policy trained, once.
    """
    return shared_folder(tmp_path_factory) / "home"


@pytest.fixture(scope="session", autouse=True)
def compile_cache(tmp_path_factory):
    """Programs that several tests or worker processes need are compiled once; of several sessions
    that have AVAX_TEST_CACHE, a folder, in common, by the first.
    """
    jax.config.update("jax_compilation_cache_dir", str(shared_folder(tmp_path_factory)))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    yield


@pytest.fixture(scope="session", autouse=True)
def quick_programs():
    """The engine's programs, too, are compiled as QUICK says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform, "compiler_options", lambda optimization=0: {})
        yield


@pytest.fixture
def toy(monkeypatch):
    """Replaces what is expensive; returns the list of traces of the loop."""
    from toys import stand_in, stand_in_pretraining, toy_pretrain, toy_run, toy_shapes

    from avax.engine import bases, run
    from avax.engine.durable import keeper

    traces = []
    stand_in(monkeypatch, toy_run, traces)
    stand_in_pretraining(monkeypatch, toy_pretrain)
    for module in (bases, run, keeper):
        monkeypatch.setattr(module, "base_shapes", toy_shapes)
    return traces
