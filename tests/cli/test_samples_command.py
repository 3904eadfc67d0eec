"""`avax samples`: the policy, task and difficulty that the flags name; one line if there is none.

Policies are stand-ins: what the folder keeps is not looked at.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import sys
import types

import jax
import pytest
from small_sweeps import BASE
from stored import ADDITION, store

import avax
from avax import __main__ as command
from avax import results, tasks, verifiers
from avax.cli.commands import samples as samples_command
from avax.curricula import Frontier
from avax.models import transformer
from avax.models.transformer import TransformerConfig
from avax.results import provenance

ROOT = pathlib.Path(__file__).parents[2]
POLICY = TransformerConfig(num_layers=1, num_heads=1, width=16)
AXES = {"fpr": 1 / 3, "temperature": 1.0, "seed": 4}
CHOSEN = ["--fpr", "0.333333", "--learner.temperature", "1", "--seed", "4"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("stored")
    store(ADDITION, path)
    return path


@pytest.fixture
def asked(monkeypatch):
    """Puts one policy in the place of those that are kept; returns what was asked for."""
    labels = []

    class Policies:
        def __init__(self, folder):
            self.folder = folder

        def sel(self, **chosen):
            labels.append(chosen)
            if chosen.get("round") == 1:
                raise results.ResultsError(f"{self.folder}: keeps no policy of round 1")
            return transformer.init(jax.random.key(0), POLICY)

    kept = types.ModuleType("avax.engine.kept")
    kept.load_policies = Policies
    monkeypatch.setitem(sys.modules, "avax.engine.kept", kept)
    return labels


def printed(capsys, folder, *argv) -> list[str]:
    command.main(["samples", str(folder), *argv])
    return capsys.readouterr().out.splitlines()


def test_it_shows_the_samples_of_the_policy_that_flags_name(folder, asked, capsys):
    first, *lines = printed(capsys, folder, *CHOSEN, "--difficulty", "4", "--number", "3")
    assert asked == [AXES]
    named = "fpr 0.333333, learner.temperature 1, seed 4, round 2; problems of difficulty 4"
    assert first == named
    policy = transformer.init(jax.random.key(0), POLICY)
    expected = avax.samples(policy, tasks.Addition(max_difficulty=5), 4, 3)
    assert lines == str(expected).splitlines()


def test_rounds_are_passed_on_and_sampling_is_warm_where_it_is_asked_for(folder, asked, capsys):
    cold = printed(capsys, folder, *CHOSEN, "--round", "0")
    warm = printed(capsys, folder, *CHOSEN, "--round", "2", "--temperature", "1")
    assert asked == [AXES | {"round": 0}, AXES | {"round": 2}]
    assert "round 0; problems of difficulty 3" in cold[0]  # that of the base
    problems = [[line.split("=")[0] for line in x if "=" in line] for x in (cold, warm)]
    assert problems[0] == problems[1] and len(problems[0]) == 20 and cold[1:] != warm[1:]


def test_an_axis_of_one_value_needs_no_flag(tmp_path, asked, capsys):
    axes = {"verifier.fpr": (0.25,), "label_noise.round": (2,)}
    store(dataclasses.replace(ADDITION, axes=axes, num_seeds=1), tmp_path)
    first, *_ = printed(capsys, tmp_path, "--number", "1")
    assert asked == [{"fpr": 0.25, "label_noise.round": 2, "seed": 3}]
    assert first.startswith("fpr 0.25, label_noise.round 2, seed 3, round 2;")


def test_the_task_is_that_of_the_setting(tmp_path, asked, capsys):
    base = BASE.replace(task=tasks.Chain(max_difficulty=6), base_difficulty=2)
    store(dataclasses.replace(ADDITION, base=base, axes={"task.modulus": (2, 10)}), tmp_path)
    lines = printed(capsys, tmp_path, "--modulus", "2", "--seed", "3", "--number", "9")
    digits = {c for line in lines if "=" in line for c in line.split("=")[0].strip()}
    assert digits == {"0", "1"}
    with_ten = printed(capsys, tmp_path, "--modulus", "10", "--seed", "3", "--number", "9")
    assert any(c in line.split("=")[0] for line in with_ten if "=" in line for c in "56789")


@pytest.mark.parametrize(
    "fields, num_rounds, expected",
    [
        ({"curriculum": Frontier(start=4, step=2)}, 3, 8),
        ({"curriculum": Frontier(start=4, step=2)}, 1, 4),
        ({"curriculum": Frontier(start=4, step=2)}, 0, 1),
        ({"base_difficulty": 2}, 3, 2),
        ({"base_difficulty": 3}, 3, 3),  # harder than what the rounds posed
    ],
)
def test_problems_are_as_hard_as_the_hardest_of_the_training(fields, num_rounds, expected):
    experiment = BASE.replace(**fields)
    assert samples_command.largest_difficulty(experiment, num_rounds) == expected


def test_help_lists_the_axes(folder, capsys):
    for argv, words in (
        (["--help"], ["RESULTS"]),
        ([str(folder), "--help"], ["--fpr", "0, 0.333333, 1", "--learner.temperature", "--seed"]),
    ):
        with pytest.raises(SystemExit) as raised:
            command.main(["samples", *argv])
        out = capsys.readouterr().out
        assert raised.value.code in (0, None) and all(word in out for word in words)


@pytest.mark.parametrize(
    "argv, words",
    [
        ([], "RESULTS"),
        (["--fpr", "0", "{stored}"], "RESULTS has to come first"),
        (["nothing"], "nothing: there is no such folder"),
        (["{stored}"], "--fpr: has to be given; can be 0, 0.333333, 1"),
        (["{stored}", "--fpr", "0.3"], "--fpr: is '0.3', can be 0, 0.333333, 1"),
        (["{stored}", "--fpr", "low"], "--fpr: is 'low', can be"),
        (["{stored}", "--fpr", "nan"], "--fpr: is 'nan', can be"),
        (["{stored}", "--fpr", "0"], "--learner.temperature: has to be given; can be 0.5, 1"),
        (["{stored}", "--fpr", "0", "--learner.temperature", "1", "--seed", "0"],
         "--seed: is '0', can be 3, 4"),
        (["{stored}", "--fnr", "0.5"], "--fnr"),
        (["{stored}", *CHOSEN, "--round", "3"], "--round: is 3, must lie in [0, 2]"),
        (["{stored}", *CHOSEN, "--round", "1"], "keeps no policy of round 1"),
        (["{stored}", *CHOSEN, "--difficulty", "6"], "difficulty: is 6, must lie in [1, 5]"),
        (["{stored}", *CHOSEN, "--difficulty", "0"], "difficulty: is 0, must lie in [1, 5]"),
        (["{stored}", *CHOSEN, "--number", "0"], "number: is 0, must lie in"),
        (["{stored}", *CHOSEN, "--number", "few"], "--number: invalid int value"),
        (["{stored}", *CHOSEN, "--temperature", "-1"], "temperature: is -1.0, must be 0 or"),
    ],
)  # fmt: skip
def test_a_mistake_ends_in_one_line(folder, asked, argv, words, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    check_one_line(capsys, ["samples", *(word.format(stored=folder) for word in argv)], words)


def check_one_line(capsys, argv, words) -> None:
    with pytest.raises(SystemExit) as raised:
        command.main(argv)
    (line,) = capsys.readouterr().err.splitlines()
    assert raised.value.code == 2 and line.startswith("error: ") and words in line


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"axes": {"verifier.fpr": [0.0, 1.0]}}, "config.json: its axes are not those of the"),
        (
            {"axes": {"verifier.fpr": [0, 0, 0], "verifier.fnr": [0.5, 1.0]}},
            "config.json: its axes are not those of the arrays",
        ),
        (
            {"axes": {"verifier.fpr": [0.0] * 3, "learner.temperature": 0.5}},
            "config.json: its axes are not those of the arrays",
        ),
        ({"axes": 3}, "config.json: its axes are not those of the arrays"),
        ({"color": 1}, "config.json: color: Sweep has no such field"),
        ({"base": {"type": "Mine"}}, "config.json: base: is of the class 'Mine', which is not"),
    ],
)
def test_a_configuration_that_is_no_sweep_ends_in_one_line(tmp_path, asked, capsys, changes, words):
    store(ADDITION, tmp_path)
    rewrite(tmp_path, changes)
    check_one_line(capsys, ["samples", str(tmp_path), *CHOSEN], words)


def rewrite(folder: pathlib.Path, changes) -> None:
    """Another configuration, with its checksum."""
    both = provenance.read_both(folder)
    names, arrays_sum = provenance.arrays_of(both)
    provenance.write(folder, both["config"] | changes, both["provenance"], names, arrays_sum)


def test_the_class_of_an_unregistered_plugin_is_named(tmp_path, asked, capsys):
    mine = avax.struct.dataclass(type("Mine", (verifiers.Oracle,), {}))
    store(dataclasses.replace(ADDITION, base=ADDITION.base.replace(verifier=mine())), tmp_path)
    words = "base.verifier: is of the class 'Mine', which is not registered"
    check_one_line(capsys, ["samples", str(tmp_path), *CHOSEN], words)


def test_names_on_an_axis_are_chosen_as_they_are():
    axis = samples_command.Axis("verifier", "verifier", "verifier", _objects("Oracle", "Noisy"))
    assert samples_command.chosen(axis, "Noisy") == 1
    with pytest.raises(results.ResultsError, match="--verifier: is '1', can be Oracle, Noisy"):
        samples_command.chosen(axis, "1")


def _objects(*names):
    import numpy as np

    return np.array(names, object)


def test_no_jax_is_imported_for_a_mistake(folder):
    code = "import sys\nfrom avax.__main__ import main\ntry: main(sys.argv[1:])\n"
    code += "except SystemExit: sys.exit('jax' in sys.modules)"
    argv = ["samples", str(folder), "--fpr", "7"]
    ended = subprocess.run(
        [sys.executable, "-c", code, *argv], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0 and "can be 0, 0.333333, 1" in ended.stderr, ended.stderr
    assert json.loads((folder / "config.json").read_text())["type"] == "Sweep"
