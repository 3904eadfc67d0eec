"""avax from Python: what its names are, what is refused in one line, and what a run gives back."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from small_sweeps import BASE, PRETRAINING

import avax
from avax import curricula, learners, probes, struct, tasks, verifiers
from avax.sweeps.sweep import Sweep

ROOT = pathlib.Path(__file__).parents[1]
HOW = {"pretraining": PRETRAINING, "tile_width": "2", "optimization": 0}


def test_all_names_are_there():
    assert set(avax.__all__) <= set(dir(avax))
    assert all(getattr(avax, name) is not None for name in avax.__all__)
    assert avax.Sweep is Sweep
    with pytest.raises(AttributeError, match="nothing"):
        avax.nothing  # noqa: B018


def test_results_are_loaded_without_jax():
    folder = ROOT / "paper_figures" / "data" / "theory" / "grpo"
    code = "import sys, avax; avax.load(sys.argv[1]); sys.exit('jax' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, folder], cwd=ROOT, check=True, timeout=300)


def test_an_experiment_has_the_main_jobs_parts_but_for_those_given():
    found = avax.experiment(verifier=verifiers.StepOracle(fpr=0.25), num_rounds=3)
    assert found.task == tasks.Addition(max_difficulty=18) and found.num_rounds == 3
    assert found.learner.temperature == 0 and found.verifier == verifiers.StepOracle(fpr=0.25)
    learner = learners.FilteredSFT()
    assert avax.experiment(learner=learner).learner == learner  # with its own defaults


@pytest.mark.parametrize(
    "fields, line",
    [
        ({"verifier": "noisy"}, r"verifier: is 'noisy', must be a verifier, such as Oracle\(\)"),
        ({"verifier": verifiers.Oracle}, r"verifier: is Oracle, must be a verifier, such as"),
        (
            {"task": verifiers.Oracle()},
            r"task: is Oracle\(.*, must be a task, such as Addition",
        ),
        ({"probe": 3}, r"probe: is 3, must be a probe, such as Gap\(\)$"),
        ({"num_round": 3}, r"num_round: there is no such field; can be num_rounds"),
        ({"num_rounds": 0}, r"^num_rounds: is 0, must be at least 1"),
        (
            {"task": tasks.Addition(30), "base_difficulty": 31},
            r"^base_difficulty: is 31, above the task's maximum, task.max_difficulty = 30$",
        ),
        ({"verifier": verifiers.MajorityVote()}, r"^learner.num_samples: is 1.*for MajorityVote"),
        ({"curriculum": curricula.Fixed(highest=30)}, r"^curriculum: reaches difficulty 30"),
    ],
)
def test_what_can_not_be_an_experiment_is_one_line(fields, line):
    with pytest.raises(avax.ConfigError, match=line) as caught:
        avax.experiment(**fields)
    assert "\n" not in str(caught.value) and "base." not in str(caught.value)


def test_a_mistake_is_found_where_it_is_made():
    """When the plug-in is built, before it is part of anything."""
    with pytest.raises(avax.ConfigError, match=r"^Oracle.fpr: is 2, must lie in \[0, 1\]$"):
        verifiers.Noisy(verifiers.Oracle(fpr=2))


@pytest.mark.parametrize(
    "arguments, line",
    [
        (
            {"sweep": {"fprs": [0]}},
            r"sweep: there is no field fprs; can be task, curriculum, cur",
        ),
        ({"sweep": {"num_rounds": [1, 2]}}, r"sweep: num_rounds can't be an axis"),
        ({"sweep": {"verifier": [1, 2]}}, r"axes.verifier: is 1, must be a verifier, such as"),
        ({"sweep": {"verifier": ["nine"]}}, r"axes.verifier: is 'nine', .* or one of oracle, "),
        ({"sweep": {"verifier": ["none", "none"]}}, r"axes.verifier: has a value twice: none, no"),
        ({"sweep": {"verifier": ["none", "cross_model"]}}, r"base.num_bases: is 1, must be at"),
        ({"sweep": {"verifier": ["oracle"], "threshold": [1]}}, r"there is no field threshold"),
        ({"sweep": {"verifier": "none"}}, r"verifier is 'none', must be a list"),
        ({"sweep": {"probe": ["gap"]}}, r"axes.probe: can't be an axis: it sets the results' sh"),
        (
            {"sweep": {"task": [tasks.Copy(2), tasks.Copy(3)]}},
            r"max_difficulty is 2 and 3, must",
        ),
        ({"sweep": {"fpr": 0.5}}, r"sweep: fpr is 0.5, must be a list of values"),
        ({"sweep": {"fpr": None}}, r"^sweep: fpr is None, must be a list of values"),
        ({"sweep": {"fpr": np.zeros((2, 2))}}, r"^sweep: fpr can't have the value \[0.0, 0.0\]"),
        ({"sweep": {"fpr": [10**400]}}, r"^sweep: fpr can't have the value 1000"),
        ({"sweep": {"fpr": [0], "verifier.fpr": [1]}}, r"^sweep: verifier.fpr is given twice"),
        ({"sweep": ["fpr"]}, r"^sweep: is \['fpr'\], must be a dict with a list"),
        (
            {"sweep": {"verifier": [verifiers.Oracle(fpr=np.zeros(2))]}},
            r"^axes.verifier.fpr: is array\(\[0., 0.\]\), must be a number",
        ),
        ({"experiment": verifiers.Oracle()}, r"^experiment: is Oracle\(.*, must be an experiment"),
        ({"experiment": "main"}, r"^experiment: is 'main', must be an experiment"),
        ({"pretraining": None}, r"^pretraining: is None, must be a Pretraining"),
        (
            {"experiment": BASE.replace(verifier=verifiers.Oracle(fpr=None))},
            r"^base.verifier.fpr: is None, must be a number",
        ),
        (
            {"experiment": BASE.replace(verifier=verifiers.Noisy(learners.GRPO()))},
            # Of a property of the outer one that asks the inner one, Python 3.11 alone finds out.
            r"^base.verifier(.inner)?: is (Noisy\(inner=)?GRPO\(.*, must be a verifier, such as",
        ),
        ({"seeds": None}, r"^num_seeds: is None, must be a whole number"),
        ({"seeds": [0, 1]}, r"^num_seeds: is \[0, 1\], must be a whole number"),
        ({"seeds": 10**10}, r"^num_seeds: is 10000000000, must lie in \[1, 2147483647\]"),
        ({"tile_width": None}, r"^tile_width: is None, must be a text"),
        ({"sweep": {"fpr": [0, 2]}}, r"^axes.verifier.fpr: is 2.0, must lie in"),
        ({"sweep": {"fpr": []}}, r"axes.verifier.fpr: needs at least one value"),
        ({"resume": "maybe"}, r"^resume: is 'maybe', must be one of auto, never, must"),
        ({"seeds": 0}, r"^num_seeds: is 0, must be at least 1"),
        ({"tile_width": 2}, r"^tile_width: is 2, must be a text"),
        ({"width": 3}, r"width: there is no such argument; can be .*tile_width, "),
        ({"tile_width": "wide"}, r"tile_width: is 'wide'"),
    ],
)
def test_what_can_not_be_run_is_one_line(tmp_path, arguments, line):
    with pytest.raises(avax.ConfigError, match=line) as caught:
        how = {"experiment": BASE, "out": tmp_path / "out", "bases": tmp_path} | HOW
        avax.run(**how | arguments)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_numbers_of_numpy_are_pythons():
    base = BASE.replace(num_rounds=np.int64(2), verifier=verifiers.Oracle(fpr=np.float32(0.5)))
    sweep = Sweep(base, PRETRAINING, num_seeds=np.int64(2))
    found = sweep.base.num_rounds, sweep.base.verifier.fpr, sweep.num_seeds
    assert [type(x) for x in found] == [int, float, int]
    assert (
        sweep.digest()
        == Sweep(
            BASE.replace(verifier=verifiers.Oracle(fpr=0.5)), PRETRAINING, num_seeds=2
        ).digest()
    )


def test_a_name_that_two_numbers_have_must_be_a_path():
    both = BASE.replace(verifier=verifiers.AllOf(verifiers.Oracle(), verifiers.Oracle()))
    with pytest.raises(avax.ConfigError, match=r"can be verifier.first.fpr, verifier.second.fpr$"):
        avax.run(both, {"fpr": [0, 1]})


def test_a_run_is_labelled_kept_and_the_same_again(tmp_path, monkeypatch, capfd):
    """In another thread than the main one; the process's signals stay as they are."""
    monkeypatch.chdir(tmp_path)
    handlers, found = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)], []

    def work(out):
        sweep = {"fpr": np.array([0, 0.5]), "verifier.fnr": (0, 1)}
        found.append(avax.run(BASE, sweep, 2, first_seed=3, out=out, bases="bases", **HOW))

    for out in ("mine", "mine", None):
        thread = threading.Thread(target=work, args=(out,))
        thread.start()
        thread.join()
    first, again, unkept = found
    assert dict(first.sizes) | {"fpr": 2, "fnr": 2, "seed": 2, "round": 3} == dict(first.sizes)
    assert first.seed.values.tolist() == [3, 4] and first.fpr.values.tolist() == [0.0, 0.5]
    assert first.equals(again) and first.equals(unkept) and first.equals(avax.load("mine"))
    assert "all done before" in capfd.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "bases"}
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == handlers
    with pytest.raises(avax.ResultsError, match="mine"):
        avax.run(BASE.replace(num_rounds=1), out="mine", bases="bases", **HOW)


