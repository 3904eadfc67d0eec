"""How many runs happen: grouping, placement and storage never change what a run finds."""

from __future__ import annotations

import dataclasses
import json
import shutil
import threading
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from avax import results, struct
from avax.analysis import phase
from avax.curricula import Fixed, Frontier
from avax.engine import bases as engine_bases
from avax.engine import checkpoint, design, platform, script, study, sweep, tiles
from avax.engine.sweep import Sweep
from avax.learners import GRPO, FilteredSFT
from avax.loop import Experiment
from avax.metrics import METRICS
from avax.models.transformer import TransformerConfig
from avax.pretrain import Pretraining, pretrain
from avax.tasks import Copy, Scratchpad
from avax.types import MISTAKES
from avax.verifiers import MajorityVote, Noisy, Oracle

# After damage, threads of orbax may end with errors of their own, at any later time.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

BASE = Experiment(
    task=Copy(max_difficulty=2),
    curriculum=Fixed(highest=2),
    verifier=Oracle(),
    learner=FilteredSFT(num_problems=8, num_updates=2, batch_size=8, num_kept=1),
    base_difficulty=1,
    num_rounds=2,
    num_eval=4,
)
PRETRAINING = Pretraining(
    model=TransformerConfig(num_layers=1, num_heads=2, width=16, position="none"),
    num_updates=60,
    batch_size=16,
)
RATES = (0.0, 0.1, 0.3, 0.7, 1.0)
GRID = Sweep(BASE, PRETRAINING, {"verifier.fpr": RATES, "verifier.fnr": RATES})
SMALL = Sweep(
    BASE,
    PRETRAINING,
    {"verifier.fpr": (0.0, 0.5, 1.0), "verifier.fnr": (0.0, 0.5)},
    num_seeds=2,
    seed=3,
    tile_width="4",
)


@pytest.fixture(scope="module", autouse=True)
def quick_compilation():
    """What is compiled here runs for milliseconds."""
    with pytest.MonkeyPatch.context() as patch:
        options = platform.compiler_options(optimization=0)
        patch.setattr(platform, "compiler_options", lambda optimization=0: options)
        yield


# Sweeps


def test_settings_are_all_combinations_the_last_axis_fastest():
    config = Sweep(BASE, axes={"verifier.fpr": (0.0, 0.5), "learner.base_rate": (0.1, 0.2, 0.3)})
    assert config.shape == (2, 3)
    found = [(s.verifier.fpr, s.learner.base_rate) for s in config.settings()]
    assert found == [(0.0, 0.1), (0.0, 0.2), (0.0, 0.3), (0.5, 0.1), (0.5, 0.2), (0.5, 0.3)]
    assert config.settings()[1] == struct.replace(BASE, "learner.base_rate", 0.2)
    assert Sweep(BASE).settings() == [BASE]


def test_dimensions_are_named_after_fields_unless_they_clash():
    axes = ["verifier.fpr", "learner.base_rate", "verifier.inner.fpr"]
    assert sweep.dimension_names(dict.fromkeys(axes)) == {
        "verifier.fpr": "verifier.fpr",
        "learner.base_rate": "base_rate",
        "verifier.inner.fpr": "verifier.inner.fpr",
    }


def test_an_equal_sweep_has_an_equal_digest():
    assert dataclasses.replace(SMALL, tile_width="all").digest() == SMALL.digest()
    again = Sweep(**{f.name: getattr(SMALL, f.name) for f in dataclasses.fields(SMALL)})
    assert again.digest() == SMALL.digest()
    assert len(SMALL.digest()) == 16 and int(SMALL.digest(), 16) >= 0


