"""One task, done by nnmath and by its peers: the same weights to begin with, the same batches, float32."""

from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod
from types import SimpleNamespace

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

import nnmath as nn
from nnmath.activations import ones, rowmax, rowsum

from .clock import Contestant, array

torch = None
with suppress(ImportError):
    import torch

    torch.set_num_threads(1)


@dataclass
class Task:
    """A network on a data set; or, with lr (R, 1) and a tuple of R seeds, a stack of networks."""

    net: nn.MLP
    x: np.ndarray
    y: np.ndarray
    loss: object = nn.cross_entropy
    optimizer: object = nn.Adam
    lr: object = 1e-3
    batch_size: int = None
    seed: object = 1

    def __post_init__(self):
        self.x = self.x.astype(np.float32)
        self.y = self.y.astype(int if self.loss is nn.cross_entropy else np.float32)

    def init(self):
        rng, stacked = np.random.default_rng, np.ndim(self.seed)
        return self.net.init([rng(s) for s in self.seed] if stacked else rng(self.seed), np.float32)

    def each(self):
        """The networks of a stack, each as a task of its own."""
        return [replace(self, lr=float(lr), seed=s) for lr, s in zip(self.lr[:, 0], self.seed, strict=True)]

    def batches(self, x, y, index=np.asarray):
        """Those of nnmath.train, from x and y in the peer's kind of array."""
        rng, n, size = np.random.default_rng(2), len(x), self.batch_size
        while size is None:
            yield x, y
        while True:
            order = index(rng.permutation(n))
            xs, ys = x[order], y[order]
            for i in range(0, n, size):
                yield xs[i : i + size], ys[i : i + size]

    def nnmath(self):
        """As a reader does it: `train`, one step after the other."""
        p = self.init()
        run = nn.train(
            self.net, p, self.x, self.y, loss=self.loss, optimizer=self.optimizer(self.lr),
            steps=10**9, batch_size=self.batch_size, rng=np.random.default_rng(2),
        )  # fmt: skip

        def theta():
            next(run)  # a step is seen before its update is made
            return p.theta

        return Contestant(lambda: next(run).loss, theta)


class Loop(Contestant):
    """The networks of a stack, one after the other."""

    def __init__(self, task, make):
        self.each = [make(one) for one in task.each()]
        self.step = lambda: np.array([array(c.step()) for c in self.each])
        self.theta = lambda: np.array([c.theta() for c in self.each])

    def run(self, steps):
        for contestant in self.each:
            contestant.run(steps)


class ScikitLearn(Contestant):
    """MLPClassifier (MLPRegressor with mse). Timed: the training loop of its `fit`, not the checks before."""

    def __init__(self, task):
        p, sizes, many = task.init(), task.net.sizes, task.loss is nn.cross_entropy
        self.half = 1 if many else 2  # its squared loss is half of ours
        self.model = model = (MLPClassifier if many else MLPRegressor)(
            activation="relu" if task.net.hidden is nn.relu else "tanh", alpha=0.0, momentum=0.0,
            solver="adam" if task.optimizer is nn.Adam else "sgd", learning_rate_init=task.lr * self.half,
            batch_size=task.batch_size or len(task.x), shuffle=bool(task.batch_size), n_iter_no_change=10**9,
        )  # fmt: skip
        self.x, self.y = task.x, np.eye(sizes[-1], dtype=np.float32)[task.y] if many else task.y
        model._random_state = np.random.RandomState(0)
        model._label_binarizer = SimpleNamespace(y_type_="multiclass")
        model._initialize(self.y, sizes, np.float32)
        model.coefs_ = [p[W].copy() for W, _ in task.net.names]
        model.intercepts_ = [p[b].copy() for _, b in task.net.names]
        self.batches, self.t = task.batches(self.x, self.y), 0

    def _fit(self, x, y, once):
        n = self.model.n_layers_ - 1
        self.model._fit_stochastic(x, y, None, [x] + [None] * n, *([None] * n for _ in range(3)), None, once)

    def run(self, steps):
        self.model.max_iter = steps * self.model.batch_size // len(self.x)
        self._fit(self.x, self.y, False)

    def step(self):
        """One batch, as `partial_fit` takes it, with Adam's epsilon corrected as nnmath and PyTorch do."""
        self.t += 1
        holder = self.model if self.t == 1 else self.model._optimizer
        holder.epsilon = 1e-8 * (1 - 0.999**self.t) ** 0.5
        self._fit(*next(self.batches), True)
        return self.model.loss_ * self.half

    def theta(self):
        layers = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return np.concatenate([a.ravel() for layer in layers for a in layer])


