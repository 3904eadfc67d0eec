"""Controls: what each changes and what it leaves, of an experiment, a sweep and a config."""

from __future__ import annotations

import importlib
import itertools
import math
import pathlib
from types import SimpleNamespace

import jax
import pytest
from small_sweeps import BASE, PRETRAINING, SMALL

import avax
from avax import loop, struct
from avax.faults.label_noise import LabelNoise
from avax.faults.lapse import Lapse
from avax.fields import ConfigError
from avax.learners import GRPO, FilteredSFT, Population, SimplifyThenGuess
from avax.models import transformer
from avax.results import roots
from avax.sweeps import controls, needs, stacking
from avax.sweeps.controls import WRAPPERS
from avax.sweeps.sweep import Sweep
from avax.sweeps.tables import dimension_names
from avax.sweeps.validate import validate
from avax.verifiers import (
    AcceptAll,
    Hashed,
    Noisy,
    Oracle,
    Placebo,
    RecipientShuffle,
    Systematic,
)

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
NAMES = sorted(p.stem for p in CONFIGS.glob("*.py") if p.stem != "__init__")
SPOILT = BASE.replace(
    verifier=Hashed(fpr=0.25), label_noise=LabelNoise(digit_rate=0.5), lapse=Lapse(rate=0.5)
)
UNSPOILT = {"label_noise": LabelNoise(), "lapse": Lapse()}
TRUE_DATA = BASE.learner.replace(base_rate=1.0)


@pytest.mark.parametrize(
    "name, changes",
    [
        ("frozen_generator", {"frozen_generator": 1}),
        ("sham", {"verifier": AcceptAll(), "learner": TRUE_DATA, **UNSPOILT}),
        ("matched_sham", {"verifier": Oracle(), "frozen_generator": 1, **UNSPOILT}),
        ("placebo", {"verifier": Placebo(Hashed(fpr=0.25))}),
        ("recipient_shuffle", {"verifier": RecipientShuffle(Hashed(fpr=0.25))}),
    ],
)
def test_each_changes_this_and_nothing_else(name, changes):
    assert controls.CONTROLS[name](SPOILT) == SPOILT.replace(**changes)
    assert getattr(avax.controls, name) is controls.CONTROLS[name]


def test_there_are_no_others():
    assert len(controls.CONTROLS) == 5 and controls.NONE not in controls.CONTROLS


def test_the_votes_of_a_population_are_no_part_of_a_sham():
    learner = Population(FilteredSFT(num_samples=2), threshold=0.75)
    voted = BASE.replace(learner=learner, num_bases=3)
    of_sham = controls.sham(voted).learner
    assert of_sham == Population(FilteredSFT(num_samples=2, base_rate=1.0), threshold=0.0)
    assert controls.matched_sham(voted).learner == learner.replace(threshold=0.0)


@pytest.mark.parametrize("name", ["sham", "matched_sham"])
@pytest.mark.parametrize("learner", [GRPO(), Population(GRPO())])
def test_there_is_no_sham_of_what_trains_on_no_base_data(name, learner):
    with pytest.raises(ConfigError, match=f"controls: {name}: learner.* is GRPO, .*all groups .*"):
        controls.CONTROLS[name](BASE.replace(learner=learner))
    placebo = controls.placebo(BASE.replace(learner=learner))
    assert placebo.learner == learner


def test_a_sham_shares_its_program_with_no_filter():
    """And the frozen generator with the loop: they are numbers."""
    none = BASE.replace(verifier=AcceptAll())
    same = {"sham": none, "frozen_generator": BASE, "matched_sham": BASE}
    for name, like in same.items():
        found = jax.tree.structure(controls.CONTROLS[name](BASE))
        assert found == jax.tree.structure(like)


@pytest.mark.slow
def test_no_completion_is_trained_on_in_a_sham():
    """Whatever they are, at any temperature, the policy in the end is the same; else it isn't."""
    policy = transformer.init(jax.random.key(0), PRETRAINING.model)
    bases = jax.tree.map(lambda x: x[None], policy)

    def trained(experiment, key):
        hot = struct.replace(experiment, "learner.temperature", 3.0)
        pair = stacking.stack([struct.replace(hot, "learner.temperature", 0.5), hot])
        found, metrics = jax.jit(jax.vmap(loop.run, (0, None, None)))(pair, bases, key)
        assert (metrics["grad_norm"][:, 1:] > 0).all()
        gaps = [abs(x[0] - x[1]).max() for x in jax.tree.leaves(found)]
        return float(max(gaps))

    none = BASE.replace(verifier=AcceptAll())
    assert trained(controls.sham(none), jax.random.key(1)) == 0
    assert trained(none, jax.random.key(1)) > 1e-3


