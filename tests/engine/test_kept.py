"""Trained policies beside the results: the right ones, of whatever was interrupted or damaged."""

from __future__ import annotations

import dataclasses
import json
import shutil

import jax
import numpy as np
import pytest
from small_sweeps import BASE, PRETRAINING
from toys import damage, eval_key, execute

import avax
from avax import metrics, results, struct
from avax.engine import kept
from avax.engine.bases import base_policies
from avax.engine.durable import keeper, resume
from avax.engine.durable.signals import Stop
from avax.engine.durable.survival import Stopped
from avax.engine.run import Engine
from avax.engine.segments import Run
from avax.learners import Population
from avax.results import ResultsError
from avax.sweeps.sweep import Sweep

pytestmark = pytest.mark.slow

ALL = Sweep(
    BASE.replace(learner=BASE.learner.replace(num_updates=4)),
    PRETRAINING,
    {"verifier.fpr": (0.0, 1.0)},
    num_seeds=2,
    seed=3,
    tile_width="2",
    keep_policies="all",
    optimization=0,
)
LAST = dataclasses.replace(ALL, keep_policies="last")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results with the policies after all rounds."""
    folder = tmp_path_factory.mktemp("kept")
    execute(ALL, folder)
    return folder


def out_of(folder):
    return folder / ALL.digest()


def same(one, other) -> bool:
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all((np.asarray(x) == np.asarray(y)).all() for x, y in pairs)


def again(folder, tmp_path, config, stop=None):
    """The sweep in another folder, with the same base policies."""
    return execute(config, tmp_path, Engine(folder / "bases", stop))


def test_each_policy_is_the_one_that_was_measured(folder):
    """It has the accuracy, on the run's own problems, that the results have at its labels."""
    dataset, policies = results.load(out_of(folder)), kept.load_policies(out_of(folder))
    assert len(policies) == 2 * 2 * 3
    assert policies.values() == {"fpr": [0.0, 1.0], "seed": [3, 4], "round": [0, 1, 2]}
    for labels, policy in policies:
        setting = struct.replace(ALL.base, "verifier.fpr", labels["fpr"])
        key = eval_key(labels["seed"])
        problems = metrics.eval_problems(setting.task, setting.num_eval, jax.random.fold_in(key, 0))
        found = metrics.of_policy(policy, setting.task, problems)["accuracy_by_difficulty"]
        assert found.tolist() == dataset.accuracy_by_difficulty.sel(labels).values.tolist()
    first, last = (policies.sel(fpr=1, seed=3, round=i) for i in (0, 2))
    assert not same(first, last)  # it has learned
    assert same(policies.sel(fpr=1, seed=3), last)


@pytest.mark.slow
@pytest.mark.parametrize("keep", ["last", "all"])
def test_of_a_population_it_is_the_first(folder, tmp_path, keep):
    """Of three runs in a tile, each of which trains two policies."""
    base = ALL.base.replace(learner=Population(ALL.base.learner), num_bases=2)
    config = dataclasses.replace(
        ALL, base=base, axes={}, num_seeds=3, tile_width="3", keep_policies=keep
    )
    dataset = again(folder, tmp_path, config)
    policies = kept.load_policies(tmp_path / config.digest())
    assert policies.values()["seed"] == [3, 4, 5]
    for labels, policy in policies:
        key = eval_key(labels["seed"])
        problems = metrics.eval_problems(base.task, base.num_eval, jax.random.fold_in(key, 0))
        found = metrics.of_policy(policy, base.task, problems)["accuracy_by_difficulty"]
        assert found.tolist() == dataset.accuracy_by_difficulty.sel(labels).values.tolist()


def test_some_are_chosen_by_their_labels(folder):
    policies = kept.load_policies(out_of(folder))
    seed = policies.sel(seed=4)
    assert isinstance(seed, kept.Policies) and seed.values()["seed"] == [4] and len(seed) == 6
    assert same(seed.sel(fpr=np.float32(0)), policies.sel(fpr=0, seed=4, round=2))
    stacked = policies.sel(round=2).stacked()
    assert jax.tree.leaves(stacked)[0].shape[0] == 4
    assert "12 policies" in repr(policies) and "fpr: 2" in repr(policies)
    for labels, words in (
        ({"fnr": 0}, "have no fnr, they have fpr, seed, round"),
        ({"fpr": 0.5}, "no policy of fpr 0.5; there are 0.0, 1.0"),
        ({"round": 7}, "no policy of round 7"),
        ({"fpr": 10**400}, "no policy of fpr 10"),
        ({"fpr": None}, "fpr is None, must be one value"),
        ({"seed": [3, 4]}, r"seed is \[3, 4\], must be one value"),
    ):
        with pytest.raises(ResultsError, match=words):
            policies.sel(**labels)


