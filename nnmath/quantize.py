"""Quantization: numbers as small integers, and what arithmetic and gradients become of it.

A scale is positive and has the shape of x, with 1 where entries share it: () for one scale per tensor,
(1, n_out) for one per column of W. bits may be such an array too, one width for each run of a stack.
"""

import numpy as np

from .errors import ShapeError, check_finite, check_range


def scale_zero(low, high, bits=8):
    """Scale and zero point of a grid of 2**bits integers over [low, high], eq:scale-zero-point.

    The range is first widened to hold 0, which is then a point of the grid. low, high: numbers or arrays.
    bits: 1 to 16. Returns (scale, zero): scale float64, 1 where low = high = 0; zero an integer as a float.
    Raises ValueError for low above high, nan or inf, or bits out of range.
    Source: Jacob et al. (2018), Quantization and training of neural networks for efficient
    integer-arithmetic-only inference, section 2.1.
    """
    levels = 2.0 ** _bits("scale_zero", bits) - 1
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    for name, a in (("low", low), ("high", high)):
        check_finite("scale_zero", name, a)
    if np.any(low > high):
        raise ValueError(f"scale_zero: low is {low} and high is {high}; low must not be above high")
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    scale = (high - low) / levels
    scale = np.where(scale > 0, scale, 1.0)
    return scale[()], np.round(-low / scale)[()]


def symmetric_scale(x, bits=8, axis=None):
    """Scale of a grid that has 0 in its middle, eq:symmetric-scale: max |x| / (2**(bits - 1) - 1).

    axis: over which to take the maximum, None for one scale in all, -2 for one per column of W. One bit has
    no middle: its two values are -scale and scale, with scale the mean of |x|. Returns float64, 1 where all x
    are 0. Raises ValueError for nan or bits out of 1 to 16.
    Source: Jacob et al. (2018); for one bit Rastegari et al. (2016), XNOR-Net.
    """
    bits, size = _bits("symmetric_scale", bits), np.abs(np.asarray(x, float))
    check_finite("symmetric_scale", "x", size)
    how = {"axis": axis, "keepdims": axis is not None}
    top = np.maximum(2.0 ** (bits - 1) - 1, 1)
    scale = np.where(bits == 1, size.mean(**how), size.max(**how) / top)
    return np.where(scale > 0, scale, 1.0)[()]


def quantize(x, scale, zero=None, bits=8):
    """Round to the grid, eq:quantize: q = clip(round(x / scale) + zero, lowest, highest).

    zero: the zero point of `scale_zero`, q then is 0 to 2**bits - 1; None for a symmetric grid, q then is
    within +-(2**(bits - 1) - 1), or -1 and 1 with one bit. Halves go to the even integer. Returns integers in
    x's shape, of the smallest dtype that holds bits. Raises ValueError for nan, a scale not above 0 or bits.

    >>> x = np.array([-1.0, 0.004, 0.5])
    >>> q = quantize(x, scale := symmetric_scale(x))
    >>> q, dequantize(q, scale).round(3)
    (array([-127,    1,   64], dtype=int8), array([-1.   ,  0.008,  0.504]))
    """
    x, bits = np.asarray(x), _bits("quantize", bits)
    check_finite("quantize", "x", x)
    check_range("quantize", "scale", scale, 0, open_low=True)
    if zero is None:
        top = 2.0 ** (bits - 1) - 1
        q = np.clip(np.round(x / scale), -top, top)
        q = np.where(bits == 1, np.where(x < 0, -1, 1), q)
    else:
        q = np.clip(np.round(x / scale) + zero, 0, 2.0**bits - 1)
    kinds = (np.int8, np.int16) if zero is None else (np.uint8, np.uint16)
    return q.astype(kinds[0] if bits.max() <= 8 else kinds[1])


def dequantize(q, scale, zero=None):
    """The numbers that the integers stand for, eq:dequantize: scale (q - zero). Returns float64."""
    check_range("dequantize", "scale", scale, 0, open_low=True)
    return scale * (np.asarray(q, float) - (0 if zero is None else zero))


def fake_quantize(x, scale, bits=8):
    """Round to a symmetric grid and stay a float, eq:fake-quantize. Returns x's shape and dtype.

    Raises as `quantize`.
    """
    x = np.asarray(x)
    y = dequantize(quantize(x, scale, None, bits), scale)
    return y.astype(x.dtype, copy=False)


def fake_quantize_backward(dy, x, scale, bits=8):
    """Straight-through estimator, eq:straight-through: dx = dy within the grid, 0 beyond it.

    dy: gradient at the rounded numbers, shaped like x, which is what went into `fake_quantize`. Within means:
    rounded, not clipped; one bit clips nothing. The true slope is 0 almost everywhere: this is no derivative
    but a choice. Raises ShapeError if dy does not fit.
    Source: Bengio, Leonard & Courville (2013), Estimating or propagating gradients through stochastic
    neurons.
    """
    dy, x = np.asarray(dy), np.asarray(x)
    if dy.shape != x.shape:
        raise ShapeError(f"fake_quantize_backward: dy has shape {dy.shape} but x has shape {x.shape}")
    bits = _bits("fake_quantize_backward", bits)
    top = np.where(bits == 1, np.inf, 2.0 ** (bits - 1) - 0.5)
    return dy * (np.abs(x) <= scale * top)


def integer_dense(q, Q, zero=0):
    """A dense layer's product on integers alone, eq:integer-dense: (q - zero) Q, accumulated in int32.

    q: (..., n, i) int8 or uint8. Q: (i, o) int8. zero: zero point of q. Returns int32 (..., n, o): times both
    scales, x W. Raises TypeError for other dtypes, ValueError for a zero that is no whole number, ShapeError
    if i differs, or if i is so large that a sum could pass 2**31 (beyond 66,000).
    Source: Jacob et al. (2018), section 2.2.
    """
    q, Q = np.asarray(q), np.asarray(Q)
    if q.dtype not in (np.int8, np.uint8) or Q.dtype != np.int8:
        raise TypeError(f"integer_dense: q is {q.dtype} and Q is {Q.dtype}; q must be int8 or uint8, Q int8")
    if q.ndim < 2 or Q.ndim != 2 or q.shape[-1] != len(Q) or len(Q) > 66_000:
        raise ShapeError(f"integer_dense: q has shape {q.shape} but Q has shape {Q.shape}; (n, i) and (i, o)")
    if not (np.ndim(zero) == 0 and -128 <= zero <= 255 and zero == round(zero)):
        raise ValueError(f"integer_dense: zero is {zero!r}; it must be a whole number that q can hold")
    total = q.astype(np.int32) @ Q.astype(np.int32)
    return total - np.int32(zero) * Q.sum(axis=0, dtype=np.int32)


def _bits(where, bits):
    a = np.asarray(bits)
    if a.dtype.kind not in "iu" or not ((a >= 1) & (a <= 16)).all():
        raise ValueError(f"{where}: bits is {bits!r}; it must be a whole number from 1 to 16")
    return a
