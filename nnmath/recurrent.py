"""Recurrent networks, each directly above its backpropagation through time.

Time comes first: x is (T, n, n_in), x[t] is a batch. In a stack weights have leading axes, and x may be
(T, R, n, n_in). A state of m units is (..., n, m); h[0] is the one before the first step, h[t] after t steps.
lengths: whole numbers (n,), how many of the T steps belong to each sequence; after its last one a sequence
keeps its state, whatever (finite) padding x holds there. No steps, no change: h is h0.
"""

from dataclasses import dataclass

import numpy as np

from .errors import ShapeError, check_count, check_rng
from .layers import dense, dense_backward
from .mlp import xavier
from .params import Params


def rnn(x, h0, Wx, Wh, b, lengths=None):
    """Plain recurrent layer, eq:rnn: each h_t = tanh(x_t Wx + h_(t-1) Wh + b).

    x: (T, ..., n, n_in). h0: (..., n, m). Wx: (..., n_in, m). Wh: (..., m, m). b: (..., m). Returns h (T + 1,
    ..., n, m). Raises ShapeError if the shapes do not fit, ValueError for lengths outside 0 to T.
    Source: Elman (1990), Finding structure in time.
    """
    z, h, live = _start("rnn", 1, x, h0, Wx, Wh, b, lengths)
    for t in range(len(z)):
        z[t] += h[t] @ Wh
        np.tanh(z[t], out=h[t + 1])
        if live is not None:
            np.copyto(h[t + 1], h[t], where=~live[t])
    return h


def rnn_backward(dh, x, h, Wx, Wh, lengths=None, need_dx=True):
    """Backpropagation through time, eq:rnn-backward: dz_t = (dh_t + dz_(t+1) Wh^T) (1 - h_t^2).

    dh: (T, ..., n, m), what the loss itself says of h_1, ..., h_T. x, Wx, Wh, lengths: those of `rnn`; h is
    what it returned. Returns (dx, dh0, dWx, dWh, db). Raises ShapeError if dh is not shaped like h[1:].
    Source: Werbos (1990), Backpropagation through time: what it does and how to do it.
    """
    live = _start_backward("rnn_backward", dh, x, h, lengths)
    dz, later = np.empty_like(dh), np.zeros_like(h[0])
    for t in reversed(range(len(dh))):
        later += dh[t]
        np.multiply(later, 1 - h[t + 1] ** 2, out=dz[t])
        if live is None:
            later = dz[t] @ Wh.mT
        else:
            dz[t] *= live[t]
            later = later * ~live[t] + dz[t] @ Wh.mT
    return _gradients(dz, later, x, h, Wx, Wh, need_dx)


def lstm(x, h0, c0, Wx, Wh, b, lengths=None):
    """Long short-term memory, eq:lstm: c_t = f c_(t-1) + i g and h_t = o tanh(c_t).

    The gates i, f, o (sigmoid) and the candidate g (tanh) are the quarters, in the order i, f, g, o, of x_t
    Wx + h_(t-1) Wh + b. x: (T, ..., n, n_in). h0, c0: (..., n, m). Wx: (..., n_in, 4m). Wh: (..., m, 4m). b:
    (..., 4m). Returns (h, c, gates): h, c (T + 1, ..., n, m), gates (T, ..., n, 4m). Raises as `rnn`.
    Source: Hochreiter & Schmidhuber (1997), Long short-term memory; with the forget gate of Gers,
    Schmidhuber & Cummins (2000), Learning to forget.

    >>> rng = np.random.default_rng(0)
    >>> p = Recurrent((3, 4, 1)).init(rng)
    >>> zeros = np.zeros((2, 4))
    >>> x = rng.normal(size=(5, 2, 3))
    >>> h, c, gates = lstm(x, zeros, zeros, p["Wx"], p["Wh"], p["b"])
    >>> h.shape, gates.shape
    ((6, 2, 4), (5, 2, 16))
    """
    gates, h, live = _start("lstm", 4, x, h0, Wx, Wh, b, lengths)
    c, m = np.empty_like(h), h.shape[-1]
    c[0] = _like(h0, c0)
    half = np.repeat(np.array([0.5, 0.5, 1, 0.5], h.dtype), m)
    shift = np.repeat(np.array([0.5, 0.5, 0, 0.5], h.dtype), m)
    for t, a in enumerate(gates):
        a += h[t] @ Wh
        a *= half  # sigmoid(z) = (1 + tanh(z / 2)) / 2: one call for all four
        np.tanh(a, out=a)
        a *= half
        a += shift
        i, f, g, o = _quarters(a, m)
        np.multiply(f, c[t], out=c[t + 1])
        c[t + 1] += i * g
        np.multiply(o, np.tanh(c[t + 1]), out=h[t + 1])
        if live is not None:
            np.copyto(h[t + 1], h[t], where=~live[t])
            np.copyto(c[t + 1], c[t], where=~live[t])
    return h, c, gates


