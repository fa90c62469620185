"""Attention and the transformer block, forward directly above backward.

A batch is (n, T, d): n sequences of T tokens, each a vector of d numbers. A mask is boolean, True where a
query (row) may look at a key (column), and broadcasts to the scores: `np.tri(T, dtype=bool)` is causal, and
(n, 1, 1, T) says which tokens are real. A query that may look nowhere gets zeros.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from .activations import relu, relu_backward, rowmax, rowsum, softmax_backward
from .errors import ShapeError, check_count
from .layers import dense, dense_backward, layer_norm, layer_norm_backward


def attention(q, k, v, mask=None):
    """Scaled dot-product attention, eq:attention: softmax(q k^T / sqrt(d)) v, means of v.

    q: queries (..., T, d). k: keys (..., S, d). v: values (..., S, d_v). mask: to broadcast to (..., T, S).
    Returns (out (..., T, d_v), weights (..., T, S)). Raises ShapeError if the shapes do not fit, TypeError
    for a mask that is not boolean.
    Source: Vaswani et al. (2017), Attention is all you need, section 3.2.1.

    >>> q, k, v = np.eye(2), 10 * np.eye(2), np.array([[1.0], [5.0]])
    >>> out, weights = attention(q, k, v)
    >>> weights.round(3)
    array([[0.999, 0.001],
           [0.001, 0.999]])
    """
    _check_qkv(q, k, v)
    a = (q * (1 / sqrt(q.shape[-1]))) @ k.mT
    if mask is not None:
        _check_mask(mask, a.shape)
        a = np.where(mask, a, np.finfo(a.dtype).min)
    if a.shape[-1]:
        a -= rowmax(a)
        np.exp(a, out=a)
        if mask is not None:
            a *= mask
        total = rowsum(a)
        a /= total + (total == 0)  # 0 for who may look nowhere
    return a @ v, a


def attention_backward(dout, q, k, v, weights):
    """Gradients of attention, eq:attention-backward, through the mean, the softmax and the scores.

    dout: (..., T, d_v). q, k, v: what `attention` was given; weights: those it returned. Returns (dq, dk,
    dv). Raises ShapeError if dout is not shaped like its output.
    """
    shape = *weights.shape[:-1], v.shape[-1]
    _check_upstream("attention_backward", "dout", dout, shape)
    ds = softmax_backward(dout @ v.mT, weights)
    ds *= 1 / sqrt(q.shape[-1])
    return ds @ k, ds.mT @ q, weights.mT @ dout


def self_attention(x, W, b, Wo, bo, heads, mask=None):
    """Multi-head self-attention, eq:self-attention: x asks itself, d / heads wide in each head.

    x: (..., n, T, d). W, b: (..., d, 3d) and (..., 3d), make queries, keys and values. Wo, bo: (..., d, d)
    and (..., d), mix what the heads found. mask: to broadcast to (..., n, heads, T, T). Returns (out like x,
    cache); cache[3] are the weights. Raises ShapeError if the shapes do not fit or heads does not divide d.
    Source: Vaswani et al. (2017), Attention is all you need, section 3.2.2.
    """
    if x.ndim < 3 or x.shape[-1] % heads or W.shape[-1] != 3 * x.shape[-1]:
        got = f"x has shape {x.shape}, W {W.shape} and there are {heads} heads"
        want = "x must be (n, T, d), W (d, 3d) and heads a divisor of d"
        raise ShapeError(f"self_attention: {got}; {want}")
    *lead, n, T, d = x.shape
    rows = x.reshape(*lead, n * T, d)
    qkv = dense(rows, W, b)
    parts = qkv.reshape(*qkv.shape[:-2], n, T, 3, heads, d // heads)
    q, k, v = np.moveaxis(parts, (-3, -2), (0, -3))
    found, weights = attention(q, k, v, mask)
    found = found.swapaxes(-2, -3).reshape(*qkv.shape[:-1], d)
    out = dense(found, Wo, bo).reshape(*qkv.shape[:-2], n, T, d)
    return out, (q, k, v, weights, rows, found)


def self_attention_backward(dout, cache, W, Wo):
    """Gradients of multi-head self-attention, eq:self-attention-backward: the same steps, from the end.

    dout: like x. cache: what `self_attention` returned. Returns (dx, dW, db, dWo, dbo). Raises ShapeError if
    dout is not shaped like x.
    """
    q, k, v, weights, rows, found = cache
    *lead, heads, T, width = q.shape
    shape = *lead, T, heads * width
    _check_upstream("self_attention_backward", "dout", dout, shape)
    dfound, dWo, dbo = dense_backward(dout.reshape(found.shape), found, Wo)
    dheads = dfound.reshape(*lead, T, heads, width).swapaxes(-2, -3)
    parts = np.stack(attention_backward(dheads, q, k, v, weights))
    parts = np.moveaxis(parts, (0, -3), (-3, -2))
    dqkv = parts.reshape(*found.shape[:-1], 3 * heads * width)
    dx, dW, db = dense_backward(dqkv, rows, W)
    return dx.reshape(dout.shape), dW, db, dWo, dbo


@dataclass(frozen=True)
class Block:
    """Transformer block: tokens look at each other, then each thinks by itself, in two residual steps.

    d: width of a token. heads: of its attention. hidden: units of its ReLU layer. name: begins the names of
    its parameters, so that several blocks fit into one `Params`. causal: whether a token sees only itself and
    what is before it. A frozen configuration, as `MLP`. Raises ValueError for bad sizes.
    """

    d: int
    heads: int
    hidden: int
    name: str = ""
    causal: bool = True

    def __post_init__(self):
        for size in ("d", "heads", "hidden"):
            check_count("Block", size, getattr(self, size))
        if self.d % self.heads:
            raise ValueError(f"Block: {self.heads} heads can't share d = {self.d}; take a divisor of it")

    @property
    def shapes(self):
        """Name to shape, in the order in which they are used."""
        d, m = self.d, self.hidden
        sizes = {"gamma1": (d,), "beta1": (d,), "W": (d, 3 * d), "b": (3 * d,), "Wo": (d, d), "bo": (d,)}
        sizes |= {"gamma2": (d,), "beta2": (d,), "W1": (d, m), "b1": (m,), "W2": (m, d), "b2": (d,)}
        return {self.name + key: shape for key, shape in sizes.items()}

    def forward(self, p, x, mask=None):
        """Forward pass, eq:block: y = x + attention(norm(x)), z = y + mlp(norm(y)).

        p: Params with these `shapes` and perhaps more. x: (..., n, T, d). mask: besides causality, as in
        `self_attention`. Returns (z like x, cache); cache["weights"] is (..., n, heads, T, T). Raises
        ShapeError if the shapes do not fit, TypeError for a mask that is not boolean.
        Source: Vaswani et al. (2017); norms first, not last: Xiong et al. (2020), On layer normalization in
        the transformer architecture.
        """
        gamma1, beta1, W, b, Wo, bo, *rest = (p[name] for name in self.shapes)
        gamma2, beta2, W1, b1, W2, b2 = rest
        if x.ndim < 3 or x.shape[-1] != self.d:
            want = f"it must be (n, T, {self.d})"
            raise ShapeError(f"Block.forward: x has shape {x.shape}; {want}")
        x = x.reshape(*[1] * (gamma1.ndim + 2 - x.ndim), *x.shape)  # shared by a stack
        if self.causal:
            T = x.shape[-2]
            if mask is not None:
                runs = np.broadcast_shapes(x.shape[:-3], gamma1.shape[:-1])
                _check_mask(mask, (*runs, x.shape[-3], self.heads, T, T))
            mask = np.tri(T, dtype=bool) & (True if mask is None else mask)
        u, *norm1 = layer_norm(x, gamma1, beta1)
        y, looked = self_attention(u, W, b, Wo, bo, self.heads, mask)
        y += x
        u, *norm2 = layer_norm(y, gamma2, beta2)
        rows = u.reshape(*u.shape[:-3], u.shape[-3] * u.shape[-2], self.d)
        a = relu(dense(rows, W1, b1))
        z = dense(a, W2, b2).reshape(y.shape)
        z += y
        cache = {"norm1": norm1, "norm2": norm2, "rows": rows, "a": a}
        return z, cache | {"looked": looked, "weights": looked[3]}

    def backward(self, p, cache, dz, grads):
        """Backward pass, eq:block-backward: each branch adds to what passes by.

        p, cache: as in `forward`. dz: like z. grads: a Params like p, filled in place. Returns dx, like z.
        Raises ShapeError if dz is not.
        """
        gamma1, _, W, _, Wo, _, gamma2, _, W1, _, W2, _ = (p[name] for name in self.shapes)
        rows, a = cache["rows"], cache["a"]
        _check_upstream("Block.backward", "dz", dz, cache["norm2"][0].shape)
        da, dW2, db2 = dense_backward(dz.reshape(rows.shape), a, W2)
        drows, dW1, db1 = dense_backward(relu_backward(da, a), rows, W1)
        du = drows.reshape(dz.shape)
        dy, dgamma2, dbeta2 = layer_norm_backward(du, gamma2, *cache["norm2"])
        dy += dz
        du, *looked = self_attention_backward(dy, cache["looked"], W, Wo)
        dx, dgamma1, dbeta1 = layer_norm_backward(du, gamma1, *cache["norm1"])
        dx += dy
        found = (dgamma1, dbeta1, *looked, dgamma2, dbeta2, dW1, db1, dW2, db2)
        for name, d in zip(self.shapes, found, strict=True):
            grads[name] = d
        return dx


def _check_qkv(q, k, v):
    if min(q.ndim, k.ndim) < 2 or k.shape[-1] != q.shape[-1] or k.shape[:-1] != v.shape[:-1]:
        got = f"q has shape {q.shape}, k {k.shape} and v {v.shape}"
        raise ShapeError(f"attention: {got}; they must be (..., T, d), (..., S, d) and (..., S, d_v)")


def _check_upstream(where, name, given, want):
    if given.shape != want:
        raise ShapeError(f"{where}: {name} has shape {given.shape}; for these it must be {want}")


def _check_mask(mask, shape):
    if np.asarray(mask).dtype != bool:
        raise TypeError(f"attention: mask has dtype {np.asarray(mask).dtype}; it must be bool, True to look")
    try:
        fits = np.broadcast_shapes(np.shape(mask), shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"attention: mask has shape {np.shape(mask)}; it must broadcast to {shape}")
