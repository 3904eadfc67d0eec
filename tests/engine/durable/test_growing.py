"""Results that grow: only the missing runs are run, and the whole has the bits of one run at once.

With a toy instead of the loop.
"""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
import shutil

import numpy as np
import pytest
from small_sweeps import RATES, SMALL

from avax import results, struct
from avax.engine import platform
from avax.engine.durable import resume
from avax.engine.durable.signals import Stop
from avax.engine.durable.survival import Stopped
from avax.engine.run import Engine
from avax.engine.segments import Run
from avax.results import ResultsError, grow, progress_file
from avax.sweeps import growth
from avax.verifiers import Hashed, Oracle, StepOracle

pytestmark = pytest.mark.slow

# 12 runs, seeds 3 and 4.
TINY = dataclasses.replace(SMALL, tile_width="2", segment="1", keep_policies="none")
MORE_SEEDS = {"seed": 1, "num_seeds": 5}
MORE_VALUES = {
    "axes": {"verifier.fpr": (0.0, 0.2, 0.5, 1.0), "verifier.fnr": (0.5, 0.1, 0.0)},
}
LARGER = {
    "seeds on both sides": MORE_SEEDS,
    "values in the middle, in another order": MORE_VALUES,
    "both": MORE_SEEDS | MORE_VALUES,
    "another order": {"axes": {"verifier.fnr": (0.5, 0.0), "verifier.fpr": (1.0, 0.5, 0.0)}},
}


class Counted(Stop):
    """Notes which tiles are run, by the seeds' bases and keys that they have; stops after some."""

    def __init__(self, monkeypatch, after=10**9):
        super().__init__()
        self.num_runs = 0
        advance, called = Run.advance, itertools.count(1)

        def noted(run, unit, experiments, progress, start, stop):
            if start == 0:
                keys = np.asarray(progress.state.key).tolist()
                self.num_runs += len(set(map(tuple, keys)))  # without padding
            if next(called) == after:
                self.asked.set()
            return advance(run, unit, experiments, progress, start, stop)

        monkeypatch.setattr(Run, "advance", noted)


def go(config, out, monkeypatch, after=10**9, mode="auto"):
    """How many runs a process began, and the results if it came to the end."""
    with monkeypatch.context() as patch:
        stop = Counted(patch, after)
        with resume.claim({out: config}, mode):
            try:
                data = Engine(out.parent / "bases", stop).execute(config, out)
            except Stopped:
                data = None
        return stop.num_runs, data


@pytest.mark.parametrize(
    "axes",
    [{}, pytest.param({"learner.num_updates": (1, 2)}, marks=pytest.mark.slow)],
    ids=["one", "two"],
)
def test_fewer_runs_than_a_tile_has_are_run_again(toy, tmp_path, monkeypatch, capsys, axes):
    """Of one structure, or of two with one run each: as one run of all would have them."""
    small = dataclasses.replace(TINY, axes=axes, num_seeds=1)
    out, num = tmp_path / "out", len(small.settings())
    assert go(small, out, monkeypatch)[0] == num
    assert results.load(out).attrs["provenance"]["tile_width"] == [1] * num
    more = dataclasses.replace(small, num_seeds=3)
    count, grown = go(more, out, monkeypatch)
    line = f"0 of {3 * num} runs are there, grows from 1 to 3 num_seeds; {num} that were fewer than"
    assert count == 3 * num and line in capsys.readouterr().err
    assert grown.attrs["provenance"]["tile_width"] == [2] * num
    whole = go(more, tmp_path / "whole", monkeypatch)[1]
    assert results.fingerprint(grown) == results.fingerprint(whole)
    assert go(more, out, monkeypatch)[0] == 0  # all there now, and it may grow on
    assert go(dataclasses.replace(more, num_seeds=4), out, monkeypatch)[0] == num


def larger(change) -> growth.Sweep:
    return dataclasses.replace(TINY, **change)


def files(folder: pathlib.Path) -> dict[str, bytes]:
    """All results, byte for byte, but for how they came about."""
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != results.PROVENANCE
    }


def everything(folder: pathlib.Path) -> dict[pathlib.Path, bytes | None]:
    return {p: p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


@pytest.fixture
def small(toy, tmp_path, monkeypatch) -> pathlib.Path:
    """Finished results of TINY."""
    num_runs, _ = go(TINY, tmp_path / "out", monkeypatch)
    assert num_runs == 12
    return tmp_path / "out"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(change, id=name, marks=[] if name == "both" else pytest.mark.slow)
        for name, change in LARGER.items()
    ],
)
def test_grown_is_as_run_at_once(small, tmp_path, monkeypatch, capsys, change):
    """File by file, checksums of the runs included; a folder of somebody else's stays."""
    (small / "policies").mkdir()
    (small / "policies" / "one").write_text("kept")
    config, runs = larger(change), progress_file.read(small)["runs"]
    total = growth.num_runs(config)
    num_run, grown = go(config, small, monkeypatch)
    assert num_run == total - 12
    err = capsys.readouterr().err
    assert f"{small}: 12 of {total} runs are there, {growth.change(TINY, config)}\n" in err
    num_run, whole = go(config, tmp_path / "whole", monkeypatch)
    assert num_run == total and results.fingerprint(grown) == results.fingerprint(whole)
    assert (small / "policies" / "one").read_text() == "kept"
    shutil.rmtree(small / "policies")
    assert files(small) == files(tmp_path / "whole")
    assert set(runs.values()) <= set(progress_file.read(small)["runs"].values())
    assert go(config, small, monkeypatch)[0] == 0