def lstm_backward(dh, x, h, c, gates, Wx, Wh, lengths=None, need_dx=True):
    """Backpropagation through time of the LSTM, eq:lstm-backward: dc_(t-1) = f dc_t and more.

    dh: (T, ..., n, m), what the loss itself says of h_1, ..., h_T. h, c, gates: what `lstm` returned. Returns
    (dx, dh0, dc0, dWx, dWh, db). Raises as `rnn_backward`.
    Source: Graves & Schmidhuber (2005), Framewise phoneme classification with bidirectional LSTM.
    """
    live = _start_backward("lstm_backward", dh, x, h, lengths)
    m, tanh_c = h.shape[-1], np.tanh(c[1:])
    i, f, g, o = _quarters(gates, m)
    dz = gates * (1 - gates)  # first what dc and dh are multiplied by
    di, df, dg, do = _quarters(dz, m)
    di *= g
    df *= c[:-1]
    np.multiply(i, 1 - g * g, out=dg)
    do *= tanh_c
    slope = o * (1 - tanh_c * tanh_c)
    by_dc = dz[..., : 3 * m].reshape(*o.shape[:-1], 3, m)  # a view
    later, dc = np.zeros_like(h[0]), np.zeros_like(h[0])
    for t in reversed(range(len(dh))):
        later += dh[t]
        now = later * slope[t]
        now += dc
        by_dc[t] *= now[..., None, :]
        do[t] *= later
        if live is None:
            dc, later = now * f[t], dz[t] @ Wh.mT
        else:
            dz[t] *= live[t]
            dc = np.where(live[t], now * f[t], dc)
            later = later * ~live[t] + dz[t] @ Wh.mT
    dx, dh0, *weights = _gradients(dz, later, x, h, Wx, Wh, need_dx)
    return dx, dh0, dc, *weights


@dataclass(frozen=True)
class Recurrent:
    """A recurrent layer that reads a sequence, and a dense one that answers from its last state, eq:readout.

    sizes: (n_in, m, n_out). cell: `rnn` or `lstm`. A frozen configuration, as `MLP`; its Params are Wx, Wh, b
    of the layer and Wy, by of the answer. Raises ValueError for bad sizes or another cell.
    """

    sizes: tuple
    cell: object = lstm

    def __post_init__(self):
        if len(self.sizes) != 3 or self.cell not in (rnn, lstm):
            want = "sizes (n_in, m, n_out), and rnn or lstm as cell"
            raise ValueError(f"Recurrent: sizes is {self.sizes} and cell {self.cell!r}; it takes {want}")
        for n in self.sizes:
            check_count("Recurrent", "a size", n)

    @property
    def shapes(self):
        """Name to shape, in the order of theta."""
        n_in, m, n_out = self.sizes
        k = 4 * m if self.cell is lstm else m
        return {"Wx": (n_in, k), "Wh": (m, k), "b": (k,), "Wy": (m, n_out), "by": (n_out,)}

    def init(self, rng, dtype=np.float64):
        """`xavier` weights and zero biases, but 1 for forget gates: new Params. A list of R rngs: a stack.

        Raises TypeError for what is no generator.
        Source of the 1: Jozefowicz, Zaremba & Sutskever (2015), An empirical exploration of recurrent network
        architectures.
        """
        rngs, m = rng if isinstance(rng, (list, tuple)) else [rng], self.sizes[1]
        p = Params(np.zeros((len(rngs), sum(map(np.prod, self.shapes.values()))), dtype), self.shapes)
        for r, g in enumerate(rngs):
            check_rng("Recurrent.init", g)
            for name in ("Wx", "Wh", "Wy"):
                n_in, n_out = self.shapes[name]
                for k in range(0, n_out, width := n_out if name == "Wy" else m):
                    p[name][r, :, k : k + width] = xavier(g, n_in, width)
        p["b"][:, m : 2 * m] = self.cell is lstm
        return p if rngs is rng else p.like(p.theta[0])

    def forward(self, p, x, lengths=None):
        """From x (T, ..., n, n_in) to z = h_T Wy + by (..., n, n_out), and the cache.

        Raises as `rnn`.
        """
        runs = np.broadcast_shapes(p.theta.shape[:-1], x.shape[1:-2])
        h0 = np.zeros((*runs, x.shape[-2], self.sizes[1]), p.theta.dtype)
        state = [h0, h0] if self.cell is lstm else [h0]
        out = self.cell(x, *state, p["Wx"], p["Wh"], p["b"], lengths)
        h = out[0] if self.cell is lstm else out
        return dense(h[-1], p["Wy"], p["by"]), (x, h, out, lengths)

    def backward(self, p, cache, dz, grads, need_dx=True):
        """From dz at the answer to every parameter, into grads. Returns dx, like x."""
        x, h, out, lengths = cache
        dh = np.zeros_like(h[1:])
        last, grads["Wy"], grads["by"] = dense_backward(dz, h[-1], p["Wy"])
        if len(dh):
            dh[-1] = last
        weights = p["Wx"], p["Wh"], lengths, need_dx
        if self.cell is lstm:
            dx, _, _, *dW = lstm_backward(dh, x, *out, *weights)
        else:
            dx, _, *dW = rnn_backward(dh, x, h, *weights)
        grads["Wx"], grads["Wh"], grads["b"] = dW
        return dx


