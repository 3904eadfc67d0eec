"""Folders that have some of the seeds each become one, with the bits of a run of all of them.

With a toy instead of the loop.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib

import pytest
from small_sweeps import RATES, SMALL

import avax
from avax import results, struct
from avax.engine import platform
from avax.engine.durable import resume
from avax.engine.run import Engine
from avax.results import ResultsError, checked_json, folders, grow, progress_file, roots, store
from avax.sweeps.sweep import stored_digest

TINY = dataclasses.replace(SMALL, tile_width="2", num_seeds=1)


def run(folder: pathlib.Path, seed: int = 3, num_seeds: int = 1, config=TINY, name="mine"):
    """Results of an experiment of two parts, the second of which has a field of its own."""
    config = dataclasses.replace(config, seed=seed, num_seeds=num_seeds)
    sweeps = {folder: config, folder / "label_noise": struct.replace(config, "base.num_eval", 5)}
    with resume.claim(
        sweeps, root=roots.Root(folder, name, {"preset": "tiny"}, ("", "label_noise"))
    ):
        engine = Engine(folder.parent / "bases")
        return [engine.execute(part, out) for out, part in sweeps.items()]


def files(folder: pathlib.Path) -> dict[str, bytes]:
    """All results, byte for byte, but for how they came about, and policies."""
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != results.PROVENANCE and folders.POLICIES not in p.parts
    }


def everything(folder: pathlib.Path) -> dict[pathlib.Path, bytes | None]:
    return {p: p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


@pytest.fixture
def two(toy, tmp_path) -> list[pathlib.Path]:
    """Seeds 5 and 6, and seeds 3 and 4."""
    for name, seed in (("b", 5), ("a", 3)):
        run(tmp_path / name, seed, 2)
    return [tmp_path / "b", tmp_path / "a"]


def test_merged_is_as_run_at_once_and_grows(two, tmp_path, monkeypatch):
    """File by file, in all parts; what was merged stays, and again changes nothing."""
    before, out = [everything(folder) for folder in two], tmp_path / "out"
    merged = avax.merge(two, out)
    whole = run(tmp_path / "whole", 3, 4)
    assert merged.seed.values.tolist() == [3, 4, 5, 6] and merged.equals(whole[0])
    assert files(out) == files(tmp_path / "whole")
    assert [everything(folder) for folder in two] == before
    after = everything(out)
    assert avax.merge(two[::-1], out).equals(merged) and everything(out) == after
    about, others = (
        merged.attrs["provenance"],
        [avax.load(x).attrs["provenance"] for x in two],
    )
    assert about["device"] == others[0]["device"] and about["num_kept"] == 0
    assert about["seconds"]["running"] == pytest.approx(
        sum(x["seconds"]["running"] for x in others)
    )
    kept, put_kept = [], store.Writer.put_kept

    def noted(writer, runs):
        kept.extend(runs)
        put_kept(writer, runs)

    monkeypatch.setattr(store.Writer, "put_kept", noted)
    grown, _ = run(out, 3, 5)
    assert grown.sel(seed=slice(3, 6)).equals(merged) and len(kept) == 2 * 24


def test_results_of_no_experiment_merge(two, tmp_path):
    """And one that is traced: what wasn't run isn't made up."""
    traced = dataclasses.replace(
        TINY, axes={"verifier.fpr": RATES, "verifier.fnr": RATES}, trace=True
    )
    parts = [dataclasses.replace(traced, seed=seed) for seed in (1, 2)]
    for config in parts:
        with resume.claim({tmp_path / str(config.seed): config}):
            Engine(tmp_path / "bases").execute(config, tmp_path / str(config.seed))
    merged = avax.merge([tmp_path / "1", tmp_path / "2"], tmp_path / "out")
    assert not (tmp_path / "out" / roots.EXPERIMENT).exists()
    num_runs = [len(progress_file.read(tmp_path / x)["runs"]) for x in ("1", "2", "out")]
    assert num_runs[2] == sum(num_runs[:2]) == int(merged.diverged.isel(round=0).notnull().sum())
    for seed in (1, 2):
        alone = avax.load(tmp_path / str(seed))
        assert merged.sel(seed=[seed]).equals(alone)
    with pytest.raises(ResultsError, match="is of mine, .* of no experiment"):
        avax.merge([tmp_path / "1", two[0]], tmp_path / "other")


def other_seeds(folder):
    run(folder, 4, 1)


def a_gap(folder):
    run(folder, 7, 1)


def another_field(folder):
    run(folder, config=struct.replace(TINY, "base.learner.learning_rate", 0.5), seed=5)


def another_width(folder):
    run(folder, config=dataclasses.replace(TINY, tile_width="3"), seed=5)


def another_experiment(folder):
    run(folder, seed=5, name="other")


def unfinished(folder):
    run(folder, seed=5)
    (folder / results.PROVENANCE).unlink()


def without_progress(folder):
    run(folder, seed=5)
    (folder / results.PROGRESS).unlink()


def with_too_many_runs(folder):
    run(folder, seed=5)
    found = progress_file.read(folder)
    progress_file.write(folder, found["facts"], {99: 0})


def a_part_above(folder):
    """Which would be written outside of the folder."""
    run(folder, seed=5)
    for path in (folder, folder.parent / "a"):
        content = checked_json.read(path / roots.EXPERIMENT) | {"parts": ["", "../outside"]}
        checked_json.write(path / roots.EXPERIMENT, content)


REFUSED = {
    other_seeds: r"c: its seeds 4 to 4 overlap 3 to 4 of .*a$",
    a_gap: r"c: its seeds 7 to 7 don't follow 3 to 4 of .*a$",
    another_field: r"c: holds results of another .* than .*a \(base.learner.learning_rate: .* 0.5",
    another_width: r"c: was run in another way than .*a: tile_width: \[2\] -> \[3\]$",
    another_experiment: r"c: is of other, .*a of mine$",
    unfinished: "c: is not finished",
    without_progress: "c: there is no progress.json",
    with_too_many_runs: "c: can't be merged: is not as avax writes it",
    a_part_above: "a: names parts that can't be folders",
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_what_does_not_belong_together_is_one_line(toy, tmp_path, make):
    """And nothing is written."""
    run(tmp_path / "a", 3, 2)
    make(tmp_path / "c")
    before = everything(tmp_path)
    with pytest.raises(ResultsError, match=REFUSED[make]) as raised:
        avax.merge([tmp_path / "a", tmp_path / "c"], tmp_path / "out")
    assert "\n" not in str(raised.value) and everything(tmp_path) == before


def test_one_folder_is_no_list_of_folders(tmp_path):
    for folder in ("ab", tmp_path):
        with pytest.raises(ResultsError, match="is one folder, must be a list of folders"):
            avax.merge(folder, tmp_path / "out")


def test_other_versions_are_refused_and_another_commit_is_said(two, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(platform, "git_commit", lambda: "another")
    run(tmp_path / "c", 7)
    capsys.readouterr()
    merged = avax.merge([*two, tmp_path / "c"], tmp_path / "out")
    assert merged.attrs["provenance"]["git_commit"].endswith(", another")
    assert "c: was run by the code of commit another, not of " in capsys.readouterr().err
    monkeypatch.setattr(platform, "versions", lambda: {"jax": "0"})
    run(tmp_path / "d", 8)
    with pytest.raises(
        ResultsError, match=r'd: was run in another way .*versions.jax: ".*" -> "0"'
    ):
        avax.merge([*two, tmp_path / "c", tmp_path / "d"], tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_holds_something_else_is_left_alone(two, tmp_path):
    run(tmp_path / "out", 3)
    before = everything(tmp_path)
    for out, line in ((tmp_path / "out", "another configuration"), (two[0], "another config")):
        with pytest.raises(ResultsError, match=line):
            avax.merge(two, out)
    (tmp_path / "file").write_text("text")
    with pytest.raises(ResultsError, match="file: is a file"):
        avax.merge(two, tmp_path / "file")
    with pytest.raises(ResultsError, match="no folders"):
        avax.merge([], tmp_path / "new")
    (tmp_path / "file").unlink()
    assert everything(tmp_path) == before


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.slow
def test_a_merge_that_was_killed_is_begun_again(two, tmp_path, monkeypatch):
    """After the first of two parts was built, and while it is moved."""
    avax.merge(two, tmp_path / "good")
    replace, moved = pathlib.Path.replace, []

    def killed(path, to):
        if path.parent.name == grow.GROWN:
            moved.append(path)
            if len(moved) > stop:
                raise Killed
        return replace(path, to)

    for stop in range(2 * len(grow.MOVED)):
        out = tmp_path / str(stop)
        moved.clear()
        with monkeypatch.context() as patch:
            patch.setattr(pathlib.Path, "replace", killed)
            with pytest.raises(Killed):
                avax.merge(two, out)
        avax.merge(two, out)
        assert files(out) == files(tmp_path / "good")


def test_the_digest_is_that_of_what_is_stored():
    for how in ({}, {"tile_width": "7", "engine": "ray"}, {"num_seeds": 5, "trace": True}):
        config = dataclasses.replace(TINY, **how)
        assert stored_digest(json.loads(json.dumps(struct.to_dict(config)))) == config.digest()
