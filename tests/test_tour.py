"""The notebook: it is valid, tells nothing of the machine that ran it, and all of it runs.

Where it is run anew, leave out of what is stored: standard error, times, metadata of the kernel and
of outputs; and store pictures with few colours.
"""

from __future__ import annotations

import ast
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PATH = ROOT / "docs" / "tour.ipynb"
NOTEBOOK = json.loads(PATH.read_text())
SOURCES = ["".join(c["source"]) for c in NOTEBOOK["cells"] if c["cell_type"] == "code"]
WORDS = "\n".join("".join(c["source"]) for c in NOTEBOOK["cells"] if c["cell_type"] == "markdown")
ENDING = """
assert all(dataset.sizes[name] > 1 for name in ("verifier", "seed", "round"))
sweep = avax.load("results/tour/sweep")
known = sweep.accuracy_by_difficulty.sel(round=0, difficulty=slice(1, 8))
assert known.mean("difficulty").min() > 0.9, known
gain = (sweep.accuracy.isel(round=-1) - sweep.accuracy.isel(round=0)).mean("seed")
assert gain.sel(fpr=0) > 0.1 > gain.sel(fpr=1), gain
rate = dataset.verifier_fpr.mean(("seed", "round"))  # unknown in rounds in which nothing is wrong
assert rate.sel(verifier="oracle") == 0 and rate.sel(verifier="none") == 1, rate
assert 0 < rate.sel(verifier="Nearly()") < 1, rate
"""


def test_it_is_a_notebook_whose_cells_compile():
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in NOTEBOOK["cells"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[\w-]{1,64}", x) for x in ids)
    for source in SOURCES:
        compile(source, "tour.ipynb", "exec")


def test_it_tells_nothing_of_the_machine_that_ran_it():
    assert len(PATH.read_bytes()) < 200_000
    assert set(NOTEBOOK["metadata"]) == {"kernelspec", "language_info"}
    assert NOTEBOOK["metadata"]["language_info"] == {"name": "python"}
    for cell in NOTEBOOK["cells"]:
        assert not cell["metadata"]
        for output in cell.get("outputs", ()):
            assert not output.get("metadata") and output.get("name") != "stderr"
            shown = {**output.get("data", {}), "text/plain": output.get("text", "")}
            shown.pop("image/png", None)
            assert not re.search(r"(^|[\s\"'=(])(/|~|[A-Z]:\\)\w", json.dumps(shown))


def test_its_outputs_are_those_of_all_its_cells_in_order():
    cells = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = [output["output_type"] for cell in cells for output in cell["outputs"]]
    assert "error" not in kinds and kinds.count("stream") == 4
    pictures = [o for c in cells for o in c["outputs"] if "image/png" in o.get("data", {})]
    assert len(pictures) == 2


def test_what_it_links_to_is_there():
    links = [link for link in re.findall(r"\]\(([^)]*)\)", WORDS) if "://" not in link]
    assert len(links) >= 3 and all((PATH.parent / link).exists() for link in links)


@pytest.mark.slow
def test_all_of_it_runs(tmp_path, home):
    """In one process that knows no notebook: the last expression of a cell is printed."""
    script = tmp_path / "tour.py"
    script.write_text("\n".join(map(with_display, SOURCES)) + ENDING)
    variables = {"AVAX_CACHE_DIR": str(home), "PYTHONPATH": str(ROOT)}
    environment = os.environ | variables | {"MPLBACKEND": "agg"}
    environment.pop("XLA_FLAGS", None)
    ended = subprocess.run(
        [sys.executable, "-W", "error", script],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("a picture") == 1
    samples = re.findall(r"^fpr \d, round \d\n +problem  completion +truth", ended.stdout, re.M)
    assert len(samples) == 3 and ended.stdout.count("right: ") == 3
    for name in ("seed", "difficulty", "oracle", "Nearly()", "none", "verifier_fpr"):
        assert name in ended.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"results", "tour.py"}
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"tour"}


def with_display(source: str) -> str:
    """A cell whose last expression is printed, or said to be a picture, as a notebook shows it."""
    tree = ast.parse(source)
    last = tree.body[-1]
    if isinstance(last, ast.Expr) and not source.rstrip().endswith(";"):
        code = ast.unparse(last.value)
        shown = f"_shown = {code}\n"
        shown += "if hasattr(_shown, '_repr_png_'):\n"
        shown += "    assert _shown._repr_png_().startswith(b'\\x89PNG')\n    print('a picture')\n"
        shown += "elif _shown is not None:\n    print(_shown)\n"
        return "\n".join([ast.unparse(ast.Module(tree.body[:-1], [])), shown])
    return source
