"""Check a derivative that was worked out by hand against differences of the function itself."""

from math import sqrt
from types import SimpleNamespace

import numpy as np

from .errors import ShapeError, check_finite, check_range, check_rng

EPS = float(np.finfo(np.float64).eps)
STEP = EPS ** (1 / 3)  # balances truncation, which grows as h**2, and rounding, which grows as 1 / h


class GradCheck(SimpleNamespace):
    """What `gradcheck` found; `passed`, which is also its truth value, and where it was worst.

    error: the largest relative error, at index (None for a projected difference, which sees all at once).
    given, expected: the derivative there and its difference quotient. count: how many were checked. rtol:
    what is allowed.
    """

    def __bool__(self):
        return self.passed

    def __repr__(self):  # without the error found, whose digits differ from machine to machine
        how = "projected on one random direction" if self.index is None else "each by a central difference"
        what = f"{self.count} derivative{'s' * (self.count != 1)}, {how}"
        if self.passed:
            return f"gradcheck passed: {what}; relative errors below {self.rtol:.0e}"
        where = "along that direction" if self.index is None else f"at index {self.index}"
        return (
            f"gradcheck FAILED: {what}; {where} yours is {self.given:.6g}, the difference quotient "
            f"{self.expected:.6g}: relative error {self.error:.1e}, allowed {self.rtol:.0e}"
        )


def central_difference(f, x, h=None):
    """Central differences, eq:central-difference: (f(x + h) - f(x - h)) / (2 h), entry by entry.

    f: function of an array like x, giving a number, or elementwise an array like x. x: float64, any shape. h:
    step, by default EPS**(1/3) max(1, |x|). Returns the derivative, the shape of x, for two calls per entry.
    Raises ValueError if f gives an array and is not elementwise, or nan; TypeError if anything is not
    float64.
    Source: Nocedal & Wright (2006), Numerical Optimization, section 8.1.
    """
    x, where = _float64("central_difference", "x", x), "central_difference"
    h = STEP * np.maximum(1, np.abs(x)) if h is None else np.full(x.shape, h, float)
    check_range(where, "h", h, 0, open_low=True)
    d = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += h[i]
        down[i] -= h[i]
        change = _call(where, f, up) - _call(where, f, down)
        if change.shape not in ((), x.shape):
            raise ShapeError(f"{where}: f gives shape {change.shape}; make it a number or {x.shape}")
        if np.count_nonzero(change) > (change[i if change.ndim else ()] != 0):
            raise ValueError(f"{where}: f is not elementwise; make it give a number, e.g. np.sum(w * f(x))")
        d[i] = change[i if change.ndim else ()] / (up[i] - down[i])  # the step that was really made
    return d


def projected_difference(f, x, v, h=None):
    """Derivative along v, eq:projected-difference: (f(x + h v) - f(x - h v)) / (2 h), two calls for any size.

    f: function of an array like x, giving a number. x, v: float64, the same shape. h: step, by default
    EPS**(1/3) max(1, norm of x) / norm of v. Returns a float, to compare with sum(grad * v).
    Raises ShapeError if x and v differ or f gives no number, TypeError if anything is not float64.
    Source: Nocedal & Wright (2006), Numerical Optimization, section 8.1.
    """
    where = "projected_difference"
    x, v = _float64(where, "x", x), _float64(where, "v", v)
    if v.shape != x.shape:
        raise ShapeError(f"{where}: v has shape {v.shape} but x has shape {x.shape}; they must agree")
    h = STEP * max(1.0, np.linalg.norm(x)) / max(EPS, np.linalg.norm(v)) if h is None else h
    check_range(where, "h", h, 0, open_low=True)
    change = _call(where, f, x + h * v) - _call(where, f, x - h * v)
    if change.shape != ():
        raise ShapeError(f"{where}: f gives shape {change.shape}; it must give a number")
    return float(change / (2 * h))


def gradcheck(f, x, grad, *, rtol=1e-6, h=None, full=1000, rng=None):
    """Check a gradient by central differences, or by a projected one if x has more than `full` entries.

    f: function giving a number (a loss of theta), or elementwise an array (an activation). x: where, float64.
    grad: the derivative to check, the shape of x. rtol: relative error allowed. h: step. rng: generator of
    the random direction, by default the same each time. Returns a `GradCheck`: print it, or assert it. An
    error counts relative to its derivative, but not to less than 1e-4 of the largest one, nor to so little
    that rounding in f would fail it.
    Raises ShapeError if grad has not the shape of x, TypeError if anything is not float64, ValueError for
    nan.

    >>> x = np.linspace(-2, 2, 5)
    >>> gradcheck(np.sin, x, np.cos(x))
    gradcheck passed: 5 derivatives, each by a central difference; relative errors below 1e-06
    """
    x, grad = _float64("gradcheck", "x", x), _float64("gradcheck", "grad", grad)
    if grad.shape != x.shape:
        raise ShapeError(f"gradcheck: grad has shape {grad.shape} but x has shape {x.shape}; they must agree")
    check_finite("gradcheck", "grad", grad)
    check_range("gradcheck", "rtol", rtol, 0, open_low=True)
    size = np.abs(_call("gradcheck", f, x.copy())).max(initial=0)
    if each := x.size <= full:
        given, expected, step = grad, central_difference(f, x, h), h or STEP
    else:
        rng = np.random.default_rng(0) if rng is None else rng
        check_rng("gradcheck", rng)
        v, step = rng.choice([-1.0, 1.0], x.shape), h or STEP / sqrt(x.size)
        given, expected = np.sum(grad * v), np.asarray(projected_difference(f, x, v, h))
    least = max(1e-4 * np.abs(expected).max(initial=0), EPS * size / (step * rtol), EPS)
    error = np.abs(given - expected) / np.maximum(np.maximum(np.abs(given), np.abs(expected)), least)
    i = np.unravel_index(np.argmax(error), error.shape)
    return GradCheck(
        passed=bool(error[i] <= rtol),
        error=float(error[i]),
        index=tuple(int(k) for k in i) if each else None,
        given=float(given[i]),
        expected=float(expected[i]),
        count=x.size,
        rtol=rtol,
    )


def _float64(where, name, a):
    """Differences of float32 numbers have no digits left: refuse them, and whatever is no real number."""
    a = np.asarray(a)
    a = a.astype(np.float64) if a.ndim == 0 and a.dtype.kind in "iu" else a
    if a.dtype != np.float64:
        raise TypeError(f"{where}: {name} has dtype {a.dtype}; differences need float64")
    return a


def _call(where, f, x):
    value = _float64(where, "what f returns", f(x))
    check_finite(where, "what f returns", value)
    return value
