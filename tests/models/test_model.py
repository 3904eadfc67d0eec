"""The transformer and sampling from it, against slow and obvious ways to compute the same."""

from __future__ import annotations

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import vocab
from avax.models import layers, masks, rotary, transformer
from avax.models.transformer import SCHEMES, TransformerConfig
from avax.policies import generation, sampling

P, C, K = 7, 4, 8
BATCH, LENGTH = 64, 16  # of the largest batch of whole sequences
PROMPTS = ("___1+2=", "__12+3=", "1234+5=", "__0+99=")
COMPLETIONS = ("3$__", "51$_", "9321", "$___")


each_scheme = pytest.mark.parametrize("scheme", SCHEMES)


def tokens(*texts: str) -> jax.Array:
    """i32[B, T]: the inverse of `vocab.to_text`."""
    symbols = vocab.to_text(range(vocab.VOCAB_SIZE))
    return jnp.array([[symbols.index(c) for c in text] for text in texts], jnp.int32)


@functools.cache
def policy_of(scheme: str = "digit", dtype: str = "float32", width: int = 16):
    """A policy no parameter of which is at the neutral value that it starts with."""
    config = TransformerConfig(
        num_layers=2, num_heads=2, width=width, position=scheme, max_len=LENGTH, dtype=dtype
    )
    shapes = jax.eval_shape(lambda: transformer.init(jax.random.key(0), config))
    random = np.random.default_rng(1)

    def parameter(x):
        mean, scale = (1.0, 0.3) if x.ndim == 1 else (0.0, x.shape[0] ** -0.5)
        return jnp.asarray(random.normal(mean, scale, x.shape), x.dtype)

    policy = jax.tree.map(parameter, shapes)
    # It ends some completions: where it would go on with token 30, otherwise.
    return policy.replace(head=policy.head.at[:, vocab.EOS].set(1.1 * policy.head[:, 30]))


@jax.jit
def read(policy, rows):
    return policy(rows)[0]


def full(policy, rows):
    """Logits of whole sequences. PAD is put behind and below them, so that one program serves."""
    num_rows, length = rows.shape
    below, behind = BATCH - num_rows, LENGTH - length
    rows = jnp.pad(rows, ((0, below), (0, behind)), constant_values=vocab.PAD)
    return read(policy, rows)[:num_rows, :length]


@functools.partial(jax.jit, static_argnums=0)
def positions(scheme, rows):
    before = jnp.tri(rows.shape[1], dtype=bool)[None]
    return transformer.positions(scheme, rows, transformer.start_reading(len(rows)), before)


generate = jax.jit(generation.generate, static_argnums=(3, 4))
completion_logits = jax.jit(sampling.completion_logits)
completion_logprob = jax.jit(sampling.completion_logprob)
choose = jax.jit(generation.choose)
greedy_correct = jax.jit(sampling.greedy_correct)
SEQUENCES = jnp.concatenate([tokens(*PROMPTS), tokens(*COMPLETIONS)], axis=1)


@jax.jit
def cached(policy, rows):
    """Logits of rows read token by token, and of a prompt read at once and a token at a time."""

    def read_on(cache, start):
        def step(carry, row):
            cache, pos = carry
            logits, cache = policy(row[:, None], cache, pos)
            return (cache, pos + 1), logits[:, 0]

        _, logits = jax.lax.scan(step, (cache, start), rows.T[start:])
        return logits.swapaxes(0, 1)

    empty = policy.init_cache(*rows.shape)
    of_prompt, cache = policy(rows[:, :P], empty, 0)
    return read_on(empty, 0), jnp.concatenate([of_prompt, read_on(cache, P)], axis=1)


@pytest.mark.parametrize("scheme, width", [*((s, 16) for s in SCHEMES), ("digit", 48)])
def test_reading_with_a_cache_equals_reading_at_once(scheme, width):
    policy = policy_of(scheme, width=width)
    expected = full(policy, SEQUENCES)
    for logits in cached(policy, SEQUENCES):
        np.testing.assert_allclose(logits, expected, atol=1e-5)


@each_scheme
def test_start_gives_the_tail_of_the_logits(scheme):
    policy = policy_of(scheme)
    tail = completion_logits(policy, tokens(*PROMPTS), tokens(*COMPLETIONS))
    assert tail.shape == (len(PROMPTS), C, vocab.VOCAB_SIZE)
    np.testing.assert_allclose(tail, full(policy, SEQUENCES)[:, P - 1 : -1], atol=1e-5)


