"""The engine from configuration to results, with a toy instead of the loop."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_sweeps import BASE, PRETRAINING, SMALL
from toys import damage, execute, run_key, stand_in_pretraining, toy_pretrain

from avax import struct
from avax.engine import bases as engine_bases
from avax.engine.run import Engine
from avax.sweeps import sweep
from avax.sweeps.sweep import Sweep
from avax.tasks import Scratchpad

# After damage, threads of orbax may end with errors of their own, at any later time.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize("width", ["1", "5", "all"])
def test_every_run_lands_in_its_cell(toy, tmp_path, width):
    """Two structures, that is two programs, in one sweep."""
    axes = {"verifier.fpr": (0.0, 0.5), "learner.num_updates": (1, 2), "verifier.fnr": (0.1, 0.2)}
    config = dataclasses.replace(SMALL, axes=axes, tile_width=width)
    data = execute(config, tmp_path)
    assert data.accuracy.dims == ("fpr", "num_updates", "fnr", "seed", "round")
    assert len(toy) == 2
    rounds = np.arange(3, dtype=np.float32)
    bases = engine_bases.base_policies(config, BASE, tmp_path / "bases")["w"]
    for setting, index in zip(config.settings(), np.ndindex(2, 2, 2), strict=True):
        for i, seed in enumerate((3, 4)):
            cell = data.isel(fpr=index[0], num_updates=index[1], fnr=index[2], seed=i)
            assert (cell.fpr, cell.fnr) == (setting.verifier.fpr, setting.verifier.fnr)
            np.testing.assert_array_equal(cell.accuracy, np.float32(setting.verifier.fpr) + rounds)
            np.testing.assert_array_equal(cell.loss, np.float32(setting.verifier.fnr) + rounds)
            np.testing.assert_array_equal(cell.grad_norm, setting.learner.num_updates + rounds)
            np.testing.assert_array_equal(cell.sampled_accuracy, bases[i, -1] + rounds)
            chance = jax.random.uniform(run_key(setting, seed))
            np.testing.assert_allclose(cell.accept_rate, chance + rounds, rtol=1e-6)
            assert cell.accuracy_by_difficulty.values.tolist() == [[r, -r] for r in rounds]


def test_one_setting_is_a_sweep(toy, tmp_path):
    data = execute(Sweep(BASE, PRETRAINING, tile_width="8"), tmp_path)
    assert data.accuracy.dims == ("seed", "round")
    assert data.accuracy.values.tolist() == [[0.0, 1.0, 2.0]]
    assert data.attrs["provenance"]["tile_width"] == [1]


def test_sweeps_of_one_structure_share_a_program(toy, tmp_path):
    engine = Engine(tmp_path / "bases")
    first = execute(SMALL, tmp_path, engine)
    other = dataclasses.replace(SMALL, axes={"label_noise.digit_rate": (0.0, 0.1, 0.2)})
    second = execute(other, tmp_path, engine)
    assert len(toy) == 1
    assert second.accuracy.dims == ("digit_rate", "seed", "round")
    np.testing.assert_array_equal(second.sampled_accuracy[0], first.sampled_accuracy[0, 0])


def test_base_policies_are_trained_once(toy, tmp_path, capsys, monkeypatch):
    def train(config=SMALL, experiment=BASE):
        policies = engine_bases.base_policies(config, experiment, tmp_path)
        return policies["w"].tolist(), "training" in capsys.readouterr().err

    def broken(*args):
        return jax.tree.map(lambda x: jnp.full_like(x, jnp.nan), toy_pretrain(*args))

    first, trained = train()
    assert trained and len(first) == 2 and first[0] != first[1]
    stand_in_pretraining(monkeypatch, broken)
    assert train() == (first, False)
    assert train(experiment=struct.replace(BASE, "verifier.fpr", 0.5)) == (first, False)
    stand_in_pretraining(monkeypatch, toy_pretrain)
    others = [
        (dataclasses.replace(SMALL, pretraining=PRETRAINING.replace(learning_rate=1e-4)), BASE),
        (dataclasses.replace(SMALL, pretraining=PRETRAINING.replace(batch_size=8)), BASE),
        (dataclasses.replace(SMALL, seed=8), BASE),
        (SMALL, BASE.replace(base_difficulty=2)),
    ]
    for config, experiment in others:
        assert train(config, experiment)[1]
        assert not train(config, experiment)[1]
    assert train() == (first, False)
    assert train(dataclasses.replace(SMALL, num_seeds=1)) == (first[:1], False)


def test_a_base_is_the_same_whichever_others_are_trained_with_it(toy, tmp_path, capsys):
    """And those of further seeds are trained alone."""
    more = dataclasses.replace(SMALL, num_seeds=3)
    engine_bases.base_policies(SMALL, BASE, tmp_path / "bit by bit")
    grown = engine_bases.base_policies(more, BASE, tmp_path / "bit by bit")["w"]
    err = capsys.readouterr().err
    assert "training 2 policies" in err and "training 1 policies" in err
    at_once = engine_bases.base_policies(more, BASE, tmp_path / "at once")["w"]
    np.testing.assert_array_equal(grown, at_once)


def test_damaged_base_policies_are_trained_again(toy, tmp_path, capsys):
    first = engine_bases.base_policies(SMALL, BASE, tmp_path)
    one, other = (p for p in tmp_path.iterdir() if p.is_dir())
    damage(one)
    again = engine_bases.base_policies(SMALL, BASE, tmp_path)
    assert capsys.readouterr().err.count("training 1 policies") == 1
    assert again["w"].tolist() == first["w"].tolist()
    engine_bases.base_policies(SMALL, BASE, tmp_path)
    assert "training" not in capsys.readouterr().err


def test_damaged_facts_are_no_obstacle(toy, tmp_path):
    first = engine_bases.base_policies(SMALL, BASE, tmp_path)
    for path in tmp_path.rglob("*"):
        if path.is_file() and b"batch_size" in path.read_bytes():
            path.write_bytes(path.read_bytes().replace(b"batch_size", b"bAtch_size"))
    again = engine_bases.base_policies(SMALL, BASE, tmp_path)
    assert again["w"].tolist() == first["w"].tolist()


def test_a_sweep_over_base_difficulty_has_a_base_for_each(toy, tmp_path):
    data = execute(dataclasses.replace(SMALL, axes={"base_difficulty": (1, 2)}), tmp_path)
    number = data.sampled_accuracy.isel(round=0)
    assert (abs(number.sel(base_difficulty=2) - number.sel(base_difficulty=1) - 10) < 1e-3).all()


def test_bases_are_trained_on_the_task_of_the_base(toy, tmp_path, monkeypatch):
    def pretrain(pretraining, task, base_difficulty, key):
        """Says how often the task of its training asks for a step."""
        return {"w": jnp.full((1,), task.step_rate)}, jnp.zeros(1)

    stand_in_pretraining(monkeypatch, pretrain)
    task = Scratchpad(max_difficulty=2, step_rate=0.0)
    for field, own in (("base_task", {"base_task": task}), ("task", {})):
        axes = {f"{field}.step_rate": (0.25, 0.75)}
        config = dataclasses.replace(SMALL, base=BASE.replace(task=task, **own), axes=axes)
        number = execute(config, tmp_path).sampled_accuracy.isel(round=0)
        assert number.transpose("step_rate", "seed").values.tolist() == [[0.25] * 2, [0.75] * 2]


def test_a_field_that_is_none_renames_no_configuration():
    """So that the results of configurations without it keep their names and their keys."""
    assert "base_task" not in struct.to_dict(BASE)
    same_task = BASE.replace(base_task=BASE.task)
    assert struct.to_dict(same_task)["base_task"] == struct.to_dict(BASE.task)
    assert sweep.digest(same_task) != sweep.digest(BASE)


def test_an_axis_may_have_the_name_of_another_dimension(toy, tmp_path):
    data = execute(dataclasses.replace(SMALL, axes={"label_noise.round": (1, 2)}), tmp_path)
    assert data.sizes["round"] == 3 and data.sizes["label_noise.round"] == 2