def by_hand(task):
    """The same arithmetic and nothing around it: no checks, no names, no functions, arrays used again.

    It shows what NumPy itself costs, and so what no change of nnmath can save.
    """
    p, lr = task.init(), task.lr
    theta, grads = p.theta, p.like(np.zeros_like(p.theta))
    layers = [(p[W], p[b], grads[W], grads[b]) for W, b in task.net.names]
    g, m, v, t = grads.theta, np.zeros_like(theta), np.zeros_like(theta), 0
    relu, labels, adam = task.net.hidden is nn.relu, task.loss is nn.cross_entropy, task.optimizer is nn.Adam
    batches = task.batches(task.x, task.y)

    def step():
        nonlocal t
        a, y = next(batches)
        kept, one = [], ones(len(a), a.dtype)
        for W, b, _, _ in layers:
            kept.append(a)
            a = a.dot(W)
            a += b
            if W is not layers[-1][0]:
                np.maximum(a, 0, out=a) if relu else np.tanh(a, out=a)
        if labels:
            a -= rowmax(a)
            d = np.exp(a)
            s = rowsum(d)
            true = np.arange(0, a.size, a.shape[1])
            true += y
            loss = (np.log(s[:, 0]) - a.take(true)).dot(one) / len(a)
            s *= len(a)
            d /= s
            d.put(true, d.take(true) - 1 / len(a))
        else:
            a -= y
            d = a.ravel()
            loss = d.dot(d) / d.size
            a *= 2 / d.size
            d = a
        for (W, _, dW, db), a in zip(reversed(layers), reversed(kept), strict=True):
            a.T.dot(d, dW)
            one.dot(d, db)
            if W is not layers[0][0]:
                d = d.dot(W.T)
                d *= a > 0 if relu else 1 - a * a
        if not adam:
            np.subtract(theta, lr * g, out=theta)
            return loss
        t += 1
        root = (1 - 0.999**t) ** 0.5
        np.multiply(m, 0.9, out=m)
        np.add(m, (1 - 0.9) * g, out=m)
        s = g * g
        s *= 1 - 0.999
        np.multiply(v, 0.999, out=v)
        np.add(v, s, out=v)
        np.sqrt(v, out=s)
        s += 1e-8 * root
        np.divide(m, s, out=s)
        s *= lr * root / (1 - 0.9**t)
        np.subtract(theta, s, out=theta)
        return loss

    return Contestant(step, lambda: theta)


def _torch(task):
    """The network and the loss function."""
    p, hidden, layers = task.init(), torch.nn.ReLU if task.net.hidden is nn.relu else torch.nn.Tanh, []
    for W, b in task.net.names:
        layers += [torch.nn.Linear(*p[W].shape), hidden()]
        layers[-2].weight.data.copy_(torch.from_numpy(p[W].T))
        layers[-2].bias.data.copy_(torch.from_numpy(p[b]))
    loss = "cross_entropy" if task.loss is nn.cross_entropy else "mse_loss"
    return torch.nn.Sequential(*layers[:-1]), getattr(torch.nn.functional, loss)


def torch_eager(task):
    """As its tutorials write it."""
    model, loss_function = _torch(task)
    make = torch.optim.Adam if task.optimizer is nn.Adam else torch.optim.SGD
    optimizer = make(model.parameters(), lr=task.lr)
    batches = task.batches(torch.from_numpy(task.x), torch.from_numpy(task.y), torch.from_numpy)

    def step():
        x, y = next(batches)
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return Contestant(step, lambda: np.concatenate([array(a).T.ravel() for a in model.parameters()]))


def torch_vmap(task):
    """torch.func: vmap over the gradient of one network, and a step on the stacked parameters."""
    models, losses = zip(*map(_torch, task.each()), strict=True)
    lr, x, y = map(torch.from_numpy, (task.lr.astype(np.float32), task.x, task.y))
    weights = {k: w.detach() for k, w in torch.func.stack_module_state(models)[0].items()}
    rates = {k: lr.reshape(-1, *[1] * (w.ndim - 1)) for k, w in weights.items()}

    def loss_of(weights):
        return losses[0](torch.func.functional_call(models[0], weights, (x,)), y)

    gradient = torch.func.vmap(torch.func.grad_and_value(loss_of))

    def step():
        grads, loss = gradient(weights)
        for name, w in weights.items():
            w -= rates[name] * grads[name]
        return loss

    def theta():
        return np.hstack([w.mT.flatten(1) if w.ndim > 2 else w for w in weights.values()])

    return Contestant(step, theta)


