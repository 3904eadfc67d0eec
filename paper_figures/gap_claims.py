"""What is claimed about the gap between verifying and generating, and what shipped runs say."""

from __future__ import annotations

from functools import partial

from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.gap import BEYOND, FIXED, KNOWN, MOVING
from paper_figures.gap_effects import (
    LATE,
    STARTS,
    beyond,
    change,
    change_beyond_sham,
    fall,
    kept_open,
    last,
    late,
    learned,
    narrow,
    of_starts,
    of_vote,
    of_widths,
)
from paper_figures.pages import Question
from paper_figures.standards import Needs

QUESTION = Question(
    title="How much better than its policy is a verifier, by model size and by round?",
    sentences=(
        "Policies of three widths, trained for 1000 updates on up to 8 digits, trained themselves "
        "behind the truth, a vote over their own samples, and a verifier that learns from a "
        "quarter of the true labels; each on 128 fixed prompts and on a frontier that moves on by "
        "a digit a round.",
        "The gap is what accuracy gains if only what a judge accepts is kept, the relative gap the "
        "share of the errors that this removes.",
        "Lines are means over bases with 95 % t intervals as bands; what loops have learned stands "
        "beside what their untouched base does on the same lengths.",
    ),
    command="python experiments/gap.py",
)
SONG = "Song et al. 2025, arXiv 2412.02674, for pretrained models of 0.5 to 72 billion parameters"
NONE = 0.02  # accuracy: a gap below it counts as none
OWN = "mean over five judges that are the policy itself"
FEW = "One learning rate and one run of each base."
TOGETHER = "Wider policies are better ones here: size and skill are not told apart."
FIXED_ONES = Needs(controls=("sham",))  # the base is that of round 1, on the same prompts
ON_FRONTIER = Needs(controls=("untouched base", "frozen generator"))
# Parts that a claim reads: the sham of the vote is that of every loop of its width, as what trains
# is the same.
OF_VOTE = ("majority_32", "control/majority_32_*")
OF_TRUTH = ("oracle_32", "control/majority_32_sham")
BASE, SHAM = "minus the base's", "minus a sham's"
CLAIMS = (
    Claim(
        name="The relative gap grows with size",
        statement="The larger a policy is, the larger the share of its errors that its own "
        "verifiers remove.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures=f"relative gap of bases of width 64 minus that of width 16, {OWN}",
        effect=of_widths("relative_gap", (16, 64)),
        rule=Rule.above(0),
        changes_mind="Policies of several sizes that were trained to equal skill.",
        competing=(
            "Learning to self-verify 2026, arXiv 2602.07594 (its abstract): training to generate "
            "does not train to verify, at any size.",
        ),
        caveats=(
            TOGETHER,
            "At lengths that the widest base knows nearly all errors are sampling noise, which "
            "every judge removes.",
        ),
    ),
    Claim(
        name="The gap itself does not",
        statement="From a size on the gap itself falls, since fewer errors are left.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures=f"gap (accuracy) of bases of width 64 minus that of width 32, {OWN}",
        effect=of_widths("gap", (32, 64)),
        rule=Rule.below(0),
        changes_mind="A task that is hard for every size that is compared.",
        caveats=(TOGETHER, "They say that it doesn't grow steadily; that it falls is our reading."),
    ),
    Claim(
        name="Small policies have no gap",
        statement="A policy that hardly solves the task has verifiers that are no better than it.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures=f"gap (accuracy) of bases of width 16, {OWN}; below {NONE:g} it counts as none",
        effect=of_starts(narrow),
        rule=Rule.below(NONE),
        changes_mind="Small policies that all solve some of the task: most of these solve nothing.",
        caveats=("A policy that is right on nothing has no gap whatever judges it.",),
    ),
    Claim(
        name="The gap is gone in three rounds",
        statement="On a fixed set of prompts filtered self-training uses the gap up within three "
        "rounds.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures=f"gap (accuracy) of the vote in a loop behind it, width 32, after {LATE} rounds; "
        f"below {NONE:g} it counts as none",
        effect={name: partial(of_vote, late, start) for name, start in STARTS.items()},
        rule=Rule.below(NONE),
        qualified_by=Condition(
            "less is left than in a sham (loop less sham, mean of both)",
            partial(beyond, "sham", late, FIXED, (KNOWN, BEYOND)),
            Rule.below(0),
        ),
        changes_mind="More updates a round: a round has no natural length.",
        needs=FIXED_ONES,
        reads=OF_VOTE,
        caveats=(FEW, "Their verifiers are prompts, ours is a vote over 8 samples."),
    ),
    Claim(
        name="The gap falls",
        statement="On a fixed set of prompts filtered self-training lowers the gap.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures="gap (accuracy) of the vote in a loop behind it, width 32, in round 8 minus that "
        "of the base on the same prompts; and by how much more it fell than in a sham",
        effect={
            **{f"{name}, {BASE}": partial(of_vote, fall, x) for name, x in STARTS.items()},
            **{
                f"{name}, {SHAM}": partial(beyond, "sham", fall, FIXED, (x,))
                for name, x in STARTS.items()
            },
        },
        rule=Rule.below(0),
        changes_mind="A sham that lowers the gap as much.",
        needs=FIXED_ONES,
        reads=OF_VOTE,
        caveats=(FEW, "It also falls behind the truth, where the best possible gap is 1 - J."),
    ),
    Claim(
        name="New prompts keep the gap open",
        statement="On a frontier, which poses new prompts, the gap stays larger than on fixed "
        "ones.",
        source="avax",
        certainty=Certainty.OURS,
        measures="gap (accuracy) of the vote in a loop behind it, width 32, in round 8 on a "
        "frontier minus that on fixed prompts",
        effect=of_starts(kept_open),
        rule=Rule.above(0),
        qualified_by=Condition(
            "it is larger than with a frozen generator (on a frontier, mean of both)",
            partial(beyond, "frozen generator", last, MOVING, (KNOWN, BEYOND)),
            Rule.above(0),
        ),
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
            FEW,
        ),
    ),
    Claim(
        name="What is found narrows",
        statement="Behind a vote pass@1 goes up and pass@k for large k goes down.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures="pass@16 on fixed prompts of 10 digits, width 32, in round 8 minus the base's; "
        "and what it changed minus what a sham changes",
        effect={
            BASE: partial(change, "majority", 16),
            SHAM: partial(change_beyond_sham, "majority", 16),
        },
        rule=Rule.below(0),
        qualified_by=Condition("pass@1 goes up", partial(change, "majority", 1), Rule.above(0)),
        changes_mind="A sham that narrows as much.",
        needs=FIXED_ONES,
        reads=OF_VOTE,
        caveats=(FEW, "Pass@16 is estimated from 16 samples a problem."),
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
        caveats=(FEW,),
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
        changes_mind="More labels, balanced ones, or a judge that starts from the policy.",
        competing=(
            "CoVerRL 2026, arXiv 2603.17775 (second-hand): a verifier that the policy itself "
            "learns to be, from balanced labels of a majority, keeps rewards right.",
        ),
        caveats=(FEW, "The verifier is a transformer of its own, from scratch."),
    ),
)
