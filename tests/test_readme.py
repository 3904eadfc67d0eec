"""What the README says holds: its code runs, its paths exist, its commands are complete."""

from __future__ import annotations

import pathlib
import re
import sys
import types

import jax
import jax.numpy as jnp

from avax.types import Rollout, Verifier

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_it_is_short_and_keeps_no_placeholder():
    assert len(README.splitlines()) <= 150
    assert not re.search(r"@[A-Z0-9]+@|TODO", README)


def test_the_first_two_commands_install_and_run_the_main_job_and_the_tests():
    run, test = blocks("bash")[:2]
    assert "pip install -e ." in run and "python experiments/noise_phase_diagram.py" in run
    assert "pip install -e '.[test]'" in test and "python -m pytest" in test


def test_its_verifier_is_one(monkeypatch):
    (source,) = [block for block in blocks("python") if "class MinLength" in block]
    module = types.ModuleType("length")
    monkeypatch.setitem(sys.modules, "length", module)
    exec(compile(source, "README.md", "exec"), module.__dict__)
    verifier = module.MinLength(share=0.6)
    assert isinstance(verifier, Verifier)
    mask = jnp.arange(4)[None] < jnp.array([4, 3, 1])[:, None]
    rollout = Rollout(jnp.zeros(3, int), jnp.zeros((3, 4), int), mask, jnp.zeros((3, 4)))
    verdict = verifier.verify(jax.random.key(0), (), None, rollout, None)
    assert verdict.accept.tolist() == [True, True, False]


def test_every_path_it_names_is_there():
    paths = re.findall(
        r"(?:\]\(|`|python )((?:avax|paper_figures|experiments|configs)/[\w./]*)", README
    )
    paths += re.findall(r"^(avax/[\w./]+)  ", README, re.MULTILINE)
    missing = {p for p in paths if not (ROOT / p).exists()}
    assert len(paths) > 12 and missing <= {"avax/verifiers/length.py"}  # the reader's own
