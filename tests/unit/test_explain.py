"""Explanations: against finite differences, autograd, tables written out, and the axioms they promise."""

from itertools import permutations

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import jacobian
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmath as nn

SIZES = [(1, 1), (3, 4, 2), (5, 6, 4, 3), (64, 16, 10)]


def network(sizes, hidden=nn.tanh, seed=0, runs=None):
    net = nn.MLP(sizes, hidden=hidden)
    p = net.init(np.random.default_rng(seed), runs=runs)
    p.theta += np.random.default_rng(seed + 1).normal(0, 0.1, p.theta.shape)  # biases too
    return net, p


def oracle(net, p, x):
    """The network restated in autograd's numpy, for one row."""
    for layer, (W, b) in enumerate(net.names):
        x = anp.tanh(x) if layer else x
        x = anp.dot(x, p[W]) + p[b]
    return x


@pytest.mark.parametrize("sizes", SIZES)
def test_saliency_is_the_jacobian_of_the_output(sizes):
    net, p = network(sizes)
    x = np.random.default_rng(2).normal(size=(4, sizes[0]))
    J = np.array([jacobian(lambda row: oracle(net, p, row))(row) for row in x])  # (n, k, d)
    for k in range(sizes[-1]):
        g = nn.saliency(net, p, x, k)
        assert g.shape == x.shape
        np.testing.assert_allclose(g, J[:, k], rtol=1e-9, atol=1e-14)
        v, h = np.random.default_rng(3).normal(size=x.shape), 1e-5
        up, down = (net.forward(p, x + s * h * v)[0][:, k] for s in (1, -1))
        np.testing.assert_allclose((g * v).sum(axis=1), (up - down) / (2 * h), rtol=1e-6, atol=1e-9)
    each = np.arange(4) % sizes[-1]
    np.testing.assert_allclose(nn.saliency(net, p, x, each), J[np.arange(4), each], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("hidden", [nn.relu, nn.gelu, nn.sigmoid])
def test_saliency_of_a_stack_is_that_of_its_slices(hidden):
    net, p = network((5, 6, 3), hidden, runs=4)
    x, k = np.random.default_rng(2).normal(size=(7, 5)), np.arange(7) % 3
    g = nn.saliency(net, p, x, k)
    assert g.shape == (4, 7, 5)
    for r in range(4):
        np.testing.assert_allclose(g[r], nn.saliency(net, p.like(p.theta[r]), x, k), rtol=1e-12, atol=1e-15)
    own = nn.saliency(net, p, np.array([x, -x, 2 * x, x]), np.array([k, k, k, (k + 1) % 3]))
    np.testing.assert_allclose(own[1], nn.saliency(net, p.like(p.theta[1]), -x, k), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(own[3], nn.saliency(net, p.like(p.theta[3]), x, (k + 1) % 3), rtol=1e-12)


@pytest.mark.parametrize("way", [nn.saliency, nn.integrated_gradients])
def test_float32_stays_float32_and_inputs_stay_as_they_were(way):
    net = nn.MLP((5, 6, 3))
    p = net.init(np.random.default_rng(0), np.float32)
    x = np.random.default_rng(2).normal(size=(7, 5)).astype(np.float32)
    kept, theta = x.copy(), p.theta.copy()
    assert way(net, p, x, 1).dtype == np.float32
    assert nn.smooth_grad(net, p, x, 1, 0.1, 3, np.random.default_rng(0)).dtype == np.float32
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_array_equal(p.theta, theta)


def test_whole_numbers_are_taken_as_such():
    net, p = network((2, 4, 1))
    x = np.array([[0, 1], [1, 1]])
    np.testing.assert_array_equal(nn.saliency(net, p, x, 0), nn.saliency(net, p, x.astype(float), 0))
    noisy = (nn.smooth_grad(net, p, a, 0, 0.3, 1, np.random.default_rng(0)) for a in (x, x.astype(float)))
    np.testing.assert_array_equal(*noisy)  # noise is not rounded to whole numbers
    np.testing.assert_allclose(
        nn.integrated_gradients(net, p, x, 0, 0.5), nn.integrated_gradients(net, p, x * 1.0, 0, 0.5)
    )


@pytest.mark.parametrize("baseline", [0.0, 0.3, "row", "each"])
def test_integrated_gradients_are_complete_and_their_error_falls_as_the_square(baseline):
    net, p = network((5, 6, 4, 3))
    rng = np.random.default_rng(2)
    x, k = rng.normal(size=(7, 5)), np.arange(7) % 3
    baseline = {"row": rng.normal(size=5), "each": rng.normal(size=(7, 5))}.get(baseline, baseline)
    start = np.broadcast_to(baseline, x.shape)
    gap = np.subtract(*(net.forward(p, a)[0][np.arange(7), k] for a in (x, start)))
    errors = []
    for steps in (25, 50, 100, 200):
        phi = nn.integrated_gradients(net, p, x, k, baseline, steps)
        assert phi.shape == x.shape
        errors.append(np.abs(phi.sum(axis=1) - gap).max())
    np.testing.assert_allclose(np.array(errors[:-1]) / errors[1:], 4, rtol=0.1)
    assert errors[-1] < 1e-4


def test_integrated_gradients_of_what_is_known():
    """f = x1 x2 from (a, b): the integral along the line by hand. One linear layer: exact with one step."""

    class Product:
        def forward(self, p, x):
            return x[:, :1] * x[:, 1:], x

        def backward(self, p, x, dz, grads):
            return dz * x[:, ::-1]

    phi = nn.integrated_gradients(Product(), None, np.array([[3.0, 5.0]]), 0, np.array([1.0, 2.0]), 1)
    np.testing.assert_allclose(phi, [[2 * 3.5, 3 * 2.0]])  # 2 (2 + 5) / 2 and 3 (1 + 3) / 2; they sum to 13
    net, p = network((4, 3))
    x = np.random.default_rng(2).normal(size=(6, 4))
    np.testing.assert_allclose(nn.integrated_gradients(net, p, x, 2, steps=1), x * p["W1"][:, 2], rtol=1e-12)


def test_smooth_grad_without_noise_is_the_gradient_and_with_noise_that_of_the_smoothed_function():
    net, p = network((3, 4, 2))
    x = np.random.default_rng(2).normal(size=(5, 3))
    still = nn.smooth_grad(net, p, x, 1, 0.0, 2, np.random.default_rng(0))
    np.testing.assert_allclose(still, nn.saliency(net, p, x, 1), rtol=1e-14)

    class Cube:  # d/dx E (x + s n)^3 = 3 x^2 + 3 s^2
        def forward(self, p, x):
            return x**3, x

        def backward(self, p, x, dz, grads):
            return dz * 3 * x * x

    g = nn.smooth_grad(Cube(), None, np.full((20_000, 1), 0.7), 0, 0.5, 5, np.random.default_rng(0))
    assert g.mean() == pytest.approx(3 * 0.49 + 3 * 0.25, abs=6 * g.std() / np.sqrt(20_000))
    assert g.std() == pytest.approx(3 * np.sqrt((4 * 0.49 * 0.25 + 2 * 0.25**2) / 5), rel=0.03)  # 1/sqrt(5)


def test_occlusion_written_out():
    f = lambda x: x[:, 0] * x[:, 1] + 10 * x[:, 2]  # noqa: E731
    x = np.array([[2.0, 3.0, 1.0], [1.0, 1.0, 0.0]])
    groups = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1]], bool)
    assert nn.occlusion(f, x, groups).tolist() == [[6, 6, 16], [1, 1, 1]]
    assert nn.occlusion(f, x, groups, np.array([1.0, 1.0, 0.0])).tolist() == [[3, 5, 14], [0, 0, 0]]
    assert x.tolist() == [[2, 3, 1], [1, 1, 0]]


