"""What can go wrong at the public boundary, and the checks that say so."""

import numpy as np


class ShapeError(ValueError):
    """Two arrays, or an array and a network, do not fit together."""


class DivergenceError(ArithmeticError):
    """A training run left the finite numbers.

    `step`, `epoch`, `loss` and `learning_rate` are those of the step at which it did (loss and rate may have
    one entry per run); `history` is what `fit` recorded until then, that step included.
    """

    def __init__(self, message, step=None, epoch=None, loss=None, learning_rate=None, history=None):
        super().__init__(message)
        self.step, self.epoch, self.loss = step, epoch, loss
        self.learning_rate, self.history = learning_rate, history


def check_finite(where, name, a):
    """Refuse nan and inf in `a`, naming the first offending index."""
    finite = np.isfinite(a)
    if not finite.all():
        index = tuple(int(i) for i in np.unravel_index(np.argmin(finite), finite.shape))
        raise ValueError(f"{where}: {name} has {a[index]} at index {index}; remove or replace it")


def check_rows(where, name, a, ndim=None):
    """Refuse what is no table of rows (..., n, d), or not finite; return it, whole numbers as floats."""
    a = np.asarray(a)
    if a.dtype.kind != "f":
        a = a.astype(float)
    if a.size == 0 or a.ndim < 2 or a.ndim != (ndim or a.ndim):
        raise ShapeError(f"{where}: {name} has shape {a.shape}; it must be (n, d), one row per sample")
    check_finite(where, name, a)
    return a


def check_count(where, name, value):
    """Refuse anything but a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{where}: {name} is {value!r}; it must be a whole number of at least 1")


def check_range(where, name, value, low, high=np.inf, *, open_low=False):
    """Refuse a number, or an array with one, outside [low, high), or outside (low, high) if `open_low`."""
    try:
        a = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        a = np.array(np.nan)
    if not (((a > low) if open_low else (a >= low)) & (a < high)).all():
        bounds = f"{'above' if open_low else 'at least'} {low} and "
        bounds += "finite" if high == np.inf else f"below {high}"
        raise ValueError(f"{where}: {name} is {value!r}; it must be {bounds}")


def check_rng(where, rng):
    """Refuse anything but a NumPy generator: no seed, no global state."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"{where}: rng is {rng!r}; pass a generator, e.g. np.random.default_rng(0)")
