"""What has to be set before JAX starts a backend, and what the machine is."""

from __future__ import annotations

import functools
import os
import pathlib
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

import jax

from avax.engine import compile_cache

CPU_OPTIONS = {  # where XLA_FLAGS doesn't name them
    # All that is handed to a library by default, without sums over an axis: it is slow at them,
    # which takes 2 % of an update.
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,"
    "LIBRARY_FUSION_TYPE_INDIVIDUAL_CONVOLUTION",
    # XLA splits a loop between all threads, though there is a device for each, and a sum over an
    # axis into two. Without, an update takes 4 % less time.
    "xla_disable_hlo_passes": "cpu-parallel-task-assigner,tree_reduction_rewriter",
}
_num_processes = 1  # that share the machine


def configure(cache: bool = True, num_processes: int = 1) -> None:
    """One XLA device per CPU core, and a private compile cache. Call before any JAX computation.

    The cache lies in AVAX_CACHE_DIR (default: avax in the user's cache folder), one folder for each
    version of jaxlib.

    Args:
      num_processes: of this kind on the machine; each takes its share of the cores and the memory.

    Raises:
      RuntimeError: after the rest is done, if JAX has its devices already.
    """
    if cache:
        jax.config.update("jax_compilation_cache_dir", str(cache_dir()))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
        compile_cache.watch()
    global _num_processes
    _num_processes, num_devices = num_processes, max(1, num_cores() // num_processes)
    if num_processes > 1 or num_devices == 1:
        # Threads of the CPU backend. With one it adds up in another order than with any more
        # (measured for 2 to 64).
        os.environ["PJRT_NPROC"] = str(max(2, num_devices))
    jax.config.update("jax_num_cpu_devices", num_devices)


def compiler_options(optimization: int = 2) -> dict[str, Any]:
    """Options for every large program, at a level of optimization from 0 to 3, on a CPU; of those
    that we want, the ones that the installed version of XLA has.

    Level 2 instead of 3 compiles the main job in half the time (29 s and 14 s on one core) into a
    program that runs as fast. Level 0, without the emitters of fused loops, takes a third of that
    (6 s), and the program runs 4 times as long. In jax 0.12, which has no other emitters, level 2
    takes as long as in 0.10, and level 0 two thirds of that.
    """
    if jax.default_backend() != "cpu":
        return {}
    given = os.environ.get("XLA_FLAGS", "")
    options = {name: value for name, value in CPU_OPTIONS.items() if name not in given}
    options["xla_backend_optimization_level"] = optimization
    if optimization == 0:
        options["xla_cpu_use_fusion_emitters"] = False
    return known_options(options)


def known_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The compiler options that the installed version of XLA has, with values that it takes."""
    return {name: value for name, value in options.items() if _is_known(name, value)}


@functools.cache
def _is_known(name: str, value: Any) -> bool:
    # The compiler itself is asked, with an empty program: 5 ms. Names change between versions
    # that differ in nothing else, and it is an error to give one that is not there.
    try:
        jax.jit(lambda: 0).lower().compile({name: value})
    except jax.errors.JaxRuntimeError:
        return False
    return True


def add_xla_flags(flags: Mapping[str, Any]) -> None:
    """Adds to XLA_FLAGS what it doesn't name yet, of what the installed version of XLA has. To be
    called before JAX starts a backend.

    Only for what can't be a compiler option, because it must reach programs of JAX's own: at a
    name in XLA_FLAGS that it doesn't know XLA ends the process, so that another one has to be
    asked, which takes half a second.
    """
    given = os.environ.get("XLA_FLAGS", "")
    more = [f"--{name}={value}" for name, value in flags.items() if name not in given]
    if more and not _starts_with(more):
        more = [flag for flag in more if _starts_with([flag])]
    os.environ["XLA_FLAGS"] = " ".join([given, *more]).strip()


def _starts_with(flags: Iterable[str]) -> bool:
    environment = os.environ | {"XLA_FLAGS": " ".join(flags), "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", "import jax; jax.devices()"]
    return subprocess.run(command, env=environment, capture_output=True).returncode == 0


def cache_dir() -> pathlib.Path:
    """Where compiled programs are kept; made private to the user."""
    user = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    root = pathlib.Path(os.environ.get("AVAX_CACHE_DIR") or pathlib.Path(user) / "avax")
    folder = root / f"jaxlib-{metadata.version('jaxlib')}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def num_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def device_kind() -> str:
    """What the devices are; of CPUs also which, since XLA compiles for the one that it finds: with
    other instructions sums are rounded elsewhere.
    """
    device = jax.devices()[0]
    return f"cpu {processor()}" if device.platform == "cpu" else device.device_kind


def processor(cpuinfo: pathlib.Path = pathlib.Path("/proc/cpuinfo")) -> str:
    """Maker, family and model of the CPU and its widest vectors, as far as the system tells."""
    try:
        lines = [line.partition(":") for line in cpuinfo.read_text().splitlines()]
    except OSError:
        return platform.processor() or platform.machine()
    fields = {name.strip(): value.strip() for name, _, value in reversed(lines)}
    names = ("vendor_id", "cpu family", "model", "CPU implementer", "CPU part")  # x86, then Arm
    features = (fields.get("flags") or fields.get("Features") or "").split()
    widest = [name for name in ("avx512f", "avx2", "avx", "sve", "asimd") if name in features]
    return " ".join([fields[n] for n in names if n in fields] + widest[:1]) or platform.machine()


def memory(device: jax.Device) -> int | None:
    """Bytes that a device may use, None if it doesn't say; CPU devices share those of the host."""
    if device.platform == "cpu":
        return host_memory() // (len(jax.local_devices()) * _num_processes)
    return (device.memory_stats() or {}).get("bytes_limit")


def host_memory() -> int:
    """Bytes of memory that this process may use, without regard to what others use now."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # of control groups 2 and 1
        try:
            found.append(int((pathlib.Path("/sys/fs/cgroup") / name).read_text()))
        except (OSError, ValueError):  # there is none, or it is `max`
            pass
    return min(found)


def versions() -> dict[str, str]:
    """Versions of Python and of what the numbers depend on."""
    packages = ("avax", "jax", "jaxlib", "flax", "optax", "numpy")
    return {"python": platform.python_version()} | {p: _version(p) for p in packages}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


@functools.cache  # of the code that is loaded now, not of what the files become
def git_commit() -> str:
    """The checkout's commit, `+` behind it if files differ from it; `unknown` outside of git."""
    here = pathlib.Path(__file__).parent

    def git(*words):
        return subprocess.run(
            ["git", *words], cwd=here, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
