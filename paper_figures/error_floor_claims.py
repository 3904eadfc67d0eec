"""What is claimed about where self-training comes to rest, and how the shipped runs answer.

The range of lengths is fixed, so that the untouched base on the same lengths is round 0: claims
about what the loop changed are differences from it and need no part of their own for it. Controls
are those of one width; what it comes to beyond them is not a number where they were not run.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals
from avax.analysis.intervals import Estimate
from paper_figures import beside
from paper_figures import error_floor as found
from paper_figures.claims import UNKNOWN, Certainty, Claim, Condition, Rule, remembered
from paper_figures.error_floor import END, FNRS, MIDDLE, WIDTHS
from paper_figures.pages import Question
from paper_figures.standards import Needs

QUESTION = Question(
    title="Does the verifier or the model's size decide where self-training comes to rest?",
    sentences=(
        "Policies of three widths that can add numbers of up to 5 digits trained themselves for "
        "100 rounds on their own answers to lengths of 1 to 8 digits, behind verifiers of "
        "different error rates; policies of the same widths were trained on true answers instead.",
        "Errors are shares of wrong greedy answers on the whole range, read in the last third of "
        "the rounds (the end) and in the third before it (the middle): a floor is the same in "
        "both.",
        "Points are means over bases with 95 % t intervals; small dots are bases.",
    ),
    command="python experiments/error_floor.py",
)
YI = "Yi et al. 2025, arXiv 2510.16657, for linear models"
FLOOR = Needs(controls=("sham",), learning_rates=2, horizons=2, replicates=True)
COLLAPSE = Needs(
    controls=("sham", "frozen generator"), learning_rates=2, horizons=2, replicates=True
)
HORIZONS = (67, 100)  # last rounds of the two thirds
THIRDS = (MIDDLE, END)
OF_CONTROLS = ("width_32", "control/*")  # the width that has controls
EQUAL = Rule.within(-0.05, 0.05)
ONE_RATE = "One learning rate, one run of each base, and controls of width 32 alone."
NOISY = (
    "RSI-Noisy-Verifiers 2026 (a repository, commit 10e776f): with a quarter of the accepted "
    "labels wrong in each of 8 rounds the accuracy of language models still rises, 0.50 to 0.61 "
    "and more."
)


@remembered
def prepared(*datasets: xr.Dataset | None):
    return found.effects(*datasets)


def effect(heading: str, name: str, *datasets: xr.Dataset | None) -> Estimate:
    """One of the comparisons of `error_floor.effects`; not known without the control it is from."""
    values = prepared(*datasets).get(heading, {}).get(name)
    return UNKNOWN if values is None else intervals.mean(values)


def collapse(name: str, *datasets: xr.Dataset | None) -> Estimate:
    """How far the loop without a filter is below both its base and its sham, in digits, after the
    last round of a third.
    """
    parts = found.named(datasets)
    line = parts[OF_CONTROLS[0]]
    last = int(found.third(line["round"], name)[-1])
    return beside.depth(line, found.controls_of(parts).get("sham"), last)


def effects(heading: str, names) -> dict:
    return {f"{n}, {t}": partial(effect, heading, f"{n}, {t}") for t in THIRDS for n in names}


def still_moves(*datasets: xr.Dataset | None) -> Estimate:
    """Change of the error over the last third at FPR 0.1, mean over the widths by seed."""
    drifts = found.analyse(*datasets).drifts.values()
    return intervals.mean(np.mean([x[END].sel(ratio=0.1).values for x in drifts], axis=0))


CLAIMS = (
    Claim(
        name="The verifier's floor",
        statement="The more wrong answers a verifier accepts, the higher the error at which "
        "self-training comes to rest.",
        source=YI,
        certainty=Certainty.SECOND_HAND,
        measures="error at FPR 0.1 minus error at FPR 0, same bases",
        effect=effects(found.FLOOR, [f"width {w}" for w in WIDTHS]),
        rule=Rule.above(0),
        changes_mind="Runs of 300 rounds in which FPR 0.1 and 0.3 come to rest above FPR 0.",
        needs=FLOOR,
        horizons=HORIZONS,
        qualified_by=Condition(
            "the error has come to rest at FPR 0.1, changing by at most 0.01 over the last third",
            still_moves,
            Rule.within(-0.01, 0.01),
        ),
        caveats=(
            "At FPR 0.3 errors are higher in the end, and still fall: see the figure.",
            "40 rounds had shown floors that were none: see the log.",
            ONE_RATE,
        ),
    ),
    Claim(
        name="The model's size",
        statement="Behind equal verifiers small and large policies come to rest at equal errors.",
        source="avax, after Yi et al. 2025, arXiv 2510.16657",
        certainty=Certainty.OURS,
        measures="error of width 16 (4,000 parameters) minus that of width 48 (31,000)",
        effect=effects(found.SIZE, [f"FPR {x:g}" for x in (0.0, *found.FPRS)]),
        rule=EQUAL,
        changes_mind="More and larger sizes, each until it rests.",
        needs=FLOOR,
        horizons=HORIZONS,
        caveats=(
            "The bases of two widths are not the same: the interval is that of arbitrary pairs.",
            ONE_RATE,
        ),
    ),
    Claim(
        name="Selectivity",
        statement="Rejecting right answers changes how fast errors fall, not where they come to "
        "rest.",
        source=YI,
        certainty=Certainty.SECOND_HAND,
        measures="error minus that with FNR 0, at FPR 0, width 32, same bases",
        effect=effects(found.SELECTIVITY, [f"FNR {x:g}" for x in FNRS]),
        rule=EQUAL,
        changes_mind="Runs that refill what was rejected, so that as much is trained on.",
        needs=FLOOR,
        horizons=HORIZONS,
        caveats=(
            "Nothing is refilled: at FNR 0.8 about 15 accepted answers a round are trained on.",
            "Their selectivity is how near to the verifier's centre an answer has to be, which a "
            "rejection at random stands for here.",
            ONE_RATE,
        ),
    ),
    Claim(
        name="Equal ratios",
        statement="Verifiers of equal FPR / (1 - FNR) leave equal errors.",
        source="avax, a mean field of filtered fine-tuning",
        certainty=Certainty.OURS,
        measures="error minus that with FNR 0, mean over equal ratios of 0.01 to 1, width 32, "
        "same bases",
        effect=effects(found.RATIO, [f"FNR {x:g}" for x in FNRS]),
        rule=EQUAL,
        changes_mind="As many accepted answers at every FNR.",
        needs=FLOOR,
        horizons=HORIZONS,
        caveats=("Nothing is refilled: few answers are left at FNR 0.8.", ONE_RATE),
    ),
    Claim(
        name="Reversal",
        statement="Unless the verifier is perfect, what self-training has gained is lost again.",
        source=YI,
        certainty=Certainty.SECOND_HAND,
        measures="change of the error over a third of the rounds, mean over FPR 0.01 to 0.3; also "
        "less that of the sham's error",
        effect=effects(found.DRIFT, [f"width {w}" for w in WIDTHS])
        | {
            f"width 32 less sham, {t}": partial(effect, found.DRIFT_BEYOND, f"width 32, {t}")
            for t in THIRDS
        },
        rule=Rule.above(0),
        changes_mind="Runs of 300 rounds in which the error rises again at FPR 0.1 or 0.3.",
        needs=FLOOR,
        horizons=HORIZONS,
        caveats=("Theirs is a biased verifier; errors are drawn anew here.", ONE_RATE),
        competing=(NOISY,),
    ),
    Claim(
        name="No filter",
        statement="Without a filter self-training ends below its base, at the lengths that it knew "
        "and at longer ones.",
        source="avax",
        certainty=Certainty.OURS,
        measures="error at FPR 1 minus the untouched base's, at lengths of 1 to 5 digits and of 6 "
        "to 8, mean over three widths",
        effect=effects(found.NO_FILTER, ("known lengths", "longer ones")),
        rule=Rule.above(0),
        changes_mind="A sham whose error rises as much; samples at a temperature above 0.",
        needs=COLLAPSE,
        horizons=HORIZONS,
        caveats=(
            "It says nothing of why: a sham may lose as much.",
            "Answers are greedy, and none of the data are the base's own: base_rate is 0.",
            ONE_RATE,
        ),
        competing=(
            "Apple 2026, arXiv 2604.01193 (second-hand): one round on unfiltered samples of raised "
            "temperature lifts language models.",
            "arXiv 2603.08660 (second-hand): with a vote as reward, training on 32 or 128 problems "
            "never collapses, on 512 and more it always does; here problems are new in each round.",
        ),
    ),
    Claim(
        name="Collapse without a filter",
        statement="Without a filter self-training collapses: below its untouched base and below a "
        "sham, in retention or in reach.",
        source="avax, as docs/controls.md defines collapse",
        certainty=Certainty.OURS,
        measures="digits solved at FPR 1 minus those of the base or of the sham, whichever is less "
        "below, on known or on longer lengths, whichever is more below, width 32",
        effect={f"width 32, {t}": partial(collapse, t) for t in THIRDS},
        rule=Rule.below(0),
        changes_mind="A sham that loses as much; samples at a temperature above 0.",
        needs=COLLAPSE,
        horizons=HORIZONS,
        caveats=("After the last round of each third, not its mean.", ONE_RATE),
        reads=OF_CONTROLS,
    ),
    Claim(
        name="Losses compound",
        statement="Without a filter losses compound: the loop loses more than on what the frozen "
        "base writes.",
        source="avax, as docs/controls.md defines compounding",
        certainty=Certainty.OURS,
        measures="error at FPR 1, loop minus frozen generator",
        effect=effects(found.BEYOND["frozen generator"], ["width 32, FPR 1"]),
        rule=Rule.above(0),
        changes_mind="A frozen generator behind which as much is lost.",
        needs=Needs(controls=("frozen generator", "sham"), horizons=2),
        horizons=HORIZONS,
        caveats=(ONE_RATE,),
        reads=OF_CONTROLS,
    ),
    Claim(
        name="True labels",
        statement="Behind a perfect verifier self-training comes as near to 0 as true answers to "
        "all lengths take it.",
        source="avax",
        certainty=Certainty.OURS,
        measures="error at FPR 0 in the end minus that of a policy of the same width that was "
        "trained on true answers",
        effect={f"width {w}": partial(effect, found.LABELS, f"width {w}") for w in WIDTHS},
        rule=EQUAL,
        changes_mind="More policies trained on true answers: one of three of width 16 learned "
        "badly.",
        needs=Needs(learning_rates=2, replicates=True),
        caveats=("Their bases were trained on all lengths: they are not the same.", ONE_RATE),
    ),
)
