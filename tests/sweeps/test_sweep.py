"""Sweeps: settings, groups, digests, keys."""

from __future__ import annotations

import dataclasses
import sys
import zlib

import jax
import jax.numpy as jnp
import numpy as np
from small_sweeps import BASE, GRID, PRETRAINING, SMALL
from toys import run_key

from avax import struct
from avax.curricula import Frontier
from avax.learners import GRPO
from avax.probes import SelfTrust
from avax.sweeps import stacking, sweep, tables
from avax.sweeps.sweep import Sweep
from avax.sweeps.validate import validate
from avax.verifiers import MajorityVote, Noisy, Oracle


def test_settings_are_all_combinations_the_last_axis_fastest():
    config = Sweep(BASE, axes={"verifier.fpr": (0.0, 0.5), "learner.base_rate": (0.1, 0.2, 0.3)})
    assert config.shape == (2, 3)
    found = [(s.verifier.fpr, s.learner.base_rate) for s in config.settings()]
    assert found == [(0.0, 0.1), (0.0, 0.2), (0.0, 0.3), (0.5, 0.1), (0.5, 0.2), (0.5, 0.3)]
    assert config.settings()[1] == struct.replace(BASE, "learner.base_rate", 0.2)
    assert Sweep(BASE).settings() == [BASE]


def test_dimensions_are_named_after_fields_unless_they_clash():
    axes = ["verifier.fpr", "learner.base_rate", "verifier.inner.fpr"]
    assert tables.dimension_names(dict.fromkeys(axes), {}) == {
        "verifier.fpr": "verifier.fpr",
        "learner.base_rate": "base_rate",
        "verifier.inner.fpr": "verifier.inner.fpr",
    }


def test_a_dimension_of_the_probe_is_taken():
    names = tables.dimension_names({"base.reader": ()}, SelfTrust().metrics(None))
    assert names == {"base.reader": "base.reader"}


def test_an_equal_sweep_has_an_equal_digest():
    assert dataclasses.replace(SMALL, tile_width="all").digest() == SMALL.digest()
    again = Sweep(**{f.name: getattr(SMALL, f.name) for f in dataclasses.fields(SMALL)})
    assert again.digest() == SMALL.digest()
    assert len(SMALL.digest()) == 16 and int(SMALL.digest(), 16) >= 0


def changed(field, value):
    """Another value that the field may have."""
    choices, high = field.metadata.get("choices"), field.metadata.get("high")
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value + "x" if choices is None else next(x for x in choices if x != value)
    return value + 1 if high is None or value + 1 <= high else value / 2


def test_any_other_field_changes_the_digest():
    digests = {SMALL.digest()}
    fields = {p: f for p, f, v in struct.walk(SMALL) if isinstance(v, (bool, int, float, str))}
    paths = [p for p in fields if p not in sweep.EXECUTION]
    assert len(paths) > 30
    for path in paths:
        other = struct.replace(SMALL, path, changed(fields[path], struct.get(SMALL, path)))
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
    assert stacking.stack(whole.settings()).verifier.fpr.dtype == np.float32
    assert type(whole.base.base_difficulty) is int


def test_what_shares_structure_and_bases_is_one_group():
    leaf = struct.replace(BASE, "verifier.fpr", 0.5)
    size = struct.replace(BASE, "learner.num_updates", 3)
    learner = BASE.replace(learner=GRPO(num_problems=8, num_samples=2))
    inner = BASE.replace(verifier=Noisy(MajorityVote()))
    settings = [BASE, learner, leaf, size, learner.replace(base_difficulty=2), inner, BASE]
    assert stacking.group_by_structure(settings) == [[0, 2, 6], [1], [3], [4], [5]]


def test_stacked_leaves_are_int32_or_float32():
    stacked = stacking.stack([BASE, struct.replace(BASE, "verifier.fpr", 0.25)])
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
    assert data(run_key(setting, 3)) == data(run_key(same, 3))
    keys = [run_key(s, seed) for s in GRID.settings() for seed in (0, 1)]
    keys += [stacking.base_key(seed) for seed in (0, 1)]
    assert len({data(key) for key in keys}) == 2 * 25 + 2


