"""The same work by scikit-learn and by PyTorch."""

from contextlib import suppress

import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

import nnmath as nn

from .clock import Contestant

torch = None
with suppress(ImportError):
    import torch

    torch.set_num_threads(1)


def scikit_learn(task):
    """Its own inner loop, `_backprop` and its optimizer, spared the checks and copies of `fit`."""
    p, sizes = task.init(), task.net.sizes
    model = MLPClassifier(activation="relu" if task.net.hidden is nn.relu else "tanh", alpha=0.0)
    model.n_layers_, model.n_outputs_ = len(sizes), sizes[-1]
    model.coefs_ = [p[W].copy() for W, _ in task.net.names]
    model.intercepts_ = [p[b].copy() for _, b in task.net.names]
    weights = model.coefs_ + model.intercepts_
    if task.optimizer is nn.Adam:
        optimizer = AdamOptimizer(weights, task.lr)
    else:
        optimizer = SGDOptimizer(weights, task.lr, momentum=0.0, nesterov=False)
    many = task.loss is nn.cross_entropy
    model.out_activation_ = "softmax" if many else "logistic"
    batches = task.batches(task.x, np.eye(sizes[-1], dtype=np.float32)[task.y] if many else task.y)
    activations, *space = ([None] * n for n in (len(sizes), *[len(sizes) - 1] * 3))

    def step():
        activations[0], y = next(batches)
        loss, dW, db = model._backprop(activations[0], y, None, activations, *space)
        optimizer.update_params(weights, dW + db)
        return loss

    def theta():
        layers = zip(model.coefs_, model.intercepts_, strict=True)
        return np.concatenate([a.ravel() for layer in layers for a in layer])

    return Contestant(step, theta)


def pytorch(task):
    """Eager mode, as its tutorials write it."""
    model, optimizer = _torch_model(task)
    loss_function = _torch_loss(task)
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


def _torch_model(task):
    p, hidden = task.init(), torch.nn.ReLU if task.net.hidden is nn.relu else torch.nn.Tanh
    layers = []
    for W, b in task.net.names:
        layers += [torch.nn.Linear(*p[W].shape), hidden()]
        with torch.no_grad():
            layers[-2].weight.copy_(torch.from_numpy(p[W].T))
            layers[-2].bias.copy_(torch.from_numpy(p[b]))
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam if task.optimizer is nn.Adam else torch.optim.SGD
    return model, optimizer(model.parameters(), lr=task.lr)


def _torch_loss(task):
    if task.loss is nn.cross_entropy:
        return torch.nn.functional.cross_entropy
    return torch.nn.functional.binary_cross_entropy_with_logits


def vmap(task):
    """torch.func: vmap over the gradient of one network's loss, and a step on the stacked parameters."""
    models = [_torch_model(task.run(r))[0] for r in range(len(task.seed))]
    weights, _ = torch.func.stack_module_state(models)
    weights = {name: w.detach() for name, w in weights.items()}
    x, y, loss_function = torch.from_numpy(task.x), torch.from_numpy(task.y), _torch_loss(task)
    rates = {n: torch.from_numpy(task.lr.astype(np.float32)).reshape(-1, *[1] * (w.ndim - 1)) for n, w in weights.items()}

    def loss_of(weights):
        return loss_function(torch.func.functional_call(models[0], weights, (x,)), y)

    gradient = torch.func.vmap(torch.func.grad_and_value(loss_of))

    def step():
        grads, loss = gradient(weights)
        for name, w in weights.items():
            w -= rates[name] * grads[name]
        return loss

    def theta():
        return np.concatenate([w.mT.flatten(1) if w.ndim > 2 else w for w in weights.values()], axis=1)

    return Contestant(step, theta)
