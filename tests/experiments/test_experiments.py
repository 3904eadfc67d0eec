"""Every experiment: its presets can be run, and its figure takes the parts that it runs."""

from __future__ import annotations

import importlib
import itertools
import pathlib

import pytest

from avax.results import roots
from avax.sweeps.validate import validate

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
NAMES = sorted(p.stem for p in CONFIGS.glob("*.py") if p.stem != "__init__")


@pytest.mark.parametrize("name", NAMES)
def test_all_parts_can_be_run_and_are_those_of_the_figure(name):
    config = importlib.import_module(f"configs.{name}")
    figure = importlib.import_module(f"paper_figures.fig_{name}")
    for values in itertools.product(*config.CHOICES.values()):
        parts = config.parts(config.build(**dict(zip(config.CHOICES, values, strict=True))))
        assert tuple(parts) == tuple(p for p in figure.PARTS if not roots.is_control(p))
        for sweep in parts.values():
            validate(sweep)


@pytest.mark.parametrize("name", NAMES)
def test_a_config_opens_with_its_question_and_command(name):
    first, _, rest = importlib.import_module(f"configs.{name}").__doc__.partition("\n")
    assert first.endswith("?") and f"python experiments/{name}.py" in rest and "Expect" in rest
    assert (CONFIGS.parent / "experiments" / f"{name}.py").exists()