def changed(value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    return value + "x" if isinstance(value, str) else value + 1


def test_any_other_field_changes_the_digest():
    digests = {SMALL.digest()}
    paths = [p for p, _, v in struct.walk(SMALL) if isinstance(v, (bool, int, float, str))]
    paths = [p for p in paths if p not in sweep.EXECUTION]
    assert len(paths) > 30
    for path in paths:
        other = struct.replace(SMALL, path, changed(struct.get(SMALL, path)))
        digests.add(other.digest())
    for axes in ({}, {"verifier.fpr": (0.0, 0.5)}, {**SMALL.axes, "verifier.fnr": (0.0, 0.4)}):
        digests.add(dataclasses.replace(SMALL, axes=axes).digest())
    for plugin in ({"verifier": Noisy(Oracle())}, {"curriculum": Frontier(start=1)}):
        digests.add(dataclasses.replace(SMALL, base=BASE.replace(**plugin)).digest())
    assert len(digests) == 1 + len(paths) + 3 + 2


def test_a_whole_number_in_a_float_field_is_that_float():
    """0 and 0.0 are one setting, with one key, wherever they stand."""
    whole = Sweep(
        BASE.replace(verifier=Oracle(fpr=0, fnr=1)), PRETRAINING, {"verifier.fpr": (0, 1)}
    )
    floats = Sweep(
        BASE.replace(verifier=Oracle(fpr=0.0, fnr=1.0)), PRETRAINING, {"verifier.fpr": (0.0, 1.0)}
    )
    assert whole.digest() == floats.digest()
    assert all(type(s.verifier.fpr) is float for s in whole.settings())
    assert sweep.stack(whole.settings()).verifier.fpr.dtype == np.float32
    assert type(whole.base.base_difficulty) is int


def test_what_shares_structure_and_bases_is_one_group():
    leaf = struct.replace(BASE, "verifier.fpr", 0.5)
    size = struct.replace(BASE, "learner.num_updates", 3)
    learner = BASE.replace(learner=GRPO(num_problems=8, num_samples=2))
    inner = BASE.replace(verifier=Noisy(MajorityVote()))
    settings = [BASE, learner, leaf, size, learner.replace(base_difficulty=2), inner, BASE]
    assert sweep.group_by_structure(settings) == [[0, 2, 6], [1], [3], [4], [5]]


def test_stacked_leaves_are_int32_or_float32():
    stacked = sweep.stack([BASE, struct.replace(BASE, "verifier.fpr", 0.25)])
    assert stacked.verifier.fpr.tolist() == [0.0, 0.25]
    assert stacked.snapshot.tolist() == [-1, -1]
    dtypes = jax.tree.map(lambda x: x.dtype, stacked)
    expected = jax.tree.map(lambda x: np.int32 if isinstance(x, int) else np.float32, BASE)
    assert jax.tree.leaves(dtypes) == jax.tree.leaves(expected)
    assert stacked.num_rounds == BASE.num_rounds  # static fields stay as they are


def test_a_key_depends_on_setting_and_seed_alone():
    def data(key):
        return tuple(jax.random.key_data(key).tolist())

    setting = struct.replace(BASE, "verifier.fpr", 0.1)
    same = struct.replace(struct.replace(BASE, "verifier.fpr", 0.9), "verifier.fpr", 0.1)
    assert data(sweep.run_key(setting, 3)) == data(sweep.run_key(same, 3))
    keys = [sweep.run_key(s, seed) for s in GRID.settings() for seed in (0, 1)]
    keys += [sweep.base_key(seed) for seed in (0, 1)]
    assert len({data(key) for key in keys}) == 2 * 25 + 2


def test_a_field_that_is_added_changes_no_key():
    """Where it has its default."""

    @struct.dataclass
    class Later(Oracle):
        more: float = struct.leaf(0.5)

    Later.__name__ = "Oracle"
    data = [
        jax.random.key_data(sweep.run_key(BASE.replace(verifier=v), 0)).tolist()
        for v in (Oracle(fpr=0.1), Later(fpr=0.1), Later(fpr=0.1, more=0.6))
    ]
    assert data[0] == data[1] != data[2]


def test_a_run_starts_from_the_base_and_the_key_of_its_seed_and_snapshot():
    config = Sweep(
        BASE, PRETRAINING.replace(num_snapshots=3), {"snapshot": (0, 1, -1)}, num_seeds=2, seed=5
    )
    bases = {"w": np.arange(6.0).reshape(2, 3)}  # 3 x seed + snapshot
    settings = config.settings()
    members, runs = study.stack_members(config, [0, 2], [settings[0], settings[2]], bases)
    stacked, own, keys = members
    assert runs.tolist() == [0, 1, 4, 5]
    assert stacked.snapshot.tolist() == [0, 0, -1, -1]
    assert own["w"].tolist() == [[0.0], [3.0], [2.0], [5.0]]  # M = 1 base each
    expected = [sweep.run_key(settings[i], seed) for i in (0, 2) for seed in (5, 6)]
    assert (jax.random.key_data(keys) == jax.random.key_data(jnp.stack(expected))).all()


# Tiles

UNITS = [(device,) for device in jax.devices()]
BOTH = [tuple(jax.devices())]


def test_units_of_both_placements():
    assert tiles.make_units("spmd", jax.devices(), 9) == BOTH
    assert tiles.make_units("tiles", jax.devices(), 9) == UNITS
    for placement in ("spmd", "tiles"):
        assert tiles.make_units(placement, jax.devices(), 1) == UNITS[:1]


def test_a_tile_of_a_unit_holds_a_tile_of_each_device():
    program = Double(4)
    assert collect(program, 25, BOTH).tolist() == [2 * i for i in range(25)]
    assert [len(values) for _, _, values in program.calls] == [8, 8, 8, 8]


def test_an_argument_without_effect_is_spread_over_devices_too():
    """The compiler removes it and forgets where it was."""
    pair = np.arange(4, dtype=np.float32), np.ones(4, np.float32)

    def function(x, y):
        return jax.lax.scan(lambda total, _: (total + (y > 1) * 0, None), x, length=3)[0]

    program = tiles.Program(function, pair, 2)
    assert program(BOTH[0], pair).tolist() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("size, width", [(25, 4), (24, 4), (1, 4), (3, 1), (5, 5)])
def test_tiles_hold_every_member_once(size, width):
    found = tiles.tile_indices(size, width)
    assert np.concatenate(found).tolist() == list(range(size))
    assert all(len(indices) == width for indices in found[:-1])
    assert 1 <= len(found[-1]) <= width


class Double:
    """A program that doubles numbers, and notes who called it with what."""

    def __init__(self, width, before=lambda values: None):
        self.width, self.before, self.calls = width, before, []

    def __call__(self, unit, members):
        (values,) = members
        self.calls.append((unit, threading.current_thread(), values.tolist()))
        self.before(values)
        return {"x": 2 * values}


def collect(program, size, units) -> np.ndarray:
    found, caller = np.full(size, -1), threading.current_thread()

    def on_tile(indices, metrics):
        assert threading.current_thread() is caller
        assert (found[indices] == -1).all() and len(metrics["x"]) == len(indices)
        found[indices] = metrics["x"]

    tiles.run_tiles(program, (np.arange(size),), units, on_tile)
    return found


@pytest.mark.parametrize("num_devices", [1, 2])
@pytest.mark.parametrize("size, width", [(25, 4), (4, 4), (1, 4), (2, 1)])
def test_every_member_is_run_once_and_padding_is_dropped(size, width, num_devices):
    program = Double(width)
    found = collect(program, size, UNITS[:num_devices])
    assert found.tolist() == [2 * i for i in range(size)]
    assert len(program.calls) == -(-size // width)
    assert all(len(values) == width for _, _, values in program.calls)


def test_devices_work_at_the_same_time():
    barrier = threading.Barrier(2, timeout=60)
    program = Double(1, before=lambda values: barrier.wait())
    collect(program, 2, UNITS)
    assert {unit for unit, _, _ in program.calls} == set(UNITS)


@pytest.mark.parametrize("devices", [slice(0, 1), slice(0, 2)])
def test_an_error_in_a_tile_is_raised_in_the_caller(devices):
    def fail(values):
        if 5 in values:
            raise RuntimeError("tile 1 is broken")

    program = Double(4, before=fail)
    with pytest.raises(RuntimeError, match="tile 1 is broken"):
        collect(program, 400, UNITS[devices])
    assert not any(thread.is_alive() for _, thread, _ in program.calls)


def test_an_error_of_the_caller_stops_the_devices():
    program = Double(1)

    def on_tile(indices, metrics):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiles.run_tiles(program, (np.arange(100_000),), UNITS, on_tile)
    assert len(program.calls) < 100_000
    assert not any(thread.is_alive() for _, thread, _ in program.calls)


def toy_run(experiment, bases, key):
    """Stands in for the loop: metrics that tell setting, base and key apart, compiled at once."""
    rounds = jnp.arange(experiment.num_rounds + 1, dtype=jnp.float32)
    numbers = {
        "accuracy": experiment.verifier.fpr,
        "loss": experiment.verifier.fnr,
        "grad_norm": experiment.learner.num_updates,
        "accept_rate": jax.random.uniform(key),
        "sampled_accuracy": bases["w"][0],
    }
    metrics = dict.fromkeys(METRICS, jnp.zeros_like(rounds))
    metrics |= {name: number + rounds for name, number in numbers.items()}
    metrics["accuracy_by_difficulty"] = jnp.stack([rounds, -rounds], axis=1)
    metrics["mistake_share"] = jnp.stack([rounds] * len(MISTAKES), axis=1)
    return None, metrics


def toy_pretrain(pretraining, task, base_difficulty, key):
    """Stands in for pretraining: a policy that says what it was trained with."""
    number = pretraining.learning_rate + 10.0 * base_difficulty + jax.random.uniform(key)
    return {"w": jnp.full((pretraining.num_snapshots,), number)}, jnp.zeros(1)


@pytest.fixture
def toy(monkeypatch):
    """Replaces what is expensive; returns the list of traces of the loop."""
    traces = []
    monkeypatch.setattr(tiles, "run", lambda *args: traces.append(args) or toy_run(*args))
    monkeypatch.setattr(engine_bases, "pretrain", toy_pretrain)
    for module in (engine_bases, study):
        monkeypatch.setattr(module, "base_shapes", toy_shapes)
    return traces


def toy_shapes(config, experiment):
    seeds = engine_bases.base_seeds(config, experiment)
    shape = len(seeds), config.pretraining.num_snapshots
    return {"w": jax.ShapeDtypeStruct(shape, jnp.float32)}


def toy_members(config: Sweep) -> tuple:
    settings = config.settings()
    bases = {"w": np.zeros((config.num_seeds, 1), np.float32)}
    return study.stack_members(config, list(range(len(settings))), settings, bases)[0]


def test_a_sweep_over_leaves_is_traced_once(toy):
    members = toy_members(GRID)
    program = tiles.Program(tiles.metrics, members, 4)
    program.compile_all(UNITS)
    for _ in range(2):
        tiles.run_tiles(program, members, UNITS, lambda indices, metrics: None)
    assert len(toy) == 1


def test_prepared_programs_are_those_that_run(toy, tmp_path):
    """One trace for each structure, of the shapes that the bases have; nothing is trained yet."""
    others = [
        dataclasses.replace(SMALL, optimization=0),
        struct.replace(SMALL, "base.num_rounds", 3),
    ]
    auto = dataclasses.replace(SMALL, tile_width="auto", seed=5)
    engine = study.Engine(tmp_path / "bases")
    engine.prepare([SMALL, *others, dataclasses.replace(SMALL, seed=3), auto])
    assert len(toy) == 3 and not (tmp_path / "bases").exists()
    for i, config in enumerate([SMALL, *others]):
        out = tmp_path / str(i)
        results.claim(out, struct.to_dict(config), config.digest())
        engine.execute(config, out)
    assert len(toy) == 3


def test_shapes_of_bases_are_those_of_pretraining():
    config = dataclasses.replace(SMALL, pretraining=PRETRAINING.replace(num_snapshots=3))
    experiment = BASE.replace(num_bases=2)
    train = partial(pretrain, config.pretraining, BASE.task, 2)
    found = engine_bases.base_shapes(config, experiment)
    expected = jax.eval_shape(train, jax.random.key(0))[0]
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    lead = (config.num_seeds + 1,)
    shapes = jax.tree.map(
        lambda f, e: f.shape == lead + e.shape and f.dtype == e.dtype, found, expected
    )
    assert all(jax.tree.leaves(shapes))


@pytest.mark.parametrize("num_devices, widths", [(1, {1, 2}), (2, {1})])
def test_auto_width_is_one_that_was_measured(toy, capsys, num_devices, widths):
    config = dataclasses.replace(SMALL, axes={"verifier.fpr": (0.0, 1.0)}, num_seeds=1)
    width, line = tiles.choose_width(*toy_members(config), 2, jax.devices()[:num_devices])
    assert width in widths and line.startswith(f"auto: {width} ")
    assert len(toy) == len(widths)
    assert all(f"{w}: " in line for w in widths)


def test_tile_width_settings(toy, capsys):
    members = toy_members(SMALL)
    assert study.tile_width("all", members, 12, jax.devices()) == 12
    assert study.tile_width("5", members, 12, jax.devices()) == 5
    assert study.tile_width("500", members, 12, jax.devices()) == 12
    assert capsys.readouterr().err == ""
    assert study.tile_width("auto", members, 12, jax.devices()) in tiles.AUTO_WIDTHS
    assert capsys.readouterr().err.startswith("tile width auto: ")


# The engine, with the toy instead of the loop


def execute(config: Sweep, folder, engine=None):
    """The results of a sweep; its base policies are kept beside them."""
    out = folder / config.digest()
    results.claim(out, struct.to_dict(config), config.digest())
    return (engine or study.Engine(folder / "bases")).execute(config, out)


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
            chance = jax.random.uniform(sweep.run_key(setting, seed))
            np.testing.assert_allclose(cell.accept_rate, chance + rounds, rtol=1e-6)
            assert cell.accuracy_by_difficulty.values.tolist() == [[r, -r] for r in rounds]


def test_one_setting_is_a_sweep(toy, tmp_path):
    data = execute(Sweep(BASE, PRETRAINING, tile_width="8"), tmp_path)
    assert data.accuracy.dims == ("seed", "round")
    assert data.accuracy.values.tolist() == [[0.0, 1.0, 2.0]]
    assert data.attrs["provenance"]["tile_width"] == [1]


def test_sweeps_of_one_structure_share_a_program(toy, tmp_path):
    engine = study.Engine(tmp_path / "bases")
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
    monkeypatch.setattr(engine_bases, "pretrain", broken)
    assert train() == (first, False)
    assert train(experiment=struct.replace(BASE, "verifier.fpr", 0.5)) == (first, False)
    monkeypatch.setattr(engine_bases, "pretrain", toy_pretrain)
    others = [
        (dataclasses.replace(SMALL, pretraining=PRETRAINING.replace(learning_rate=1e-4)), BASE),
        (dataclasses.replace(SMALL, pretraining=PRETRAINING.replace(batch_size=8)), BASE),
        (dataclasses.replace(SMALL, seed=8), BASE),
        (dataclasses.replace(SMALL, num_seeds=1), BASE),
        (SMALL, BASE.replace(base_difficulty=2)),
    ]
    for config, experiment in others:
        assert train(config, experiment)[1]
        assert not train(config, experiment)[1]
    assert train() == (first, False)
    assert train(dataclasses.replace(SMALL, num_seeds=1))[0] == first[:1]


def test_damaged_base_policies_are_trained_again(toy, tmp_path, capsys):
    first = engine_bases.base_policies(SMALL, BASE, tmp_path)
    (folder,) = tmp_path.iterdir()
    damage(folder)
    again = engine_bases.base_policies(SMALL, BASE, tmp_path)
    assert capsys.readouterr().err.count("training") == 2
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

    monkeypatch.setattr(engine_bases, "pretrain", pretrain)
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


# Tracing, with the toy instead of the loop


def wedge_run(experiment, bases, key):
    """Accuracy that grows below the ray FPR / (1 - FNR) = 1/5, and diverges at FPR 1."""
    _, metrics = toy_run(experiment, bases, key)
    fpr, rounds = experiment.verifier.fpr, metrics["loss"] - experiment.verifier.fnr
    gain = 1 - experiment.verifier.fnr - 5 * fpr
    diverged = jnp.where(fpr > 0.9, 1.0, 0.0) * (rounds > 0)
    return None, metrics | {"accuracy": gain * rounds, "diverged": diverged}


@pytest.fixture
def wedge(toy, monkeypatch):
    monkeypatch.setattr(tiles, "run", lambda *args: toy.append(args) or wedge_run(*args))
    return toy


FPR = (0.3, 0.001, 0.1, 0.003, 1.0, 0.01, 0.0, 0.03)  # the order of an axis is irrelevant
FNR = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9, 0.8, 0.7)
TRACED = dataclasses.replace(
    SMALL, axes={"verifier.fpr": FPR, "verifier.fnr": FNR}, tile_width="3", trace=True
)


@pytest.mark.parametrize(
    "axes, width, placement",
    [
        (("verifier.fpr", "verifier.fnr"), "1", "tiles"),
        (("verifier.fnr", "verifier.fpr"), "3", "spmd"),
        (("learner.base_rate", "verifier.fpr"), "all", "tiles"),
        (("verifier.fpr", "verifier.fnr"), "auto", "tiles"),
    ],
)
def test_a_traced_sweep_runs_a_part_of_the_grid(wedge, tmp_path, axes, width, placement):
    """In its cells, with one program for all batches, up to both sides of every ray's boundary."""
    axes = {path: FPR if path == "verifier.fpr" else FNR for path in axes}
    how = {"axes": axes, "tile_width": width, "placement": placement}
    config = dataclasses.replace(TRACED, **how)
    data = execute(config, tmp_path)
    assert len(wedge) == 1 + (width == "auto") * len(tiles.AUTO_WIDTHS)  # measured once
    grid = execute(dataclasses.replace(config, trace=False), tmp_path)
    run = data.diverged.notnull()
    for name in data.data_vars:
        xr.testing.assert_identical(data[name], grid[name].where(run))
    run = run.all(["seed", "round"])
    assert run.equals(data.diverged.notnull().any(["seed", "round"]))
    assert run.size >= 2 * run.sum()
    order = phase.order_parameter(grid).mean("seed").sortby("fpr")
    (across,) = set(order.dims) - {"fpr"}
    for value in order[across].values:
        ray = {across: value}
        first = int((order.sel(ray) > 0).sum())  # the first setting that doesn't improve
        assert run.sel(ray).sortby("fpr")[first - 1 : first + 1].all()


def test_tracing_stands_in_configuration_and_progress(wedge, tmp_path, capsys):
    data = execute(TRACED, tmp_path)
    assert data.attrs["config"]["trace"] is True
    out = tmp_path / TRACED.digest()
    grid = dataclasses.replace(TRACED, trace=False)
    with pytest.raises(results.ResultsError, match="another configuration"):
        results.check_free(out, grid.digest())
    num_run = int(data.diverged.isel(round=-1, seed=0).notnull().sum())
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith(f"{num_run} settings, ")
    notes = [script._note(d) for d in (data, data.where(False), execute(grid, tmp_path))]
    assert "10 of 10 rays traced" in notes[0] and "0 of 10 rays traced" in notes[1]
    assert notes[1].endswith("0 runs improved, 0 collapsed") and "rays" not in notes[2]


def test_only_a_sweep_of_two_axes_is_traced():
    def traced(axes):
        return design.trace_if_possible(dataclasses.replace(TRACED, axes=axes)).trace

    fpr, fnr = {"verifier.fpr": (0.0, 1.0)}, {"verifier.fnr": (0.0, 1.0)}
    assert traced(fpr | fnr) and traced({"learner.base_rate": (0.1, 0.2)} | fpr)
    assert not traced(fpr) and not traced(fnr | {"learner.base_rate": (0.1, 0.2)})
    assert not traced({}) and not traced(fpr | {"verifier.fnr": (0.5,)})
    assert not traced(fpr | fnr | {"learner.base_rate": (0.1, 0.2)})


# Checkpoints

TREE = {
    "w": np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32),
    "b": (np.arange(3, dtype=np.int32), np.array([True, False])),
}
FACTS = {"task": {"type": "Addition", "max_difficulty": 2}, "rate": 0.1, "seeds": [1, 2]}


