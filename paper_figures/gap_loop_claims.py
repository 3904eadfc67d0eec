"""What is claimed about the gap in loops: on fixed prompts, on a frontier, and what is learned."""

from __future__ import annotations

from functools import partial

from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.gap_effects import (
    at_rates,
    change,
    change_beyond_sham,
    fall,
    first,
    from_starts,
    kept_open,
    late,
    learned,
    of_both,
    of_vote,
    reaches,
    than_base,
    than_sham,
)
from paper_figures.standards import Needs

SONG = "Song et al. 2025, arXiv 2412.02674, for pretrained models of 0.5 to 72 billion parameters"
NONE = 0.02  # accuracy: a gap below it counts as none
ONE_RATE = "One learning rate, 1e-3."
TRUTH = "A quarter of what all loops but the sham train on are true sums that the base knows."
BESIDE_SHAM = Needs(controls=("sham",))
AT_TWO_RATES = Needs(controls=("sham",), learning_rates=2, replicates=True)
# Parts that claims read. What a sham trains on is the same for every loop at its rate.
OF_VOTE = ("majority", "again", "rate_*", "control/majority_sham", "control/rate_*")
OF_FRONTIER = ("majority", "control/majority_*")
OF_TRUTH = ("oracle", "control/majority_sham")

OF_LOOPS = (
    Claim(
        name="The gap is gone in three rounds",
        statement="On a fixed set of prompts filtered self-training uses the gap up within three "
        "rounds.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures="gap (accuracy) of the vote in a loop behind it after 3 rounds of training; below "
        f"{NONE:g} it counts as none",
        effect=at_rates(of_vote, late),
        rule=Rule.below(NONE),
        qualified_by=Condition(
            f"there was one (the base's is above {NONE:g}, mean of both lengths)",
            partial(of_both, first),
            Rule.above(NONE),
        ),
        changes_mind="More updates a round: a round has no natural length.",
        needs=AT_TWO_RATES,
        reads=OF_VOTE,
        caveats=("Their verifiers are prompts, ours is a vote over 8 samples.",),
    ),
    Claim(
        name="The gap falls",
        statement="On a fixed set of prompts filtered self-training lowers the gap.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures="gap (accuracy) of the vote in a loop behind it, after 7 rounds of training minus "
        "that of the base on the same prompts",
        effect=at_rates(of_vote, fall),
        rule=Rule.below(0),
        changes_mind="Bases with less of a gap.",
        needs=AT_TWO_RATES,
        reads=OF_VOTE,
        caveats=("It also falls behind the truth, where the best possible gap is 1 - J.",),
    ),
    Claim(
        name="The gap falls for the vote",
        statement="On a fixed set of prompts the gap falls more behind a vote than in a sham.",
        source="avax",
        certainty=Certainty.OURS,
        measures="the same fall of the vote's gap, minus that in a sham at the same rate",
        effect=at_rates(than_sham, fall),
        rule=Rule.below(0),
        changes_mind="A sham that lowers the gap as much.",
        needs=AT_TWO_RATES,
        reads=OF_VOTE,
        caveats=("The sham's data are shorter than the prompts.",),
    ),
    Claim(
        name="New prompts keep the gap open",
        statement="On fresh problems the gap stays larger than on fixed prompts of the same "
        "length.",
        source="avax",
        certainty=Certainty.OURS,
        measures="gap (accuracy) of the vote in a loop behind it, after 7 rounds of training on "
        "fresh problems minus that on 128 fixed prompts",
        effect=from_starts(kept_open),
        rule=Rule.above(0),
        reads=("majority", "fresh", "again", "control/majority_sham"),
        changes_mind="Fewer fixed prompts, or more rounds.",
        needs=Needs(replicates=True),
        competing=(
            "How far can unsupervised RLVR scale 2026, arXiv 2603.08660 (second-hand), for "
            "policy gradients with a vote as reward: 32 or 128 problems never collapse, 512 and "
            "more always do.",
        ),
        caveats=(ONE_RATE,),
    ),
    Claim(
        name="The gap of new lengths",
        statement="On a frontier the gap at the newest length becomes larger than that of the "
        "untouched base on the same length.",
        source="avax",
        certainty=Certainty.OURS,
        measures="gap (accuracy) of the vote in a loop behind it after 7 rounds of training, at 17 "
        "and 19 digits, minus the untouched base's there",
        effect=from_starts(than_base),
        rule=Rule.above(0),
        reads=("majority", "untouched", "control/majority_sham"),
        changes_mind="A frontier that waits until its lengths are solved.",
        caveats=("Where nothing is right there is no gap, of loop or base.", ONE_RATE),
    ),
    Claim(
        name="The truth teaches new lengths",
        statement="Behind the truth policies learn longer sums than their untouched base and than "
        "a sham.",
        source="avax",
        certainty=Certainty.OURS,
        measures="digits reached beyond 8 on the frontier from 10 digits, after 4 and 8 rounds, "
        "minus the untouched base's and minus a sham's",
        effect=reaches("oracle", "sham"),
        rule=Rule.above(0),
        changes_mind="A base that knows these lengths.",
        needs=BESIDE_SHAM,
        reads=OF_TRUTH,
        horizons=(4, 8),
        caveats=(ONE_RATE, TRUTH),
    ),
    Claim(
        name="A vote teaches new lengths",
        statement="Behind a vote over their own samples policies learn longer sums than their "
        "untouched base and than behind a vote whose verdicts are shuffled.",
        source="avax, after Song et al. 2025, arXiv 2412.02674",
        certainty=Certainty.OURS,
        measures="digits reached beyond 8 on the frontier from 10 digits, after 4 and 8 rounds, "
        "minus the untouched base's and minus a placebo's",
        effect=reaches("majority", "placebo"),
        rule=Rule.above(0),
        changes_mind="A frontier that waits until its lengths are solved.",
        needs=Needs(controls=("placebo",)),
        reads=OF_FRONTIER,
        horizons=(4, 8),
        caveats=(ONE_RATE, TRUTH),
    ),
    Claim(
        name="What is found narrows",
        statement="Behind a vote pass@1 goes up and pass@k for large k goes down.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures="pass@16 on fixed prompts of 12 digits, after 7 rounds of training minus the "
        "base's",
        effect=partial(change, "majority", 16),
        rule=Rule.below(0),
        qualified_by=Condition("pass@1 goes up", partial(change, "majority", 1), Rule.above(0)),
        changes_mind="Bases that have more right answers among 16 to lose.",
        needs=BESIDE_SHAM,
        reads=OF_FRONTIER,
        caveats=(ONE_RATE, "Pass@16 is estimated from 16 samples a problem."),
    ),
    Claim(
        name="What is found narrows for the vote",
        statement="Pass@16 goes down more behind a vote than in a sham.",
        source="avax",
        certainty=Certainty.OURS,
        measures="the same change of pass@16, minus that in a sham",
        effect=partial(change_beyond_sham, "majority", 16),
        rule=Rule.below(0),
        changes_mind="A sham that narrows as much.",
        needs=BESIDE_SHAM,
        reads=OF_FRONTIER,
        caveats=(ONE_RATE,),
    ),
    Claim(
        name="True labels narrow nothing",
        statement="Behind the truth pass@k goes up for every k.",
        source="avax",
        certainty=Certainty.OURS,
        measures="pass@k on fixed prompts of 12 digits after 7 rounds of training, minus the "
        "base's",
        effect={f"k = {k}": partial(change, "oracle", k) for k in (1, 16)},
        rule=Rule.above(0),
        qualified_by=Condition(
            "pass@16 goes up more than in a sham",
            partial(change_beyond_sham, "oracle", 16),
            Rule.above(0),
        ),
        changes_mind="Bases that have more right answers among 16 to lose.",
        needs=BESIDE_SHAM,
        reads=OF_TRUTH,
        caveats=(ONE_RATE,),
    ),
    Claim(
        name="A trickle of true labels",
        statement="A verifier that learns from a quarter of the labels of its loop has a gap.",
        source="avax",
        certainty=Certainty.OURS,
        measures="gap (accuracy) of the learned verifier on fixed prompts, mean over rounds 2 to "
        f"8; below {NONE:g} it counts as none",
        effect=from_starts(learned),
        rule=Rule.above(NONE),
        reads=("learned",),
        changes_mind="More labels, balanced ones, or a judge that starts from the policy.",
        competing=(
            "CoVerRL 2026, arXiv 2603.17775 (second-hand): a verifier that the policy itself "
            "learns to be, from balanced labels of a majority, keeps rewards right.",
        ),
        caveats=(ONE_RATE, "The verifier is a transformer of its own, from scratch."),
    ),
)
