"""Plug-ins by name, and as the values of axes."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from small_sweeps import BASE, SMALL
from toys import execute

from avax import struct
from avax.engine.durable import resume
from avax.engine.kept import load_policies
from avax.engine.run import Engine
from avax.fields import ConfigError
from avax.probes import SelfTrust
from avax.results.untrusted import is_label
from avax.sweeps import plugins, stacking
from avax.sweeps.sweep import Sweep
from avax.sweeps.tables import empty_dataset
from avax.sweeps.validate import validate
from avax.verifiers import AcceptAll, AllOf, Hashed, MajorityVote, Noisy, Oracle, RelativeLength

NAMED = {"verifier": ("none", Oracle(fnr=0.5), "hashed"), "verifier.fpr": (0.0, 0.5)}
CONFIG = dataclasses.replace(SMALL, axes=NAMED, tile_width="2")


def test_every_registered_plugin_has_its_name_as_label():
    for kind in plugins.KINDS.values():
        for name, plugin in kind.registry.items():
            assert plugins.label(plugin) == name and is_label(name)
            assert isinstance(plugin, kind.protocol)


@pytest.mark.parametrize(
    "plugin, label",
    [
        (Oracle(fpr=0.1), "Oracle(fpr=0.1)"),
        (Noisy(Oracle(), fpr=0.25), "Noisy(inner=oracle, fpr=0.25)"),
        (
            AllOf(AcceptAll(), RelativeLength(threshold=3)),
            "AllOf(first=none, second=RelativeLength(threshold=3",
        ),
        (SelfTrust(verifiers=(Oracle(), AcceptAll())), "SelfTrust(verifiers=oracle+none)"),
    ],
)  # fmt: skip
def test_others_are_called_by_what_makes_the_difference(plugin, label):
    assert plugins.label(plugin).startswith(label) and is_label(plugins.label(plugin))


def test_where_plugins_are():
    base = BASE.replace(verifier=Noisy(AllOf(MajorityVote(), Oracle())))
    kinds = {p: plugins.kind_of(field) for p, (field, _) in plugins.fields(base, {}).items()}
    found = {path for path, kind in kinds.items() if kind is plugins.KINDS["Verifier"]}
    assert found == {f"verifier{x}" for x in ("", ".inner", ".inner.first", ".inner.second")}
    assert kinds["base_task"] is kinds["task"] is plugins.KINDS["Task"] and kinds["lapse"] is None


def test_settings_have_each_plugin_with_each_number_that_it_has():
    found = [s.verifier for s in CONFIG.settings()]
    assert found[:2] == [AcceptAll()] * 2  # without an FPR: the same twice
    assert found[2:4] == [Oracle(fnr=0.5), Oracle(fpr=0.5, fnr=0.5)]
    assert found[4:] == [Hashed(), Hashed(fpr=0.5)]
    assert CONFIG.lacking == {"verifier.fpr": ["none"]}
    assert CONFIG.same == {0: [0, 1], 2: [2], 3: [3], 4: [4], 5: [5]}
    (note,) = CONFIG.notes()
    assert "axes.verifier.fpr: those without it (none)" in note
    # The order of the axes is that of the results alone.
    other = dataclasses.replace(CONFIG, axes=dict(reversed(CONFIG.axes.items())))
    assert [s.verifier for s in other.settings()] == [found[i] for i in (0, 2, 4, 1, 3, 5)]


def test_names_and_plugins_are_one_configuration():
    verifiers = AcceptAll(), Oracle(fnr=0.5), Hashed()
    written = dataclasses.replace(CONFIG, axes=NAMED | {"verifier": verifiers})
    assert written == CONFIG and written.digest() == CONFIG.digest()
    assert json.loads(json.dumps(struct.to_dict(CONFIG)))["axes"]["verifier"][0] == {
        "type": "AcceptAll"
    }


def test_cells_of_runs_are_those_of_all_settings_that_are_the_same():
    rows, places = stacking.cells(
        CONFIG, np.array([0, 1, 4])
    )  # none with both seeds; oracle, seed 0
    assert rows.tolist() == [0, 0, 1, 1, 2] and places.tolist() == [0, 2, 1, 3, 4]
    rows, places = stacking.cells(SMALL, np.array([5, 2]))
    assert rows.tolist() == [0, 1] and places.tolist() == [5, 2]


@pytest.mark.slow
def test_results_are_labelled_by_name_and_the_same_where_settings_are(tmp_path, capsys):
    """Whether they were just run or kept from before; each run is its setting's and seed's."""
    engine = Engine(tmp_path / "bases")
    data = execute(CONFIG, tmp_path, engine)
    assert data.accuracy.dims[:3] == ("verifier", "fpr", "seed")
    assert data.verifier.values.tolist() == ["none", "Oracle(fnr=0.5)", "hashed"]
    assert data.accuracy.notnull().all()
    assert "those without it (none)" in (err := capsys.readouterr().err) and "5/5 settings" in err
    none = data.sel(verifier="none", drop=True)
    assert none.sel(fpr=0, drop=True).equals(none.sel(fpr=0.5, drop=True))
    rates = data.verifier_fpr.sel(verifier="hashed").mean(("seed", "round")).values
    assert rates[0] == 0 and 0.2 < rates[1] < 0.8
    axes = {"verifier.fpr": (0.0, 0.5)}
    alone = dataclasses.replace(CONFIG, axes=axes, base=BASE.replace(verifier=Hashed()))
    assert execute(alone, tmp_path, engine).equals(data.sel(verifier="hashed", drop=True))
    again = execute(CONFIG, tmp_path, Engine(tmp_path / "bases"))
    assert again.equals(data) and "all done before" in capsys.readouterr().err
    policies = load_policies(tmp_path / CONFIG.digest())
    assert len(policies) == 12 and policies.values()["verifier"] == data.verifier.values.tolist()


@pytest.mark.slow
def test_a_sweep_grows_by_plugins(tmp_path, capsys):
    part = dataclasses.replace(CONFIG, axes=NAMED | {"verifier": ("hashed", "none")})
    engine, out = Engine(tmp_path / "bases"), tmp_path / "out"
    for config in (part, CONFIG):
        with resume.claim({out: config}):
            grown = engine.execute(config, out)
    assert "grows from 2 to 3 values of verifier" in capsys.readouterr().err
    assert grown.equals(execute(CONFIG, tmp_path, engine))


def test_a_field_is_replaced_wherever_it_is():
    base, axes = plugins.with_field(CONFIG.base, CONFIG.axes, "verifier.fnr", 0.25)
    assert base.verifier == Oracle(fnr=0.25)
    assert axes["verifier"] == (AcceptAll(), Oracle(fnr=0.25), Hashed(fnr=0.25))
    no_base = BASE.replace(verifier=AcceptAll())
    base, axes = plugins.with_field(no_base, CONFIG.axes, "verifier.fnr", 0.25)
    assert base == no_base and axes["verifier"][2] == Hashed(fnr=0.25)
    with pytest.raises(AttributeError):
        plugins.with_field(BASE, CONFIG.axes, "verifier.threshold", 1.0)
    with pytest.raises(ConfigError, match="^base.verifier.fnr: is 2"):
        plugins.with_field(BASE, CONFIG.axes, "verifier.fnr", 2.0)


@pytest.mark.parametrize(
    "axes, line",
    [
        ({"verifier": ()}, "axes.verifier: needs at least one value"),
        ({"verifier": ("oracle", Oracle())}, "axes.verifier: has a value twice: oracle, oracle"),
        ({"verifier": ("none", "majority")}, "base.learner.num_samples: is 1.*as base.verifier"),
        ({"verifier": ("none",), "verifier.fpr": (0, 2)}, "axes.verifier.fpr: there is no such"),
        ({"verifier": ("oracle",), "verifier.fpr": (0, 2)}, "axes.verifier.fpr: is 2.0, must lie"),
        ({"verifier.inner": ("oracle",)}, "axes.verifier.inner: there is no such field"),
        ({"probe": ("gap",)}, "axes.probe: can't be an axis: it sets the results' shape"),
        ({"curriculum": ("frontier",)}, "base.curriculum: reaches difficulty"),
    ],
)
def test_what_can_be_no_axis_is_one_line(axes, line):
    with pytest.raises(ConfigError, match=line) as caught:
        validate(dataclasses.replace(SMALL, axes=axes, base=BASE.replace(verifier=AcceptAll())))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["nine", 3, Oracle, BASE.task])
def test_what_is_no_verifier_is_refused_where_it_is_given(value):
    with pytest.raises(ConfigError, match="^axes.verifier: is .*, must be a verifier, such as Ora"):
        Sweep(BASE, axes={"verifier": ("none", value)})


def test_plugins_are_not_traced():
    with pytest.raises(ConfigError, match="^trace: needs two axes"):
        validate(dataclasses.replace(CONFIG, trace=True))


def test_tasks_are_an_axis_if_their_results_have_one_shape():
    tasks = BASE.task, BASE.task.replace(max_difficulty=3)
    with pytest.raises(ConfigError, match="axes.task: max_difficulty is 2 and 3, must be the same"):
        validate(dataclasses.replace(SMALL, axes={"task": tasks}))
    config = dataclasses.replace(SMALL, axes={"task": tasks[1:]})
    validate(config)
    assert empty_dataset(config).sizes["difficulty"] == 3
