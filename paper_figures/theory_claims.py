"""What is claimed about the one number of a verifier that decides, and how shipped runs answer."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals, numbers, phase, surface
from avax.analysis.intervals import Estimate
from paper_figures.claims import Certainty, Claim, Rule
from paper_figures.pages import Question
from paper_figures.standards import HEADLINE, Needs

LEARNERS = {"": "fine-tuning", "samples": "4 x samples", "grpo": "GRPO"}
PARTS = (*LEARNERS, "skill")
RATIO, ONE_LESS_J = "FPR / (1 - FNR)", "1 - J"
QUESTION = Question(
    title="Which one number of a verifier decides whether self-training gains or loses?",
    sentences=(
        "Filtered fine-tuning, the same with four times the samples, and GRPO ran behind 7 x 4 "
        "verifiers from the same bases, on a fixed range of 16 digits.",
        "For each number of a verifier the share of the variance between verifiers, in a base that "
        "was left out, is shown that its best falling function explains, and for two of them all "
        "verifiers on one line.",
        "Intervals are jackknife t intervals over bases; for GRPO the verifier that accepts all "
        "(FPR 1, FNR 0) is left out, as all groups are equal and nothing trains behind it.",
    ),
    command="python experiments/theory.py",
)
RAD = "Rad et al. 2026, arXiv 2601.04411"
BOUNDARY = {"learning_rates": 2, "horizons": 2}


def that_train(order: xr.DataArray, learner: str) -> xr.DataArray:
    """The settings behind which a learner trains at all: a group-relative one doesn't where the
    verifier accepts all, the only setting with J = 0.
    """
    if learner != "GRPO":
        return order
    return order.where(~((order.fpr >= 1) & (order.fnr <= 0)))


def order_of(learner: str, datasets) -> xr.DataArray:
    name = LEARNERS[learner]
    return that_train(phase.order_parameter(datasets[PARTS.index(learner)]), name)


def levels(order: xr.DataArray) -> np.ndarray:
    """Levels of six iso-lines, evenly spaced in rank."""
    mean = order.mean("seed").values
    return np.quantile(mean[np.isfinite(mean)], np.linspace(0.2, 0.8, 6))


def beats(learner: str, number: str, other: str, *datasets: xr.Dataset) -> Estimate:
    """Share of the variance that one number explains, minus that of another."""
    return numbers.advantage(order_of(learner, datasets), number, other)


def isolines(learner: str, *datasets: xr.Dataset) -> Estimate:
    return surface.exponent(order_of(learner, datasets))


def gain_where(learner: str, sign: int, *datasets: xr.Dataset) -> Estimate:
    """Mean gain over the verifiers whose J has a sign, times that sign."""
    order = order_of(learner, datasets)
    chosen = order.where(np.sign(1 - order.fpr - order.fnr).round(6) == sign)
    return intervals.mean(sign * chosen.mean(("fpr", "fnr")).values)


def over(learner: str, number: str, *others: str) -> dict:
    return {f"over {other}": partial(beats, learner, number, other) for other in others}


def divides(learner: str) -> dict:
    return {
        "gain where J > 0": partial(gain_where, learner, 1),
        "loss where J < 0": partial(gain_where, learner, -1),
    }


DIVIDES = {
    "source": RAD,
    "certainty": Certainty.SECOND_HAND,
    "measures": "accuracy gained, mean over verifiers with J > 0, and lost, over those with J < 0",
    "rule": Rule.above(0),
}
CLAIMS = (
    Claim(
        name="The ratio, with enough samples",
        statement="In filtered fine-tuning with enough right answers FPR / (1 - FNR) decides, not "
        "J and not FPR.",
        source="avax, the mean field of avax/analysis/theory.py",
        certainty=Certainty.OURS,
        measures="share of the variance between verifiers that the ratio explains, minus that of "
        "the other number",
        effect=over("samples", RATIO, ONE_LESS_J, "FPR"),
        rule=Rule.above(0),
        changes_mind="The same at other learning rates and horizons, on more bases.",
        needs=Needs(HEADLINE, ("untouched base", "sham"), **BOUNDARY),
        caveats=("Points with FPR 0 differ by FNR even so.",),
        competing=(
            "RSI-Noisy-Verifiers 2026 (code of an anonymous submission): at a fixed precision of "
            "0.75 accuracy rises for 8 rounds of short LoRA updates.",
        ),
    ),
    Claim(
        name="Rays",
        statement="With enough samples iso-lines of the outcome are rays of equal FPR / (1 - FNR).",
        source="avax, the mean field of avax/analysis/theory.py",
        certainty=Certainty.OURS,
        measures="exponent k of iso-lines FPR ~ (1 - FNR)^k",
        effect=partial(isolines, "samples"),
        rule=Rule.within(0.75, 1.25),
        changes_mind="An exponent from a mixed model over bases and runs.",
        needs=Needs(HEADLINE, ("untouched base",), **BOUNDARY),
        caveats=("With the main job's samples the exponent is larger: few answers are left.",),
    ),
    Claim(
        name="J, for group-relative learners",
        statement="In group-relative policy gradients J = TPR - FPR decides, not the ratio and not "
        "FPR.",
        source=RAD,
        certainty=Certainty.SECOND_HAND,
        measures="share of the variance between verifiers that J explains, minus that of the other "
        "number",
        effect=over("grpo", ONE_LESS_J, RATIO, "FPR"),
        rule=Rule.above(0),
        changes_mind="A learning rate at which GRPO gains as much as fine-tuning.",
        needs=Needs(HEADLINE, ("untouched base", "placebo"), **BOUNDARY),
        caveats=("The verifier that accepts all is left out: nothing trains behind it.",),
    ),
    Claim(
        name="J = 0, for group-relative learners",
        statement="In group-relative policy gradients J = 0 divides gain from loss.",
        changes_mind="Verifiers with J = 0 behind which something trains: a placebo.",
        effect=divides("grpo"),
        needs=Needs(HEADLINE, ("untouched base", "placebo"), **BOUNDARY),
        caveats=("No verifier with J = 0 trained: the only one, (1, 0), accepts all.",),
        **DIVIDES,
    ),
    Claim(
        name="J = 0, for fine-tuning",
        statement="In filtered fine-tuning J = 0 divides gain from loss.",
        changes_mind="A boundary near a ratio of 1 with larger models or more data a round.",
        effect=divides(""),
        needs=Needs(HEADLINE, ("untouched base", "sham"), **BOUNDARY),
        caveats=("Rad et al. say it of group-relative learners only.",),
        **DIVIDES,
    ),
)
