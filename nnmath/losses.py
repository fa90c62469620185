"""Losses. Each returns `(loss, dz)`: the loss and its gradient with respect to the network's output z.

z is (n, n_out), or (R, n, n_out) for a stack, whose loss then is (R,); dz has the shape of z; float32 stays
float32. A target has the shape that belongs to one network, shared by all, or that of the stack. It is data:
a wrong shape or range, nan and inf are refused here. A z that is not finite is a run that diverged: its loss
is nan or inf.
"""

import numpy as np

from .activations import last_sum, rowmax, rowsum
from .errors import ShapeError, check_finite


def mse(z, y):
    """Mean squared error and its gradient, eq:mse and eq:mse-backward: the mean over samples and outputs.

    z: predictions (..., n, n_out). y: targets, the shape of z or (n, n_out). Returns (loss, dz).
    Raises ShapeError if the shapes differ (nothing is broadcast), ValueError if y holds nan or inf.
    Source: Legendre (1805); Bishop (2006), Pattern Recognition and Machine Learning, section 5.2.

    >>> loss, dz = mse(np.array([[1.0], [3.0]]), np.array([[1.0], [1.0]]))
    >>> float(loss), dz.ravel()
    (2.0, array([0., 2.]))
    """
    z, y = _check_target("mse", z, y)
    d = z - y
    flat = d.reshape(*z.shape[:-2], -1)
    loss = np.vecdot(flat, flat) / flat.shape[-1]
    fine = abs(loss) < np.inf
    if not (fine.all() if fine.ndim else fine):  # only then look at y: the check costs nothing in a loop
        check_finite("mse", "y", y)
    return loss, d * (2 / flat.shape[-1])


def binary_cross_entropy(z, y):
    """Binary cross-entropy and its gradient, eq:binary-cross-entropy and eq:binary-cross-entropy-backward.

    From logits, summed over outputs, mean over samples, in nats. z: logits (..., n, n_out) of the
    probabilities sigmoid(z). y: targets in [0, 1], the shape of z or (n, n_out). Returns (loss, dz).
    Raises ShapeError if the shapes differ (nothing is broadcast), ValueError if a target is outside [0, 1] or
    nan.
    Source: Bishop (2006), Pattern Recognition and Machine Learning, section 5.2.
    """
    z, y = _check_target("binary_cross_entropy", z, y)
    if not (y.min() >= 0 and y.max() <= 1):
        check_finite("binary_cross_entropy", "y", y)
        raise ValueError(f"binary_cross_entropy: y runs from {y.min()} to {y.max()}; it must stay in [0, 1]")
    n, below = z.shape[-2], np.minimum(z, 0)
    above = z - below  # max(z, 0)
    e = np.exp(below - above)  # exp(-|z|), at most 1
    loss = (above - y * z + np.log1p(e)).reshape(*z.shape[:-2], -1)
    p = np.exp(below) / (1 + e)
    return last_sum(loss) / n, (p - y) * (1 / n)


def cross_entropy(z, y):
    """Cross-entropy of class labels and its gradient, eq:cross-entropy and eq:cross-entropy-backward.

    From logits, mean over samples, in nats. z: logits (..., n, k) of the probabilities softmax(z). y:
    whole-number labels 0 to k - 1, (n,) or (R, n). Returns (loss, dz).
    Raises ShapeError if the shapes differ, TypeError if labels are no integers, ValueError if one is no
    class.
    Source: Bridle (1990), Probabilistic interpretation of feedforward classification network outputs.

    >>> loss, dz = cross_entropy(np.array([[2.0, 0.0, 0.0]]), np.array([0]))
    >>> round(float(loss), 3), dz.round(3)
    (0.24, array([[-0.213,  0.107,  0.107]]))
    """
    z, y = _check_labels("cross_entropy", z, y)
    n, k = z.shape[-2:]
    z = z - rowmax(z)
    e = np.exp(z)
    s = rowsum(e)
    dz = e / (s * n)
    true = np.arange(0, z.size, k).reshape(z.shape[:-1]) + y  # where each row has its class, counted flat
    loss = np.log(s[..., 0]) - z.take(true)
    dz.put(true, dz.take(true) - 1 / n)
    return last_sum(loss) / n, dz


