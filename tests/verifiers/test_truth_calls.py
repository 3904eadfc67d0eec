"""How often a verifier asks for the truth: a table, and every registered one is in it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import optional, struct, vocab
from avax.fields import ConfigError
from avax.learners import FilteredSFT, Population
from avax.models.transformer import TransformerConfig
from avax.types import Grade, Problem, Rollout, StepInfo, Verdict
from avax.verifiers import VERIFIERS, AcceptAll, AllOf, AnyOf, Learned, Noisy, Oracle, StepOracle

B, K, C = 2, 3, 4
LENGTHS = np.array([[1, 2, 3], [4, 0, 1]])  # tokens of each completion
ONCE, STEPS = B * K, int(LENGTHS.sum())
# Of those that use the truth; no other asks for it. Every completion is labelled for `learned`.
CALLS = {
    **dict.fromkeys(("oracle", "hashed", "systematic", "placebo"), ONCE),
    **dict.fromkeys(("step_oracle", "learned"), STEPS),
    "recipient_shuffle": 2 * ONCE,  # what it holds, and which completions are wrong
}
TINY = TransformerConfig(num_layers=1, num_heads=1, width=4)
LEARNED = Learned(TINY, num_updates=1, batch_size=2)


def round_of() -> tuple[StepInfo, Grade]:
    mask = jnp.asarray(np.arange(C) < LENGTHS[..., None])
    completion = jnp.where(mask, 1, vocab.PAD)
    problems = Problem(jnp.zeros((B, 2), int), jnp.zeros((B, C), int), jnp.ones(B, int))
    rollouts = Rollout(problems.prompt, completion, mask, jnp.zeros(mask.shape))
    verdicts = Verdict(jnp.ones((B, K)), jnp.ones((B, K, C)))
    info = StepInfo(problems, rollouts, verdicts, jnp.zeros(()), jnp.zeros(()))
    return info, Grade(mask.any(-1), mask, jnp.zeros((B, K, 4), bool), jnp.zeros((B, K), bool))


INFO, GRADES = round_of()


@jax.jit
def learned_state(verifier):
    state = verifier.init(jax.random.key(0), None)
    return verifier.update(jax.random.key(1), state, None, INFO, GRADES)


def calls(verifier, info=INFO) -> float:
    """In a round, of the state after it; no state but that of `learned` matters."""
    state = ()
    if isinstance(verifier, Learned):
        state = learned_state(verifier)
    elif isinstance(verifier, (AllOf, AnyOf)):
        state = (), ()
    found = optional.truth_calls(verifier, state, info)
    assert found.shape == () and found.dtype == jnp.float32
    return float(found)


@pytest.mark.parametrize("name", VERIFIERS)
def test_who_uses_the_truth_pays_for_it_and_nobody_else(name):
    verifier = VERIFIERS[name]
    if name == "learned":
        verifier = LEARNED.replace(label_rate=1.0)
    assert calls(verifier) == CALLS.get(name, 0)
    assert (calls(verifier) > 0) == verifier.uses_ground_truth


@pytest.mark.parametrize(
    "verifier, expected",
    [
        (AllOf(Oracle(), StepOracle()), ONCE + STEPS),
        (AnyOf(Oracle(), AcceptAll()), ONCE),
        (Noisy(StepOracle(), fpr=0.5), STEPS),
        (Noisy(AcceptAll(), fpr=0.5), 0),
        (LEARNED.replace(label_rate=1.0, level="outcome"), ONCE),
        (LEARNED.replace(label_rate=0.0), 0),
    ],
)
def test_what_holds_others_asks_as_often_as_they_do(verifier, expected):
    assert calls(verifier) == expected


def test_a_learned_verifier_pays_for_the_labels_it_is_given():
    """Those of some completions, all their tokens or one for each."""
    some = LEARNED.replace(label_rate=0.5)
    outcomes, steps = calls(some.replace(level="outcome")), calls(some)
    key_label, _ = jax.random.split(jax.random.key(1))
    labelled = np.asarray(jax.random.uniform(key_label, (B, K))) < 0.5
    assert 0 < labelled.sum() < ONCE
    assert (outcomes, steps) == (labelled.sum(), LENGTHS[labelled].sum())


def test_all_members_of_a_population_are_judged():
    """Though the completions of the first alone are reported."""
    info = INFO._replace(judged=jnp.stack([INFO.rollouts.mask] * 3))
    assert calls(Oracle(), info) == 3 * ONCE
    assert calls(AllOf(Oracle(), StepOracle()), info) == 3 * (ONCE + STEPS)
    assert calls(AcceptAll(), info) == 0
    assert Population(FilteredSFT()).metrics(None) == {}


@struct.dataclass
class Miscounts(AcceptAll):
    def truth_calls(self, state, info):
        return info.judged_mask.any(-1).sum()


def test_a_count_of_the_wrong_kind_is_named():
    with pytest.raises(ConfigError, match=r"Miscounts.truth_calls: .* is int32\[\], must be float"):
        calls(Miscounts())
