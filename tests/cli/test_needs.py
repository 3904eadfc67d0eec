"""Every experiment with every plug-in: refused in one line before anything runs, or drawn."""

from __future__ import annotations

import dataclasses
import importlib
import pathlib
import types

import matplotlib.pyplot as plt
import pytest

from avax import struct
from avax.cli import cli
from avax.cli.plugin_flags import seams
from avax.fields import ConfigError
from avax.sweeps import needs
from avax.verifiers import Oracle
from configs import noise_phase_diagram as main_job

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
NAMES = sorted(p.stem for p in CONFIGS.glob("*.py") if p.stem != "__init__")
SEAMS = [
    (path, name)
    for path, kind in seams(main_job.build("smoke", "fixed")).items()
    for name in kind.registry
]
CHANGES = (  # beside plug-ins, what once ended in a traceback after the whole run
    ("gap", "--axes.curriculum.step 0"),
    ("gap", "--axes.curriculum.start 2"),
    ("self_trust", "--base.num-rounds 1"),
    ("theory", "--base.learner population --base.num-bases 2"),
)


def of(name: str) -> tuple[types.ModuleType, types.ModuleType]:
    """Config and figure of an experiment."""
    config = importlib.import_module(f"configs.{name}")
    return config, importlib.import_module(f"paper_figures.fig_{name}")


def refused(name: str, argv: str, capsys, draw: bool) -> bool:
    """Whether a command line is refused; if not, and asked for, its made-up results are drawn."""
    config, figure = of(name)
    argv = f"--preset smoke {argv}".split()
    try:
        command = cli.parse(name, config.__doc__, config.CHOICES, config.build, argv)
        parts = needs.parts(config, command.sweep)
    except SystemExit as error:
        (line,) = capsys.readouterr().err.splitlines()
        assert error.code == 2 and line.startswith("error: base.")
        return True
    except ConfigError as error:
        assert len(str(error).splitlines()) == 1
        return True
    if draw:
        needs.rehearse(figure, parts)
        plt.close("all")
    return False


def flag(seam: str, plugin: str) -> str:
    return f"--base.{cli.flag_name(seam)} {plugin}"


@pytest.mark.parametrize("name", NAMES)
def test_a_plugin_that_does_not_fit_is_refused(name, capsys):
    """Where the experiment's needs are met, the parts are valid sweeps."""
    assert {refused(name, flag(*named), capsys, draw=False) for named in SEAMS} == {True, False}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_refused_can_be_drawn(name, capsys):
    for named in SEAMS:
        refused(name, flag(*named), capsys, draw=True)


@pytest.mark.parametrize("name, argv", CHANGES)
def test_what_can_not_be_drawn_is_refused(name, argv, capsys):
    assert refused(name, argv, capsys, draw=False)


def test_a_figure_is_rehearsed_on_results_of_the_right_form():
    parts = needs.parts(main_job, main_job.build("smoke", "fixed"))
    seen = []
    figure = types.SimpleNamespace(draw=lambda *data: seen.extend(data), summary=lambda *data: "")
    needs.rehearse(figure, parts)
    assert dict(seen[0].sizes) | {"fpr": 4, "fnr": 2, "seed": 1, "round": 4} == dict(seen[0].sizes)
    twice = dict(zip(parts, seen, strict=True))["twice"]
    assert twice.accuracy.dims == ("replicate", "fpr", "seed", "round")
    assert all((data.diverged == 0).all() and data.accuracy.notnull().all() for data in seen)


def test_a_figure_that_fails_is_refused_with_the_reason():
    def draw(*datasets):
        return datasets[0].sel(fpr=7.0)

    figure = types.SimpleNamespace(draw=draw, summary=lambda *data: "")
    parts = needs.parts(main_job, main_job.build("smoke", "fixed"))
    with pytest.raises(ConfigError, match="figure can't be drawn.*KeyError"):
        needs.rehearse(figure, parts)


@pytest.mark.parametrize(
    "found, words",
    [
        ({"axes": {"fpr": 5, "fnr": 2}}, "axes.fpr: needs at least 5 values"),
        ({"axes": {"fpr": (0.0, 0.5), "fnr": 2}}, "axes.fpr: must be 0.0, 0.5"),
        ({"axes": {"verifier.fpr": 1}}, "axes: are verifier.fpr, verifier.fnr, must be verifier.f"),
        ({"kinds": {"verifier": int}}, "base.verifier: is Oracle, must be int"),
        ({"values": {"verifier": Oracle(0.1)}}, "base.verifier: is Oracle, must be Oracle"),
        ({"values": {"verifier.inner": 0}}, "base.verifier.inner: is none, must be 0"),
        ({"num_rounds": 4}, "base.num_rounds: is 3, must be at least 4"),
        ({"metrics": ("gap",)}, "base.probe: must measure gap"),
    ],
)
def test_each_need_has_its_line(found, words):
    sweep, axes = main_job.build("smoke", "fixed"), {"fpr": 4, "fnr": 2}
    needs.Needs(axes).check(sweep)
    with pytest.raises(ConfigError, match=words):
        needs.Needs(**{"axes": axes} | found).check(sweep)


def test_parts_that_can_not_be_made_are_refused():
    def parts(sweep):
        return {"": struct.replace(sweep, "base.verifier.nothing", 0)}

    config = types.SimpleNamespace(NEEDS=needs.Needs(), parts=parts)
    sweep = dataclasses.replace(main_job.build("smoke", "fixed"), axes={})
    with pytest.raises(ConfigError, match="base: the parts .* can't be made"):
        needs.parts(config, sweep)


def test_a_part_that_can_not_be_run_is_refused_by_name():
    def parts(sweep):
        return {"": sweep, "long": struct.replace(sweep, "base.num_rounds", 99)}

    config = types.SimpleNamespace(NEEDS=needs.Needs(), parts=parts)
    sweep = dataclasses.replace(main_job.build("smoke", "frontier"), axes={})
    with pytest.raises(ConfigError, match="base.curriculum: reaches .*, in the part long"):
        needs.parts(config, sweep)
