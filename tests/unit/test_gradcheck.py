"""The checker itself: it must pass what is right and fail what is not."""

import math

import numpy as np
import pytest

import nnmath as nn

RNG = np.random.default_rng(3)


def test_differences():
    x = np.array([[0.5, -2.0], [3.0, 0.0]])
    np.testing.assert_allclose(nn.central_difference(np.sin, x), np.cos(x), rtol=1e-9)
    np.testing.assert_allclose(
        nn.central_difference(lambda x: np.sum(x**3), x), 3 * x**2, rtol=1e-9, atol=1e-9
    )
    assert nn.central_difference(math.exp, 1.0) == pytest.approx(math.e, rel=1e-9)
    assert nn.central_difference(lambda x: x**3, 1.0, h=0.1) == pytest.approx(3.01, rel=1e-12)  # + h**2
    v = np.array([[1.0, 2.0], [0.0, -1.0]])
    assert nn.projected_difference(lambda x: np.sum(x**3), x, v) == pytest.approx(
        np.sum(3 * x**2 * v), rel=1e-9
    )
    assert nn.projected_difference(lambda x: np.sum(x**3), x, v, h=0.1) == pytest.approx(
        np.sum(3 * x**2 * v) + 0.01 * np.sum(v**3), rel=1e-12
    )


def test_the_function_gets_copies():
    x = np.zeros(3)

    def f(x):
        x += 1
        return np.sum(x**2)

    assert nn.gradcheck(f, x, np.full(3, 2.0))
    assert nn.gradcheck(f, x, np.full(3, 2.0), full=1)
    assert (x == 0).all()


def test_a_readers_derivative():
    assert nn.gradcheck(lambda x: x**2, 3.0, 6.0)
    assert nn.gradcheck(lambda x: x**2, 3, 6)
    assert not nn.gradcheck(lambda x: x**2, 3.0, 3.0)
    x = np.linspace(-2, 2, 7)
    assert nn.gradcheck(np.tanh, x, 1 - np.tanh(x) ** 2)
    check = nn.gradcheck(np.tanh, x, np.where(x == x[4], 2, 1) * (1 - np.tanh(x) ** 2))
    assert not check and check.index == (4,) and check.error == pytest.approx(0.5)
    assert check.given == pytest.approx(2 * check.expected)


def test_what_is_printed():
    x = np.array([1.0, 2.0])
    assert repr(nn.gradcheck(np.sin, x, np.cos(x))) == (
        "gradcheck passed: 2 derivatives, each by a central difference; relative errors below 1e-06"
    )
    assert repr(nn.gradcheck(lambda x: np.sum(x**2), x, x)) == (
        "gradcheck FAILED: 2 derivatives, each by a central difference; at index (0,) yours is 1, "
        "the difference quotient 2: relative error 5.0e-01, allowed 1e-06"
    )
    text = repr(nn.gradcheck(lambda x: np.sum(x**2), x, x, full=1))
    assert text.startswith("gradcheck FAILED: 2 derivatives, projected on one random direction; along that")
    assert repr(nn.gradcheck(np.sin, x, np.cos(x), rtol=1e-4)).endswith("below 1e-04")
    assert "1 derivative," in repr(nn.gradcheck(np.sin, 1.0, np.cos(1.0)))


@pytest.mark.parametrize("size", [3, 50, 1000, 20_000])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_small_errors_are_found_at_any_scale(size, scale):
    w, x = scale * RNG.normal(size=size), RNG.normal(size=size)

    def f(x):
        return np.sum(w * np.sin(x))

    grad = w * np.cos(x)
    assert nn.gradcheck(f, x, grad)
    assert not nn.gradcheck(f, x, grad * 1.001)
    wrong = grad.copy()
    wrong[size // 2] += 0.1 * scale
    assert not nn.gradcheck(f, x, wrong)


def test_gradients_that_are_zero_or_vanish():
    assert nn.gradcheck(lambda x: 1.0, np.zeros(3), np.zeros(3))
    assert not nn.gradcheck(lambda x: 1.0, np.zeros(3), np.full(3, 1e-6))
    assert nn.gradcheck(lambda x: 1 + 1e-9 * np.sum(x), np.zeros(3), np.full(3, 1e-9))
    assert not nn.gradcheck(lambda x: 1 + 1e-9 * np.sum(x), np.zeros(3), np.full(3, 2e-9))


@pytest.mark.parametrize("sizes", [(2, 3, 1), (64, 64, 10)])
def test_a_network(sizes):
    net, n = nn.MLP(sizes), 8
    p, x = net.init(np.random.default_rng(0)), RNG.normal(size=(n, sizes[0]))
    y = RNG.normal(size=(n, sizes[-1]))
    z, cache = net.forward(p, x)
    grads = p.like(np.zeros_like(p.theta))
    net.backward(p, cache, nn.mse(z, y)[1], grads)

    def f(theta):
        return nn.mse(net.forward(p.like(theta), x)[0], y)[0]

    check = nn.gradcheck(f, p.theta, grads.theta)
    assert check and check.count == net.n_params and (check.index is None) == (net.n_params > 1000)
    grads["b1"][0] += 1e-3
    assert not nn.gradcheck(f, p.theta, grads.theta)


def test_the_direction_is_that_of_the_generator():
    x = RNG.normal(size=5)

    def check(rng):
        return nn.gradcheck(lambda x: np.sum(x**2), x, 2 * x, full=1, rng=rng)

    assert check(None) == check(None) == check(np.random.default_rng(0)) != check(np.random.default_rng(1))
