"""What is kept of a sweep gives it back; what is no such thing is one line."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import itertools
import json
import pathlib

import pytest
from small_sweeps import BASE, SMALL

from avax import struct, tasks, verifiers
from avax.fields import ConfigError
from avax.learners import Population
from avax.probes import Gap
from avax.sweeps.plugins import kind_of
from avax.sweeps.restore import experiment_of, known_classes, sweep_of
from avax.sweeps.sweep import Sweep

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
NAMES = sorted(p.stem for p in CONFIGS.glob("*.py") if p.stem != "__init__")
SEAMS = {f.name: kind.registry for f in dataclasses.fields(BASE) if (kind := kind_of(f))}
PLUGINS = [(seam, name) for seam, registry in SEAMS.items() for name in registry]


def kept(sweep) -> dict:
    """What a file holds of it."""
    return json.loads(json.dumps(struct.to_dict(sweep)))


def check_comes_back(sweep: Sweep) -> None:
    found = sweep_of(kept(sweep))
    assert found == sweep and found.digest() == sweep.digest()
    assert list(found.axes) == list(sweep.axes) and found.settings() == sweep.settings()
    kinds = [(path, type(value)) for path, _, value in struct.walk(sweep)]
    assert kinds == [(path, type(value)) for path, _, value in struct.walk(found)]


@pytest.mark.parametrize("name", NAMES)
def test_every_part_of_every_experiment_comes_back(name):
    config = importlib.import_module(f"configs.{name}")
    for values in itertools.product(*config.CHOICES.values()):
        parts = config.parts(config.build(**dict(zip(config.CHOICES, values, strict=True))))
        for sweep in parts.values():
            check_comes_back(sweep)


@pytest.mark.parametrize("seam, name", PLUGINS)
def test_every_plugin_comes_back(seam, name):
    sweep = dataclasses.replace(SMALL, axes={}, base=BASE.replace(**{seam: SEAMS[seam][name]}))
    check_comes_back(sweep)
    assert experiment_of(kept(sweep.base)) == sweep.base


def test_plugins_in_plugins_come_back():
    judges = verifiers.AllOf(verifiers.Noisy(verifiers.MajorityVote(), 0.25), verifiers.Learned())
    base = BASE.replace(
        learner=Population(BASE.learner), verifier=judges, probe=Gap((judges, verifiers.Oracle()))
    )
    axes = {"verifier.first.fpr": (0, 0.5), "probe.verifiers.1.fnr": (0.0, 1)}
    check_comes_back(dataclasses.replace(SMALL, base=base, axes=axes))


def test_values_of_an_axis_may_be_plugins():
    values = verifiers.Oracle(fpr=0.5), verifiers.Noisy(verifiers.AcceptAll())
    check_comes_back(dataclasses.replace(SMALL, axes={"verifier": values}))


def test_what_is_not_told_has_its_default():
    content = kept(SMALL)
    del content["pretraining"], content["base"]["verifier"]["fnr"], content["placement"]
    found = sweep_of(content | {"digest": "0123"})
    assert found.pretraining == Sweep(BASE).pretraining and found.placement == "tiles"
    assert found.base == SMALL.base and found.base.probe is None


def test_of_two_classes_of_one_name_none_is_taken(monkeypatch):
    other = struct.dataclass(type("Oracle", (verifiers.AcceptAll,), {}))
    monkeypatch.setitem(verifiers.VERIFIERS, "other", other())
    with pytest.raises(ConfigError, match=r"^base.verifier: .*'Oracle'.*several"):
        sweep_of(kept(SMALL))


def test_a_class_is_known_once_it_is_registered(monkeypatch):
    mine = struct.dataclass(type("Mine", (verifiers.AcceptAll,), {}))
    sweep = Sweep(BASE.replace(verifier=verifiers.Noisy(mine(), 0.5)))
    with pytest.raises(ConfigError, match=r"^base.verifier.inner: .*'Mine'.* not registered"):
        sweep_of(kept(sweep))
    monkeypatch.setitem(verifiers.VERIFIERS, "mine", mine())
    check_comes_back(sweep)
    assert mine in set(known_classes())


def test_what_a_plugin_makes_of_a_strange_value_is_one_line(monkeypatch):
    def refuse(self):
        raise KeyError("no\nsuch place")

    fussy = type("Fussy", (tasks.Copy,), {"__post_init__": refuse})
    fussy = struct.dataclass(fussy)
    monkeypatch.setitem(tasks.TASKS, "fussy", object.__new__(fussy))
    content = kept(SMALL)
    content["base"]["task"]["type"] = "Fussy"
    with pytest.raises(ConfigError, match="config: can't be restored: KeyError") as caught:
        sweep_of(content)
    assert "\n" not in str(caught.value)


MANY = [i / 1500 for i in range(1500)]
DEEP: dict = {"type": "Noisy", "inner": {}}
for _ in range(5000):
    DEEP = {"type": "Noisy", "inner": DEEP}


@pytest.mark.parametrize(
    "path, value, line",
    [
        ("type", "Experiment", r"config: its type is 'Experiment', must be Sweep"),
        ("type", ["os"], r"config: its type is \['os'\]"),
        ("color", 3, r"color: Sweep has no such field"),
        ("base", None, r"base: is None, must be Experiment"),
        ("base.type", "Oracle", r"base.task: Oracle has no such field"),
        ("base.verifier.type", "system", r"base.verifier: is of the class 'system', which is not"),
        ("base.verifier.type", ["Oracle"], r"base.verifier: is of the class \['Oracle'\]"),
        ("base.verifier.type", None, r"base.verifier: is of the class None"),
        ("base.verifier", {"type": "Fixed"}, r"base.verifier: is Fixed, must be Verifier"),
        ("base.verifier", [], r"base.verifier: is \[\], must be Verifier"),
        ("base.verifier.rate", 0, r"base.verifier.rate: Oracle has no such field"),
        ("base.verifier.fpr", 2, r"base.verifier.fpr: is 2.0, must lie in \[0, 1\]"),
        ("base.verifier.fpr", float("nan"), r"base.verifier.fpr: is nan"),
        ("base.verifier.fpr", True, r"base.verifier.fpr: is True, must be float"),
        ("base.verifier.fpr", "0.5", r"base.verifier.fpr: is '0.5', must be float"),
        ("base.verifier.fpr", 10**400, r"base.verifier.fpr: is too large"),
        ("base.verifier.fpr", {"type": "Oracle"}, r"base.verifier.fpr: is Oracle, must be float"),
        ("base.num_rounds", 2.5, r"base.num_rounds: is 2.5, must be int"),
        ("base.num_rounds", 10**12, r"base.num_rounds: is 1000000000000, must"),
        ("base.num_rounds", 10**9, r"base.num_rounds, base.task.max_difficulty, axes.* bytes"),
        ("base.probe", {"type": "PassAt", "sizes": ["a"]}, r"base.probe.sizes.0: is 'a', must"),
        ("base.probe", 3, r"base.probe: is 3, must be Probe or NoneType"),
        ("base.verifier", DEEP, r"config: can't be restored: RecursionError"),
        ("pretraining.model.width", 1, r"pretraining.model.width: is 1"),
        ("pretraining.model.dtype", "x" * 999, r"pretraining.model.dtype: is 'x"),
        ("axes", [1], r"axes: is \[1\], must be lists by name"),
        ("axes", {"verifier.rate": [0]}, r"axes.verifier.rate: there is no such field"),
        ("axes", {"verifier.fpr": 0.5}, r"axes.verifier.fpr: is 0.5, must be a list"),
        ("axes", {"verifier.fpr": [0, 2]}, r"axes.verifier.fpr: is 2.0, must lie"),
        ("axes", {"verifier.fpr": ["a"]}, r"axes.verifier.fpr: is 'a', must be float"),
        ("axes", {"verifier": [{"type": "Oracle", "fpr": 3}]}, r"axes.verifier.fpr: is 3.0"),
        ("axes", {"verifier.fpr": MANY, "verifier.fnr": MANY}, r"axes, num_seeds: make .* runs"),
    ],
)  # fmt: skip
def test_what_is_no_sweep_is_one_line(path, value, line):
    content = copy.deepcopy(kept(SMALL))
    *above, name = path.split(".")
    place = content
    for part in above:
        place = place[part]
    place[name] = value
    with pytest.raises(ConfigError, match="^" + line) as caught:
        sweep_of(content)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1500


@pytest.mark.parametrize("missing", ["task", "learner"])
def test_a_part_that_is_missing_is_named(missing):
    content = kept(SMALL)
    del content["base"][missing]
    with pytest.raises(ConfigError, match=f"base.{missing}: is missing"):
        sweep_of(content)


@pytest.mark.parametrize("content", [None, [], "Sweep", {}, 3])
def test_what_is_no_dict_is_one_line(content):
    for restore in (sweep_of, experiment_of):
        with pytest.raises(ConfigError, match="^config: "):
            restore(content)
