"""The multilayer perceptron."""

from dataclasses import dataclass
from functools import cached_property
from math import prod, sqrt

import numpy as np

from .activations import relu, tanh
from .errors import ShapeError, check_count, check_rng
from .layers import dense, dense_backward
from .params import Params


def xavier(rng, n_in, n_out):
    """Xavier (Glorot) weights, eq:xavier: uniform within sqrt(6 / (n_in + n_out)) of zero.

    Returns W (n_in, n_out), float64. Raises TypeError if rng is no generator.
    Source: Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks.
    """
    check_rng("xavier", rng)
    limit = sqrt(6 / (n_in + n_out))
    return rng.uniform(-limit, limit, (n_in, n_out))


def he(rng, n_in, n_out):
    """He weights, eq:he: normal with variance 2 / n_in, for ReLU.

    Returns W (n_in, n_out), float64. Raises TypeError if rng is no generator.
    Source: He, Zhang, Ren & Sun (2015), Delving deep into rectifiers.
    """
    check_rng("he", rng)
    return rng.normal(0.0, sqrt(2 / n_in), (n_in, n_out))


@dataclass(frozen=True)
class MLP:
    """Multilayer perceptron: dense layers with an activation between them; the last one is linear.

    sizes: units per layer, input to output. hidden: the activation, or one per hidden layer: functions with a
    `.backward`. weights: `xavier`, `he` or a function like them; None takes `he` into ReLU, else `xavier`.
    A frozen configuration: parameters live in a `Params` (W1, b1, W2, b2, ...), activations in a cache.
    Raises ValueError for bad sizes, TypeError for a hidden without backward, ShapeError for too few or many.

    >>> net = MLP((2, 4, 1))
    >>> p = net.init(np.random.default_rng(0))
    >>> z, cache = net.forward(p, np.zeros((3, 2)))
    >>> z.shape
    (3, 1)
    """

    sizes: tuple
    hidden: object = tanh
    weights: object = None

    def __post_init__(self):
        object.__setattr__(self, "sizes", tuple(self.sizes))
        if len(self.sizes) < 2:
            raise ValueError(f"MLP: sizes is {self.sizes}; it needs an input and an output, e.g. (2, 4, 1)")
        for n in self.sizes:
            check_count("MLP", "a size", n)
        if isinstance(self.hidden, list):
            object.__setattr__(self, "hidden", tuple(self.hidden))
        for f in self.activations:
            if not callable(getattr(f, "backward", None)):
                raise TypeError(f"MLP: {f!r} has no backward; pass e.g. hidden=tanh, or set f.backward")

    @cached_property
    def activations(self):
        """One function per hidden layer."""
        n = len(self.sizes) - 2
        fs = self.hidden if isinstance(self.hidden, tuple) else (self.hidden,) * n
        if len(fs) != n:
            raise ShapeError(f"MLP: {len(fs)} activations for the {n} hidden layers of {self.sizes}")
        return fs

    @cached_property
    def names(self):
        """The parameters of each layer: (("W1", "b1"), ("W2", "b2"), ...)."""
        return tuple((f"W{l}", f"b{l}") for l in range(1, len(self.sizes)))

    @cached_property
    def shapes(self):
        """Name to shape, in the order of theta."""
        fans = zip(self.names, self.sizes, self.sizes[1:], strict=False)
        return {name: shape for (W, b), i, o in fans for name, shape in ((W, (i, o)), (b, (o,)))}

    @property
    def n_params(self):
        """The number of parameters of one network."""
        return sum(map(prod, self.shapes.values()))

    def init(self, rng, dtype=np.float64, runs=None):
        """Random weights (`xavier` or `he`) and zero biases: a new `Params`, float32 rounded from float64.

        rng: np.random.Generator; with runs=R, R networks are drawn from it in turn. Or a list of R
        generators: then run r is exactly `init(rng[r])`. Raises TypeError for what is no generator,
        ShapeError if R is not R.
        """
        rngs = rng if isinstance(rng, (list, tuple)) else [rng] * (1 if runs is None else runs)
        if runs is not None:
            check_count("MLP.init", "runs", runs)
        if runs not in (None, len(rngs)):
            raise ShapeError(f"MLP.init: runs is {runs} but there are {len(rngs)} generators")
        theta = np.zeros((len(rngs), self.n_params), dtype)
        if len(rngs) >= 64 and max(self.sizes) <= 8:
            theta = np.asfortranarray(theta)  # many tiny networks: runs side by side in memory, twice as fast
        p = Params(theta, self.shapes)
        for r, g in enumerate(rngs):
            check_rng("MLP.init", g)
            for (W, _), f, n_in, n_out in zip(
                self.names, (*self.activations, None), self.sizes, self.sizes[1:], strict=False
            ):
                draw = self.weights or (he if f is relu else xavier)
                p[W][r] = draw(g, n_in, n_out)
        return p.like(p.theta[0]) if runs is None and rngs is not rng else p

    def forward(self, p, x):
        """Forward pass, eq:mlp: a_l = f(a_(l-1) W_l + b_l), and z from the last layer without f.

        p: Params of one network or a stack. x: (n, n_in), or (R, n, n_in) with data for each run. Returns (z,
        cache): z (n, n_out) or (R, n, n_out); cache [x, a_1, ...]. Raises ShapeError if x does not fit.
        """
        cache = [x]
        for (W, b), f in zip(self.names, self.activations, strict=False):
            x = f(dense(x, p[W], p[b]))
            cache.append(x)
        W, b = self.names[-1]
        return dense(x, p[W], p[b]), cache

    def backward(self, p, cache, dz, grads, need_dx=True):
        """Backpropagation, eq:mlp-backward: from dz at the output to the gradient of every parameter.

        p, cache: as in `forward`. dz: gradient at z. grads: a Params like p, filled in place. Returns dx, the
        gradient at x, or None with need_dx=False, as training wants. Raises ShapeError if dz is not shaped
        like z.
        Source: Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors.
        """
        for l in reversed(range(len(self.names))):
            W, b = self.names[l]
            dx, _, _ = dense_backward(dz, cache[l], p[W], dW=grads[W], db=grads[b], need_dx=need_dx or l > 0)
            if l > 0:
                f, kept = self.activations[l - 1], cache[l]
                if getattr(f, "needs_z", False):  # its output does not tell its slope: z once more
                    kept = dense(cache[l - 1], *(p[name] for name in self.names[l - 1]))
                dz = f.backward(dx, kept)
        return dx
