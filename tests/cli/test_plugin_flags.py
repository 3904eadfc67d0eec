"""Plug-ins on the command line: at any depth, and several as an axis."""

from __future__ import annotations

import pytest

from avax.cli import cli, run
from avax.learners import GRPO, FilteredSFT, Population
from avax.verifiers import AcceptAll, AllOf, Hashed, MajorityVote, Noisy, Oracle, RelativeLength


def parse(*argv: str):
    return cli.parse("run", run.__doc__, run.CHOICES, run.build, argv).sweep


def test_without_flags_it_is_one_setting():
    for preset in run.CHOICES["preset"]:
        sweep = parse("--preset", preset)
        assert sweep.axes == {} and len(sweep.settings()) == 1


@pytest.mark.parametrize(
    "argv, verifier",
    [
        ("--base.verifier noisy --base.verifier.inner length", Noisy(RelativeLength())),
        ("--base.verifier.inner none --base.verifier noisy", Noisy(AcceptAll())),
        (
            "--base.verifier all_of --base.verifier.first any_of --base.verifier.second hashed "
            "--base.verifier.first.first none --base.verifier.first.second noisy "
            "--base.verifier.first.second.inner hashed "
            "--base.verifier.first.second.inner.fpr 0.25",
            None,
        ),
    ],
)
def test_plugins_at_any_depth(argv, verifier):
    found = parse(*argv.split()).base.verifier
    if verifier:
        assert found == verifier
    else:
        assert isinstance(found, AllOf) and found.second == Hashed()
        assert found.first.second == Noisy(Hashed(fpr=0.25))


def test_a_learner_in_a_learner():
    argv = "--base.learner population --base.learner.learner grpo --base.num-bases 2".split()
    assert parse(*argv).base.learner == Population(GRPO())


def test_plugins_of_plugins_are_an_axis_where_the_first_has_none():
    sweep = parse(*"--axes.verifier oracle,noisy --axes.verifier.inner length,none".split())
    found = {x.verifier for x in sweep.settings()}
    assert found == {Oracle(), Noisy(RelativeLength()), Noisy(AcceptAll())}
    assert sweep.base.verifier == Oracle()


def test_plugins_are_an_axis_beside_numbers():
    sweep = parse(*"--axes.verifier none,oracle,length --axes.fpr 0,0.1".split())
    assert sweep.axes == {
        "verifier": (AcceptAll(), Oracle(), RelativeLength()),
        "verifier.fpr": (0.0, 0.1),
    }
    assert sweep.base.verifier == AcceptAll()  # in the place of what has no effect
    learners = parse("--axes.learner", "filtered_sft,grpo", "--axes.verifier=oracle,none").axes
    assert learners["learner"] == (FilteredSFT(), GRPO()) and list(learners)[-2:] == [
        "verifier", "learner",
    ]  # fmt: skip


def test_a_field_is_set_in_all_that_have_it():
    argv = "--axes.verifier none,oracle,hashed --base.verifier.fnr 0.5".split()
    assert parse(*argv).axes["verifier"] == (AcceptAll(), Oracle(fnr=0.5), Hashed(fnr=0.5))
    argv = "--axes.verifier noisy,oracle --base.verifier.inner length".split()
    assert parse(*argv).axes["verifier"] == (Noisy(RelativeLength()), Oracle())
    argv = (
        "--axes.learner filtered_sft,grpo --base.learner.num-samples 4 "
        "--base.learner.temperature 1 --base.verifier majority --axes.threshold 0.5,0.7"
    )
    sweep = parse(*argv.split())
    assert [x.num_samples for x in sweep.axes["learner"]] == [4, 4]
    assert sweep.axes["verifier.threshold"] == (0.5, 0.7)
    assert isinstance(sweep.base.verifier, MajorityVote)


def test_plugins_inside_one_are_an_axis():
    sweep = parse("--base.verifier", "noisy", "--axes.verifier.inner", "length,none")
    assert sweep.axes == {"verifier.inner": (RelativeLength(), AcceptAll())}


def test_help_shows_the_fields_of_all_of_them(capsys):
    with pytest.raises(SystemExit):
        parse("--axes.verifier", "none,oracle", "--help")
    out = " ".join(capsys.readouterr().out.split())
    assert "--base.verifier.fpr FLOAT P(accept | wrong)." in out
    assert "now none, oracle" in out and "--axes.fpr" in out


@pytest.mark.parametrize(
    "argv, words",
    [
        ("--axes.verifier none,oracel", ["axes.verifier", "'oracel'", "or one of oracle,"]),
        ("--axes.verifier=", ["axes.verifier", "at least one value"]),
        ("--axes.verifier none,none", ["axes.verifier", "twice", "none, none"]),
        ("--axes.verifier none,oracle --base.verifier oracle", ["base.verifier: is an axis"]),
        ("--axes.verifier none,oracle --axes.threshold 1", ["--axes.threshold", "no such field"]),
        ("--axes.verifier none,majority", ["base.learner.num_samples: is 1", "MajorityVote"]),
        ("--axes.verifier oracle,none --axes.fpr 0,1 --base.verifier.fpr 0.5", ["is an axis"]),
        ("--axes.verifier oracle,none --base.verifier.fpr 2", ["base.verifier.fpr: is 2.0, must"]),
        ("--axes.probe gap", ["axes.probe", "sets the results' shape"]),
        ("--axes.task copy,addition", ["base.curriculum: reaches", "base.task.max_difficulty = 8"]),
        ("--base.verifier.inner none", ["--base.verifier.inner", "there is no such field"]),
        ("--base.verifier noisy --base.verifier.inner nine", ["--base.verifier.inner", "nine"]),
    ],
)
def test_a_mistake_ends_in_one_line(argv, words, capsys):
    with pytest.raises(SystemExit) as raised:
        parse(*argv.split())
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert raised.value.code == 2 and not out and line.startswith("error: ")
    assert not [word for word in words if word not in line], line