RATES, RATE = (1e-3, 3e-3), "learner.learning_rate"
AXES = {"verifier.fpr": (0.0, 0.5, 1.0), RATE: RATES}


@pytest.mark.parametrize(
    "name, axes",
    [
        ("frozen_generator", AXES),
        ("sham", {RATE: RATES}),
        ("matched_sham", {RATE: RATES}),
        *[(x, {"verifier.inner.fpr": AXES["verifier.fpr"], RATE: RATES}) for x in WRAPPERS],
    ],
)
def test_axes_that_mean_nothing_go_and_the_others_keep_their_names(name, axes):
    sweep = Sweep(BASE, PRETRAINING, AXES, num_seeds=3, seed=2)
    found = controls.of(sweep, name)
    validate(found)
    assert found.axes == axes and list(found.axes) == list(axes)
    names = {path.rpartition(".")[2] for path in axes}
    assert set(dimension_names(found.axes, {}).values()) == names
    how = "num_seeds", "seed", "pretraining", "tile_width", "placement"
    assert all(getattr(found, x) == getattr(sweep, x) for x in how)
    # What the axes that are gone would tell apart is one setting.
    settings = dict.fromkeys(map(controls.CONTROLS[name], sweep.settings()))
    assert found.settings() == list(settings)


@pytest.mark.parametrize("path", ["label_noise.digit_rate", "lapse.rate", "frozen_generator"])
def test_axes_of_faults_mean_nothing_to_a_sham(path):
    sweep = Sweep(BASE, PRETRAINING, {path: (0, 1), "snapshot": (-1,)})
    for name in ("sham", "matched_sham"):
        assert list(controls.of(sweep, name).axes) == ["snapshot"]
    assert path in controls.of(sweep, "placebo").axes


def test_plugins_as_axes():
    """Each verifier is within the control; each learner replays base data alone."""
    verifiers = AcceptAll(), Oracle(), Systematic()
    learners = FilteredSFT(num_updates=2), FilteredSFT(num_updates=2, base_rate=0.5)
    axes = {"verifier": verifiers, "verifier.fpr": (0.5, 1.0), "learner": learners}
    sweep = Sweep(BASE, PRETRAINING, axes)
    placebo = controls.of(sweep, "placebo")
    found = {type(x.verifier.inner) for x in placebo.settings()}
    assert found == {type(x) for x in verifiers}
    assert {x.verifier for x in placebo.settings()} == {
        Placebo(x.verifier) for x in sweep.settings()
    }
    assert controls.of(sweep, "sham").axes == {"learner": (learners[0].replace(base_rate=1.0),)}
    with pytest.raises(ConfigError, match="sham: learner is GRPO"):
        controls.of(Sweep(BASE, PRETRAINING, {"learner": (learners[0], GRPO())}), "sham")


def test_a_control_within_itself_is_refused():
    with pytest.raises(ConfigError, match="is Placebo around Placebo"):
        validate(controls.of(controls.of(SMALL, "placebo"), "placebo"))


def test_a_control_of_a_traced_sweep_is_run_whole():
    sweep = Sweep(**{**vars(SMALL), "trace": True})
    assert not controls.of(sweep, "placebo").trace


def test_parts_have_the_settings_of_what_they_control():
    grid = SMALL
    found = controls.parts(grid, ("placebo", "sham", "a/sham", "b/c/placebo"), {
        "a": grid, "b/c": Sweep(BASE.replace(verifier=Noisy(Oracle())), PRETRAINING),
    })  # fmt: skip
    folders = "control/placebo", "control/sham", "control/a_sham", "control/b_c_placebo"
    assert tuple(found) == folders and all(map(roots.is_control, folders))
    assert found["control/placebo"].axes == {
        "verifier.inner.fpr": grid.axes["verifier.fpr"],
        "verifier.inner.fnr": grid.axes["verifier.fnr"],
    }
    assert found["control/sham"] == found["control/a_sham"]
    assert found["control/b_c_placebo"].base.verifier == Placebo(Noisy(Oracle()))