def lstm_task():
    """The network, its data and its first parameters: 32 steps of 32 sequences, 64 wide."""
    net, rng = nn.Recurrent((64, 64, 1)), np.random.default_rng(0)
    x, y = (rng.normal(size=shape).astype(np.float32) for shape in ((32, 32, 64), (32, 1)))
    return net, x, y, net.init(rng, np.float32)


def lstm():
    """As a reader does it: `train`."""
    net, x, y, p = lstm_task()
    run = nn.train(net, p, x, y, loss=nn.mse, optimizer=nn.Adam(), steps=10**9)

    def theta():
        next(run)
        return p.theta

    return Contestant(lambda: next(run).loss, theta)


def torch_lstm(cell=False):
    """nn.LSTM, or a loop over nn.LSTMCell; of its two biases, which only ever act as a sum, one stays 0."""
    _, x, y, p = lstm_task()
    layer, answer = (torch.nn.LSTMCell if cell else torch.nn.LSTM)(64, 64), torch.nn.Linear(64, 1)
    wx, wh, b, zero = layer.parameters()
    trained = [wx, wh, b, answer.weight, answer.bias]
    for mine, name in zip(trained, p, strict=True):
        mine.data.copy_(torch.from_numpy(p[name].T))
    zero.requires_grad_(False).zero_()
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    optimizer = torch.optim.Adam(trained)

    def last():
        if not cell:
            return layer(x)[0][-1]
        h = c = torch.zeros(32, 64)
        for xt in x:
            h, c = layer(xt, (h, c))
        return h

    def step():
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(answer(last()), y)
        loss.backward()
        optimizer.step()
        return loss

    return Contestant(step, lambda: np.concatenate([array(a).T.ravel() for a in trained]))


def block_task():
    """16 sequences of 64 tokens, 64 wide, 4 heads, 256 hidden units: the block, data, first parameters."""
    model, rng = nn.Block(64, 4, 256, causal=False), np.random.default_rng(0)
    x, y = rng.normal(size=(2, 16, 64, 64)).astype(np.float32)
    n = sum(map(prod, model.shapes.values()))
    p = nn.Params(rng.normal(0, 0.1, n).astype(np.float32), model.shapes)
    p["gamma1"] = p["gamma2"] = 1
    return model, x, y, p


def block():
    model, x, y, p = block_task()
    grads, optimizer = p.copy(), nn.SGD(0.01)

    def step():
        z, cache = model.forward(p, x)
        loss, dz = nn.mse(z.reshape(-1, 64), y.reshape(-1, 64))
        model.backward(p, cache, dz.reshape(z.shape), grads)
        optimizer.step(p.theta, grads.theta)
        return loss

    return Contestant(step, lambda: p.theta)


def torch_block():
    """nn.TransformerEncoderLayer, norms first as ours."""
    _, x, y, p = block_task()
    model = torch.nn.TransformerEncoderLayer(64, 4, 256, dropout=0.0, batch_first=True, norm_first=True)
    look, parts = model.self_attn, (model.norm1, model.self_attn.out_proj, model.norm2)
    order = [parts[0].weight, parts[0].bias, look.in_proj_weight, look.in_proj_bias, parts[1].weight]
    order += [parts[1].bias, parts[2].weight, parts[2].bias]
    order += [a for linear in (model.linear1, model.linear2) for a in (linear.weight, linear.bias)]
    for mine, name in zip(order, p, strict=True):
        mine.data.copy_(torch.from_numpy(p[name].T))
    x, y = torch.from_numpy(x).requires_grad_(), torch.from_numpy(y)
    optimizer = torch.optim.SGD(order, lr=0.01)

    def step():
        optimizer.zero_grad()
        x.grad = None
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return Contestant(step, lambda: np.concatenate([array(a).T.ravel() for a in order]))


def adam(theta, g):
    a, optimizer = theta.copy(), nn.Adam()
    return Contestant(lambda: optimizer.step(a, g), lambda: a)


def torch_adam(theta, g, **settings):
    a = torch.nn.Parameter(torch.from_numpy(theta.copy()))
    a.grad = torch.from_numpy(g)
    return Contestant(torch.optim.Adam([a], **settings).step, lambda: a)


def products(task):
    """Only the matrix products of a step."""
    sizes, n, pairs = task.net.sizes, task.batch_size, []
    for l, (i, o) in enumerate(pairwise(sizes)):
        x, W, z, dW = (np.ones(shape, np.float32) for shape in ((n, i), (i, o), (n, o), (i, o)))
        pairs += [(x, W, None), (x.T, z, dW), *[(z, W.T, None)] * (l > 0)]

    def step():
        for a, b, out in pairs:
            np.matmul(a, b, out=out)

    return Contestant(step)
