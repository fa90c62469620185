"""Attacks on a classifier: the worst input near a given one. And one certificate, which no attack can beat.

model has `forward` and `backward`, as `MLP`; p are its parameters, of one network or of a stack. x: rows
(n, d) between low and high. y: labels (n,). epsilon: the radius of the ball that an attack must stay in, a
number or (R, 1) for one per run. norm: np.inf for the largest change of an entry, 2 for the Euclidean length.
"""

import numpy as np

from .activations import leaky_relu, relu, sigmoid, tanh
from .errors import ShapeError, check_count, check_finite, check_range, check_rng, check_rows
from .explain import NOWHERE
from .layers import dense
from .losses import cross_entropy, margin


def project(delta, epsilon, norm=np.inf):
    """Projection on the ball, eq:project: the nearest point to each row of delta within epsilon of 0.

    delta: (..., n, d). Returns the same shape. Raises ValueError for epsilon < 0 or another norm than inf and
    2.
    """
    radius = _radius("project", epsilon, norm, delta.dtype)
    if norm == np.inf:
        return np.clip(delta, -radius, radius)
    length = np.linalg.norm(delta, axis=-1, keepdims=True)
    outside = length > radius
    return delta * np.where(outside, radius / np.where(outside, length, 1), 1)


def fgsm(
    model, p, x, y, epsilon, norm=np.inf, *,
    targeted=False, loss=cross_entropy, low=0.0, high=1.0,
):  # fmt: skip
    """Fast gradient (sign) method, eq:fgsm: one step of size epsilon up the loss, clipped to [low, high].

    targeted: y is what the network should say instead, and the step goes down the loss. Returns the attacked
    x, (n, d), or (R, n, d) for a stack or an epsilon of its shape. Raises ShapeError or ValueError for an x
    that does not fit, is not finite or is outside [low, high], epsilon < 0, another norm, a y that is no
    class.
    Source: Goodfellow, Shlens & Szegedy (2015), Explaining and harnessing adversarial examples.

    >>> from nnmath import MLP
    >>> net = MLP((2, 2))
    >>> p = net.init(np.random.default_rng(0))
    >>> p["W1"] = np.array([[1.0, -1.0], [-1.0, 1.0]])
    >>> fgsm(net, p, np.array([[0.6, 0.5]]), np.array([0]), epsilon=0.1)
    array([[0.5, 0.6]])
    """
    x, radius = _start("fgsm", p, x, epsilon, norm, low, high)
    z, cache = model.forward(p, x)
    up = _uphill(model, p, z, cache, y, norm, targeted, loss)
    return np.clip(x + radius * up, low, high)


def pgd(
    model, p, x, y, epsilon, norm=np.inf, *,
    steps=20, lr=None, restarts=1, rng=None, targeted=False,
    loss=cross_entropy, low=0.0, high=1.0,
):  # fmt: skip
    """Projected gradient descent, eq:pgd: steps up the loss, each projected back into the ball around x.

    lr: length of a step, shaped as epsilon; by default 2.5 epsilon / steps. rng: each of the `restarts`
    begins at a random point of the ball; without it there is one, which begins at x. Of all points seen, x
    among them, each row keeps the one with the smallest margin, or with targeted the one with the largest
    margin for y. Returns and raises as `fgsm`; ValueError for restarts without rng.
    Source: Madry, Makelov, Schmidt, Tsipras & Vladu (2018), Towards deep learning models resistant to
    adversarial attacks.
    """
    x, radius = _start("pgd", p, x, epsilon, norm, low, high)
    check_count("pgd", "steps", steps)
    check_count("pgd", "restarts", restarts)
    lr = 2.5 * radius / steps if lr is None else _per_run("pgd", "lr", lr, x.dtype)
    if rng is not None:
        check_rng("pgd", rng)
    elif restarts > 1:
        raise ValueError(f"pgd: restarts is {restarts} without rng; they would all be the same")
    sign = -1 if targeted else 1
    best, least = x.copy(), sign * margin(model.forward(p, x)[0], y)
    for _ in range(restarts):
        now = x
        if rng is not None:
            anywhere = radius * _anywhere(rng, x.shape, norm, x.dtype)
            now = np.clip(x + anywhere, low, high)
        for step in range(steps + 1):
            z, cache = model.forward(p, now)
            left = sign * margin(z, y)
            worse = left < least
            best[worse], least[worse] = now[worse], left[worse]
            if step < steps:
                up = _uphill(model, p, z, cache, y, norm, targeted, loss)
                now = x + project(now + lr * up - x, epsilon, norm)
                now = np.clip(now, low, high)
    return best


