"""P(at least one of k completions is right), without bias (Chen et al. 2021, arXiv 2107.03374)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.probes import judging
from avax.requirements import Context
from avax.types import Key, Metric, Policy, Scalar, Subject, Task


@struct.dataclass
class PassAt:
    """Whether a policy can still find what it no longer says most of the time.

    Attributes:
      sizes: values of k, none above `num_samples`.
      num_problems: problems that are posed (B).
      num_samples: completions of each (K).
      temperature: of sampling.
    """

    sizes: tuple = struct.static((1, 2, 4, 8, 16))
    num_problems: int = struct.static(64, low=1)
    num_samples: int = struct.static(16, low=1)
    temperature: Scalar = struct.leaf(1.0, low=0, nonzero_low=1e-3)

    def metrics(self, task: Task) -> dict[str, Metric]:
        return {"pass_at": Metric("P(one of k completions is correct)", {"k": self.sizes})}

    def requires(self, context: Context) -> str | None:
        if max(self.sizes) <= self.num_samples:
            return None
        return (
            f"{context.path}.num_samples: is {self.num_samples}, must be at least "
            f"{max(self.sizes)}, the largest of the sizes"
        )

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def measure(self, key: Key, state: tuple, subject: Subject) -> dict[str, Array]:
        key_problems, key_sample = jax.random.split(key)
        problems = judging.draw_problems(key_problems, subject, self.num_problems)
        rollouts = judging.complete(
            key_sample, subject.policy, problems, self.num_samples, self.temperature
        )
        num_correct = subject.grade(problems, rollouts).correct.sum(-1)
        each = [pass_at(num_correct, self.num_samples, k).mean() for k in self.sizes]
        return {"pass_at": jnp.stack(each)}


def pass_at(num_correct: Array, num_samples: int, k: int) -> Array:
    """f32[...]: 1 - C(n - c, k) / C(n, k), for i32[...] correct ones of n samples; k <= n."""
    i = jnp.arange(k, dtype=jnp.float32)
    wrong = num_samples - num_correct[..., None] - i.reshape((1,) * num_correct.ndim + (k,))
    total = (num_samples - i).reshape((1,) * num_correct.ndim + (k,))
    return 1 - (jnp.maximum(wrong, 0) / total).prod(-1)