def test_keys_of_many_runs_are_those_of_each():
    """Folded in one by one; seeds are whole numbers of 32 bits."""
    settings, seeds = GRID.settings(), (0, 7, 2**31 - 1, 2**31, 2**32 - 1, *range(100, 110))
    found = stacking.run_keys(settings, seeds)
    assert found.shape == (25 * 15,) and found.dtype == jax.random.key(0).dtype
    for i, (setting, seed) in enumerate((s, seed) for s in settings for seed in seeds):
        name = zlib.crc32(sweep.digest(struct.to_dict(setting, defaults=False)).encode())
        one = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), 1), name)
        assert (jax.random.key_data(found[i]) == jax.random.key_data(one)).all()


def calls_and_compilations(config) -> tuple[int, int]:
    """What is done on the host before a sweep runs: calls of Python functions, and programs."""
    calls, compiled = [0], []

    def count(frame, event, argument):
        calls[0] += event == "call"

    def listen(event, *_, **__):
        compiled.append("backend_compile" in event)

    bases = {"w": np.zeros((config.num_seeds, 1), np.float32)}
    jax.monitoring.register_event_duration_secs_listener(listen)
    sys.setprofile(count)
    try:
        validate(config)
        settings = config.settings()
        groups = stacking.group_by_structure(settings)
        stacking.group_by_structure(config.settings())
        for group in groups:
            stacking.stack_members(config, settings, group, bases)
    finally:
        sys.setprofile(None)
        jax.monitoring.unregister_event_duration_listener(listen)
    return calls[0], sum(compiled)


def test_thousands_of_settings_are_little_work_each():
    """And no program is compiled for their number: 10,000 keys one by one took minutes."""

    def work(num):
        axes = {"verifier.fpr": tuple(np.linspace(0, 1, num).tolist())}
        return calls_and_compilations(dataclasses.replace(SMALL, axes=axes))

    work(10)
    (few, one), (many, other) = work(100), work(1100)
    assert one == other == 0
    assert (many - few) / 1000 < 600  # 510 at present


def test_a_field_that_is_added_changes_no_key():
    """Where it has its default."""

    @struct.dataclass
    class Later(Oracle):
        more: float = struct.leaf(0.5)

    Later.__name__ = "Oracle"
    data = [
        jax.random.key_data(run_key(BASE.replace(verifier=v), 0)).tolist()
        for v in (Oracle(fpr=0.1), Later(fpr=0.1), Later(fpr=0.1, more=0.6))
    ]
    assert data[0] == data[1] != data[2]


def test_a_run_starts_from_the_base_and_the_key_of_its_seed_and_snapshot():
    config = Sweep(
        BASE, PRETRAINING.replace(num_snapshots=3), {"snapshot": (0, 1, -1)}, num_seeds=2, seed=5
    )
    bases = {"w": np.arange(6.0).reshape(2, 3)}  # 3 x seed + snapshot
    settings = config.settings()
    members, runs = stacking.stack_members(config, settings, [0, 2], bases)
    stacked, own, keys, eval_keys = members
    assert runs.tolist() == [0, 1, 4, 5]
    assert stacked.snapshot.tolist() == [0, 0, -1, -1]
    assert own["w"].tolist() == [[0.0], [3.0], [2.0], [5.0]]  # M = 1 base each
    expected = [run_key(settings[i], seed) for i in (0, 2) for seed in (5, 6)]
    assert (jax.random.key_data(keys) == jax.random.key_data(jnp.stack(expected))).all()
    data = jax.random.key_data(eval_keys).tolist()  # of the seed alone
    assert data[:2] == data[2:] and data[0] != data[1]
    others = [*keys, *(stacking.base_key(seed) for seed in (5, 6))]
    assert not {tuple(x) for x in data} & {tuple(jax.random.key_data(k).tolist()) for k in others}
