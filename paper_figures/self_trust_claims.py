"""What is claimed about policies that judge themselves, and how the shipped runs answer."""

from __future__ import annotations

from functools import partial

from paper_figures.claims import Certainty, Claim, Rule
from paper_figures.pages import Question
from paper_figures.self_trust import (
    EARLY,
    FIRST,
    GATES,
    HORIZONS,
    JUDGES,
    RATES,
    WHEN,
    ended,
    gap,
    of_judges,
    passed_more,
    than_likelihood,
    trust,
    worth,
)
from paper_figures.standards import Needs

QUESTION = Question(
    title="Does a policy that judges itself trust its own mistakes, and what becomes of the loop?",
    sentences=(
        "Policies of 8 digits that add and mark sums ran on a frontier from 10 digits on for 10 "
        "rounds behind each judge, some of them at a second learning rate; in every round the "
        "policy and another base were both asked about new mistakes of both, on the same problems.",
        "Readings are of round 1, in which the policy is the untouched base, and of rounds 2 and "
        "3, before any loop has ended; self-trust is own less other's mistakes, own reader less "
        "the other.",
        "Lines and points are means over bases with 95 % t intervals.",
    ),
    command="python experiments/self_trust.py --preset shipped",
)
LI = "Li et al. 2024, arXiv 2403.09972"
ZHOU = "Zhou 2026, arXiv 2607.05904"
READINGS = Needs(controls=("untouched base",), horizons=2)
LOOPS = Needs(controls=("untouched base", "sham"), learning_rates=2, horizons=2, replicates=True)
OF_JUDGES = (*JUDGES, "again")
OF_LOOPS = ("none", "likelihood", "self_evaluation", "again", "fast_*", "control/*")
ONE_RATE = "One learning rate, 1e-3."
LIKELY = (
    "What a policy samples it finds likely, so for likelihoods the claim holds by construction."
)
SHARED = Needs(controls=("untouched base", "frozen generator"))


CLAIMS = (
    Claim(
        name="Own mistakes are trusted",
        statement="Models trust their own mistakes.",
        source=LI,
        certainty=Certainty.SECOND_HAND,
        measures="self-trust in P(accept | wrong), of the untouched base and in rounds 2 and 3",
        effect=of_judges(trust),
        rule=Rule.above(0),
        changes_mind="A judge that marks well beyond the lengths it was trained on.",
        needs=READINGS,
        reads=OF_JUDGES,
        horizons=(1, 3),
        caveats=(LIKELY, ONE_RATE),
    ),
    Claim(
        name="Beside alternatives",
        statement="An answer is judged better beside its alternatives.",
        source=LI,
        certainty=Certainty.SECOND_HAND,
        measures="AUROC on own mistakes by comparison, minus that by likelihood alone",
        effect={when: partial(than_likelihood, "comparison", "auroc", when) for when in WHEN},
        rule=Rule.above(0),
        changes_mind="Rounds with more right answers to compare.",
        needs=READINGS,
        reads=OF_JUDGES,
        horizons=(1, 3),
        caveats=("Thresholds were not matched; AUROC needs both right and wrong answers.",),
    ),
    Claim(
        name="Commit first",
        statement="A judge that commits itself first is fooled less often.",
        source=ZHOU,
        certainty=Certainty.SECOND_HAND,
        measures="P(accept | own mistake) of a judge that commits first, minus likelihood's",
        effect={when: partial(than_likelihood, "commit_first", "trust_fpr", when) for when in WHEN},
        rule=Rule.below(0),
        changes_mind="Judges and solvers of other sizes.",
        needs=READINGS,
        reads=OF_JUDGES,
        horizons=(1, 3),
        caveats=(
            "Theirs judges others' answers (0.012 for 0.719, second-hand); here the "
            "solver is the judge, and what it errs in greedily it errs in again.",
        ),
    ),
    Claim(
        name="Behind its own gate",
        statement="Gated by itself a policy passes more of its wrong answers than its untouched "
        "base does on the same lengths.",
        source=ZHOU,
        certainty=Certainty.SECOND_HAND,
        measures="P(accept | wrong), loop minus the untouched base that judges its own answers, "
        "mean of rounds 2 to 10",
        effect={GATES[x]: partial(passed_more, x) for x in ("likelihood", "self_evaluation")},
        rule=Rule.above(0),
        changes_mind="A gate that is kept fixed.",
        needs=SHARED,
        reads=OF_LOOPS,
        caveats=(ONE_RATE,),
    ),
    Claim(
        name="Collapse behind its own gate",
        statement="Gated by itself a policy collapses: below its untouched base and below a sham, "
        "in retention or in reach.",
        source=ZHOU,
        certainty=Certainty.SECOND_HAND,
        measures="digits solved minus those of the base or of the sham, whichever is less below, "
        "on known or on longer lengths, whichever is more below; after 5 and 10 rounds",
        effect={
            f"{GATES[judge]}{words}, round {last}": partial(ended, f"{start}{judge}", last)
            for last in HORIZONS
            for words, start in RATES.items()
            for judge in ("likelihood", "self_evaluation")
        },
        rule=Rule.below(0),
        changes_mind="A frontier that most policies hold with the truth.",
        needs=LOOPS,
        reads=OF_LOOPS,
        horizons=HORIZONS,
        competing=(
            "SSD 2026 (Apple), arXiv 2604.01193, second-hand: one round of unfiltered samples at a "
            "raised temperature improves code.",
            "How far can unsupervised RLVR scale 2026, arXiv 2603.08660, second-hand: with few "
            "distinct problems a majority vote's own labels never collapse.",
        ),
    ),
    Claim(
        name="Better than no gate",
        statement="A gate that asks the policy itself keeps more than no filter does.",
        source="avax",
        certainty=Certainty.OURS,
        measures="digits gained minus those without a filter, same bases",
        effect={GATES[judge]: partial(worth, judge) for judge in JUDGES},
        rule=Rule.above(0),
        changes_mind="Judges whose thresholds were chosen for it.",
        needs=Needs(controls=("untouched base", "sham")),
        reads=(*JUDGES, "none", "again", "control/none_*"),
        caveats=(ONE_RATE,),
    ),
    Claim(
        name="A gap of its own",
        statement="A policy that marks sums has a generation-verification gap of its own.",
        source="asked by gap.py, whose bases can't mark",
        certainty=Certainty.OURS,
        measures="right among the accepted less right among all, of the untouched base and mean of "
        "rounds 2 and 3",
        effect={"base": partial(gap, slice(FIRST, FIRST)), "rounds 2 and 3": partial(gap, EARLY)},
        rule=Rule.above(0),
        changes_mind="Bases of several sizes that mark.",
        needs=READINGS,
        reads=OF_JUDGES,
        horizons=(1, 3),
        caveats=("One size of policy.",),
    ),
)