def test_the_last_alone_are_those_after_the_last_round(folder, tmp_path):
    again(folder, tmp_path, LAST)
    policies, whole = (kept.load_policies(out_of(x)) for x in (tmp_path, folder))
    assert policies.values() == {"fpr": [0.0, 1.0], "seed": [3, 4], "round": [2]}
    assert all(same(policy, whole.sel(**labels)) for labels, policy in policies)


@pytest.mark.parametrize(
    "config", [ALL, pytest.param(LAST, marks=pytest.mark.slow)], ids=["all", "last"]
)
def test_what_was_interrupted_leaves_the_same(folder, tmp_path, config, monkeypatch):
    config = dataclasses.replace(config, segment="1")
    segments, advance, stop = [], Run.advance, Stop()

    def stops(run, *args):
        segments.append(args)
        if len(segments) == 3:  # of two tiles with three rounds each
            stop.asked.set()
        return advance(run, *args)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(Run, "advance", stops)
        again(folder, tmp_path, config, stop)
    again(folder, tmp_path, config)
    policies, whole = (kept.load_policies(out_of(x)) for x in (tmp_path, folder))
    assert len(policies) == (12 if config.keep_policies == "all" else 4)
    assert all(same(policy, whole.sel(**labels)) for labels, policy in policies)


def test_runs_that_are_done_again_count_as_they_were_last(folder, tmp_path):
    """As after a kill between the policies of a run and the note that it is done."""
    again(folder, tmp_path, LAST)
    *_, last = keeper.batches(out_of(tmp_path) / "policies")  # or one, on a quick machine
    facts = kept.checkpoint.facts_of(last)
    one = kept.load_policies(out_of(tmp_path)).sel(fpr=0, seed=3)
    zeros = jax.tree.map(lambda x: np.zeros((1, 1, *x.shape), x.dtype), one)
    later = last.with_name(f"{int(last.name) + 1:06}")
    kept.checkpoint.save(later, zeros, facts | {"labels": [[0.0, 3]]})
    policies, whole = (kept.load_policies(out_of(x)) for x in (tmp_path, folder))
    assert all((x == 0).all() for x in jax.tree.leaves(policies.sel(fpr=0, seed=3)))
    assert same(policies.sel(fpr=1, seed=4), whole.sel(fpr=1, seed=4))


def test_what_is_not_kept_or_damaged_is_said(folder, tmp_path, capsys):
    none = dataclasses.replace(ALL, keep_policies="none")
    again(folder, tmp_path, none)
    with pytest.raises(ResultsError, match="no policies were kept; --keep-policies last"):
        kept.load_policies(out_of(tmp_path))
    again(folder, tmp_path / "last", LAST)
    batches = keeper.batches(out_of(tmp_path / "last") / "policies")
    policies = kept.load_policies(out_of(tmp_path / "last"))
    for data in (path for batch in batches for path in batch.rglob("0") if path.is_file()):
        content = bytearray(data.read_bytes())
        content[100] ^= 1
        data.write_bytes(content)
    with pytest.raises(ResultsError, match="is damaged"):
        policies.sel(fpr=0, seed=3)
    for batch in batches:
        damage(batch)
    with pytest.raises(ResultsError, match="no policies were kept"):
        kept.load_policies(out_of(tmp_path / "last"))
    assert f"{batches[0]}: is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        {"labels": {"ab": 0}},
        {"labels": ["ab"]},
        {"labels": [[0.0, 3], [0.0, 3]]},
        {"labels": [[0.5, 3]]},
        {"labels": [["0.0", 3]]},
        {"labels": [[False, 3]]},
        {"labels": [[float("nan"), 3]]},
        {"labels": [[10**400, 3]]},
        {"labels": [[0.0, [3]]]},
        {"labels": [[0.0, 3]] * 30_000, "rounds": [2] * 1_000_000},
        {"labels": [[float(i), 3] for i in range(30_000)], "rounds": [*range(1_000_000)]},
        {"rounds": [2, 2]},
        {"rounds": [99]},
        {"rounds": "2"},
    ],
    ids=lambda change: str(change)[:40],
)
def test_no_labels_but_those_of_the_results_are_taken(folder, tmp_path, change, capsys):
    """Whatever the batch says, in no time, and nothing of it has a label of its own making."""
    shutil.copytree(out_of(folder), tmp_path / "out")
    for batch in keeper.batches(tmp_path / "out" / "policies"):
        about = batch / kept.checkpoint.METADATA
        content = json.loads(about.read_text())
        content["custom_metadata"]["facts"] |= change
        about.write_text(json.dumps(content))
    with pytest.raises(ResultsError, match="no policies were kept"):
        kept.load_policies(tmp_path / "out")
    assert "is damaged; what it holds is passed over" in capsys.readouterr().err


