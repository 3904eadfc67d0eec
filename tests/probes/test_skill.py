"""Old skills and how a policy writes, against counting."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import loop, source, vocab
from avax.curricula import Fixed
from avax.fields import ConfigError
from avax.learners import FilteredSFT
from avax.models import transformer
from avax.policies import generation
from avax.probes import Skill
from avax.sweeps.sweep import Sweep
from avax.sweeps.validate import validate
from avax.tasks import Shortcut
from avax.verifiers import Oracle

MODEL = transformer.TransformerConfig(num_layers=1, num_heads=1, width=8)
BASES = jax.vmap(lambda k: transformer.init(k, MODEL))(jax.random.split(jax.random.key(0), 1))
TASK = Shortcut(3, modulus=2)
PROBE = Skill((3, 1), num_problems=6, num_samples=4, answer_len=2, token=vocab.STEP)
EXPERIMENT = loop.Experiment(
    TASK, Fixed(highest=3), Oracle(), FilteredSFT(4, 1, 1, 4, num_kept=1),
    base_difficulty=1, num_rounds=2, num_eval=2, probe=PROBE,
)  # fmt: skip


def test_it_counts_what_was_written(monkeypatch):
    """Of the very completions that the probe sees."""
    seen = []

    def write(key, policy, prompts, *rest):
        rollouts = generate(key, policy, prompts, *rest)
        jax.debug.callback(lambda *x: seen.append(jax.tree.map(np.array, x)), prompts, rollouts)
        return rollouts

    generate = generation.generate
    monkeypatch.setattr(generation, "generate", write)

    @jax.jit
    def measure(experiment):
        return source.probed(experiment, loop.init(experiment, BASES, jax.random.key(3)))

    found = jax.tree.map(np.asarray, measure(EXPERIMENT))
    jax.effects_barrier()
    assert len(seen) == 2 and all(x.shape == (2,) for x in found.values())
    for i, (prompts, rollouts) in enumerate(seen):
        difficulty = (np.asarray(prompts[0]) < 10).sum() - 1
        assert difficulty == PROBE.difficulties[i]
        written = rollouts.mask.sum(-1)
        assert found["skill_length"][i] == pytest.approx(written.mean())
        total = rollouts.logprob[rollouts.mask].sum()
        assert found["skill_entropy"][i] == pytest.approx(-total / written.sum(), rel=1e-4)
        answers = [
            tuple(row[max(0, n - 2) : n])
            for row, n in zip(rollouts.completion.reshape(24, -1), written.ravel(), strict=True)
        ]
        assert found["skill_common"][i] == pytest.approx(max(map(answers.count, answers)) / 24)
        grade = jax.vmap(TASK.exact.grade, (None, 0))
        pairs = zip(prompts, rollouts.completion, strict=True)
        grades = [grade(problem_of(p, difficulty), c) for p, c in pairs]
        right = np.stack([g.step_correct for g in grades]) & rollouts.mask
        assert found["skill_steps"][i] == pytest.approx(right.sum(-1).mean())
        holds = (rollouts.completion == vocab.STEP).any(-1)
        assert found["skill_token"][i] == pytest.approx(holds.mean())
        whole = np.stack([g.step_correct for g in grades]).all(-1)
        assert found["skill_whole"][i] == pytest.approx(whole.mean())
        assert found["skill"][i] == pytest.approx(np.mean([g.correct for g in grades]))


def problem_of(prompt, difficulty):
    """The problem that a prompt poses; its answer is not asked for."""
    problem = TASK.sample(jax.random.key(0), jnp.int32(1))
    return problem._replace(prompt=jnp.asarray(prompt), difficulty=jnp.int32(difficulty))


@pytest.mark.parametrize("difficulties", [(), (0,), (1, 4)])
def test_difficulties_that_there_are_not(difficulties):
    validate(Sweep(EXPERIMENT))
    probe = PROBE.replace(difficulties=difficulties)
    with pytest.raises(ConfigError, match=r"probe.difficulties: is .*, must lie in \[1, 3\]"):
        validate(Sweep(EXPERIMENT.replace(probe=probe)))
