"""What is claimed about where self-training comes to rest, and how the shipped runs answer.

The range of lengths is fixed, so that the untouched base on the same lengths is round 0: claims
about what the loop changed are differences from it and need no part of their own for it.
"""

from __future__ import annotations

from functools import partial

from paper_figures import error_floor as found
from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.error_floor import CENTRE, END, FASTER, FPRS, FROZEN, LINES, SIZES, THIRDS
from paper_figures.error_floor_effects import collapse, effect, effects, moves
from paper_figures.pages import Question
from paper_figures.standards import Needs

QUESTION = Question(
    title="Does the verifier or the model's size decide where self-training comes to rest?",
    sentences=(
        "Policies of three widths and two depths that can add numbers of up to 5 digits trained "
        "themselves for 300 rounds on their own answers to lengths of 1 to 8 digits, behind "
        "verifiers of different error rates, one size at a second learning rate; policies of the "
        "same sizes were trained on true answers instead.",
        "Errors are shares of wrong greedy answers on the whole range, read in the last third of "
        "the rounds (the end) and in the third before it (the middle): a floor is the same in "
        "both.",
        "Points are means over bases with 95 % t intervals; small dots are bases.",
    ),
    command="python experiments/error_floor.py --preset shipped",
)
YI = "Yi et al. 2025, arXiv 2510.16657, for linear models"
TWO_THIRDS = Needs(horizons=2, replicates=True)
AT_REST = Needs(learning_rates=2, replicates=True)
COLLAPSE = Needs(
    controls=("sham", "frozen generator"), learning_rates=2, horizons=2, replicates=True
)
HORIZONS = (200, 300)  # last rounds of the two thirds
TWO_RATES = (CENTRE, FASTER)
# Lines that have controls, and one that tells how much runs of one base differ.
OF_CONTROLS = ("width_24", "rate_*", "again", "control/*")
EQUAL = Rule.within(-0.05, 0.05)
AT_ONE_RATE = "One learning rate, 1e-3."
OTHER_BASES = "Bases of two sizes are not the same: the interval is that of arbitrary pairs."
NOISY = (
    "RSI-Noisy-Verifiers 2026 (a repository, commit 10e776f): with a quarter of the accepted "
    "labels wrong in each of 8 rounds the accuracy of language models still rises, 0.50 to 0.61 "
    "and more."
)


def at_fpr(fpr: float, name: str, **fields) -> Claim:
    """The claim that a verifier that accepts wrong answers at a rate sets a floor."""
    return Claim(
        name=name,
        statement=f"A verifier with an FPR of {fpr:g} leaves more errors than a perfect one, where "
        "self-training comes to rest.",
        source=YI,
        certainty=Certainty.SECOND_HAND,
        measures="error in the end minus that at FPR 0, same bases; 0.02 is the least",
        effect={
            x: partial(effect, found.FLOOR, f"{x}, FPR {fpr:g}, {END}") for x in LINES.values()
        },
        rule=Rule.above(0.02),
        changes_mind="More rounds where errors still fall.",
        needs=AT_REST,
        qualified_by=Condition(
            "errors have come to rest, changing by at most 0.02 over the last third at every size",
            partial(moves, fpr),
            Rule.within(-0.02, 0.02),
        ),
        **fields,
    )