@each_scheme
def test_more_padding_changes_nothing(scheme):
    policy = policy_of(scheme)
    moved = [tokens("_" * n + "12+34=46$" + "_" * (6 - n)) for n in range(7)]
    logits = full(policy, jnp.concatenate(moved))
    for n in range(1, 7):
        np.testing.assert_allclose(logits[n, n : n + 9], logits[0, :9], atol=1e-5)


@each_scheme
def test_a_token_changes_later_logits_and_no_earlier_ones(scheme):
    policy = policy_of(scheme)
    before = full(policy, SEQUENCES)
    for place, symbol in itertools.product((P - 3, P, P + C - 2), "7+"):
        changed = SEQUENCES.at[:, place].set(tokens(symbol)[0, 0])
        after = full(policy, changed)
        np.testing.assert_allclose(after[:, :place], before[:, :place], atol=1e-6)
        for seen in (place, -1):
            assert jnp.abs(after[:, seen] - before[:, seen]).max() > 1e-3


@pytest.mark.parametrize(
    "scheme, index, row",
    [
        ("digit", "00120120120", "00000111222"),
        ("rotary", "00012345678", "00000000000"),
        ("learned", "00000000000", "00012345678"),
        ("none", "00000000000", "00000000000"),
    ],
)
def test_positions_by_hand(scheme, index, row):
    found = positions(scheme, tokens("__12+34=46$"))
    assert ["".join(map(str, x[0].tolist())) for x in found[:2]] == [index, row]
    assert [int(x[0]) for x in found[2]] == [9, 3, 0]


def test_later_segments_share_the_last_row():
    row = positions("digit", tokens("1+1+1+1+1+1+1+1+1+1"))[1]
    assert row[0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 7, 7, 7]


def test_rotation_by_hand():
    """Features i and i + E / 2 of a head are the coordinates that position p turns by p f_i."""
    config = TransformerConfig(num_heads=2, width=8, position="rotary", rotary_base=100.0)
    x = np.random.default_rng(0).normal(size=(1, 3, 8)).astype(np.float32)
    index = jnp.array([[0, 1, 5]])
    heads = x.reshape(1, 3, 2, 4).swapaxes(1, 2)
    angles = config.angles(index, 5)
    turned = rotary.rotated(jnp.asarray(heads), angles)
    plane = heads[..., :2] + 1j * heads[..., 2:]
    frequency = 100.0 ** -np.array([0, 0.5])
    plane = plane * np.exp(1j * np.array([0, 1, 5])[:, None] * frequency)
    np.testing.assert_allclose(turned, np.concatenate([plane.real, plane.imag], -1), atol=1e-5)


