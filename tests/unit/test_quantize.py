"""Grids of integers: what they hold, how far rounding goes, and what the integers compute."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmath as nn

finite = st.floats(-1e4, 1e4, allow_subnormal=False)  # a step must be a normal number
arrays = st.lists(finite, min_size=1, max_size=20).map(np.array)


@settings(max_examples=60, deadline=None)
@given(low=finite, high=finite, bits=st.integers(1, 16), x=arrays)
def test_affine_rounding_is_off_by_half_a_step_at_most(low, high, bits, x):
    low, high = min(low, high), max(low, high)
    scale, zero = nn.scale_zero(low, high, bits)
    assert scale > 0 and 0 <= zero <= 2**bits - 1 and zero == round(zero)
    assert nn.dequantize(nn.quantize(np.zeros(1), scale, zero, bits), scale, zero) == 0  # 0 is on the grid
    x = np.clip(x, min(low, 0), max(high, 0))
    q = nn.quantize(x, scale, zero, bits)
    assert q.min() >= 0 and q.max() <= 2**bits - 1 and q.dtype == (np.uint8 if bits <= 8 else np.uint16)
    # the rounded zero point moves the ends of the grid by up to half a step, beyond which x is clipped
    assert np.abs(nn.dequantize(q, scale, zero) - x).max() <= scale * (1 + 1e-9)
    inside = (x >= -zero * scale) & (x <= (2**bits - 1 - zero) * scale)
    assert (np.abs(nn.dequantize(q, scale, zero) - x)[inside] <= scale / 2 * (1 + 1e-9)).all()


@settings(max_examples=60, deadline=None)
@given(bits=st.integers(2, 16), x=arrays)
def test_symmetric_rounding_is_off_by_half_a_step_at_most(bits, x):
    scale = nn.symmetric_scale(x, bits)
    q = nn.quantize(x, scale, None, bits)
    assert np.abs(q.astype(int)).max() <= 2 ** (bits - 1) - 1 and q.dtype == (
        np.int8 if bits <= 8 else np.int16
    )
    assert np.abs(nn.dequantize(q, scale) - x).max() <= scale / 2 * (1 + 1e-9)
    np.testing.assert_array_equal(nn.quantize(-x, scale, None, bits), -q)  # no side is favored


def test_the_numbers_written_out():
    """Four levels over [-1, 2]: steps of 1, zero at 1. Seven over +-3: steps of 1."""
    assert nn.scale_zero(-1.0, 2.0, 2) == (1.0, 1.0)
    assert nn.quantize([-9.0, -1.0, 0.4, 1.6, 9.0], 1.0, 1.0, 2).tolist() == [0, 0, 1, 3, 3]
    assert nn.dequantize([0, 1, 3], 1.0, 1.0).tolist() == [-1.0, 0.0, 2.0]
    assert nn.symmetric_scale([-3.0, 1.0], 3) == 1.0
    assert nn.quantize([-9.0, -0.6, 0.5, 1.5, 9.0], 1.0, None, 3).tolist() == [
        -3,
        -1,
        0,
        2,
        3,
    ]  # halves: even
    assert nn.scale_zero(0.0, 0.0) == (1.0, 0.0) and nn.symmetric_scale(np.zeros(3)) == 1.0
    assert nn.scale_zero(0.0, 5e-324) == (1.0, 0.0)  # a step that would be 0
    assert nn.scale_zero(3.0, 5.0, 1) == (5.0, 0.0)  # the range is widened to hold 0


def test_one_bit_is_a_sign_and_a_mean():
    x = np.array([[-3.0, 1.0], [0.0, -4.0]])
    assert nn.symmetric_scale(x, 1) == 2.0
    assert nn.fake_quantize(x, 2.0, 1).tolist() == [[-2.0, 2.0], [2.0, -2.0]]
    assert nn.symmetric_scale(x, 1, axis=-2).tolist() == [[1.5, 2.5]]


def test_per_column_is_column_by_column():
    W = np.random.default_rng(0).normal(size=(6, 4)) * [1.0, 10.0, 0.1, 3.0]
    scale = nn.symmetric_scale(W, 4, axis=-2)
    assert scale.shape == (1, 4)
    for j in range(4):
        own = nn.symmetric_scale(W[:, j], 4)
        assert scale[0, j] == own
        np.testing.assert_array_equal(nn.fake_quantize(W, scale, 4)[:, j], nn.fake_quantize(W[:, j], own, 4))


def test_a_stack_with_a_width_for_each_run_is_its_slices():
    W = np.random.default_rng(1).normal(size=(16, 5, 3))
    bits = np.arange(1, 17)[:, None, None]
    scale = nn.symmetric_scale(W, bits, axis=(-2, -1))
    y, dx = nn.fake_quantize(W, scale, bits), nn.fake_quantize_backward(W, 1.2 * W, scale, bits)
    for r in range(16):
        own = nn.symmetric_scale(W[r], r + 1)
        np.testing.assert_array_equal(y[r], nn.fake_quantize(W[r], own, r + 1))
        np.testing.assert_array_equal(dx[r], nn.fake_quantize_backward(W[r], 1.2 * W[r], own, r + 1))


def test_precision_is_kept_and_inputs_are_left_alone():
    x = np.random.default_rng(2).normal(size=(3, 4)).astype(np.float32)
    before = x.copy()
    scale = nn.symmetric_scale(x)
    assert nn.fake_quantize(x, scale).dtype == np.float32
    assert nn.fake_quantize_backward(x, x, np.float32(scale)).dtype == np.float32
    np.testing.assert_array_equal(x, before)


def test_straight_through_is_the_slope_of_the_clip():
    """In the middle of each step the true slope is 0; that of clipping alone is what the estimator gives."""
    scale, bits = 0.5, 3  # a grid of -1.5 to 1.5, which rounding reaches from +-1.75
    x = np.array([-2.0, -1.76, -1.74, -0.1, 0.0, 1.7, 1.8])
    dx = nn.fake_quantize_backward(np.full(7, 3.0), x, scale, bits)
    assert dx.tolist() == [0, 0, 3, 3, 3, 3, 0]
    assert nn.fake_quantize_backward(np.ones(2), np.array([-1e4, 1e4]), scale, 1).tolist() == [1, 1]
    h = 1e-3
    slope = (nn.fake_quantize(x + h, scale, bits) - nn.fake_quantize(x - h, scale, bits)) / (2 * h)
    assert (slope == 0).all()


@pytest.mark.parametrize("unsigned", [False, True])
def test_the_integer_product_is_exact(unsigned):
    """Against Python's integers, at the largest sums that int32 must hold."""
    rng = np.random.default_rng(3)
    low, high, dtype = (0, 256, np.uint8) if unsigned else (-128, 128, np.int8)
    q, Q = rng.integers(low, high, (5, 40)).astype(dtype), rng.integers(-127, 128, (40, 3)).astype(np.int8)
    zero = 117 if unsigned else 0
    want = [
        [sum((int(a) - zero) * int(b) for a, b in zip(row, column, strict=True)) for column in Q.T]
        for row in q
    ]
    got = nn.integer_dense(q, Q, zero)
    assert got.dtype == np.int32 and got.tolist() == want
    i = 66_000
    worst = nn.integer_dense(np.full((1, i), high - 1, dtype), np.full((i, 1), 127, np.int8))
    assert worst.tolist() == [[(high - 1) * 127 * i]] and (high - 1) * 127 * i < 2**31


def test_integers_and_floats_agree():
    """The product of dequantized floats is the integer product times both scales."""
    rng = np.random.default_rng(4)
    x, W = rng.uniform(-0.3, 1, (7, 64)), rng.normal(size=(64, 10))
    scale, zero = nn.scale_zero(x.min(), x.max())
    sW = nn.symmetric_scale(W, axis=-2)
    q, Q = nn.quantize(x, scale, zero), nn.quantize(W, sW)
    floats = nn.dequantize(q, scale, zero) @ nn.dequantize(Q, sW)
    np.testing.assert_allclose(nn.integer_dense(q, Q, zero) * (scale * sW), floats, rtol=1e-12, atol=1e-12)
    # and exactly, in fractions
    exact = sum(Fraction(int(a) - int(zero)) * int(b) for a, b in zip(q[0], Q[:, 0], strict=True))
    assert exact == nn.integer_dense(q, Q, zero)[0, 0]
    # each product is wrong by no more than the roundings allow
    bound = (np.abs(x) @ np.full_like(W, 0.5) * sW) + 0.5 * scale * np.abs(W).sum(0) + 64 * scale * sW / 4
    assert (np.abs(floats - x @ W) <= bound).all()
