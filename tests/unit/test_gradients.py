"""Every forward/backward pair, against projected differences and an independent oracle (PyPI autograd)."""

import itertools
import math

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import elementwise_grad, grad

import nnmath as nn

RNG = np.random.default_rng(20)
SHAPES = [(1, 1), (5, 3), (4, 6, 2), (2, 3, 4, 5)]


def projected(f, x, v):
    """A central difference of our own: nothing here leans on nnmath.gradcheck."""
    h = 1e-5
    return (f(x + h * v) - f(x - h * v)) / (2 * h)


def leaky(slope):
    return lambda z: anp.where(z > 0, z, slope * z)


def kept(f, z):
    """What the backward of f takes: its output, except where that does not tell the slope."""
    return z if f is nn.gelu else f(z)


# The forwards restated in autograd's numpy, naively: the oracle shares no line with the package.
ORACLE = {
    nn.sigmoid: lambda z: 1 / (1 + anp.exp(-z)),
    nn.tanh: lambda z: (anp.exp(z) - anp.exp(-z)) / (anp.exp(z) + anp.exp(-z)),
    nn.relu: lambda z: anp.where(z > 0, z, 0.0),
    nn.leaky_relu: leaky(0.01),
    nn.gelu: lambda z: z / (1 + anp.exp(-math.sqrt(8 / math.pi) * (z + 0.044715 * z**3))),
    nn.softmax: lambda z: anp.exp(z) / anp.sum(anp.exp(z), axis=-1, keepdims=True),
}


def away_from_zero(shape):
    z = RNG.normal(size=shape)
    return z + 0.1 * np.sign(z)  # ReLU has no derivative at 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("f", ORACLE, ids=lambda f: f.__name__)
