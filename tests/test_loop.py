"""The loop as a whole: what `vmap`, segments and `jit` may not change; metrics; a toy ladder."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from copying import TASK, copying_base

from avax import loop, metrics, struct, vocab
from avax.curricula.fixed import Fixed
from avax.engine import platform
from avax.faults.label_noise import LabelNoise
from avax.learners import LEARNERS
from avax.learners.filtered_sft import FilteredSFT
from avax.learners.grpo import GRPO
from avax.models.transformer import TransformerConfig
from avax.policies import generation, pretrain
from avax.sweeps import stacking
from avax.tasks.copy import Copy
from avax.types import MISTAKES, Grade, Problem, Rollout, StepInfo, Verdict
from avax.verifiers.majority import MajorityVote
from avax.verifiers.oracle import Oracle

NUM_ROUNDS, NUM_EVAL, D = 16, 32, TASK.max_difficulty
NUM_COMPLETIONS = 32 * 4  # of a round
SIZES = {"num_problems": 32, "num_samples": 4, "learning_rate": 5e-3}
LADDER = {
    "filtered_sft": FilteredSFT(num_updates=8, num_kept=2, base_rate=0.0, **SIZES),
    "grpo": GRPO(num_updates=4, **SIZES),
}
SEEDS, NOISY_SEED = (0, 1, 2), 3
PERFECT, BLIND, NOISY, MISLABELLED, BROKEN = 0, 3, 6, 7, 8  # rows of the ladder


def experiment_of(learner, verifier=Oracle(), noise=LabelNoise(), task=TASK, **fields):  # noqa: B008
    fields = {"base_difficulty": D, "num_rounds": NUM_ROUNDS, "num_eval": NUM_EVAL} | fields
    return loop.Experiment(task, Fixed(1, D), verifier, learner, noise, **fields)


def noisy_experiment():
    """Three rounds with a verifier that errs both ways."""
    return experiment_of(LADDER["filtered_sft"], Oracle(fpr=0.3, fnr=0.2), num_rounds=3)


@pytest.fixture(scope="module")
def base():
    return copying_base()


@functools.cache
def program(name):
    """A function of the loop, compiled once for each structure of its arguments."""
    functions = {
        "run": loop.run,
        "runs": jax.vmap(loop.run),
        "init": loop.init,
        "blank": metrics.blank,
        "advance": loop.advance,
    }
    return jax.jit(functions[name])


def play(name, base) -> dict[str, np.ndarray]:
    """Metrics [run, round] of a ladder: three seeds each with a perfect and a blind oracle."""
    learner = LADDER[name]
    settings = [experiment_of(learner, Oracle(fpr=fpr)) for fpr in (0.0, 1.0) for _ in SEEDS]
    seeds = [*SEEDS, *SEEDS]
    bases = [base] * len(settings)
    if name == "filtered_sft":
        settings.append(noisy_experiment().replace(num_rounds=NUM_ROUNDS))
        settings.append(experiment_of(learner, noise=LabelNoise(digit_rate=0.5, round=2)))
        settings.append(experiment_of(learner))
        seeds += [NOISY_SEED, 4, 5]
        bases += [base, base, jax.tree.map(lambda x: x * jnp.nan, base)]
    bases = jax.tree.map(lambda *x: jnp.stack(x), *bases)
    keys = jax.vmap(jax.random.key)(jnp.array(seeds))
    _, metrics = program("runs")(stacking.stack(settings), bases, keys)
    return jax.tree.map(np.asarray, metrics)


@pytest.fixture(scope="module")
def ladder(base):
    return {name: play(name, base) for name in LADDER}


@pytest.fixture(scope="module")
def runs(ladder):
    """Metrics of the runs with filtered fine-tuning."""
    return ladder["filtered_sft"]


def leaves_of(tree):
    """Arrays of a tree, keys as their data."""

    def array(x):
        is_key = jnp.issubdtype(x.dtype, jax.dtypes.prng_key)
        return np.asarray(jax.random.key_data(x) if is_key else x)

    return [array(x) for x in jax.tree.leaves(tree)]


def assert_same(one, other):
    """Bit by bit."""
    for a, b in zip(leaves_of(one), leaves_of(other), strict=True):
        np.testing.assert_array_equal(a, b)


def assert_close(one, other):
    """Integers exactly, other numbers to 1e-5."""
    for a, b in zip(leaves_of(one), leaves_of(other), strict=True):
        exact = not np.issubdtype(a.dtype, np.floating)
        np.testing.assert_allclose(a, b, rtol=0 if exact else 1e-5, atol=0 if exact else 1e-5)


def assert_share(share, rate, count):
    """A measured share within five standard errors of the rate."""
    assert abs(share - rate) <= 5 * np.sqrt(rate * (1 - rate) / count)


def test_all_learners_climb_the_ladder():
    # One can only add, one needs several bases: test_simplify and test_population have their laws.
    assert LADDER.keys() | {"simplify", "population"} == LEARNERS.keys()
    assert all(type(LADDER[name]) is type(LEARNERS[name]) for name in LADDER)


@pytest.mark.parametrize("name", LADDER)
def test_a_perfect_oracle_teaches_to_copy_and_a_blind_one_does_not(ladder, name):
    accuracy = ladder[name]["accuracy"]
    start, perfect, blind = accuracy[:, 0], accuracy[PERFECT:BLIND, -1], accuracy[BLIND:NOISY, -1]
    assert (0.5 < start[:NOISY]).all() and (start[:NOISY] < 0.9).all()
    assert (perfect >= 0.95).all()
    assert (blind < 0.9).all()
    assert (ladder[name]["sampled_accuracy"][BLIND:NOISY, -1] < 0.6).all()


@pytest.fixture(scope="module")
def lone(base):
    """The first three rounds of the noisy run of the ladder, alone: policy and metrics."""
    return program("run")(noisy_experiment(), base, jax.random.key(NOISY_SEED))


def test_one_row_of_many_runs_is_the_lone_run(runs, lone):
    """Although one of its neighbours is not a number."""
    _, metrics = lone
    for name, values in metrics.items():
        assert_close(runs[name][NOISY, :4], values)
    assert metrics["num_accepted"].tolist()[1:] == runs["num_accepted"][NOISY, 1:4].tolist()


def test_the_lengths_of_segments_change_no_bit(lone, base):
    """Whatever they are, one program runs them all."""
    experiment, traces = noisy_experiment(), program("advance")._cache_size()

    def play(lengths):
        state = program("init")(experiment, base, jax.random.key(NOISY_SEED))
        found, done = program("blank")(experiment), 0
        for length in lengths:
            state, found = program("advance")(experiment, state, found, done, done + length)
            done += length
        assert int(state.round) == 3 and done == 4
        return state, found

    state, found = play([4])
    for lengths in ([1, 1, 1, 1], [2, 2], [1, 3], [3, 1]):
        assert_same(play(lengths), (state, found))
    assert program("advance")._cache_size() == traces + 1
    # A run whose rounds are known when it is compiled is another program.
    assert_close((state.learner.policy, found), lone)


@pytest.mark.slow
def test_a_round_without_jit_is_the_same():
    """Operation by operation in Python, on the smallest experiment there is: 200 runs of other
    policies, keys and verifiers, each some rounds after the memory of two began to be written over.

    And compiled as users run it.
    """
    learner = FilteredSFT(num_problems=2, num_samples=2, num_updates=1, batch_size=2, num_kept=2)
    model = TransformerConfig(num_layers=1, num_heads=1, width=4)

    def begin(key, fpr):
        policy = pretrain.transformer.init(jax.random.fold_in(key, 7), model)
        return loop.init(small(fpr), jax.tree.map(lambda x: x[None], policy), key)

    def small(fpr):
        task, verifier = Copy(max_difficulty=1), Oracle(fpr=fpr)
        experiment = experiment_of(learner, verifier, task=task, num_eval=1, base_difficulty=1)
        return experiment.replace(curriculum=Fixed(1, 1))

    def one_round(state, fpr):
        return loop.round_(small(fpr), state)

    options = {"xla_backend_optimization_level": 2, "xla_cpu_use_fusion_emitters": True}
    known = platform.known_options(options)
    compiled = jax.jit(jax.vmap(one_round), compiler_options=known)
    fprs, keys = jnp.tile(jnp.array([0.2, 1.0]), 100), jax.random.split(jax.random.key(1), 200)
    state = jax.jit(jax.vmap(begin))(keys, fprs)
    for _ in range(4):
        state, _ = compiled(state, fprs)
    assert (state.learner.memory.num_seen == 4).all()
    found = compiled(state, fprs)
    with jax.disable_jit(), jax.debug_key_reuse(False):
        eager = jax.vmap(one_round)(state, fprs)
    assert_close(eager, found)
    assert set(found[1]["num_accepted"].tolist()) == {0, 1, 2, 3, 4}
    assert (found[1]["grad_norm"] > 0).mean() > 0.5


def test_metrics_have_their_names_and_shapes(runs):
    assert runs.keys() == metrics.METRICS.keys()
    sizes = {"difficulty": D, "mistake": len(MISTAKES)}
    for name, values in runs.items():
        own = tuple(sizes[dimension] for dimension in metrics.DIMENSIONS.get(name, ()))
        assert values.shape == (BROKEN + 1, NUM_ROUNDS + 1, *own), name
        assert values.dtype == np.float32, name
    of_base = {"accuracy", "accuracy_by_difficulty", "diverged"}
    assert {n for n, x in runs.items() if np.isfinite(x[:BROKEN, 0]).all()} == of_base
    assert np.isfinite([runs[n][PERFECT, 1:] for n in ("loss", "grad_norm", "accept_rate")]).all()


def test_round_0_is_the_base(runs, base):
    """Its accuracy, found by decoding instead of by one pass over the answers."""
    experiment = experiment_of(LADDER["filtered_sft"])
    key = program("init")(experiment, base, jax.random.key(SEEDS[0])).key
    problems = metrics.eval_problems(TASK, NUM_EVAL, jax.random.fold_in(key, 0))
    problems = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), problems)
    policy = jax.tree.map(lambda x: x[0], base)
    generate = jax.jit(generation.generate, static_argnums=(3, 4))
    rollouts = generate(jax.random.key(7), policy, problems.prompt, TASK.completion_len, 1, 0.0)
    correct = (rollouts.completion[:, 0] == problems.answer).all(1).reshape(D, NUM_EVAL)
    np.testing.assert_allclose(runs["accuracy_by_difficulty"][PERFECT, 0], correct.mean(1))
    np.testing.assert_allclose(runs["accuracy"][PERFECT, 0], correct.mean())
    assert np.asarray(problems.difficulty).reshape(D, NUM_EVAL)[:, 0].tolist() == [1, 2]


def test_metrics_of_a_round_by_hand():
    accept = jnp.array([[1, 1, 0], [0, 0, 1]], bool)
    correct = jnp.array([[1, 0, 0], [1, 0, 1]], bool)
    mask = jnp.array([[[1, 1, 0], [1, 0, 0], [1, 1, 1]], [[1, 0, 0], [1, 0, 0], [1, 1, 0]]], bool)
    rollouts = Rollout(None, None, mask, None)
    verdicts = Verdict(accept.astype(jnp.float32), None)
    info = StepInfo(None, rollouts, verdicts, jnp.float32(2.0), jnp.float32(3.0))
    kinds = jnp.eye(len(MISTAKES), dtype=bool)
    mistake = jnp.stack([kinds[:3]] * 2) & ~correct[..., None]
    steps = jnp.broadcast_to(correct[..., None], mask.shape).at[0, 0, 1].set(False)
    found = jax.jit(metrics.of_round)(info, Grade(correct, steps, mistake, None))
    expected = {
        "sampled_accuracy": 3 / 6,
        "accept_rate": 3 / 6,
        "label_precision": 2 / 3,
        "trace_precision": 1 / 3,
        "verifier_fpr": 1 / 3,
        "verifier_fnr": 1 / 3,
        "loss": 2.0,
        "grad_norm": 3.0,
        "mistake_share": [0, 2 / 3, 1 / 3, 0],
        "num_accepted": 3.0,
        "completion_length": 10 / 6,
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-6)


def test_measured_errors_of_the_verifier_fit_the_counts(runs):
    m = {name: values[NOISY, 1:] for name, values in runs.items()}
    accepted_right = m["sampled_accuracy"] * (1 - m["verifier_fnr"])
    accepted_wrong = (1 - m["sampled_accuracy"]) * m["verifier_fpr"]
    np.testing.assert_allclose(accepted_right + accepted_wrong, m["accept_rate"], atol=1e-5)
    np.testing.assert_allclose(accepted_right, m["label_precision"] * m["accept_rate"], atol=1e-5)
    np.testing.assert_allclose(m["num_accepted"], m["accept_rate"] * NUM_COMPLETIONS, rtol=1e-5)
    wrong = (1 - m["sampled_accuracy"]) * NUM_COMPLETIONS
    right = m["sampled_accuracy"] * NUM_COMPLETIONS
    assert_share((m["verifier_fpr"] * wrong).sum() / wrong.sum(), 0.3, wrong.sum())
    assert_share((m["verifier_fnr"] * right).sum() / right.sum(), 0.2, right.sum())


def test_a_perfect_oracle_lets_correct_labels_through_alone(runs):
    for name, expected in {"label_precision": 1, "verifier_fpr": 0, "verifier_fnr": 0}.items():
        values = runs[name][PERFECT:BLIND, 1:]
        assert set(values[~np.isnan(values)]) == {expected}, name


def test_an_oracle_asks_once_for_each_completion(runs):
    """Neither wrong labels put in nor a policy that is not a number ask for anything."""
    assert (runs["truth_calls"][:, 1:] == NUM_COMPLETIONS).all()
    assert np.isnan(runs["truth_calls"][:, 0]).all()


def test_label_noise_spoils_its_round_and_no_other(runs):
    precision = runs["label_precision"][MISLABELLED, 1:]
    assert (np.delete(precision, 1) == 1).all()
    assert_share(precision[1], 0.5, runs["num_accepted"][MISLABELLED, 2])


def test_a_broken_run_is_flagged_and_no_other(runs):
    assert (runs["diverged"][:BROKEN] == 0).all()
    assert (runs["diverged"][BROKEN] == 1).all()


@struct.dataclass
class ShiftedCopy:
    """Copying with wrong answers: every digit of them moved on by `shift`."""

    shift: int = struct.leaf(0)
    max_difficulty: int = struct.static(D)
    prompt_len: int = struct.static(TASK.prompt_len)
    completion_len: int = struct.static(TASK.completion_len)

    def sample(self, key, difficulty) -> Problem:
        problem = TASK.sample(key, difficulty)
        moved = (problem.answer + self.shift) % 10
        return problem._replace(
            answer=jnp.where(vocab.is_digit(problem.answer), moved, problem.answer)
        )

    def grade(self, problem, completion) -> Grade:
        return TASK.grade(problem, completion)


class Seen(Exception):
    """Ends a round once its problems were seen."""


def test_the_base_task_is_what_is_replayed(base):
    """Same draws, answered as the base task has it; the problems of the round stay."""

    class Look(FilteredSFT):
        def step(self, key, state, source):
            key_base, key_new = jax.random.split(key)
            raise Seen(source.draw_base(key_base), source.draw(key_new))

    def look(base_task):
        experiment = experiment_of(Look(), base_task=base_task, num_rounds=1)
        with pytest.raises(Seen) as raised:
            loop.round_(experiment, loop.init(experiment, base, jax.random.key(8)))
        return raised.value.args

    (replayed, posed), same, (shifted, posed_as_well) = look(None), look(TASK), look(ShiftedCopy(1))
    assert_same((replayed, posed), same)
    assert_same(posed, posed_as_well)
    assert_same(replayed.prompt, shifted.prompt)
    assert (replayed.answer != shifted.answer).any()


def test_scrambled_truth_changes_nothing_that_a_label_free_verifier_trains(base):
    def run(shift):
        experiment = experiment_of(
            LADDER["filtered_sft"], MajorityVote(0.5), task=ShiftedCopy(shift), num_rounds=2
        )
        return program("run")(experiment, base, jax.random.key(8))

    (policy, metrics), (policy_scrambled, scrambled) = run(0), run(1)
    assert_same(policy, policy_scrambled)
    assert any((a != b[0]).any() for a, b in zip(leaves_of(policy), leaves_of(base), strict=True))
    blind = {"loss", "grad_norm", "accept_rate", "num_accepted", "completion_length", "diverged"}
    for name in blind:
        assert_same(metrics[name], scrambled[name])
    assert (metrics["accuracy"] > 0.3).all() and (scrambled["accuracy"] < 0.1).all()


class Asked(Exception):
    """Carries problems out of a round."""


class Asks:
    """A learner that asks for problems, and for nothing else."""

    def step(self, key, state, source):
        raise Asked(jax.jit(jax.vmap(source.draw))(jax.random.split(key, 400)))


def posed(num_distinct, seed, number) -> set[bytes]:
    """The prompts of one round."""
    experiment = experiment_of(Asks(), num_distinct=num_distinct)
    state = loop.LoopState(
        None, None, (), (), None, jnp.int32(number - 1), jax.random.key(seed), None
    )
    with pytest.raises(Asked) as caught:
        loop.round_(experiment, state)
    return {row.tobytes() for row in np.asarray(caught.value.args[0].prompt)}


def test_recurring_problems_are_the_same_in_every_round_of_a_run():
    first, later, other = posed(8, 0, 1), posed(8, 0, 5), posed(8, 1, 1)
    assert first == later != other and 5 <= len(first) <= 8
    assert len(posed(0, 0, 1)) > 60  # of 110 numbers; fresh ones each time
