"""The benchmark measures what it says: units of work, the best of each, and shares of the peak."""

from __future__ import annotations

import functools
import json
import subprocess
import sys

import jax
import pytest

from avax import struct, vocab
from avax.bench import boundary, main_job, measure, steps
from avax.bench.steps import Contestant, Size
from configs import noise_phase_diagram as config
from experiments import benchmark
from paper_figures import benchmark as words
from paper_figures import fig_benchmark as figure

pytestmark = pytest.mark.slow


def row(**facts):
    seconds = facts.pop("median_s")
    return facts | {"median_s": seconds, "least_s": 0.9 * seconds, "most_s": 1.2 * seconds}


def step_rows(work):
    common = {"size": 8, "work": work}
    return [
        row(**common, by="avax", width=1, devices=2, median_s=3e-3),
        row(**common, by="avax", width=2, devices=2, median_s=2e-3),
        row(**common, by="avax", width=4, devices=2, median_s=1e-3),
        row(**common, by="torch", processes=1, threads=2, median_s=8e-3),
        row(**common, by="torch", processes=2, threads=1, median_s=5e-3),
    ]


FOUND = {
    "machine": {"cores": 2, "processor": "abacus"},
    "steps": {
        "rows": [
            row(size=8, by="gemm", devices=1, width=1, median_s=1e-9),
            row(size=8, by="chain", work="train", padded=True, devices=2, width=2, median_s=5e-4),
            row(size=8, by="chain", work="train", padded=False, devices=2, width=2, median_s=3e-4),
            *step_rows("train"),
            *step_rows("generate"),
        ],
        "nominal_flops": {8: 0.5e6},
    },
    "scaling": [
        {"settings": n, "s_a_setting": 0.5, "peak_memory_bytes": 1.5e9, "running_s": n / 2}
        for n in (8, 64)
    ],
    "start": {"cold": {"import": 2.0, "compilation": 9.0}},
    "observing": {"alone_s": 50.0, "observed_s": 50.5},
}


def test_the_table_compares_the_best_of_each():
    lines = words.table(FOUND).splitlines()
    (avax,) = (line for line in lines if "train " in line and " avax  " in line)
    assert "1.0000 ms" in avax and "[width 4, devices 2]" in avax
    assert "0.50 of the peak" in avax  # 0.5 MFLOP in 1 ms, of 1 GFLOP/s
    (torch,) = (line for line in lines if "train " in line and "PyTorch" in line)
    assert "5.0000 ms" in torch and " 5.00 x" in torch and "processes 2" in torch
    assert "   64 settings: 0.500 s each, peak memory 1.50 GB" in lines
    assert "cold start: import 2.0 s, compilation 9.0 s" in lines
    assert lines[-1] == "progress, checkpoints and results: +1.0% (50.5 s instead of 50.0 s)"


def test_the_table_tells_of_the_main_job():
    facts = {"of": "frontier", "peak": 1e9, "least_s": 1, "most_s": 3}
    update = facts | {"what": "update", "longest": 9, "flops": 1e6, "median_s": 2e-3}
    products = update | {"what": "products", "median_s": 1.25e-3}
    run = facts | {"what": "run", "rounds": 10, "median_s": 1.25}
    lines = words.table({"machine": {}, "main_job": [update, products, run]}).splitlines()
    assert lines[1].endswith("to  9 digits: an update 2.00 ms, 0.50 of the peak by real tokens")
    assert "without padding 1.25 ms, 0.80 of the peak" in lines[2]
    assert lines[3].endswith("a run of 10 rounds 1.25 s")


def test_what_a_boundary_costs_by_hand(monkeypatch):
    """Five bases gave a factor of 1.25^4 to both sides, where t is 2.776; ten gave the 1.25."""

    def timed(cost, name, sweep):
        return Contestant({"of": name}, lambda: cost[name])

    monkeypatch.setattr(boundary, "run", functools.partial(timed, {"a": 3.0, "b": 0.5}))
    monkeypatch.setattr(boundary, "base", functools.partial(timed, {"a": 2.0, "b": 2.0}))
    wide = boundary.Design("a", 320, 5, 1.25**-4, 1.25**4, sweep=None)
    close = boundary.Design("b", 60, 10, 0.2, 0.2 * 1.25**2 * (1 - 1e-9), sweep=None)
    rows = boundary.boundary([wide, close], repeats=1)
    # t is 2.018 for 43 bases and 2.020 for 42, and 5 (4 t / 2.776)^2 = 42.3 for both.
    assert [row["needed_bases"] for row in rows] == [43, 10]
    assert [row["needed"] for row in rows] == [64 * 43, 60]
    assert rows[0]["seconds"] == 3.0 * 64 * 43 + 2.0 * 43
    assert rows[1]["seconds"] == 0.5 * 60 + 2.0 * 10
    first, second = words.table({"machine": {}, "boundary": rows}).splitlines()[1:]
    assert "about 8,000 s, 2,752 runs of 43 bases (320 of 5 gave 0.41 to 2.44)" in first
    assert "b: about 50 s, 60 runs of 10 bases (60 of 10 gave 0.2 to 0.312), about 200 x" in second


def test_a_base_costs_as_much_as_all_its_candidates(monkeypatch):
    """Two at a time on each device are trained in eight seconds by this clock."""
    sweep = struct.replace(config.build("smoke", "fixed"), "pretraining.num_updates", 2)
    sweep = struct.replace(sweep, "pretraining.num_candidates", 4)
    timed = boundary.base("it", sweep)
    monkeypatch.setattr(boundary.time, "perf_counter", iter([0.0, 8.0]).__next__)
    assert timed.seconds() == 4 * 8 / (2 * len(jax.local_devices()))