def damage(folder):
    """Empties every file."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_bytes(b"")


def same(tree) -> bool:
    return jax.tree.structure(tree) == jax.tree.structure(TREE) and all(
        np.array_equal(x, y) and x.dtype == y.dtype
        for x, y in zip(jax.tree.leaves(tree), jax.tree.leaves(TREE), strict=True)
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint") / "kept"
    checkpoint.save(folder, TREE, FACTS)
    return folder


def test_a_checkpoint_gives_back_what_was_saved(saved, tmp_path):
    assert same(checkpoint.load(saved, TREE, FACTS))
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), TREE)
    assert same(checkpoint.load(saved, shapes, json.loads(json.dumps(FACTS))))
    assert checkpoint.load(tmp_path / "none", TREE, FACTS) is None


@pytest.mark.parametrize("other", [{"rate": 0.2}, {"seeds": [1]}, {"new": 1}])
def test_a_checkpoint_of_something_else_is_left_alone(saved, other):
    assert checkpoint.load(saved, TREE, FACTS | other) is None
    assert same(checkpoint.load(saved, TREE, FACTS))


def test_a_flipped_byte_is_never_read_as_data(saved, tmp_path):
    files = [p.relative_to(saved) for p in saved.rglob("*") if p.is_file() and p.stat().st_size]
    assert sum((saved / file).stat().st_size for file in files) > 50 * 40 * 3  # the data is in them
    detected = 0
    for i, file in enumerate(files):
        content = (saved / file).read_bytes()
        for at in {len(content) // 3, len(content) - 1}:
            folder = tmp_path / f"{i}-{at}"
            shutil.copytree(saved, folder)
            flipped = bytearray(content)
            flipped[at] ^= 0x10
            (folder / file).write_bytes(flipped)
            loaded = checkpoint.load(folder, TREE, FACTS)
            assert loaded is None or same(loaded), (file, at)
            detected += loaded is None
    assert detected >= 6


def test_a_damaged_checkpoint_is_moved_aside(saved, tmp_path):
    folder = tmp_path / "kept"
    shutil.copytree(saved, folder)
    damage(folder)
    assert checkpoint.load(folder, TREE, FACTS) is None
    assert [p.name for p in tmp_path.iterdir()] == ["kept.damaged"]
    checkpoint.save(folder, TREE, FACTS)
    assert same(checkpoint.load(folder, TREE, FACTS))


def test_a_checkpoint_may_be_damaged_again_and_again(saved, tmp_path):
    for _ in range(3):
        shutil.copytree(saved, tmp_path / "kept")
        damage(tmp_path / "kept")
        assert checkpoint.load(tmp_path / "kept", TREE, FACTS) is None


# The real loop


@pytest.fixture(scope="module")
def bases_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("bases")


@pytest.fixture(scope="module")
def bases(bases_dir):
    """Two seeds' base policies."""
    return engine_bases.base_policies(SMALL, BASE, bases_dir)


