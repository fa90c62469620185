"""Optimizers. Each `step(theta, g)` changes theta in place; state is public, made at the first step.

theta and g are (P,) for one network, (R, P) for a stack. A learning rate is a number, an array (R, 1) with
one rate per run, or a function of t, the number of steps already taken, that returns either. `step` raises
ShapeError if g, the state or the rate does not fit theta; a bad setting raises ValueError when the optimizer
is made.
"""

from dataclasses import dataclass

import numpy as np

from .errors import ShapeError, check_range

BLOCK = 131_072  # numbers per pass of Adam: one block of theta, g and moments stays in the processor's cache
FLUSH = 16  # steps between two flushes of the moments


@dataclass(eq=False)
class SGD:
    """Gradient descent, eq:gradient-descent: theta -= lr g. Stochastic if g is that of a mini-batch.

    lr: learning rate, positive. t: steps taken.
    Source: Cauchy (1847); Robbins & Monro (1951), A stochastic approximation method.

    >>> theta = np.array([1.0, -2.0])
    >>> SGD(lr=0.1).step(theta, g=np.array([1.0, 1.0]))
    >>> theta
    array([ 0.9, -2.1])
    """

    lr: float

    def __post_init__(self):
        self.lr, self.t = _setting("SGD", "lr", self.lr), 0

    def step(self, theta, g):
        """One update of theta by its gradient g, in place."""
        _check("SGD", theta, g, g)
        theta -= _now("SGD", self.lr, self.t, theta) * g
        self.t += 1


@dataclass(eq=False)
class Momentum:
    """Gradient descent with momentum, eq:momentum: v = momentum v + g, then theta -= lr v.

    lr: learning rate, positive. momentum: in [0, 1), a number or an array (R, 1). t: steps taken. v:
    velocity.
    Source: Polyak (1964), Some methods of speeding up the convergence of iteration methods. As in PyTorch,
    the rate multiplies v, not g: a change of rate acts at once.

    >>> theta, optimizer = np.array([1.0]), Momentum(lr=0.1, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.step(theta, g=np.array([1.0]))
    >>> theta.round(3), optimizer.v
    (array([0.75]), array([1.5]))
    """

    lr: float
    momentum: float = 0.9

    def __post_init__(self):
        name = type(self).__name__  # Nesterov is made here too
        self.lr, self.t, self.v = _setting(name, "lr", self.lr), 0, None
        self.momentum = _setting(name, "momentum", self.momentum, high=1, open_low=False)

    def step(self, theta, g):
        """One update of theta by its gradient g, in place."""
        if self.v is None:
            self.v = np.zeros_like(theta)
        _check("Momentum", theta, g, self.v)
        self.v *= _now("Momentum", self.momentum, self.t, theta)
        self.v += g
        theta -= _now("Momentum", self.lr, self.t, theta) * self.v
        self.t += 1
        _flush(self.t, self.v)


@dataclass(eq=False)
class Nesterov(Momentum):
    """Nesterov's momentum, eq:nesterov: v = momentum v + g, then theta -= lr (g + momentum v).

    Written for the point at which the gradient is taken, the one that looks ahead. Settings and state as in
    `Momentum`.
    Source: Nesterov (1983); in this form Sutskever, Martens, Dahl & Hinton (2013), On the importance of
    initialization and momentum in deep learning, and Bengio, Boulanger-Lewandowski & Pascanu (2013).
    """

    def step(self, theta, g):
        """One update of theta by its gradient g, in place."""
        if self.v is None:
            self.v = np.zeros_like(theta)
        _check("Nesterov", theta, g, self.v)
        momentum = _now("Nesterov", self.momentum, self.t, theta)
        self.v *= momentum
        self.v += g
        theta -= _now("Nesterov", self.lr, self.t, theta) * (g + momentum * self.v)
        self.t += 1
        _flush(self.t, self.v)


