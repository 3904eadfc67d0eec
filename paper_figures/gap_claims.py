"""What is claimed about the gap between verifying and generating, and what shipped runs say."""

from __future__ import annotations

from functools import partial

from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.gap import HALF, SKILLS
from paper_figures.gap_effects import grown_at, narrow, of_widths
from paper_figures.gap_loop_claims import NONE, OF_LOOPS, SONG
from paper_figures.pages import Question

QUESTION = Question(
    title="How much better than its policy is a verifier, by model size and by round?",
    sentences=(
        "Of policies of three widths, each trained for four numbers of updates on up to 8 digits, "
        "the gap was measured; those of width 32 and 1000 updates trained themselves behind the "
        "truth, a vote over their own samples, and a verifier that learns from a quarter of the "
        "true labels, each on 128 fixed prompts and on a frontier that moves on by a digit a "
        "round.",
        "The gap is what accuracy gains if only what a judge accepts is kept, the relative gap the "
        "share of the errors that this removes; sizes are compared after equal training, and where "
        "equal shares of their answers are right.",
        "Lines and points are means over bases with 95 % t intervals; what loops have learned "
        "stands beside what their untouched base does on the same lengths.",
    ),
    command="python experiments/gap.py --preset shipped",
)
OWN = "mean over five judges that are the policy itself"
OF_BASES = ("bases_*",)
TOGETHER = "Wider policies are better ones here: size and skill are not told apart."
SKILL = (
    "Equal skill is an equal share of right samples at temperature 1: of a wider policy more of "
    "the errors may be noise of sampling.",
    "Widths are reached after different numbers of updates; bases of two widths are not the same.",
)
OF_SIZES = (
    Claim(
        name="The relative gap grows with size",
        statement="The larger a policy is, the larger the share of its errors that its own "
        "verifiers remove.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures=f"relative gap of bases of width 64 minus that of width 16, after 1000 updates "
        f"each, {OWN}",
        effect=of_widths("relative_gap", (16, 64)),
        rule=Rule.above(0),
        qualified_by=Condition(
            f"it does at equal skill ({HALF:g} right of 8 digits)",
            partial(grown_at, "relative_gap", HALF),
            Rule.above(0),
        ),
        changes_mind="Policies of several sizes that were trained to equal skill.",
        reads=OF_BASES,
        competing=(
            "Learning to self-verify 2026, arXiv 2602.07594 (its abstract): training to generate "
            "does not train to verify, at any size.",
        ),
        caveats=(
            "At lengths that the widest base knows nearly all errors are sampling noise, which "
            "every judge removes.",
        ),
    ),
    Claim(
        name="Size itself",
        statement="Where equal shares of their answers are right, larger policies have verifiers "
        "that remove a larger share of errors.",
        source="avax, after Song et al. 2025, arXiv 2412.02674",
        certainty=Certainty.OURS,
        measures="relative gap of width 64 minus that of width 16, where the share right of 8 "
        f"digits is equal, {OWN}",
        effect={f"{x:g} right": partial(grown_at, "relative_gap", x) for x in SKILLS},
        rule=Rule.above(0),
        changes_mind="Sizes that are further apart.",
        reads=OF_BASES,
        caveats=SKILL,
    ),
    Claim(
        name="The gap itself does not",
        statement="From a size on the gap itself falls, since fewer errors are left.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures="gap (accuracy) of bases of width 64 minus that of width 32, after 1000 updates "
        f"each, {OWN}",
        effect=of_widths("gap", (32, 64)),
        rule=Rule.below(0),
        changes_mind="A task that is hard for every size that is compared.",
        reads=OF_BASES,
        caveats=(TOGETHER, "They say that it doesn't grow steadily; that it falls is our reading."),
    ),
    Claim(
        name="Small policies have no gap",
        statement="A small policy has verifiers that are no better than it, however much it knows.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures="gap (accuracy) of bases of width 16 where a share of their answers to 8 digits "
        f"is right, {OWN}; below {NONE:g} it counts as none",
        effect={f"{x:g} right": partial(narrow, x) for x in SKILLS},
        rule=Rule.below(NONE),
        changes_mind="Smaller policies that solve some of the task.",
        reads=OF_BASES,
        caveats=("A policy that is right on nothing has no gap whatever judges it.",),
    ),
)
CLAIMS = (*OF_SIZES, *OF_LOOPS)
