"""All parameters of a network in one flat vector, with a named view of each."""

from collections.abc import Mapping
from math import prod

import numpy as np

from .errors import ShapeError


class Params(Mapping):
    """Parameters of one network, or of a stack of them: a flat vector and its named views, eq:theta.

    theta: float32 or float64, (P,) for one network or (R, P) for R of them. shapes: name to shape in one
    network, in order. `p["W1"]` is a view, (n_in, n_out) or (R, n_in, n_out): writing into it writes theta.
    Otherwise an ordinary mapping. Raises ShapeError if the shapes do not fill theta, TypeError if theta holds
    no floats.

    >>> p = Params(np.zeros(6), {"W1": (2, 2), "b1": (2,)})
    >>> p["b1"][:] = 1
    >>> p.theta
    array([0., 0., 0., 0., 1., 1.])
    """

    def __init__(self, theta, shapes):
        theta = np.asarray(theta)
        if theta.dtype.kind != "f":
            raise TypeError(f"Params: theta has dtype {theta.dtype}; it must be float64 or float32")
        self._theta, self.shapes = theta, {name: tuple(shape) for name, shape in shapes.items()}
        n = sum(map(prod, self.shapes.values()))
        if theta.shape[-1:] != (n,):
            raise ShapeError(f"Params: theta has shape {theta.shape} but the named shapes hold {n} numbers")
        self._views, i = {}, 0
        for name, shape in self.shapes.items():
            j = i + prod(shape)
            self._views[name] = theta[..., i:j].reshape(theta.shape[:-1] + shape)  # splits an axis: a view
            i = j

    @property
    def theta(self):
        """The flat vector, (P,) or (R, P). Assigning writes into it, so that the views stay true."""
        return self._theta

    @theta.setter
    def theta(self, value):
        if value is not self._theta:
            self._theta[...] = value

    def like(self, theta):
        """The same names on another vector: gradients, a stack, a point nearby. Raises as Params."""
        return Params(theta, self.shapes)

    def copy(self):
        """The same parameters in memory of their own."""
        return self.like(self._theta.copy())

    def __getitem__(self, name):
        try:
            return self._views[name]
        except KeyError:
            raise KeyError(f"no parameter {name!r}; there are {', '.join(self.shapes)}") from None

    def __setitem__(self, name, value):
        if value is not (view := self[name]):
            view[...] = value

    def __iter__(self):
        return iter(self._views)

    def __len__(self):
        return len(self._views)

    __eq__, __hash__ = object.__eq__, object.__hash__  # a comparison of arrays has no one answer

    def __reduce__(self):  # pickling and deep copies must not part the views from theta
        return Params, (self._theta, self.shapes)

    def __repr__(self):
        names = ", ".join(f"{name} {shape}" for name, shape in self.shapes.items())
        return f"Params({names}; theta {self._theta.shape} {self._theta.dtype})"
