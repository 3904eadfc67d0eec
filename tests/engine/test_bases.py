"""Base policies that two processes need, that can't be kept, and that know nothing."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_sweeps import BASE, PRETRAINING, SMALL
from toys import damage, stand_in_pretraining, toy_pretrain

from avax.engine import bases as engine_bases
from avax.engine import knowledge
from avax.engine.bases import base_policies
from avax.fields import ConfigError
from avax.policies import pretrain
from avax.results import ResultsError, folders

# After damage, threads of orbax may end with errors of their own, at any later time.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TESTS = pathlib.Path(__file__).parents[1]

# Two processes


class Trainer:
    """A process that makes base policies when told to, of a toy that takes some time."""

    def __init__(self, folder: pathlib.Path, seconds: float):
        command = [sys.executable, TESTS / "toy_trainer.py", folder, str(seconds)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n", self.process.stderr.read()

    def begin(self, seed: int) -> None:
        """Asks for the policies of a seed and of the next."""
        self.process.stdin.write(f"{seed}\n")
        self.process.stdin.flush()

    def policies(self) -> str:
        """What the process has got."""
        return self.process.stdout.readline()

    def end(self) -> str:
        """What it said."""
        err = self.process.communicate(timeout=60)[1]
        assert self.process.returncode == 0, err
        return err


@pytest.mark.slow
def test_of_two_processes_one_trains_and_the_other_takes_what_it_kept(tmp_path):
    """Ten times, at the same moment; half of the time both need only one of the bases."""
    trainers = [Trainer(tmp_path, 0.1) for _ in range(2)]
    for i in range(10):
        for j, trainer in enumerate(trainers):
            trainer.begin(4 * i + j * (i % 2))
        one, other = (trainer.policies().split() for trainer in trainers)
        assert len(one) == len(other) == 2
        assert one == other if i % 2 == 0 else one[1] == other[0]
    said = "".join(trainer.end() for trainer in trainers)
    trained = (tmp_path / "trained").read_text().split()
    assert len(trained) == len(set(trained)) == 25
    waits = [line for line in said.splitlines() if "waiting for it" in line]
    assert len(waits) >= 5 and all("is being trained by " in line for line in waits)
    assert not list(tmp_path.glob("*.lock*")) and len(list(tmp_path.glob("*.json"))) == 25


@pytest.mark.slow
def test_who_waits_for_a_process_that_is_killed_trains_itself(tmp_path):
    first = Trainer(tmp_path, 60)
    first.begin(0)
    second = Trainer(tmp_path, 0)
    while not list(tmp_path.glob("*.lock.json")):
        time.sleep(0.01)
    second.begin(0)
    line = next(line for line in second.process.stderr if "waiting for it" in line)
    assert f"is being trained by process {first.process.pid} on " in line
    first.process.kill()
    first.process.communicate()
    assert len(second.policies().split()) == 2
    assert "training 2 policies" in second.end()


# Folders that can't be written


@pytest.fixture
def kept(toy, tmp_path, capsys):
    """A folder with the bases of SMALL, and these."""
    policies = base_policies(SMALL, BASE, tmp_path / "bases")
    capsys.readouterr()
    return tmp_path / "bases", policies


def files(folder: pathlib.Path) -> dict[pathlib.Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def make_read_only(monkeypatch) -> None:
    """As a mount that is read only, also for root."""

    def refuse(dir):
        raise OSError(30, "Read-only file system", dir)

    monkeypatch.setattr(folders.tempfile, "TemporaryFile", refuse)


def test_bases_are_read_where_nothing_can_be_written(kept, monkeypatch, capsys):
    folder, policies = kept
    make_read_only(monkeypatch)
    before = files(folder)
    np.testing.assert_array_equal(base_policies(SMALL, BASE, folder)["w"], policies["w"])
    assert files(folder) == before and capsys.readouterr().err == ""


def test_what_can_not_be_kept_is_not_trained(kept, monkeypatch, capsys):
    folder, _ = kept
    make_read_only(monkeypatch)
    more = dataclasses.replace(SMALL, num_seeds=4)
    expected = "can't be written to, and lacks base policies, of seeds 5, 6; .* --bases"
    with pytest.raises(ResultsError, match=f"^{folder}: {expected}$"):
        base_policies(more, BASE, folder)
    assert capsys.readouterr().err == ""


def test_a_folder_below_a_file_is_refused_before_anything_is_trained(toy, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="file/bases: can't be written to, and lacks"):
        base_policies(SMALL, BASE, tmp_path / "file" / "bases")
    assert capsys.readouterr().err == ""


def test_damage_where_nothing_can_be_written_is_said_in_one_line(kept, monkeypatch, capsys):
    folder, _ = kept
    make_read_only(monkeypatch)
    damage(sorted(path for path in folder.iterdir() if path.is_dir())[0])
    before = files(folder)
    with pytest.raises(ResultsError, match=r"lacks base policies, of seeds \d \(damaged: \d\);"):
        base_policies(SMALL, BASE, folder)
    assert files(folder) == before and capsys.readouterr().err == ""


def test_damage_that_can_not_be_moved_aside_is_said_in_one_line(kept, monkeypatch):
    folder, _ = kept
    damage(folder)

    def refuse(path, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(pathlib.Path, "rename", refuse)
    with pytest.raises(ResultsError, match="is damaged, and can't be moved aside: Operation not"):
        base_policies(SMALL, BASE, folder)


# What they know


def diverging(seeds):
    """Like `toy_pretrain`, but of a share of all keys nothing that is finite comes out."""

    def train(pretraining, task, base_difficulty, key):
        policy, losses = toy_pretrain(pretraining, task, base_difficulty, key)
        data = jax.random.key_data(key)
        bad = jnp.any(jnp.array([jnp.array_equal(data, x) for x in seeds]))
        return jax.tree.map(lambda x: jnp.where(bad, jnp.nan, x), policy), losses

    return train


def keys_of(*seeds):
    return [
        jax.random.key_data(
            pretrain.candidate_keys(PRETRAINING, engine_bases.stacking.base_key(s))[0]
        )
        for s in seeds
    ]


def test_diverged_bases_are_refused_and_not_kept(toy, tmp_path, monkeypatch):
    stand_in_pretraining(monkeypatch, diverging(keys_of(4)))
    line = r"pretraining.learning_rate: is 0.005, and base policies diverged \(seeds 4\): .*lower"
    with pytest.raises(ConfigError, match=line):
        base_policies(SMALL, BASE, tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 1  # that of seed 3
    stand_in_pretraining(monkeypatch, toy_pretrain)
    policies = base_policies(SMALL, BASE, tmp_path)
    assert np.isfinite(policies["w"]).all()


def test_diverged_bases_that_were_kept_before_are_refused(toy, tmp_path, monkeypatch):
    stand_in_pretraining(monkeypatch, diverging(keys_of(4)))
    with monkeypatch.context() as patch:
        patch.setattr(knowledge, "diverged", lambda trees: [])
        base_policies(SMALL, BASE, tmp_path)
    with pytest.raises(ConfigError, match="base policies diverged"):
        base_policies(SMALL, BASE, tmp_path)


@pytest.mark.parametrize("policy_by, loss_by", [(0.0, np.inf), (0.0, 2e4), (2e4, 0.0)])
def test_what_is_absurd_is_refused_though_it_is_finite(
    toy, tmp_path, monkeypatch, policy_by, loss_by
):
    def train(*args):
        policy, losses = toy_pretrain(*args)
        return {"w": policy["w"] + policy_by}, losses + loss_by

    stand_in_pretraining(monkeypatch, train)
    with pytest.raises(ConfigError, match=r"base policies diverged \(seeds 3, 4\)"):
        base_policies(SMALL, BASE, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_candidate_that_diverged_is_not_chosen():
    nan, inf = np.nan, np.inf
    losses = np.array([[nan, 0.2, inf], [0.1, 0.3, 0.2]])[..., None]
    policies = {"w": np.arange(6.0).reshape(2, 3, 1), "b": np.zeros((2, 3, 1, 2))}
    policies["b"][1, 0, 0, 1] = nan  # its loss was measured before the last update
    best, found = pretrain.best_candidate(policies, losses)
    assert best["w"].tolist() == [[1.0], [5.0]] and found.tolist() == [[0.2], [0.2]]


def test_bases_that_know_little_are_named_once(toy, tmp_path, monkeypatch, capsys):
    """After they were trained, and by every process that reads them."""
    found = np.array([[0.0625], [0.9]])
    monkeypatch.setattr(knowledge, "accuracies", lambda task, difficulty, bases: found)
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(knowledge, "_measured", {})
            base_policies(SMALL, BASE, tmp_path)
            (line,) = (ln for ln in capsys.readouterr().err.splitlines() if "know little" in ln)
            assert "6% (seed 3)" in line and "seed 4" not in line and "--pretraining" in line
            base_policies(SMALL, BASE, tmp_path)
            assert capsys.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.parametrize("rate, status", [("3e38", 2), ("1e6", 2), ("1", 0)])
def test_a_learning_rate_that_is_too_high_is_told_from_the_bases(tmp_path, rate, status):
    """Whether what comes out is finite or not."""
    ended = subprocess.run(
        [sys.executable, TESTS / "tiny_sweep.py", "--pretraining.learning-rate", rate],
        cwd=tmp_path, env=os.environ | {"AVAX_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ended.returncode == status and "Traceback" not in ended.stderr, ended.stderr
    line = next(line for line in ended.stderr.splitlines() if "--pretraining.learning-rate" in line)
    if status:
        named = f"error: pretraining.learning_rate: is {float(rate)}, "
        assert line.startswith(named) and "seeds 0" in line
        assert ended.stderr.splitlines()[-1] == line and "kept" not in ended.stderr
        assert not list((tmp_path / "results" / "bases").glob("*"))
    else:
        assert line.startswith("base policies know little") and "(seed 0)" in line
