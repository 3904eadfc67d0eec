"""The root of an experiment's results is its own: another one leaves it as it is."""

from __future__ import annotations

import importlib
import json
import pathlib

import pytest

from avax import results
from avax.engine.durable import resume
from avax.results import ResultsError, folders, roots
from avax.sweeps import controls

PAIRS = [
    *[("noise_phase_diagram", "gap"), ("error_floor", "steps"), ("gap", "avalanche")],
    *[("self_trust", "length_generalization"), ("theory", "noise_phase_diagram")],
]


def sweeps_of(name: str, out: pathlib.Path) -> tuple[dict, roots.Root]:
    """The parts of an experiment's smallest form below a folder, and that folder as its root."""
    config = importlib.import_module(f"configs.{name}")
    choices = {flag: values[0] for flag, values in config.CHOICES.items()} | {"preset": "smoke"}
    parts = config.parts(config.build(**choices))
    return {out / part: s for part, s in parts.items()}, roots.Root(out, name, choices, (*parts,))


def claim(name: str, out: pathlib.Path):
    sweeps, root = sweeps_of(name, out)
    return resume.claim(sweeps, root=root)


def snapshot(folder: pathlib.Path) -> dict[str, bytes | None]:
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in sorted(folder.rglob("*"))
    }


def refused(name: str, out: pathlib.Path) -> str:
    """The line that an experiment is refused with; nothing below its root is changed."""
    before = snapshot(out)
    with pytest.raises(ResultsError) as raised:
        claim(name, out)
    assert snapshot(out) == before
    line = str(raised.value)
    assert line.startswith(f"{out}: ") and line.isprintable() and "--out" in line
    return line


@pytest.mark.parametrize("first, second", [*PAIRS, *(pair[::-1] for pair in PAIRS)])
def test_two_experiments_are_not_put_side_by_side(tmp_path, first, second):
    with claim(first, tmp_path):
        with pytest.raises(ResultsError, match="is the folder of"):
            claim(second, tmp_path)
    assert f"is the folder of {first}, this is {second}" in refused(second, tmp_path)
    with claim(first, tmp_path):
        pass


def test_a_root_is_held_as_long_as_its_parts(tmp_path, monkeypatch):
    """Of two that find an empty folder at the same time, one is refused."""
    with claim("gap", tmp_path / "out"):
        monkeypatch.setattr(roots, "check", lambda root: None)  # made before the first's claim
        with pytest.raises(ResultsError, match=f"{tmp_path / 'out'}: is in use by process"):
            claim("avalanche", tmp_path / "out")
    assert not (tmp_path / "out" / "direct").exists()


@pytest.mark.parametrize("first, second", [*PAIRS, *(pair[::-1] for pair in PAIRS)])
def test_results_that_are_older_than_the_file_are_known_by_their_parts(tmp_path, first, second):
    """Begun or finished; a second level of parts, too."""
    with claim(first, tmp_path):
        pass
    (tmp_path / roots.EXPERIMENT).unlink()
    line = refused(second, tmp_path)
    assert f"no part of {second}" in line or "another configuration" in line
    with claim(first, tmp_path):
        pass
    assert roots.read(tmp_path)["experiment"] == first


@pytest.mark.parametrize("name", ["gap", "theory"])
def test_the_file_says_what_the_results_are(tmp_path, name):
    with claim(name, tmp_path):
        found = json.loads((tmp_path / roots.EXPERIMENT).read_text())
    _, root = sweeps_of(name, tmp_path)
    assert found.pop("crc32") and found == roots.read(tmp_path)
    assert found == {
        "experiment": name,
        "choices": {"preset": "smoke"},
        "parts": list(root.parts),
    }


