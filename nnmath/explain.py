"""Explanations: which inputs an output rests on, and by how much.

The gradient methods look into a network: model has `forward` and `backward`, as `MLP`, and p are its
parameters. The others only ask a function f of rows (m, d) for one number per row, (m,). x: rows (n, d), each
to be explained. k: the number of an output, one for all rows or one for each, (n,). What is returned, the
attribution, is in units of the output.
"""

from collections import defaultdict
from math import factorial

import numpy as np

from .errors import ShapeError, check_count, check_finite, check_range, check_rng, check_rows

NOWHERE = defaultdict(lambda: None)  # for the parameters' gradients, where only the input's is wanted


def saliency(model, p, x, k):
    """Gradient of output k at the input, eq:saliency: row i is the derivative of z_ik by each entry of x_i.

    x: (..., n, d). Returns (..., n, d), or (R, n, d) for a stack, in units of the output per unit of input.
    Raises ShapeError, TypeError or ValueError for an x that does not fit or is not finite, a k that is no
    output.
    Source: Simonyan, Vedaldi & Zisserman (2014), Deep inside convolutional networks.

    >>> from nnmath import MLP
    >>> net = MLP((2, 1))  # z = 3 x1 - x2
    >>> p = net.init(np.random.default_rng(0))
    >>> p["W1"] = np.array([[3.0], [-1.0]])
    >>> saliency(net, p, np.zeros((1, 2)), k=0)
    array([[ 3., -1.]])
    """
    x = check_rows("saliency", "x", x)
    z, cache = model.forward(p, x)
    k = np.asarray(k)
    if k.dtype.kind not in "iu":
        raise TypeError(f"saliency: k has dtype {k.dtype}; it must be the whole number of an output")
    if k.ndim and k.shape not in (z.shape[:-1], z.shape[-2:-1]):
        raise ShapeError(f"saliency: k has shape {k.shape} but x has shape {x.shape}; one k per row, or one")
    if not (k.min() >= 0 and k.max() < z.shape[-1]):
        last = z.shape[-1] - 1
        raise ValueError(f"saliency: k runs from {k.min()} to {k.max()}; z has outputs 0 to {last}")
    dz = np.zeros_like(z)
    dz[np.broadcast_to(np.arange(z.shape[-1]) == k[..., None], z.shape)] = 1
    return model.backward(p, cache, dz, NOWHERE)


def integrated_gradients(model, p, x, k, baseline=0.0, steps=50):
    """Integrated gradients, eq:integrated-gradients: (x - baseline) * mean gradient on the way from there.

    The mean is taken at the midpoints of `steps` equal pieces of the straight line. baseline: a number or an
    array that broadcasts to x. Returns (..., n, d); a row sums to z_k(x) - z_k(baseline), up to the error of
    the midpoints. Raises what `saliency` raises, ShapeError for a baseline that does not fit.
    Source: Sundararajan, Taly & Yan (2017), Axiomatic attribution for deep networks.
    """
    x = check_rows("integrated_gradients", "x", x)
    way = x - _baseline("integrated_gradients", baseline, x)
    check_count("integrated_gradients", "steps", steps)
    left = (np.arange(steps) + 0.5) / steps  # of the way
    total = sum(saliency(model, p, x - way * float(a), k) for a in left)
    return way * (total / steps)


def smooth_grad(model, p, x, k, sigma, samples, rng):
    """SmoothGrad, eq:smooth-grad: the mean of `samples` gradients, each at x plus normal noise.

    sigma: the noise's standard deviation, in units of x. Returns (..., n, d), as `saliency`. Raises what that
    raises, ValueError for sigma < 0 or samples < 1, TypeError for what is no generator.
    Source: Smilkov, Thorat, Kim, Viégas & Wattenberg (2017), SmoothGrad: removing noise by adding noise.
    """
    x = check_rows("smooth_grad", "x", x)
    check_range("smooth_grad", "sigma", sigma, 0)
    check_count("smooth_grad", "samples", samples)
    check_rng("smooth_grad", rng)
    total = 0
    for _ in range(samples):
        noise = rng.standard_normal(x.shape).astype(x.dtype)
        total += saliency(model, p, x + float(sigma) * noise, k)
    return total / samples


def occlusion(f, x, groups, baseline=0.0):
    """Occlusion, eq:occlusion: how much f falls when a group of inputs is set to the baseline.

    groups: (m, d) of bools, each row the inputs of one group; groups may overlap. baseline: a number or an
    array that broadcasts to x. Returns (n, m). Raises ShapeError for groups or a baseline that do not fit x,
    TypeError for groups that are not bools.
    Source: Zeiler & Fergus (2014), Visualizing and understanding convolutional networks, section 4.2.
    """
    x, groups = check_rows("occlusion", "x", x, ndim=2), np.asarray(groups)
    if groups.dtype != bool:
        raise TypeError(f"occlusion: groups has dtype {groups.dtype}; it must be bool, true where hidden")
    if groups.ndim != 2 or groups.shape[1] != x.shape[1] or len(groups) == 0:
        want = f"x has shape {x.shape}; it must be (m, {x.shape[1]})"
        raise ShapeError(f"occlusion: groups has shape {groups.shape} but {want}")
    baseline = _baseline("occlusion", baseline, x)
    rest = [_ask("occlusion", f, np.where(g, baseline, x)) for g in groups]
    return _ask("occlusion", f, x)[:, None] - np.stack(rest, axis=1)