@pytest.mark.parametrize("length", [1, 8, 11])
@pytest.mark.parametrize("is_cached, is_shared", [(False, False), (False, True), (True, False)])
def test_what_is_seen_one_token_at_a_time(length, is_cached, is_shared):
    """Itself, and what came before but PAD and the sequences that share its row."""
    rng = np.random.default_rng(length)
    num_held, num_slots = (4, 17) if is_cached else (0, 8 * -(-length // 8))
    every = rng.choice([vocab.PAD, 1], (3, num_held + length))
    sequence = rng.integers(0, 2, (3, length)) if is_shared else None
    held = np.zeros((3, num_slots), bool)
    held[:, :num_held] = every[:, :num_held] != vocab.PAD
    mask, before, bias = masks.seen(
        jnp.asarray(every[:, num_held:]),
        jnp.asarray(held) if is_cached else None,
        num_held,
        None if sequence is None else jnp.asarray(sequence),
    )
    assert mask.shape == (3, num_slots) and bias.shape == (3, length, num_slots)
    for b, t, slot in itertools.product(range(3), range(length), range(num_slots)):
        is_token = slot < every.shape[1] and every[b, slot] != vocab.PAD
        assert mask[b, slot] == is_token
        own = not is_shared or slot >= length or sequence[b, slot] == sequence[b, t]
        here = num_held + t
        assert (bias[b, t, slot] == 0) == (slot == here or (slot < here and is_token and own))
        if num_held <= slot < num_held + length:
            first = np.broadcast_to(before, (3, length, length))[b, t, slot - num_held]
            assert first == (slot <= here and own)
    assert set(np.unique(bias)) <= {0, np.float32(-1e9)}


def test_softmax_with_sink_by_hand():
    scores = jnp.log(jnp.array([1.0, 2.0, 5.0])).reshape(1, 1, 1, 3)
    weights = layers.softmax_with_sink(scores, jnp.log(jnp.array([2.0])))
    np.testing.assert_allclose(weights.ravel(), [0.1, 0.2, 0.5], rtol=1e-5)


def test_normed_dot_and_its_gradients_by_their_definition():
    x, w, cotangent = (
        jax.random.normal(jax.random.key(i), shape)
        for i, shape in enumerate([(2, 3, 4), (4, 5), (2, 3, 5)])
    )

    def plain(x, w):
        root = jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)
        return jnp.einsum("btd,dn->btn", x / root, w)

    def product(x, w):
        return layers.normed_dot(TransformerConfig(), x, w)

    (y, back), (expected, plain_back) = (jax.vjp(f, x, w) for f in (product, plain))
    np.testing.assert_allclose(y, expected, atol=1e-5)
    for a, b in zip(back(cotangent), plain_back(cotangent), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_bfloat16_is_near_float32():
    exact, rough = (full(policy_of(dtype=d), SEQUENCES) for d in ("float32", "bfloat16"))
    assert rough.dtype == jnp.float32
    error = jnp.abs(rough - exact)
    assert 1e-4 < error.max() < 0.1 * exact[..., : vocab.PAD].std()


def test_pad_is_never_predicted():
    logprobs = jax.nn.log_softmax(full(policy_of(), SEQUENCES))
    assert (logprobs[..., vocab.PAD] < -1e8).all()


@pytest.fixture(scope="module")
def prompts():
    """Prompts whose greedy completions end at different places."""
    digits = jax.random.randint(jax.random.key(3), (BATCH, P - 1), 0, 10)
    return jnp.concatenate([digits, tokens("=" * BATCH).T], axis=1)


@pytest.fixture(scope="module")
def greedy(prompts):
    """Completions found by argmax over the logits of whole sequences, without a cache."""
    policy = policy_of()
    rows = jnp.concatenate([prompts, jnp.full((len(prompts), C), vocab.PAD)], axis=1)
    ended = jnp.zeros(len(prompts), bool)
    for place in range(P, P + C):
        token = full(policy, rows)[:, place - 1].argmax(-1)
        rows = rows.at[:, place].set(jnp.where(ended, vocab.PAD, token))
        ended |= token == vocab.EOS
    return rows[:, P:]


def test_temperature_0_is_the_argmax(prompts, greedy):
    keys = jax.random.split(jax.random.key(4))
    one, other = (generate(key, policy_of(), prompts, C, K, 0.0) for key in keys)
    np.testing.assert_array_equal(one.completion, other.completion)
    np.testing.assert_array_equal(one.completion, jnp.stack([greedy] * K, axis=1))
    untempered = completion_logprob(policy_of(), prompts, greedy)
    np.testing.assert_allclose(
        one.logprob[:, 0], jnp.where(greedy == vocab.PAD, 0.0, untempered), atol=1e-5
    )


def test_greedy_correct_is_greedy_decoding_compared_with_the_answer(prompts, greedy):
    """Answers: the greedy completion, and it with one token changed or cut off there."""
    num_tokens = (greedy != vocab.PAD).sum(1)
    assert {1, C} < set(num_tokens.tolist())  # or the cases below don't occur
    answers = [greedy]
    for place in range(C):
        other = jnp.where(greedy[:, place] == 3, 4, 3)
        inside = place < num_tokens
        answers.append(greedy.at[:, place].set(jnp.where(inside, other, greedy[:, place])))
        cut = greedy.at[:, place:].set(vocab.PAD).at[:, place].set(vocab.EOS)
        answers.append(jnp.where(inside[:, None], cut, greedy))
    for answer in answers:
        found = greedy_correct(policy_of(), prompts, answer)
        np.testing.assert_array_equal(found, (answer == greedy).all(1))


@pytest.fixture(scope="module")
def sampled(prompts):
    return generate(jax.random.key(5), policy_of(), prompts, C, K, 0.7)


def test_pad_and_mask_follow_eos(sampled):
    completion, mask = np.asarray(sampled.completion), np.asarray(sampled.mask)
    ends = 0
    for row, counts in zip(completion.reshape(-1, C), mask.reshape(-1, C), strict=True):
        where = row.tolist().index(vocab.EOS) if vocab.EOS in row else C
        assert (row[where + 1 :] == vocab.PAD).all() and (row[:where] != vocab.PAD).all()
        assert counts.tolist() == [place <= where for place in range(C)]
        ends += where < C - 1
    assert ends > 20
    assert (np.asarray(sampled.logprob)[~mask] == 0).all()


def test_logprob_is_that_of_the_tempered_policy(prompts, sampled):
    rows = jnp.repeat(prompts, K, axis=0)
    expected = completion_logprob(policy_of(), rows, sampled.completion.reshape(-1, C), 0.7)
    expected = jnp.where(sampled.mask, expected.reshape(sampled.mask.shape), 0.0)
    np.testing.assert_allclose(sampled.logprob, expected, atol=1e-4)


def test_samples_of_a_prompt_differ(sampled):
    assert all(len({tuple(row) for row in group}) > 1 for group in sampled.completion.tolist())


def test_completion_logprob_by_hand():
    """The entry of the tempered log-softmax of the whole sequence's logits."""
    rows, completions = tokens(*PROMPTS), tokens(*COMPLETIONS)
    logits = np.asarray(full(policy_of(), SEQUENCES), np.float64)[:, P - 1 : -1] / 0.5
    logprobs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = np.take_along_axis(logprobs, np.asarray(completions)[..., None], -1)[..., 0]
    found = completion_logprob(policy_of(), rows, completions, 0.5)
    inside = completions != vocab.PAD
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-4)


def test_frequencies_follow_the_tempered_softmax():
    """Every completion of two tokens, counted and compared with its probability."""
    prompt, temperature, num_samples = tokens("__12+3="), 0.6, 50_000
    policy, size = policy_of(), vocab.VOCAB_SIZE
    rollout = generate(jax.random.key(6), policy, prompt, 2, num_samples, temperature)
    first, second = np.asarray(rollout.completion[0]).T
    counts = np.bincount(first * size + second, minlength=size**2).reshape(size, size)

    rows = jnp.concatenate([jnp.repeat(prompt, size, 0), jnp.arange(size)[:, None]], axis=1)
    logits = full(policy, rows)[:, -2:] / temperature
    probability = jnp.exp(jax.nn.log_softmax(logits))
    expected = probability[0, 0][:, None] * probability[:, 1]
    after_eos = jnp.zeros(size).at[vocab.PAD].set(probability[0, 0, vocab.EOS])
    expected = np.asarray(expected.at[vocab.EOS].set(after_eos)) * num_samples
    np.testing.assert_allclose(expected.sum(), num_samples, rtol=1e-4)
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected) + 5).all()


