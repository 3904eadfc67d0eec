"""A trap of jaxlib 0.11.1: small writes inside a loop cost time that grows with its length."""

from __future__ import annotations

import time
from functools import partial

import jax
import jax.numpy as jnp
import pytest

LENGTHS = (20_000, 40_000, 80_000)


@pytest.mark.slow
def test_a_scan_of_stacked_scalars_takes_time_in_proportion_to_its_length():
    """Twice the steps, at most 2.6 times as long (jax-ml/jax#40101): the fastest of many."""

    def count(start, length):
        def step(total, i):
            total = total + jnp.float32(1) / (i + 1)
            return total, (total, -total, i)

        return jax.lax.scan(step, start, jnp.arange(length))

    programs = [jax.jit(partial(count, length=n)) for n in LENGTHS]
    zero = jnp.float32(0)  # an argument: without one the result is a constant
    for program in programs:
        jax.block_until_ready(program(zero))
    fastest = [float("inf")] * len(LENGTHS)  # what the machine does beside it can only add
    for _ in range(500):  # in turn, so that it meets all of them
        for i, program in enumerate(programs):
            start = time.perf_counter()
            jax.block_until_ready(program(zero))
            fastest[i] = min(fastest[i], time.perf_counter() - start)
    short, middle, long = fastest
    print(f"{short * 1e3:.3f} ms, {middle * 1e3:.3f} ms, {long * 1e3:.3f} ms")
    assert middle <= 2.6 * short and long <= 2.6 * middle
