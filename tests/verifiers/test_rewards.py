"""Rewards that know nothing of what is right: for form, for certainty, for agreeing answers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from solved import tokens

from avax import vocab
from avax.models import transformer
from avax.types import Rollout
from avax.verifiers import Certainty, HasForm, HasToken, MajorityVote

MODEL = transformer.TransformerConfig(num_layers=1, num_heads=1, width=8)
POLICY = jax.tree.map(lambda x: 3 * x, transformer.init(jax.random.key(0), MODEL))
PROMPT = jnp.asarray(tokens("_12=3"))


def rollout_of(*texts) -> Rollout:
    completion = jnp.stack([jnp.asarray(tokens(text.ljust(7, "_"))) for text in texts])
    return Rollout(PROMPT, completion, completion != vocab.PAD, None)


@jax.jit
def verify(verifier, rollout):
    return verifier.verify(jax.random.key(0), (), POLICY, rollout, None)


def test_form_by_hand():
    texts = ["12$", "1;34$", ";$", "12", "$", "", "1234567", "12+$", "7$", "1Y$"]
    assert verify(HasForm(), rollout_of(*texts)).accept.tolist() == [
        text in ("12$", "1;34$", "7$") for text in texts
    ]


def test_a_token_by_hand():
    texts = ["12$", "1;34$", ";$", "12", "", "1;;"]
    holds = [";" in text for text in texts]
    assert verify(HasToken(), rollout_of(*texts)).accept.tolist() == holds
    assert not verify(HasToken(rate=0.0), rollout_of(*texts)).accept.any()
    many = rollout_of(*["1;3$", "13$"] * 500)
    accept = np.asarray(verify(HasToken(rate=0.3), many).accept)
    assert not accept[1::2].any() and abs(accept[::2].mean() - 0.3) < 5 * (0.21 / 500) ** 0.5


def test_certainty_by_hand():
    """The distribution of each next token, up to EOS, in double precision."""
    texts = ["12$", "1;34$", "9999999", ""]
    rollout = rollout_of(*texts)
    score = np.asarray(verify(Certainty(0.5), rollout).score)  # exp(-H) itself
    forward = jax.jit(lambda rows: POLICY(rows)[0])
    logits = forward(jnp.concatenate([jnp.tile(PROMPT, (4, 1)), rollout.completion], axis=1))
    for row, text, found in zip(np.asarray(logits, np.float64), texts, score, strict=True):
        before = row[len(PROMPT) - 1 :][: len(text)]
        logprob = before - np.log(np.exp(before).sum(-1, keepdims=True))
        entropy = -(np.exp(logprob) * logprob).sum(-1).mean() if text else np.inf
        assert found == pytest.approx(np.exp(-entropy), rel=1e-4)
    for threshold in (0.0, 0.2, 0.99):
        accept = verify(Certainty(threshold), rollout).accept
        np.testing.assert_array_equal(accept[:3], score[:3] >= threshold)


@pytest.mark.parametrize("answer_len, accepted", [(0, "01001"), (2, "11111"), (3, "11101")])
def test_a_vote_on_answers_alone_by_hand(answer_len, accepted):
    texts = ["5038$", ";38$", "7738$", "8$", ";38$"]
    found = verify(MajorityVote(0.0, answer_len), rollout_of(*texts)).accept
    assert "".join(str(int(x)) for x in found) == accepted


def test_answers_by_hand():
    completions = jnp.stack([jnp.asarray(tokens(x)) for x in ("5038$_", ";38$__", "8$____")])
    found = [vocab.to_text(row) for row in vocab.answers(completions, 3)]
    assert found == ["38$", "38$", "_8$"]
    assert vocab.answers(completions[None], 3).shape == (1, 3, 3)
    np.testing.assert_array_equal(vocab.answers(completions, 0), completions)
