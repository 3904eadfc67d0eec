"""What the README says holds: its code runs, its paths exist, its commands are complete."""

from __future__ import annotations

import pathlib
import re
import sys
import types

import jax
import jax.numpy as jnp

from avax import vocab
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
    (source,) = [block for block in blocks("python") if "class Nines" in block]
    module = types.ModuleType("nines")
    monkeypatch.setitem(sys.modules, "nines", module)
    exec(compile(source, "README.md", "exec"), module.__dict__)
    assert isinstance(module.Nines(), Verifier)
    prompt = jnp.array([4, 5, vocab.PLUS, 7, 1, vocab.EQUALS])
    # The sum, one that is wrong, and one with two digits exchanged: casting out nines passes it.
    completion = jnp.array([[1, 1, 6, vocab.EOS], [1, 1, 7, vocab.EOS], [1, 6, 1, vocab.EOS]])
    rollout = Rollout(prompt, completion, completion != vocab.PAD, jnp.zeros((3, 4)))
    for modulus, expected in ((9, [True, False, True]), (1, [True] * 3)):
        verifier = module.Nines(modulus=modulus)
        verdict = verifier.verify(jax.random.key(0), (), None, rollout, None)
        assert verdict.accept.tolist() == expected


def test_every_path_it_names_is_there():
    paths = re.findall(
        r"(?:\]\(|`|python )((?:avax|paper_figures|experiments|configs)/[\w./]*)", README
    )
    paths += re.findall(r"^(avax/[\w./]+)  ", README, re.MULTILINE)
    missing = {p for p in paths if not (ROOT / p).exists()}
    assert len(paths) > 12 and missing <= {"avax/verifiers/nines.py"}  # the reader's own