@pytest.mark.slow
def test_what_a_folder_holds_is_gone_on_with_or_run_again(tmp_path, capfd):
    where = {"out": tmp_path / "out", "bases": tmp_path / "bases"} | HOW
    with pytest.raises(avax.ResultsError, match="nothing to continue"):
        avax.run(BASE, resume="must", **where)
    first = avax.run(BASE, **where)
    for resume, words in (("must", "all done before"), ("never", "1/1 settings")):
        assert avax.run(BASE, resume=resume, **where).equals(first)
        assert words in capfd.readouterr().err


@pytest.mark.slow
def test_a_plugin_of_ones_own_needs_no_registration(tmp_path):
    mine = type("Mine", (verifiers.AcceptAll,), {})

    experiment = BASE.replace(
        verifier=struct.dataclass(mine)(), probe=probes.PassAt(num_problems=2)
    )
    found = avax.run(experiment, bases=tmp_path, **HOW)
    assert (found.accept_rate.isel(round=slice(1, None)) == 1).all()


@pytest.mark.slow
def test_the_page_on_python_runs(tmp_path, home):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.S)
    assert len(blocks) == 11
    environment = os.environ | {"AVAX_CACHE_DIR": str(home), "PYTHONPATH": str(ROOT)}
    environment.pop("XLA_FLAGS", None)
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", "".join(blocks)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "must be at least 2" in ended.stdout and "right: " in ended.stdout
    assert "<12 policies in results/mine (fpr: 3, fnr: 2, seed: 2, round: 1)>" in ended.stdout
