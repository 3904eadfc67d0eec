"""What is claimed about hard problems and false rewards, and how the shipped runs answer."""

from __future__ import annotations

from functools import partial

from paper_figures import hard_samples_effects as of
from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.hard_samples import CENTRES, END, LEARNERS
from paper_figures.pages import Question
from paper_figures.standards import Needs

QUESTION = Question(
    title="Do problems that are nearly impossible spoil a policy, or do false rewards?",
    sentences=(
        "Policies that add up chains of digits, and know two ways to answer, with all partial sums "
        "or at once by a guess, trained by GRPO on problems that their base never, sometimes or "
        "mostly worked out, behind rewards of which more or fewer were false.",
        "Read is what becomes of short chains that the base has mastered: how often they are "
        "worked out as a whole and right, how often the working is skipped, and how often it is "
        "right where it is not; all beside the untouched base on the same draws.",
        "Points are means over bases with 95 % t intervals; the share of false rewards is that of "
        "what the verifier accepts of the base's own completions.",
    ),
    command="python experiments/hard_samples.py --preset shipped",
)
CHENG = "Cheng et al. 2026, arXiv 2605.28388"
LIU = "Liu et al. 2025, arXiv 2503.20783"
YU = "Yu et al. 2025, arXiv 2503.14476"
RAD = "Rad et al. 2026, arXiv 2601.04411"
HORIZONS = (30, 60)
PLAIN = Needs(controls=("placebo",), horizons=2, replicates=True)
RATES = Needs(controls=("placebo",), learning_rates=2, replicates=True)
FALSE = {"false": "learning rate 1e-3", "false_slow": "learning rate 3e-4"}
GUESSED = {"guessed": "learning rate 1e-3", "guessed_slow": "learning rate 3e-4"}
SECOND_HAND, OURS = Certainty.SECOND_HAND, Certainty.OURS
ADAM = (
    "Adam makes updates of one size of rewards of any size: the rate, not the dose, sets the pace."
)
TOYS = "Hard is long here, but where lengths are equal: problems differ in little else."


def remedy(word: str, name: str, source: str, **fields) -> Claim:
    """The claim that something else than the centre's learner keeps old skills."""
    return Claim(
        name=name,
        statement=f"{fields.pop('what')} keeps old skills where rewards are false.",
        source=source,
        certainty=SECOND_HAND,
        measures="share of old problems that are worked out as a whole and right, minus that of "
        "the centre's learner, same bases and draws; 0.02 is the least",
        effect={
            CENTRES[x]: partial(of.apart, f"{x}_{word}", fields.get("beside", x), "worked", END)
            for x in ("false", "mixed")
        },
        rule=Rule.above(0.02),
        changes_mind="Remedies at as many rounds in which anything is trained.",
        needs=Needs(replicates=True),
        caveats=fields.get("caveats", ()),
    )


