"""What is claimed about the one number of a verifier that decides, and how shipped runs answer."""

from __future__ import annotations

from paper_figures.claims import Certainty, Claim, Rule
from paper_figures.pages import Question
from paper_figures.places import in_all_folders, of
from paper_figures.standards import HEADLINE, Needs
from paper_figures.theory_effects import (
    ONE_LESS_J,
    PLACES,
    RATIO,
    at_both_horizons,
    at_rates,
    beyond,
    divides,
    isolines,
    over,
    placebo_gains,
)

QUESTION = Question(
    title="Which one number of a verifier decides whether self-training gains or loses?",
    sentences=(
        "Filtered fine-tuning, the same with four times the samples, and GRPO ran behind 7 x 4 "
        "verifiers, each with 4 of the same 32 bases, and behind 4 of FNR 0 beside controls, all "
        "with the same 12, on a fixed range of 16 digits: at two learning rates, 3e-3 and 1e-3, of "
        "which GRPO has a tenth.",
        "For each number of a verifier the share of the variance between verifiers, in a base that "
        "was left out, is shown that its best falling function explains, and for two of them all "
        "verifiers on one line.",
        "Intervals are t intervals over bases, by the jackknife where bases were dealt to settings;"
        " lines on the maps are fitted, FPR ~ (1 - FNR)^k, and for GRPO the verifier that accepts "
        "all (FPR 1, FNR 0) is left out, as all groups are equal and nothing trains behind it.",
    ),
    command="python experiments/theory.py",
    added=("--base.learner.learning-rate 1e-3",),
)


RAD = "Rad et al. 2026, arXiv 2601.04411"
BOUNDARY = {"learning_rates": 2, "horizons": 2}
# Parts whose controls are a claim's own. The sham trains on no completion, so that it is the same
# with any number of samples.
OF_TUNING = in_all_folders("", "line", "control/line_*")
OF_SAMPLES = in_all_folders("samples", "control/line_sham")
OF_GRPO = in_all_folders("grpo", "grpo_line", "control/grpo_line_*")
DEALT = 24  # of the pool of 32, that have to have been dealt a verifier with J < 0; 28 were
TUNING_HORIZONS, GRPO_HORIZONS = (5, 10), (10, 20)  # half and all of the rounds of what is shipped


def claim(**fields) -> Claim:
    return Claim(**{"shipped": tuple(PLACES), "certainty": Certainty.OURS} | fields)


