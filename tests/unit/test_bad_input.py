"""Every public callable refuses what it cannot use, and says what it got, what it wanted and what to do.

A row is: the callable's name, a call, the error's class and its whole message. NumPy's own message is left
to stand where ours could say no more.
"""
# ruff: noqa: E501

import inspect
import re
import tempfile
from math import prod
from pathlib import Path

import numpy as np
import pytest

import nnmath as nn

Z = np.zeros
NAN = float("nan")
NET = nn.MLP((2, 4, 1))
X, Y = nn.xor()
CLASSES = nn.MLP((2, 3))  # three classes of two inputs in [0, 1]
LABELS = np.array([0, 1, 2, 0])
BAD = np.array([[0.0, 1.0], [2.0, NAN]])
INF = np.array([[0.0, np.inf], [2.0, 0.0]])


def rng():
    return np.random.default_rng(0)


def params():
    return NET.init(rng())


def fit(name, **how):
    """A good call of train or fit with something wrong in it."""
    how = {"x": X, "y": Y, "p": params(), "loss": nn.mse, "optimizer": nn.SGD(0.1), "epochs": 3} | how
    x, y, p, model = how.pop("x"), how.pop("y"), how.pop("p"), how.pop("model", NET)
    run = getattr(nn, name)(model, p, x, y, **how)
    return list(run) if name == "train" else run


def explain(name, **how):
    """A good call of saliency, integrated_gradients or smooth_grad with something wrong in it."""
    how = {"x": X, "k": 0} | how
    x, k, p = how.pop("x"), how.pop("k"), how.pop("p", CLASSES.init(rng()))
    if name == "smooth_grad":
        how = {"sigma": 0.1, "samples": 2, "rng": rng()} | how
    return getattr(nn, name)(CLASSES, p, x, k, **how)


def total(rows):
    return rows.sum(axis=1)


def attack(name, **how):
    """A good call of fgsm or pgd with something wrong in it."""
    how = {"x": X, "y": LABELS, "epsilon": 0.1} | how
    x, y, epsilon = how.pop("x"), how.pop("y"), how.pop("epsilon")
    return getattr(nn, name)(CLASSES, CLASSES.init(rng()), x, y, epsilon, **how)


def step(optimizer, theta, g):
    optimizer.step(theta, g)


def step_twice(optimizer):
    optimizer.step(Z(3), Z(3))
    optimizer.step(Z(4), Z(4))


def diverge(name):
    fit(name, optimizer=nn.SGD(50.0), epochs=500)


