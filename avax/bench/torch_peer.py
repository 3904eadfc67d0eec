"""The loop that one would write in PyTorch, to measure against: one policy at a time.

Answers commands on standard input, `train N` or `generate N`, with the seconds that N of them took.
The same architecture, batch, optimizer and work as `benchmark.py` gives to avax: RMS norm, ReLU,
logits only where an answer stands, fused Adam, a cache in generation. No token is PAD here: it
would compute that, too.
"""

from __future__ import annotations

import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

PAD, VOCAB_SIZE = 31, 32


class Block(nn.Module):
    def __init__(self, width: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.norm_attention, self.norm_perceptron = nn.RMSNorm(width), nn.RMSNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x, mask, past):
        batch, length, width = x.shape
        qkv = self.qkv(self.norm_attention(x)).view(batch, length, 3, self.num_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.relu(self.up(self.norm_perceptron(x)))), (k, v)


class Transformer(nn.Module):
    def __init__(self, num_layers: int, num_heads: int, width: int):
        super().__init__()
        self.embed, self.position = nn.Embedding(VOCAB_SIZE, width), nn.Embedding(64, width)
        self.blocks = nn.ModuleList([Block(width, num_heads) for _ in range(num_layers)])
        self.norm, self.head = nn.RMSNorm(width), nn.Linear(width, VOCAB_SIZE, bias=False)

    def forward(self, tokens, positions, mask, cache=None):
        x, new = self.embed(tokens) + self.position(positions), []
        for block, past in zip(self.blocks, cache or [None] * len(self.blocks), strict=True):
            x, key_value = block(x, mask, past)
            new.append(key_value)
        return x, new

    def logits(self, x):
        return self.head(self.norm(x))


class Peer:
    """A model with fixed random data: no step does more or less than another."""

    def __init__(self, num_layers, num_heads, width, batch, prompt_len, completion_len, num_gen):
        self.prompt_len, self.completion_len = prompt_len, completion_len
        self.model = Transformer(num_layers, num_heads, width)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, fused=True)
        length = prompt_len + completion_len
        self.tokens = torch.randint(0, 10, (batch, length))
        self.prompts = torch.randint(0, 10, (num_gen, prompt_len))
        self.causal = torch.ones(length, length, dtype=torch.bool).tril()

    def mask(self, tokens):
        length = tokens.shape[1]
        eye = torch.eye(length, dtype=torch.bool)
        return (self.causal[:length, :length] & (tokens != PAD)[:, None, None, :]) | eye

    def train(self):
        tokens = self.tokens[:, :-1]
        positions = torch.arange(tokens.shape[1])[None].expand_as(tokens)
        x, _ = self.model(tokens, positions, self.mask(tokens))
        logits = self.model.logits(x[:, self.prompt_len - 1 :])
        answers = self.tokens[:, self.prompt_len :]
        loss = F.cross_entropy(logits.reshape(-1, VOCAB_SIZE), answers.reshape(-1))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    @torch.inference_mode()
    def generate(self):
        positions = torch.arange(self.prompt_len)[None].expand_as(self.prompts)
        x, cache = self.model(self.prompts, positions, self.mask(self.prompts))
        seen, out = self.prompts != PAD, []
        for i in range(self.completion_len):
            logits = self.model.logits(x[:, -1])
            out.append(torch.distributions.Categorical(logits=logits).sample())
            if i == self.completion_len - 1:
                return torch.stack(out, 1)
            token = out[-1][:, None]
            seen = torch.cat([seen, torch.ones_like(seen[:, :1])], 1)
            position = torch.full_like(token, self.prompt_len + i)
            x, cache = self.model(token, position, seen[:, None, None, :], cache)


def main() -> None:
    num_threads, *sizes = (int(word) for word in sys.argv[1:])
    torch.set_num_threads(num_threads)
    torch.manual_seed(0)
    peer = Peer(*sizes)
    for line in sys.stdin:
        name, count = line.split()
        start = time.perf_counter()
        for _ in range(int(count)):
            getattr(peer, name)()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
