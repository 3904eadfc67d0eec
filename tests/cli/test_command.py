"""The installed command: what a folder holds, without JAX, and one line for a mistake."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

import pytest

import avax
from avax import __main__ as command
from avax import results
from avax.__main__ import COMMANDS

ROOT = pathlib.Path(__file__).parents[2]
DATA = ROOT / "paper_figures" / "data"


def test_there_is_one_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", avax.__version__)
    assert f"version: {avax.__version__}" in (ROOT / "CITATION.cff").read_text()
    assert 'version = { attr = "avax.__version__" }' in (ROOT / "pyproject.toml").read_text()


def test_it_starts_without_jax():
    script = "import sys; from avax import __main__; print('jax' in sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "False"


def test_it_says_what_a_folder_holds(capsys):
    command.main(["show", str(DATA / "noise_phase_diagram")])
    lines = capsys.readouterr().out.splitlines()
    data = results.load(DATA / "noise_phase_diagram")
    assert "16 fpr, 16 fnr, 32 seed, 11 round" in lines[0] and "jax" in lines[1]
    accuracy = f"{data.accuracy.isel(round=-1).mean().item():.3g} in the last"
    assert any("accuracy: " in line and accuracy in line for line in lines)
    assert any("twice: 2 replicate" in line for line in lines)


def test_it_says_the_same_every_time():
    """What is read in parallel comes in another order each time."""
    found = [results.load(DATA / "noise_phase_diagram" / "line") for _ in range(8)]
    assert {tuple(data.sizes) for data in found} == {tuple(found[0].sizes)}
    assert {tuple(data.variables) for data in found} == {tuple(found[0].variables)}


def test_nobody_needs_to_read_to_the_end():
    command = [sys.executable, "-m", "avax", "show", str(DATA / "noise_phase_diagram")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_it_says_which_experiment_it_is_of_and_what_is_not_there_yet(tmp_path, capsys):
    from avax.results import roots

    source = results.load(DATA / "noise_phase_diagram" / "twice")
    results.save(source, tmp_path / "twice")
    roots.claim(roots.Root(tmp_path, "mine", {"preset": "smoke"}, ("", "twice")))
    command.main(["show", str(tmp_path)])
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "mine (preset smoke)" and "holds no results" in second


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as raised:
        command.main(["--help"])
    out = capsys.readouterr().out
    assert not raised.value.code
    assert all(f"avax {name}" in out for name in COMMANDS) and "--axes.fpr" in out


def test_flags_without_a_command_run_an_experiment(monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(command, "run", seen.append)
    for argv in ([], ["--preset", "smoke"]):
        command.main(argv)
    command.main(["show", str(DATA / "theory" / "skill")])
    assert seen == [[], ["--preset", "smoke"]] and capsys.readouterr().out


def test_it_says_its_version(capsys):
    command.main(["--version"])
    assert capsys.readouterr().out == f"avax {avax.__version__}\n"


@pytest.mark.parametrize(
    "argv, words",
    [
        (["--fpr", "0.1"], "did you mean --base.verifier.fpr?"),
        (["shw"], "show"),
        (["shw"], "export"),
        (["show", "nothing"], "no such folder"),
    ],
)
def test_a_mistake_ends_in_one_line(argv, words, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as raised:
        command.main(argv)
    (line,) = capsys.readouterr().err.splitlines()
    assert raised.value.code == 2 and line.startswith("error: ") and words in line


def test_damaged_results_end_in_one_line(tmp_path, capsys):
    results.save(results.load(DATA / "noise_phase_diagram" / "twice"), tmp_path)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"seed": 9}))
    with pytest.raises(SystemExit):
        command.main(["show", str(tmp_path)])
    assert "config.json: is damaged" in capsys.readouterr().err
