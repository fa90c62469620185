"""How fast descent goes on a quadratic: its curvatures are the eigenvalues of the Hessian.

Near a minimum every smooth loss is nearly such a quadratic. Along each eigenvector a run is on its own.
"""

import numpy as np

from .errors import ShapeError, check_finite, check_range


def hessian(gradient, theta, h=1e-5):
    """Hessian by central differences of a gradient, eq:hessian: symmetric, (P, P), for 2 P calls.

    gradient: function of theta, (P,), giving the gradient (P,). theta: float64. h: step, times max(1, |x|) at
    each entry x. Raises ShapeError if theta is no vector or a gradient not shaped like it, ValueError for
    nan.
    Source: Nocedal & Wright (2006), Numerical Optimization, section 8.1.
    """
    theta = np.asarray(theta, dtype=float)
    if theta.ndim != 1 or theta.size == 0:
        raise ShapeError(f"hessian: theta has shape {theta.shape}; it must be (P,), one network")
    check_range("hessian", "h", h, 0, open_low=True)
    H = np.empty((theta.size, theta.size))
    for i, row in enumerate(H):
        up, down = theta.copy(), theta.copy()
        up[i] += h * max(1, abs(theta[i]))
        down[i] -= h * max(1, abs(theta[i]))
        change = np.array(gradient(up)) - np.array(gradient(down))
        if change.shape != theta.shape:
            raise ShapeError(f"hessian: gradient gives shape {change.shape}; it must be {theta.shape}")
        check_finite("hessian", "what gradient returns", change)
        row[:] = change / (up[i] - down[i])
    return (H + H.T) / 2


def condition_number(curvatures):
    """Condition number, eq:condition-number: the largest curvature over the smallest, at least 1.

    curvatures: eigenvalues of a Hessian, all positive. Returns a float. Raises ValueError if one is not.
    Source: Boyd & Vandenberghe (2004), Convex Optimization, section 9.1.2.
    """
    check_range("condition_number", "curvatures", curvatures, 0, open_low=True)
    return float(np.max(curvatures) / np.min(curvatures))


def contraction(curvature, lr, momentum=0.0):
    """Factor per step at which descent with momentum shrinks an error in the long run, eq:contraction.

    The larger root of r**2 - (1 + momentum - lr curvature) r + momentum, by size: below 1 the run converges.
    curvature: of any sign. lr: positive. momentum: in [0, 1), 0 for plain descent. Arrays are broadcast.
    Returns the factor, a float or an array. Raises ValueError for settings out of range.
    Source: Polyak (1964), Some methods of speeding up the convergence of iteration methods.
    """
    check_finite("contraction", "curvature", np.asarray(curvature, dtype=float))
    check_range("contraction", "lr", lr, 0, open_low=True)
    check_range("contraction", "momentum", momentum, 0, 1)
    lr, momentum = np.asarray(lr, dtype=float), np.asarray(momentum, dtype=float)
    half = (1 + momentum - lr * curvature) / 2
    under = half * half - momentum  # below zero the two roots are complex, and each of size sqrt(momentum)
    r = np.where(under < 0, np.sqrt(momentum), np.abs(half) + np.sqrt(np.maximum(under, 0)))
    return r if r.ndim else float(r)


def best_rate(low, high):
    """Best constant learning rate for curvatures from low to high, eq:best-rate: 2 / (low + high).

    Plain descent then shrinks every error by (k - 1) / (k + 1) a step or better, with k = high / low.
    Raises ValueError unless 0 < low <= high.
    Source: Polyak (1987), Introduction to Optimization, section 1.4.

    >>> rate = best_rate(1, 9)
    >>> rate, contraction(1, rate), contraction(9, rate)
    (0.2, 0.8, 0.8)
    """
    _check("best_rate", low, high)
    return 2 / (low + high)


def best_momentum(low, high):
    """Best constant learning rate and momentum for curvatures from low to high, eq:best-momentum.

    With a, b the roots of low and high: lr = 4 / (b + a)**2 and momentum = ((b - a) / (b + a))**2.
    Every error then shrinks by (sqrt k - 1) / (sqrt k + 1) a step in the long run, with k = high / low.
    Returns (lr, momentum). Raises ValueError unless 0 < low <= high.
    Source: Polyak (1964), Some methods of speeding up the convergence of iteration methods.
    """
    _check("best_momentum", low, high)
    total, difference = high**0.5 + low**0.5, high**0.5 - low**0.5
    return 4 / total**2, (difference / total) ** 2


def _check(where, low, high):
    check_range(where, "low", low, 0, open_low=True)
    check_range(where, "high", high, 0, open_low=True)
    if low > high:
        raise ValueError(f"{where}: low is {low!r} and high is {high!r}; low must not be above high")
