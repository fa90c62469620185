"""What the book says is wrong in the article it grows from: each entry of the errata table, kept true.

The page book/article.md names these tests beside its entries; the last tests hold the two together.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmath as nn

ROOT = Path(__file__).resolve().parents[2]
X, Y = nn.xor()
SEEDS = range(20)


def start(seed):
    """Weights (2, 3) and biases (3,), standard normal, as the article's program draws them."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, 3)), rng.normal(size=3)


def slopes(W, b):
    """What the program of section 4 takes for the gradient: of W, and one number for all of b."""
    residual = nn.sigmoid(X @ W + b) - Y  # (4, 3) minus (4, 1)
    return X.T @ residual / len(Y), residual.sum() / len(Y)


def program(W, b, lr=0.01, steps=1000):
    """Section 4 in our notation. Returns the parameters and the loss that the program computes, by step."""
    losses = []
    for _ in range(steps):
        losses.append(np.mean((nn.sigmoid(X @ W + b) - Y) ** 2))
        dW, db = slopes(W, b)
        W, b = W - lr * dW, b - lr * db
    return W, b, np.array(losses)


def numeric(f, a):
    """Central differences of our own, one entry at a time."""
    d = np.empty_like(a)
    for i in np.ndindex(a.shape):
        e = np.zeros_like(a)
        e[i] = 1e-6
        d[i] = (f(a + e) - f(a - e)) / 2e-6
    return d


def cross_entropy_of(W, b):
    """Binary cross-entropy, summed over the three outputs, mean over the four samples: by its definition."""
    A = nn.sigmoid(X @ W + b)
    return -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / len(Y)


def squared_error_of(W, b):
    return np.mean((nn.sigmoid(X @ W + b) - Y) ** 2)


def mse_of_sigmoid(z, y):
    """The loss that the article names, with the gradient that belongs to it."""
    a = nn.sigmoid(z)
    loss, da = nn.mse(a, y)
    return loss, nn.sigmoid_backward(da, a)


# --- Section 2.1 ---


def test_weights_belong_to_connections_not_to_nodes():
    net = nn.MLP((3, 4, 2))
    weights = net.shapes["W1"][0] * net.shapes["W1"][1] + net.shapes["W2"][0] * net.shapes["W2"][1]
    nodes, connections = sum(net.sizes), 3 * 4 + 4 * 2
    assert weights == connections != nodes
    assert net.n_params == connections + 4 + 2


# --- Sections 3.1 and 3.2 ---


def test_the_formulas_columns_are_the_programs_rows():
    rng = np.random.default_rng(0)
    W, x, b = rng.normal(size=(3, 2)), rng.normal(size=(2, 5)), rng.normal(size=(3, 1))
    np.testing.assert_allclose((W @ x + b).T, nn.dense(x.T, W.T, b[:, 0]), rtol=1e-14)


def batch_of_a_layer():
    rng = np.random.default_rng(1)
    W, b = rng.normal(size=(2, 3)), rng.normal(size=3)
    y = rng.uniform(size=(4, 3))
    A = nn.sigmoid(X @ W + b)
    return W, b, y, A, nn.mse(A, y)[1]


def test_the_gradient_needs_the_derivative_of_the_activation():
    W, b, y, A, dA = batch_of_a_layer()
    want = numeric(lambda W: nn.mse(nn.sigmoid(X @ W + b), y)[0], W)
    np.testing.assert_allclose(X.T @ nn.sigmoid_backward(dA, A), want, rtol=1e-6)
    assert np.abs(X.T @ dA - want).max() > 0.5 * np.abs(want).max()


def test_the_gradient_of_the_bias_needs_a_sum_over_the_samples():
    W, b, y, A, dA = batch_of_a_layer()
    want = numeric(lambda b: nn.mse(nn.sigmoid(X @ W + b), y)[0], b)
    dZ = nn.sigmoid_backward(dA, A)  # and the derivative of Z by b is 1 in each row
    np.testing.assert_allclose(dZ.sum(axis=0), want, rtol=1e-6)
    assert dZ.shape != want.shape and np.abs(dZ - want).max(axis=1).min() > 0.1 * np.abs(want).max()


