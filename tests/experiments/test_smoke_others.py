"""Every other experiment from the command line to the figure, in its smallest form."""

from __future__ import annotations

import importlib
import pathlib

import pytest
from smoke_runs import FILES, NOT_PRINTED, SCRIPT, start_script

from avax import results
from avax.plotting import overview
from avax.results import roots

OTHERS = {p.stem for p in SCRIPT.parent.glob("*.py")} - {SCRIPT.stem, "benchmark", "run"}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_an_experiment_from_the_command_line_to_the_figure(folder, tmp_path, name):
    script = SCRIPT.with_stem(name)
    ended = start_script(tmp_path, script, "out", "--controls", "none")
    assert ended.returncode == 0, ended.stderr
    assert "Warning" not in ended.stderr and "Traceback" not in ended.stderr
    figure = importlib.import_module(f"paper_figures.fig_{name}")
    own = [part for part in figure.PARTS if not roots.is_control(part)]
    found = {part: results.load(tmp_path / "out" / part) for part in own}
    datasets = [found.get(part) for part in figure.PARTS]
    for data in found.values():
        assert data.accuracy.notnull().all() and data.attrs["provenance"]["arrays_sha256"]
    assert figure.summary(*datasets) in ended.stdout
    paths = [line for line in ended.stdout.splitlines() if line.startswith("out/")]
    assert paths and all((tmp_path / path).exists() for path in paths)
    assert {"figure.png", "figure.pdf"} <= {pathlib.Path(path).name for path in paths}


def test_any_experiment_from_the_command_line_to_the_figure(folder, tmp_path):
    """Plug-ins as an axis beside numbers, a probe, and what is left of it."""
    argv = "--axes.verifier none,oracle --axes.fpr 0,0.5 --base.probe pass_at".split()
    ended = start_script(tmp_path, SCRIPT.with_stem("run"), "out", *argv, "--num-seeds", "2")
    assert ended.returncode == 0, ended.stderr
    assert "Warning" not in ended.stderr and "Traceback" not in ended.stderr
    assert {p.name for p in (tmp_path / "out").iterdir()} == FILES | NOT_PRINTED
    data = results.load(tmp_path / "out")
    assert data.accuracy.dims == ("verifier", "fpr", "seed", "round")
    assert data.verifier.values.tolist() == ["none", "oracle"] and data.accuracy.notnull().all()
    assert overview.summary(data) in ended.stdout
    assert "those without it (none)" in ended.stderr and "note: axes.verifier.fpr" in ended.stdout