def test_activation(f, shape):
    z, da, v = away_from_zero(shape), RNG.normal(size=shape), RNG.normal(size=shape)
    oracle = ORACLE[f]
    np.testing.assert_allclose(f(z), oracle(z), rtol=1e-12)
    dz = f.backward(da, kept(f, z))
    assert dz.shape == z.shape
    np.testing.assert_allclose(dz, grad(lambda z: anp.sum(da * oracle(z)))(z), rtol=1e-9, atol=1e-14)
    slope = projected(lambda z: np.sum(da * f(z)), z, v)
    np.testing.assert_allclose(np.sum(dz * v), slope, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("f", [f for f in ORACLE if f is not nn.softmax], ids=lambda f: f.__name__)
def test_a_number_upstream_gives_the_derivative(f):
    z = np.linspace(-3, 3, 12)
    np.testing.assert_allclose(f.backward(1.0, kept(f, z)), elementwise_grad(ORACLE[f])(z), rtol=1e-12)


def test_derivative_of_relu_at_zero_is_zero():
    assert nn.relu_backward(1.0, nn.relu(np.zeros(3))).tolist() == [0, 0, 0]
    assert nn.leaky_relu_backward(1.0, nn.leaky_relu(np.zeros(3))).tolist() == [0.01] * 3  # as from the left


@pytest.mark.parametrize("slope", [0, 0.2, 0.999])
def test_other_leaks(slope):
    z, da = away_from_zero((4, 3)), RNG.normal(size=(4, 3))
    np.testing.assert_allclose(nn.leaky_relu(z, slope), leaky(slope)(z), rtol=1e-15)
    want = grad(lambda z: anp.sum(da * leaky(slope)(z)))(z)
    np.testing.assert_allclose(nn.leaky_relu_backward(da, nn.leaky_relu(z, slope), slope), want, rtol=1e-15)


def test_gelu_is_nearly_z_times_the_normal_distribution():
    """The formula that its tanh stands for; a digit wrong in a constant would double the distance."""
    z = np.linspace(-6, 6, 1201)
    exact = np.array([t * (1 + math.erf(t / math.sqrt(2))) / 2 for t in z])
    assert 4e-4 < np.abs(nn.gelu(z) - exact).max() < 5e-4


def test_gelu_says_that_it_wants_its_input():
    assert nn.gelu.needs_z
    assert not any(getattr(f, "needs_z", False) for f in ORACLE if f is not nn.gelu)


def oracle_mse(z, y):
    return anp.mean((z - y) ** 2)


def oracle_bce(z, y):
    p = 1 / (1 + anp.exp(-z))
    return -anp.sum(y * anp.log(p) + (1 - y) * anp.log(1 - p)) / z.shape[0]


def oracle_ce(z, y):
    p = anp.exp(z) / anp.sum(anp.exp(z), axis=-1, keepdims=True)
    return -anp.mean(anp.log(p[np.arange(len(y)), y]))


def target(loss, n, k):
    if loss is nn.cross_entropy:
        return RNG.integers(0, k, n)
    return RNG.uniform(size=(n, k)) if loss is nn.binary_cross_entropy else RNG.normal(size=(n, k))


LOSSES = {nn.mse: oracle_mse, nn.binary_cross_entropy: oracle_bce, nn.cross_entropy: oracle_ce}


@pytest.mark.parametrize("n, k", [(1, 1), (1, 4), (7, 1), (6, 3), (5, 40)])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: f.__name__)
def test_loss(loss, n, k):
    z, v, y = RNG.normal(size=(n, k)), RNG.normal(size=(n, k)), target(loss, n, k)
    oracle = LOSSES[loss]
    value, dz = loss(z, y)
    assert np.shape(value) == () and dz.shape == z.shape
    np.testing.assert_allclose(value, oracle(z, y), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(dz, grad(oracle)(z, y), rtol=1e-9, atol=1e-14)
    slope = projected(lambda z: loss(z, y)[0], z, v)
    np.testing.assert_allclose(np.sum(dz * v), slope, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("k", [1, 3, 40])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: f.__name__)
def test_loss_of_a_stack_is_that_of_its_slices(loss, k, shared):
    runs, n = (2, 3), 5
    z = RNG.normal(size=(*runs, n, k))
    ys = [target(loss, n, k)] * 6 if shared else [target(loss, n, k) for _ in range(6)]
    y = ys[0] if shared else np.array(ys).reshape(*runs, *ys[0].shape)
    value, dz = loss(z, y)
    assert value.shape == runs and dz.shape == z.shape
    for r, i in enumerate(np.ndindex(runs)):
        one, d = loss(z[i], ys[r])
        np.testing.assert_allclose(value[i], one, rtol=1e-13)
        np.testing.assert_allclose(dz[i], d, rtol=1e-13, atol=1e-16)


def oracle_dense(x, W, b):
    return anp.einsum("...ni,...io->...no", x, W) + anp.expand_dims(b, -2)


DENSE = {  # x, W, b
    "one": ((5, 3), (3, 2), (2,)),
    "one sample, one unit": ((1, 1), (1, 1), (1,)),
    "stack": ((4, 5, 3), (4, 3, 2), (4, 2)),
    "stack of shape (2, 3)": ((2, 3, 5, 3), (2, 3, 3, 2), (2, 3, 2)),
    "a stack that shares x": ((5, 3), (4, 3, 2), (4, 2)),
    "many x that share W": ((4, 2, 5, 3), (3, 2), (2,)),
}


@pytest.mark.parametrize("shapes", DENSE.values(), ids=DENSE.keys())
def test_dense(shapes):
    x, W, b = (RNG.normal(size=s) for s in shapes)
    z = nn.dense(x, W, b)
    np.testing.assert_allclose(z, oracle_dense(x, W, b), rtol=1e-12, atol=1e-14)
    dz = RNG.normal(size=z.shape)
    dx, dW, db = nn.dense_backward(dz, x, W)
    for i, (a, da) in enumerate(zip((x, W, b), (dx, dW, db), strict=True)):

        def f(t, i=i):
            return anp.sum(dz * oracle_dense(*(t if j == i else a for j, a in enumerate((x, W, b)))))

        want = grad(f)(a)
        got = da.sum(axis=tuple(range(da.ndim - a.ndim)))  # a shared x gets one gradient per network
        assert got.shape == a.shape
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-13)
        v = RNG.normal(size=a.shape)
        np.testing.assert_allclose(np.sum(got * v), projected(f, a, v), rtol=1e-6)


def test_dense_backward_fills_what_it_is_given():
    x, W, dz = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 2)), RNG.normal(size=(5, 2))
    dW, db = np.empty((3, 2)), np.empty(2)
    dx, a, b = nn.dense_backward(dz, x, W, dW=dW, db=db, need_dx=False)
    assert dx is None and a is dW and b is db
    np.testing.assert_array_equal(dW, nn.dense_backward(dz, x, W)[1])
    np.testing.assert_array_equal(db, nn.dense_backward(dz, x, W)[2])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rate", [0, 0.3, 0.9])
