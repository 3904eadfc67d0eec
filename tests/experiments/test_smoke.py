"""The main job from the command line to the figure, in its smallest form."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

import pytest
from smoke_runs import FILES, NOT_PRINTED, ROOT, SCRIPT, start_script

from avax import results

CONTROLS = ("line_sham", "line_placebo")  # of the part `line`
PARTS = ("import", "pretraining", "compilation", "running")

pytestmark = pytest.mark.slow


def start(
    folder: pathlib.Path, curriculum: str, *argv: str, out: str = ""
) -> subprocess.CompletedProcess:
    level = {"frontier": "2", "fixed": "0"}[curriculum]  # as users run it, and as it starts sooner
    how = ["--curriculum", curriculum, "--optimization", level]
    controls = ",".join(CONTROLS).replace("_", "/")
    how += ["--controls", "none" if curriculum == "frontier" else controls]
    return start_script(folder, SCRIPT, out or f"out-{curriculum}", *how, *argv)


def snapshot(folder: pathlib.Path) -> dict[str, tuple[int, bytes]]:
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in files}


@pytest.mark.parametrize("curriculum", ["frontier", "fixed"])
def test_from_the_command_line_to_the_figure(folder, tmp_path, curriculum):
    ended = start(folder, curriculum)
    assert ended.returncode == 0, ended.stderr
    assert "Warning" not in ended.stderr and "Traceback" not in ended.stderr
    out = folder / f"out-{curriculum}"
    parts = {"line", "twice", *(["control"] if curriculum == "fixed" else [])}
    files = FILES | {"figure_rounds.png", "figure_rounds.pdf"}
    assert files | NOT_PRINTED | parts == {p.name for p in out.iterdir()}
    assert {p.name for p in folder.iterdir()} <= {"out-frontier", "out-fixed", "out-traced"}

    lines = ended.stdout.splitlines()
    written = {line for line in lines if line.startswith(f"out-{curriculum}")}
    assert {pathlib.Path(line).name for line in written} == files
    (spent,) = (line for line in lines if line.startswith("wall time"))
    total, *parts = (float(x) for x in re.findall(r"([\d.]+) s", spent))
    assert all(f"{name} " in spent for name in PARTS) and len(parts) == len(PARTS)
    assert total == pytest.approx(sum(parts), abs=0.3) and total > 0
    assert re.search("measured boundary|no boundary was measured", ended.stdout)
    assert "predicted boundary" in ended.stdout and "preset smoke" in ended.stdout
    assert "8/8 settings" in ended.stderr

    data = results.load(out)
    config = json.loads((out / "config.json").read_text())
    assert data.sizes["fpr"] == 4 and data.sizes["fnr"] == 2
    assert data.sizes["round"] == config["base"]["num_rounds"] + 1
    assert data.accuracy.notnull().all()
    assert results.load(out / "twice").accuracy.dims == ("replicate", "fpr", "seed", "round")
    assert len({data.attrs["config"]["digest"], config["digest"]}) == 1
    if curriculum == "fixed":
        check_controls(out, tmp_path)


def check_controls(out: pathlib.Path, elsewhere: pathlib.Path) -> None:
    """They lie beside the experiment, and every command finds them."""
    found = {name: results.load(out / "control" / name) for name in CONTROLS}
    assert {p.name for p in (out / "control").iterdir()} == set(found)
    sham, placebo = (found[name].isel(seed=0, round=slice(1, None)) for name in CONTROLS)
    assert dict(sham.accuracy.sizes) == {"round": 3}
    assert dict(placebo.accuracy.sizes) == {"fpr": 4, "round": 3}
    assert (sham.accept_rate == 1).all() and placebo.accuracy.notnull().all()

    def start(*argv) -> str:
        return subprocess.run(
            [sys.executable, *argv], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout

    shown = start("-m", "avax", "show", out)
    assert all(f"control/{name}: " in shown for name in CONTROLS)
    csv = elsewhere / "placebo.csv"
    start("-m", "avax", "export", out / "control" / "line_placebo", "--csv", csv)
    assert csv.read_text().startswith("fpr,seed,round,")
    start("paper_figures/fig_noise_phase_diagram.py", out, "--out", elsewhere / "drawn")
    assert (elsewhere / "drawn.png").exists()


def test_traced_from_the_command_line_to_the_figure(folder):
    ended = start(folder, "frontier", "--trace", out="out-traced")
    assert ended.returncode == 0, ended.stderr
    assert "2 of 2 rays traced" in ended.stderr and "4/4 settings" in ended.stderr
    data = results.load(folder / "out-traced")
    assert data.attrs["config"]["trace"]
    num_run = int(data.accuracy.isel(round=-1, seed=0).notnull().sum())
    assert 2 <= num_run < 8 and f"{num_run} of 8 settings were run" in ended.stdout
    assert results.load(folder / "out-traced" / "line").accuracy.notnull().all()


def test_another_configuration_leaves_the_results_alone(folder):
    out = folder / "out-frontier"
    if not out.exists():
        assert start(folder, "frontier").returncode == 0
    before = snapshot(out)
    ended = start(folder, "frontier", "--base.num-eval", "9")
    assert ended.returncode == 2 and ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert "out-frontier" in line and "--out" in line
    assert json.loads((out / "config.json").read_text())["digest"] in line
    assert snapshot(out) == before


def test_the_same_configuration_gives_the_same_bits_again(folder):
    out = folder / "out-frontier"
    if not out.exists():
        assert start(folder, "frontier").returncode == 0
    before, figure = results.load(out), (out / "figure.png").read_bytes()
    ended = start(folder, "frontier", "--resume", "never")
    assert ended.returncode == 0 and "training" not in ended.stderr and "8/8" in ended.stderr
    after = results.load(out)
    assert after.drop_attrs(deep=False).identical(before.drop_attrs(deep=False))
    assert (out / "figure.png").read_bytes() == figure
