"""What is claimed about the gap in loops: on fixed prompts, on a frontier, and what is learned."""

from __future__ import annotations

from functools import partial

from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.gap_effects import (
    LATE,
    RATES,
    STARTS,
    change,
    change_beyond_sham,
    fall,
    kept_open,
    last,
    late,
    learned,
    of_starts,
    of_vote,
    taught,
    taught_beyond_sham,
    than_base,
    than_sham,
)
from paper_figures.standards import Needs

SONG = "Song et al. 2025, arXiv 2412.02674, for pretrained models of 0.5 to 72 billion parameters"
NONE = 0.02  # accuracy: a gap below it counts as none
ONE_RATE = "One learning rate, 1e-3."
FIXED_ONES = Needs(controls=("sham",), replicates=True)  # the base is that of round 1, there
AT_TWO_RATES = Needs(controls=("sham",), learning_rates=2, replicates=True)
ON_FRONTIER = Needs(controls=("untouched base", "frozen generator"), replicates=True)
# Parts that claims read: a sham is that of every loop at its rate, as what trains is the same.
OF_VOTE = ("majority", "again", "rate_*", "control/*")
OF_TRUTH = ("oracle", "again", "control/majority_sham")
OF_LEARNED = ("learned", "again", "control/majority_sham")
BASE, SHAM = "minus the base's", "minus a sham's"


def at_rates(effect, measure) -> dict:
    """An effect of the vote's gap from both starts at both learning rates."""
    return {
        f"{start}{rate}": partial(effect, measure, part, at)
        for start, at in STARTS.items()
        for rate, part in RATES.items()
    }


def beside(*effects) -> dict:
    """Effects by what they are beside: `(words, effects by name)`."""
    return {f"{name}, {words}": x for words, each in effects for name, x in each.items()}


def of_teacher(part: str, name: str, statement: str, **fields) -> Claim:
    """The claim that a loop learns lengths that its untouched base doesn't know."""
    return Claim(
        name=name,
        statement=statement,
        certainty=Certainty.OURS,
        measures="greedy accuracy on the newest length of each of 8 rounds minus the untouched "
        "base's on the same lengths, mean over rounds; and minus a sham's",
        effect=beside(
            (BASE, of_starts(partial(taught, part))),
            (SHAM, of_starts(partial(taught_beyond_sham, part))),
        ),
        rule=Rule.above(0),
        needs=FIXED_ONES,
        **fields,
    )


