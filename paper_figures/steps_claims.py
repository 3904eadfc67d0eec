"""What is claimed about verifying outcomes and verifying steps, and what the shipped runs say."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths
from avax.analysis.intervals import Estimate
from paper_figures import steps as found
from paper_figures.claims import UNKNOWN, Certainty, Claim, Rule, remembered
from paper_figures.pages import Question
from paper_figures.standards import Needs

QUESTION = Question(
    title="Is it enough to verify outcomes where wrong steps can still give the right answer?",
    sentences=(
        "Policies that know chains of up to 4 additions modulo 2, 3, 5 or 10, all partial sums "
        "written, trained themselves for 8 rounds on a frontier of 8 to 36 additions, behind "
        "verifiers of the last sum, of every step, learned ones and none.",
        "What is gained is the solved length minus that of the untouched base, greedily, over the "
        "same lengths of 1 to 36; where none cancels an answer is the whole chain.",
        "Lines and points are means over bases with 95 % t intervals, small dots are bases; of "
        "means over m, the four bases of a seed are one dot.",
    ),
    command="python experiments/steps.py",
)
PREDICTED = "avax, predicted before the first run"
MODULI = (2, 3, 5, 10)
HORIZONS = (4, 8)
COLLAPSE = Needs(controls=("sham",), learning_rates=2, horizons=2)
FEW = "One learning rate and one run of each base; bases range from 5 to 35 solved additions."
BELOW = (
    "additions gained on the untouched base, mean over m; and those less a base's or a sham's, "
    "whichever is less below, of known or of longer chains, whichever are more below"
)
# Parts that a claim reads; the sham is that of the sweep, and of every part.
OF_OUTCOMES = ("outcome", "control/frozen_generator", "control/sham")
OF_NO_FILTER = ("none", "control/none_*", "control/sham")
CONTROLLED = "The untouched base is round 0, on all lengths."
NSRSA = (
    "NSRSA 2026, arXiv 2603.21558 (its abstract), five rounds with a model of 4 billion "
    "parameters: no check collapses, a check of outcomes comes to rest, one of steps goes on."
)


@remembered
def prepared(*datasets: xr.Dataset) -> dict[str, xr.Dataset]:
    return found.named(datasets)


@remembered
def gains(*datasets: xr.Dataset) -> dict[str, np.ndarray]:
    """f[S, M] by part: additions gained by verifiers without errors of their own."""
    data = prepared(*datasets)
    return {name: found.gained(found.clean(data[name])) for name in found.NAMES}


def times_m(index: int, *datasets: xr.Dataset) -> Estimate:
    """P(last sum right | a step is wrong) behind outcomes, over 1 / m."""
    shares = found.share(found.cancelled(prepared(*datasets)["outcome"]))
    return intervals.mean(shares[:, index] * MODULI[index])


def gained_by(part: str, after: int, *datasets: xr.Dataset) -> Estimate:
    """Additions gained on the untouched base, mean over m."""
    runs = found.clean(prepared(*datasets)[part])
    return intervals.mean(found.over_moduli(found.gained(runs, after)))


def collapsed(part: str, after: int, *datasets: xr.Dataset | None) -> Estimate:
    """How far a loop is, after a round, below both the untouched base and the sham, in additions;
    mean over m. Below 0, in retention or in reach, if it collapsed.
    """
    data = prepared(*datasets)
    judged = found.collapse(data, part, after)
    return UNKNOWN if judged is None else lengths.depth(judged, lengths.base_length(data[part]))


def ends_below(part: str) -> dict:
    """Whether a loop ends below its base, and below its sham as well."""
    effects = {f"base, round {r}": partial(gained_by, part, r) for r in HORIZONS}
    return effects | {f"base and sham, round {r}": partial(collapsed, part, r) for r in HORIZONS}


def more(one: str, other: str, *datasets: xr.Dataset) -> Estimate:
    """Additions gained by one verifier minus by another, mean over m."""
    each = gains(*datasets)
    return intervals.mean(found.over_moduli(each[one] - each[other]))


def more_at_small(*datasets: xr.Dataset) -> Estimate:
    """What steps gain more than outcomes at the smallest m, minus that at the largest."""
    cost = gains(*datasets)["steps"] - gains(*datasets)["outcome"]
    return intervals.mean(cost[:, 0] - cost[:, -1])


def stood(rates: tuple[float, float], *datasets: xr.Dataset) -> Estimate:
    """What errors cost a verifier of outcomes more than one of steps, mean over m, where no error
    cancels.
    """
    data = prepared(*datasets)
    steps, outcome = (found.with_errors(data[name]) for name in ("steps", "exact_outcome"))
    return intervals.mean((steps[rates] - steps[0, 0]) - (outcome[rates] - outcome[0, 0]))


CLAIMS = (
    Claim(
        name="Errors cancel as often as chance has it",
        statement="Where last sums alone are verified, that of a wrong chain is right in one of m.",
        source=PREDICTED,
        certainty=Certainty.OURS,
        measures="P(last sum right | a step is wrong) times m, all rounds together; within a "
        "factor of two of 1 it is as predicted",
        effect={f"m = {m}": partial(times_m, i) for i, m in enumerate(MODULI)},
        rule=Rule.within(0.5, 2),
        changes_mind="Policies that err at many steps of a chain, and never in its length.",
        caveats=(
            "One wrong step never cancels, and a wrong length is seen: both make it rarer.",
            FEW,
        ),
    ),
    Claim(
        name="Outcomes alone collapse",
        statement="Where errors cancel, a loop behind a perfect verifier of outcomes ends below "
        "its base, and collapses: below a sham as well, in retention or in reach.",
        source=PREDICTED,
        certainty=Certainty.OURS,
        measures=BELOW,
        effect=ends_below("outcome"),
        rule=Rule.below(0),
        horizons=HORIZONS,
        changes_mind="An answer that is read off whatever the chain's length.",
        needs=COLLAPSE,
        reads=OF_OUTCOMES,
        competing=(NSRSA,),
        caveats=(CONTROLLED, FEW),
    ),
    Claim(
        name="No filter collapses",
        statement="Without a filter the same loop ends below its base, and collapses.",
        source="avax",
        certainty=Certainty.OURS,
        measures=BELOW,
        effect=ends_below("none"),
        rule=Rule.below(0),
        horizons=HORIZONS,
        changes_mind="A sham that loses as much.",
        needs=COLLAPSE,
        reads=OF_NO_FILTER,
        competing=(
            "SSD 2026, arXiv 2604.01193 (second-hand): one round on a model's own unfiltered "
            "samples improves it.",
            "RSI-Noisy-Verifiers (repository, 2026): with a quarter of the labels wrong in each of "
            "8 short rounds pretrained models improve.",
        ),
        caveats=(CONTROLLED, "The frontier was chosen so that this arm doesn't climb.", FEW),
    ),
    Claim(
        name="Steps gain more",
        statement="Where errors cancel, verifying every step gains more than verifying outcomes.",
        source=PREDICTED,
        certainty=Certainty.OURS,
        measures="additions gained by steps minus by outcomes, both perfect, mean over m",
        effect=partial(more, "steps", "outcome"),
        rule=Rule.above(0),
        changes_mind="As much on more bases where errors can't cancel.",
        caveats=(f"Agrees: {NSRSA}", FEW),
    ),
    Claim(
        name="The smaller m, the larger the difference",
        statement="Verifying outcomes alone costs the more the smaller m is.",
        source=PREDICTED,
        certainty=Certainty.OURS,
        measures="additions gained by steps minus by outcomes at m = 2, minus that at m = 10",
        effect=more_at_small,
        rule=Rule.above(0),
        changes_mind="Bases that are equally good at every m.",
        caveats=("Bases differ by m: at m = 5 they have most to gain, at m = 2 least.", FEW),
    ),
    Claim(
        name="Without cancelling outcomes do as well",
        statement="Where no error can cancel, outcomes are as good as steps.",
        source=PREDICTED,
        certainty=Certainty.OURS,
        measures="additions gained by steps minus by outcomes where none cancels, mean over m; "
        "less than 2 either way is as good",
        effect=partial(more, "steps", "exact_outcome"),
        rule=Rule.within(-2, 2),
        changes_mind="Nothing but a fault: both accept the same chains.",
        caveats=("It shows by how much runs differ without a cause.",),
    ),
    Claim(
        name="Verifiers of steps stand errors better",
        statement="Errors of a given rate cost a verifier of steps less than one of outcomes.",
        source="avax",
        certainty=Certainty.OURS,
        measures="additions lost by errors in each completion, minus by errors of the same rate in "
        "each step, mean over m, where none cancels",
        effect={
            "FPR 0.1": partial(stood, (0.1, 0.0)),
            "FNR 0.1": partial(stood, (0.0, 0.1)),
        },
        rule=Rule.above(0),
        changes_mind="Rates at which equal shares of chains are let through.",
        caveats=(
            "All wrong steps of a chain have to slip through, but one rejected step of n rejects "
            "it: 98 % of right chains of 36 steps.",
            FEW,
        ),
    ),
    Claim(
        name="Learned verifiers of steps are better",
        statement="A verifier that learned to judge steps trains better than one that learned to "
        "judge outcomes.",
        source="Lightman et al. 2023, arXiv 2305.20050, for picking among a large model's samples",
        certainty=Certainty.SECOND_HAND,
        measures="additions gained minus by a learned verifier of outcomes, mean over m",
        effect={
            "product": partial(more, "learned_product", "learned_outcome"),
            "minimum": partial(more, "learned_minimum", "learned_outcome"),
        },
        rule=Rule.above(0),
        changes_mind="More labels, or a judge that starts from the policy.",
        caveats=("64 labels a round, all of shorter chains: hardly a verifier of any level.", FEW),
    ),
    Claim(
        name="Learned verifiers are worth having",
        statement="A verifier that learns from half of the labels of its loop gains more than no "
        "filter.",
        source="avax",
        certainty=Certainty.OURS,
        measures="additions gained minus without a filter, mean over m",
        effect={
            name: partial(more, f"learned_{name}", "none")
            for name in ("outcome", "product", "minimum")
        },
        rule=Rule.above(0),
        changes_mind="More labels, or a judge that starts from the policy.",
        caveats=(FEW,),
    ),
)
