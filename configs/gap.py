"""How much better than its policy is a verifier, by model size and by round?

    python experiments/gap.py
    python experiments/gap.py --preset shipped     # from 24 and 16 bases, not four

The generation-verification gap of Song et al. (2025, arXiv 2412.02674) is what accuracy gains if a
policy's completions are filtered; the relative gap is the share of the errors that this removes.
The gap of five verifiers that are the policy itself is measured of policies of three widths as they
learn numbers of up to 8 digits: so sizes can be compared at equal training and at equal skill.
Policies that know their 8 digits then train themselves behind the truth, behind a majority vote
over their own samples, and behind a verifier that learns from a trickle of true labels: on 128
fixed prompts (step 0), and on a frontier that moves on by a digit a round (step 1), both beginning
two or four digits beyond what they know. In every round the gap of all verifiers is measured, and
pass@k.

Expect, from one run of 16 and 24 bases: where half of the answers is right, wider policies remove a
smaller share of their errors, two fifths at width 64 against three fifths at 16. Behind the truth a
frontier is held, seven digits beyond what the base can; behind a vote it is lost, half a digit
beyond. A verifier that learns from a quarter of the true labels finds a gap of 0.01.
"""

from __future__ import annotations

import dataclasses

from avax import struct
from avax.curricula import Frontier
from avax.fields import ConfigError
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.probes import Both, Gap, PassAt
from avax.probes.judging import OWN
from avax.sweeps import defaults
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Addition
from avax.verifiers import (
    CommitFirst,
    Commutative,
    Comparison,
    Learned,
    Likelihood,
    MajorityVote,
    Oracle,
)

CHOICES = {"preset": ("laptop", "smoke", "shipped", "paper")}
WIDTHS = (16, 32, 64)
SNAPSHOTS = 40  # of bases whose gap is measured as they learn
FAST = 3e-3  # the other learning rate, of the loop behind a vote
JUDGES = (MajorityVote(), Likelihood(), Comparison(), CommitFirst(), Commutative())
STEPS = (0, 1)  # fixed prompts, and a frontier
STEP, START = AXES = ("curriculum.step", "curriculum.start")
NEEDS = Needs(
    axes={STEP: STEPS, START: 2},
    kinds={"curriculum": Frontier},
    values={"verifier": Oracle()},
    metrics=("gap", "relative_gap", "pass_at"),
)
CONTROLS = ("majority/sham", "majority/placebo", "rate_3e-3/sham")


def build(preset: str) -> Sweep:
    """The loop behind the truth at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "shipped": shipped, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """The loop behind the truth, a vote and a learned verifier; behind the vote once more, on fresh
    problems, and at a higher learning rate; what the untouched base does on a frontier's lengths;
    and bases of every width, whose gap is measured as they learn.

    ConfigError if nothing is to be compared.
    """
    if set(sweep.base.probe.metrics(sweep.base.task)["gap"].dims["judge"]) <= {OWN}:
        raise ConfigError(
            "base.probe: asks no judge beside the loop's own; the figure is of others"
        )
    vote = with_base(sweep, verifier=MajorityVote())
    found = {
        "oracle": sweep,
        "majority": vote,
        "learned": with_base(sweep, verifier=Learned(level="outcome", label_rate=0.25)),
        "again": with_base(vote, replicate=1),
        "fresh": fresh(vote),
        "rate_3e-3": struct.replace(vote, "base.learner.learning_rate", FAST),
        "untouched": untouched(vote),
    }
    return found | {f"bases_{width}": of_bases(vote, width) for width in WIDTHS}


def with_base(sweep: Sweep, **fields) -> Sweep:
    """The same sweep of another experiment."""
    return dataclasses.replace(sweep, base=sweep.base.replace(**fields))


def fresh(sweep: Sweep) -> Sweep:
    """Problems as long as the fixed prompts, new ones in every round."""
    sweep = struct.replace(with_base(sweep, num_distinct=0), f"base.{STEP}", STEPS[0])
    return dataclasses.replace(sweep, axes={START: sweep.axes[START]})


def untouched(sweep: Sweep) -> Sweep:
    """The base itself at all lengths of a sweep's frontiers, in a round of its own for each."""
    starts = sweep.axes[START]
    lengths = tuple(range(min(starts), max(starts) + sweep.base.num_rounds))
    sweep = with_base(sweep, num_rounds=1, num_eval=1, num_distinct=0)
    return dataclasses.replace(sweep, axes={START: lengths})


