"""Tracing a boundary with the engine, with a toy instead of the loop."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
import pytest
import xarray as xr
from small_sweeps import SMALL
from toys import execute, stand_in, toy_run

from avax import results, struct
from avax.analysis import phase
from avax.cli import script
from avax.engine.width import AUTO_WIDTHS
from avax.results import folders
from avax.sweeps import adaptive

pytestmark = pytest.mark.slow


def wedge_run(experiment, bases, key):
    """Accuracy that grows below the ray FPR / (1 - FNR) = 1/5, and diverges at FPR 1."""
    _, metrics = toy_run(experiment, bases, key)
    fpr, rounds = experiment.verifier.fpr, metrics["loss"] - experiment.verifier.fnr
    gain = 1 - experiment.verifier.fnr - 5 * fpr
    diverged = jnp.where(fpr > 0.9, 1.0, 0.0) * (rounds > 0)
    return None, metrics | {"accuracy": gain * rounds, "diverged": diverged}


@pytest.fixture
def wedge(toy, monkeypatch):
    stand_in(monkeypatch, wedge_run, toy)
    return toy


FPR = (0.3, 0.001, 0.1, 0.003, 1.0, 0.01, 0.0, 0.03)  # the order of an axis is irrelevant
FNR = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9, 0.8, 0.7)
TRACED = dataclasses.replace(
    SMALL, axes={"verifier.fpr": FPR, "verifier.fnr": FNR}, tile_width="3", trace=True
)


@pytest.mark.parametrize(
    "axes, width, placement",
    [
        (("verifier.fpr", "verifier.fnr"), "1", "tiles"),
        (("verifier.fnr", "verifier.fpr"), "3", "spmd"),
        (("learner.base_rate", "verifier.fpr"), "all", "tiles"),
        (("verifier.fpr", "verifier.fnr"), "auto", "tiles"),
    ],
)
def test_a_traced_sweep_runs_a_part_of_the_grid(wedge, tmp_path, axes, width, placement):
    """In its cells, with one program for all batches, up to both sides of every ray's boundary."""
    axes = {path: FPR if path == "verifier.fpr" else FNR for path in axes}
    how = {"axes": axes, "tile_width": width, "placement": placement}
    config = dataclasses.replace(TRACED, **how)
    data = execute(config, tmp_path)
    assert len(wedge) == 1 + (width == "auto") * len(AUTO_WIDTHS)  # measured once
    grid = execute(dataclasses.replace(config, trace=False), tmp_path)
    run = data.diverged.notnull()
    for name in data.data_vars:
        xr.testing.assert_identical(data[name], grid[name].where(run))
    run = run.all(["seed", "round"])
    assert run.equals(data.diverged.notnull().any(["seed", "round"]))
    assert run.size >= 2 * run.sum()
    order = phase.order_parameter(grid).mean("seed").sortby("fpr")
    (across,) = set(order.dims) - {"fpr"}
    for value in order[across].values:
        ray = {across: value}
        first = int((order.sel(ray) > 0).sum())  # the first setting that doesn't improve
        assert run.sel(ray).sortby("fpr")[first - 1 : first + 1].all()


def test_tracing_stands_in_configuration_and_progress(wedge, tmp_path, capsys):
    data = execute(TRACED, tmp_path)
    assert data.attrs["config"]["trace"] is True
    out = tmp_path / TRACED.digest()
    grid = dataclasses.replace(TRACED, trace=False)
    with pytest.raises(
        results.ResultsError, match="another configuration .*; trace: true -> false"
    ):
        folders.check_free(out, struct.to_dict(grid), grid.digest())
    num_run = int(data.diverged.isel(round=-1, seed=0).notnull().sum())
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith(f"{num_run} settings, ")
    notes = [script._note(d) for d in (data, data.where(False), execute(grid, tmp_path))]
    assert "10 of 10 rays traced" in notes[0] and "0 of 10 rays traced" in notes[1]
    assert notes[1].endswith("0 runs gained, 0 lost") and "rays" not in notes[2]


def test_only_a_sweep_of_two_axes_is_traced():
    def traced(axes):
        return adaptive.trace_if_possible(dataclasses.replace(TRACED, axes=axes)).trace

    fpr, fnr = {"verifier.fpr": (0.0, 1.0)}, {"verifier.fnr": (0.0, 1.0)}
    assert traced(fpr | fnr) and traced({"learner.base_rate": (0.1, 0.2)} | fpr)
    assert not traced(fpr) and not traced(fnr | {"learner.base_rate": (0.1, 0.2)})
    assert not traced({}) and not traced(fpr | {"verifier.fnr": (0.5,)})
    assert not traced(fpr | fnr | {"learner.base_rate": (0.1, 0.2)})
