"""Rates of convergence against eigenvalues, brute force and runs; the Hessian against autograd."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import hessian as autograd_hessian
from hypothesis import example, given, settings
from hypothesis import strategies as st

import nnmath as nn

quick = settings(max_examples=200, deadline=None)


def test_hessian_of_a_quadratic():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(5, 5))
    H = nn.hessian(lambda theta: (A + A.T) @ theta - 3, 10 * rng.normal(size=5))
    np.testing.assert_allclose(H, A + A.T, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(H, H.T)


def test_hessian_of_what_is_not_quadratic():
    """f = x**3 y + sin(y): the mixed derivative, and a different number in each place."""
    x, y = 1.5, -0.7

    def gradient(theta):
        return np.array([3 * theta[0] ** 2 * theta[1], theta[0] ** 3 + np.cos(theta[1])])

    want = [[6 * x * y, 3 * x**2], [3 * x**2, -np.sin(y)]]
    np.testing.assert_allclose(nn.hessian(gradient, [x, y]), want, rtol=1e-8)


def test_hessian_steps_by_the_size_of_each_entry():
    """At 1e9 a step of 1e-5 would be lost in rounding."""
    theta = np.array([1e9, 1.0])
    H = nn.hessian(lambda t: t**2, theta)
    np.testing.assert_allclose(H, np.diag(2 * theta), rtol=1e-6)
    assert nn.hessian(np.exp, np.zeros(1), h=1.0)[0, 0] == pytest.approx(np.sinh(1), rel=1e-14)  # h is obeyed


def test_hessian_is_not_fooled_by_a_gradient_that_is_reused():
    theta, buffer = np.array([1.0, 2.0]), np.empty(2)

    def gradient(t):
        buffer[:] = [4 * t[0] + t[1], t[0]]
        return buffer

    np.testing.assert_allclose(nn.hessian(gradient, theta), [[4, 1], [1, 0]], atol=1e-9)
    assert theta.tolist() == [1, 2]


def test_hessian_of_a_network():
    rng, net = np.random.default_rng(1), nn.MLP((2, 4, 1))
    x, y, p = rng.normal(size=(7, 2)), rng.normal(size=(7, 1)), net.init(rng)

    def gradient(theta):
        q, grads = p.like(theta), p.like(np.empty_like(theta))
        z, cache = net.forward(q, x)
        net.backward(q, cache, nn.mse(z, y)[1], grads)
        return grads.theta

    def loss(theta):  # the same once more, in autograd's numpy
        W1, b1 = anp.reshape(theta[:8], (2, 4)), theta[8:12]
        W2, b2 = anp.reshape(theta[12:16], (4, 1)), theta[16]
        return anp.mean((anp.dot(anp.tanh(anp.dot(x, W1) + b1), W2) + b2 - y) ** 2)

    H = nn.hessian(gradient, p.theta)
    assert H.shape == (17, 17) and np.abs(H).max() > 1
    np.testing.assert_allclose(H, autograd_hessian(loss)(p.theta), rtol=1e-7, atol=1e-8)
    np.testing.assert_array_equal(H, H.T)


def test_condition_number():
    assert nn.condition_number([2.0, 10.0, 4.0]) == 5
    assert nn.condition_number(np.array([0.5])) == 1 and type(nn.condition_number([1, 3])) is float
    A = np.random.default_rng(0).normal(size=(6, 6))
    A = A @ A.T + np.eye(6)
    assert nn.condition_number(np.linalg.eigvalsh(A)) == pytest.approx(np.linalg.cond(A), rel=1e-10)


def iteration(curvature, lr, momentum):
    """One step of momentum on curvature x**2 / 2, as a matrix that acts on (x, v)."""
    return np.array([[1 - lr * curvature, -lr * momentum], [curvature, momentum]])


@quick
@given(curvature=st.floats(-100, 100), lr=st.floats(1e-4, 10), momentum=st.just(0.0) | st.floats(0, 0.999))
@example(curvature=1.0, lr=0.25, momentum=0.25)  # a double root
@example(curvature=2.0, lr=1.0, momentum=0.0)  # on the edge of divergence
@example(curvature=0.0, lr=1.0, momentum=0.5)  # a flat direction: nothing shrinks
def test_contraction_is_the_spectral_radius(curvature, lr, momentum):
    r = nn.contraction(curvature, lr, momentum)
    want = np.abs(np.linalg.eigvals(iteration(curvature, lr, momentum))).max()
    assert type(r) is float
    assert r == pytest.approx(want, rel=1e-6, abs=1e-7)  # a double root is known to half the digits only
    if momentum == 0:
        assert r == pytest.approx(abs(1 - lr * curvature), rel=1e-12, abs=1e-15)


def test_contraction_of_arrays():
    curvature, lr, momentum = np.array([-1.0, 0.5, 3.0, 40.0]), np.array([[0.01], [0.1], [1.0]]), 0.6
    r = nn.contraction(curvature, lr, momentum)
    assert r.shape == (3, 4)
    for i, j in np.ndindex(3, 4):
        assert r[i, j] == nn.contraction(curvature[j], lr[i, 0], momentum)
    assert nn.contraction(2.0, 0.3, np.array([0.1, 0.9])).shape == (2,)
    np.testing.assert_allclose(nn.contraction([1, 2], 0.25), [0.75, 0.5])


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.8])
def test_contraction_is_what_a_run_does(momentum):
    """Between step 200 and step 400; where the roots are complex the error swings, so its envelope counts."""
    lr, curvature = 0.1, np.array([0.3, 1.0, 5.0, 18.0])
    theta, opt, sizes = np.ones(4), nn.Momentum(lr, momentum), []
    for _ in range(400):
        opt.step(theta, curvature * theta)
        sizes.append(np.hypot(theta, opt.v))
    early, late = np.max(sizes[150:200], axis=0), np.max(sizes[350:400], axis=0)
    np.testing.assert_allclose(
        (late / early) ** (1 / 200), nn.contraction(curvature, lr, momentum), rtol=5e-3
    )


@quick
@given(low=st.floats(1e-3, 1e3), ratio=st.floats(1, 1e4))
def test_best_rate_gives_both_ends_the_same_factor(low, ratio):
    high = low * ratio
    k = high / low
    factors = nn.contraction([low, high], nn.best_rate(low, high))
    np.testing.assert_allclose(factors, (k - 1) / (k + 1), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("low, high", [(1, 10), (0.5, 0.7), (2, 300), (3, 3)])
def test_no_other_rate_is_better(low, high):
    """By brute force over rates and over the curvatures between the two."""
    curvatures, best = np.linspace(low, high, 41), nn.best_rate(low, high)
    rates = np.linspace(0.01, 2, 399)[:, None] * best
    worst = nn.contraction(curvatures, rates).max(axis=-1)
    assert nn.contraction(curvatures, best).max() <= worst.min() + 1e-12
    assert rates[np.argmin(worst), 0] == pytest.approx(best, rel=0.006)


@pytest.mark.parametrize("low, high", [(1, 10), (0.5, 0.7), (2, 300)])
def test_no_other_rate_and_momentum_are_better(low, high):
    """By brute force over both and over the curvatures; its factor is the one in the docstring."""
    lr, momentum = nn.best_momentum(low, high)
    curvatures, k = np.linspace(low, high, 21), high / low
    rates = np.linspace(0.02, 2, 199)[:, None, None] * lr
    momenta = np.linspace(0, 0.99, 199)[None, :, None]
    worst = nn.contraction(curvatures, rates, momenta).max(axis=-1)
    best = nn.contraction(curvatures, lr, momentum).max()
    assert best == pytest.approx((np.sqrt(k) - 1) / (np.sqrt(k) + 1), abs=1e-7)
    assert best <= worst.min() + 1e-7
    i, j = np.unravel_index(np.argmin(worst), worst.shape)
    assert rates[i, 0, 0] == pytest.approx(lr, rel=0.05)
    assert momenta[0, j, 0] == pytest.approx(momentum, abs=0.02)


def test_momentum_beats_the_best_rate():
    assert nn.best_momentum(5, 5) == (pytest.approx(1 / 5), 0)  # one curvature: a single step is there
    for high in (2.0, 100.0, 1e4):
        lr, momentum = nn.best_momentum(1.0, high)
        plain = nn.contraction([1.0, high], nn.best_rate(1.0, high)).max()
        assert 0 < momentum < 1 and nn.contraction([1.0, high], lr, momentum).max() < plain
