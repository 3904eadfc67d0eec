"""The command line: every field is a flag, every mistake is one line and exit status 2."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import sys

import pytest

from avax import results, struct
from avax.cli import cli, script
from avax.engine import platform
from avax.engine.durable import resume
from avax.fields import ConfigError
from avax.learners import GRPO
from avax.probes import Gap
from avax.results import folders
from avax.sweeps import adaptive, axes
from avax.tasks import Scratchpad
from avax.verifiers import MajorityVote, Noisy, Oracle
from configs import noise_phase_diagram as config
from configs import theory
from paper_figures import fig_noise_phase_diagram as figure

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = ROOT / "experiments" / "noise_phase_diagram.py"


def parse(*argv: str) -> cli.Command:
    return cli.parse("noise", config.__doc__, config.CHOICES, config.build, argv)


def smoke(*argv: str) -> cli.Command:
    return parse("--preset", "smoke", *argv)


def line_of(capsys, raised) -> str:
    """The one line that a failing program printed."""
    out, err = capsys.readouterr()
    assert raised.value.code == 2 and out == ""
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize(
    "argv, words",
    [
        # names
        ("--base.verifier.fpx 1", ["--base.verifier.fpx", "did you mean --axes.fpr?"]),
        ("--fpr 0.1", ["--fpr", "did you mean --axes.fpr?"]),
        ("--learning-rate 1", ["did you mean --base.learner.learning-rate or --pretraining.lea"]),
        ("--base.learner.learning_rate 1", ["did you mean --base.learner.learning-rate?"]),
        ("--axes.fpx 0,1", ["--axes.fpx", "did you mean --axes.f"]),
        ("--num-seed=2", ["--num-seed:", "did you mean --num-seeds?"]),
        ("--zzzzzzzz 1", ["--zzzzzzzz", "--help"]),
        ("--base.verifier.inner.threshold 0.7", ["--base.verifier.inner.threshold"]),
        ("extra", ["extra", "without a flag", "--help"]),
        ("smoke", ["smoke", "did you mean --preset smoke?"]),
        ("--seed 1 fixed", ["fixed", "did you mean --curriculum fixed?"]),
        # what would have no effect
        ("--base.verifier.fpr 0.1", ["base.verifier.fpr", "axis", "--axes"]),
        ("--num-seeds 2 --num-seeds=3", ["--num-seeds", "twice"]),
        ("--axes.fpr 0,1 --axes.verifier.fpr 0", ["--axes.verifier.fpr", "twice"]),
        ("--curriculum fixed --curriculum frontier", ["--curriculum", "twice"]),
        ("--base.label-noise.round 4", ["base.label_noise.round", "4", "the last round is 3"]),
        ("--base.lapse.round 99", ["base.lapse.round", "99", "the last round is 3"]),
        ("--axes.label-noise.round 1,4", ["base.label_noise.round", "4"]),
        ("--base.learner.max-grad-norm 0", ["base.learner.max_grad_norm", "at least 1e-06"]),
        ("--pretraining.max-grad-norm 0", ["pretraining.max_grad_norm", "at least 1e-06"]),
        # what 32 bits can't hold apart
        ("--axes.fpr 1e-300,2e-300", ["axes.verifier.fpr", "twice", "32 bits"]),
        ("--axes.fpr 0.1,0.100000000001", ["axes.verifier.fpr", "twice", "32 bits"]),
        ("--axes.fpr 1e-40", ["axes.verifier.fpr", "1e-40", "0 or at least 1.17549e-38"]),
        ("--base.learner.temperature 1e-10", ["temperature", "1e-10", "0 or at least 0.001"]),
        ("--axes.fpr -0.0,0", ["axes.verifier.fpr", "twice"]),
        # choices
        ("--preset tiny", ["--preset", "tiny", "laptop", "smoke", "paper"]),
        ("--curriculum=moving", ["--curriculum", "moving", "frontier", "fixed"]),
        ("--base.verifier noise", ["--base.verifier", "noise", "oracle", "noisy"]),
        ("--base.task division", ["--base.task", "division", "addition"]),
        ("--pretraining.model.position left", ["--pretraining.model.position", "left", "rotary"]),
        ("--base.verifier", ["--base.verifier", "one argument"]),
        # text for a number
        ("--base.num-rounds many", ["--base.num-rounds", "many"]),
        ("--base.num-eval 1.5", ["--base.num-eval", "1.5"]),
        ("--base.verifier.fpr x", ["--base.verifier.fpr", "'x'"]),
        ("--base.task.reversed-digits 1", ["--base.task.reversed-digits", "true or false", "'1'"]),
        # ranges
        ("--base.lapse.rate 1.5", ["base.lapse.rate", "1.5", "[0, 1]"]),
        ("--base.lapse.rate=-0.1", ["base.lapse.rate", "-0.1", "[0, 1]"]),
        ("--base.lapse.rate nan", ["base.lapse.rate", "nan", "[0, 1]"]),
        ("--base.learner.learning-rate inf", ["base.learner.learning_rate", "inf", "at least 0"]),
        ("--base.num-rounds 0", ["base.num_rounds", "0", "at least 1"]),
        ("--num-seeds 0", ["num_seeds", "0", "at least 1"]),
        ("--seed -1", ["seed", "-1", "at least 0"]),
        ("--pretraining.num-updates 0", ["pretraining.num_updates", "0", "at least 1"]),
        ("--tile-width 0", ["tile_width", "'0'", "auto", "all"]),
        ("--tile-width wide", ["tile_width", "'wide'", "auto", "all"]),
        ("--tile-width 2.5", ["tile_width", "'2.5'", "auto", "all"]),
        ("--segment 0", ["segment", "'0'", "auto"]),
        ("--engine slurm", ["engine", "'slurm'", "local", "ray"]),
        ("--engine ray", ["engine", "placement is spmd", "--placement tiles"]),
        ("--engine ray --ray-address ray://head:10001", ["ray_address", "ray://head", "HOST:PORT"]),
        ("--ray-address head:6379", ["ray_address", "--engine ray"]),
        ("--resume maybe", ["--resume", "maybe", "auto", "never", "must"]),
        # axes
        ("--axes.fpr=", ["axes.verifier.fpr", "at least one value"]),
        ("--axes.fpr ,", ["axes.verifier.fpr", "at least one value"]),
        ("--axes.fpr 0:1:0", ["axes.verifier.fpr", "at least one value"]),
        ("--axes.fpr 0,0.5,0", ["axes.verifier.fpr", "twice", "0.5"]),
        ("--axes.fpr 0.5:0.5:2", ["axes.verifier.fpr", "twice", "0.5"]),
        ("--axes.fpr 0,1.5", ["axes.verifier.fpr", "1.5", "[0, 1]"]),
        ("--axes.fpr 0,nan", ["axes.verifier.fpr", "nan", "[0, 1]"]),
        ("--axes.fpr low", ["verifier.fpr", "'low'", "from:to:count"]),
        ("--axes.fpr 0:1", ["verifier.fpr", "'0:1'", "from:to:count"]),
        ("--axes.fpr 0:1:2.5", ["verifier.fpr", "'0:1:2.5'", "from:to:count"]),
        ("--axes.fpr 0:1:-1", ["verifier.fpr", "'0:1:-1'", "from:to:count"]),
        ("--axes.fpr log:0:1:4", ["verifier.fpr", "'log:0:1:4'", "from:to:count"]),
        ("--axes.snapshot 0.5", ["snapshot", "'0.5'", "not whole"]),
        # tracing
        ("--trace maybe", ["--trace", "true or false", "'maybe'"]),
        ("--trace --axes.fpr 0.1", ["trace", "fpr", "verifier.fpr (1), verifier.fnr (2)"]),
        ("--trace --axes.fnr=0.1", ["trace", "fpr", "verifier.fpr (4), verifier.fnr (1)"]),
        ("--trace --axes.temperature 0.5,1", ["trace", "fpr", "learner.temperature (2)"]),
        ("--trace --base.verifier likelihood", ["trace", "fpr", "there are none"]),
        # combinations
        ("--base.base-difficulty 20", ["base.base_difficulty", "20", "base.task.max_difficulty"]),
        ("--base.num-rounds 10", ["base.curriculum", "18", "base.task.max_difficulty = 11"]),
        ("--base.curriculum.step 2", ["base.curriculum", "13", "base.task.max_difficulty = 11"]),
        ("--axes.curriculum.start 6,10", ["base.curriculum", "12", "max_difficulty = 11"]),
        ("--base.curriculum fixed --base.curriculum.lowest 9", ["base.curriculum", "starts at 9"]),
        ("--pretraining.model.width 30 --pretraining.model.num-heads 4",
         ["pretraining.model.width", "30", "8"]),
        ("--pretraining.model.position learned --pretraining.model.max-len 5",
         ["pretraining.model.max_len", "5"]),
        ("--base.verifier learned --base.verifier.model.width 30",
         ["base.verifier.model.width", "30", "4"]),
        ("--base.base-task division", ["--base.base-task", "division", "scratchpad"]),
        ("--base.base-task copy", ["base.base_task", "(9, 9)", "base.task", "(24, 13)"]),
        ("--base.snapshot 1", ["base.snapshot", "1", "pretraining.num_snapshots = 1"]),
        ("--base.snapshot -2", ["base.snapshot", "-2", "pretraining.num_snapshots = 1"]),
        ("--axes.snapshot 0,3 --pretraining.num-snapshots 3", ["base.snapshot", "3", "[-3, 2]"]),
        # combinations that would mean something else than they say
        ("--base.verifier cross_model", ["base.num_bases: is 1", "2", "CrossModel"]),
        ("--base.learner population", ["base.num_bases: is 1", "2", "Population"]),
        ("--base.verifier majority", ["base.learner.num_samples: is 1", "2", "MajorityVote"]),
        ("--base.verifier noisy", ["base.learner.num_samples: is 1", "as base.verifier.inner"]),
        ("--base.verifier majority --base.learner.num-samples 4", ["learner.temperature: is 0"]),
        ("--base.verifier majority --base.learner population --base.num-bases 2",
         ["base.learner.learner.num_samples: is 1"]),
        ("--base.verifier commit_first", ["base.learner.temperature: is 0", "CommitFirst"]),
        ("--base.verifier self_evaluation", ["base.task: is Addition", "judged"]),
        ("--base.learner simplify", ["base.task: is Addition", "scratchpad"]),
        ("--base.verifier commutative --base.task copy --base.task.max-difficulty 11",
         ["base.task: is Copy", "two operands"]),
        ("--base.verifier systematic --base.task copy --base.task.max-difficulty 11",
         ["base.task: is Copy", "carry", "Systematic"]),
        ("--base.probe pass_at --base.probe.num-samples 4",
         ["base.probe.num_samples: is 4", "16", "PassAt"]),
        ("--base.probe self_trust --base.num-bases 2 --base.probe.num-samples 1 "
         "--base.learner.num-samples 2 --base.learner.temperature 1 --base.verifier majority",
         ["base.probe.num_samples: is 1", "MajorityVote as base.verifier"]),
    ],
)  # fmt: skip
def test_a_mistake_ends_in_one_line(argv, words, capsys):
    with pytest.raises(SystemExit) as raised:
        smoke(*argv.split(" "))
    line = line_of(capsys, raised)
    assert not [word for word in words if word not in line], line


@pytest.mark.parametrize(
    "argv, line",
    [
        ("--base.lapse.rate 2", "base.lapse.rate: is 2.0, must lie in [0, 1]"),
        ("--base.verifier noisy --base.verifier.inner.threshold 2",
         "base.verifier.inner.threshold: is 2.0, must lie in [0, 1]"),
        ("--base.verifier majority --base.verifier.threshold=-1",
         "base.verifier.threshold: is -1.0, must lie in [0, 1]"),
        ("--base.num-rounds 0", "base.num_rounds: is 0, must be at least 1"),
        ("--base.learner.temperature 1e-10",
         "base.learner.temperature: is 1e-10, must be 0 or at least 0.001"),
        ("--pretraining.num-updates -1", "pretraining.num_updates: is -1, must be at least 1"),
        ("--pretraining.model.width 0", "pretraining.model.width: is 0, must be at least 2"),
        ("--base.base-difficulty 99999999999999999999999",
         "base.base_difficulty: is too large, must lie in [1, 2147483647]"),
        ("--base.snapshot 99999999999", "base.snapshot: is 99999999999, must be finite in 32 bits"),
        ("--num-seeds 0", "num_seeds: is 0, must be at least 1"),
        ("--seed -1", "seed: is -1, must be at least 0"),
        ("--optimization 4", "optimization: is 4, must lie in [0, 3]"),
        ("--axes.fpr 0,2", "axes.verifier.fpr: is 2.0, must lie in [0, 1]"),
        ("--base.base-difficulty 20",
         "base.base_difficulty: is 20, above the task's maximum, base.task.max_difficulty = 11"),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_named_by_its_flag(argv, line, capsys):
    """By the whole path, not by the class that was being built."""
    with pytest.raises(SystemExit) as raised:
        smoke(*argv.split(" "))
    assert line_of(capsys, raised) == f"error: {line}"


@pytest.mark.parametrize("value", ["nan", "inf", "0:inf:3"])
def test_an_integer_axis_refuses_what_is_not_finite(value, capsys):
    with pytest.raises(SystemExit) as raised:
        smoke("--axes.base-difficulty", value)
    assert "base_difficulty" in line_of(capsys, raised)


@pytest.mark.parametrize("seed", [2**32, 2**64])
def test_a_seed_that_is_not_a_key_of_its_own_is_refused(seed, capsys):
    with pytest.raises(SystemExit) as raised:
        smoke("--seed", str(seed))
    assert "seed" in line_of(capsys, raised)


def test_the_defaults_are_those_of_the_configuration():
    command = parse()
    assert command.sweep == config.build("laptop", "frontier")
    assert command.choices == {"preset": "laptop", "curriculum": "frontier"}
    assert command.out == pathlib.Path("results/noise")
    assert command.bases == pathlib.Path("results/bases")


@pytest.mark.parametrize("argv", [["--preset", "smoke", "--curriculum", "fixed"],
                                  ["--curriculum=fixed", "--preset=smoke"]])  # fmt: skip
def test_choices_pick_the_defaults(argv):
    command = parse(*argv, "--out", "a b", "--bases=c")
    assert command.sweep == config.build("smoke", "fixed")
    assert command.choices == {"preset": "smoke", "curriculum": "fixed"}
    assert (command.out, command.bases) == (pathlib.Path("a b"), pathlib.Path("c"))


@pytest.mark.parametrize("form", ["two words", "one word"])
@pytest.mark.parametrize(
    "flag, text, path, value",
    [
        ("--base.learner.learning-rate", "5e-4", "base.learner.learning_rate", 5e-4),
        ("--base.lapse.rate", "0.25", "base.lapse.rate", 0.25),
        ("--base.snapshot", "-1", "base.snapshot", -1),
        ("--base.num-rounds", "2", "base.num_rounds", 2),
        ("--base.task.reversed-digits", "FALSE", "base.task.reversed_digits", False),
        ("--base.label-noise.digit-rate", "0.1", "base.label_noise.digit_rate", 0.1),
        ("--pretraining.model.num-layers", "3", "pretraining.model.num_layers", 3),
        ("--pretraining.model.position", "rotary", "pretraining.model.position", "rotary"),
        ("--num-seeds", "7", "num_seeds", 7),
        ("--seed", "11", "seed", 11),
        ("--tile-width", "all", "tile_width", "all"),
        ("--segment", "3", "segment", "3"),
    ],
)
def test_a_flag_sets_its_field_and_no_other(flag, text, path, value, form):
    argv = [flag, text] if form == "two words" else [f"{flag}={text}"]
    default = config.build("smoke", "frontier")
    sweep = smoke(*argv).sweep
    assert sweep == struct.replace(default, path, value)
    assert type(struct.get(sweep, path)) is type(struct.get(default, path))
    changed = struct.get(default, path) != value and path not in ("tile_width", "segment")
    assert (sweep.digest() != default.digest()) == changed


@pytest.mark.parametrize("form", ["two words", "one word"])
@pytest.mark.parametrize(
    "text, values",
    [
        ("0,0.1,0.5", (0.0, 0.1, 0.5)),
        ("0.5,0", (0.5, 0.0)),
        ("1e-2, 0.5", (0.01, 0.5)),
        ("0.3", (0.3,)),
        ("0:0.5:3", (0.0, 0.25, 0.5)),
        ("0:0.3:4", (0.0, 0.1, 0.2, 0.3)),
        ("log:0.01:1:3", (0.01, 0.1, 1.0)),
    ],
)
def test_forms_of_an_axis(text, values, form):
    for flag in ("--axes.fpr", "--axes.verifier.fpr"):
        argv = [flag, text] if form == "two words" else [f"{flag}={text}"]
        axes = smoke(*argv).sweep.axes
        assert axes == {"verifier.fpr": values, "verifier.fnr": (0.0, 0.5)}
        assert all(type(value) is float for value in axes["verifier.fpr"])


@pytest.mark.parametrize(
    "words, trace", [("", False), ("--trace", True), ("--trace true", True), ("--trace=no", None)]
)
def test_tracing_is_asked_for_by_one_word(words, trace, capsys):
    if trace is None:
        with pytest.raises(SystemExit):
            smoke(words)
        assert "--trace" in capsys.readouterr().err
        return
    sweep = smoke(*words.split(), "--num-seeds", "2").sweep
    assert sweep.trace is trace and sweep.num_seeds == 2
    assert not config.parts(sweep)["line"].trace or trace


def test_every_part_with_two_axes_is_traced():
    parts = theory.parts(dataclasses.replace(theory.build("smoke"), trace=True))
    traced = {name for name, part in parts.items() if adaptive.trace_if_possible(part).trace}
    assert traced == {"", "samples", "grpo", "skill"} < set(parts)


def test_controls_are_the_experiments_own_unless_others_are_named(capsys):
    def asked(*argv: str) -> tuple[str, ...]:
        about = "noise", config.__doc__, config.CHOICES, config.build
        return cli.parse(*about, argv, config.CONTROLS).controls

    assert asked() == config.CONTROLS and smoke().controls == ()
    assert asked("--controls", "none") == ()
    assert asked("--controls=placebo,twice/sham") == ("placebo", "twice/sham")
    with pytest.raises(SystemExit):
        asked("--help")
    shown = " ".join(capsys.readouterr().out.split())
    assert f"(default: {', '.join(config.CONTROLS)})" in shown


def test_a_value_may_begin_with_a_minus():
    words = "--axes.snapshot", "-1,-2", "--pretraining.num-snapshots", "2", "--seed", "5"
    sweep = parse(*words).sweep
    assert sweep.axes["snapshot"] == (-1, -2) and sweep.seed == 5


def test_an_axis_of_integers_holds_integers():
    axes = smoke("--axes.base-difficulty", "2:6:3").sweep.axes
    assert axes["base_difficulty"] == (2, 4, 6)
    assert all(type(value) is int for value in axes["base_difficulty"])


def test_any_leaf_can_be_an_axis_and_no_static_field():
    sweep = smoke("--axes.learning-rate", "log:1e-4:1e-2:3").sweep
    assert sweep.axes["learner.learning_rate"] == (1e-4, 1e-3, 1e-2)
    assert "learner.learning_rate" in axes.sweepable(sweep.base)
    assert not {"num_rounds", "task.max_difficulty"} & set(axes.sweepable(sweep.base))


def test_a_short_name_exists_only_where_it_is_unique():
    base = config.build("smoke", "frontier").base
    assert axes.axis_names(base, "verifier.fpr") == ["verifier.fpr", "fpr"]
    assert axes.axis_names(base, "base_difficulty") == ["base_difficulty"]
    twice = base.replace(verifier=Noisy(Noisy(MajorityVote())))
    assert axes.axis_names(twice, "verifier.fpr") == ["verifier.fpr"]
    assert axes.axis_names(twice, "verifier.inner.fpr") == ["verifier.inner.fpr"]


@pytest.mark.parametrize("argv", [["--base.verifier", "noisy"], ["--base.verifier=noisy"]])
def test_a_plugin_by_its_name_and_then_its_fields(argv):
    argv = [*argv, "--base.learner.num-samples=2", "--base.learner.temperature=1"]
    sweep = smoke(*argv, "--base.verifier.inner.threshold", "0.7").sweep
    assert sweep.base.verifier == Noisy(MajorityVote(threshold=0.7))
    assert sweep.axes == config.build("smoke", "frontier").axes  # it has both fields
    before = smoke("--base.verifier.inner.threshold=0.7", *argv).sweep
    assert before == sweep


def test_a_plugin_drops_the_axes_that_it_does_not_have():
    sweep = smoke("--base.verifier", "none", "--base.learner=grpo").sweep
    assert sweep.axes == {} and sweep.base.learner == GRPO()
    assert smoke("--base.verifier", "oracle").sweep.base.verifier == Oracle()


def test_the_base_may_have_a_task_of_its_own():
    assert smoke().sweep.base.base_task is None
    argv = "--base.task scratchpad --base.task.max-difficulty 11 --base.task.step-rate 0".split()
    argv += "--base.base-task scratchpad --base.base-task.max-difficulty 11".split()
    sweep = smoke(*argv).sweep
    assert sweep.base.task == Scratchpad(11, step_rate=0.0)
    assert sweep.base.base_task == sweep.base.warm_task == Scratchpad(11)
    axes = smoke(*argv, "--axes.base-task.step-rate", "0.2,0.5").sweep.axes
    assert axes["base_task.step_rate"] == (0.2, 0.5)


def test_help_lists_every_field_with_its_docstring(capsys):
    with pytest.raises(SystemExit) as raised:
        smoke("--help")
    assert raised.value.code == 0
    out, err = capsys.readouterr()
    assert err == "" and config.__doc__.strip() in out
    shown = " ".join(out.split())
    sweep = config.build("smoke", "frontier")
    for path, _, value in struct.walk(sweep):
        if isinstance(value, (bool, int, float, str)):
            flag = f"--{cli.flag_name(path)}"
            assert f" {flag} " in shown, flag
            assert cli._help_of(sweep, path), f"{path} is not in its class's docstring"
            assert f"{cli._help_of(sweep, path)} (default: {value})" in shown, flag
    for flag in ("--base.verifier", "--axes.fpr", "--out", "--bases", "--preset", "--curriculum"):
        assert f" {flag} " in shown or f" {flag}," in shown, flag
    assert "P(accept | wrong)." in shown and "0, 0.03, 0.3, 1" in shown


def test_an_axis_that_is_no_field_is_refused():
    sweep = config.build("smoke", "frontier")
    for path in ("verifier.fpx", "fpr"):
        broken = struct.replace(sweep, "axes", {path: (0.0,)})
        with pytest.raises(ConfigError, match=f"axes.{path}"):
            cli.validate(broken)


@pytest.mark.parametrize(
    "path, values",
    [
        ("probe", (Gap(),)),
        ("num_rounds", (2, 3)),
        ("task.max_difficulty", (16, 18)),
    ],
)
def test_what_can_not_be_an_axis_is_refused(path, values):
    sweep = struct.replace(config.build("smoke", "frontier"), "axes", {path: values})
    with pytest.raises(ConfigError, match=f"axes.{path}: can't be an axis"):
        cli.validate(sweep)


def test_claim_checks_all_folders_before_it_writes(tmp_path):
    sweep = config.build("smoke", "frontier")
    taken = tmp_path / "out" / "twice"
    folders.claim(taken, {}, "another")
    (taken / results.STORE).mkdir()
    with pytest.raises(results.ResultsError) as raised:
        resume.claim({tmp_path / "out": sweep, taken: config.parts(sweep)["twice"]})
    line = str(raised.value)
    assert str(taken) in line and "another" in line and "--out" in line
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["twice"]


def test_claim_of_a_folder_that_can_not_be_written(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(results.ResultsError, match=str(tmp_path / "file" / "out")):
        resume.claim({tmp_path / "file" / "out": config.build("smoke", "frontier")})


@pytest.mark.parametrize(
    "argv, words",
    [
        ("--base.verifier likelihood", ["base.verifier", "Likelihood", "experiments/run.py"]),
        ("--base.learner grpo", ["controls: sham", "GRPO", "its control is the placebo", "--con"]),
        ("--controls shem", ["controls: there is no 'shem'; did you mean sham?"]),
        ("--controls twce/sham", ["no part twce; did you mean twice?"]),
        ("--axes.temperature 0.5,1", ["axes", "fpr", "fnr"]),
        pytest.param(
            "--base.num-rounds 1",
            ["base.num_rounds"],
        ),
    ],
)
def test_what_can_not_be_drawn_is_not_run(argv, words, tmp_path, monkeypatch, capsys):
    def configure():
        raise RuntimeError("it would run")

    monkeypatch.setattr(platform, "configure", configure)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--preset", "smoke", *argv.split()])
    with pytest.raises(SystemExit) as raised:
        script.main(0.0, config, figure)
    line = line_of(capsys, raised)
    assert not [word for word in words if word not in line], line
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_from_a_shell(tmp_path):
    ended = subprocess.run(
        [sys.executable, SCRIPT, "--base.verifier.fpx", "1"],
        cwd=tmp_path,
        env=os.environ | {"AVAX_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 2 and ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert "--base.verifier.fpx" in line and "did you mean --axes.fpr?" in line
    assert list(tmp_path.iterdir()) == []