def interval_bounds(model, p, low, high):
    """Interval bounds, eq:interval-bounds: between which logits the network stays for all x from low to high.

    model: an `MLP` whose activations never fall (not gelu). low, high: (n, d), the ends of a box, entry by
    entry. Returns (low, high) of z, each (n, k), or (R, n, k) for a stack: no x of the box leaves them (but
    for rounding), and not all between them need be reached. Raises ShapeError for ends that do not fit,
    ValueError for low above high, TypeError for another activation.
    Source: Gowal et al. (2018), On the effectiveness of interval bound propagation.
    """
    dtype = p.theta.dtype
    low, high = np.asarray(low, dtype), np.asarray(high, dtype)
    if low.shape != high.shape:
        raise ShapeError(
            f"interval_bounds: low has shape {low.shape} but high has {high.shape}; they must agree"
        )
    for name, a in (("low", low), ("high", high)):
        check_finite("interval_bounds", name, a)
    if np.any(low > high):
        raise ValueError("interval_bounds: low is above high somewhere; swap these ends")
    for f in model.activations:
        if f not in (relu, leaky_relu, sigmoid, tanh):
            raise TypeError(f"interval_bounds: {f!r} may fall somewhere; take e.g. relu, sigmoid or tanh")
    activations = (*model.activations, None)
    for (W, b), f in zip(model.names, activations, strict=True):
        middle = dense((low + high) / 2, p[W], p[b])
        spread = (high - low) / 2 @ abs(p[W])
        low, high = middle - spread, middle + spread
        if f is not None:
            low, high = f(low), f(high)
    return low, high


def _radius(where, epsilon, norm, dtype):
    if norm not in (2, np.inf):
        raise ValueError(f"{where}: norm is {norm!r}; it must be np.inf or 2")
    return _per_run(where, "epsilon", epsilon, dtype)


def _per_run(where, name, value, dtype):
    """A number, or one per run, as an array that multiplies rows: (1,), or (R, 1, 1)."""
    check_range(where, name, value, 0)
    value = np.asarray(value, dtype)
    if value.ndim and value.shape[-1] != 1:
        raise ShapeError(
            f"{where}: {name} has shape {value.shape}; it must be a number, or (R, 1) for one per run"
        )
    return value[..., None]


def _start(where, p, x, epsilon, norm, low, high):
    """x as a new array with every leading axis of the attack, and the radius."""
    x = check_rows(where, "x", np.asarray(x, p.theta.dtype))
    if not (x.min() >= low and x.max() <= high):
        found = f"x runs from {x.min():.6g} to {x.max():.6g}"
        raise ValueError(f"{where}: {found}; it must stay in [{low}, {high}]")
    radius = _radius(where, epsilon, norm, x.dtype)
    try:
        shape = np.broadcast_shapes(x.shape, radius.shape, (*p.theta.shape[:-1], 1, 1))
    except ValueError:
        runs = f"epsilon is for {radius.shape[:-2]} runs and p for {p.theta.shape[:-1]}"
        raise ShapeError(f"{where}: x has shape {x.shape}, {runs}; they must agree") from None
    return np.broadcast_to(x, shape).copy(), radius


def _uphill(model, p, z, cache, y, norm, targeted, loss):
    """The direction of length 1 in which the loss rises most, or falls most; 0 where the gradient is 0."""
    g = model.backward(p, cache, loss(z, y)[1], NOWHERE)
    g = -g if targeted else g
    if norm == np.inf:
        return np.sign(g)
    length = np.linalg.norm(g, axis=-1, keepdims=True)
    return g / np.where(length > 0, length, 1)


def _anywhere(rng, shape, norm, dtype):
    """Points evenly spread over the ball of radius 1."""
    if norm == np.inf:
        return rng.uniform(-1, 1, shape).astype(dtype)
    v = rng.standard_normal(shape)
    v *= rng.random((*shape[:-1], 1)) ** (1 / shape[-1]) / np.linalg.norm(v, axis=-1, keepdims=True)
    return v.astype(dtype)