def load(arrays=None, change=None, shapes=None):
    """Params.load of a file with these arrays, or of a good one whose bytes were changed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.npz"
        if arrays is None:
            params().save(path)
        else:
            np.savez(path, **arrays)
        path.write_bytes((change or bytes)(path.read_bytes()))
        nn.Params.load(path, shapes)


def recurrent(name, wrong):
    """rnn or lstm on 5 steps of 3 sequences, 2 inputs, 4 units, with something wrong."""
    k = 4 if name == "lstm" else 1
    good = {
        "x": Z((5, 3, 2)),
        "h0": Z((3, 4)),
        "c0": Z((3, 4)),
        "Wx": Z((2, 4 * k)),
        "Wh": Z((4, 4 * k)),
        "b": Z(4 * k),
    }
    if name == "rnn":
        del good["c0"]
    return getattr(nn, name)(**good | wrong)


def block_params():
    return nn.Params(Z(sum(map(prod, BLOCK.shapes.values()))), BLOCK.shapes)


def backward(model, x, dz, p=None):
    p = model.init(rng()) if p is None else p
    model.backward(p, model.forward(p, x)[1], dz, p.copy())


class Client:
    """A client whose cluster is gone."""

    status = "closed"

    def submit(self, *args, **how):
        raise RuntimeError("gone")


OPTIMIZERS = (nn.SGD, nn.Momentum, nn.Nesterov, nn.AdaGrad, nn.RMSProp, nn.Adam, nn.AdamW)
SPACE = {"lr": nn.log_uniform(1e-3, 1.0)}
LSTM, BLOCK = nn.Recurrent((2, 4, 1)), nn.Block(4, 2, 8)
SHAPES = {"W1": (2, 1), "b1": (1,)}
WHOLE = "use a whole copy of a file that Params.save wrote"
NOT_A_RNG = "pass a generator, e.g. np.random.default_rng(0)"
UFUNC = "ufunc '{}' not supported for the input types, and the inputs could not be safely coerced .*"
SAME = r"{}: da has shape \(3,\) but a has shape \(2,\); they must agree"
T, V, S = TypeError, ValueError, nn.ShapeError

ROWS = [
    ("sigmoid", lambda: nn.sigmoid("z"), T, r".*(absolute|str).*"),
    ("sigmoid_backward", lambda: nn.sigmoid_backward(Z(3), Z(2)), S, SAME.format("sigmoid_backward")),
    ("tanh", lambda: nn.tanh(["z"]), T, UFUNC.format("tanh")),
    ("tanh_backward", lambda: nn.tanh_backward(Z(3), Z(2)), S, SAME.format("tanh_backward")),
    (
        "tanh_backward",
        lambda: nn.tanh_backward(Z((3, 1)), Z((3, 2))),
        S,
        r"tanh_backward: da has shape \(3, 1\) but a has shape \(3, 2\); they must agree",
    ),
    ("relu", lambda: nn.relu("z"), T, r".*maximum.*"),
    ("relu_backward", lambda: nn.relu_backward(Z(3), Z(2)), S, SAME.format("relu_backward")),
    ("leaky_relu", lambda: nn.leaky_relu(["z"]), T, r".*multiply sequence.*"),
    *[
        (
            name,
            lambda name=name, slope=slope: getattr(nn, name)(*[Z(2)] * (1 + name.endswith("d")), slope),
            V,
            f"{name}: slope is {slope!r}; it must be at least 0 and below 1",
        )
        for name in ("leaky_relu", "leaky_relu_backward")
        for slope in (-0.1, 1, 2.0, NAN, "a leak")
    ],
    (
        "leaky_relu_backward",
        lambda: nn.leaky_relu_backward(Z(3), Z(2)),
        S,
        SAME.format("leaky_relu_backward"),
    ),
    ("gelu", lambda: nn.gelu("z"), T, r"ufunc .clip. .*"),
    (
        "gelu_backward",
        lambda: nn.gelu_backward(Z(3), Z(2)),
        S,
        SAME.format("gelu_backward").replace(" a has", " z has"),
    ),
    (
        "softmax",
        lambda: nn.softmax(1.0),
        S,
        r"softmax: z has shape \(\); it must be \(\.\.\., k\) with at least one class",
    ),
    (
        "softmax",
        lambda: nn.softmax(Z((3, 0))),
        S,
        r"softmax: z has shape \(3, 0\); it must be \(\.\.\., k\) with at least one class",
    ),
    ("softmax_backward", lambda: nn.softmax_backward(Z(3), Z(2)), S, SAME.format("softmax_backward")),
    # --- losses: the article's own bug comes first
    (
        "mse",
        lambda: nn.mse(Z((4, 1)), Z(4)),
        S,
        r"mse: y has shape \(4,\) but z has shape \(4, 1\); they must agree; "
        r"use y\[:, None\] for shape \(4, 1\)",
    ),
    (
        "mse",
        lambda: nn.mse(Z((4, 3)), Z((4, 1))),
        S,
        r"mse: y has shape \(4, 1\) but z has shape \(4, 3\); they must agree",
    ),
    (
        "mse",
        lambda: nn.mse(Z(4), Z(4)),
        S,
        r"mse: z has shape \(4,\); it must be \(n, n_out\), one row per sample",
    ),
    (
        "mse",
        lambda: nn.mse(Z((0, 1)), Z((0, 1))),
        S,
        r"mse: z has shape \(0, 1\); it must be \(n, n_out\), one row per sample",
    ),
    ("mse", lambda: nn.mse(Z((2, 2)), BAD), V, r"mse: y has nan at index \(1, 1\); remove or replace it"),
    ("mse", lambda: nn.mse(Z((2, 2)), INF), V, r"mse: y has inf at index \(0, 1\); remove or replace it"),
    ("mse", lambda: nn.mse(Z((3, 2, 2)), BAD), V, r"mse: y has nan at index \(1, 1\); remove or replace it"),
    (
        "binary_cross_entropy",
        lambda: nn.binary_cross_entropy(Z((4, 1)), Z(4)),
        S,
        r"binary_cross_entropy: y has shape \(4,\) but z has shape \(4, 1\); they must agree; "
        r"use y\[:, None\] for shape \(4, 1\)",
    ),
    (
        "binary_cross_entropy",
        lambda: nn.binary_cross_entropy(Z((2, 1)), np.array([[-1.0], [1.0]])),
        V,
        r"binary_cross_entropy: y runs from -1.0 to 1.0; it must stay in \[0, 1\]",
    ),
    (
        "binary_cross_entropy",
        lambda: nn.binary_cross_entropy(Z((2, 1)), np.array([[0], [2]])),
        V,
        r"binary_cross_entropy: y runs from 0 to 2; it must stay in \[0, 1\]",
    ),
    (
        "binary_cross_entropy",
        lambda: nn.binary_cross_entropy(Z((2, 2)), BAD),
        V,
        r"binary_cross_entropy: y has nan at index \(1, 1\); remove or replace it",
    ),
    (
        "cross_entropy",
        lambda: nn.cross_entropy(Z((4, 3)), Z((4, 1), int)),
        S,
        r"cross_entropy: y has shape \(4, 1\) but z has shape \(4, 3\); y must be \(4,\)",
    ),
    (
        "cross_entropy",
        lambda: nn.cross_entropy(Z(3), 0),
        S,
        r"cross_entropy: z has shape \(3,\); it must be \(n, k\), one row per sample",
    ),
    (
        "cross_entropy",
        lambda: nn.cross_entropy(Z((4, 3)), Z(4)),
        T,
        r"cross_entropy: y has dtype float64; class labels are integers, e.g. y.astype\(int\)",
    ),
    (
        "cross_entropy",
        lambda: nn.cross_entropy(Z((2, 3)), np.array([1, 3])),
        V,
        r"cross_entropy: labels run from 1 to 3; z has classes 0 to 2",
    ),
    (
        "cross_entropy",
        lambda: nn.cross_entropy(Z((2, 3)), np.array([-1, 2])),
        V,
        r"cross_entropy: labels run from -1 to 2; z has classes 0 to 2",
    ),
    (
        "accuracy",
        lambda: nn.accuracy(Z((4, 3)), Z(3, int)),
        S,
        r"accuracy: y has shape \(3,\) but z has shape \(4, 3\); y must be \(4,\)",
    ),
    (
        "confusion_matrix",
        lambda: nn.confusion_matrix(Z((4, 3)), np.array([0, 1, 2, 3])),
        V,
        r"confusion_matrix: labels run from 0 to 3; z has classes 0 to 2",
    ),
    # --- layers and networks
    (
        "dropout",
        lambda: nn.dropout(Z(3), 1, rng()),
        V,
        r"dropout: rate is 1; it must be at least 0 and below 1",
    ),
    (
        "dropout",
        lambda: nn.dropout(Z(3), NAN, rng()),
        V,
        r"dropout: rate is nan; it must be at least 0 and below 1",
    ),
    ("dropout", lambda: nn.dropout(Z(3), 0.5, 0), T, r"dropout: rng is 0; " + re.escape(NOT_A_RNG)),
    (
        "dropout_backward",
        lambda: nn.dropout_backward(Z((4, 2)), Z((4, 3))),
        S,
        r"dropout_backward: da has shape \(4, 2\) but mask has shape \(4, 3\); they must agree",
    ),
    (
        "dense",
        lambda: nn.dense(Z((32, 5)), Z((3, 2)), Z(2)),
        S,
        r"dense: x has shape \(32, 5\) but W has shape \(3, 2\); x must be \(n, 3\)",
    ),
    (
        "dense",
        lambda: nn.dense(Z(3), Z((3, 2)), Z(2)),
        S,
        r"dense: x has shape \(3,\) but W has shape \(3, 2\); x must be \(n, 3\)",
    ),
    (
        "dense",
        lambda: nn.dense(Z((4, 3)), Z((3, 2)), Z(1)),
        S,
        r"dense: b has shape \(1,\) but W has shape \(3, 2\); b must be \(2,\)",
    ),
    (
        "dense",
        lambda: nn.dense(Z((4, 3)), Z((7, 3, 2)), Z(2)),
        S,
        r"dense: b has shape \(2,\) but W has shape \(7, 3, 2\); b must be \(7, 2\)",
    ),
    (
        "dense_backward",
        lambda: nn.dense_backward(Z((4, 1)), Z((4, 3)), Z((3, 2))),
        S,
        r"dense_backward: dz has shape \(4, 1\); for this x and W it must be \(4, 2\)",
    ),
    (
        "dense_backward",
        lambda: nn.dense_backward(Z((5, 2)), Z((4, 3)), Z((3, 2))),
        S,
        r"dense_backward: dz has shape \(5, 2\); for this x and W it must be \(4, 2\)",
    ),
    (
        "dense_backward",
        lambda: nn.dense_backward(Z((4, 2)), Z((4, 3)), Z((7, 3, 2))),
        S,
        r"dense_backward: dz has shape \(4, 2\); for this x and W it must be \(7, 4, 2\)",
    ),
    (
        "dense_backward",
        lambda: nn.dense_backward(Z(2), Z((4, 3)), Z((3, 2))),
        S,
        r"dense_backward: dz has shape \(2,\); for this x and W it must be \(4, 2\)",
    ),
    (
        "layer_norm",
        lambda: nn.layer_norm(Z((4, 3)), Z(2), Z(2)),
        S,
        r"layer_norm: x has shape \(4, 3\), gamma \(2,\), beta \(2,\); gamma and beta must end in 3",
    ),
    (
        "layer_norm",
        lambda: nn.layer_norm(Z((4, 3)), Z(3), Z((7, 3))),
        S,
        r"layer_norm: x has shape \(4, 3\), gamma \(3,\), beta \(7, 3\); gamma and beta must end in 3",
    ),
    (
        "layer_norm_backward",
        lambda: nn.layer_norm_backward(Z((4, 2)), Z(3), Z((4, 3)), Z((4, 1))),
        S,
        r"layer_norm_backward: dout has shape \(4, 2\) but u has shape \(4, 3\); they must agree",
    ),
    *[
        (name, lambda call=call: recurrent(*call), error, f"{name}: " + message)
        for name, k in (("rnn", 1), ("lstm", 4))
        for call, error, message in [
            (
                (name, {"x": Z((5, 3, 9))}),
                S,
                rf"x has shape \(5, 3, 9\) but Wx has shape \(2, {4 * k}\); x must be \(T, n, 2\)",
            ),
            (
                (name, {"x": Z((3, 2))}),
                S,
                rf"x has shape \(3, 2\) but Wx has shape \(2, {4 * k}\); x must be \(T, n, 2\)",
            ),
            (
                (name, {"b": Z(3)}),
                S,
                rf"Wx \(2, {4 * k}\), Wh \(4, {4 * k}\) and b \(3,\) do not fit; for 4 units each must end in {4 * k}",
            ),
            (
                (name, {"Wh": Z((4, 3))}),
                S,
                rf"Wx \(2, {4 * k}\), Wh \(4, 3\) and b \({4 * k},\) do not fit; for 4 units each must end in {4 * k}",
            ),
            (
                (name, {"h0": Z((2, 4))}),
                S,
                r"h0 has shape \(2, 4\) but x has 3 sequences and Wh 4 units; h0 must be \(3, 4\)",
            ),
            (
                (name, {"lengths": np.array([1, 2])}),
                S,
                r"lengths has shape \(2,\) and dtype int64; it must be \(3,\) whole numbers, one per sequence",
            ),
            (
                (name, {"lengths": Z(3)}),
                S,
                r"lengths has shape \(3,\) and dtype float64; it must be \(3,\) whole numbers, one per sequence",
            ),
            (
                (name, {"lengths": np.array([1, 6, 2])}),
                V,
                r"lengths run from 1 to 6; x has 5 steps, so they must stay in 0 to 5",
            ),
            (
                (name, {"lengths": np.array([1, -1, 2])}),
                V,
                r"lengths run from -1 to 2; x has 5 steps, so they must stay in 0 to 5",
            ),
        ]
    ],
    (
        "lstm",
        lambda: recurrent("lstm", {"c0": Z((3, 5))}),
        S,
        r"lstm: c0 has shape \(3, 5\) but h0 has shape \(3, 4\); they must agree",
    ),
    (
        "rnn_backward",
        lambda: nn.rnn_backward(Z((5, 3, 2)), Z((5, 3, 2)), Z((6, 3, 4)), Z((2, 4)), Z((4, 4))),
        S,
        r"rnn_backward: dh has shape \(5, 3, 2\), x \(5, 3, 2\) and h \(6, 3, 4\); dh must be \(5, 3, 4\), one entry for each step of x",
    ),
    (
        "rnn_backward",  # dh of all states, the first too
        lambda: nn.rnn_backward(Z((6, 3, 4)), Z((5, 3, 2)), Z((6, 3, 4)), Z((2, 4)), Z((4, 4))),
        S,
        r"rnn_backward: dh has shape \(6, 3, 4\), x \(5, 3, 2\) and h \(6, 3, 4\); dh must be \(5, 3, 4\), one entry for each step of x",
    ),
    (
        "rnn_backward",
        lambda: nn.rnn_backward(Z((5, 3, 4)), Z((4, 3, 2)), Z((6, 3, 4)), Z((2, 4)), Z((4, 4))),
        S,
        r"rnn_backward: dh has shape \(5, 3, 4\), x \(4, 3, 2\) and h \(6, 3, 4\); .* one entry for each step of x",
    ),
    (
        "lstm_backward",
        lambda: nn.lstm_backward(
            Z((4, 3, 4)), Z((5, 3, 2)), *[Z((6, 3, 4))] * 2, Z((5, 3, 16)), Z((2, 16)), Z((4, 16))
        ),
        S,
        r"lstm_backward: dh has shape \(4, 3, 4\), x \(5, 3, 2\) and h \(6, 3, 4\); dh must be \(5, 3, 4\), one entry for each step of x",
    ),
    (
        "Recurrent",
        lambda: nn.Recurrent((2, 4)),
        V,
        r"Recurrent: sizes is \(2, 4\) and cell <function lstm.*>; it takes sizes \(n_in, m, n_out\), and rnn or lstm as cell",
    ),
    (
        "Recurrent",
        lambda: nn.Recurrent((2, 4, 1), nn.dense),
        V,
        r"Recurrent: sizes is \(2, 4, 1\) and cell <function dense.*>; it takes sizes \(n_in, m, n_out\), and rnn or lstm as cell",
    ),
    (
        "Recurrent",
        lambda: nn.Recurrent((2, 0, 1)),
        V,
        r"Recurrent: a size is 0; it must be a whole number of at least 1",
    ),
    ("Recurrent.init", lambda: LSTM.init(0), T, r"Recurrent.init: rng is 0; " + re.escape(NOT_A_RNG)),
    (
        "Recurrent.forward",
        lambda: LSTM.forward(LSTM.init(rng()), Z((5, 3, 9))),
        S,
        r"lstm: x has shape \(5, 3, 9\) but Wx has shape \(2, 16\); x must be \(T, n, 2\)",
    ),
    (
        "Recurrent.backward",
        lambda: backward(LSTM, Z((5, 3, 2)), Z((3, 2))),
        S,
        r"dense_backward: dz has shape \(3, 2\); for this x and W it must be \(3, 1\)",
    ),
    *[
        (
            "attention",
            lambda shapes=shapes: nn.attention(*map(Z, shapes)),
            S,
            rf"attention: q has shape {re.escape(str(shapes[0]))}, k .* and v .*; they must be \(\.\.\., T, d\), \(\.\.\., S, d\) and \(\.\.\., S, d_v\)",
        )
        for shapes in [
            ((3, 2), (4, 3), (4, 2)),
            ((3, 2), (4, 2), (5, 2)),
            ((2,), (4, 2), (4, 2)),
            ((2, 3, 2), (2, 4, 2), (3, 4, 2)),
        ]
    ],
    (
        "attention",
        lambda: nn.attention(*[Z((3, 2))] * 3, np.ones((3, 3))),
        T,
        r"attention: mask has dtype float64; it must be bool, True to look",
    ),
    (
        "attention",
        lambda: nn.attention(*[Z((3, 2))] * 3, np.ones((3, 4), bool)),
        S,
        r"attention: mask has shape \(3, 4\); it must broadcast to \(3, 3\)",
    ),
    (
        "attention",
        lambda: nn.attention(*[Z((3, 2))] * 3, np.ones((5, 3, 3), bool)),
        S,
        r"attention: mask has shape \(5, 3, 3\); it must broadcast to \(3, 3\)",
    ),
    (
        "attention_backward",
        lambda: nn.attention_backward(Z((3, 4)), *[Z((3, 2))] * 3, Z((3, 3))),
        S,
        r"attention_backward: dout has shape \(3, 4\); for these it must be \(3, 2\)",
    ),
    *[
        (
            "self_attention",
            lambda call=call: nn.self_attention(Z(call[0]), Z(call[1]), Z(12), Z((4, 4)), Z(4), call[2]),
            S,
            rf"self_attention: x has shape {re.escape(str(call[0]))}, W {re.escape(str(call[1]))} and there are {call[2]} heads; x must be \(n, T, d\), W \(d, 3d\) and heads a divisor of d",
        )
        for call in [((2, 3, 4), (4, 12), 3), ((2, 3, 4), (4, 4), 2), ((3, 4), (4, 12), 2)]
    ],
    (
        "self_attention",
        lambda: nn.self_attention(Z((2, 3, 4)), Z((5, 12)), Z(12), Z((4, 4)), Z(4), 2),
        S,
        r"dense: x has shape \(6, 4\) but W has shape \(5, 12\); x must be \(n, 5\)",
    ),
    (
        "self_attention_backward",
        lambda: nn.self_attention_backward(
            Z((2, 4, 3)),
            nn.self_attention(Z((2, 3, 4)), Z((4, 12)), Z(12), Z((4, 4)), Z(4), 2)[1],
            Z((4, 12)),
            Z((4, 4)),
        ),
        S,
        r"self_attention_backward: dout has shape \(2, 4, 3\); for these it must be \(2, 3, 4\)",
    ),
    ("Block", lambda: nn.Block(4, 3, 8), V, r"Block: 3 heads can't share d = 4; take a divisor of it"),
    ("Block", lambda: nn.Block(4, 0, 8), V, r"Block: heads is 0; it must be a whole number of at least 1"),
    (
        "Block",
        lambda: nn.Block(4, 2, 8.0),
        V,
        r"Block: hidden is 8.0; it must be a whole number of at least 1",
    ),
    (
        "Block.forward",
        lambda: BLOCK.forward(block_params(), Z((2, 3, 5))),
        S,
        r"Block.forward: x has shape \(2, 3, 5\); it must be \(n, T, 4\)",
    ),
    (
        "Block.forward",
        lambda: BLOCK.forward(block_params(), Z((3, 4))),
        S,
        r"Block.forward: x has shape \(3, 4\); it must be \(n, T, 4\)",
    ),
    (
        "Block.forward",
        lambda: nn.Block(4, 2, 8, "b.").forward(block_params(), Z((2, 3, 4))),
        KeyError,
        r".no parameter 'b\.gamma1'; there are gamma1, .*",
    ),
    (
        "Block.forward",
        lambda: BLOCK.forward(block_params(), Z((2, 3, 4)), np.ones((2, 3), bool)),
        S,
        r"attention: mask has shape .*; it must broadcast to \(2, 2, 3, 3\)",
    ),
    (
        "Block.backward",
        lambda: backward(BLOCK, Z((2, 3, 4)), Z((2, 3, 5)), block_params()),
        S,
        r"Block.backward: dz has shape \(2, 3, 5\); for these it must be \(2, 3, 4\)",
    ),
    ("xavier", lambda: nn.xavier(0, 3, 2), T, r"xavier: rng is 0; " + re.escape(NOT_A_RNG)),
    ("he", lambda: nn.he(None, 3, 2), T, r"he: rng is None; " + re.escape(NOT_A_RNG)),
    (
        "MLP",
        lambda: nn.MLP((2,)),
        V,
        r"MLP: sizes is \(2,\); it needs an input and an output, e.g. \(2, 4, 1\)",
    ),
    ("MLP", lambda: nn.MLP((2, 0, 1)), V, r"MLP: a size is 0; it must be a whole number of at least 1"),
    ("MLP", lambda: nn.MLP((2, 4.0, 1)), V, r"MLP: a size is 4.0; it must be a whole number of at least 1"),
    (
        "MLP",
        lambda: nn.MLP((2, 4, 1), hidden=np.tanh),
        T,
        r"MLP: <ufunc 'tanh'> has no backward; pass e.g. hidden=tanh, or set f.backward",
    ),
    (
        "MLP",
        lambda: nn.MLP((2, 4, 1), hidden="tanh"),
        T,
        r"MLP: 'tanh' has no backward; pass e.g. hidden=tanh, or set f.backward",
    ),
    (
        "MLP",
        lambda: nn.MLP((2, 4, 1), hidden=(nn.tanh, nn.relu)),
        S,
        r"MLP: 2 activations for the 1 hidden layers of \(2, 4, 1\)",
    ),
    ("MLP.init", lambda: NET.init(0), T, r"MLP.init: rng is 0; " + re.escape(NOT_A_RNG)),
    ("MLP.init", lambda: NET.init(np.random), T, r"MLP.init: rng is <module.*>; " + re.escape(NOT_A_RNG)),
    (
        "MLP.init",
        lambda: NET.init([rng()], runs=2),
        S,
        r"MLP.init: runs is 2 but there are 1 generators",
    ),
    (
        "MLP.init",
        lambda: NET.init(rng(), runs=0),
        V,
        r"MLP.init: runs is 0; it must be a whole number of at least 1",
    ),
    (
        "MLP.init",
        lambda: NET.init(rng(), dtype=int),
        T,
        r"Params: theta has dtype int64; it must be float64 or float32",
    ),
    (
        "MLP.forward",
        lambda: NET.forward(params(), Z((4, 3))),
        S,
        r"dense: x has shape \(4, 3\) but W has shape \(2, 4\); x must be \(n, 2\)",
    ),
    (
        "MLP.backward",
        lambda: NET.backward(params(), NET.forward(params(), X)[1], Z((4, 2)), params()),
        S,
        r"dense_backward: dz has shape \(4, 2\); for this x and W it must be \(4, 1\)",
    ),
    # --- parameters
    (
        "Params",
        lambda: nn.Params(Z(4), SHAPES),
        S,
        r"Params: theta has shape \(4,\) but the named shapes hold 3 numbers",
    ),
    (
        "Params",
        lambda: nn.Params(1.0, SHAPES),
        S,
        r"Params: theta has shape \(\) but the named shapes hold 3 numbers",
    ),
    (
        "Params",
        lambda: nn.Params(Z(3, int), SHAPES),
        T,
        r"Params: theta has dtype int64; it must be float64 or float32",
    ),
    ("Params", lambda: params()["W3"], KeyError, r'"no parameter \'W3\'; there are W1, b1, W2, b2"'),
    (
        "Params.save",
        lambda: params().save(Path("no such folder") / "net.npz"),
        FileNotFoundError,
        ".*no such folder.*",
    ),
    ("Params.load", lambda: nn.Params.load("no such file.npz"), FileNotFoundError, ".*no such file.npz'"),
    (
        "Params.load",
        lambda: load(change=lambda b: b[:-1]),
        V,
        f"Params.load: net.npz is damaged or no .npz file; {WHOLE}",
    ),
    (
        "Params.load",
        lambda: load(change=lambda b: b[:1]),
        V,
        f"Params.load: net.npz is damaged or no .npz file; {WHOLE}",
    ),
    (
        "Params.load",
        lambda: load({"W": np.array([{}])}),
        V,
        f"Params.load: net.npz is damaged or no .npz file; {WHOLE}",
    ),
    (
        "Params.load",
        lambda: load({"x": Z((3, 2)), "y": Z(3, int)}),
        V,
        r"Params.load: net.npz holds x \(3, 2\) float64, y \(3,\) int64; it was not written by Params.save",
    ),
    (
        "Params.load",
        lambda: load(shapes={"W1": (2, 1)}),
        S,
        r"Params.load: net.npz holds \{'W1': \(2, 4\), .*\} but \{'W1': \(2, 1\)\} is wanted",
    ),
    (
        "Params.like",
        lambda: params().like(Z((2, 3))),
        S,
        r"Params: theta has shape \(2, 3\) but the named shapes hold 17 numbers",
    ),
    # --- gradient checks
    (
        "central_difference",
        lambda: nn.central_difference(np.sum, Z(3, np.float32)),
        T,
        r"central_difference: x has dtype float32; differences need float64",
    ),
    (
        "central_difference",
        lambda: nn.central_difference(lambda x: np.float32(1), Z(3)),
        T,
        r"central_difference: what f returns has dtype float32; differences need float64",
    ),
    (
        "central_difference",
        lambda: nn.central_difference(lambda x: NAN, Z(3)),
        V,
        r"central_difference: what f returns has nan at index \(\); remove or replace it",
    ),
    (
        "central_difference",
        lambda: nn.central_difference(nn.softmax, Z(3)),
        V,
        r"central_difference: f is not elementwise; make it give a number, e.g. np.sum\(w \* f\(x\)\)",
    ),
    (
        "central_difference",
        lambda: nn.central_difference(lambda x: Z(2), Z(3)),
        S,
        r"central_difference: f gives shape \(2,\); make it a number or \(3,\)",
    ),
    (
        "central_difference",
        lambda: nn.central_difference(np.sum, Z(3), h=0.0),
        V,
        r"central_difference: h is .*; it must be above 0 and finite",
    ),
    (
        "projected_difference",
        lambda: nn.projected_difference(np.sum, Z(3), Z(2)),
        S,
        r"projected_difference: v has shape \(2,\) but x has shape \(3,\); they must agree",
    ),
    (
        "projected_difference",
        lambda: nn.projected_difference(np.sin, Z(3), Z(3)),
        S,
        r"projected_difference: f gives shape \(3,\); it must give a number",
    ),
    (
        "projected_difference",
        lambda: nn.projected_difference(np.sum, Z(3), Z(3), h=-1),
        V,
        r"projected_difference: h is -1; it must be above 0 and finite",
    ),
    (
        "gradcheck",
        lambda: nn.gradcheck(np.sum, Z(3), Z(2)),
        S,
        r"gradcheck: grad has shape \(2,\) but x has shape \(3,\); they must agree",
    ),
    (
        "gradcheck",
        lambda: nn.gradcheck(np.sum, Z(3, np.float32), Z(3)),
        T,
        r"gradcheck: x has dtype float32; differences need float64",
    ),
    (
        "gradcheck",
        lambda: nn.gradcheck(np.sum, Z(3), Z(3, np.float32)),
        T,
        r"gradcheck: grad has dtype float32; differences need float64",
    ),
    (
        "gradcheck",
        lambda: nn.gradcheck(np.sum, Z((2, 2)), BAD),
        V,
        r"gradcheck: grad has nan at index \(1, 1\); remove or replace it",
    ),
    (
        "gradcheck",
        lambda: nn.gradcheck(np.sum, Z(3), Z(3), rtol=0),
        V,
        r"gradcheck: rtol is 0; it must be above 0 and finite",
    ),
    (
        "gradcheck",
        lambda: nn.gradcheck(np.sum, Z(3), Z(3), full=1, rng=7),
        T,
        r"gradcheck: rng is 7; " + re.escape(NOT_A_RNG),
    ),
    # --- optimizers
    *[
        (
            make.__name__,
            lambda make=make, lr=lr: make(lr),
            V,
            f"{make.__name__}: lr is {said}; it must be above 0 and finite",
        )
        for make in OPTIMIZERS
        for lr, said in (
            (0, "0"),
            (-0.1, "-0.1"),
            (NAN, "nan"),
            (np.inf, "inf"),
            ("fast", "'fast'"),
            (None, "None"),
        )
    ],
    (
        "SGD",
        lambda: nn.SGD(np.array([[0.1], [-1.0]])),
        V,
        r"(?s)SGD: lr is array\(.*\); it must be above 0 and finite",
    ),
    *[
        (
            f"{make.__name__}",
            lambda make=make: make(np.full(3, 0.1)),
            S,
            rf"{make.__name__}: lr has shape \(3,\); one per run is \(R, 1\), as lr\[:, None\]",
        )
        for make in OPTIMIZERS
    ],
    *[
        (
            f"{make.__name__}.step",
            lambda make=make: step(make(np.full((3, 1), 0.1)), Z((2, 5)), Z((2, 5))),
            S,
            rf"{make.__name__}: theta has shape \(2, 5\); one setting per run is \(2, 1\), not \(3, 1\)",
        )
        for make in OPTIMIZERS
    ],
    *[
        (
            f"{make.__name__}.step",
            lambda make=make: step(make(0.1), Z(5), Z(1)),
            S,
            rf"{make.__name__}: theta has shape \(5,\) but g \(1,\)",
        )
        for make in OPTIMIZERS
    ],
    *[
        (
            f"{make.__name__}.step",
            lambda make=make: step_twice(make(0.1)),
            S,
            rf"{make.__name__}: theta has shape \(4,\) but the state \(3,\); make a new optimizer",
        )
        for make in OPTIMIZERS[1:]
    ],
    *[
        (
            make.__name__,
            lambda make=make, momentum=momentum: make(0.1, momentum),
            V,
            f"{make.__name__}: momentum is {momentum}; it must be at least 0 and below 1",
        )
        for make in (nn.Momentum, nn.Nesterov)
        for momentum in (1.0, -0.5, NAN)
    ],
    *[
        (
            "Clip",
            lambda limit=limit: nn.Clip(nn.SGD(0.1), limit),
            V,
            f"Clip: limit is {limit!r}; it must be above 0 and finite",
        )
        for limit in (0, -1.0, NAN, "short")
    ],
    (
        "Clip.step",
        lambda: nn.Clip(nn.SGD(0.1), 1.0).step(Z(3), Z(4)),
        S,
        r"SGD: theta has shape \(3,\) but g \(4,\)",
    ),
    (
        "Block.forward",
        lambda: BLOCK.forward(block_params(), Z((2, 3, 4)), np.ones((3, 3))),
        T,
        r"attention: mask has dtype float64; it must be bool, True to look",
    ),
    *[
        (
            make.__name__,
            lambda make=make, name=name, value=value: make(**{name: value}),
            V,
            f"{make.__name__}: {name} is {value}; it must be at least 0 and below 1",
        )
        for make, name in ((nn.Adam, "beta1"), (nn.Adam, "beta2"), (nn.AdamW, "beta1"), (nn.RMSProp, "beta"))
        for value in (1, -0.1, NAN)
    ],
    *[
        (
            make.__name__,
            lambda make=make, eps=eps: make(eps=eps),
            V,
            f"{make.__name__}: eps is {eps}; it must be above 0 and finite",
        )
        for make in (nn.AdaGrad, nn.RMSProp, nn.Adam, nn.AdamW)
        for eps in (0, -1e-8, NAN)
    ],
    *[
        (
            "AdamW",
            lambda decay=decay: nn.AdamW(weight_decay=decay),
            V,
            f"AdamW: weight_decay is {decay}; it must be at least 0 and finite",
        )
        for decay in (-0.1, NAN)
    ],
    # --- search
    *[
        (
            name,
            lambda name=name, low=low, high=high: getattr(nn, name)(low, high),
            V,
            f"{name}: " + re.escape(said),
        )
        for name, low, high, said in (
            ("uniform", 1.0, 1.0, "high is 1.0; it must be above 1.0 and finite"),
            ("uniform", NAN, 1.0, "low is nan; it must be above -inf and finite"),
            ("uniform", 0.0, np.inf, "high is inf; it must be above 0.0 and finite"),
            ("log_uniform", 0.0, 1.0, "low is 0.0; it must be above 0 and finite"),
            ("log_uniform", -1.0, 1.0, "low is -1.0; it must be above 0 and finite"),
            ("log_uniform", 2.0, 1.0, "high is 1.0; it must be above 2.0 and finite"),
        )
    ],
    ("grid", lambda: nn.grid(SPACE, 0), V, "grid: points is 0; it must be a whole number of at least 1"),
    (
        "grid",
        lambda: nn.grid({"lr": 0.1}, 3),
        T,
        "grid: axis 'lr' is 0.1; it must be a function of u or a list",
    ),
    (
        "grid",
        lambda: nn.grid({"units": []}, 3),
        T,
        r"grid: axis 'units' is \[\]; it must be a function of u or a list",
    ),
    (
        "sample",
        lambda: nn.sample([0.1, 1.0], 3, rng()),
        T,
        r"sample: space is \[0.1, 1.0\]; it must be a dict with an axis for each name",
    ),
    ("sample", lambda: nn.sample(SPACE, 3, 0), T, r"sample: rng is 0; " + re.escape(NOT_A_RNG)),
    (
        "sample",
        lambda: nn.sample(SPACE, 2.5, rng()),
        V,
        "sample: n is 2.5; it must be a whole number of at least 1",
    ),
    ("search", lambda: nn.search(3, []), T, "search: objective is 3; it must be a function of a setting"),
    (
        "search",
        lambda: nn.search(len, [0.1]),
        T,
        "search: a setting is 0.1; it must be a dict, as grid and sample make",
    ),
    (
        "search",
        lambda: nn.search(len, [], at_once=0),
        V,
        "search: at_once is 0; it must be a whole number of at least 1",
    ),
    (
        "successive_halving",
        lambda: nn.successive_halving(len, [], 0),
        V,
        "successive_halving: budget is 0; it must be a whole number of at least 1",
    ),
    (
        "successive_halving",
        lambda: nn.successive_halving(len, [], 1, factor=1),
        V,
        "successive_halving: factor is 1; it must be at least 2",
    ),
    # --- parallel
    (
        "shard_mean",
        lambda: nn.shard_mean([1.0, 2.0], [3]),
        S,
        "shard_mean: 2 parts but 1 counts; there must be one each",
    ),
    ("shard_mean", lambda: nn.shard_mean([], []), S, "shard_mean: 0 parts but 0 counts; .*"),
    (
        "shard_mean",
        lambda: nn.shard_mean([1.0, 2.0], [3, 0]),
        V,
        r"shard_mean: counts is \[3, 0\]; it must be above 0 and finite",
    ),
    *[
        (
            "ring_all_reduce",
            lambda bad=bad: nn.ring_all_reduce(
                **{"size": 1, "workers": 2, "latency": 0, "bandwidth": 1} | bad
            ),
            V,
            f"ring_all_reduce: {said}",
        )
        for bad, said in (
            ({"size": -1}, "size is -1; it must be at least 0 and finite"),
            ({"workers": 0}, "workers is 0; it must be at least 1 and finite"),
            ({"latency": NAN}, "latency is nan; it must be at least 0 and finite"),
            ({"bandwidth": 0}, "bandwidth is 0; it must be above 0 and finite"),
        )
    ],
    (
        "connect",
        lambda: nn.connect(workers=0),
        V,
        "connect: workers is 0; it must be a whole number of at least 1",
    ),
    ("connect", lambda: nn.connect(timeout=-1), V, "connect: timeout is -1; it must be above 0 and finite"),
    (
        "DataParallel",
        lambda: nn.DataParallel(NET, None),
        T,
        r"DataParallel: client is None; it must be a Dask client, as of connect\(\)",
    ),
    (
        "DataParallel",
        lambda: nn.DataParallel(NET, Client(), 0),
        V,
        "DataParallel: shards is 0; it must be a whole number of at least 1",
    ),
    (
        "DataParallel",
        lambda: nn.DataParallel(NET, Client(), 1, 0),
        V,
        "DataParallel: patience is 0; it must be above 0 and finite",
    ),
    (
        "DataParallel.forward",
        lambda: nn.DataParallel(NET, Client(), 1).forward(params(), Z((4, 3))),
        S,
        r"dense: x has shape \(4, 3\) but W has shape \(2, 4\); x must be \(n, 2\)",
    ),
    (
        "DataParallel.gradient",
        lambda: nn.DataParallel(NET, Client(), 1).gradient(params(), X, Y, nn.mse, params()),
        ConnectionError,
        r"DataParallel: the cluster was lost \(RuntimeError: gone\); p is as after the last whole step, connect again .*",
    ),
    # --- quantize
    *[
        (
            name,
            lambda name=name, args=args, bits=bits: getattr(nn, name)(*args, bits=bits),
            V,
            f"{name}: bits is {re.escape(repr(bits))}; it must be a whole number from 1 to 16",
        )
        for name, args in (
            ("scale_zero", (0, 1)),
            ("symmetric_scale", (Z(2),)),
            ("quantize", (Z(2), 1.0)),
            ("fake_quantize_backward", (Z(2), Z(2), 1.0)),
        )
        for bits in (0, 17, 2.5, "8", None)
    ],
    (
        "scale_zero",
        lambda: nn.scale_zero(2.0, 1.0),
        V,
        "scale_zero: low is 2.0 and high is 1.0; low must not be above high",
    ),
    (
        "scale_zero",
        lambda: nn.scale_zero([0, 0], [1, NAN]),
        V,
        r"scale_zero: high has nan at index \(1,\); remove or replace it",
    ),
    (
        "symmetric_scale",
        lambda: nn.symmetric_scale(BAD),
        V,
        r"symmetric_scale: x has nan at index \(1, 1\); remove or replace it",
    ),
    (
        "quantize",
        lambda: nn.quantize(INF, 1.0),
        V,
        r"quantize: x has inf at index \(0, 1\); remove or replace it",
    ),
    ("quantize", lambda: nn.quantize(Z(2), 0.0), V, "quantize: scale is 0.0; it must be above 0 and finite"),
    (
        "dequantize",
        lambda: nn.dequantize(Z(2), -1.0),
        V,
        "dequantize: scale is -1.0; it must be above 0 and finite",
    ),
    (
        "fake_quantize",
        lambda: nn.fake_quantize(Z(2), NAN),
        V,
        "quantize: scale is nan; it must be above 0 and finite",
    ),
    (
        "fake_quantize_backward",
        lambda: nn.fake_quantize_backward(Z(2), Z((2, 1)), 1.0),
        S,
        r"fake_quantize_backward: dy has shape \(2,\) but x has shape \(2, 1\)",
    ),
    (
        "integer_dense",
        lambda: nn.integer_dense(Z((2, 3)), Z((3, 2), np.int8)),
        T,
        "integer_dense: q is float64 and Q is int8; q must be int8 or uint8, Q int8",
    ),
    (
        "integer_dense",
        lambda: nn.integer_dense(Z((2, 3), np.int8), Z((2, 2), np.int8)),
        S,
        r"integer_dense: q has shape \(2, 3\) but Q has shape \(2, 2\); \(n, i\) and \(i, o\)",
    ),
    (
        "integer_dense",
        lambda: nn.integer_dense(Z((1, 70_000), np.int8), Z((70_000, 1), np.int8)),
        S,
        r"integer_dense: q has shape \(1, 70000\) .*",
    ),
    *[
        (
            "integer_dense",
            lambda zero=zero: nn.integer_dense(Z((2, 3), np.uint8), Z((3, 2), np.int8), zero),
            V,
            f"integer_dense: zero is {zero!r}; it must be a whole number that q can hold",
        )
        for zero in (0.5, 256, NAN)
    ],
    # --- schedules
    *[
        (
            name,
            lambda name=name, lr=lr, rest=rest: getattr(nn, name)(lr, *rest),
            V,
            rf"{name}: lr is {said}; it must be above 0 and finite",
        )
        for name, rest in (("step_decay", (0.5, 10)), ("inverse_time", (10,)), ("cosine", (10,)))
        for lr, said in (
            (0, "0"),
            (NAN, "nan"),
            (np.inf, "inf"),
            ("fast", "'fast'"),
            (np.array([[0.1], [-1]]), r"array\([^;]*\)"),
        )
    ],
    *[
        (
            "step_decay",
            lambda factor=factor: nn.step_decay(0.1, factor, 10),
            V,
            f"step_decay: factor is {factor}; it must be above 0 and below 1",
        )
        for factor in (0, 1, 10, NAN)
    ],
    *[
        (
            name,
            lambda call=call, count=count: call(count),
            V,
            f"{name}: {what} is {count}; it must be a whole number of at least 1",
        )
        for name, what, call in (
            ("step_decay", "every", lambda count: nn.step_decay(0.1, 0.5, count)),
            ("inverse_time", "halved_at", lambda count: nn.inverse_time(0.1, count)),
            ("cosine", "steps", lambda count: nn.cosine(0.1, count)),
            ("warmup", "steps", lambda count: nn.warmup(0.1, count)),
        )
        for count in (0, 2.5, True, None)
    ],
    ("cosine", lambda: nn.cosine(0.1, 10, -0.1), V, "cosine: low is -0.1; it must be at least 0 and finite"),
    ("warmup", lambda: nn.warmup(0, 10), V, "warmup: schedule is 0; it must be above 0 and finite"),
    (
        "warmup",
        lambda: nn.warmup("cosine", 10),
        V,
        "warmup: schedule is 'cosine'; it must be above 0 and finite",
    ),
    # --- convergence
    (
        "hessian",
        lambda: nn.hessian(np.cos, Z((2, 3))),
        S,
        r"hessian: theta has shape \(2, 3\); it must be \(P,\), one network",
    ),
    (
        "hessian",
        lambda: nn.hessian(np.cos, 1.0),
        S,
        r"hessian: theta has shape \(\); it must be \(P,\), one network",
    ),
    (
        "hessian",
        lambda: nn.hessian(np.cos, []),
        S,
        r"hessian: theta has shape \(0,\); it must be \(P,\), one network",
    ),
    ("hessian", lambda: nn.hessian(np.cos, Z(3), 0), V, "hessian: h is 0; it must be above 0 and finite"),
    (
        "hessian",
        lambda: nn.hessian(np.sum, Z(3)),  # a loss where its gradient should be
        S,
        r"hessian: gradient gives shape \(\); it must be \(3,\)",
    ),
    (
        "hessian",
        lambda: nn.hessian(lambda theta: theta * [1, NAN], Z(2)),
        V,
        r"hessian: what gradient returns has nan at index \(1,\); remove or replace it",
    ),
    *[
        (
            "condition_number",
            lambda curvatures=curvatures: nn.condition_number(curvatures),
            V,
            f"condition_number: curvatures is {re.escape(repr(curvatures))}; it must be above 0 and finite",
        )
        for curvatures in ([1, 0], [1, -2], [1, NAN], "flat")
    ],
    (
        "contraction",
        lambda: nn.contraction(np.array([1, NAN]), 0.1),
        V,
        r"contraction: curvature has nan at index \(1,\); remove or replace it",
    ),
    ("contraction", lambda: nn.contraction(1, 0), V, "contraction: lr is 0; it must be above 0 and finite"),
    (
        "contraction",
        lambda: nn.contraction(1, 0.1, 1),
        V,
        "contraction: momentum is 1; it must be at least 0 and below 1",
    ),
    (
        "contraction",
        lambda: nn.contraction(1, 0.1, -0.1),
        V,
        "contraction: momentum is -0.1; it must be at least 0 and below 1",
    ),
    *[
        (
            f.__name__,
            lambda f=f, low=low, high=high: f(low, high),
            V,
            f"{f.__name__}: {said}",
        )
        for f in (nn.best_rate, nn.best_momentum)
        for low, high, said in (
            (0, 1, "low is 0; it must be above 0 and finite"),
            (1, np.inf, "high is inf; it must be above 0 and finite"),
            (2, 1, "low is 2 and high is 1; low must not be above high"),
        )
    ],
    # --- data
    *[
        row
        for name in ("moons", "spirals")
        for make in [getattr(nn, name)]
        for row in (
            (
                name,
                lambda make=make: make(0, 0.1, rng()),
                V,
                f"{name}: n is 0; it must be a whole number of at least 1",
            ),
            (
                name,
                lambda make=make: make(9.5, 0.1, rng()),
                V,
                f"{name}: n is 9.5; it must be a whole number of at least 1",
            ),
            (
                name,
                lambda make=make: make(9, -0.1, rng()),
                V,
                f"{name}: noise is -0.1; it must be at least 0 and finite",
            ),
            (
                name,
                lambda make=make: make(9, NAN, rng()),
                V,
                f"{name}: noise is nan; it must be at least 0 and finite",
            ),
            (name, lambda make=make: make(9, 0.1, 0), T, f"{name}: rng is 0; " + re.escape(NOT_A_RNG)),
        )
    ],
    (
        "spirals",
        lambda: nn.spirals(9, 0.1, rng(), turns=0),
        V,
        "spirals: turns is 0; it must be above 0 and finite",
    ),
    ("digits", lambda: nn.digits(0), T, "digits: rng is 0; " + re.escape(NOT_A_RNG)),
    ("digits", lambda: nn.digits(test_size=1), V, "digits: test_size is 1; it must be above 0 and below 1"),
    ("digits", lambda: nn.digits(test_size=0), V, "digits: test_size is 0; it must be above 0 and below 1"),
    # --- training: fit goes through train, so each row holds for both
    *[
        (name, lambda name=name, how=how: fit(name, **how), error, message)
        for name in ("train", "fit")
        for how, error, message in [
            ({"x": BAD, "y": Z((2, 1))}, V, r"train: x has nan at index \(1, 1\); remove or replace it"),
            (
                {"y": np.array([[0], [1], [np.inf], [0]])},
                V,
                r"train: y has inf at index \(2, 0\); remove or replace it",
            ),
            (
                {"p": params().like(np.full(17, NAN))},
                V,
                r"train: theta has nan at index \(0,\); remove or replace it",
            ),
            ({"x": Z(2)}, S, r"train: x has shape \(2,\); it must be \(n, n_in\) with at least one row"),
            (
                {"x": Z((0, 2)), "y": Z((0, 1))},
                S,
                r"train: x has shape \(0, 2\); it must be \(n, n_in\) with at least one row",
            ),
            (
                {"y": Z((3, 1))},
                S,
                r"train: x has shape \(4, 2\) but y has shape \(3, 1\); one target per row of x",
            ),
            ({"y": 1.0}, S, r"train: x has shape \(4, 2\) but y has shape \(\); one target per row of x"),
            (
                {"x": Z((4, 3))},
                S,
                r"dense: x has shape \(4, 3\) but W has shape \(2, 4\); x must be \(n, 2\)",
            ),
            (
                {"y": Y[:, 0]},
                S,
                r"mse: y has shape \(4,\) but z has shape \(4, 1\); they must agree; use y\[:, None\] for shape \(4, 1\)",
            ),
            (
                {"y": Y[:, 0], "loss": nn.cross_entropy},
                T,
                r"cross_entropy: y has dtype float64; class labels are integers, .*",
            ),
            ({"epochs": None}, V, r"train: epochs is None and steps is None; give exactly one of them"),
            ({"steps": 5}, V, r"train: epochs is 3 and steps is 5; give exactly one of them"),
            ({"epochs": 0}, V, r"train: epochs is 0; it must be a whole number of at least 1"),
            ({"epochs": 1.5}, V, r"train: epochs is 1.5; it must be a whole number of at least 1"),
            (
                {"epochs": None, "steps": -1},
                V,
                r"train: steps is -1; it must be a whole number of at least 1",
            ),
            ({"batch_size": 0}, V, r"train: batch_size is 0; it must be a whole number of at least 1"),
            ({"batch_size": 5}, V, r"train: batch_size is 5 but x has 4 rows; take at most 4"),
            ({"batch_size": 2}, T, r"train: rng is None; " + re.escape(NOT_A_RNG)),
            ({"stop_loss": -1}, V, r"train: stop_loss is -1; it must be at least 0 and finite"),
            ({"stop_loss": NAN}, V, r"train: stop_loss is nan; it must be at least 0 and finite"),
            ({"on_divergence": "skip"}, V, r"train: on_divergence is 'skip'; it must be 'raise' or 'stop'"),
            ({"epoch": 3}, T, r"train\(\) got an unexpected keyword argument 'epoch'.*"),
        ]
    ],
    ("train", lambda: diverge("train"), nn.DivergenceError, "train: the loss is .* at step .*"),
    ("fit", lambda: diverge("fit"), nn.DivergenceError, "train: the loss is .* at step .*"),
    (
        "fit",
        lambda: fit("fit", record="loss"),
        T,
        r"fit: record is 'loss'; it must be a function of \(p, epoch\)",
    ),
    (
        "margin",
        lambda: nn.margin(Z((4, 3)), Z(3, int)),
        nn.ShapeError,
        r"margin: y has shape \(3,\) but z has shape \(4, 3\); y must be \(4,\)",
    ),
    (
        "margin",
        lambda: nn.margin(Z((2, 3)), np.array([0, 3])),
        ValueError,
        "margin: labels run from 0 to 3; z has classes 0 to 2",
    ),
    (
        "margin",
        lambda: nn.margin(Z((2, 3)), np.array([0.0, 1.0])),
        TypeError,
        r"margin: y has dtype float64; class labels are integers, e.g. y.astype\(int\)",
    ),
    (
        "diabetes",
        lambda: nn.diabetes(3),
        TypeError,
        r"diabetes: rng is 3; pass a generator, e.g. np.random.default_rng\(0\)",
    ),
    (
        "diabetes",
        lambda: nn.diabetes(test_size=0),
        ValueError,
        "diabetes: test_size is 0; it must be above 0 and below 1",
    ),
    (
        "diabetes",
        lambda: nn.diabetes(test_size=1),
        ValueError,
        "diabetes: test_size is 1; it must be above 0 and below 1",
    ),
    (
        "saliency",
        lambda: explain("saliency", x=X[0]),
        nn.ShapeError,
        r"saliency: x has shape \(2,\); it must be \(n, d\), one row per sample",
    ),
    (
        "saliency",
        lambda: explain("saliency", x=Z((0, 2))),
        nn.ShapeError,
        r"saliency: x has shape \(0, 2\); it must be \(n, d\), one row per sample",
    ),
    (
        "saliency",
        lambda: explain("saliency", x=Z((4, 3))),
        nn.ShapeError,
        r"dense: x has shape \(4, 3\) but W has shape \(2, 3\); x must be \(n, 2\)",
    ),
    (
        "saliency",
        lambda: explain("saliency", x=BAD),
        ValueError,
        r"saliency: x has nan at index \(1, 1\); remove or replace it",
    ),
    (
        "saliency",
        lambda: explain("saliency", k=3),
        ValueError,
        "saliency: k runs from 3 to 3; z has outputs 0 to 2",
    ),
    (
        "saliency",
        lambda: explain("saliency", k=-1),
        ValueError,
        "saliency: k runs from -1 to -1; z has outputs 0 to 2",
    ),
    (
        "saliency",
        lambda: explain("saliency", k=LABELS + 1),
        ValueError,
        "saliency: k runs from 1 to 3; z has outputs 0 to 2",
    ),
    (
        "saliency",
        lambda: explain("saliency", k=0.0),
        TypeError,
        "saliency: k has dtype float64; it must be the whole number of an output",
    ),
    (
        "saliency",
        lambda: explain("saliency", k=LABELS[:3]),
        nn.ShapeError,
        r"saliency: k has shape \(3,\) but x has shape \(4, 2\); one k per row, or one",
    ),
    (
        "integrated_gradients",
        lambda: explain("integrated_gradients", x=INF),
        ValueError,
        r"integrated_gradients: x has inf at index \(0, 1\); remove or replace it",
    ),
    (
        "integrated_gradients",
        lambda: explain("integrated_gradients", k=7),
        ValueError,
        "saliency: k runs from 7 to 7; z has outputs 0 to 2",
    ),
    (
        "integrated_gradients",
        lambda: explain("integrated_gradients", steps=0),
        ValueError,
        "integrated_gradients: steps is 0; it must be a whole number of at least 1",
    ),
    (
        "integrated_gradients",
        lambda: explain("integrated_gradients", steps=2.5),
        ValueError,
        "integrated_gradients: steps is 2.5; it must be a whole number of at least 1",
    ),
    (
        "integrated_gradients",
        lambda: explain("integrated_gradients", baseline=Z(3)),
        nn.ShapeError,
        r"integrated_gradients: baseline has shape \(3,\) but x has shape \(4, 2\); it must broadcast to x",
    ),
    (
        "integrated_gradients",
        lambda: explain("integrated_gradients", baseline=Z((2, 4, 2))),
        nn.ShapeError,
        r"integrated_gradients: baseline has shape \(2, 4, 2\) but x has shape \(4, 2\); it must broadcast to x",
    ),
    (
        "integrated_gradients",
        lambda: explain("integrated_gradients", baseline=NAN),
        ValueError,
        r"integrated_gradients: baseline has nan at index \(\); remove or replace it",
    ),
    (
        "smooth_grad",
        lambda: explain("smooth_grad", sigma=-0.1),
        ValueError,
        "smooth_grad: sigma is -0.1; it must be at least 0 and finite",
    ),
    (
        "smooth_grad",
        lambda: explain("smooth_grad", samples=0),
        ValueError,
        "smooth_grad: samples is 0; it must be a whole number of at least 1",
    ),
    (
        "smooth_grad",
        lambda: explain("smooth_grad", rng=0),
        TypeError,
        r"smooth_grad: rng is 0; pass a generator, e.g. np.random.default_rng\(0\)",
    ),
    (
        "smooth_grad",
        lambda: explain("smooth_grad", x=X[:, :1]),
        nn.ShapeError,
        r"dense: x has shape \(4, 1\) but W has shape \(2, 3\); x must be \(n, 2\)",
    ),
    (
        "occlusion",
        lambda: nn.occlusion(total, X, np.ones((1, 3), bool)),
        nn.ShapeError,
        r"occlusion: groups has shape \(1, 3\) but x has shape \(4, 2\); it must be \(m, 2\)",
    ),
    (
        "occlusion",
        lambda: nn.occlusion(total, X, np.ones(2, bool)),
        nn.ShapeError,
        r"occlusion: groups has shape \(2,\) but x has shape \(4, 2\); it must be \(m, 2\)",
    ),
    (
        "occlusion",
        lambda: nn.occlusion(total, X, np.ones((0, 2), bool)),
        nn.ShapeError,
        r"occlusion: groups has shape \(0, 2\) but x has shape \(4, 2\); it must be \(m, 2\)",
    ),
    (
        "occlusion",
        lambda: nn.occlusion(total, X, np.eye(2)),
        TypeError,
        "occlusion: groups has dtype float64; it must be bool, true where hidden",
    ),
    (
        "occlusion",
        lambda: nn.occlusion(total, X, np.eye(2) > 0, Z(3)),
        nn.ShapeError,
        r"occlusion: baseline has shape \(3,\) but x has shape \(4, 2\); it must broadcast to x",
    ),
    (
        "occlusion",
        lambda: nn.occlusion(lambda rows: rows, X, np.eye(2) > 0),
        nn.ShapeError,
        r"occlusion: f returned shape \(4, 2\) for rows of shape \(4, 2\); it must return \(4,\)",
    ),
    (
        "occlusion",
        lambda: nn.occlusion(total, BAD, np.eye(2) > 0),
        ValueError,
        r"occlusion: x has nan at index \(1, 1\); remove or replace it",
    ),
    (
        "occlusion",
        lambda: nn.occlusion(total, X[None], np.eye(2) > 0),
        nn.ShapeError,
        r"occlusion: x has shape \(1, 4, 2\); it must be \(n, d\), one row per sample",
    ),
    (
        "shapley",
        lambda: nn.shapley(total, X, Z((3, 5))),
        nn.ShapeError,
        r"shapley: background has shape \(3, 5\) but x has shape \(4, 2\); it must be \(b, 2\)",
    ),
    (
        "shapley",
        lambda: nn.shapley(total, X, Z(2)),
        nn.ShapeError,
        r"shapley: background has shape \(2,\); it must be \(n, d\), one row per sample",
    ),
    (
        "shapley",
        lambda: nn.shapley(total, X, BAD),
        ValueError,
        r"shapley: background has nan at index \(1, 1\); remove or replace it",
    ),
    (
        "shapley",
        lambda: nn.shapley(total, Z((1, 17)), Z((1, 17))),
        ValueError,
        r"shapley: x has 17 inputs, or 2\*\*17 coalitions; above 16 use shapley_sample",
    ),
    (
        "shapley",
        lambda: nn.shapley(lambda rows: 1.0, X, X),
        nn.ShapeError,
        r"shapley: f returned shape \(\) for rows of shape \(16, 2\); it must return \(16,\)",
    ),
    (
        "shapley_sample",
        lambda: nn.shapley_sample(total, X, X, 1, rng()),
        ValueError,
        "shapley_sample: permutations is 1; the standard error needs at least 2",
    ),
    (
        "shapley_sample",
        lambda: nn.shapley_sample(total, X, X, 0, rng()),
        ValueError,
        "shapley_sample: permutations is 0; it must be a whole number of at least 1",
    ),
    (
        "shapley_sample",
        lambda: nn.shapley_sample(total, X, X, 5, None),
        TypeError,
        r"shapley_sample: rng is None; pass a generator, e.g. np.random.default_rng\(0\)",
    ),
    (
        "shapley_sample",
        lambda: nn.shapley_sample(total, X, Z((0, 2)), 5, rng()),
        nn.ShapeError,
        r"shapley_sample: background has shape \(0, 2\); it must be \(n, d\), one row per sample",
    ),
    (
        "shapley_sample",
        lambda: nn.shapley_sample(lambda rows: rows[:, :1], X, X, 5, rng()),
        nn.ShapeError,
        r"shapley_sample: f returned shape \(12, 1\) for rows of shape \(12, 2\); it must return \(12,\)",
    ),
    (
        "project",
        lambda: nn.project(Z((2, 3)), -0.1),
        ValueError,
        "project: epsilon is -0.1; it must be at least 0 and finite",
    ),
    (
        "project",
        lambda: nn.project(Z((2, 3)), NAN),
        ValueError,
        "project: epsilon is nan; it must be at least 0 and finite",
    ),
    (
        "project",
        lambda: nn.project(Z((2, 3)), 0.1, 1),
        ValueError,
        "project: norm is 1; it must be np.inf or 2",
    ),
    (
        "project",
        lambda: nn.project(Z((2, 3)), 0.1, "max"),
        ValueError,
        "project: norm is 'max'; it must be np.inf or 2",
    ),
    (
        "fgsm",
        lambda: attack("fgsm", epsilon=-0.1),
        ValueError,
        "fgsm: epsilon is -0.1; it must be at least 0 and finite",
    ),
    ("fgsm", lambda: attack("fgsm", norm=3), ValueError, "fgsm: norm is 3; it must be np.inf or 2"),
    (
        "fgsm",
        lambda: attack("fgsm", x=X * 16),
        ValueError,
        r"fgsm: x runs from 0 to 16; it must stay in \[0.0, 1.0\]",
    ),
    (
        "fgsm",
        lambda: attack("fgsm", x=X - 0.5),
        ValueError,
        r"fgsm: x runs from -0.5 to 0.5; it must stay in \[0.0, 1.0\]",
    ),
    (
        "fgsm",
        lambda: attack("fgsm", x=X[0]),
        nn.ShapeError,
        r"fgsm: x has shape \(2,\); it must be \(n, d\), one row per sample",
    ),
    (
        "fgsm",
        lambda: attack("fgsm", x=Z((4, 3))),
        nn.ShapeError,
        r"dense: x has shape \(4, 3\) but W has shape \(2, 3\); x must be \(n, 2\)",
    ),
    (
        "fgsm",
        lambda: attack("fgsm", x=BAD),
        ValueError,
        r"fgsm: x has nan at index \(1, 1\); remove or replace it",
    ),
    (
        "fgsm",
        lambda: attack("fgsm", y=LABELS + 1),
        ValueError,
        "cross_entropy: labels run from 1 to 3; z has classes 0 to 2",
    ),
    (
        "fgsm",
        lambda: attack("fgsm", y=LABELS[:3]),
        nn.ShapeError,
        r"cross_entropy: y has shape \(3,\) but z has shape \(4, 3\); y must be \(4,\)",
    ),
    (
        "fgsm",
        lambda: attack("fgsm", y=LABELS / 2),
        TypeError,
        r"cross_entropy: y has dtype float64; class labels are integers, e.g. y.astype\(int\)",
    ),
    (
        "pgd",
        lambda: attack("pgd", epsilon=-1),
        ValueError,
        "pgd: epsilon is -1; it must be at least 0 and finite",
    ),
    ("pgd", lambda: attack("pgd", norm="inf"), ValueError, "pgd: norm is 'inf'; it must be np.inf or 2"),
    (
        "pgd",
        lambda: attack("pgd", x=X + 1),
        ValueError,
        r"pgd: x runs from 1 to 2; it must stay in \[0.0, 1.0\]",
    ),
    (
        "pgd",
        lambda: attack("pgd", y=-LABELS),
        ValueError,
        "margin: labels run from -2 to 0; z has classes 0 to 2",
    ),
    (
        "pgd",
        lambda: attack("pgd", steps=0),
        ValueError,
        "pgd: steps is 0; it must be a whole number of at least 1",
    ),
    (
        "pgd",
        lambda: attack("pgd", restarts=0, rng=rng()),
        ValueError,
        "pgd: restarts is 0; it must be a whole number of at least 1",
    ),
    (
        "pgd",
        lambda: attack("pgd", restarts=3),
        ValueError,
        "pgd: restarts is 3 without rng; they would all be the same",
    ),
    (
        "pgd",
        lambda: attack("pgd", rng=5),
        TypeError,
        r"pgd: rng is 5; pass a generator, e.g. np.random.default_rng\(0\)",
    ),
    ("pgd", lambda: attack("pgd", lr=-0.1), ValueError, "pgd: lr is -0.1; it must be at least 0 and finite"),
    (
        "interval_bounds",
        lambda: nn.interval_bounds(CLASSES, CLASSES.init(rng()), X, X[:3]),
        nn.ShapeError,
        r"interval_bounds: low has shape \(4, 2\) but high has \(3, 2\); they must agree",
    ),
    (
        "interval_bounds",
        lambda: nn.interval_bounds(CLASSES, CLASSES.init(rng()), X, X - 0.1),
        ValueError,
        "interval_bounds: low is above high somewhere; swap these ends",
    ),
    (
        "interval_bounds",
        lambda: nn.interval_bounds(CLASSES, CLASSES.init(rng()), BAD, BAD),
        ValueError,
        r"interval_bounds: low has nan at index \(1, 1\); remove or replace it",
    ),
    (
        "interval_bounds",
        lambda: nn.interval_bounds(CLASSES, CLASSES.init(rng()), X, X + np.inf),
        ValueError,
        r"interval_bounds: high has inf at index \(0, 0\); remove or replace it",
    ),
    (
        "interval_bounds",
        lambda: nn.interval_bounds(nn.MLP((2, 3, 1), hidden=nn.gelu), nn.MLP((2, 3, 1)).init(rng()), X, X),
        TypeError,
        "interval_bounds: <function gelu at .*> may fall somewhere; take e.g. relu, sigmoid or tanh",
    ),
    (
        "interval_bounds",
        lambda: nn.interval_bounds(CLASSES, CLASSES.init(rng()), Z((4, 3)), Z((4, 3))),
        nn.ShapeError,
        r"dense: x has shape \(4, 3\) but W has shape \(2, 3\); x must be \(n, 2\)",
    ),
    (
        "project",
        lambda: nn.project(Z((2, 3)), np.array([0.1, 0.2])),
        nn.ShapeError,
        r"project: epsilon has shape \(2,\); it must be a number, or \(R, 1\) for one per run",
    ),
    (
        "fgsm",
        lambda: attack("fgsm", epsilon=np.full(4, 0.1)),
        nn.ShapeError,
        r"fgsm: epsilon has shape \(4,\); it must be a number, or \(R, 1\) for one per run",
    ),
    (
        "pgd",
        lambda: attack("pgd", lr=np.full(4, 0.1)),
        nn.ShapeError,
        r"pgd: lr has shape \(4,\); it must be a number, or \(R, 1\) for one per run",
    ),
    (
        "pgd",
        lambda: attack("pgd", x=np.array([X, X]), epsilon=np.full((3, 1), 0.1)),
        nn.ShapeError,
        r"pgd: x has shape \(2, 4, 2\), epsilon is for \(3,\) runs and p for \(\); they must agree",
    ),
]

# Nothing to refuse: no argument, or a record of results that only nnmath makes.
EXEMPT = {
    "xor",
    "Params.copy",
    "ShapeError",
    "DivergenceError",
    "GradCheck",
    "History",
    "Trials",
    "Trials.best_so_far",
}


@pytest.mark.parametrize(
    "name, call, error, message", ROWS, ids=[f"{i}-{row[0]}" for i, row in enumerate(ROWS)]
)
def test_bad_input(name, call, error, message):
    with pytest.raises(error) as info:
        call()
    assert info.type is error or (
        error is TypeError and issubclass(info.type, TypeError)
    )  # NumPy subclasses it
    assert re.fullmatch(message, str(info.value)), str(info.value)


def public_callables():
    for name in nn.__all__:
        yield name
        thing = getattr(nn, name)
        if inspect.isclass(thing) and thing.__module__.startswith("nnmath"):
            for method, f in vars(thing).items():
                fields = getattr(thing, "__dataclass_fields__", {})  # MLP.hidden is a function, not a method
                own = inspect.isfunction(f) or isinstance(f, classmethod)
                if not method.startswith("_") and method not in fields and own:
                    yield f"{name}.{method}"


def test_every_public_callable_has_a_row():
    names = set(public_callables())
    assert {name for name, *_ in ROWS} | EXEMPT == names, (
        "a callable without a row, or a row without a callable"
    )
    assert not {name for name, *_ in ROWS} & EXEMPT


def test_bad_settings_are_refused_before_anything_happens():
    """train checks at the call, not at the first step."""
    with pytest.raises(ValueError, match="epochs is 0"):
        nn.train(NET, params(), X, Y, loss=nn.mse, optimizer=nn.SGD(0.1), epochs=0)


def test_a_refused_call_leaves_the_parameters_alone():
    p = params()
    with pytest.raises(nn.ShapeError):
        fit("fit", p=p, y=Y[:, 0])
    np.testing.assert_array_equal(p.theta, params().theta)
