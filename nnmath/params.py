"""All parameters of a network in one flat vector, with a named view of each."""

import os
from collections.abc import Mapping
from math import prod
from pathlib import Path

import numpy as np

from .errors import ShapeError

FORMAT = "nnmath params 1"  # the array that marks a file of ours; it holds the leading axes


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

    def save(self, path):
        """Write all parameters to a file that NumPy calls .npz: one array per name, nothing else that runs.

        The file is there whole or not at all: an older one of that name stays until the new one is complete.
        """
        path = Path(path)
        half = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            with open(half, "wb") as f:
                np.savez(f, **self, **{FORMAT: np.array(self._theta.shape[:-1], int)})
            os.replace(half, path)
        finally:
            half.unlink(missing_ok=True)

    @classmethod
    def load(cls, path, shapes=None):
        """The `Params` that `save` wrote. shapes: names and shapes that they must have, as `MLP.shapes`.

        Raises OSError for a file that can't be opened, ValueError for one that is damaged or from elsewhere,
        ShapeError for parameters of another network. Nothing in the file is run.
        """
        name = Path(path).name
        with open(path, "rb") as f:
            try:
                arrays = dict(np.load(f, allow_pickle=False))
            except Exception:  # a damaged archive can fail in many ways
                wanted = "use a whole copy of a file that Params.save wrote"
                raise ValueError(f"Params.load: {name} is damaged or no .npz file; {wanted}") from None
        runs = tuple(arrays.pop(FORMAT, [None]))
        floats = {a.dtype for a in arrays.values()} in ({np.dtype("f4")}, {np.dtype("f8")})
        if None in runs or not floats or any(a.shape[: len(runs)] != runs for a in arrays.values()):
            found = ", ".join(f"{k} {a.shape} {a.dtype}" for k, a in list(arrays.items())[:4]) or "nothing"
            raise ValueError(f"Params.load: {name} holds {found}; it was not written by Params.save")
        own = {k: a.shape[len(runs) :] for k, a in arrays.items()}
        if shapes is not None and own != dict(shapes):
            raise ShapeError(f"Params.load: {name} holds {own} but {dict(shapes)} is wanted")
        return cls(np.concatenate([a.reshape(*runs, -1) for a in arrays.values()], axis=-1), own)

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