def test_what_is_said_names_what_grows():
    words = [growth.change(TINY, larger(change)) for change in LARGER.values()]
    axes = "from 3 to 4 values of verifier.fpr and from 2 to 3 values of verifier.fnr"
    assert words == [
        "grows from 2 to 5 num_seeds",
        f"grows {axes}",
        f"grows {axes} and from 2 to 5 num_seeds",
        "takes another order",
    ]


def test_an_unfinished_sweep_grows_and_is_interrupted_again(small, tmp_path, monkeypatch):
    """Its tiles in flight are begun again; those of the larger one are not."""
    config = larger(MORE_SEEDS)
    whole = go(config, tmp_path / "whole", monkeypatch)[1]
    out = tmp_path / "stopped"
    assert go(TINY, out, monkeypatch, 8)[1] is None
    done = len(progress_file.read(out)["runs"])
    assert 0 < done < 12 and (out / "checkpoints").is_dir()
    first, data = go(config, out, monkeypatch, 10)
    assert data is None and (out / "checkpoints").is_dir()
    second, data = go(config, out, monkeypatch)
    assert first + second == 30 - done
    assert results.fingerprint(data) == results.fingerprint(whole)
    assert files(out) == files(tmp_path / "whole")


@pytest.mark.slow
def test_structures_that_are_new_grow_too(toy, tmp_path, monkeypatch):
    """The number of updates is compiled: each has its own tile width, here 2, 4 and 4."""
    axes = {"learner.num_updates": (2, 1), "verifier.fpr": (0.0, 1.0)}
    part = dataclasses.replace(TINY, axes=axes, tile_width="4")
    config = dataclasses.replace(part, axes=axes | {"learner.num_updates": (3, 1, 2)})
    assert growth.structures(part, config) == [2, 1]
    go(part, tmp_path / "out", monkeypatch)
    num_run, grown = go(config, tmp_path / "out", monkeypatch)
    assert num_run == 4 and progress_file.read(tmp_path / "out")["facts"]["tile_width"] == [4] * 3
    whole = go(config, tmp_path / "whole", monkeypatch)[1]
    assert results.fingerprint(grown) == results.fingerprint(whole)


def test_plugins_take_another_order(toy, tmp_path, monkeypatch):
    """Where the command line puts the first of them into the base experiment, too."""
    small, whole = (
        dataclasses.replace(
            TINY,
            base=TINY.base.replace(verifier=plugins[0]),
            axes={"verifier": plugins, "verifier.fpr": rates},
        )
        for plugins, rates in (
            ((Oracle(), StepOracle()), (0.0,)),
            ((StepOracle(), Hashed(), Oracle()), (0.5, 0.0)),
        )
    )
    go(small, tmp_path / "out", monkeypatch)
    num_run, grown = go(whole, tmp_path / "out", monkeypatch)
    assert num_run == 8  # of 12
    data = go(whole, tmp_path / "whole", monkeypatch)[1]
    assert results.fingerprint(grown) == results.fingerprint(data)
    assert growth.part_of(small, {"digest": whole.digest(), **struct.to_dict(whole)}) is None


@pytest.mark.slow
def test_automatic_tile_widths_stay_as_they_were_chosen(toy, tmp_path, monkeypatch):
    part = dataclasses.replace(TINY, tile_width="auto")
    go(part, tmp_path, monkeypatch)
    chosen = progress_file.read(tmp_path)["facts"]["tile_width"]
    monkeypatch.setattr("avax.engine.run.measured_width", None)
    num_run, _ = go(dataclasses.replace(part, num_seeds=3), tmp_path, monkeypatch)
    assert num_run == 6 and progress_file.read(tmp_path)["facts"]["tile_width"] == chosen


REFUSED = {
    "fewer seeds": ({"num_seeds": 1}, "num_seeds: 2 -> 1"),
    "other seeds": ({"seed": 4, "num_seeds": 8}, "num_seeds: 2 -> 8; seed: 3 -> 4"),
    "another value": (
        {"axes": {"verifier.fpr": (0.0, 0.4, 1.0, 0.3), "verifier.fnr": (0.0, 0.5)}},
        r"axes.verifier.fpr: \[0.0, 0.5, 1.0\] -> \[0.0, 0.4, 1.0, 0.3\]",
    ),
    "another axis": (
        {"axes": {"verifier.fpr": (0.0, 0.5, 1.0), "learner.base_rate": (0.0, 0.5)}},
        "axes.verifier.fnr: .* -> null; axes.learner.base_rate: null -> ",
    ),
    "more seeds and another field": (
        {"num_seeds": 3, "base": SMALL.base.replace(num_eval=5)},
        "base.num_eval: 4 -> 5; num_seeds: 2 -> 3",
    ),
    "a wider tile": ({"num_seeds": 3, "tile_width": "all"}, r"\[2\] -> \[18\]; --tile-width 2 "),
    "another placement": ({"num_seeds": 3, "placement": "spmd"}, 'placement: "tiles" -> "spmd"'),
}