def test_dropout(shape, rate):
    a, da, v = RNG.normal(size=shape), RNG.normal(size=shape), RNG.normal(size=shape)
    out, mask = nn.dropout(a, rate, np.random.default_rng(7))
    dropped = mask == 0
    np.testing.assert_allclose(out, anp.where(dropped, 0.0, a / (1 - rate)), rtol=1e-12)
    got = nn.dropout_backward(da, mask)

    def f(a):  # the same draw again: dropout is a function of a and of the generator's state
        return np.sum(da * nn.dropout(a, rate, np.random.default_rng(7))[0])

    want = grad(lambda a: anp.sum(da * anp.where(dropped, 0.0, a / (1 - rate))))(a)
    np.testing.assert_allclose(got, want, rtol=1e-12)
    np.testing.assert_allclose(np.sum(got * v), projected(f, a, v), rtol=1e-6, atol=1e-9)


def restated(theta, sizes, fs, x):
    """The network and nothing but the formula, reading theta in the documented order: W1, b1, W2, b2, ..."""
    i, a = 0, x
    for l, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        W = anp.reshape(theta[i : i + n_in * n_out], (n_in, n_out))
        b = theta[i + n_in * n_out : i + n_in * n_out + n_out]
        i += n_in * n_out + n_out
        a = anp.dot(a, W) + b
        if l < len(fs):
            a = ORACLE[fs[l]](a)
    return a


NETS = [
    ((2, 1), ()),
    ((3, 4, 2), (nn.tanh,)),
    ((2, 5, 4, 3), (nn.sigmoid, nn.relu)),
    ((4, 3, 3, 3, 2), (nn.relu, nn.softmax, nn.tanh)),
    ((3, 5, 2), (nn.gelu,)),
    ((2, 4, 3, 4, 2), (nn.gelu, nn.leaky_relu, nn.gelu)),
]
NET_NAMES = ["-".join([*map(str, sizes), *(f.__name__ for f in fs)]) for sizes, fs in NETS]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("sizes, fs", NETS, ids=NET_NAMES)
def test_mlp(sizes, fs, loss):
    net, n = nn.MLP(sizes, hidden=fs), 6
    p = net.init(np.random.default_rng(3))
    p.theta += RNG.normal(0, 0.5, p.theta.shape)  # biases too
    x, y, v = RNG.normal(size=(n, sizes[0])), target(loss, n, sizes[-1]), RNG.normal(size=p.theta.shape)
    z, cache = net.forward(p, x)
    np.testing.assert_allclose(z, restated(p.theta, sizes, fs, x), rtol=1e-12, atol=1e-14)
    grads = p.like(np.full_like(p.theta, np.nan))  # every entry must be filled
    dx = net.backward(p, cache, loss(z, y)[1], grads)

    def of_theta(theta):
        return LOSSES[loss](restated(theta, sizes, fs, x), y)

    def of_x(x):
        return LOSSES[loss](restated(p.theta, sizes, fs, x), y)

    np.testing.assert_allclose(grads.theta, grad(of_theta)(p.theta), rtol=1e-8, atol=1e-13)
    np.testing.assert_allclose(dx, grad(of_x)(x), rtol=1e-8, atol=1e-13)
    slope = projected(lambda t: loss(net.forward(p.like(t), x)[0], y)[0], p.theta, v)
    np.testing.assert_allclose(grads.theta @ v, slope, rtol=1e-6)


@pytest.mark.parametrize("order", ["C", "F"])  # runs one after the other in memory, or side by side
@pytest.mark.parametrize("stacked_x", [False, True])
@pytest.mark.parametrize("sizes, fs", NETS, ids=NET_NAMES)
def test_mlp_stack_is_its_slices(sizes, fs, stacked_x, order):
    net, runs, n = nn.MLP(sizes, hidden=fs), 4, 6
    p = net.init([np.random.default_rng(r) for r in range(runs)])
    p.theta += RNG.normal(0, 0.5, p.theta.shape)
    p = p.like(np.array(p.theta, order=order))
    x = RNG.normal(size=(runs, n, sizes[0]) if stacked_x else (n, sizes[0]))
    z, cache = net.forward(p, x)
    dz, grads = RNG.normal(size=z.shape), p.like(np.full_like(p.theta, np.nan))
    dx = net.backward(p, cache, dz, grads)
    for r in range(runs):
        one = p.like(p.theta[r])
        z1, cache1 = net.forward(one, x[r] if stacked_x else x)
        g1 = one.like(np.empty_like(one.theta))
        dx1 = net.backward(one, cache1, dz[r], g1)
        for got, want in ((z[r], z1), (grads.theta[r], g1.theta), (dx[r], dx1)):
            np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)