def by_orders(f, x, background):
    """Shapley values of one row from their definition: every order of joining, one after the other."""
    d, worth = len(x), {}

    def v(members):
        if members not in worth:
            rows = [[x[i] if i in members else b[i] for i in range(d)] for b in background]
            worth[members] = np.mean([f(np.array([row]))[0] for row in rows])
        return worth[members]

    phi, orders = np.zeros(d), list(permutations(range(d)))
    for order in orders:
        for j, i in enumerate(order):
            phi[i] += v(frozenset(order[: j + 1])) - v(frozenset(order[:j]))
    return phi / len(orders)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_shapley_is_the_mean_over_all_orders(d):
    rng = np.random.default_rng(d)
    net, p = network((d, 4, 1))
    f = lambda x: net.forward(p, x)[0][:, 0] ** 2 + x.prod(axis=1)  # noqa: E731
    x, background = rng.normal(size=(3, d)), rng.normal(size=(4, d))
    phi = nn.shapley(f, x, background)
    assert phi.shape == (3, d)
    for row, want in zip(phi, x, strict=True):
        np.testing.assert_allclose(row, by_orders(f, want, background), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(phi.sum(axis=1), f(x) - f(background).mean(), rtol=1e-10, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(2, 6))
def test_the_axioms_of_shapley(seed, d):
    rng = np.random.default_rng(seed)
    w, u, x, background = (
        rng.normal(size=d),
        rng.normal(size=d),
        rng.normal(size=(2, d)),
        rng.normal(size=(3, d)),
    )
    f, g = (lambda r: np.sin(r @ w)), (lambda r: (r[:, 1:] @ u[1:]) ** 2)
    both = nn.shapley(lambda r: f(r) - 2 * g(r), x, background)
    a, b = nn.shapley(f, x, background), nn.shapley(g, x, background)
    np.testing.assert_allclose(both, a - 2 * b, rtol=1e-9, atol=1e-9)  # linear
    np.testing.assert_allclose(b[:, 0], 0, atol=1e-9)  # g does not ask input 0: a dummy
    x[:, 1], background[:, 1] = x[:, 0], background[:, 0]
    twins = nn.shapley(lambda r: (r[:, 0] + r[:, 1]) ** 3, x, background)
    np.testing.assert_allclose(twins[:, 0], twins[:, 1], rtol=1e-9, atol=1e-9)  # symmetric
    line = nn.shapley(lambda r: r @ w, x, background)
    np.testing.assert_allclose(line, w * (x - background.mean(axis=0)), rtol=1e-9, atol=1e-9)


def test_sampled_shapley_agrees_within_its_errors_and_they_shrink_as_the_root():
    rng = np.random.default_rng(0)
    net, p = network((6, 8, 1))
    f = lambda x: 3 * net.forward(p, x)[0][:, 0] ** 2  # noqa: E731
    x, background = rng.normal(size=(8, 6)), rng.normal(size=(5, 6))
    exact = nn.shapley(f, x, background)
    sizes = []
    for m in (100, 1600):
        phi, error = nn.shapley_sample(f, x, background, m, np.random.default_rng(1))
        assert phi.shape == error.shape == x.shape
        assert np.abs((phi - exact) / error).max() < 5
        assert 0.5 < np.mean((phi - exact) ** 2) / np.mean(error**2) < 2  # the errors are honest
        sizes.append(error.mean())
    assert sizes[0] / sizes[1] == pytest.approx(4, rel=0.15)
    again, _ = nn.shapley_sample(f, x, background, 1600, np.random.default_rng(1))
    np.testing.assert_array_equal(phi, again)


def test_sampled_shapley_of_one_order_after_another():
    """With one row of background each order sums to f(x) - f(background), and so does their mean."""
    f = lambda x: x[:, 0] * x[:, 1] * x[:, 2]  # noqa: E731
    x, background = np.array([[2.0, 3.0, 4.0]]), np.array([[1.0, 1.0, 1.0]])
    phi, error = nn.shapley_sample(f, x, background, 7, np.random.default_rng(3))
    assert phi.sum() == pytest.approx(23) and (error > 0).all()
    line, none = nn.shapley_sample(lambda x: x @ [1.0, 2.0, 3.0], x, background, 2, np.random.default_rng(3))
    assert line.tolist() == [[1, 4, 9]] and none.tolist() == [[0, 0, 0]]


def test_the_standard_error_of_two_orders():
    """f = x1 x2 from (0, 0) to (1, 1): who joins last gains 1. Orders that differ: means 1/2, errors 1/2."""
    f = lambda x: x[:, 0] * x[:, 1]  # noqa: E731
    seen = set()
    for seed in range(8):
        phi, error = nn.shapley_sample(f, np.ones((1, 2)), np.zeros((1, 2)), 2, np.random.default_rng(seed))
        seen.add((*phi[0].tolist(), *error[0].round(12).tolist()))
    assert seen == {(0.5, 0.5, 0.5, 0.5), (0.0, 1.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)}


def test_shapley_takes_sixteen_inputs_and_no_more():
    x = np.arange(1.0, 17.0)[None]
    np.testing.assert_allclose(nn.shapley(lambda r: r.sum(axis=1), x, 0 * x), x, rtol=1e-9)
    with pytest.raises(ValueError, match="17 inputs"):
        nn.shapley(lambda r: r.sum(axis=1), np.ones((1, 17)), np.ones((1, 17)))
