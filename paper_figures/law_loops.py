"""What is claimed about the loops that laws of the boundary are about: horizons, skill, ratios."""

from __future__ import annotations

from functools import partial

from paper_figures.claims import Certainty, Claim, Rule
from paper_figures.law import ALL
from paper_figures.law_effects import FIXED, beside, by_skill, risen
from paper_figures.standards import HEADLINE, Needs

NEEDS = Needs(HEADLINE, ("untouched base", "sham"), learning_rates=2, horizons=2)
ROUNDS = (10, 20, 40)  # of the horizons, of most configurations
AVAX = "avax (experiments/law.py)"
LOOKED = "It was looked at after the first two configurations had run."
SAME_BASES = (
    "One pool of bases and one range of lengths; configurations share bases, so that their errors "
    "are not independent."
)


def about(name: str, statement: str, measures: str, effect, rule: Rule, **fields) -> Claim:
    """A claim about loops on a fixed range."""
    fields = {
        "source": AVAX,
        "certainty": Certainty.OURS,
        "changes_mind": "Another base, another range of lengths.",
        "caveats": (SAME_BASES,),
    } | fields
    return Claim(
        name=name,
        statement=statement,
        measures=measures,
        effect=effect,
        rule=rule,
        needs=NEEDS,
        horizons=ROUNDS,
        shipped=FIXED,
        **fields,
    )


def beside_reference(name: str, statement: str, which: tuple[str, ...], rule: Rule, **fields):
    """Boundaries of some configurations beside that of the reference, at all horizons."""
    effect = beside(which, "law", FIXED)
    measures = "boundary FPR / (1 - FNR) over that of the reference, both of the mean over bases"
    return about(name, statement, measures, effect, rule, **fields)


def regains(name: str, statement: str, ratio: float, changes_mind: str, caveat: str) -> Claim:
    """Behind a verifier accuracy rises from a quarter of the rounds to all of them."""
    return about(
        name,
        statement,
        f"accuracy gained at FPR / (1 - FNR) = {ratio:g} after all rounds, less after a quarter, "
        "mean over configurations",
        partial(risen, ratio, FIXED),
        Rule.above(0),
        changes_mind=changes_mind,
        caveats=(LOOKED, caveat),
    )


LOOPS = (
    about(
        "Bases that know more",
        "A base that knows more stops to gain at a lower FPR, as there is less to gain: the "
        "settled law says so.",
        "change of the logarithm of a base's own boundary, mean over configurations, with 0.1 "
        "more of its accuracy, after all rounds",
        partial(by_skill, ALL, FIXED),
        Rule.below(0),
        changes_mind="Bases that differ in skill alone, as snapshots of one training do.",
        caveats=(LOOKED, SAME_BASES),
    ),
    regains(
        "A boundary has a horizon",
        "Behind the same verifier, FPR / (1 - FNR) = 0.2, a loop gains as rounds go on: the "
        "boundary rises.",
        0.2,
        "Loops that lose more and more, as where nothing true is replayed.",
        SAME_BASES,
    ),
    regains(
        "Losses come back",
        "Without a filter a part of what was lost comes back, though labels are no better than the "
        "policy that writes them.",
        1.0,
        "Loops without base data, which is what may pull them back.",
        "A quarter of each batch, or three quarters, is true data of 1 to 8 digits.",
    ),
    beside_reference(
        "The learning rate moves the boundary",
        "At a third of the learning rate the boundary is higher.",
        ("law_rate_1e-3",),
        Rule.above(1),
    ),
    beside_reference(
        "The ratio decides",
        "FNR matters through FPR / (1 - FNR) alone: at other FNRs the boundary is the same, to a "
        "quarter.",
        ("law_fnr_0.5",),
        Rule.within(0.8, 1.25),
        source="avax, the mean field of avax/analysis/theory.py",
        competing=(
            "avax's main job: on the whole map FPR ~ (1 - FNR)^2.3 after 10 rounds; see "
            "noise_phase_diagram.md.",
        ),
    ),
    beside_reference(
        "Few problems protect",
        "With few distinct problems in all rounds the boundary is higher than with fresh ones.",
        ("law_distinct_128",),
        Rule.above(1),
        source="reinforcement learning with votes as rewards collapses on 512 problems and more, "
        "never on 32 or 128, arXiv 2603.08660",
        certainty=Certainty.SECOND_HAND,
        caveats=(
            "Theirs is a reward by vote; ours is fine-tuning behind a verifier whose errors are "
            "drawn anew when a problem returns.",
            SAME_BASES,
        ),
    ),
)