def test_designs_are_read_from_what_is_shipped():
    former, dealt, line = benchmark.designs()
    assert former.needed > 20 * dealt.needed > 40 * line.needed > 0
    assert (former.num_bases, dealt.num_bases, line.num_bases) == (5, 32, 32)
    assert dealt.num_runs == 2 * 16 * 16 and line.num_runs == 6 * 32
    assert former.sweep.pretraining.model.num_layers == 1


def test_the_main_job_is_timed_at_the_lengths_that_it_has():
    found = {c: main_job.lengths(config.build("shipped", c).base) for c in ("frontier", "fixed")}
    assert found == {"frontier": [9, 13, 18], "fixed": [16]}


def test_the_main_job_s_updates_are_timed(monkeypatch):
    monkeypatch.setattr(main_job, "NUM_UPDATES", 2)
    monkeypatch.setattr(main_job, "run", lambda name, sweep: Contestant({"what": "run"}, lambda: 1))
    monkeypatch.setattr(steps, "gemm", lambda n: Contestant({"devices": n}, lambda: 1e-11))
    sweep = config.build("smoke", "fixed")
    update, products, run = main_job.main_job({"fixed": sweep}, 1)
    assert products["what"] == "products" and products["median_s"] > 0
    assert products["flops"] == update["flops"]
    assert update["longest"] == sweep.base.task.max_difficulty and run["median_s"] == 1
    assert update["median_s"] > 0 and update["peak"] == pytest.approx(1e11 / jax.device_count())
    num_parameters = Size(32, 1, 2, 0).num_parameters  # the smoke preset's
    num_tokens = update["flops"] / 6 / num_parameters / 32
    assert 6 < num_tokens < 3 * 11 + 5  # of sums of two numbers of 1 to 11 digits


@pytest.mark.parametrize(
    "parts", [("steps",), ("scaling",), ("start",), ("observing",), ("steps", "scaling", "start")]
)
def test_the_figures_have_panels_for_each_part(parts):
    found = {k: v for k, v in FOUND.items() if k in ("machine", *parts)}
    steps, runs = (draw(found) for draw in figure.FIGURES.values())
    # Time and memory have a panel each.
    assert len(runs.axes) == sum(
        {"scaling": 2, "start": 1, "observing": 1}.get(p, 0) for p in parts
    )
    assert len(steps.axes) == 2 * ("steps" in parts)
    for drawn in (steps, runs):
        assert [x.get_text() for x in drawn.texts] == ["not measured"] * (not drawn.axes)
    if "steps" in parts:
        names = [text.get_text() for text in steps.axes[0].get_legend().get_texts()]
        assert names == list(figure.CONTESTANTS)


def test_nominal_flops_by_hand():
    size = Size(width=8, num_layers=1, num_heads=2, batch=4)
    layer = 8 + 8 * 24 + 2 + 8 * 8 + 8 + 8 * 32 + 32 * 8
    parameters = 32 * 8 + 8 * 8 + layer + 8 + 8 * 32
    tokens = 4 * (2 * 8 + 2 + 8 + 2)
    assert size.num_parameters == parameters
    assert size.nominal_flops() == 6 * parameters * tokens


def test_contestants_take_turns_and_the_median_counts():
    order = []

    def contestant(name, times):
        left = iter((9.0, *times))  # the first is a warm-up

        def seconds():
            order.append(name)
            return next(left)

        return Contestant({"by": name}, seconds)

    rows = measure.steps_table([contestant("a", (3, 1, 2)), contestant("b", (5, 5, 8))], 3)
    assert order == ["a", "b"] * 4
    assert [(r["median_s"], r["least_s"], r["most_s"]) for r in rows] == [(2, 1, 3), (5, 5, 8)]


@pytest.mark.parametrize("width, num_devices", [(1, 2), (2, 1)])
def test_a_contestant_runs_on_its_devices(width, num_devices):
    size = Size(width=8, num_layers=1, num_heads=2, batch=2)
    one = steps.contestant(size, "train", width, num_devices)
    assert one.seconds() > 0
    assert one.facts["devices"] == num_devices <= len(jax.devices())


def test_the_script_draws_what_a_folder_holds(tmp_path):
    (tmp_path / "benchmark.json").write_text(json.dumps(FOUND))
    command = [sys.executable, figure.__file__, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert str(tmp_path / "figure.png") in ended.stdout and (tmp_path / "figure_runs.png").exists()
    missing = subprocess.run([*command[:2], "nowhere"], capture_output=True, text=True, timeout=300)
    assert missing.returncode == 2 and len(missing.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("num_devices", [1, 2])
def test_the_limits_are_measured(num_devices):
    size = Size(width=8, num_layers=2, num_heads=2, batch=2)
    assert steps.gemm(num_devices, side=16).seconds() > 0
    for padded in (True, False):
        assert steps.chain(size, num_devices, padded=padded).seconds() > 0


@pytest.mark.slow
def test_the_policy_that_generates_knows_when_to_end():
    """Else the benchmark would decode to the last column, which no loop does."""
    size = Size(width=32, num_layers=1, num_heads=2, batch=2)
    policies, prompts, keys = steps.stacked(size, "generate", 1, 1)
    completion = jax.jit(jax.vmap(steps.generate))(policies, prompts, keys)
    asked = ((prompts != vocab.PAD).sum(-1) - 2) // 2
    given = (completion[..., 0, :] != vocab.PAD).sum(-1)
    assert (given == asked + 2).mean() > 0.95
