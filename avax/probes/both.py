"""Two probes as one."""

from __future__ import annotations

import jax
from jax import Array

from avax import struct
from avax.types import Key, Metric, Policy, Probe, Subject, Task


@struct.dataclass
class Both:
    """Measures what either of two probes measures; their names must differ.

    Attributes:
      first: a probe; may be a Both again.
      second: another one.
    """

    first: Probe
    second: Probe

    def metrics(self, task: Task) -> dict[str, Metric]:
        return self.first.metrics(task) | self.second.metrics(task)

    def init(self, key: Key, bases: Policy) -> tuple:
        keys = jax.random.split(key)
        return self.first.init(keys[0], bases), self.second.init(keys[1], bases)

    def measure(self, key: Key, state: tuple, subject: Subject) -> dict[str, Array]:
        keys = jax.random.split(key)
        return self.first.measure(keys[0], state[0], subject) | self.second.measure(
            keys[1], state[1], subject
        )