def test_back_propagation_changes_no_parameter():
    net = nn.MLP((2, 3, 1))
    p = net.init(np.random.default_rng(0))
    before, grads = p.theta.copy(), p.like(np.zeros_like(p.theta))
    z, cache = net.forward(p, X)
    net.backward(p, cache, nn.mse(z, Y)[1], grads)
    np.testing.assert_array_equal(p.theta, before)
    assert np.abs(grads.theta).max() > 0


# --- Section 3.3 ---


def test_old_means_before_this_step_not_initial():
    slope, lr, first = lambda w: 2 * w, 0.1, 5.0
    w, literal = first, first
    for _ in range(100):
        w, literal = w - lr * slope(w), first - lr * slope(first)
    assert abs(w) < 1e-8 and literal == first - lr * slope(first)  # one step, however often it is made


def test_descent_does_not_always_go_down():
    net = nn.MLP((2, 4, 1))
    for lr, falls in ((1.0, True), (50.0, False)):
        p = net.init(np.random.default_rng(0))
        run = nn.fit(net, p, X, Y, loss=mse_of_sigmoid, optimizer=nn.SGD(lr), steps=300)
        assert (np.diff(run.loss).max() <= 0) == falls


# --- Section 4 ---


@pytest.mark.parametrize("seed", SEEDS)
def test_the_programs_gradient_is_that_of_cross_entropy(seed):
    W, b = start(seed)
    dW, db = slopes(W, b)
    Z = X @ W + b
    dZ = nn.binary_cross_entropy(Z, np.repeat(Y, 3, axis=1))[1]
    np.testing.assert_allclose(dW, X.T @ dZ, rtol=0, atol=1e-9)
    np.testing.assert_allclose(db, dZ.sum(), rtol=0, atol=1e-9)
    np.testing.assert_allclose(dW, numeric(lambda W: cross_entropy_of(W, b), W), rtol=1e-6, atol=1e-9)


def test_it_is_several_times_the_gradient_of_the_loss_it_reports():
    ratios = []
    for seed in range(500):
        W, b = start(seed)
        A = nn.sigmoid(X @ W + b)
        right = X.T @ nn.sigmoid_backward(nn.mse(A, np.repeat(Y, 3, axis=1))[1], A)
        if seed < 3:
            np.testing.assert_allclose(right, numeric(lambda W, b=b: squared_error_of(W, b), W), rtol=1e-5)
        ratios.append(np.linalg.norm(slopes(W, b)[0]) / np.linalg.norm(right))
    assert 9 < np.median(ratios) < 12 and min(ratios) > 3


def test_four_targets_are_spread_over_twelve_outputs():
    W, b = start(0)
    A = nn.sigmoid(X @ W + b)
    assert (A - Y).shape == (4, 3)
    assert np.mean((A - Y) ** 2) == pytest.approx(np.mean((A - np.repeat(Y, 3, axis=1)) ** 2), rel=1e-15)
    assert (A[:, :1] - Y[:, 0]).shape == (4, 4)  # and a target without its second axis is worse
    for y in (Y, Y[:, 0]):
        with pytest.raises(nn.ShapeError):
            nn.mse(A, y)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_number_moves_all_biases(seed):
    W, b = start(seed)
    after = program(W, b, lr=1.0, steps=500)[1]
    np.testing.assert_allclose(np.diff(after), np.diff(b), rtol=0, atol=1e-12)
    assert np.abs(after - b).max() > 0.01
    own = numeric(lambda b: cross_entropy_of(W, b), b)
    assert np.ptp(own) > 0.01  # the right gradient would move them apart