@dataclass(eq=False)
class AdaGrad:
    """AdaGrad, eq:adagrad: v += g**2, theta -= lr g / (sqrt(v) + eps).

    lr, eps: positive. t: steps taken. v: the sum of all squared gradients so far, from 0.
    Source: Duchi, Hazan & Singer (2011), Adaptive subgradient methods, with the diagonal of their matrix.
    """

    lr: float = 1e-2
    eps: float = 1e-8

    def __post_init__(self):
        self.lr, self.t, self.v = _setting("AdaGrad", "lr", self.lr), 0, None
        check_range("AdaGrad", "eps", self.eps, 0, open_low=True)

    def step(self, theta, g):
        """One update of theta by its gradient g, in place."""
        if self.v is None:
            self.v = np.zeros_like(theta)
        _check("AdaGrad", theta, g, self.v)
        self.v += g * g
        lr, root = _now("AdaGrad", self.lr, self.t, theta), np.sqrt(self.v)
        theta -= lr * (g / (root + float(self.eps)))
        self.t += 1


@dataclass(eq=False)
class RMSProp:
    """RMSProp, eq:rmsprop: AdaGrad with a mean in place of the sum.

    v = beta v + (1 - beta) g**2, theta -= lr g / (sqrt(v) + eps). lr, eps: positive. beta: in [0, 1). t:
    steps taken. v: a mean of squared gradients that forgets, from 0 and not corrected for it.
    Source: Tieleman & Hinton (2012), lecture 6.5 of Neural networks for machine learning.
    """

    lr: float = 1e-3
    beta: float = 0.9
    eps: float = 1e-8

    def __post_init__(self):
        self.lr, self.t, self.v = _setting("RMSProp", "lr", self.lr), 0, None
        check_range("RMSProp", "beta", self.beta, 0, 1)
        check_range("RMSProp", "eps", self.eps, 0, open_low=True)

    def step(self, theta, g):
        """One update of theta by its gradient g, in place."""
        if self.v is None:
            self.v = np.zeros_like(theta)
        _check("RMSProp", theta, g, self.v)
        self.v *= float(self.beta)
        self.v += (1 - float(self.beta)) * (g * g)
        lr, root = _now("RMSProp", self.lr, self.t, theta), np.sqrt(self.v)
        theta -= lr * (g / (root + float(self.eps)))
        self.t += 1
        _flush(self.t, self.v)


