"""Results that were made to harm, each opened in a process of its own that tells how it went.

python tests/hostile.py FOLDER            # one line of JSON for each attack and way of opening
"""

from __future__ import annotations

import json
import os
import pathlib
import resource
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
os.environ.setdefault("MPLBACKEND", "agg")

import hostile_files
import hostile_sizes
from crafted import CONFIG, empty, write

from avax import results
from avax.results import ResultsError, folders, progress_file, store
from paper_figures import command
from paper_figures import fig_noise_phase_diagram as figure

MOST = 10 * 2**30  # bytes of address space: what would take more fails
ATTACKS = hostile_sizes.ATTACKS | hostile_files.ATTACKS


def load(folder: pathlib.Path) -> None:
    results.load(folder)


def resume(folder: pathlib.Path) -> None:
    """As the engine does; it may repair what it knows."""
    folders.claim(folder, CONFIG, "digest")
    before = progress_file.read(folder, lambda line: None)
    store.Writer(folder, empty(), None, before)


def draw(folder: pathlib.Path) -> None:
    sys.argv = ["fig_noise_phase_diagram.py", str(folder)]
    command.main(figure.__doc__, figure.draw, figure.PARTS)


WAYS = {"load": load, "resume": resume, "draw": draw}


def opened(way: str, folder: pathlib.Path, answer: int) -> None:
    """What a process that opens a folder says about it: the line, its peak memory, its time."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST))
    before, start = peak(), time.monotonic()
    line, status = None, 0
    os.dup2(answer + 1, 2)
    try:
        WAYS[way](folder)
    except ResultsError as error:
        line = str(error)
    except SystemExit as ended:
        status = ended.code
    except BaseException as error:
        line, status = f"{type(error)}: {error}", "raised"
    found = {"line": line, "status": status, "bytes": peak() - before}
    os.write(answer, json.dumps(found | {"seconds": time.monotonic() - start}).encode())


def peak() -> int:
    """The most memory that this process has had, bytes."""
    text = pathlib.Path("/proc/self/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) * 1024


def in_a_process(way: str, folder: pathlib.Path, seconds: float = 30) -> dict:
    """What `opened` says from a process that is killed if it hangs."""
    answer, err = (folder.parent / f"{way}.{name}" for name in ("json", "err"))
    pid = os.fork()
    if pid == 0:
        signal.alarm(int(seconds))
        files = [os.open(p, os.O_CREAT | os.O_WRONLY | os.O_TRUNC) for p in (answer, err)]
        assert files[1] == files[0] + 1
        try:
            opened(way, folder, files[0])
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    found = json.loads(answer.read_text() or '{"line": "killed", "status": "killed"}')
    return found | {"err": err.read_text(errors="surrogateescape")}


def main(root: pathlib.Path) -> None:
    good = root / "good"
    if os.fork() == 0:
        write(good)
        os._exit(0)
    assert os.wait()[1] == 0
    for name, function in ATTACKS.items():
        for way in WAYS:
            folder, outside = (root / name / way / part for part in ("out", "outside"))
            shutil.copytree(good, folder)
            outside.mkdir()
            if os.fork() == 0:
                function(folder, outside)
                os._exit(0)
            assert os.wait()[1] == 0, name
            before = sorted(map(str, outside.rglob("*")))
            found = in_a_process(way, folder)
            found["escaped"] = sorted(map(str, outside.rglob("*"))) != before
            print(json.dumps({"attack": name, "way": way, **found}), flush=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
