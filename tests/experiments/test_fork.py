"""A fork's plug-ins go from file to figure: a file and a line in a registry each, no other edit.

The verifier is README's own. Where the checkout isn't, the package alone runs any experiment, too.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from avax import results

ROOT = pathlib.Path(__file__).parents[2]
FOLDERS = ("avax", "configs", "experiments", "paper_figures")
SCRIPTS = sorted({p.stem for p in (ROOT / "experiments").glob("*.py")} - {"run", "benchmark"})
README = (ROOT / "README.md").read_text()
# A policy that is hardly trained: does everything work?
TINY = (
    "--base.task.max-difficulty 4 --base.base-difficulty 2 --base.curriculum.start 3 "
    "--base.num-rounds 2 --base.learner.num-updates 4 --pretraining.num-updates 30 "
    "--pretraining.model.width 16"
).split()

REVERSE = '''
"""Writing a number backwards."""

from avax import struct, vocab
from avax.tasks import digits
from avax.types import Problem


@struct.dataclass
class Reverse:
    """`abc>cba$`, difficulty = digits."""

    max_difficulty: int = struct.static(8, low=1)

    @property
    def prompt_len(self):
        return self.max_difficulty + 1

    @property
    def completion_len(self):
        return self.max_difficulty + 1

    def sample(self, key, difficulty):
        (x,) = digits.sample_numbers(key, 1, difficulty, self.max_difficulty)
        pieces = [digits.written(x, difficulty, is_reversed) for is_reversed in (True, False)]
        asked = [pieces[0], digits.symbol(vocab.COPY)]
        given = [pieces[1], digits.symbol(vocab.EOS)]
        return Problem(
            digits.place(self.prompt_len, asked, right=True),
            digits.place(self.completion_len, given, right=False),
            difficulty,
        )

    def grade(self, problem, completion):
        return digits.grade_exact(problem, completion)
'''
REPEAT = '''
"""Descent on the whole round: every accepted completion, in each update."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from avax import struct, vocab
from avax.policies import sampling, training
from avax.types import Policy, StepInfo, first


class RepeatState(NamedTuple):
    policy: Policy
    optimizer: Any


@struct.dataclass
class Repeat:
    """Fine-tunes on all that is accepted at once; what is rejected has no tokens to learn."""

    num_problems: int = struct.static(16, low=1)
    num_updates: int = struct.static(4, low=1)
    learning_rate: float = struct.leaf(1e-3, low=0)

    def init(self, key, bases, example):
        policy = first(bases)
        return RepeatState(policy, training.optimizer(self.learning_rate, 1.0).init(policy))

    def step(self, key, state, source):
        problems, rollouts, verdicts = sampling.collect(
            key, source, state.policy, self.num_problems, 1, 1.0
        )
        accepted = verdicts.accept[:, 0]
        completions = jnp.where(accepted[:, None], rollouts.completion[:, 0], vocab.PAD)
        batch = rollouts.prompt, completions
        batches = jax.tree.map(lambda x: jnp.repeat(x[None], self.num_updates, 0), batch)
        policy, optimizer, loss, norm = training.update_if(
            accepted.any(), training.cross_entropy,
            training.optimizer(self.learning_rate, 1.0), *state, batches,
        )
        return RepeatState(policy, optimizer), StepInfo(problems, rollouts, verdicts, loss, norm)
