"""What is measured in every round of a run, and before the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax import Array

from avax.fields import ConfigError
from avax.policies import sampling
from avax.types import MISTAKES, Grade, Key, Metric, Policy, Problem, State, StepInfo, Task

if TYPE_CHECKING:
    from avax.loop import Experiment

METRICS = {
    "accuracy": "greedy accuracy, mean over all difficulties",
    "accuracy_by_difficulty": "greedy accuracy at each difficulty",
    "sampled_accuracy": "share of the round's completions that are correct",
    "base_accuracy": "share of the round's problems that the untouched base answers right",
    "accept_rate": "share of the round's completions that the verifier accepts",
    "label_precision": "share of the accepted completions that are correct labels, NaN if none",
    "trace_precision": "share of the accepted completions with all steps right, NaN if none",
    "verifier_fpr": "measured P(accept | wrong), NaN if no completion is wrong",
    "verifier_fnr": "measured P(reject | correct), NaN if no completion is correct",
    "loss": "training loss, mean over the round's updates, 0 if there were none",
    "grad_norm": "gradient norm before clipping, mean over the round's updates",
    "mistake_share": "share of the round's wrong completions that are a mistake of each kind",
    "num_accepted": "accepted completions",
    "truth_calls": "times that the verifier asked for the truth in the round",
    "completion_length": "tokens of a completion up to and including EOS, mean",
    "diverged": "1 from the first round on after which the run has diverged, else 0",
}


DIMENSIONS = {  # of each metric that is no single number
    "accuracy_by_difficulty": ("difficulty",),
    "mistake_share": ("mistake",),
}

OF_POLICY = ("accuracy", "accuracy_by_difficulty", "diverged")  # the rest only training has

# What no run that learns comes near: to guess costs 3.5, and parameters are of the order of 1.
MAX_LOSS, MAX_PARAMETER = 1e3, 1e4


def blank(experiment: Experiment) -> dict[str, Array]:
    """The metrics of all rounds before any was measured: NaN, f32[R + 1, ...]."""
    sizes = {"difficulty": experiment.task.max_difficulty, "mistake": len(MISTAKES)}
    dims = {name: DIMENSIONS.get(name, ()) for name in METRICS}
    shapes = {name: tuple(sizes[d] for d in own) for name, own in dims.items()}
    more = of_plugins(experiment)
    shapes |= {name: tuple(map(len, metric.dims.values())) for name, metric in more.items()}
    rows = experiment.num_rounds + 1
    return {name: jnp.full((rows, *shape), jnp.nan) for name, shape in shapes.items()}


def of_plugins(experiment: Experiment) -> dict[str, Metric]:
    """What the experiment's probe and its learner report besides, by name.

    Raises:
      ConfigError: in one line, for a name or a dimension that means something else already.
    """
    found: dict[str, Metric] = {}
    dims: dict[str, tuple | None] = dict.fromkeys(("seed", "round"))
    dims |= {"difficulty": tuple(range(1, experiment.task.max_difficulty + 1))}
    dims |= {"mistake": MISTAKES}
    for field in ("probe", "learner"):
        plugin = getattr(experiment, field)
        own = plugin.metrics(experiment.task) if hasattr(plugin, "metrics") else {}
        for name, metric in own.items():
            if name in METRICS or name in found:
                whose = "the probe" if name in found else "every run"
                raise ConfigError(f"{field}: reports {name}, as {whose} does; must be another name")
            for dim, values in metric.dims.items():
                if dims.setdefault(dim, values) != values:
                    raise ConfigError(
                        f"{field}: reports {name} by {dim}, which has other values elsewhere; must "
                        "be another dimension"
                    )
        found |= own
    for name in found.keys() & dims.keys():
        raise ConfigError(
            f"probe, learner: report {name}, which is a dimension; must be another name"
        )
    return found


def eval_problems(task: Task, number: int, key: Key) -> Problem:
    """What the accuracy of a policy is measured on, leading axes [D, number]."""
    difficulties = jnp.arange(1, task.max_difficulty + 1)
    keys = jax.random.split(key, (len(difficulties), number))
    return jax.vmap(jax.vmap(task.sample, (0, None)))(keys, difficulties)


def of_round(info: StepInfo, grades: Grade) -> dict[str, Array]:
    """Metrics of the data of one round."""
    accept, correct = info.verdicts.accept, grades.correct
    return {
        "sampled_accuracy": correct.mean(),
        "accept_rate": accept.mean(),
        "label_precision": sampling.share(correct, accept),
        "trace_precision": sampling.share(grades.step_correct.all(-1), accept),
        "verifier_fpr": sampling.share(accept, ~correct),
        "verifier_fnr": sampling.share(~accept, correct),
        "loss": info.loss,
        "grad_norm": info.grad_norm,
        "mistake_share": sampling.share(grades.mistake, ~correct[..., None], axis=(0, 1)),
        "num_accepted": accept.sum().astype(jnp.float32),
        "completion_length": info.rollouts.mask.sum(-1).mean(),
    }


def of_policy(policy: Policy, task: Task, problems: Problem) -> dict[str, Array]:
    """Accuracy on held-out problems."""

    def accuracy_at(p):
        return sampling.greedy_right(policy, task, p).mean()

    accuracy = jax.lax.map(accuracy_at, problems)
    return {"accuracy": accuracy.mean(), "accuracy_by_difficulty": accuracy}


def diverged(before: Array, learner: State, verifier: State, loss: Array) -> Array:
    """f32[]: 1 if a run had diverged before or a round's loss is absurd, and if of its learner's
    and verifier's states anything is not finite, or a parameter absurd; else 0.

    Args:
      before: f32[], what this was after the round before, NaN if there was none.
      loss: f32[], NaN if nothing was trained.
    """
    parameters = [x for x in jax.tree.leaves((learner.policy, verifier)) if is_float(x)]
    others = [x for x in jax.tree.leaves(learner) if is_float(x)]
    signs = [before == 1, jnp.abs(loss) > MAX_LOSS]
    signs += [~(jnp.abs(x) < MAX_PARAMETER).all() for x in parameters]
    signs += [~jnp.isfinite(x).all() for x in others]
    return jnp.array(signs).any().astype(jnp.float32)


def is_float(x: Array) -> bool:
    """Whether an array holds floating-point numbers."""
    return jnp.issubdtype(x.dtype, jnp.floating)