@pytest.mark.parametrize(
    "text, expected",
    [
        ("none", ()),
        ("sham", ("sham",)),
        ("sham, placebo", ("sham", "placebo")),
        ("grpo/placebo,placebo", ("grpo/placebo", "placebo")),
        ("none/sham", ("none/sham",)),
        ("shem", "controls: there is no 'shem'; did you mean sham?"),
        ("placebo,frozen", "controls: there is no 'frozen'; did you mean frozen_generator?"),
        ("sham,none", "controls: there is no 'none'; "),
        ("part/shame", "controls: there is no 'shame'; did you mean sham?"),
        ("zzz", "controls: there is no 'zzz'; can be frozen_generator, sham, "),
        ("sham,sham", "controls: sham is given twice"),
        ("", "controls: names none; can be none, frozen_generator, "),
        (",", "controls: names none"),
    ],
)
def test_names(text, expected):
    if isinstance(expected, tuple):
        assert controls.parse(text) == expected
    else:
        with pytest.raises(ConfigError) as raised:
            controls.parse(text)
        assert str(raised.value).startswith(expected)


def test_a_part_that_there_is_not_is_named():
    with pytest.raises(ConfigError, match="grop/placebo: there is no part grop; did you mean grpo"):
        controls.parts(SMALL, ("grop/placebo",), {"": SMALL, "grpo": SMALL})


@pytest.mark.parametrize("name", NAMES)
def test_the_controls_of_a_config_can_be_run_in_less_than_its_own_time(name):
    """In each of its presets, as many rounds of settings and seeds at most as its own parts."""
    config = importlib.import_module(f"configs.{name}")
    assert config.CONTROLS == controls.parse(",".join(config.CONTROLS) or controls.NONE)
    for values in itertools.product(*config.CHOICES.values()):
        sweep = config.build(**dict(zip(config.CHOICES, values, strict=True)))
        found = needs.parts(config, sweep, config.CONTROLS)
        own = len(needs.parts(config, sweep))
        assert all(roots.is_control(x) == (i >= own) for i, x in enumerate(found))
        assert len(found) == own + len(config.CONTROLS)
        rounds = [math.prod(x.shape) * x.num_seeds * x.base.num_rounds for x in found.values()]
        assert sum(rounds[own:]) < sum(rounds[:own])


def test_the_controls_of_the_main_job_are_as_many_as_the_docs_say():
    config = importlib.import_module("configs.noise_phase_diagram")
    found = needs.parts(config, config.build("laptop", "frontier"), config.CONTROLS)
    sizes = {name: math.prod(x.shape) for name, x in found.items()}
    number = sum(n for name, n in sizes.items() if roots.is_control(name))
    page = (CONFIGS.parent / "docs" / "controls.md").read_text()
    assert f"controls are {number} settings beside {sum(sizes.values()) - number}" in page
    assert all(f"| `{name}` |" in page for name in controls.CONTROLS)


def test_a_learner_that_a_usual_control_does_not_fit_is_told_of_the_flag():
    config = importlib.import_module("configs.noise_phase_diagram")
    sweep = struct.replace(config.build("smoke", "fixed"), "base.learner", GRPO())
    needs.parts(config, sweep)
    with pytest.raises(ConfigError, match="is GRPO, .*placebo; --controls chooses others"):
        needs.parts(config, sweep, config.CONTROLS)
    sweep = struct.replace(sweep, "base.learner", Population(FilteredSFT()))
    sweep = struct.replace(sweep, "base.num_bases", 2)
    with pytest.raises(ConfigError, match="is Population, .*in the part control/placebo"):
        needs.parts(config, sweep, ("placebo",))


def test_a_figure_takes_the_parts_that_it_names():
    parts = {"": 1, "a": 2, "control/sham": 3}
    for named, expected in (
        (("a", ""), [2, 1]),
        (("", "control/sham", "control/placebo"), [1, 3, None]),
    ):
        assert needs.shown(SimpleNamespace(PARTS=named), parts) == expected
    assert needs.shown(SimpleNamespace(), parts) == [1, 2]


def test_all_of_simplify_then_guess_is_replayed_in_a_sham():
    learner = SimplifyThenGuess(step_rate=0.25)
    assert controls.sham(BASE.replace(learner=learner)).learner == learner.replace(base_rate=1.0)