def _start(where, gates, x, h0, Wx, Wh, b, lengths):
    """What x says at all steps in one product, room for the states, and who is still alive at each step."""
    m = Wh.shape[-2]
    if x.ndim < 3 or x.shape[-1] != Wx.shape[-2]:
        want = f"x must be (T, n, {Wx.shape[-2]})"
        raise ShapeError(f"{where}: x has shape {x.shape} but Wx has shape {Wx.shape}; {want}")
    if Wh.shape[-1] != gates * m or Wx.shape[-1] != gates * m or b.shape[-1:] != (gates * m,):
        got = f"Wx {Wx.shape}, Wh {Wh.shape} and b {b.shape}"
        raise ShapeError(f"{where}: {got} do not fit; for {m} units each must end in {gates * m}")
    if h0.shape[-2:] != (x.shape[-2], m):
        got = f"h0 has shape {h0.shape} but x has {x.shape[-2]} sequences and Wh {m} units"
        raise ShapeError(f"{where}: {got}; h0 must be {(x.shape[-2], m)}")
    z = _apart(dense(_whole(x), Wx, b), x)
    h = np.empty((len(x) + 1, *z.shape[1:-1], m), z.dtype)
    h[0] = h0
    return z, h, _live(where, x, lengths)


def _start_backward(where, dh, x, h, lengths):
    if dh.shape != h[1:].shape or len(dh) != len(x):
        got = f"dh has shape {dh.shape}, x {x.shape} and h {h.shape}"
        raise ShapeError(f"{where}: {got}; dh must be {h[1:].shape}, one entry for each step of x")
    return _live(where, x, lengths)


def _like(h0, c0):
    if c0.shape != h0.shape:
        raise ShapeError(f"lstm: c0 has shape {c0.shape} but h0 has shape {h0.shape}; they must agree")
    return c0


def _live(where, x, lengths):
    """(T, n, 1): whether step t belongs to the sequence; None if all do."""
    if lengths is None:
        return None
    lengths = np.asarray(lengths)
    if lengths.shape != x.shape[-2:-1] or lengths.dtype.kind not in "iu":
        got = f"lengths has shape {lengths.shape} and dtype {lengths.dtype}"
        raise ShapeError(f"{where}: {got}; it must be {x.shape[-2:-1]} whole numbers, one per sequence")
    if lengths.size and not (lengths.min() >= 0 and lengths.max() <= len(x)):
        got = f"lengths run from {lengths.min()} to {lengths.max()}"
        raise ValueError(f"{where}: {got}; x has {len(x)} steps, so they must stay in 0 to {len(x)}")
    return (np.arange(len(x))[:, None] < lengths)[..., None]


def _quarters(a, m):
    return a[..., :m], a[..., m : 2 * m], a[..., 2 * m : 3 * m], a[..., 3 * m :]


def _whole(a):
    """(T, ..., n, k) as one batch (..., T n, k): one product for all steps."""
    return np.moveaxis(a, 0, -3).reshape(*a.shape[1:-2], -1, a.shape[-1])


def _apart(a, x):
    """The steps of such a batch again, T and n those of x."""
    return np.moveaxis(a.reshape(*a.shape[:-2], len(x), x.shape[-2], a.shape[-1]), -3, 0)


def _gradients(dz, dh0, x, h, Wx, Wh, need_dx):
    """What all steps together say: dx, dh0, dWx, dWh, db."""
    rows = _whole(dz)
    dx, dWx, db = dense_backward(rows, _whole(x), Wx, need_dx=need_dx)
    _, dWh, _ = dense_backward(rows, _whole(h[:-1]), Wh, need_dx=False)
    return _apart(dx, x) if need_dx else None, dh0, dWx, dWh, db
