"""Do rewards that know nothing improve a policy, and which one?

    python experiments/spurious.py
    python experiments/spurious.py --preset shipped     # from 16 bases of each kind, not four

Random, wrong, form-only and confidence rewards are reported to improve some language models and not
others. Here a policy that adds up short chains of digits trains itself by GRPO on chains that it
has mastered, behind each of these rewards, with clipping and without. One kind of base knows two
ways to answer, one of which is far better, so that there is a skill to elicit; another knows the
worse one alone. A vote's reward is tried with few problems that recur and with fresh ones.

Expect, as the literature has it (second-hand): what knows two ways gains from the truth and from a
vote, from random rewards only with clipping, and what knows one way gains from nothing but the
truth; confidence rewards raise accuracy at first and lower it later. No run has been seen yet.
"""

from __future__ import annotations

import dataclasses

from avax import struct, vocab
from avax.curricula import Fixed
from avax.learners import GRPO
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.probes import Skill
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Shortcut
from avax.types import Verifier
from avax.verifiers import Certainty, HasForm, Likelihood, MajorityVote, Oracle

CHOICES = {"preset": ("laptop", "smoke", "shipped", "paper")}
REWARDS: dict[str, Verifier] = {
    "truth": Oracle(),
    "majority": MajorityVote(0.0, answer_len=2),
    "random": Oracle(fpr=0.5, fnr=0.5),
    "inverted": Oracle(fpr=1.0, fnr=1.0),
    "form": HasForm(),
    "likelihood": Likelihood(),
    "certainty": Certainty(),
}
KINDS = {"two_ways": 0.5, "one_way": 1.0}  # P(no working) in what bases are trained on
CLIP, NO_CLIP = 0.2, 1e6
DISTINCT = (32, 128, 512, 0)  # recurring problems behind a vote; 0: fresh ones
NEEDS = Needs(
    axes={"learner.clip": (CLIP, NO_CLIP)},
    kinds={"task": Shortcut, "learner": GRPO, "probe": Skill},
    values={"verifier": REWARDS["truth"]},
)
CONTROLS = tuple(f"{kind}_{reward}/placebo" for kind in KINDS for reward in ("truth", "majority"))


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """Each reward on bases of each kind; a vote with few problems; the untouched bases; and some
    once more.
    """
    found = {}
    for kind, rate in KINDS.items():
        task = sweep.base.base_task.replace(skip_rate=rate)
        own = struct.replace(sweep, "base.base_task", task)
        untouched = struct.replace(own, "base.learner.learning_rate", 0.0)
        found[f"{kind}_untouched"] = dataclasses.replace(untouched, axes={})
        for name, verifier in REWARDS.items():
            found[f"{kind}_{name}"] = struct.replace(own, "base.verifier", verifier)
        vote = struct.replace(own, "base.verifier", REWARDS["majority"])
        found[f"{kind}_distinct"] = dataclasses.replace(vote, axes={"num_distinct": DISTINCT})
        again = struct.replace(own, "base.replicate", 1)
        found[f"{kind}_again"] = again
    return found
