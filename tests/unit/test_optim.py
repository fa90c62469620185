"""Optimizers against three steps by hand, in plain Python numbers, from the formulas of chapters 8 and 16."""

import math

import numpy as np
import pytest

import nnmath as nn
from nnmath.optim import BLOCK

START, GRADS = 0.5, (0.3, -0.2, 0.7)


def by_hand_sgd(lr):
    theta, out = START, []
    for g in GRADS:
        theta = theta - lr * g
        out.append(theta)
    return out


def by_hand_momentum(lr, mu):
    theta, v, out = START, 0.0, []
    for g in GRADS:
        v = mu * v + g
        theta = theta - lr * v
        out.append(theta)
    return out


def by_hand_nesterov(lr, mu):
    theta, v, out = START, 0.0, []
    for g in GRADS:
        v = mu * v + g
        theta = theta - lr * (g + mu * v)
        out.append(theta)
    return out


def by_hand_adam(lr, beta1, beta2, eps):
    theta, m, v, out = START, 0.0, 0.0, []
    for t, g in enumerate(GRADS, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        theta = theta - lr * m_hat / (math.sqrt(v_hat) + eps)
        out.append(theta)
    return out


def by_hand_adagrad(lr, eps):
    theta, v, out = START, 0.0, []
    for g in GRADS:
        v = v + g**2
        theta = theta - lr * g / (math.sqrt(v) + eps)
        out.append(theta)
    return out


def by_hand_rmsprop(lr, beta, eps):
    theta, v, out = START, 0.0, []
    for g in GRADS:
        v = beta * v + (1 - beta) * g**2
        theta = theta - lr * g / (math.sqrt(v) + eps)
        out.append(theta)
    return out


def by_hand_adamw(lr, beta1, beta2, eps, decay):
    theta, m, v, out = START, 0.0, 0.0, []
    for t, g in enumerate(GRADS, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        theta = theta - lr * (m_hat / (math.sqrt(v_hat) + eps) + decay * theta)
        out.append(theta)
    return out


CASES = {
    "sgd": (nn.SGD(0.1), by_hand_sgd(0.1)),
    "momentum": (nn.Momentum(0.1, 0.8), by_hand_momentum(0.1, 0.8)),
    "nesterov": (nn.Nesterov(0.1, 0.8), by_hand_nesterov(0.1, 0.8)),
    "adam": (nn.Adam(0.1, 0.9, 0.99, 1e-8), by_hand_adam(0.1, 0.9, 0.99, 1e-8)),
    # an epsilon as large as the gradients tells inside the root from outside, and corrected from not
    "adam, large eps": (nn.Adam(0.1, 0.6, 0.7, 0.5), by_hand_adam(0.1, 0.6, 0.7, 0.5)),
    "adagrad": (nn.AdaGrad(0.1), by_hand_adagrad(0.1, 1e-8)),
    "adagrad, large eps": (nn.AdaGrad(0.1, 0.5), by_hand_adagrad(0.1, 0.5)),
    "rmsprop": (nn.RMSProp(0.1), by_hand_rmsprop(0.1, 0.9, 1e-8)),
    "rmsprop, large eps": (nn.RMSProp(0.1, 0.6, 0.5), by_hand_rmsprop(0.1, 0.6, 0.5)),
    "adamw": (nn.AdamW(0.1), by_hand_adamw(0.1, 0.9, 0.999, 1e-8, 0.01)),
    "adamw, large decay": (nn.AdamW(0.1, 0.6, 0.7, 0.5, 0.8), by_hand_adamw(0.1, 0.6, 0.7, 0.5, 0.8)),
}


@pytest.mark.parametrize("optimizer, expected", CASES.values(), ids=CASES.keys())
def test_three_steps_by_hand(optimizer, expected):
    theta = np.full(2, START)
    for g, want in zip(GRADS, expected, strict=True):
        before = theta
        optimizer.step(theta, np.array([g, g]))
        assert theta is before
        np.testing.assert_allclose(theta, want, rtol=1e-14)
    assert optimizer.t == 3


def test_the_numbers_written_out():
    """The first values once more as literals, worked out on paper."""
    np.testing.assert_allclose(by_hand_sgd(0.1), [0.47, 0.49, 0.42], rtol=1e-14)
    np.testing.assert_allclose(by_hand_momentum(0.1, 0.8), [0.47, 0.466, 0.3928], rtol=1e-14)
    np.testing.assert_allclose(by_hand_nesterov(0.1, 0.8), [0.446, 0.4628, 0.33424], rtol=1e-14)
    # 0.3 / 0.3, -0.2 / sqrt(0.13), 0.7 / sqrt(0.62)
    np.testing.assert_allclose(by_hand_adagrad(0.1, 1e-8), [0.4, 0.455470, 0.366570], atol=1e-6)
    # the first step of size lr / sqrt(1 - 0.9); then v = 0.0121, 0.05989
    np.testing.assert_allclose(by_hand_rmsprop(0.1, 0.9, 1e-8), [0.183772, 0.365590, 0.079554], atol=1e-6)
    assert by_hand_adamw(0.1, 0.9, 0.999, 1e-8, 0.01)[0] == pytest.approx(0.5 - 0.1 - 0.1 * 0.01 * 0.5)
    assert by_hand_adam(0.1, 0.9, 0.99, 1e-8)[0] == pytest.approx(0.4, abs=1e-8)  # a first step of size lr


def test_adams_first_step_does_not_depend_on_the_scale():
    for scale in (1e-3, 1.0, 1e6):
        theta = np.zeros(3)
        nn.Adam(0.01).step(theta, scale * np.array([1.0, -2.0, 3.0]))
        np.testing.assert_allclose(theta, [-0.01, 0.01, -0.01], rtol=2e-5)


def test_adam_in_blocks_is_adam():
    """More numbers than a block, in one vector and in a stack, against all at once."""
    rng = np.random.default_rng(0)
    for shape in ((2 * BLOCK + 17,), (70, 1001), (3, BLOCK + 5)):
        g = rng.normal(size=(3, *shape))
        lr = 0.1 if len(shape) == 1 else rng.uniform(0.01, 1, (shape[0], 1))
        theta, opt = np.zeros(shape), nn.Adam(lr)
        want, m, v = np.zeros(shape), 0.0, 0.0
        for t in range(1, 4):
            opt.step(theta, g[t - 1])
            m, v = 0.9 * m + 0.1 * g[t - 1], 0.999 * v + 0.001 * g[t - 1] ** 2
            want -= lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        np.testing.assert_allclose(theta, want, rtol=1e-10, atol=1e-13)


OPTIMIZERS = [nn.SGD, nn.Momentum, nn.Nesterov, nn.AdaGrad, nn.RMSProp, nn.Adam, nn.AdamW]


@pytest.mark.parametrize("make", OPTIMIZERS, ids=lambda f: f.__name__)
def test_a_stack_is_its_slices(make):
    rng, lr = np.random.default_rng(1), np.array([[0.1], [0.01], [1.0]])
    theta, stack = rng.normal(size=(3, 4)), make(lr)
    singles = [(row.copy(), make(float(rate[0]))) for row, rate in zip(theta, lr, strict=True)]
    for _ in range(40):
        g = rng.normal(size=(3, 4))
        stack.step(theta, g)
        for (one, opt), gi in zip(singles, g, strict=True):
            opt.step(one, gi)
    np.testing.assert_allclose(theta, [one for one, _ in singles], rtol=1e-13)


@pytest.mark.parametrize("make", OPTIMIZERS[:-2], ids=lambda f: f.__name__)  # Adam rounds rate and correction
def test_rates_of_a_float32_stack_are_float32(make):
    rng, rates = np.random.default_rng(1), np.array([0.1, 0.3, 0.7])
    theta, stack = np.zeros((3, 50), np.float32), make(rates[:, None])
    singles = [(np.zeros(50, np.float32), make(rate)) for rate in rates]
    for _ in range(5):
        g = rng.normal(size=(3, 50)).astype(np.float32)
        stack.step(theta, g)
        for (one, opt), gi in zip(singles, g, strict=True):
            opt.step(one, gi)
    np.testing.assert_array_equal(theta, [one for one, _ in singles])  # to the last bit


def test_momentum_of_each_run():
    theta, opt = np.zeros((2, 1)), nn.Momentum(1.0, np.array([[0.0], [0.5]]))
    for _ in range(3):
        opt.step(theta, np.ones((2, 1)))
    assert theta.tolist() == [[-3.0], [-1 - 1.5 - 1.75]]
    theta, opt = np.zeros((2, 1)), nn.Nesterov(1.0, np.array([[0.0], [0.5]]))
    for _ in range(3):
        opt.step(theta, np.ones((2, 1)))
    assert theta.tolist() == [[-3.0], [-1.5 - 1.75 - 1.875]]


def test_nesterov_takes_its_gradient_ahead():
    """As Sutskever et al. write it: the gradient where the velocity is about to lead. Ours is that point."""
    curvature, lr, mu = np.array([1.0, 7.0, 20.0]), 0.06, 0.9
    at, velocity = np.ones(3), np.zeros(3)
    theta, opt = np.ones(3), nn.Nesterov(lr, mu)
    for _ in range(60):
        velocity = mu * velocity - lr * curvature * (at + mu * velocity)
        at = at + velocity
        opt.step(theta, curvature * theta)
        np.testing.assert_allclose(theta, at + mu * velocity, rtol=1e-11, atol=1e-14)


def test_without_momentum_nesterov_is_descent():
    rng, one, other = np.random.default_rng(2), np.ones(4), np.ones(4)
    a, b = nn.SGD(0.3), nn.Nesterov(0.3, 0.0)
    for _ in range(5):
        g = rng.normal(size=4)
        a.step(one, g)
        b.step(other, g)
    np.testing.assert_allclose(one, other, rtol=1e-15)


def test_a_rate_that_depends_on_the_step():
    seen = []
    opt, theta = nn.SGD(lambda t: seen.append(t) or 1 / (1 + t)), np.zeros(1)
    for _ in range(3):
        opt.step(theta, np.ones(1))
    assert seen == [0, 1, 2]
    np.testing.assert_allclose(theta, -(1 + 1 / 2 + 1 / 3))


@pytest.mark.parametrize(
    "make", [nn.Momentum, nn.Nesterov, nn.RMSProp, nn.Adam, nn.AdamW], ids=lambda f: f.__name__
)
def test_moments_never_become_subnormal(make):
    theta, opt = np.zeros(1000, np.float32), make(0.01)
    opt.step(theta, np.ones_like(theta))
    tiny = np.finfo(np.float32).tiny
    for _ in range(2000):
        opt.step(theta, np.zeros_like(theta))
        v = getattr(opt, "m", opt.v)
        assert not ((v != 0) & (np.abs(v) < tiny)).any()
    assert (v == 0).all()


@pytest.mark.parametrize("make", [nn.AdaGrad, nn.RMSProp, nn.Adam, nn.AdamW], ids=lambda f: f.__name__)
def test_a_parameter_without_gradient_stays(make):
    """0 / (0 + eps) is 0, not nan; only the decay of AdamW moves it."""
    theta, opt = np.array([1.0, 1.0]), make(0.1)
    for _ in range(3):
        opt.step(theta, np.array([0.0, 1.0]))
    assert theta[0] == pytest.approx(0.999**3 if make is nn.AdamW else 1.0, rel=1e-14) and theta[1] < 0.9


def test_without_decay_adamw_is_adam():
    rng, one, other = np.random.default_rng(3), np.ones((2, 5)), np.ones((2, 5))
    lr = np.array([[0.1], [0.01]])
    a, b = nn.Adam(lr), nn.AdamW(lr, weight_decay=0.0)
    for _ in range(5):
        g = rng.normal(size=(2, 5))
        a.step(one, g)
        b.step(other, g)
    np.testing.assert_array_equal(one, other)


def test_decay_is_not_scaled_by_the_gradient():
    """Two weights, one with gradients a thousand times the other's: both lose the same share to the decay."""
    rng, decayed, plain = np.random.default_rng(4), np.ones(2), np.ones(2)
    a, b = nn.AdamW(1e-3, weight_decay=0.5), nn.Adam(1e-3)
    for _ in range(100):
        g = rng.normal(size=2) * [1.0, 1000.0]
        a.step(decayed, g)
        b.step(plain, g)
    lost = plain - decayed
    np.testing.assert_allclose(lost, 1 - (1 - 5e-4) ** 100, rtol=0.05)


def test_configuration_and_state_are_public():
    opt = nn.Adam(0.01)
    assert repr(opt) == "Adam(lr=0.01, beta1=0.9, beta2=0.999, eps=1e-08)" and opt.t == 0
    opt.step(np.zeros(3), np.ones(3))
    assert opt.t == 1 and opt.m.shape == opt.v.shape == (3,)
    assert repr(nn.AdamW(0.01)) == "AdamW(lr=0.01, beta1=0.9, beta2=0.999, eps=1e-08, weight_decay=0.01)"
    assert repr(nn.AdaGrad(1)) == "AdaGrad(lr=1.0, eps=1e-08)"
    assert repr(nn.RMSProp(0.01)) == "RMSProp(lr=0.01, beta=0.9, eps=1e-08)"
    assert repr(nn.Nesterov(0.01)) == "Nesterov(lr=0.01, momentum=0.9)"
    assert nn.SGD(np.float32(0.5)).lr == 0.5 and type(nn.SGD(np.float64(0.5)).lr) is float