def of_bases(sweep: Sweep, width: int) -> Sweep:
    """Bases of a width as they learn, at the longest length that they are taught and two digits
    beyond, in the one round in which they write the answers. At most twice as wide as those of the
    loop.
    """
    longest = sweep.base.base_difficulty
    learner = sweep.base.learner.replace(num_updates=1)  # nobody asks what comes of it
    num_eval = 4 * sweep.base.num_eval
    sweep = with_base(sweep, num_rounds=1, num_distinct=0, num_eval=num_eval, learner=learner)
    model = sweep.pretraining.model
    model = model.replace(width=min(width, 2 * model.width))
    pretraining = sweep.pretraining.replace(model=model, num_snapshots=SNAPSHOTS)
    axes = {START: (longest, longest + 2), "snapshot": tuple(range(SNAPSHOTS))}
    num_seeds = sweep.num_seeds * 3 // 2  # some never come to where they are compared
    return dataclasses.replace(
        sweep, pretraining=pretraining, axes=axes, base_criterion=0.0, num_seeds=num_seeds
    )


def laptop() -> Sweep:
    """7 parts of loops, 4 curricula, 4 seeds, 8 rounds of 64 problems with 8 samples each."""
    digits, far, num_rounds = 8, 4, 8
    return Sweep(
        base=Experiment(
            task=Addition(max_difficulty=digits + far + num_rounds - 1),
            curriculum=Frontier(start=digits + 2),
            verifier=Oracle(),
            learner=FilteredSFT(
                num_problems=64,
                num_samples=8,
                num_updates=32,
                batch_size=32,
                num_kept=1,
                learning_rate=1e-3,
            ),
            base_difficulty=digits,
            num_distinct=128,
            num_rounds=num_rounds,
            num_eval=16,
            probe=Both(Gap(JUDGES), PassAt()),
        ),
        pretraining=Pretraining(
            model=TransformerConfig(num_layers=2, num_heads=2, width=32, rotary_base=10.0),
            num_updates=2000,
            learning_rate=3e-3,
        ),
        base_criterion=defaults.CRITERION,
        axes={STEP: STEPS, START: (digits + 2, digits + far)},
        num_seeds=4,
        common_random_numbers=True,  # loops and controls see the same prompts
        tile_width="2",
        placement="spmd",
    )


def shipped() -> Sweep:
    """The same from 16 bases in loops, 24 of each width as they learn."""
    return dataclasses.replace(laptop(), num_seeds=16)


def smoke() -> Sweep:
    """2 rounds from a base that has hardly learned: does everything work?"""
    sweep = laptop()
    base = sweep.base.replace(
        task=Addition(max_difficulty=4),
        curriculum=Frontier(start=2),
        learner=sweep.base.learner.replace(num_problems=8, num_samples=2, num_updates=2),
        base_difficulty=2,
        num_distinct=8,
        num_rounds=2,
        num_eval=2,
        probe=Both(
            Gap(JUDGES[:2], num_problems=4, num_samples=2),
            PassAt((1, 2), num_problems=4, num_samples=2),
        ),
    )
    model = sweep.pretraining.model.replace(num_layers=1, width=8)  # so that bases have one width
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=sweep.pretraining.replace(model=model, num_updates=64),
        base_criterion=0.0,
        axes={STEP: STEPS, START: (2, 3)},
        num_seeds=2,
        tile_width="all",
        placement="tiles",
        optimization=0,
    )


def paper() -> Sweep:
    """16 seeds, 20 rounds, more samples: sized for one GPU."""
    sweep = laptop()
    num_rounds = 20
    longest = sweep.base.task.max_difficulty + num_rounds - sweep.base.num_rounds
    base = sweep.base.replace(
        task=Addition(max_difficulty=longest),
        num_rounds=num_rounds,
        num_eval=64,
        probe=Both(Gap(JUDGES, num_problems=256), PassAt(num_problems=256)),
    )
    return dataclasses.replace(sweep, base=base, num_seeds=16, tile_width="all", placement="tiles")