@dataclass(eq=False)
class Adam:
    """Adam, eq:adam: steps by the mean gradient over the root mean square, both corrected for their start.

    m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g**2, m_hat = m / (1 - beta1**t), v_hat = v / (1 -
    beta2**t) with t = 1, 2, ..., then theta -= lr m_hat / (sqrt(v_hat) + eps). lr, eps: positive. beta1,
    beta2: in [0, 1). t: steps taken. m, v: the moments; what would become subnormal is 0.
    Source: Kingma & Ba (2015), Adam: a method for stochastic optimization, algorithm 1.

    >>> theta = np.array([1.0, 1.0])
    >>> Adam(lr=0.1).step(theta, g=np.array([1e-3, 1e3]))
    >>> theta.round(4)  # the first step has the length lr whatever the gradient
    array([0.9, 0.9])
    """

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self):
        where = type(self).__name__  # AdamW is made here too
        self.lr, self.t, self.m, self.v = _setting(where, "lr", self.lr), 0, None, None
        for name in ("beta1", "beta2"):
            check_range(where, name, getattr(self, name), 0, 1)
        check_range(where, "eps", self.eps, 0, open_low=True)

    def step(self, theta, g):
        """One update of theta by its gradient g, in place and in blocks."""
        if self.m is None:
            self.m, self.v = np.zeros_like(theta), np.zeros_like(theta)
        _check("Adam", theta, g, self.m)
        lr = _now("Adam", self.lr, self.t, theta)
        self.t += 1
        root = float(1 - self.beta2**self.t) ** 0.5
        rate = lr * (root / float(1 - self.beta1**self.t))  # both corrections in one factor
        keep1, keep2, eps = float(self.beta1), float(self.beta2), float(self.eps) * root
        rows = max(1, BLOCK * len(theta) // theta.size)
        for i in range(0, len(theta), rows):
            block = slice(i, i + rows)
            m, v, gi = self.m[block], self.v[block], g[block]
            m *= keep1
            m += (1 - keep1) * gi
            v *= keep2
            s = gi * gi
            s *= 1 - keep2
            v += s
            np.sqrt(v, out=s)
            s += eps
            np.divide(m, s, out=s)
            s *= rate if isinstance(rate, float) else rate[block]
            w = theta[block]  # theta[block] -= s would then copy the block onto itself
            w -= s
        _flush(self.t, self.m, self.v)


@dataclass(eq=False)
class AdamW(Adam):
    """Adam with decoupled weight decay, eq:adamw.

    theta -= lr weight_decay theta, then a step of Adam. weight_decay: share of theta that a rate of 1 would
    take off, at least 0; of every entry, biases too. It never enters the moments, as the
    gradient of an L2 penalty would. Other settings and state as in `Adam`.
    Source: Loshchilov & Hutter (2019), Decoupled weight decay regularization, algorithm 2; as in PyTorch, the
    decay is multiplied by lr (there by the schedule alone).
    """

    weight_decay: float = 1e-2

    def __post_init__(self):
        super().__post_init__()
        check_range("AdamW", "weight_decay", self.weight_decay, 0)

    def step(self, theta, g):
        """One update of theta by its gradient g, in place and in blocks."""
        _check("AdamW", theta, g, theta if self.m is None else self.m)
        lr = _now("AdamW", self.lr, self.t, theta)
        theta *= 1 - lr * float(self.weight_decay)
        super().step(theta, g)


@dataclass(eq=False)
class Clip:
    """Gradient clipping, eq:clip: a g longer than limit is shortened to it.

    optimizer: any of this module; it makes the step. limit: of the norm of g, of each run in a stack;
    positive. Changes g.
    Source: Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks.
    """

    optimizer: object
    limit: float

    def __post_init__(self):
        check_range("Clip", "limit", self.limit, 0, open_low=True)

    lr = property(lambda self: self.optimizer.lr)
    t = property(lambda self: self.optimizer.t)

    def step(self, theta, g):
        """One update of theta by its gradient g, shortened in place."""
        norm = np.sqrt(np.vecdot(g, g))[..., None]
        g *= float(self.limit) / np.maximum(norm, float(self.limit))
        self.optimizer.step(theta, g)


def _setting(where, name, value, high=np.inf, open_low=True):
    """A Python float (a NumPy one would widen float32), an array (R, 1), or a function left as it is."""
    if callable(value):
        return value
    check_range(where, name, value, 0, high, open_low=open_low)
    if np.ndim(value) == 0:
        return float(value)
    value = np.asarray(value, dtype=float)
    if value.ndim < 2 or value.shape[-1] != 1:
        raise ShapeError(
            f"{where}: {name} has shape {value.shape}; one per run is (R, 1), as {name}[:, None]"
        )
    return value


def _now(where, setting, t, theta):
    """A setting at step t: a Python float, or an array in the precision of theta."""
    if type(setting) is float:  # the usual case, and np.ndim is slow
        return setting
    setting = setting(t) if callable(setting) else setting
    if np.ndim(setting) == 0:
        return float(setting)
    if setting.shape != (*theta.shape[:-1], 1):
        want = f"one setting per run is {(*theta.shape[:-1], 1)}, not {setting.shape}"
        raise ShapeError(f"{where}: theta has shape {theta.shape}; {want}")
    return setting.astype(theta.dtype, copy=False)


def _check(where, theta, g, state):
    if g.shape != theta.shape or state.shape != theta.shape:
        got = f"g {g.shape}" if g.shape != theta.shape else f"the state {state.shape}; make a new optimizer"
        raise ShapeError(f"{where}: theta has shape {theta.shape} but {got}")


def _flush(t, *moments):
    """Zero what may soon be subnormal: moments without gradients fade until a step is 18 times slower."""
    if t % FLUSH == 0:
        for m in moments:
            m[np.abs(m) < np.finfo(m.dtype).tiny * 2.0**FLUSH] = 0