@pytest.fixture(scope="module")
def members(bases):
    """25 settings, one seed."""
    return study.stack_members(GRID, list(range(25)), GRID.settings(), bases)[0]


@pytest.fixture(scope="module")
def one(members):
    """The program that runs one member at a time."""
    return tiles.Program(tiles.metrics, members, 1)


@pytest.fixture(scope="module")
def four(members):
    program = tiles.Program(tiles.metrics, members, 4)
    program.compile_all(UNITS)
    return program


def rows(program, members, units) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}

    def on_tile(indices, metrics):
        for name, values in metrics.items():
            new = np.zeros((25, *values.shape[1:]), values.dtype)
            found.setdefault(name, new)[indices] = values

    tiles.run_tiles(program, members, units, on_tile)
    return found


@pytest.fixture(scope="module")
def reference(four, members):
    """25 settings in tiles of 4 on two devices."""
    found = rows(four, members, UNITS)
    assert set(found) == set(METRICS)
    assert len({row.tobytes() for row in found["loss"]}) > 15  # settings differ
    assert (found["sampled_accuracy"][:, 1:].mean(0) > 0).all()
    return found


def assert_same_bits(found, expected):
    for name in METRICS:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_the_number_of_devices_changes_no_bit(four, members, reference):
    assert len(jax.devices()) == 2
    assert_same_bits(rows(four, members, UNITS[:1]), reference)


