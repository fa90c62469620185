"""The same work done by scikit-learn and by PyTorch."""

from contextlib import suppress
from types import SimpleNamespace

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

import nnmath as nn

from .clock import Contestant, array

torch = None
with suppress(ImportError):
    import torch

    torch.set_num_threads(1)


class ScikitLearn(Contestant):
    """MLPClassifier (MLPRegressor with mse): the training loop of its `fit`, spared the checks before it."""

    def __init__(self, task):
        p, sizes, many = task.init(), task.net.sizes, task.loss is nn.cross_entropy
        self.model = (MLPRegressor if task.loss is nn.mse else MLPClassifier)(
            activation="relu" if task.net.hidden is nn.relu else "tanh",
            solver="adam" if task.optimizer is nn.Adam else "sgd", momentum=0.0, alpha=0.0,
            learning_rate_init=task.lr * (2 if task.loss is nn.mse else 1),  # its loss is half the square
            batch_size=task.batch_size or len(task.x), shuffle=task.batch_size is not None,
            n_iter_no_change=10**9,
        )  # fmt: skip
        self.x, self.y = task.x, np.eye(sizes[-1], dtype=np.float32)[task.y] if many else task.y
        self.model._label_binarizer = SimpleNamespace(y_type_="multiclass" if many else "binary")
        self.model._random_state = np.random.RandomState(0)
        self.model._initialize(self.y, sizes, np.float32)
        self.model.coefs_ = [p[W].copy() for W, _ in task.net.names]
        self.model.intercepts_ = [p[b].copy() for _, b in task.net.names]
        self.batches, self.t = task.batches(self.x, self.y), 0

    def _fit(self, x, y, once):
        n = self.model.n_layers_
        space = [x, *[None] * (n - 1)], *([None] * (n - 1) for _ in range(3))
        self.model._fit_stochastic(x, y, None, *space, None, once)

    def run(self, steps):
        self.model.max_iter = steps * self.model.batch_size // len(self.x)
        self._fit(self.x, self.y, False)

    def step(self):
        """One batch as `partial_fit` takes it, with the epsilon that nnmath and PyTorch correct as well."""
        self.t += 1
        self.model.epsilon = 1e-8 * (1 - 0.999**self.t) ** 0.5
        if self.t > 1:
            self.model._optimizer.epsilon = self.model.epsilon
        self._fit(*next(self.batches), True)
        return self.model.loss_ * (2 if isinstance(self.model, MLPRegressor) else 1)

    def theta(self):
        layers = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return np.concatenate([a.ravel() for layer in layers for a in layer])


class Loop(Contestant):
    """The networks of a stack, one after the other."""

    def __init__(self, task, make):
        self.each = [make(one) for one in task.each()]

    def run(self, steps):
        for contestant in self.each:
            contestant.run(steps)

    def step(self):
        return np.array([array(contestant.step()) for contestant in self.each])

    def theta(self):
        return np.array([contestant.theta() for contestant in self.each])


LOSSES = {
    nn.mse: "mse_loss",
    nn.binary_cross_entropy: "binary_cross_entropy_with_logits",
    nn.cross_entropy: "cross_entropy",
}


def _torch_model(task):
    p, hidden, layers = task.init(), torch.nn.ReLU if task.net.hidden is nn.relu else torch.nn.Tanh, []
    for W, b in task.net.names:
        layers += [torch.nn.Linear(*p[W].shape), hidden()]
        with torch.no_grad():
            layers[-2].weight.copy_(torch.from_numpy(p[W].T))
            layers[-2].bias.copy_(torch.from_numpy(p[b]))
    return torch.nn.Sequential(*layers[:-1]), getattr(torch.nn.functional, LOSSES[task.loss])


def torch_eager(task):
    """Eager mode, as its tutorials write it."""
    model, loss_function = _torch_model(task)
    optimizer = torch.optim.Adam if task.optimizer is nn.Adam else torch.optim.SGD
    optimizer = optimizer(model.parameters(), lr=task.lr)
    batches = task.batches(torch.from_numpy(task.x), torch.from_numpy(task.y), torch.from_numpy)

    def step():
        x, y = next(batches)
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    def theta():
        return np.concatenate([a.detach().numpy().T.ravel() for a in model.parameters()])

    return Contestant(step, theta)


def torch_vmap(task):
    """A stack by torch.func: vmap over one network's gradient, and a step on the stacked parameters."""
    models, loss_functions = zip(*map(_torch_model, task.each()), strict=True)
    lr, x, y = map(torch.from_numpy, (task.lr.astype(np.float32), task.x, task.y))
    weights = {k: w.detach() for k, w in torch.func.stack_module_state(models)[0].items()}
    rates = {k: lr.reshape(-1, *[1] * (w.ndim - 1)) for k, w in weights.items()}

    def loss_of(weights):
        return loss_functions[0](torch.func.functional_call(models[0], weights, (x,)), y)

    gradient = torch.func.vmap(torch.func.grad_and_value(loss_of))

    def step():
        grads, loss = gradient(weights)
        for name, w in weights.items():
            w -= rates[name] * grads[name]
        return loss

    def theta():
        return np.concatenate([w.mT.flatten(1) if w.ndim > 2 else w for w in weights.values()], axis=1)

    return Contestant(step, theta)


def torch_adam(theta, g, **settings):
    a = torch.nn.Parameter(torch.from_numpy(theta.copy()))
    a.grad, optimizer = torch.from_numpy(g), torch.optim.Adam([a], **settings)

    def step():
        optimizer.step()
        return a[0]

    return Contestant(step, lambda: a)