CLAIMS = (
    at_fpr(
        0.1,
        "The verifier's floor",
        caveats=("40 and 100 rounds had shown floors that were none: see the log.",),
    ),
    at_fpr(
        0.3,
        "The verifier's floor at FPR 0.3",
        caveats=("Bases differ: some fall to nearly no error, others rise. See the summary.",),
    ),
    Claim(
        name="The model's width",
        statement="Behind equal verifiers narrow and wide policies end with equal errors.",
        source="avax, after Yi et al. 2025, arXiv 2510.16657",
        certainty=Certainty.OURS,
        measures="error of width 16 (7,000 parameters) minus that of width 40 (41,000)",
        effect=effects(found.SIZE, [f"FPR {x:g}" for x in (0.0, *FPRS)]),
        rule=EQUAL,
        changes_mind="More and larger widths, each until it rests.",
        needs=TWO_THIRDS,
        horizons=HORIZONS,
        caveats=(OTHER_BASES, AT_ONE_RATE),
    ),
    Claim(
        name="The model's depth",
        statement="Behind equal verifiers policies of two layers and of four, of about as many "
        "parameters, end with equal errors.",
        source="avax, after Yi et al. 2025, arXiv 2510.16657",
        certainty=Certainty.OURS,
        measures="error of four layers of width 16 (14,000 parameters) minus that of two of width "
        "24 (16,000)",
        effect=effects(found.LAYERS, [f"FPR {x:g}" for x in (0.0, *FPRS)]),
        rule=EQUAL,
        changes_mind="More layers, each until it rests.",
        needs=TWO_THIRDS,
        horizons=HORIZONS,
        caveats=(OTHER_BASES, AT_ONE_RATE),
    ),
    Claim(
        name="Random rejection",
        statement="Rejecting right answers at random costs what as many problems fewer cost.",
        source="avax",
        certainty=Certainty.OURS,
        measures="error with FNR 0.5 minus that with half as many problems and FNR 0, at equal "
        "FPR / (1 - FNR), width 24, same bases",
        effect=effects(found.FNR, [f"FPR {x:g}" for x in (0.0, *FPRS)]),
        rule=EQUAL,
        changes_mind="Rejection that has a pattern.",
        needs=TWO_THIRDS,
        horizons=HORIZONS,
        caveats=(
            "Yi et al.'s selectivity is how near to the verifier's centre an answer has to be.",
            AT_ONE_RATE,
        ),
    ),
    Claim(
        name="Equal ratios",
        statement="Verifiers of equal FPR / (1 - FNR) leave equal errors.",
        source="avax, a mean field of filtered fine-tuning",
        certainty=Certainty.OURS,
        measures="error with FNR 0.5 minus that with FNR 0, width 24, same bases",
        effect=effects(found.RATIO, [f"FPR {x:g}" for x in (0.0, *FPRS)]),
        rule=EQUAL,
        changes_mind="As many accepted answers at every FNR.",
        needs=TWO_THIRDS,
        horizons=HORIZONS,
        caveats=("Nothing is refilled: half as many answers are left.", AT_ONE_RATE),
    ),
    Claim(
        name="Reversal",
        statement="Unless the verifier is perfect, what self-training has gained is lost again.",
        source=YI,
        certainty=Certainty.SECOND_HAND,
        measures="error in the end minus the lowest mean over as many earlier rounds, less the "
        "same at FPR 0, same bases; 0.02 is the least",
        effect={
            name: partial(effect, found.RISE, name)
            for x in LINES.values()
            for name in (f"{x}, FPR {fpr:g}" for fpr in FPRS)
        },
        rule=Rule.above(0.02),
        changes_mind="More rounds in which the error rises again at FPR 0.1 or 0.3.",
        needs=AT_REST,
        caveats=("Theirs is a biased verifier; errors are drawn anew here.",),
        competing=(NOISY,),
    ),
    Claim(
        name="Gains compound",
        statement="Behind verifiers of up to FPR 0.3 self-training ends with fewer errors than "
        "training on what they accept of the frozen base's answers.",
        source="avax, as docs/controls.md defines compounding",
        certainty=Certainty.OURS,
        measures="error, loop minus frozen generator",
        effect=effects(
            found.BEYOND[FROZEN],
            [f"{line}, FPR {fpr:g}" for line in TWO_RATES for fpr in (0.0, *FPRS)],
        ),
        rule=Rule.below(0),
        changes_mind="A frozen generator from which as much is learned.",
        needs=COLLAPSE,
        horizons=HORIZONS,
        reads=OF_CONTROLS,
    ),
    Claim(
        name="Collapse without a filter",
        statement="Without a filter self-training collapses: below its untouched base and below a "
        "sham, in retention or in reach.",
        source="avax, as docs/controls.md defines collapse",
        certainty=Certainty.OURS,
        measures="digits solved at FPR 1 minus those of the base or of the sham, whichever is less "
        "below, on known or on longer lengths, whichever is more below",
        effect={f"{x}, {t}": partial(collapse, x, t) for t in THIRDS for x in TWO_RATES},
        rule=Rule.below(0),
        changes_mind="A sham that loses as much; samples at a temperature above 0.",
        needs=COLLAPSE,
        horizons=HORIZONS,
        caveats=(
            "After the last round of each third, not its mean.",
            "Answers are greedy, and none of the data are the base's own: base_rate is 0.",
        ),
        reads=OF_CONTROLS,
        competing=(
            "Apple 2026, arXiv 2604.01193 (second-hand): one round on unfiltered samples of raised "
            "temperature lifts language models.",
            "arXiv 2603.08660 (second-hand): with a vote as reward, training on 32 or 128 problems "
            "never collapses, on 512 and more it always does; here problems are new in each round.",
        ),
    ),
    Claim(
        name="Losses compound",
        statement="Without a filter losses compound: the loop loses more than on what the frozen "
        "base writes.",
        source="avax, as docs/controls.md defines compounding",
        certainty=Certainty.OURS,
        measures="error at FPR 1, loop minus frozen generator",
        effect=effects(found.BEYOND[FROZEN], [f"{line}, FPR 1" for line in TWO_RATES]),
        rule=Rule.above(0),
        changes_mind="A frozen generator behind which as much is lost.",
        needs=COLLAPSE,
        horizons=HORIZONS,
        reads=OF_CONTROLS,
    ),
    Claim(
        name="True labels",
        statement="Behind a perfect verifier self-training comes as near to 0 as true answers to "
        "all lengths take it.",
        source="avax",
        certainty=Certainty.OURS,
        measures="error at FPR 0 in the end minus that of a policy of the same size that was "
        "trained on true answers",
        effect={size: partial(effect, found.LABELS, size) for size in SIZES.values()},
        rule=EQUAL,
        changes_mind="More updates on true answers.",
        needs=Needs(replicates=True),
        caveats=("Their bases were trained on all lengths: they are not the same.",),
    ),
)