def test_the_placement_changes_rounding_only(four, members, reference):
    """25 settings in tiles of 4 on two devices that work in step: the last tile is padded."""
    found = rows(four, members, BOTH)
    for name in METRICS:
        np.testing.assert_allclose(found[name], reference[name], rtol=1e-5, atol=1e-5, err_msg=name)


def test_the_order_of_settings_changes_no_bit(four, members, reference):
    order = np.random.default_rng(0).permutation(25)
    permuted = jax.tree.map(lambda x: x[order], members)
    found = rows(four, permuted, UNITS[:1])
    assert_same_bits(found, {name: values[order] for name, values in reference.items()})


@pytest.mark.parametrize("width", ["one", "all"])
def test_the_tile_width_changes_rounding_only(one, members, reference, width):
    program = one if width == "one" else tiles.Program(tiles.metrics, members, 25)
    found = rows(program, members, UNITS[:1])
    for name in METRICS:
        np.testing.assert_allclose(found[name], reference[name], rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.fixture(scope="module")
def executed(bases, bases_dir, four, tmp_path_factory):
    """A small sweep from configuration to results on disk."""
    out = tmp_path_factory.mktemp("results") / "out"
    results.claim(out, struct.to_dict(SMALL), SMALL.digest())
    notes = []
    engine = study.Engine(bases_dir)
    data = engine.execute(SMALL, out, lambda d: notes.append(d.accuracy.notnull().sum()) or "x")
    assert notes and notes[-1] == data.accuracy.size
    return out, data


def test_results_are_labelled_and_complete(executed):
    out, data = executed
    assert set(data.data_vars) == set(METRICS)
    sizes = {"fpr": 3, "fnr": 2, "seed": 2, "round": 3}
    assert dict(data.sizes) == sizes | {"difficulty": 2, "mistake": len(MISTAKES)}
    assert data.accuracy.dims == tuple(sizes)
    assert data.accuracy_by_difficulty.dims == (*sizes, "difficulty")
    assert data.mistake_share.dims == (*sizes, "mistake")
    assert data.mistake.values.tolist() == list(MISTAKES)
    assert data.fpr.values.tolist() == [0.0, 0.5, 1.0] and data.seed.values.tolist() == [3, 4]
    assert data["round"].values.tolist() == [0, 1, 2] and data.difficulty.values.tolist() == [1, 2]
    assert data.accuracy.notnull().all() and data.accuracy_by_difficulty.notnull().all()
    assert data.loss.isel(round=0).isnull().all() and data.loss.isel(round=[1, 2]).notnull().all()
    np.testing.assert_allclose(data.accuracy_by_difficulty.mean("difficulty"), data.accuracy)
    assert all(data[name].attrs["description"] == text for name, text in METRICS.items())


def test_a_traced_run_has_the_bits_of_the_grid(executed, bases_dir, tmp_path):
    """At the same tile width, whatever else is in its tiles."""
    _, grid = executed
    config = dataclasses.replace(SMALL, trace=True)
    results.claim(tmp_path / "out", struct.to_dict(config), config.digest())
    data = study.Engine(bases_dir).execute(config, tmp_path / "out")
    run = data.diverged.notnull()
    assert 0 < run.isel(round=0, seed=0).sum() < 6
    for name in METRICS:
        xr.testing.assert_identical(data[name], grid[name].where(run))


def test_provenance_says_what_ran(executed):
    out, data = executed
    found = json.loads((out / results.PROVENANCE).read_text())
    assert data.attrs["provenance"] == found
    assert set(found) == {
        *("versions", "git_commit", "device", "tile_width", "placement", "optimization", "seconds"),
        "data_sha256",
    }
    assert found["versions"]["jax"] == jax.__version__
    assert found["device"].startswith("2 x ") and found["tile_width"] == [4]
    assert found["git_commit"]
    assert set(found["seconds"]) == {"pretraining", "compilation", "running"}
    assert all(seconds > 0 for seconds in found["seconds"].values())
    stored = json.loads((out / results.CONFIG).read_text())
    assert stored == json.loads(json.dumps({"digest": SMALL.digest(), **struct.to_dict(SMALL)}))


def test_results_are_those_of_lone_runs(executed, bases, one):
    _, data = executed
    for fpr, fnr, i in [(0.0, 0.5, 0), (0.5, 0.0, 1), (1.0, 0.5, 1)]:
        setting = BASE.replace(verifier=Oracle(fpr=fpr, fnr=fnr))
        base = jax.tree.map(lambda x, i=i: x[i : i + 1, -1:], bases)
        member = (sweep.stack([setting]), base, sweep.run_key(setting, 3 + i)[None])
        lone = one(UNITS[0], member)
        cell = data.sel(fpr=fpr, fnr=fnr, seed=3 + i)
        for name in METRICS:
            np.testing.assert_allclose(
                cell[name], lone[name][0], rtol=1e-5, atol=1e-5, err_msg=name
            )