@settings(max_examples=500, deadline=None)
@given(st.tuples(*[st.floats(-50, 50)] * 3))
def test_no_single_layer_gets_below_a_quarter(parameters):
    """1 / (1 + a)^2 + 1 / (1 + b)^2 >= 1 / (1 + a b), twice, with four numbers whose product is 1."""
    w1, w2, b = parameters
    z = X @ np.array([[w1], [w2]]) + b
    assert z[0] + z[3] == pytest.approx(z[1] + z[2], abs=1e-12)
    assert nn.mse(nn.sigmoid(z), Y)[0] >= 0.25 * (1 - 1e-14)


def test_one_layer_with_the_right_slopes_rests_at_a_quarter():
    rates = np.array([0.3, 1.0, 3.0])[:, None, None]
    W, b = (a[None].repeat(3, axis=0) for a in start(0))
    b = b[:, None]
    for _ in range(20_000):
        residual = nn.sigmoid(X @ W + b) - Y
        W = W - rates * (X.T @ residual) / 4
        b = b - rates * residual.sum(axis=-2, keepdims=True) / 4  # each bias its own slope
        loss = np.mean(residual**2, axis=(1, 2))
        assert (loss >= 0.25 * (1 - 1e-14)).all()
    np.testing.assert_allclose(loss, 0.25, rtol=0, atol=1e-9)


def test_the_program_rests_above_a_quarter():
    for seed in SEEDS:
        loss = program(*start(seed), lr=1.0, steps=20_000)[2]
        assert loss[-1] > 0.2505 and abs(loss[-1] - loss[-1000]) < 1e-9


def test_its_rate_is_too_small_for_a_network_that_can_solve_xor():
    net = nn.MLP((2, 4, 1))
    for lr, low, high in ((0.01, 0.15, 0.3), (5.0, 0.0, 0.001)):
        p = net.init([np.random.default_rng(seed) for seed in SEEDS])
        run = nn.fit(net, p, X, Y, loss=mse_of_sigmoid, optimizer=nn.SGD(lr), steps=1000)
        assert (run.loss[-1] > low).all() and (run.loss[-1] < high).all()


def test_without_a_seed_no_run_is_repeated():
    ends = np.array([program(*start(seed))[2][-1] for seed in SEEDS])
    assert np.ptp(ends) > 0.02 and program(*start(3))[2][-1] == program(*start(3))[2][-1]


def test_the_loop_counts_and_never_looks_at_its_loss():
    net = nn.MLP((2, 4, 1))
    how = {"loss": nn.binary_cross_entropy, "optimizer": nn.SGD(2.0), "steps": 5000}
    run = nn.fit(net, net.init(np.random.default_rng(0)), X, Y, stop_loss=0.01, **how)
    assert run.reached and run.loss[-1] <= 0.01 and len(run.loss) < 5000
    out_of_reach = nn.fit(
        nn.MLP((2, 1)), nn.MLP((2, 1)).init(np.random.default_rng(0)), X, Y, stop_loss=0.6, **how
    )
    assert not out_of_reach.reached and len(out_of_reach.loss) == 5000


# --- Section 5 ---


def test_recurrent_is_recursive_on_a_chain():
    rng = np.random.default_rng(0)
    U, V, leaves, first = (
        rng.normal(size=(3, 3)),
        rng.normal(size=(2, 3)),
        rng.normal(size=(6, 2)),
        np.zeros(3),
    )

    def recursive(tree):
        return first if tree is None else np.tanh(recursive(tree[0]) @ U + tree[1] @ V)

    chain, h = None, first
    for x in leaves:
        chain, h = (chain, x), np.tanh(h @ U + x @ V)
    np.testing.assert_array_equal(recursive(chain), h)


# --- The page and these tests ---


def test_each_erratum_is_kept_by_a_test():
    page = (ROOT / "book" / "article.md").read_text(encoding="utf8")
    named = set(re.findall(r"`(test_\w+)`", page))
    here = {name for name in globals() if name.startswith("test_") and "erratum" not in name}
    assert named == here, f"named but not here: {named - here}; here but not named: {here - named}"
    assert len(here) >= 8