def test_a_damaged_file_keeps_nobody_out_and_lets_nobody_in(tmp_path, capsys):
    """A bit of each byte, in its turn."""
    with claim("gap", tmp_path):
        pass
    path = tmp_path / roots.EXPERIMENT
    good = path.read_bytes()
    sweeps, root = sweeps_of("gap", tmp_path)
    other = sweeps_of("avalanche", tmp_path)[1]
    num_damaged = 0
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :])
        num_damaged += roots.read(tmp_path) is None
        with pytest.raises(ResultsError):
            roots.check(other)
        roots.claim(root)
        assert path.read_bytes() == good
    assert num_damaged > 0.8 * len(good)
    path.write_bytes(good[: len(good) // 2])
    resume.claim(sweeps, root=root).close()
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"{path}: is damaged, written anew" and path.read_bytes() == good


def test_other_parts_of_the_same_experiment_are_refused(tmp_path):
    sweeps, root = sweeps_of("gap", tmp_path)
    fewer = root._replace(parts=root.parts[:-1])
    resume.claim(dict(list(sweeps.items())[:-1]), root=fewer).close()
    assert f"is of gap with other parts ({root.parts[-1]})" in refused("gap", tmp_path)


def test_controls_may_come_to_an_experiment_but_not_go(tmp_path):
    """Its own parts are what it is; what a folder lists is all that lies in it."""
    sweeps, root = sweeps_of("gap", tmp_path)
    (sweep, *_) = sweeps.values()
    resume.claim(sweeps, root=root).close()
    more = {**sweeps, tmp_path / "control/sham": controls.of(sweep, "sham")}
    larger = root._replace(parts=(*root.parts, "control/sham"))
    for _ in range(2):
        resume.claim(more, root=larger).close()
        assert roots.read(tmp_path)["parts"] == list(larger.parts)
        assert roots.places(tmp_path) == sorted(larger.parts)
    assert "is of gap with other parts (control/sham)" in refused("gap", tmp_path)
    other = root._replace(parts=(*root.parts[:-1], "control/sham"))
    with pytest.raises(ResultsError, match=rf"with other parts \({root.parts[-1]}\)"):
        roots.check(other)


def test_a_part_is_not_the_root_of_another_experiment(tmp_path):
    with claim("gap", tmp_path / "twice"):
        pass
    assert "twice in it is the folder of gap" in refused("noise_phase_diagram", tmp_path)
    with claim("noise_phase_diagram", tmp_path / "other"):
        pass
    assert "no part of gap" in refused("gap", tmp_path / "other" / "twice")
    with claim("theory", tmp_path):  # roots below a root, where none of its parts are
        pass


@pytest.mark.parametrize("name", roots.FIGURES)
def test_a_figure_of_something_else_is_left_alone(tmp_path, name):
    (tmp_path / name).write_text("mine")
    assert f"holds {name} of something else" in refused("gap", tmp_path)
    with claim("gap", tmp_path / "below"):  # other files are in nobody's way
        pass


@pytest.mark.parametrize("name", ["base", "twice", *roots.WRITTEN])
def test_a_link_where_a_part_lies_is_refused(tmp_path, name):
    (tmp_path / "outside").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to(pathlib.Path("..", "outside"))
    with pytest.raises(ResultsError, match=f"{name}: can't be used: is a link"):
        claim("avalanche", tmp_path / "out")
    assert not list((tmp_path / "outside").iterdir())


def test_nothing_is_said_of_an_experiment_that_is_refused_later(tmp_path):
    """Its parts hold another configuration: the root is left as it was."""
    sweeps, root = sweeps_of("gap", tmp_path)
    folders.claim(tmp_path / root.parts[-1], {}, "another")
    (tmp_path / root.parts[-1] / "metrics.zarr").mkdir()
    assert "another configuration" in str(pytest.raises(ResultsError, claim, "gap", tmp_path).value)
    assert [p.name for p in tmp_path.iterdir()] == [root.parts[-1]]
    assert results.CONFIG in snapshot(tmp_path / root.parts[-1])


def test_the_benchmark_leaves_the_folder_of_an_experiment_alone(tmp_path, monkeypatch, capsys):
    """Its figure has the same name."""
    benchmark = importlib.import_module("experiments.benchmark")
    with claim("gap", tmp_path):
        pass
    before = snapshot(tmp_path)
    monkeypatch.setattr("sys.argv", ["benchmark.py", "--json", str(tmp_path / "benchmark.json")])
    with pytest.raises(SystemExit) as raised:
        benchmark.main()
    line = f"error: --json: {tmp_path} is the folder of gap\n"
    assert raised.value.code == 2 and capsys.readouterr().err == line
    assert snapshot(tmp_path) == before
