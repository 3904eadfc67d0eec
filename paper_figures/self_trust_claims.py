"""What is claimed about policies that judge themselves, and how the shipped runs answer."""

from __future__ import annotations

from functools import partial

from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.pages import Question
from paper_figures.self_trust import (
    BASE,
    GATES,
    HORIZONS,
    JUDGES,
    MARKS,
    at_both_rates,
    gap,
    gap_beyond,
    passed_more,
    passed_ungated,
    than,
    trust,
    worth,
)
from paper_figures.standards import Needs

QUESTION = Question(
    title="Does a policy that judges itself trust its own mistakes, and what becomes of the loop?",
    sentences=(
        "Policies that add and mark sums of up to 8 digits were asked about their own and another "
        "base's mistakes on 9 to 12 digits, and so was the other base, on the same problems; then "
        "they trained themselves on these lengths for 10 rounds behind each judge, some of them at "
        "a second learning rate.",
        "Self-trust is P(accept | wrong) of own less other's mistakes, own reader less the other, "
        "of bases that nothing has trained.",
        "Lines and points are means over bases with 95 % intervals; two pairs of bases may have "
        "one in common, which intervals of readings allow for.",
    ),
    command="python experiments/self_trust.py --preset shipped",
)
LI = "Li et al. 2024, arXiv 2403.09972"
ZHOU = "Zhou 2026, arXiv 2607.05904"
NONE = 0.02  # accuracy: a gap below it counts as none
OF_BASE = (BASE,)
ONE_RATE = "One learning rate, 1e-3."
BEYOND = "It marks sums that are longer than those that it learned to mark."
TRUE = "A quarter of what loops train on is true data of the base, questions about sums included."
COLLAPSE = Needs(controls=("sham",), learning_rates=2, horizons=2, replicates=True)
SAID_OTHERWISE = (
    "SSD 2026 (Apple), arXiv 2604.01193, second-hand: one round of unfiltered samples at a "
    "raised temperature improves code.",
    "How far can unsupervised RLVR scale 2026, arXiv 2603.08660, second-hand: with few "
    "distinct problems a majority vote's own labels never collapse.",
)


def reads(judge: str) -> tuple[str, ...]:
    """The parts of a judge's loops, and their controls."""
    return judge, f"fast_{judge}", "again", f"control/{judge}_*", "control/*none_sham", "none"


def passes(judge: str) -> Claim:
    """The claim that a gate passes more wrong answers in its own loop."""
    return Claim(
        name=f"What {GATES[judge]} passes",
        statement=f"Gated by its own {GATES[judge]} a policy passes more of its wrong answers than "
        "its untouched base does on the same lengths.",
        source=f"our test of {ZHOU}",
        certainty=Certainty.OURS,
        measures="P(accept | wrong), loop minus the untouched base that judges its own answers, "
        "mean of rounds 2 to 10",
        effect=partial(passed_more, judge),
        rule=Rule.above(0),
        qualified_by=Condition(
            "it passes more than where nothing gates the loop",
            partial(passed_ungated, judge),
            Rule.above(0),
        ),
        changes_mind="A gate that is kept fixed.",
        needs=Needs(controls=("frozen generator",)),
        reads=reads(judge),
        caveats=(ONE_RATE, TRUE),
    )


def collapses(judge: str) -> Claim:
    """The claim that a loop that a policy gates itself collapses."""
    return Claim(
        name=f"Collapse behind {GATES[judge]}",
        statement=f"Gated by its own {GATES[judge]} a policy collapses: below its untouched base "
        "and below a sham, in retention or in reach.",
        source=f"our test of {ZHOU}",
        certainty=Certainty.OURS,
        measures="digits solved minus those of the base or of the sham, whichever is less below, "
        "on known or on longer lengths, whichever is more below; a quarter of a digit is the least",
        effect=at_both_rates(judge),
        rule=Rule.below(-0.25),
        changes_mind="More rounds.",
        needs=COLLAPSE,
        reads=reads(judge),
        horizons=HORIZONS,
        caveats=(TRUE,),
        competing=SAID_OTHERWISE,
    )


CLAIMS = (
    Claim(
        name="Own mistakes are trusted",
        statement="A policy that was taught to mark sums passes its own mistakes more often than "
        "another's.",
        source=f"our test of {LI}",
        certainty=Certainty.OURS,
        measures="self-trust by self-evaluation in P(accept | wrong); 0.1 is the least",
        effect=partial(trust, MARKS),
        rule=Rule.above(0.1),
        changes_mind="A judge that marks well beyond the lengths it was trained on.",
        reads=OF_BASE,
        caveats=(
            BEYOND,
            "Likelihood, comparison and committing first trust own answers by construction: they "
            "ask whether the policy would write the same. They are in the figure.",
        ),
    ),
    Claim(
        name="Beside alternatives",
        statement="An answer is judged better beside its alternatives.",
        source=LI,
        certainty=Certainty.SECOND_HAND,
        measures="AUROC of own right answers over own mistakes by comparison, minus that by "
        "likelihood alone",
        effect=partial(than, "Comparison", "own", "auroc"),
        rule=Rule.above(0),
        changes_mind="More alternatives than the eight samples here.",
        reads=OF_BASE,
        caveats=("The alternatives are those of both policies.",),
    ),
    Claim(
        name="Commit first",
        statement="A judge that commits itself first is fooled less often by its own mistakes than "
        "other judges of its own.",
        source=f"our test of {ZHOU}",
        certainty=Certainty.OURS,
        measures="P(accept | own mistake) of a judge that commits first, minus that of others",
        effect={
            JUDGES[other]: partial(than, "CommitFirst", other, "trust_fpr")
            for other in JUDGES
            if other not in ("CommitFirst", "Comparison")
        },
        rule=Rule.below(0),
        changes_mind="Judges and solvers of other sizes.",
        reads=OF_BASE,
        caveats=(
            "Theirs judges others' answers (0.012 for 0.719, second-hand), which isn't tested: "
            "here the solver is the judge, and what it errs in greedily it errs in again.",
            "Thresholds decide how much likelihoods pass: all three were set before.",
        ),
    ),
    Claim(
        name="A gap of its own",
        statement="A policy that marks sums has a generation-verification gap of its own.",
        source="asked by gap.py, whose bases can't mark",
        certainty=Certainty.OURS,
        measures="accuracy of what self-evaluation accepts less that of all, untouched base, 9 to "
        f"12 digits; below {NONE:g} it counts as none",
        effect=partial(gap, MARKS),
        rule=Rule.above(NONE),
        qualified_by=Condition(
            "it is larger than likelihood's", partial(gap_beyond, MARKS, "own"), Rule.above(0)
        ),
        changes_mind="Bases of several sizes that mark.",
        reads=OF_BASE,
        caveats=(BEYOND, "One size of policy."),
    ),
    *(passes(judge) for judge in ("likelihood", "self_evaluation")),
    *(collapses(judge) for judge in ("likelihood", "self_evaluation")),
    Claim(
        name="A gate's choice",
        statement="A gate that asks the policy itself keeps more than the same gate with its "
        "verdicts shuffled.",
        source="avax",
        certainty=Certainty.OURS,
        measures="digits gained minus those behind the placebo, same bases",
        effect={GATES[x]: partial(worth, x) for x in ("likelihood", "self_evaluation")},
        rule=Rule.above(0),
        changes_mind="Judges whose thresholds were chosen for it.",
        needs=Needs(controls=("placebo",)),
        reads=("likelihood", "self_evaluation", "control/*_placebo"),
        caveats=(ONE_RATE, TRUE),
    ),
)