def test_links_to_policies_are_not_followed(folder, tmp_path):
    shutil.copytree(out_of(folder), tmp_path / "out")
    place = tmp_path / "out" / "policies"
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResultsError, match="policies: can't be used: is a link"):
        kept.load_policies(tmp_path / "out")
    place.unlink()
    place.mkdir()
    (place / "000000").symlink_to(tmp_path / "elsewhere" / "000000")
    with pytest.raises(ResultsError, match="no policies were kept"):
        kept.load_policies(tmp_path / "out")


def test_many_runs_are_kept_in_several_checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(keeper, "MAX_RUNS", 3)
    runs, policies = np.arange(4), {"w": np.arange(8.0).reshape(4, 1, 2)}
    kept_here = keeper.Keeper(tmp_path, LAST, "last", goes_on=False)
    kept_here.put(runs[:1], {"w": policies["w"][:1]})
    kept_here.put(runs[1:], {"w": policies["w"][1:]})
    for _ in range(2):  # the second time there is nothing to write
        kept_here.flush()
    found = keeper.batches(tmp_path / "policies")
    labels = [kept.checkpoint.facts_of(path)["labels"] for path in found]
    assert labels == [[[0.0, 3], [0.0, 4], [1.0, 3]], [[1.0, 4]]]
    for path, rows in zip(found, (slice(0, 3), slice(3, 4)), strict=True):
        like = {"w": policies["w"][rows]}
        tree = kept.checkpoint.load(path, like, kept.checkpoint.facts_of(path))
        assert (tree["w"] == like["w"]).all()


def test_too_many_are_not_kept_unless_asked_for(folder, tmp_path, monkeypatch, capsys):
    auto = dataclasses.replace(ALL, keep_policies="auto")
    number = keeper.bytes_of_last(auto, auto.base)
    stacked = kept.load_policies(out_of(folder)).sel(round=2).stacked()
    assert number == sum(x.nbytes for x in jax.tree.leaves(stacked))
    assert keeper.what_to_keep(auto, auto.base) == "last"
    monkeypatch.setattr(keeper, "MAX_BYTES", number - 1)
    again(folder, tmp_path, auto)
    assert "are not kept; --keep-policies last keeps them" in capsys.readouterr().err
    assert not (out_of(tmp_path) / "policies").exists()
    assert keeper.what_to_keep(LAST, LAST.base) == "last"


def test_base_policies_of_results(folder, tmp_path):
    bases = avax.load_bases(out_of(folder), folder / "bases")
    expected = base_policies(ALL, ALL.base, folder / "bases")
    assert bases.values() == {"seed": [3, 4]}
    for i, seed in enumerate((3, 4)):
        assert same(bases.sel(seed=seed), jax.tree.map(lambda x, i=i: x[i, -1], expected))
        first = avax.load_policies(out_of(folder)).sel(fpr=0, seed=seed, round=0)
        assert same(bases.sel(seed=seed), first)
    with pytest.raises(ResultsError, match="holds no base policy of seed 3"):
        avax.load_bases(out_of(folder), tmp_path)


@pytest.mark.slow
def test_merged_and_grown_results_have_the_policies_of_all(folder, tmp_path):
    """Two folders with a seed each become one, which then grows by a third seed."""
    one = dataclasses.replace(LAST, num_seeds=1)
    for seed in (3, 4):
        config = dataclasses.replace(one, seed=seed)
        with resume.claim({tmp_path / str(seed): config}):
            Engine(folder / "bases").execute(config, tmp_path / str(seed))
    out = tmp_path / "merged"
    avax.merge([tmp_path / "4", tmp_path / "3"], out)
    policies, whole = kept.load_policies(out), kept.load_policies(out_of(folder))
    assert policies.values()["seed"] == [3, 4]
    assert all(same(policy, whole.sel(**labels)) for labels, policy in policies)
    grown = dataclasses.replace(LAST, num_seeds=3)
    with resume.claim({out: grown}):
        Engine(folder / "bases").execute(grown, out)
    policies = kept.load_policies(out)
    assert policies.values()["seed"] == [3, 4, 5]
    assert same(policies.sel(fpr=1, seed=4), whole.sel(fpr=1, seed=4))
