"""How many runs happen: grouping, placement and storage never change what a run finds."""

from __future__ import annotations

import dataclasses
import json

import jax
import numpy as np
import pytest
import xarray as xr
from small_sweeps import BASE, GRID, SMALL
from toys import BOTH, UNITS, run_key

from avax import results, struct
from avax.engine import bases as engine_bases
from avax.engine import program, tiles
from avax.engine.run import Engine
from avax.engine.segments import Run
from avax.metrics import METRICS
from avax.results import folders
from avax.sweeps import stacking
from avax.types import MISTAKES
from avax.verifiers import Oracle


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
    return stacking.stack_members(GRID, GRID.settings(), list(range(25)), bases)[0]


@pytest.fixture(scope="module")
def one(members):
    """The program that runs one member at a time."""
    return Run(members, 1)


@pytest.fixture(scope="module")
def four(members):
    program = Run(members, 4)
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
    """25 settings in tiles of 4, the last of 1, on all devices."""
    found = rows(four, members, UNITS)
    assert set(found) == set(METRICS)
    assert len({row.tobytes() for row in found["loss"]}) > 15  # settings differ
    assert (found["sampled_accuracy"][:, 1:].mean(0) > 0).all()
    return found


def assert_same_bits(found, expected):
    for name in METRICS:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_the_number_of_devices_changes_no_bit(four, members, reference):
    """And not which of them a tile lands on."""
    assert len(jax.devices()) >= 2
    for units in (UNITS[:1], UNITS[:-1], UNITS[::-1]):
        assert_same_bits(rows(four, members, units), reference)


def test_the_placement_changes_rounding_only(four, members, reference):
    """25 settings in tiles of 4 on devices that work in step: the last tile is padded. And it
    changes hardly any setting's phase.
    """
    found = rows(four, members, BOTH)
    for name in METRICS:
        np.testing.assert_allclose(found[name], reference[name], rtol=1e-5, atol=1e-5, err_msg=name)
    gains = [f["accuracy"][:, -1] - f["accuracy"][:, 0] for f in (found, reference)]
    labels, expected = np.sign(gains)
    assert (labels == expected).mean() >= 0.99 and len(set(expected)) > 1


def test_the_order_of_settings_changes_no_bit(four, members, reference):
    order = np.random.default_rng(0).permutation(25)
    permuted = jax.tree.map(lambda x: x[order], members)
    found = rows(four, permuted, UNITS[:1])
    assert_same_bits(found, {name: values[order] for name, values in reference.items()})


class Segments:
    """Runs tiles in segments of a number of rounds, in any order."""

    def __init__(self, run, length):
        self.width, self._run, self._length = run.width, run, length

    def __call__(self, unit, members):
        progress = self._run.begin(unit, members)
        for start in range(0, self._run.num_rounds, self._length):
            stop = min(start + self._length, self._run.num_rounds)
            # As from a checkpoint: to the host and back.
            progress = program.place(unit, jax.device_get(progress))
            progress = self._run.advance(unit, members[0], progress, start, stop)
        return jax.device_get(progress.found)


@pytest.mark.parametrize("length", [1, 2])
def test_the_length_of_segments_changes_no_bit(four, members, reference, length):
    """And not the order of tiles."""
    found: dict[str, np.ndarray] = {}

    def on_tile(indices, metrics):
        for name, values in metrics.items():
            new = np.zeros((25, *values.shape[1:]), values.dtype)
            found.setdefault(name, new)[indices] = values

    todo = tiles.tile_indices(25, 4)[::-1]
    tiles.run_tiles(Segments(four, length), members, UNITS[:1], on_tile, todo)
    assert_same_bits(found, reference)


@pytest.mark.slow
def test_segments_of_a_longer_run_change_no_bit(members):
    def tile():
        experiments, *others = jax.tree.map(lambda x: x[np.arange(4)], members)
        return experiments.replace(num_rounds=12), *others

    run = Run(tile(), 4)
    whole = run(UNITS[0], tile())
    for length in (1, 2, 5, 10):
        assert_same_bits(Segments(run, length)(UNITS[0], tile()), whole)


def test_a_diverged_run_is_frozen_and_no_other_is_touched(four, members, reference):
    """One of them gets a learning rate in which nothing stays finite; it trains in round 1."""
    experiments, bases, keys = members
    rates = np.array(experiments.learner.learning_rate)
    rates[5] = np.inf
    experiments = struct.replace(experiments, "learner.learning_rate", rates)
    found = rows(four, (experiments, bases, keys), UNITS[:1])
    assert found["diverged"][5].tolist() == [0, 1, 1]
    others = np.arange(25) != 5
    assert_same_bits(*({n: x[others] for n, x in f.items()} for f in (found, reference)))

    tile = jax.tree.map(lambda x: x[np.arange(4, 8)], (experiments, bases, keys))
    progress = four.advance(UNITS[0], tile[0], four.begin(UNITS[0], tile), 0, 2)
    before = jax.device_get(progress).state
    after = jax.device_get(four.advance(UNITS[0], tile[0], progress, 2, 3)).state
    assert (before.round.tolist(), after.round.tolist()) == ([1] * 4, [2] * 4)
    for old, new in zip(*(jax.tree.leaves(s.learner) for s in (before, after)), strict=True):
        np.testing.assert_array_equal(old[1], new[1])


@pytest.mark.parametrize("width", ["one", "all"])
def test_the_tile_width_changes_rounding_only(one, members, reference, width):
    program = one if width == "one" else Run(members, 25)
    found = rows(program, members, UNITS[:1])
    for name in METRICS:
        np.testing.assert_allclose(found[name], reference[name], rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.fixture(scope="module")
def executed(bases, bases_dir, four, tmp_path_factory):
    """A small sweep from configuration to results on disk."""
    out = tmp_path_factory.mktemp("results") / "out"
    folders.claim(out, struct.to_dict(SMALL), SMALL.digest())
    notes = []
    engine = Engine(bases_dir)
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
    folders.claim(tmp_path / "out", struct.to_dict(config), config.digest())
    data = Engine(bases_dir).execute(config, tmp_path / "out")
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
        *("arrays", "arrays_sha256", "config_sha256", "sha256", "num_kept", "engine"),
        *("left_out", "common_random_numbers"),
    }
    assert found["versions"]["jax"] == jax.__version__
    assert found["device"].startswith(f"{len(jax.devices())} x ") and found["tile_width"] == [4]
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
        member = (stacking.stack([setting]), base, run_key(setting, 3 + i)[None])
        lone = one(UNITS[0], member)
        cell = data.sel(fpr=fpr, fnr=fnr, seed=3 + i)
        for name in METRICS:
            np.testing.assert_allclose(
                cell[name], lone[name][0], rtol=1e-5, atol=1e-5, err_msg=name
            )
