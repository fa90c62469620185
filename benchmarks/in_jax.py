"""The tasks in JAX: one jitted function for a whole step, compiled before anything is timed."""

import os
from contextlib import suppress
from functools import partial
from math import log
from pathlib import Path

import numpy as np

import nnmath as nn

from .clock import Contestant

os.environ.update(NPROC="1", JAX_PLATFORMS="cpu")  # XLA's pool of threads is as large as NPROC says
jax = None
with suppress(ImportError):
    import jax
    import jax.numpy as jnp


class Jax(Contestant):
    """step(state, x, y) -> state, loss: jitted. state: ({name: parameter}, what the optimizer keeps)."""

    def __init__(self, step, p, moments=0, batches=None, data=()):
        weights = {name: jnp.array(p[name]) for name in p}  # a copy: JAX may else share NumPy's memory
        self.state = weights, [{k: jnp.zeros_like(w) for k, w in weights.items()} for _ in range(moments)], 0
        self.jitted, self.names, self.runs = step, list(p), p.theta.shape[:-1]
        self.next = partial(next, batches)
        if batches is None:
            data = [jnp.array(a) for a in data]
            self.next = lambda: data

    def step(self):
        self.state, found = self.jitted(self.state, *self.next())
        return found[0] if isinstance(found, tuple) else found  # the loss

    def run(self, steps):
        super().run(steps)
        jax.block_until_ready(self.state)  # JAX returns before it has computed

    def theta(self):
        weights = [
            self.state[0][name] for name in self.names
        ]  # JAX puts the names of a dict in its own order
        return np.concatenate([np.reshape(w, (*self.runs, -1)) for w in weights], axis=-1)


def sgd(lr, state, grads):
    weights, moments, t = state
    return {k: w - lr * grads[k] for k, w in weights.items()}, moments, t


def adam(lr, state, grads):
    """eq:adam, with the settings that nnmath and PyTorch have."""
    weights, (m, v), t = state
    t, step = t + 1, {}
    left1, left2 = (-jnp.expm1(t * log(beta)) for beta in (0.9, 0.999))  # 1 - beta**t loses digits in float32
    m = {k: 0.9 * m[k] + 0.1 * g for k, g in grads.items()}
    v = {k: 0.999 * v[k] + 0.001 * g * g for k, g in grads.items()}
    for k, w in weights.items():
        step[k] = w - lr * (m[k] / left1) / (jnp.sqrt(v[k] / left2) + 1e-8)
    return step, [m, v], t


def mse(z, y):
    return jnp.mean((z - y) ** 2)


def cross_entropy(z, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1))


def stepper(loss_of, update):
    """The jitted step of loss_of(weights, x, y); the old state's memory is given to the new one."""

    def step(state, x, y):
        loss, grads = jax.value_and_grad(loss_of)(state[0], x, y)
        return update(state, grads), loss

    return step


def network(task):
    """A maker of contestants for a Task, one network or a stack (`jax.vmap`)."""
    hidden = jax.nn.relu if task.net.hidden is nn.relu else jnp.tanh
    loss = cross_entropy if task.loss is nn.cross_entropy else mse
    *inner, last = task.net.names

    def loss_of(weights, x, y):
        for W, b in inner:
            x = hidden(x @ weights[W] + weights[b])
        return loss(x @ weights[last[0]] + weights[last[1]], y)

    is_adam = task.optimizer is nn.Adam
    if np.ndim(task.lr):
        rates = jnp.array(task.lr[:, 0], jnp.float32)

        def step(state, x, y):
            def one(weights, lr):
                return stepper(loss_of, partial(sgd, lr))((weights, [], 0), x, y)

            (weights, _, _), losses = jax.vmap(one, out_axes=((0, None, None), 0))(state[0], rates)
            return (weights, *state[1:]), losses
    else:
        step = stepper(loss_of, partial(adam if is_adam else sgd, task.lr))
    step = jax.jit(step, donate_argnums=0)
    if task.batch_size is None:
        return lambda: Jax(step, task.init(), data=(task.x, task.y))
    return lambda: Jax(step, task.init(), 2 * is_adam, task.batches(task.x, task.y))


def recurrent(p, x, y):
    """As contestants.lstm."""
    step = stepper(lambda w, x, y: mse(lstm(w, x), y), partial(adam, 1e-3))
    step = jax.jit(step, donate_argnums=0)
    return lambda: Jax(step, p, 2, data=(x, y))


def lstm(w, x):
    """The network of contestants.lstm_task: `lax.scan` over the steps, a dense answer to the last."""

    def cell(state, xt):
        h, c = state
        i, f, g, o = jnp.split(xt @ w["Wx"] + h @ w["Wh"] + w["b"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zero = jnp.zeros((x.shape[1], len(w["Wh"])))
    (h, _), _ = jax.lax.scan(cell, (zero, zero), x)
    return h @ w["Wy"] + w["by"]


def block(w, x, heads=4):
    """The transformer block of contestants.block_task, norms first."""
    n, T, d = x.shape
    qkv = norm(x, w["gamma1"], w["beta1"]) @ w["W"] + w["b"]
    q, k, v = jnp.moveaxis(qkv.reshape(n, T, 3, heads, d // heads), 2, 0)
    looked = jax.nn.dot_product_attention(q, k, v).reshape(n, T, d)
    y = x + looked @ w["Wo"] + w["bo"]
    a = jax.nn.relu(norm(y, w["gamma2"], w["beta2"]) @ w["W1"] + w["b1"])
    return y + a @ w["W2"] + w["b2"]


def norm(x, gamma, beta):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / jnp.sqrt(variance + 1e-5) * gamma + beta


def block_step(p, x, y, lr):
    """As contestants.block: the gradient of the block's input, too, which nobody uses but others need."""

    def step(state, x, y):
        loss, (grads, dx) = jax.value_and_grad(lambda w, x: mse(block(w, x), y), (0, 1))(state[0], x)
        return sgd(lr, state, grads), (loss, dx)

    step = jax.jit(step, donate_argnums=0)
    return lambda: Jax(step, p, data=(x, y))


def adam_alone(theta, g, lr=1e-3):
    """Only the optimizer, on one vector."""
    step = jax.jit(lambda state, g: (adam(lr, state, {"theta": g}), None), donate_argnums=0)
    p = nn.Params(theta, {"theta": theta.shape})
    return lambda: Jax(step, p, 2, data=(g,))


def busy_threads():
    """How many threads a large product keeps busy; None where the system does not tell."""
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        return None

    def ticks():  # hundredths of a second of each thread
        fields = {t.name: (t / "stat").read_text().rpartition(")")[2].split() for t in tasks.iterdir()}
        return {name: int(f[11]) + int(f[12]) for name, f in fields.items()}

    product, a = jax.jit(jnp.matmul), jnp.ones((1024, 1024))
    before = product(a, a).block_until_ready() is not None and ticks()
    for _ in range(40):
        product(a, a).block_until_ready()
    return sum(n - before.get(name, 0) >= 3 for name, n in ticks().items())