OF_LOOPS = (
    Claim(
        name="The gap is gone in three rounds",
        statement="On a fixed set of prompts filtered self-training uses the gap up within three "
        "rounds.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures=f"gap (accuracy) of the vote in a loop behind it, width 32, after {LATE} rounds; "
        f"below {NONE:g} it counts as none",
        effect=at_rates(of_vote, late),
        rule=Rule.below(NONE),
        changes_mind="More updates a round: a round has no natural length.",
        needs=AT_TWO_RATES,
        reads=OF_VOTE,
        caveats=("Their verifiers are prompts, ours is a vote over 8 samples."),
    ),
    Claim(
        name="The gap falls",
        statement="On a fixed set of prompts filtered self-training lowers the gap.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures="gap (accuracy) of the vote in a loop behind it, width 32, in round 8 minus that "
        "of the base on the same prompts; and by how much more it fell than in a sham",
        effect=beside((BASE, at_rates(of_vote, fall)), (SHAM, at_rates(than_sham, fall))),
        rule=Rule.below(0),
        changes_mind="A sham that lowers the gap as much.",
        needs=AT_TWO_RATES,
        reads=OF_VOTE,
        caveats=("It also falls behind the truth, where the best possible gap is 1 - J."),
    ),
    Claim(
        name="New prompts keep the gap open",
        statement="On a frontier, which poses new prompts, the gap stays larger than on fixed "
        "ones.",
        source="avax",
        certainty=Certainty.OURS,
        measures="gap (accuracy) of the vote in a loop behind it, width 32, in round 8 on a "
        "frontier minus that on fixed prompts, and minus that of the untouched base on the same "
        "lengths",
        effect=beside(
            ("minus on fixed prompts", of_starts(kept_open)),
            ("minus the base's", of_starts(partial(than_base, last))),
        ),
        rule=Rule.above(0),
        reads=OF_VOTE,
        changes_mind="A frontier that waits until its lengths are solved.",
        needs=ON_FRONTIER,
        competing=(
            "How far can unsupervised RLVR scale 2026, arXiv 2603.08660 (second-hand), for "
            "policy gradients with a vote as reward: 32 or 128 problems never collapse, 512 and "
            "more always do.",
        ),
        caveats=(
            "On the newest lengths the untouched base is right on hardly anything either, and "
            "where nothing is right there is no gap.",
            ONE_RATE,
        ),
    ),
    of_teacher(
        "oracle",
        "The truth teaches new lengths",
        "Behind the truth policies are right more often on a frontier's new lengths than their "
        "untouched base.",
        source="avax",
        changes_mind="A base that knows these lengths.",
        reads=OF_TRUTH,
        caveats=(ONE_RATE,),
    ),
    of_teacher(
        "majority",
        "A vote teaches new lengths",
        "Behind a vote over their own samples policies are right more often on a frontier's new "
        "lengths than their untouched base.",
        source="avax, after Song et al. 2025, arXiv 2412.02674",
        changes_mind="A frontier that waits until its lengths are solved.",
        reads=("majority", "again", "control/majority_*"),
        caveats=(ONE_RATE, "On the last lengths the base is right on hardly anything."),
    ),
    Claim(
        name="What is found narrows",
        statement="Behind a vote pass@1 goes up and pass@k for large k goes down.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures="pass@16 on fixed prompts of 10 digits, width 32, in round 8 minus the base's; "
        "and what it changed minus what a sham changes",
        effect={
            f"{words}{rate}": partial(effect, part, 16)
            for words, effect in ((BASE, change), (SHAM, change_beyond_sham))
            for rate, part in RATES.items()
        },
        rule=Rule.below(0),
        qualified_by=Condition("pass@1 goes up", partial(change, "majority", 1), Rule.above(0)),
        changes_mind="A sham that narrows as much.",
        needs=AT_TWO_RATES,
        reads=OF_VOTE,
        caveats=("Pass@16 is estimated from 16 samples a problem."),
    ),
    Claim(
        name="True labels narrow nothing",
        statement="Behind the truth pass@k goes up for every k.",
        source="avax",
        certainty=Certainty.OURS,
        measures="pass@k on fixed prompts of 10 digits, width 32, in round 8 minus the base's; "
        "and what it changed minus what a sham changes",
        effect={
            f"k = {k}, {words}": partial(effect, "oracle", k)
            for words, effect in ((BASE, change), (SHAM, change_beyond_sham))
            for k in (1, 16)
        },
        rule=Rule.above(0),
        changes_mind="Bases that have more right answers among 16 to lose.",
        needs=FIXED_ONES,
        reads=OF_TRUTH,
        caveats=(ONE_RATE,),
    ),
    Claim(
        name="A trickle of true labels",
        statement="A verifier that learns from a quarter of the labels of its loop has a gap.",
        source="avax",
        certainty=Certainty.OURS,
        measures="gap (accuracy) of the learned verifier on fixed prompts, width 32, mean over "
        "rounds 2 to 8",
        effect=of_starts(learned),
        rule=Rule.above(0),
        needs=Needs(replicates=True),
        reads=OF_LEARNED,
        changes_mind="More labels, balanced ones, or a judge that starts from the policy.",
        competing=(
            "CoVerRL 2026, arXiv 2603.17775 (second-hand): a verifier that the policy itself "
            "learns to be, from balanced labels of a majority, keeps rewards right.",
        ),
        caveats=(ONE_RATE, "The verifier is a transformer of its own, from scratch."),
    ),
)
