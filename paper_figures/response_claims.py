"""What is claimed about predicting the boundary from one lapse, and how shipped runs answer."""

from __future__ import annotations

from functools import partial

from paper_figures.claims import Certainty, Claim, Rule
from paper_figures.pages import Question
from paper_figures.response_effects import (
    LATE,
    LINE,
    VARIANTS,
    at_both_horizons,
    collapse,
    compounded,
    more,
    nearer,
    of_variants,
)
from paper_figures.standards import HEADLINE, Needs

QUESTION = Question(
    title="Can the boundary between gain and collapse be predicted from one lapse of the verifier?",
    sentences=(
        "A perfect verifier lets a share of the policy's own mistakes through in one round; how "
        "much more the policy errs afterwards is its response, and seven variants of the loop also "
        "ran behind verifiers that err in every round, at FNR 0.",
        "The boundary that the response predicts, and the one of a mean field that knows one round "
        "alone, stand beside the measured one, at which gains fall to the untouched base; for the "
        "reference also that at which they fall to a sham.",
        "Intervals are jackknife t intervals over bases, of boundaries on the log scale; where the "
        "whole line gains there is no boundary.",
    ),
    command="python experiments/response.py",
)
BOUNDARY = Needs(
    HEADLINE, ("untouched base", "sham"), learning_rates=2, horizons=2, replicates=True
)
HORIZONS = (5, 10)  # half and all of the rounds of what is shipped
OF_REFERENCE = (LINE, "control/*")  # the controls are those of the reference alone
ONE_RATE = "One learning rate and one run of each base."
ONE_SHAM = (
    "Only the reference has a sham: in others less may be lost than training spoils by itself."
)
FEW = "An earlier run of five variants, from the same bases, differs by up to a factor of 4."
AVAX = "avax (avax/analysis/response.py)"


CLAIMS = (
    Claim(
        name="The whole response",
        statement="The response in all rounds after one lapse predicts the boundary to a factor of "
        "two.",
        source=AVAX,
        certainty=Certainty.OURS,
        measures="predicted boundary FPR over the measured one",
        effect=of_variants("the response"),
        rule=Rule.within(0.5, 2),
        changes_mind="More bases; lapses in later rounds, as the response is taken to be one for "
        "all.",
        needs=BOUNDARY,
        caveats=(FEW, ONE_SHAM),
    ),
    Claim(
        name="One round's response",
        statement="What one round's wrong labels do in the next round predicts the boundary to a "
        "factor of two.",
        source="avax, the mean field of avax/analysis/theory.py",
        certainty=Certainty.OURS,
        measures="1 / kappa over the measured boundary FPR",
        effect=of_variants("one round"),
        rule=Rule.within(0.5, 2),
        changes_mind="Policies that start each round from the base.",
        needs=BOUNDARY,
        caveats=(FEW, ONE_SHAM),
    ),
    Claim(
        name="The law from both ends and the response",
        statement="What the loop gains without errors and loses without a filter says better where "
        "the boundary is than the response does.",
        source="avax (avax/analysis/law.py)",
        certainty=Certainty.OURS,
        measures="how far the law from both ends is from the measured boundary, in logarithms, "
        "minus how far the response is",
        effect={words: partial(nearer, name) for name, words in VARIANTS.items()},
        rule=Rule.below(0),
        changes_mind="More bases, of two layers: five of one layer were chosen of several.",
        needs=BOUNDARY,
        caveats=(
            "It was looked at when these runs were known.",
            "The law is of the mean over bases, what is measured here a geometric mean of bases; "
            "its k was fitted on other loops of a fixed range.",
            "Of GRPO it says nothing, which learns nothing where all is accepted.",
            ONE_SHAM,
        ),
    ),
    Claim(
        name="Random digits for own mistakes",
        statement="Random label noise does in the rounds after what a policy's own mistakes do.",
        source="implied by one-shot injections, as in Lee et al. 2025, arXiv 2502.01612",
        certainty=Certainty.SECOND_HAND,
        measures="wrong completions for each wrong label, summed over rounds 1 to 9 after: own "
        "mistakes minus random digits",
        effect=partial(more, slice(1, 10)),
        rule=Rule.within(-0.5, 0.5),
        changes_mind="A learner that forgets its own mistakes as fast.",
        needs=Needs(controls=("untouched base",)),
        caveats=("One variant of the loop, one round of wrong labels.",),
    ),
    Claim(
        name="Memory for own mistakes",
        statement="A policy remembers its own mistakes when random digits are forgotten.",
        source=AVAX,
        certainty=Certainty.OURS,
        measures="wrong completions for each wrong label, summed over rounds 4 to 9 after: own "
        "mistakes minus random digits",
        effect=partial(more, LATE),
        rule=Rule.above(0),
        changes_mind="A learner that forgets its own mistakes as fast.",
        needs=Needs(controls=("untouched base",)),
        caveats=("One variant of the loop, one round of wrong labels.",),
    ),
    Claim(
        name="Collapse without a filter",
        statement="Without a filter the reference collapses: below its untouched base and below a "
        "sham, in retention or in reach.",
        source="avax, as docs/controls.md defines collapse",
        certainty=Certainty.OURS,
        measures="digits solved at FPR 1 minus those of the base or of the sham, whichever is less "
        "below, on known or on longer lengths, whichever is more below",
        effect=at_both_horizons(collapse),
        rule=Rule.below(0),
        changes_mind="A sham that loses as much; samples at a temperature above 0.",
        needs=Needs(controls=("sham",), learning_rates=2, horizons=2, replicates=True),
        horizons=HORIZONS,
        caveats=(ONE_RATE,),
        reads=OF_REFERENCE,
    ),
    Claim(
        name="Losses compound",
        statement="Without a filter losses compound in the reference: it loses more than on what "
        "the frozen base writes.",
        source="avax, as docs/controls.md defines compounding",
        certainty=Certainty.OURS,
        measures="accuracy gained at FPR 1, loop minus frozen generator",
        effect=at_both_horizons(compounded),
        rule=Rule.below(0),
        changes_mind="A frozen generator behind which as much is lost.",
        needs=Needs(controls=("frozen generator", "sham"), horizons=2),
        horizons=HORIZONS,
        caveats=(ONE_RATE,),
        reads=OF_REFERENCE,
    ),
)
