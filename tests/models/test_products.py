"""Products equal the plain ones, and so do their gradients, member by member."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax.models import products

SHAPES = {
    "widening": ((2, 5, 3), (3, 7)),
    "narrowing": ((2, 5, 7), (7, 3)),
    "square": ((4, 3), (3, 3)),
    "both by batch": ((2, 4, 5, 3), (2, 4, 3, 6)),
}


def random(key: int, shape, dtype="float32"):
    return jax.random.normal(jax.random.key(key), shape).astype(dtype)


def sums_of_rows(table, rows):
    """f32[..., d] of i32[..., number of rows in a sum]."""
    return products.matmul(products.marks(jnp.moveaxis(rows, -1, 0), len(table)), table)


def gradients(product, x, w, cotangent):
    return jax.vjp(product, x, w)[1](cotangent)


def plain(x, w):
    return jnp.einsum("...mk,...kn->...mn" if w.ndim > 2 else "...mk,kn->...mn", x, w)


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
def test_matmul_equals_the_plain_product(shapes):
    x, w = random(0, shapes[0]), random(1, shapes[1])
    y = products.matmul(x, w)
    np.testing.assert_allclose(y, plain(x, w), rtol=1e-5, atol=1e-5)
    cotangent = random(2, y.shape)
    found, expected = (gradients(f, x, w, cotangent) for f in (products.matmul, plain))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("product", ["matmul", "marks"])
def test_many_members_equal_each_alone(product):
    if product == "matmul":
        function, members = products.matmul, (random(0, (3, 4, 5)), random(1, (3, 5, 2)))
    else:
        rows = jax.random.randint(jax.random.key(3), (3, 6), 0, 4)
        function, members = sums_of_rows, (random(0, (3, 4, 5)), rows[..., None])

    def gradient(a, b):
        return jax.grad(lambda a: jnp.sin(function(a, b)).sum())(a)

    together = jax.jit(jax.vmap(gradient))(*members)
    for i in range(3):
        alone = gradient(*(x[i] for x in members))
        np.testing.assert_allclose(together[i], alone, rtol=1e-5, atol=1e-6)


def test_marks_times_a_table_are_sums_of_its_rows():
    table, rows = random(0, (5, 3)), jnp.array([[[2, 4], [2, 3], [0, 4]], [[3, 4], [2, 4], [0, 3]]])
    sums = sums_of_rows(table, rows)
    np.testing.assert_array_equal(sums, table[rows[..., 0]] + table[rows[..., 1]])
    cotangent = random(1, (2, 3, 3))
    found = jax.vjp(lambda t: sums_of_rows(t, rows), table)[1](cotangent)[0]
    expected = np.zeros((5, 3), np.float32)
    np.add.at(expected, np.asarray(rows), np.asarray(cotangent)[:, :, None])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_bfloat16_operands_have_float32_sums():
    x, w = random(0, (2, 3, 256), "bfloat16"), random(1, (256, 4), "bfloat16")
    y = products.matmul(x, w)
    assert y.dtype == jnp.float32
    exact = plain(x.astype("float32"), w.astype("float32"))
    np.testing.assert_allclose(y, exact, rtol=1e-4, atol=1e-4)
    dx, dw = gradients(products.matmul, x, w, y)
    assert (dx.dtype, dw.dtype) == (x.dtype, w.dtype)
