"""Schedules against numbers written out, against their properties, and through an optimizer."""

from fractions import Fraction
from math import cos, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmath as nn

RATES = np.array([[0.1], [0.02], [3.0]])
MAKE = {  # each with a first rate of lr
    "step_decay": lambda lr: nn.step_decay(lr, 0.5, 3),
    "inverse_time": lambda lr: nn.inverse_time(lr, 4),
    "cosine": lambda lr: nn.cosine(lr, 8),
    "cosine, not to zero": lambda lr: nn.cosine(lr, 8, 0.01),
    "warmup of a rate": lambda lr: nn.warmup(lr, 4),
    "warmup of a schedule": lambda lr: nn.warmup(nn.step_decay(lr, 0.5, 3), 4),
}
each = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE.keys())


def test_step_decay_by_hand():
    rates = [nn.step_decay(8.0, 0.25, 3)(t) for t in range(8)]
    assert rates == [8, 8, 8, 2, 2, 2, 0.5, 0.5]


def test_inverse_time_by_hand():
    rates = [nn.inverse_time(Fraction(1), 4)(t) for t in range(6)]
    assert rates == pytest.approx([1 / (1 + t / 4) for t in range(6)], rel=1e-15)
    assert [nn.inverse_time(0.6, 10)(t) for t in (0, 10, 20, 50)] == pytest.approx(
        [0.6, 0.3, 0.2, 0.1], rel=1e-15
    )


def test_cosine_by_hand():
    schedule = nn.cosine(2.0, 6)
    want = [2, 1 + cos(pi / 6), 1.5, 1, 0.5, 1 - cos(pi / 6), 0, 0, 0]
    assert [schedule(t) for t in range(9)] == pytest.approx(want, abs=1e-15)
    schedule = nn.cosine(2.0, 6, 1.0)
    assert [schedule(t) for t in (0, 2, 3, 4, 6, 600)] == pytest.approx([2, 1.75, 1.5, 1.25, 1, 1], abs=1e-15)


def test_warmup_by_hand():
    schedule = nn.warmup(2.0, 4)
    assert [schedule(t) for t in range(7)] == [0.5, 1, 1.5, 2, 2, 2, 2]
    schedule = nn.warmup(nn.step_decay(16.0, 0.5, 2), 4)
    assert [schedule(t) for t in range(7)] == [16 / 4, 16 / 2, 8 * 3 / 4, 8, 4, 4, 2]
    assert nn.warmup(2.0, 1)(0) == 2


@each
@settings(max_examples=60, deadline=None)
@given(lr=st.floats(0.02, 1e4), t=st.integers(0, 10**9))
def test_rates_stay_between_zero_and_the_first(make, lr, t):
    schedule = make(lr)
    rate = schedule(t)
    assert np.isfinite(rate) and 0 <= rate <= lr * (1 + 1e-12)
    assert make(2 * lr)(t) >= rate


@pytest.mark.parametrize("name", ["step_decay", "inverse_time", "cosine", "cosine, not to zero"])
def test_rates_fall(name):
    rates = [MAKE[name](0.1)(t) for t in range(30)]
    assert rates[0] == pytest.approx(0.1) and rates == sorted(rates, reverse=True) and rates[-1] < 0.02


@each
def test_one_rate_per_run(make):
    many = make(RATES)
    for t in (0, 1, 2, 5, 8, 40):
        rates = many(t)
        assert rates.shape == (3, 1)
        np.testing.assert_allclose(rates[:, 0], [make(lr)(t) for lr in RATES[:, 0]], rtol=1e-15)


@each
@pytest.mark.parametrize("optimizer", [nn.SGD, nn.Momentum, nn.Nesterov, nn.Adam], ids=lambda f: f.__name__)
def test_a_stack_with_a_schedule_is_its_slices(make, optimizer):
    rng, dtype = np.random.default_rng(1), np.float32
    theta, stack = np.zeros((3, 4), dtype), optimizer(make(RATES))
    singles = [(np.zeros(4, dtype), optimizer(make(lr))) for lr in RATES[:, 0]]
    for _ in range(12):
        g = rng.normal(size=(3, 4)).astype(dtype)
        stack.step(theta, g)
        for (one, opt), gi in zip(singles, g, strict=True):
            opt.step(one, gi)
    assert theta.dtype == dtype
    np.testing.assert_allclose(theta, [one for one, _ in singles], rtol=1e-5, atol=1e-6)


def test_an_optimizer_asks_for_the_step_it_takes():
    """The first step is t = 0: with warm-up it is small but not nothing."""
    theta, opt, seen = np.zeros(1), nn.SGD(nn.warmup(nn.cosine(1.0, 10), 4)), []
    for _ in range(11):
        before = theta.copy()
        opt.step(theta, np.ones(1))
        seen.append(float((before - theta)[0]))
    want = [min((t + 1) / 4, 1) * (1 + cos(pi * t / 10)) / 2 for t in range(11)]
    np.testing.assert_allclose(seen, want, rtol=1e-12, atol=1e-15)


def test_inverse_time_sums_as_robbins_and_monro_want():
    """The rates add up without limit (like a logarithm), their squares do not."""
    schedule = nn.inverse_time(1.0, 10)
    rates = np.array([schedule(t) for t in range(40_000)])
    sums, squares = np.cumsum(rates), np.cumsum(rates**2)
    assert sums[39_999] - sums[19_999] == pytest.approx(10 * np.log(2), rel=1e-2)  # every doubling adds this
    assert squares[-1] < 11 and squares[-1] - squares[19_999] < 0.01
