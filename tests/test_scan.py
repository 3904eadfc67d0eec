"""A trap of jaxlib 0.11.1: small writes inside a loop cost time that grows with its length."""

from __future__ import annotations

import statistics
import time
from functools import partial

import jax
import jax.numpy as jnp
import pytest

LENGTHS = (20_000, 40_000, 80_000)


@pytest.mark.slow
def test_a_scan_of_stacked_scalars_takes_time_in_proportion_to_its_length():
    """Twice the steps, at most 2.6 times as long (jax-ml/jax#40101): the median of seven."""

    def count(start, length):
        def step(total, i):
            total = total + jnp.float32(1) / (i + 1)
            return total, (total, -total, i)

        return jax.lax.scan(step, start, jnp.arange(length))

    programs = [jax.jit(partial(count, length=n)) for n in LENGTHS]
    zero = jnp.float32(0)  # an argument: without one the result is a constant
    for program in programs:
        jax.block_until_ready(program(zero))
    seconds = [[] for _ in LENGTHS]
    for _ in range(7):  # in turn, so that what else the machine does meets all of them
        for program, taken in zip(programs, seconds, strict=True):
            start = time.perf_counter()
            for _ in range(100):
                jax.block_until_ready(program(zero))
            taken.append(time.perf_counter() - start)
    short, middle, long = map(statistics.median, seconds)
    print(f"{short:.4f} s, {middle:.4f} s, {long:.4f} s")
    assert middle <= 2.6 * short and long <= 2.6 * middle
