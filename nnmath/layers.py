"""Layers as pure functions, each directly above its derivative."""

import numpy as np

from .activations import ones, rowsum
from .errors import ShapeError, check_range, check_rng


def dense(x, W, b):
    """Fully connected layer, eq:dense: z = x W + b; the rows of x are samples.

    x: (..., n, n_in). W: (..., n_in, n_out). b: (..., n_out), with the leading axes of W. Returns z (..., n,
    n_out). An x without leading axes is shared by all networks of a stack. Raises ShapeError if the shapes do
    not fit.

    >>> W, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.0, 10.0])
    >>> dense(np.ones((3, 2)), W, b)
    array([[ 4., 16.],
           [ 4., 16.],
           [ 4., 16.]])
    """
    if x.ndim < 2 or x.shape[-1] != W.shape[-2]:
        want = f"x must be (n, {W.shape[-2]})"
        raise ShapeError(f"dense: x has shape {x.shape} but W has shape {W.shape}; {want}")
    if b.shape[-1:] != W.shape[-1:] or b.ndim != W.ndim - 1:
        want = W.shape[:-2] + W.shape[-1:]
        raise ShapeError(f"dense: b has shape {b.shape} but W has shape {W.shape}; b must be {want}")
    z = _product(x, W, W)
    z += b[..., None, :]
    return z


def dense_backward(dz, x, W, *, dW=None, db=None, need_dx=True):
    """Gradients of the dense layer, eq:dense-backward: dx = dz W^T, dW = x^T dz, db = sum of dz's rows.

    dz: upstream gradient (..., n, n_out). x, W: what `dense` was given. dW, db: arrays to fill. need_dx:
    False saves a third of the work where nobody asks for dx. Returns (dx, dW, db), dx None if not needed. A W
    without leading axes that served many x's has the sum of their gradients. Raises ShapeError if dz is not
    shaped like z.
    """
    if dz.ndim < x.ndim or dz.ndim < W.ndim or dz.shape[-2] != x.shape[-2] or dz.shape[-1] != W.shape[-1]:
        want = (*max(x.shape[:-2], W.shape[:-2], key=len), x.shape[-2], W.shape[-1])
        raise ShapeError(f"dense_backward: dz has shape {dz.shape}; for this x and W it must be {want}")
    dx = _product(dz, W.mT, W) if need_dx else None
    if W.ndim == 2 and dz.ndim > 2:
        dz, x = dz.reshape(-1, dz.shape[-1]), x.reshape(-1, x.shape[-1])
    dW = _product(x.mT, dz, W, out=dW)
    if _runs_last(W):
        return dx, dW, np.einsum("...no->...o", dz, out=db)
    return dx, dW, _product(ones(dz.shape[-2], dz.dtype), dz, W, out=db)


def dropout(a, rate, rng):
    """Inverted dropout, eq:dropout: each entry of a is dropped with probability rate, the rest grow to match.

    a: any shape. rate: the share that is dropped, in [0, 1), or raises ValueError; (R, 1, 1) for one per run.
    rng: a generator, or raises TypeError. Returns (a * mask, mask); mask is 0 or 1 / (1 - rate), shaped like
    a and as precise. For training only: a network in use drops nothing.
    Source: Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov (2014), Dropout, section 10 (inverted).
    """
    check_range("dropout", "rate", rate, 0, 1)
    check_rng("dropout", rng)
    mask = (rng.random(a.shape) >= rate) * a.dtype.type(1 / (1 - rate))
    return a * mask, mask


def dropout_backward(da, mask):
    """Gradient of dropout, eq:dropout-backward: da * mask, with the mask of the forward pass.

    Raises ShapeError if da is not shaped like it.
    """
    if da.shape != mask.shape:
        raise ShapeError(
            f"dropout_backward: da has shape {da.shape} but mask has shape {mask.shape}; they must agree"
        )
    return da * mask


def layer_norm(x, gamma, beta, eps=1e-5):
    """Layer normalization, eq:layer-norm: rows to mean 0, variance 1, then gamma, beta.

    x: (..., d), in a stack with the leading axes of gamma, or without, shared. gamma, beta: (..., d). eps:
    added to the variance. Returns (out, u, scale): u is x normalized, scale 1 / sqrt(variance + eps), both
    for the backward pass. Raises ShapeError if the shapes do not fit.
    Source: Ba, Kiros & Hinton (2016), Layer normalization.

    >>> x = np.array([[1.0, 2.0, 3.0]])
    >>> out, u, scale = layer_norm(x, gamma=np.ones(3), beta=np.zeros(3))
    >>> out.round(2)
    array([[-1.22,  0.  ,  1.22]])
    """
    d = x.shape[-1]
    if gamma.shape[-1:] != (d,) or beta.shape != gamma.shape:
        got = f"x has shape {x.shape}, gamma {gamma.shape}, beta {beta.shape}"
        raise ShapeError(f"layer_norm: {got}; gamma and beta must end in {d}")
    u = x - rowsum(x) / d
    scale = 1 / np.sqrt(rowsum(u * u) / d + eps)
    u *= scale
    return u * _for_rows(gamma, x) + _for_rows(beta, x), u, scale


def layer_norm_backward(dout, gamma, u, scale):
    """Gradients of layer normalization, eq:layer-norm-backward: gamma dout less mean and u.

    dout: like x. gamma, u, scale: what `layer_norm` was given and returned. Returns (dx, dgamma, dbeta).
    Raises ShapeError if dout does not end as u does.
    """
    if dout.shape[-2:] != u.shape[-2:]:
        got = f"dout has shape {dout.shape} but u has shape {u.shape}"
        raise ShapeError(f"layer_norm_backward: {got}; they must agree")
    d, rows = u.shape[-1], tuple(range(gamma.ndim - 1, dout.ndim - 1))
    du = dout * _for_rows(gamma, dout)
    dx = (du - rowsum(du) / d - u * (rowsum(du * u) / d)) * scale
    return dx, np.sum(dout * u, axis=rows), np.sum(dout, axis=rows)


def _for_rows(a, x):
    """gamma (..., d) of each network, between whose axes and d those of the samples of x come."""
    return a.reshape(*a.shape[:-1], *[1] * (x.ndim - a.ndim), a.shape[-1])


def _runs_last(W):
    """Whether the runs of a stack are neighbors in memory, as `MLP.init` lays out many tiny networks."""
    return W.ndim == 3 and W.strides[0] == W.itemsize


def _product(a, b, W, out=None):
    """The matrix product a b; einsum goes along runs that are neighbors, twice as fast as tiny products."""
    if b.ndim == 2 and a.ndim <= 2 and (out is None or out.flags.c_contiguous):
        return a.dot(b, out)  # what matmul does, in half the time if the matrices are tiny
    if _runs_last(W):
        return np.einsum("...ij,...jk->...ik", a, b, out=out)
    return np.matmul(a, b, out=out)