def accuracy(z, y):
    """Share of samples whose largest output is that of the true class, eq:accuracy.

    z: logits or probabilities (..., n, k). y: whole-number labels, (n,) or (R, n). Returns () or (R,), in [0,
    1].
    Raises what `cross_entropy` raises.
    """
    z, y = _check_labels("accuracy", z, y)
    return np.mean(z.argmax(axis=-1) == y, axis=-1)


def margin(z, y):
    """Margin, eq:margin: the true class's logit less the largest of the others; negative if wrong.

    z: logits (..., n, k). y: whole-number labels, (n,) or (R, n). Returns (..., n), in units of the logits.
    Raises what `cross_entropy` raises.
    Source: Crammer & Singer (2001), On the algorithmic implementation of multiclass kernel-based vector
    machines.
    """
    z, y = _check_labels("margin", z, y)
    true = np.arange(z.shape[-1]) == y[..., None]
    rival = np.max(z, axis=-1, where=~true, initial=-np.inf)
    return np.sum(z, axis=-1, where=true) - rival


def confusion_matrix(z, y):
    """How often class i (row) was answered j (column), eq:confusion-matrix; the answer is the largest output.

    z: logits or probabilities (..., n, k). y: whole-number labels, (n,) or (R, n). Returns counts (..., k,
    k): accuracy is the share on the diagonal.
    Raises what `cross_entropy` raises.

    >>> z = np.array([[3.0, 1.0], [2.0, 0.0], [0.0, 9.0]])
    >>> confusion_matrix(z, np.array([0, 1, 1]))
    array([[1, 0],
           [1, 1]])
    """
    z, y = _check_labels("confusion_matrix", z, y)
    k, runs = z.shape[-1], z.shape[:-2]
    cell = k * y + z.argmax(axis=-1) + k * k * np.arange(np.prod(runs, dtype=int)).reshape(*runs, 1)
    return np.bincount(cell.ravel(), minlength=k * k * np.prod(runs, dtype=int)).reshape(*runs, k, k)


def _check_target(name, z, y):
    """A target must have the shape of z, or of one network's slice of it."""
    z, y = np.asarray(z), np.asarray(y)
    if z.ndim < 2 or z.size == 0:
        raise ShapeError(f"{name}: z has shape {z.shape}; it must be (n, n_out), one row per sample")
    if y.shape != z.shape and y.shape != z.shape[-2:]:
        hint = f"; use y[:, None] for shape {z.shape[-2:]}" if (*y.shape, 1) == z.shape[-2:] else ""
        raise ShapeError(f"{name}: y has shape {y.shape} but z has shape {z.shape}; they must agree{hint}")
    return z, y


def _check_labels(name, z, y):
    z, y = np.asarray(z), np.asarray(y)
    if z.ndim < 2 or z.size == 0:
        raise ShapeError(f"{name}: z has shape {z.shape}; it must be (n, k), one row per sample")
    if y.shape != z.shape[:-1] and y.shape != z.shape[-2:-1]:
        want = z.shape[-2:-1]
        raise ShapeError(f"{name}: y has shape {y.shape} but z has shape {z.shape}; y must be {want}")
    if y.dtype.kind not in "iu":
        raise TypeError(f"{name}: y has dtype {y.dtype}; class labels are integers, e.g. y.astype(int)")
    index = y.astype(np.intp, copy=False)
    if not index.view(np.uintp).max() < z.shape[-1]:  # unsigned, a negative one is too large too
        last = z.shape[-1] - 1
        raise ValueError(f"{name}: labels run from {y.min()} to {y.max()}; z has classes 0 to {last}")
    return z, index
