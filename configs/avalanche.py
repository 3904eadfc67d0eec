"""What lengthens the runway before self-training on ever longer problems buries itself in errors?

    python experiments/avalanche.py                      # seven arms, 5 bases
    python experiments/avalanche.py --preset shipped     # 34 bases, 13 where steps are taken

A policy that can add numbers of up to 8 digits, at once or digit by digit, teaches itself one more
digit a round. The arms differ in where its labels come from: its direct answers; one
simplification and then a guess; the majority of several guesses, each one simplification further
on; the majority if the exchanged problem has the same answer; and, as bounds, the guesses that
are true, and the direct answers that are. SECToR (Zhang & Parkes 2023, arXiv 2309.08589) is the
fifth.

Expect: direct labels go bad within a few rounds, but no faster than those of the untouched base on
problems as long, which a frozen generator writes, and than a sham's: that is length. At three times
the learning rate losses compound even so: what is solved falls round after round. Gains on true
labels compound at both. One step and the check of b + a make labels last longer, a vote
adds nothing to a step; only the truth keeps the runway open.
"""

from __future__ import annotations

import dataclasses

from avax.curricula import Frontier
from avax.fields import ConfigError
from avax.learners import FilteredSFT, SimplifyThenGuess
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.sweeps import defaults
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Scratchpad
from avax.verifiers import AcceptAll, AllOf, Commutative, MajorityVote, Oracle

CHOICES = {"preset": ("laptop", "smoke", "shipped", "paper")}
NEEDS = Needs(
    kinds={"curriculum": Frontier, "verifier": MajorityVote, "learner": SimplifyThenGuess}
)
NUM_LENGTHS = 6  # on which the labels of the untouched base are judged
MOST_BASES = 13  # of what takes steps, which takes longer, and of what is run twice
# A sham replays as many base problems as a round has labels: five times as many beside the vote.
CONTROLS = (
    *(f"direct/{control}" for control in ("frozen_generator", "sham", "matched_sham")),
    *(f"vote/{control}" for control in ("frozen_generator", "sham", "matched_sham", "placebo")),
)


def build(preset: str) -> Sweep:
    """The sweep of one preset; its learner is that of the arm with the most guesses."""
    presets = {"smoke": smoke, "laptop": laptop, "shipped": shipped, "paper": paper}
    return presets[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """The arms, what each makes of the base alone, and one of them twice, which tells how much runs
    of a base differ. ConfigError if there are none to make.
    """
    most, vote = sweep.base.learner, sweep.base.verifier
    if most.num_samples < 3:
        raise ConfigError(
            f"base.learner.num_samples: is {most.num_samples}, must be at least 3: one arm votes "
            "over 3 guesses"
        )
    few, once = most.replace(num_samples=3), most.replace(num_samples=1)
    arms = {
        "direct": (direct(most), AcceptAll()),
        "simplify": (once, AcceptAll()),
        "vote_few": (few, vote),
        "vote": (most, vote),
        "vote_commutative": (most, AllOf(vote, Commutative())),
        "oracle": (most, Oracle()),
        "direct_oracle": (direct(most), Oracle()),
    }
    fewer = dataclasses.replace(sweep, num_seeds=min(sweep.num_seeds, MOST_BASES))
    sweeps = {
        name: dataclasses.replace(
            sweep if name.startswith("direct") else fewer,
            base=sweep.base.replace(learner=learner, verifier=verifier),
        )
        for name, (learner, verifier) in arms.items()
    }
    unchecked = {name: s for name, s in sweeps.items() if not isinstance(arms[name][1], Oracle)}
    on_bases = {f"base/{name}": on_the_base(s) for name, s in unchecked.items()}
    again = {"replicate": (0, 1)}  # the first is the arm's own run, bit by bit
    twice = dataclasses.replace(fewer, base=sweeps["direct"].base, axes=again)
    return sweeps | on_bases | {"twice": twice}


def on_the_base(sweep: Sweep) -> Sweep:
    """An arm's labels by the base itself, for several lengths that it was not trained on."""
    first, longest = sweep.base.curriculum.start, sweep.base.task.max_difficulty
    lengths = tuple(range(first, min(first + NUM_LENGTHS, longest + 1)))
    base = sweep.base.replace(num_rounds=1, num_eval=1)
    return dataclasses.replace(sweep, base=base, axes={"curriculum.start": lengths})


def direct(learner: SimplifyThenGuess) -> FilteredSFT:
    """The same training on greedy direct answers, one of each problem."""
    shared = {
        field.name: getattr(learner, field.name)
        for field in dataclasses.fields(learner)
        if field.name not in ("num_samples", "step_rate")
    }
    return FilteredSFT(num_samples=1, temperature=0.0, **shared)


def laptop() -> Sweep:
    """Rounds of 128 problems, a policy of 27,000 parameters."""
    digits, num_rounds = 8, 14
    return Sweep(
        base=Experiment(
            task=Scratchpad(max_difficulty=digits + num_rounds, step_rate=0.0),
            curriculum=Frontier(start=digits + 1),
            verifier=MajorityVote(),
            learner=SimplifyThenGuess(
                num_problems=128,
                num_samples=5,
                num_updates=64,
                batch_size=32,
                num_kept=1,
                step_rate=0.1,
            ),
            base_difficulty=digits,
            num_rounds=num_rounds,
            num_eval=16,
            base_task=Scratchpad(max_difficulty=digits + num_rounds),
        ),
        pretraining=Pretraining(
            model=TransformerConfig(num_layers=2, num_heads=2, width=32, rotary_base=10.0),
            num_updates=2500,
            learning_rate=3e-3,
        ),
        base_criterion=defaults.CRITERION,
        num_seeds=5,
        tile_width="2",
        placement="spmd",
    )


def shipped() -> Sweep:
    """Two bases more than a headline needs: one of 34 is left out."""
    return dataclasses.replace(laptop(), num_seeds=34)


def smoke() -> Sweep:
    """A round from a base that has hardly learned: does everything work?

    With no more than a round, an arm and its look at the base share a program; with three guesses
    the arms that vote do.
    """
    sweep = laptop()
    longer = Scratchpad(max_difficulty=5)
    base = sweep.base.replace(
        task=longer.replace(step_rate=0.0),
        base_task=longer,
        curriculum=Frontier(start=3),
        learner=sweep.base.learner.replace(num_problems=16, num_samples=3, num_updates=4),
        base_difficulty=2,
        num_rounds=1,
        num_eval=1,
    )
    model = sweep.pretraining.model.replace(num_layers=1)
    pretraining = sweep.pretraining.replace(model=model, num_updates=100)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=pretraining,
        base_criterion=0.0,
        num_seeds=2,
        tile_width="1",
        optimization=0,
    )


def paper() -> Sweep:
    """More seeds, more rounds and a wider policy, for one GPU."""
    sweep = laptop()
    longer = Scratchpad(max_difficulty=40)
    base = sweep.base.replace(
        task=longer.replace(step_rate=0.0),
        base_task=longer,
        num_rounds=40 - sweep.base.base_difficulty,
        num_eval=64,
    )
    model = sweep.pretraining.model.replace(width=64, num_heads=4)
    pretraining = sweep.pretraining.replace(model=model, num_updates=4000, learning_rate=2e-3)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=pretraining,
        num_seeds=32,
        tile_width="all",
        placement="tiles",
    )