@pytest.mark.parametrize("change, line", REFUSED.values(), ids=REFUSED)
def test_all_else_is_refused_and_nothing_changed(small, monkeypatch, change, line):
    """Also where another folder, of the same command, could grow."""
    shutil.copytree(small, small.parent / "first")
    before = everything(small.parent)
    sweeps = {small.parent / "first": larger(MORE_SEEDS), small: larger(change)}
    with pytest.raises(ResultsError, match=line) as raised:
        resume.claim(sweeps)
    assert "\n" not in str(raised.value) and str(small) in str(raised.value)
    assert everything(small.parent) == before


def test_other_versions_are_refused(small, monkeypatch):
    before = everything(small)
    monkeypatch.setattr(platform, "versions", lambda: {"jax": "0"})
    with pytest.raises(ResultsError, match=r'versions.jax: "[\d.]+" -> "0"') as raised:
        resume.claim({small: larger(MORE_SEEDS)})
    assert "--tile-width" not in str(raised.value) and everything(small) == before
    num_run, data = go(larger(MORE_SEEDS), small, monkeypatch, mode="never")
    assert num_run == 30 and data.attrs["provenance"]["versions"] == {"jax": "0"}


def test_a_configuration_that_is_damaged_does_not_grow(small):
    """Its digest tells: the runs would land at the places of other seeds."""
    path = small / results.CONFIG
    path.write_text(path.read_text().replace('"seed": 3', '"seed": 2'))
    before = everything(small)
    with pytest.raises(ResultsError, match="another configuration"):
        resume.claim({small: larger(MORE_SEEDS)})
    assert everything(small) == before


def test_damaged_runs_are_run_again(small, tmp_path, monkeypatch, capsys):
    """The first value of the first axis: four runs, whose losses were in one file."""
    (small / results.STORE / "loss" / "c" / "0" / "0" / "0" / "0").write_bytes(b"damaged")
    config = larger(MORE_SEEDS)
    num_run, grown = go(config, small, monkeypatch)
    err = capsys.readouterr().err
    assert num_run == 30 - 12 + 4 and "8 of 30 runs are there" in err and "is damaged" in err
    whole = go(config, tmp_path / "whole", monkeypatch)[1]
    assert results.fingerprint(grown) == results.fingerprint(whole)


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    "name", [results.STORE, pytest.param(results.CONFIG, marks=pytest.mark.slow)]
)
def test_a_swap_that_was_cut_off_is_ended_first(small, tmp_path, monkeypatch, name):
    """And what was decided stays: the smaller sweep is refused then."""
    replace, config = pathlib.Path.replace, larger(MORE_SEEDS)

    def killed(path, to):
        if path.parent.name == grow.GROWN and path.name == name:
            raise Killed
        return replace(path, to)

    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "replace", killed)
        with pytest.raises(Killed):
            resume.claim({small: config})
    assert (small / grow.GROWN).is_dir()
    with pytest.raises(ResultsError, match="num_seeds: 5 -> 2"):
        resume.claim({small: TINY})
    assert not (small / grow.GROWN).exists()
    num_run, data = go(config, small, monkeypatch)
    whole = go(config, tmp_path / "whole", monkeypatch)[1]
    assert num_run == 18 and results.fingerprint(data) == results.fingerprint(whole)


def test_all_parts_of_an_experiment_grow(small, monkeypatch):
    inner = small / "label_noise"
    other = struct.replace(TINY, "base.num_eval", 5)
    go(other, inner, monkeypatch)
    sweeps = {x: dataclasses.replace(s, num_seeds=3) for x, s in ((small, TINY), (inner, other))}
    with resume.claim(sweeps):
        assert [len(progress_file.read(out)["runs"]) for out in sweeps] == [12, 12]
        assert all('"num_seeds": 3' in (out / results.CONFIG).read_text() for out in sweeps)


@pytest.mark.slow
def test_a_traced_sweep_grows(toy, tmp_path, monkeypatch):
    """What the larger one doesn't ask for isn't in it."""
    axes = {"verifier.fpr": RATES, "verifier.fnr": RATES}
    part = dataclasses.replace(TINY, axes=axes, trace=True)
    config = dataclasses.replace(part, num_seeds=3, axes=axes | {"verifier.fpr": (*RATES, 0.05)})
    go(part, tmp_path / "out", monkeypatch)
    num_run, grown = go(config, tmp_path / "out", monkeypatch)
    whole_run, whole = go(config, tmp_path / "whole", monkeypatch)
    assert results.fingerprint(grown) == results.fingerprint(whole) and 0 < num_run < whole_run
    assert files(tmp_path / "out") == files(tmp_path / "whole")