DIVIDES = {
    "source": RAD,
    "certainty": Certainty.SECOND_HAND,
    "measures": "accuracy gained, mean over verifiers with J > 0, and lost, over those with J < 0",
    "rule": Rule.above(0),
}
SAME_AS_MATCHED = (
    "Without errors the frozen generator is the length-matched sham: both train on what the base "
    "gets right."
)
OF_LINE = {
    "source": "avax",
    "horizons": TUNING_HORIZONS,
    "reads": OF_TUNING,
}
CLAIMS = (
    claim(
        name="The ratio, with enough samples",
        statement="In filtered fine-tuning with enough right answers FPR / (1 - FNR) decides, not "
        "J and not FPR.",
        source="avax, the mean field of avax/analysis/theory.py",
        measures="share of the variance between verifiers that the ratio explains, minus that of "
        "the other number",
        effect=over("samples", RATIO, ONE_LESS_J, "FPR"),
        rule=Rule.above(0),
        changes_mind="The same at lower learning rates, on more bases.",
        needs=Needs(HEADLINE, ("untouched base", "sham"), **BOUNDARY),
        horizons=TUNING_HORIZONS,
        reads=OF_SAMPLES,
        caveats=("Points with FPR 0 differ by FNR even so.",),
        competing=(
            "RSI-Noisy-Verifiers 2026 (code of an anonymous submission): at a fixed precision of "
            "0.75 accuracy rises for 8 rounds of short LoRA updates.",
        ),
    ),
    claim(
        name="Rays",
        statement="With enough samples iso-lines of the outcome are rays of equal FPR / (1 - FNR).",
        source="avax, the mean field of avax/analysis/theory.py",
        measures="exponent k of iso-lines FPR ~ (1 - FNR)^k",
        effect=at_both_horizons(isolines, "samples"),
        rule=Rule.within(0.75, 1.25),
        changes_mind="An exponent from a mixed model over bases and runs.",
        needs=Needs(HEADLINE, ("untouched base",), **BOUNDARY),
        horizons=TUNING_HORIZONS,
        reads=OF_SAMPLES,
        caveats=("With the main job's samples the exponent is larger: few answers are left.",),
    ),
    claim(
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
        horizons=GRPO_HORIZONS,
        reads=OF_GRPO,
        caveats=("The verifier that accepts all is left out: nothing trains behind it.",),
    ),
    claim(
        name="J = 0, for group-relative learners",
        statement="In group-relative policy gradients J = 0 divides gain from loss.",
        changes_mind="Verifiers with J = 0 behind which something trains: a placebo.",
        effect=divides("grpo"),
        needs=Needs(DEALT, ("untouched base", "placebo"), **BOUNDARY),
        horizons=GRPO_HORIZONS,
        reads=OF_GRPO,
        caveats=("No verifier with J = 0 trained: the only one, (1, 0), accepts all.",),
        **DIVIDES,
    ),
    claim(
        name="J = 0, for fine-tuning",
        statement="In filtered fine-tuning J = 0 divides gain from loss.",
        changes_mind="A boundary near a ratio of 1 with larger models or more data a round.",
        effect=divides(""),
        needs=Needs(DEALT, ("untouched base", "sham"), **BOUNDARY),
        horizons=TUNING_HORIZONS,
        reads=OF_TUNING,
        caveats=("Rad et al. say it of group-relative learners only.",),
        **DIVIDES,
    ),
    claim(
        name="More than a sham",
        statement="Behind a verifier without errors filtered fine-tuning gains more than a sham, "
        "which trains as much on true data that the base knows.",
        measures="accuracy gained at FPR 0 and FNR 0, loop minus sham",
        effect=at_both_horizons(beyond, "line", "sham", min),
        rule=Rule.above(0),
        changes_mind="A sham that gains as much.",
        needs=Needs(controls=("untouched base", "sham"), horizons=2),
        **OF_LINE,
    ),
    claim(
        name="More than a frozen generator",
        statement="Behind a verifier without errors filtered fine-tuning gains more from its own "
        "answers than from those of the frozen base.",
        measures="accuracy gained at FPR 0 and FNR 0, loop minus frozen generator",
        effect=at_both_horizons(beyond, "line", "frozen generator", min),
        rule=Rule.above(0),
        changes_mind="A frozen generator that is right as often on the same lengths.",
        needs=Needs(controls=("frozen generator", "sham"), horizons=2),
        caveats=(SAME_AS_MATCHED,),
        **OF_LINE,
    ),
    claim(
        name="Choice, for fine-tuning",
        statement="Which answers a verifier without errors accepts lets filtered fine-tuning gain: "
        "more than where as many are accepted, whichever.",
        measures="accuracy gained at FPR 0 and FNR 0, loop minus placebo",
        effect=at_both_horizons(beyond, "line", "placebo", min),
        rule=Rule.above(0),
        changes_mind="A placebo that gains as much.",
        needs=Needs(controls=("placebo",), horizons=2),
        **OF_LINE,
    ),
    claim(
        name="Worse than a sham, without a filter",
        statement="Without a filter filtered fine-tuning ends below a sham, which trains as much "
        "on true data that the base knows.",
        measures="accuracy gained at FPR 1 and FNR 0, loop minus sham",
        effect=at_both_horizons(beyond, "line", "sham", max),
        rule=Rule.below(0),
        changes_mind="A sham that loses as much; samples at a temperature above 0.",
        needs=Needs(controls=("untouched base", "sham"), **BOUNDARY),
        **OF_LINE,
    ),
    claim(
        name="Choice, for group-relative learners",
        statement="Which answers a verifier without errors accepts lets group-relative policy "
        "gradients gain: more than where as many are accepted, whichever.",
        source="avax",
        measures="accuracy gained at FPR 0 and FNR 0, loop minus placebo",
        effect=at_both_horizons(beyond, "grpo_line", "placebo", min),
        rule=Rule.above(0),
        changes_mind="A placebo that gains as much.",
        needs=Needs(controls=("placebo",), horizons=2),
        horizons=GRPO_HORIZONS,
        reads=OF_GRPO,
    ),
    claim(
        name="No information, for group-relative learners",
        statement="With J = 0 group-relative policy gradients neither gain nor lose.",
        source=RAD,
        certainty=Certainty.SECOND_HAND,
        measures="accuracy that the placebo, which permutes verdicts and so has J = 0, gains over "
        "the untouched base",
        effect=at_rates(
            {
                "as many accepted as at FPR 0": of(placebo_gains, "grpo_line", False),
                "mean": of(placebo_gains, "grpo_line", True),
            }
        ),
        rule=Rule.within(-0.02, 0.02),
        changes_mind="A placebo that drifts at a higher learning rate or over more rounds.",
        needs=Needs(controls=("untouched base", "placebo"), horizons=2),
        horizons=GRPO_HORIZONS,
        caveats=("0.02 is a third of a digit, of 16; the mean is over FPRs below 1.",),
        reads=OF_GRPO,
    ),
)