'''


@pytest.fixture(scope="module")
def fork(tmp_path_factory):
    """What a clone holds, with three plug-ins."""
    folder = tmp_path_factory.mktemp("fork")
    for name in FOLDERS:
        copy(ROOT / name, folder / name)
    (nines,) = (x for x in re.findall(r"```python\n(.*?)```", README, re.S) if "class Nines" in x)
    path, line = told()
    assert path == "avax/verifiers/nines.py"
    add(folder, path, nines, "Nines", "VERIFIERS", line)
    add(folder, "avax/tasks/reverse.py", REVERSE, "Reverse", "TASKS", '"reverse": Reverse()')
    add(folder, "avax/learners/repeat.py", REPEAT, "Repeat", "LEARNERS", '"repeat": Repeat()')
    return folder


def copy(source: pathlib.Path, target: pathlib.Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "data"))


def told() -> tuple[str, str]:
    """The file and the line of the registry that README says make a verifier."""
    words = README.partition("## A verifier of your own")[2].partition("```")[0]
    path, line = (re.search(x, words) for x in (r"`(avax/verifiers/\w+\.py)`", r"`(\"\w+\": .*?)`"))
    return path[1], line[1]


def add(folder, path, source, name, registry, line) -> None:
    """The two edits: a file, and in the registry its entry, with the import that it needs."""
    target = folder / path
    assert not target.exists()
    target.write_text(source.lstrip())
    registered = target.with_name("__init__.py")
    text = registered.read_text()
    module = path.removesuffix(".py").replace("/", ".")
    entry = f"from {module} import {name}\n\n{registry} = {{\n    {line},\n"
    assert text.count(f"\n{registry} = {{\n") == 1
    registered.write_text(text.replace(f"\n{registry} = {{\n", entry))


def start(folder: pathlib.Path, *argv: str) -> subprocess.CompletedProcess:
    """A Python that finds avax in this folder alone, as it would be installed from there."""
    place = {"AVAX_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": str(folder), "XLA_FLAGS": ""}
    return subprocess.run(
        [sys.executable, *argv],
        cwd=folder, env=os.environ | place, capture_output=True, text=True, timeout=900,
    )  # fmt: skip


def check_figure(ended: subprocess.CompletedProcess, out: pathlib.Path) -> None:
    assert ended.returncode == 0, ended.stderr
    assert "Warning" not in ended.stderr and "Traceback" not in ended.stderr
    for kind in ("png", "pdf"):
        assert (out / f"figure.{kind}").stat().st_size > 1000
        assert f"{out.name}/figure.{kind}" in ended.stdout
    assert "solved length" in ended.stdout and "wall time" in ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "argv, axes",
    [
        ("--base.verifier nines --axes.modulus 1,3,9", {"modulus": [1, 3, 9]}),
        ("--base.task reverse --base.verifier nines --base.learner repeat", {}),
        ("--axes.verifier none,nines,oracle", {"verifier": ["none", "nines", "oracle"]}),
        (
            "--axes.learner filtered_sft,repeat",
            {"learner": ["FilteredSFT(num_updates=4)", "repeat"]},
        ),
    ],
)
def test_three_plugins_from_a_file_to_the_figure(fork, argv, axes):
    out = fork / f"out{sum(path.name.startswith('out') for path in fork.iterdir())}"
    how = ["--preset", "smoke", "--bases", "bases", "--out", out.name, *argv.split(), *TINY]
    ended = start(fork, "experiments/run.py", *how)
    check_figure(ended, out)
    found = results.load(out)
    assert {name: found[name].values.tolist() for name in axes} == axes
    assert found.accuracy.notnull().all() and set(found.accuracy.dims) == {*axes, "seed", "round"}

    chosen = [x for name, values in axes.items() for x in (f"--{name}", str(values[-1]))]
    shown = start(fork, "-m", "avax", "samples", out.name, *chosen, "--number", "3")
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"^right: \d of 3, accuracy ", shown.stdout, re.M)


# The scripts that it is given, one after the other: what each would end with.
EACH = """
import contextlib, io, json, os, runpy, sys
ended = {}
for name in sys.argv[1:]:
    out, err, status = io.StringIO(), io.StringIO(), None
    sys.argv = [f"experiments/{name}.py", "--preset", "smoke", "--base.verifier", "nines"]
    sys.argv += ["--out", f"refused_{name}"]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as error:
            status = error.code
    ended[name] = status, out.getvalue(), err.getvalue()
print(json.dumps(ended))
"""


@pytest.mark.slow
def test_other_experiments_name_the_one_that_takes_it(fork):
    """All of them in one process: to start each takes much longer than to be refused."""
    done = start(fork, "-c", EACH, *SCRIPTS)
    assert done.returncode == 0 and not done.stderr, done.stderr
    ended = json.loads(done.stdout)
    assert sorted(ended) == SCRIPTS
    for name, (status, out, err) in ended.items():
        assert status == 2 and not out, name
        (line,) = err.splitlines()
        assert "experiments/run.py" in line
        assert not (fork / f"refused_{name}").exists()


@pytest.mark.slow
def test_the_package_alone_runs_any_experiment(tmp_path):
    """As it is installed: without configs, experiments and paper_figures."""
    copy(ROOT / "avax", tmp_path / "avax")
    argv = "--preset", "smoke", "--axes.verifier", "none,oracle", "--out", "out"
    ended = start(tmp_path, "-m", "avax", *argv, *TINY)
    check_figure(ended, tmp_path / "out")
    for command in (["show"], ["samples", "--verifier", "none"], ["export", "--csv", "all.csv"]):
        done = start(tmp_path, "-m", "avax", command[0], "out", *command[1:])
        assert done.returncode == 0 and done.stdout, done.stderr
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 1 + 2 * 3
