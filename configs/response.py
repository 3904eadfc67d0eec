"""Can the boundary between gain and collapse be predicted from one lapse of the verifier?

    python experiments/response.py

A perfect verifier looks away in one round and lets some of the policy's own mistakes through. How
much more the policy errs in each of the following rounds is the loop's impulse response; if
responses add up, it predicts what a verifier does that always errs. For several mixes of data, a
size of model and a curriculum: predicted and measured boundary, beside the prediction of mean field
from the next round alone, 1 / kappa, and the response to random wrong digits instead of own
mistakes.

Expect: own mistakes are remembered for many rounds, random digits are forgotten; predictions from
one round's kappa are off by 10 times and more, those from the whole response by about 2.
"""

from __future__ import annotations

import dataclasses

from avax.curricula import Frontier
from avax.engine.sweep import Sweep
from avax.engine.validate import ConfigError
from configs import noise_phase_diagram as main_job
from configs.theory import with_learner

CHOICES = {"preset": ("laptop", "smoke", "paper")}
FPR = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
LAPSES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
DIGITS_CHANGED = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)


def build(preset: str) -> Sweep:
    """The reference: verifiers that always err. `parts` derives all else from it."""
    return {"smoke": smoke, "laptop": laptop, "paper": paper}[preset]()


def laptop() -> Sweep:
    """8 verifiers, 5 seeds, on 1 to 16 digits from a base that knows 8."""
    sweep = main_job.build("laptop", "fixed")
    base = sweep.base.replace(num_eval=32)
    return dataclasses.replace(sweep, base=base, axes={"verifier.fpr": FPR}, num_seeds=5)


def smoke() -> Sweep:
    """2 verifiers, 3 rounds, one seed of a base that has hardly learned."""
    sweep = laptop()
    learner = sweep.base.learner.replace(num_problems=16, num_updates=2)
    return dataclasses.replace(
        sweep,
        base=sweep.base.replace(num_rounds=3, num_eval=4, learner=learner),
        pretraining=sweep.pretraining.replace(num_updates=40, num_candidates=1),
        axes={"verifier.fpr": (0.0, 1.0)},
        num_seeds=1,
    )


def paper() -> Sweep:
    """16 verifiers, 20 seeds, all at once: sized for one GPU."""
    axes = {"verifier.fpr": (0.0, *main_job.log_spaced(0.005, 1.0, 15))}
    return dataclasses.replace(laptop(), axes=axes, num_seeds=20, tile_width="all")


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """Random labels in one round; for each variant a line of verifiers, and lapses of one round."""
    if set(sweep.axes) != {"verifier.fpr"}:
        raise ConfigError("axes: this experiment has one, verifier.fpr")
    if sweep.base.num_rounds < 3:
        raise ConfigError(f"base.num_rounds: is {sweep.base.num_rounds}, must be at least 3")
    found = {"random_labels": dataclasses.replace(sweep, axes={"label_noise.rate": DIGITS_CHANGED})}
    for name, variant in variants(sweep).items():
        found[f"line/{name}"] = variant
        found[f"lapse/{name}"] = dataclasses.replace(variant, axes={"lapse.rate": LAPSES})
    return found


def variants(sweep: Sweep) -> dict[str, Sweep]:
    """Mixes of data, a size of model and a curriculum, one changed at a time."""
    base, learner, model = sweep.base, sweep.base.learner, sweep.pretraining.model
    wide = sweep.pretraining.replace(model=model.replace(width=48))
    frontier = base.replace(
        task=base.task.replace(max_difficulty=base.base_difficulty + base.num_rounds),
        curriculum=Frontier(start=base.base_difficulty + 1),
        lapse=base.lapse.replace(round=2),  # in round 1 there are hardly any mistakes
    )
    return {
        "reference": sweep,
        "base_data": with_learner(sweep, learner.replace(base_rate=0.5)),
        "gentle": with_learner(sweep, learner.replace(learning_rate=learner.learning_rate / 3)),
        "accumulated": with_learner(sweep, learner.replace(num_kept=base.num_rounds)),
        "wide": dataclasses.replace(sweep, pretraining=wide),
        "frontier": dataclasses.replace(sweep, base=frontier),
    }