ABOUT_REWARDS = (
    Claim(
        name="The impossible is inert",
        statement="Problems that a policy can't solve, behind rewards that can't be guessed, "
        "change nothing.",
        source="avax, after the algebra of group-relative advantages",
        certainty=OURS,
        measures="share of old problems worked out on chains of 11 and 12 additions, whole "
        "working demanded, FPR 0, minus the untouched base's",
        effect=of.at_times(of.changed, "too_long", "worked", fpr=0.0),
        rule=Rule.within(-0.05, 0.05),
        changes_mind="Problems that no base ever solves.",
        needs=Needs(horizons=2, replicates=True),
        horizons=HORIZONS,
        qualified_by=Condition(
            "nothing is trained in more than half of the rounds",
            partial(of.idle, "too_long"),
            Rule.above(0.5),
        ),
        caveats=("Some bases work out a chain of 12 at times, and learn from it.",),
    ),
    Claim(
        name="False rewards spoil",
        statement="On hard problems rewards that are false at a rate of 0.05 spoil old skills.",
        source=f"avax, after {CHENG}",
        certainty=OURS,
        measures="share of old problems worked out, whole working demanded, minus the untouched "
        "base's",
        effect=of.of_parts(of.changed, FALSE, "worked"),
        rule=Rule.below(0),
        changes_mind="More problems a round, whose chance rewards average out.",
        needs=RATES,
        caveats=(ADAM,),
    ),
    Claim(
        name="Rewarded guesses spoil",
        statement="On hard problems rewards for guesses spoil old skills.",
        source=CHENG,
        certainty=SECOND_HAND,
        measures="share of old problems worked out, answers right modulo 2 rewarded, minus the "
        "untouched base's",
        effect=of.of_parts(of.changed, GUESSED, "worked"),
        rule=Rule.below(0),
        changes_mind="More problems a round, whose chance rewards average out.",
        needs=RATES,
        caveats=(ADAM, TOYS),
    ),
    Claim(
        name="As chance does",
        statement="What false rewards and rewarded guesses do to old skills is what as many "
        "rewards do that are dealt out at random.",
        source="avax, since a reward that doesn't depend on what was written has no gradient",
        certainty=OURS,
        measures="share of old problems worked out, minus that of the placebo, same bases; 0.1 is "
        "the most",
        effect={
            f"{CENTRES[x]}, {when}": partial(of.apart, x, f"control/{x}_placebo", "worked", when)
            for x in ("guessed", "false")
            for when in of.TIMES
        },
        rule=Rule.within(-0.1, 0.1),
        changes_mind="Problems that working solves more often than guessing.",
        needs=PLAIN,
        horizons=HORIZONS,
    ),
    Claim(
        name="Paid to skip",
        statement="Where only what skips the working is rewarded falsely, a policy learns to skip.",
        source=f"avax, after {CHENG}",
        certainty=OURS,
        measures="share of old problems whose working is skipped, minus the untouched base's, and "
        "minus that where anything is rewarded at the same rate; 0.1 is the least",
        effect={
            "minus the base": partial(of.changed, "paid_to_skip", "skipped", END),
            "minus false": partial(of.apart, "paid_to_skip", "false", "skipped", END),
        },
        rule=Rule.above(0.1),
        changes_mind="A rate at which more than one of eight is rewarded.",
        needs=Needs(replicates=True),
    ),
    Claim(
        name="One curve",
        statement="Harm to old skills goes with the share of rewards that are false, whatever the "
        "problems are and whoever is rewarded.",
        source="avax",
        certainty=OURS,
        measures="correlation over arms between the share of false rewards of the untouched base "
        "and the mean change of what is worked out, by the jackknife over bases; -0.8 at most",
        effect=of.at_times(of.one_curve),
        rule=Rule.below(-0.8),
        changes_mind="Arms of equal shares and unequal numbers of false rewards.",
        needs=PLAIN,
        horizons=HORIZONS,
        caveats=(ADAM, "Shares near 1 are those of hard problems, most of those near 0 of others."),
    ),
)
ABOUT_PROBLEMS = (
    Claim(
        name="Medium, all, hard",
        statement="Problems of medium difficulty teach more than all, and all more than hard ones.",
        source=CHENG,
        certainty=SECOND_HAND,
        measures="greedy accuracy over all lengths, whole working demanded, FPR 0",
        effect={
            "medium minus all": partial(of.more_accurate, "medium_whole", "all_whole", END),
            "all minus hard": partial(of.more_accurate, "all_whole", "hard_whole", END),
        },
        rule=Rule.above(0),
        changes_mind="As many rounds in which anything is trained.",
        needs=Needs(replicates=True),
        qualified_by=Condition(
            "medium minus hard at equal lengths",
            partial(of.more_accurate, "equal_medium", "equal_hard", END),
            Rule.above(0),
        ),
        caveats=(TOYS,),
    ),
    Claim(
        name="Skipping comes first",
        statement="Where rewards are false, policies first skip the working, and can do it worse "
        "only later.",
        source=CHENG,
        certainty=SECOND_HAND,
        measures="round in which what is right of what is worked out has gone half of its way, "
        "minus that of the share that is skipped, in bases where both go at least 0.1",
        effect={name: partial(of.later, x) for x, name in CENTRES.items()},
        rule=Rule.above(0),
        changes_mind="Bases of which more change both.",
        needs=Needs(replicates=True),
        caveats=("Theirs is the order of length and accuracy, which here is nearly an identity.",),
    ),
)
REMEDIES = (
    remedy("no_std", LEARNERS["no_std"], LIU, what="Not dividing by the standard deviation",
           caveats=("Completion length still divides: it is not all of Dr. GRPO.",)),
    remedy("two_accepted", LEARNERS["two_accepted"], CHENG,
           what="Leaving out groups with fewer than two accepted"),
    remedy("kl_0.01", LEARNERS["kl_0.01"], CHENG, what="A KL term of 0.01"),
    remedy("kl_0.1", LEARNERS["kl_0.1"], CHENG, what="A KL term of 0.1"),
    remedy("no_clip", LEARNERS["no_clip"], RAD, what="Not clipping"),
)  # fmt: skip
RESAMPLED = Claim(
    name=LEARNERS["resampled"],
    statement="Training on groups of unequal scores alone keeps old skills where rewards are "
    "false.",
    source=YU,
    certainty=SECOND_HAND,
    measures="share of old problems worked out, minus that with as many samples and no choice, "
    "same bases; 0.02 is the least",
    effect={
        CENTRES[x]: partial(of.apart, f"{x}_resampled", f"{x}_oversampled", "worked", END)
        for x in ("false", "mixed")
    },
    rule=Rule.above(0.02),
    changes_mind="As many rounds in which anything is trained.",
    needs=Needs(replicates=True),
)
CLAIMS = (*ABOUT_REWARDS, *ABOUT_PROBLEMS, *REMEDIES, RESAMPLED)
