"""Several policies that train at the same time and must agree: a vote that grows with its voters.

The majority vote over independently seeded models of Lee et al. 2025 (arXiv 2502.01612), all of
which train themselves.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax

from avax import struct
from avax.requirements import Context
from avax.types import (
    Key,
    Learner,
    Metric,
    Policy,
    Problem,
    Rollout,
    Scalar,
    Source,
    StepInfo,
    Task,
    Verdict,
    first,
)

MEMBERS = "members"  # name of the mapped axis of a population's M policies


class PopulationState(NamedTuple):
    """States of the M learners, and what each began as."""

    members: Any  # leading axis M
    bases: Policy  # leading axis M

    @property
    def policy(self) -> Policy:
        """The first of the policies: the one that a run measures."""
        return first(self.members.policy)


@struct.dataclass
class Population:
    """Trains all M base policies of a run, each on those of its own completions that others share.

    All members answer the same problems. A completion is accepted if the run's verifier accepts it
    and enough members give the same, token by token; with K > 1 samples of a problem, the sample of
    the same number. With a frozen generator each member learns from what its own base writes and
    enough of the other bases share.

    Attributes:
      learner: how each member gathers data and is retrained.
      threshold: smallest share of the M members that must agree, the author among them; Lee et al.
        ask for 4 of 5.
    """

    learner: Learner
    threshold: Scalar = struct.leaf(0.75, low=0, high=1)

    def requires(self, context: Context) -> str | None:
        if isinstance(self.learner, Population):
            return f"{context.path}: a population within a population has no policies of its own"
        return context.min_bases(2)

    def metrics(self, task: Task) -> dict[str, Metric]:
        """Those of each member; the first one's numbers are reported."""
        return self.learner.metrics(task) if hasattr(self.learner, "metrics") else {}

    def init(self, key: Key, bases: Policy, example: Problem) -> PopulationState:
        alone = jax.tree.map(lambda x: x[:, None], bases)
        members = jax.vmap(lambda base: self.learner.init(key, base, example))(alone)
        return PopulationState(members, bases)

    def step(
        self, key: Key, state: PopulationState, source: Source
    ) -> tuple[PopulationState, StepInfo]:
        def judge(key, policy, problems, rollouts):
            rollouts, verdicts = source.judge(key, policy, problems, rollouts)
            return rollouts, self._vote(rollouts, verdicts)

        def step(member, base):
            generator = partial(source.generator, base=base)  # each its own, if they are frozen
            own = source._replace(judge=judge, generator=generator)
            # All with one key: so they answer the same problems.
            return self.learner.step(key, member, own)

        members, info = jax.vmap(step, axis_name=MEMBERS)(*state)
        # All members' completions are judged, though the first one's are reported.
        info = first(info)._replace(judged=info.rollouts.mask)
        return PopulationState(members, state.bases), info

    def _vote(self, rollouts: Rollout, verdicts: Verdict) -> Verdict:
        everyone = jax.lax.all_gather(rollouts.completion, MEMBERS)
        agree = (everyone == rollouts.completion[None]).all(-1).mean(0) >= self.threshold
        return Verdict(verdicts.score * agree, verdicts.step_score * agree[..., None])