def shapley(f, x, background):
    """Exact Shapley values, eq:shapley: the mean gain of f when an input joins, over all orders of joining.

    The inputs in a coalition are those of x, the others those of a row of background, (b, d); a coalition's
    worth is the mean of f over its rows. Asks f about 2**d n b rows: d is at most 16. Returns (n, d); a row
    sums to f(x) - mean f(background). Raises ShapeError or ValueError for arrays that do not fit, ValueError
    for a larger d.
    Source: Shapley (1953), A value for n-person games; Lundberg & Lee (2017), A unified approach to
    interpreting model predictions.

    >>> f = lambda x: x[:, 0] * x[:, 1]
    >>> shapley(f, np.array([[2.0, 3.0]]), background=np.zeros((1, 2)))
    array([[3., 3.]])
    """
    x, background = _both("shapley", x, background)
    (n, d), players = x.shape, np.arange(x.shape[1])
    if d > 16:
        raise ValueError(f"shapley: x has {d} inputs, or 2**{d} coalitions; above 16 use shapley_sample")
    inside = (np.arange(2**d)[:, None] >> players) & 1 > 0  # (2**d, d)
    rows = (np.where(s, x[:, None], background) for s in inside)
    worth = np.stack([_ask("shapley", f, r).mean(axis=1) for r in rows])
    size = inside.sum(axis=1)
    orders = [factorial(s) * factorial(d - 1 - s) for s in range(d)]
    weight = np.array(orders) / factorial(d)
    phi = np.empty((n, d))
    for i in players:
        without = np.flatnonzero(~inside[:, i])
        gain = worth[without + (1 << i)] - worth[without]
        phi[:, i] = weight[size[without]] @ gain
    return phi


def shapley_sample(f, x, background, permutations, rng):
    """Sampled Shapley values, eq:shapley-sample: the mean gain over random orders, and its standard error.

    Each order starts from one random row of background and lets the inputs of x join one after the other.
    permutations: how many orders, at least 2. Asks f about (d + 1) n rows for each. Returns (phi, error),
    each (n, d). Raises as `shapley`, but for any d, and TypeError for what is no generator.
    Source: Castro, Gómez & Tejada (2009), Polynomial calculation of the Shapley value based on sampling;
    Štrumbelj & Kononenko (2014).
    """
    x, background = _both("shapley_sample", x, background)
    check_count("shapley_sample", "permutations", permutations)
    if permutations < 2:
        raise ValueError("shapley_sample: permutations is 1; the standard error needs at least 2")
    check_rng("shapley_sample", rng)
    d = x.shape[1]
    gains = np.empty((permutations, *x.shape))
    for g in gains:
        order = rng.permutation(d)
        start = background[rng.integers(len(background))]
        joined = np.argsort(order) < np.arange(d + 1)[:, None]  # (d + 1, d)
        worth = _ask("shapley_sample", f, np.where(joined, x[:, None], start))
        g[:, order] = np.diff(worth, axis=1)
    error = gains.std(axis=0, ddof=1) / np.sqrt(permutations)
    return gains.mean(axis=0), error


def _ask(where, f, rows):
    """f of rows (..., d), asked as one table (m, d); returns (...)."""
    table = rows.reshape(-1, rows.shape[-1])
    values = np.asarray(f(table))
    if values.shape != table.shape[:1]:
        want = f"rows of shape {table.shape}; it must return {table.shape[:1]}"
        raise ShapeError(f"{where}: f returned shape {values.shape} for {want}")
    return values.reshape(rows.shape[:-1])


def _both(where, x, background):
    x, background = check_rows(where, "x", x, 2), check_rows(where, "background", background, 2)
    if x.shape[1] != background.shape[1]:
        want = f"x has shape {x.shape}; it must be (b, {x.shape[1]})"
        raise ShapeError(f"{where}: background has shape {background.shape} but {want}")
    return x, background


def _baseline(where, baseline, x):
    baseline = np.asarray(baseline, x.dtype)
    check_finite(where, "baseline", baseline)
    try:
        return np.broadcast_to(baseline, x.shape)
    except ValueError:
        want = f"x has shape {x.shape}; it must broadcast to x"
        raise ShapeError(f"{where}: baseline has shape {baseline.shape} but {want}") from None
