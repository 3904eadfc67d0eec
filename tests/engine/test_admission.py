"""Pools of bases, some of which don't meet the criterion, and designs of them.

With a toy instead of the loop, which tells settings, bases and keys apart.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr
from small_sweeps import BASE, PRETRAINING, SMALL
from toys import execute, stand_in_pretraining, toy_pretrain

import avax
from avax import results, struct
from avax.analysis import pool
from avax.cli import doubts
from avax.engine import bases as engine_bases
from avax.engine import knowledge
from avax.engine.durable import resume
from avax.engine.run import Engine
from avax.fields import ConfigError
from avax.plotting import overview
from avax.results import ResultsError, progress_file
from avax.sweeps import design
from avax.sweeps.sweep import Sweep

POOL = dataclasses.replace(SMALL, num_seeds=4, seed=0, tile_width="2", base_criterion=0.95)
# By seed, where each is worst. Of the first 190 of 200 are right, as 32 bits may have it.
KNOWN = {0: 0.9499998, 1: 0.949, 2: 1.0, 3: 0.96, 4: 0.2, 5: 0.99, 6: 1.0}
ADMITTED = [True, False, True, True]


@pytest.fixture
def known(toy, monkeypatch):
    """Bases that know what KNOWN says at one difficulty, and all at another; by seed."""
    kept = {}

    def train(config, experiment, task, seeds):
        found = trained(config, experiment, task, seeds)
        kept.update({float(x.policy["w"][-1]): seed for seed, x in found.items()})
        return found

    def accuracies(task, bases):
        shares = [KNOWN[kept[float(base["w"][-1])]] for base in bases]
        return np.array([[1.0, x] for x in shares], np.float32)

    trained = engine_bases.train_bases
    stand_in_pretraining(monkeypatch, toy_pretrain)
    monkeypatch.setattr(engine_bases, "train_bases", train)
    monkeypatch.setattr(knowledge, "accuracies", accuracies)
    return toy


def same(one: xr.DataArray, other: xr.DataArray) -> bool:
    """Equal but for what is known of the bases."""
    return one.reset_coords(drop=True).equals(other.reset_coords(drop=True))


def were_run(data: xr.Dataset) -> np.ndarray:
    return data.accuracy.notnull().all("round").values.reshape(-1, data.sizes["seed"])


def test_what_does_not_meet_the_criterion_is_left_out(known, tmp_path, capsys):
    """In the results it is NaN, and all others are as without the criterion; said and stored."""
    data = execute(POOL, tmp_path)
    line = "1 of 4 bases left out by base_criterion 0.95, of seeds 1 (0.95)"
    assert line in capsys.readouterr().err and pool.left_out(data)[0].startswith(line)
    assert data.attrs["provenance"]["left_out"] == [1]
    assert data.admitted.values.tolist() == ADMITTED
    np.testing.assert_allclose(data.worst_base_accuracy, [KNOWN[i] for i in range(4)])
    assert (were_run(data) == ADMITTED).all()
    weak = [line for line in doubts.of_part(POOL, data) if "wrong on most" in line]
    assert len(weak) == 1 and "of seeds 0, 2, 3: " in weak[0]  # the toy is, in the results
    every = execute(dataclasses.replace(POOL, base_criterion=0.0), tmp_path)
    assert were_run(every).all() and every.admitted.all() and not pool.left_out(every)
    for name in data.data_vars:
        assert same(data[name], every[name].where(data.admitted == 1))


def test_of_several_bases_of_a_run_all_must_be_admitted(known, tmp_path):
    """Its own and those of the seeds that follow: here that of seed 4, beyond the pool, too."""
    config = dataclasses.replace(POOL, base=BASE.replace(num_bases=2))
    data = execute(config, tmp_path)
    assert data.admitted.values.tolist() == [0, 0, 1, 0]
    np.testing.assert_allclose(data.worst_base_accuracy, [KNOWN[i] for i in range(4)])


def test_if_all_are_left_out_nothing_is_run(known, tmp_path):
    with pytest.raises(
        ConfigError, match="^base_criterion: is 1, and no base meets it, of seeds 3"
    ):
        execute(dataclasses.replace(POOL, seed=3, num_seeds=2, base_criterion=1.0), tmp_path)
    assert not known


def test_what_was_left_out_stays_so_when_it_goes_on_and_grows(known, tmp_path, monkeypatch, capsys):
    """With the bits of one run, and nothing said of what is not known before bases are there."""
    out, engine = tmp_path / "grown", Engine(tmp_path / "bases")
    for num_seeds in (2, 2, 4, 6):
        config = dataclasses.replace(POOL, num_seeds=num_seeds)
        with resume.claim({out: config}):
            data = engine.execute(config, out)
        assert len(progress_file.read(out)["runs"]) == 6 * int(data.admitted.sum())
    err = capsys.readouterr().err
    assert "put back" not in err and "left as it is" not in err
    assert "at most 24 runs are there" in err
    assert data.equals(execute(config, tmp_path)) and data.admitted.values.tolist()[4:] == [0, 1]


def test_what_was_left_out_stays_so_when_merged(known, tmp_path):
    parts = [dataclasses.replace(POOL, seed=seed, num_seeds=2) for seed in (2, 0)]
    for config in parts:
        execute(config, tmp_path)
    merged = avax.merge([tmp_path / x.digest() for x in parts], tmp_path / "out")
    assert merged.equals(execute(POOL, tmp_path)) and (were_run(merged) == ADMITTED).all()
    assert merged.attrs["provenance"]["left_out"] == [1]
    assert merged.admitted.values.tolist() == ADMITTED


BALANCED = dataclasses.replace(POOL, design="balanced", num_runs=2, keep_policies="last")


@pytest.mark.parametrize("width, placement", [("1", "tiles"), ("all", "spmd")])
def test_a_balanced_design_has_the_runs_of_the_whole_one(known, tmp_path, width, placement):
    """Those that it says, at their places, with their policies, and no others."""
    how = {"tile_width": width, "placement": placement}
    config = dataclasses.replace(BALANCED, **how)
    data = execute(config, tmp_path)
    made = design.made(config, np.array(ADMITTED))
    assert (were_run(data) == made).all() and (made.sum(1) == 2).all()
    every = execute(dataclasses.replace(config, design="all", num_runs=1), tmp_path)
    for name in data.data_vars:
        assert same(data[name], every[name].where(data.diverged.notnull()))
    kept = avax.load_policies(tmp_path / config.digest()).labels
    own = {(x["fpr"], x["fnr"], x["seed"]) for x in kept}
    run = data.accuracy.isel(round=0).stack(run=("fpr", "fnr", "seed")).dropna("run")
    assert own == set(run.run.values.tolist()) and len(kept) == 12


def test_a_balanced_design_goes_on_and_neither_grows_nor_merges(known, tmp_path, capsys):
    out = tmp_path / BALANCED.digest()
    data = execute(BALANCED, tmp_path)
    (out / results.PROVENANCE).unlink()
    with pytest.raises(ResultsError, match="not finished: 12 of at most 12 runs are done"):
        avax.load(out)
    capsys.readouterr()
    assert (
        execute(BALANCED, tmp_path).equals(data) and "12 runs were done" in capsys.readouterr().err
    )
    more = dataclasses.replace(BALANCED, num_seeds=6)
    with pytest.raises(ResultsError, match="another configuration .*num_seeds: 4 -> 6"):
        with resume.claim({out: more}):
            pass
    other = dataclasses.replace(BALANCED, seed=5, num_seeds=2, base_criterion=0.0)
    one = dataclasses.replace(BALANCED, seed=0, num_seeds=5, base_criterion=0.0)
    for config in (one, other):
        with resume.claim({tmp_path / str(config.seed): config}):
            Engine(tmp_path / "bases").execute(config, tmp_path / str(config.seed))
    with pytest.raises(ResultsError, match="can't be merged: its design is balanced over its own"):
        avax.merge([tmp_path / "0", tmp_path / "5"], tmp_path / "both")


@pytest.mark.slow
def test_a_balanced_sweep_is_traced_and_drawn(known, tmp_path):
    """The mean of a setting is that of its own bases."""
    rates = (0.0, 0.1, 0.3, 0.7, 1.0)
    axes = {"verifier.fpr": rates, "verifier.fnr": rates}
    traced = execute(dataclasses.replace(BALANCED, axes=axes, trace=True), tmp_path)
    every = traced.accuracy.notnull().all("round").sum("seed")
    assert set(np.unique(every)) == {0, 2}
    data = execute(dataclasses.replace(BALANCED, axes=axes), tmp_path)
    overview.draw(data)
    assert "25 settings (5 of verifier.fpr x 5 of verifier.fnr), 2 of 4 seeds" in overview.summary(
        data
    )


def test_experiments_of_one_base_configuration_share_their_bases(toy, tmp_path):
    """Whatever else they vary: rounds, lengths, learner, seeds, design."""
    config = Sweep(BASE, PRETRAINING, num_seeds=2)
    others = [
        struct.replace(config, "base.task.max_difficulty", 9),
        struct.replace(config, "base.verifier.fpr", 0.5),
        struct.replace(config, "base.replicate", 1),
        dataclasses.replace(BALANCED, seed=1, num_seeds=2),
    ]
    own = engine_bases.base_paths(config, config.base, tmp_path)
    for other in others:
        found = engine_bases.base_paths(other, other.base, tmp_path)
        assert {s: path for s, path in found.items() if s in own}.items() <= own.items()