# Probabilities 1/2, 1/4, 1/4 at temperature 1; proportional to their squares at 1/2: 2/3, 1/6, 1/6.
@pytest.mark.parametrize(
    "temperature, uniform, token, probability",
    [
        (1.0, 0.0, 0, 0.5),
        (1.0, 0.49, 0, 0.5),
        (1.0, 0.51, 2, 0.25),
        (1.0, 0.74, 2, 0.25),
        (1.0, 0.76, 3, 0.25),
        (1.0, 1 - 2**-23, 3, 0.25),
        (0.5, 0.65, 0, 2 / 3),
        (0.5, 0.68, 2, 1 / 6),
        (0.5, 0.84, 3, 1 / 6),
        (0.0, 0.9, 0, 0.5),
    ],
)
def test_choose_by_hand(temperature, uniform, token, probability):
    logits = np.log([[0.5, 1e-30, 0.25, 0.25, 1e-30]], dtype=np.float32) + 3
    found, logprob = choose(logits, np.array([uniform], np.float32), temperature)
    assert found.tolist() == [token]
    np.testing.assert_allclose(np.exp(logprob), probability, rtol=1e-5)


def test_uniform_integers_are_uniform():
    low, high, num = 3, 9, 70_000
    keys = jax.random.split(jax.random.key(7), num)
    draw = jax.jit(jax.vmap(sampling.uniform_integer, (0, None, None)))
    counts = np.bincount(draw(keys, low, high))
    assert len(counts) == high + 1 and counts[:low].sum() == 0
    assert np.abs(counts[low:] - 10_000).max() < 5 * np.sqrt(10_000)


def test_completion_mask():
    mask = sampling.completion_mask(tokens("12$_", "$___", "1234"))
    assert mask.tolist() == [[True, True, True, False], [True] + [False] * 3, [True] * 4]
