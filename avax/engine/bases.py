"""Base policies: trained once for each seed, shared by all settings, kept for reuse."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from avax import struct
from avax.engine import knowledge, platform
from avax.engine.durable import checkpoint, lock
from avax.engine.pretraining import train
from avax.engine.progress import say
from avax.loop import Experiment
from avax.models import transformer
from avax.policies.pretrain import best_candidate, candidate_keys
from avax.results import ResultsError, folders
from avax.sweeps import stacking, sweep
from avax.sweeps.sweep import Sweep
from avax.types import Policy, Task


def base_policies(config: Sweep, experiment: Experiment, folder: pathlib.Path) -> Policy:
    """Base policies of an experiment's runs; only those that are not kept yet are trained.

    Those that another process trains are waited for; those that know little are named in a line.

    Returns:
      Leading axes [num_seeds + num_bases - 1, num_snapshots]: one for each seed, and for the last
      runs' other bases those of the seeds that follow.

    Raises:
      ConfigError: if some diverged; these are not kept.
      ResultsError: if some are missing and the folder can't be written to; none is trained then.
    """
    task = short_task(experiment)
    facts = base_facts(config, experiment, task)
    paths = base_paths(config, experiment, folder)
    like = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), base_shapes(config, experiment)
    )

    def load(seeds, set_aside):
        return {s: checkpoint.load(paths[s], like, facts[s], set_aside) for s in seeds}

    found = load(paths, set_aside=False)
    if missing := missing_of(found):
        check_writable(folder, {seed: paths[seed] for seed in missing})
        with hold_all([paths[seed] for seed in missing]):
            found |= load(missing, set_aside=True)  # another process may have trained them
            if missing := missing_of(found):
                trained = train_bases(config, experiment, task, missing)
                for seed in trained.keys() - set(knowledge.diverged(trained)):
                    checkpoint.save(paths[seed], trained[seed].policy, facts[seed])
                knowledge.refuse_diverged(config, trained)
                say(f"kept in {folder}")
                found |= {seed: trained[seed].policy for seed in missing}
    knowledge.refuse_diverged(config, found)
    knowledge.name_poor(task, {paths[seed]: (seed, policy) for seed, policy in found.items()})
    return jax.tree.map(lambda *each: np.stack(each), *found.values())


def worst_accuracies(config: Sweep, experiment: Experiment, folder: pathlib.Path) -> list[float]:
    """What each seed's base policy, of those that `base_policies` returned, is right on where it is
    worst, of the difficulties that it was trained on.
    """
    return knowledge.worst(base_paths(config, experiment, folder).values())


def base_shapes(config: Sweep, experiment: Experiment) -> Policy:
    """What `base_policies` returns, as shapes alone: nothing is trained or read."""
    init = partial(transformer.init, config=config.pretraining.model)
    lead = len(base_seeds(config, experiment)), config.pretraining.num_snapshots
    return jax.tree.map(
        lambda x: jax.ShapeDtypeStruct((*lead, *x.shape), x.dtype),
        jax.eval_shape(init, jax.random.key(0)),
    )


def base_seeds(config: Sweep, experiment: Experiment) -> range:
    """The seeds whose base policies a sweep's runs need."""
    return range(config.seed, config.seed + config.num_seeds + experiment.num_bases - 1)


def base_paths(
    config: Sweep, experiment: Experiment, folder: pathlib.Path
) -> dict[int, pathlib.Path]:
    """Where each seed's base policy is kept: sweeps whose bases have the same bits share them."""
    facts = base_facts(config, experiment, short_task(experiment))
    return {seed: folder / sweep.digest(fact) for seed, fact in facts.items()}


def base_facts(config: Sweep, experiment: Experiment, task: Task) -> dict[int, dict[str, Any]]:
    """What the bits of each seed's base policy depend on, ready for JSON."""
    facts = {
        "pretraining": struct.to_dict(config.pretraining),
        "task": struct.to_dict(task),
        "base_difficulty": int(experiment.base_difficulty),
        "optimization": config.optimization,
        "versions": platform.versions(),
    }
    return {seed: facts | {"seed": seed} for seed in base_seeds(config, experiment)}


def short_task(experiment: Experiment) -> Task:
    """The base's task, with shorter sequences than the experiment's: a policy has no size that
    depends on them.
    """
    return experiment.warm_task.replace(max_difficulty=int(experiment.base_difficulty))


def missing_of(found: Mapping[int, Policy | None]) -> list[int]:
    """The seeds of which no policy was found."""
    return [seed for seed, policy in found.items() if policy is None]


def check_writable(folder: pathlib.Path, paths: Mapping[int, pathlib.Path]) -> None:
    """Raises ResultsError if the policies of some seeds can't be kept."""
    if folders.is_writable(folder):
        return
    damaged = [seed for seed, path in paths.items() if path.exists()]
    also = f" (damaged: {knowledge.listed(damaged)})" if damaged else ""
    raise ResultsError(
        f"{folder}: can't be written to, and lacks base policies, of seeds "
        f"{knowledge.listed(paths)}{also}; choose another folder with --bases"
    )


@contextlib.contextmanager
def hold_all(paths: Sequence[pathlib.Path]) -> Iterator[None]:
    """Holds the locks of base policies; those that another process trains are waited for."""

    def on_wait(owner):
        say(f"{path}: is being trained by {owner}; waiting for it")

    with contextlib.ExitStack() as held:
        # In the same order by all processes: none waits for one that waits for it.
        for path in sorted(paths):
            held.enter_context(lock.hold(path.parent, f"{path.name}.lock", on_wait))
        yield


class Trained(NamedTuple):
    """A base policy.

    Attributes:
      policy: snapshots, leading axis S.
      loss: f32[], in the end.
    """

    policy: Policy
    loss: np.ndarray


def train_bases(
    config: Sweep, experiment: Experiment, task: Task, seeds: Sequence[int]
) -> dict[int, Trained]:
    """The best candidate of each seed."""
    pretraining = config.pretraining
    keys = jnp.stack([candidate_keys(pretraining, stacking.base_key(seed)) for seed in seeds])
    say(f"training {keys.size} policies, {pretraining.num_updates} updates each")
    policies, losses = train(
        pretraining, task, experiment.base_difficulty, keys.reshape(-1), config.optimization
    )
    stacked = jax.tree.map(lambda x: x.reshape(*keys.shape, *x.shape[1:]), (policies, losses))
    best, losses = best_candidate(*stacked)
    say(f"the best of each seed has loss {', '.join(f'{x:.3f}' for x in losses[:, -1])}")
    return {
        seed: Trained(jax.tree.map(lambda x, i=i: x[i], best), losses[i, -1])
        for i, seed in enumerate(seeds)
    }
