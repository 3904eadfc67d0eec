"""Controls: an experiment without the one thing that an effect is credited to.

What each is for, and where its limits are, says docs/controls.md. A control is a function of an
experiment; a config names its own in one line, `CONTROLS = ("sham", "grpo/placebo")`: a control of
the sweep that flags change, and one of the part `grpo`.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Mapping

from avax import requirements, struct
from avax.faults.label_noise import LabelNoise
from avax.faults.lapse import Lapse
from avax.fields import ConfigError
from avax.learners import GRPO, Population
from avax.loop import Experiment
from avax.results.roots import CONTROL
from avax.sweeps import plugins
from avax.sweeps.sweep import Sweep
from avax.verifiers import AcceptAll, Oracle, Placebo, RecipientShuffle

Control = Callable[[Experiment], Experiment]
NONE = "none"  # on the command line: no controls


def frozen_generator(experiment: Experiment) -> Experiment:
    """The untouched base writes every round's completions: nothing can compound.

    All else is the same: verifier, lengths, number of updates.
    """
    return experiment.replace(frozen_generator=1)


def sham(experiment: Experiment) -> Experiment:
    """As many updates at the same learning rate, on true data that the base was trained on.

    The filter accepts everything, so that every round trains; no completion is trained on. Of a
    population each member trains alone.

    Raises:
      ConfigError: if the learner replays no base data, as GRPO.
    """
    path = _fine_tuner(experiment, "sham")
    return struct.replace(_unspoilt(experiment, AcceptAll()), f"{path}.base_rate", 1.0)


def matched_sham(experiment: Experiment) -> Experiment:
    """The base's own right answers at the loop's lengths, as an oracle without errors picks them.

    Where the base is nearly never right, few are picked, and a round trains on these few over and
    over; where it never is, a round trains nothing.

    Raises:
      ConfigError: as `sham`.
    """
    _fine_tuner(experiment, "matched_sham")
    return frozen_generator(_unspoilt(experiment, Oracle()))


def placebo(experiment: Experiment) -> Experiment:
    """As many completions of each round are accepted, whichever."""
    return experiment.replace(verifier=Placebo(experiment.verifier))


def recipient_shuffle(experiment: Experiment) -> Experiment:
    """As many wrong completions of each round are accepted, whichever of the wrong ones."""
    return experiment.replace(verifier=RecipientShuffle(experiment.verifier))


CONTROLS: dict[str, Control] = {
    "frozen_generator": frozen_generator,
    "sham": sham,
    "matched_sham": matched_sham,
    "placebo": placebo,
    "recipient_shuffle": recipient_shuffle,
}
WRAPPERS = ("placebo", "recipient_shuffle")  # put the verifier into another one
# What a control sets, or takes every effect from: axes of these fields and of all below go.
_FILTERS = ("frozen_generator", "verifier", "label_noise", "lapse", "learner.threshold")
WITHOUT = {
    "frozen_generator": ("frozen_generator",),
    "sham": (*_FILTERS, "learner.base_rate", "learner.learner.base_rate"),
    "matched_sham": _FILTERS,
}


def of(sweep: Sweep, name: str) -> Sweep:
    """The same sweep under a control, without the axes that mean nothing there.

    The axes of a verifier that is put into another one go along: `verifier.fpr` becomes
    `verifier.inner.fpr`, which in results is still `fpr`.

    Raises:
      ConfigError: for an unknown name, or a control that the experiment can't have.
    """
    check_name(name)
    control = CONTROLS[name]
    base = plugins.with_first(sweep.base, sweep.axes)
    axes = {
        _moved(path) if name in WRAPPERS else path: _under(control, base, path, values)
        for path, values in sweep.axes.items()
        if not any(f"{path}.".startswith(f"{gone}.") for gone in WITHOUT.get(name, ()))
    }
    return dataclasses.replace(sweep, base=control(base), axes=axes, trace=False)


def parts(
    sweep: Sweep, names: Iterable[str], own: Mapping[str, Sweep] | None = None
) -> dict[str, Sweep]:
    """The controls of an experiment by folder: `control/sham`, `control/grpo_placebo`.

    Args:
      names: controls of the sweep, `sham`, or of a part, `grpo/placebo`.
      own: the experiment's own parts.

    Raises:
      ConfigError: for a part or a control that there is not, or that can't be had.
    """
    own, found = own or {}, {}
    for name in names:
        part, _, control = name.rpartition("/")
        if part and part not in own:
            raise ConfigError(f"controls: {name}: there is no part {part}{_near(part, own)}")
        found[f"{CONTROL}/{name.replace('/', '_')}"] = of(own[part] if part else sweep, control)
    return found


def check_name(name: str) -> None:
    """Raises ConfigError, with the nearest, if there is no control of that name."""
    if name not in CONTROLS:
        raise ConfigError(f"controls: there is no {name!r}{_near(name, CONTROLS)}")


def parse(text: str) -> tuple[str, ...]:
    """The names in `sham,grpo/placebo`, none in `none`; ConfigError if one is no control's."""
    names = tuple(name for name in text.replace(" ", "").split(",") if name)
    if names == (NONE,):
        return ()
    if not names:
        raise ConfigError(f"controls: names none; can be {NONE}, {', '.join(CONTROLS)}")
    for i, name in enumerate(names):
        check_name(name.rpartition("/")[2])
        if name in names[:i]:
            raise ConfigError(f"controls: {name} is given twice")
    return names


def _fine_tuner(experiment: Experiment, control: str) -> str:
    """The path of the learner that samples; ConfigError if it has no base data to train on."""
    path, learner = requirements.sampler(experiment)
    if not hasattr(learner, "base_rate"):
        is_relative = isinstance(learner, GRPO)
        why = "all groups would be equal and nothing" if is_relative else "nothing true"
        raise ConfigError(
            f"controls: {control}: {path} is {type(learner).__name__}, which has no base_rate: "
            f"{why} would be trained; its control is the placebo"
        )
    return path


def _unspoilt(experiment: Experiment, verifier) -> Experiment:
    """The same behind another filter alone: no vote of a population, no fault put in."""
    experiment = experiment.replace(verifier=verifier, label_noise=LabelNoise(), lapse=Lapse())
    if isinstance(experiment.learner, Population):
        experiment = struct.replace(experiment, "learner.threshold", 0.0)
    return experiment


def _moved(path: str) -> str:
    """The path of an axis where the verifier is within another one."""
    first, _, rest = path.partition(".")
    return ".".join(filter(None, ("verifier.inner", rest))) if first == "verifier" else path


def _under(control: Control, base: Experiment, path: str, values: tuple) -> tuple:
    """The values of an axis under a control: it changes learners, wherever they stand."""
    if path != "learner":
        return values
    found = (control(base.replace(learner=learner)).learner for learner in values)
    return tuple(dict.fromkeys(found))  # some may have become the same


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1, 0.4)
    return f"; did you mean {near[0]}?" if near else f"; can be {', '.join(filter(None, known))}"
