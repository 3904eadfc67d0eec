"""avax can be imported where there is no POSIX; see "Systems" in docs/running.md."""

from __future__ import annotations

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]
IMPORT_ALL = """
import importlib, importlib.util, os, pathlib, signal, sys

# What avax depends on may use all of it.
import chex, filelock, flax.struct, jax, matplotlib.pyplot, numpy, optax, rich.progress
import xarray, zarr, jax.experimental.multihost_utils
from orbax.checkpoint import v1

for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for module, start in ((os, "O_N"), (os, "O_CLOEXEC"), (os, "sched_"), (signal, "SIG")):
    for name in dir(module):
        if name.startswith(start) and name not in ("SIGINT", "SIGTERM", "SIG_DFL", "SIG_IGN"):
            delattr(module, name)
for name in ("fork", "getuid", "geteuid", "sysconf", "register_at_fork"):
    delattr(os, name)

found = 0
for root in ("avax", "configs", "paper_figures"):
    for path in sorted(pathlib.Path(root).rglob("*.py")):
        if path.name == "torch_peer.py" and importlib.util.find_spec("torch") is None:
            continue
        name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        if not name.endswith("__main__"):
            importlib.import_module(name)
            found += 1
assert os.O_RDONLY == 0 and not hasattr(os, "O_NOFOLLOW")
print(found)
"""


def test_every_module_is_imported_without_what_only_posix_has():
    ended = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 100
