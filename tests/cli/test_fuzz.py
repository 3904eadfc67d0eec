"""Command lines at random: one line and status 2, or a configuration that can be written down."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from avax import struct
from avax.cli import cli, terminal
from avax.fields import ConfigError
from avax.sweeps import needs, sweep
from avax.sweeps.sweep import EXECUTION, INVISIBLE, Sweep

NAMES = ("noise_phase_diagram", "theory", "gap", "avalanche")
CONFIGS = {name: importlib.import_module(f"configs.{name}") for name in NAMES}
SEED = int(os.environ.get("AVAX_TEST_SEED", 0))
ESCAPES = ("\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\u202e", "\r", "\n", "\udc80", "\x00")

numbers = st.one_of(
    st.integers(-(10**30), 10**30),
    st.integers(-3, 40),
    st.floats(),
    st.floats(0, 1),
    st.sampled_from([2**31, 2**32, 2**63, 1e39, 1e300, -0.0, 5e-324]),
).map(str)
texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", " ", ",", ":", "::", "log:", "true", "auto", "all", "²", "٣", "%s"]),
    st.sampled_from(["oracle", "noisy", "learned", "grpo", "addition", "copy", "fixed", "gap"]),
    st.lists(st.sampled_from([*ESCAPES, "a", "../", "--"]), min_size=1, max_size=4).map("".join),
)
ends = st.one_of(numbers, texts)
axes = st.one_of(
    st.lists(ends, max_size=4).map(",".join),
    st.tuples(ends, ends, ends).map(":".join),
    st.tuples(numbers, numbers, numbers).map(":".join).map("log:".__add__),
    st.tuples(numbers, numbers, st.integers(0, 10**12).map(str)).map(":".join),
)
values = st.one_of(numbers, texts, axes)


def known_flags() -> list[str]:
    """Every flag of the configurations' defaults."""
    found = {"--preset", "--curriculum", "--out", "--bases", "--resume", "--controls"}
    for config in CONFIGS.values():
        default = config.build(*(choices[0] for choices in config.CHOICES.values()))
        found |= {f"--{cli.flag_name(path)}" for path, _, _ in struct.walk(default)}
        paths = cli.sweepable(default.base)
        found |= {f"--axes.{cli.flag_name(path)}" for path in paths}
        found |= {f"--axes.{path.rpartition('.')[2]}" for path in paths}
    return sorted(found)


flags = st.one_of(
    st.sampled_from(known_flags()),
    st.sampled_from(known_flags()),
    texts.map("--".__add__),
    texts,
    st.sampled_from(["-x", "-", "--", "--axes.", "--base", "--base.verifier.__class__", "-1"]),
)
words = st.one_of(
    st.tuples(flags, values).map(list),
    st.tuples(flags, values).map("=".join).map(lambda word: [word]),
    flags.map(lambda flag: [flag]),
)
command_lines = st.lists(words, min_size=1, max_size=3).map(lambda each: sum(each, []))


def outcome(name: str, argv: list[str]) -> Sweep | str | None:
    """The sweep that a command line asks for, what it printed on standard error, or None where it
    asked for help and got it.
    """
    config, err = CONFIGS[name], io.StringIO()
    out = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(out):
        try:
            found = cli.parse(name, config.__doc__, config.CHOICES, config.build, argv).sweep
            try:
                needs.parts(config, found)
            except ConfigError as error:
                terminal.fail(str(error))
        except SystemExit as ended:
            if ended.code == 0:
                assert out.getvalue().startswith("usage: ") and err.getvalue() == ""
                return None
            assert ended.code == 2 and out.getvalue() == ""
            return err.getvalue()
    assert err.getvalue() == "" and out.getvalue() == ""
    return found


def check_line(err: str) -> None:
    """One line that a terminal shows as it is."""
    assert err.startswith("error: ") and err.endswith("\n")
    assert err[:-1].isprintable() and len(err) < 3000


def check_round_trip(found: Sweep) -> None:
    """What config.json would hold has the digest of the sweep."""
    stored = json.loads(json.dumps({"digest": found.digest(), **struct.to_dict(found)}))
    assert stored.pop("digest") == found.digest()
    default = struct.to_dict(Sweep(found.base))
    for field in EXECUTION:
        stored[field] = default[field]
    for field in INVISIBLE:
        del stored[field]
    assert sweep.digest(stored) == found.digest()


@settings(
    max_examples=500,
    deadline=None,
    database=None,
    derandomize=SEED == 0,
    suppress_health_check=list(HealthCheck),
)
@given(st.sampled_from(NAMES), command_lines)
@example("theory", ["--axes.fpr", "0:1:1000000000000"])
@example("theory", ["--axes.fpr", "-1e308:1e308:3"])
@example("theory", ["--axes.fpr", "log:-1:1:3"])
@example("theory", ["--axes.fpr=0:1:9000", "--axes.fnr=0:1:9000"])
@example("theory", ["--num-seeds", "1" * 5000])
@example("theory", ["--base.num-rounds", "1000000000"])
@example("theory", ["--axes.num-distinct", "1000000000000"])
@example("theory", ["--base.learner.learning-rate", "1e39"])
@example("theory", ["--tile-width", "²"])
@example("theory", ["--out", ""])
@example("theory", ["--preset=--"])
@example("noise_phase_diagram", ["--axes.fpr=--"])
@example("noise_phase_diagram", ["--help"])
@example("theory", ["--num-seeds", "2", "-h"])
def test_a_command_line_is_refused_in_one_line_or_understood(name, argv):
    found = outcome(name, argv)
    if found is None:
        assert any(word.startswith(("-h", "--h")) for word in argv)
    elif isinstance(found, str):
        check_line(found)
    else:
        check_round_trip(found)


@settings(max_examples=100, deadline=None, database=None, derandomize=SEED == 0)
@given(
    st.sampled_from(NAMES),
    st.integers(1, 5),
    st.integers(0, 2**32 - 10),
    st.floats(0, 2.0**120, width=32, allow_subnormal=False),
    st.lists(st.floats(0, 1, width=32, allow_subnormal=False), min_size=1, max_size=4, unique=True),
)
def test_what_is_in_range_is_understood(name, num_seeds, seed, rate, fprs):
    argv = ["--num-seeds", f"{num_seeds}", "--seed", f"{seed}"]
    argv += ["--num-runs", "1"] if name == "theory" else []  # no more than there are bases
    argv += ["--base.learner.learning-rate", f"{rate!r}"]
    if name == "noise_phase_diagram":
        argv += ["--axes.fpr", ",".join(map(repr, fprs))]
    found = outcome(name, argv)
    assert isinstance(found, Sweep), found
    assert (found.num_seeds, found.seed, found.base.learner.learning_rate) == (
        *(num_seeds, seed),
        rate,
    )
    if name == "noise_phase_diagram":
        assert found.axes["verifier.fpr"] == tuple(fprs)
    check_round_trip(found)


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("flag", ["--{}", "--base.verifier={}", "--axes.fpr={}", "--seed={}"])
def test_an_escape_sequence_is_not_echoed(flag, escape):
    check_line(outcome("noise_phase_diagram", [flag.format(f"x{escape}y")]))
