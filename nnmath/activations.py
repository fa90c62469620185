"""Activations, each directly above its derivative.

`f_backward(da, a)` takes the upstream gradient and the *output* a = f(z), both shaped like z, or raises
ShapeError. A number for da stands for itself everywhere: `tanh_backward(1.0, tanh(z))` is the derivative at
z. It is `f.backward` too: give a function of your own that attribute and `MLP` can use it. GELU is the one
whose output does not tell its input: `gelu_backward(da, z)` takes z, and `gelu.needs_z` says so. float32
stays float32. nan passes: a run that diverges must be seen by `train`, not stopped in the middle.
"""

from functools import lru_cache, reduce
from math import pi, sqrt

import numpy as np

from .errors import ShapeError, check_range

GELU = sqrt(2 / pi)  # (1 + tanh(GELU z)) / 2 rises at z = 0 as fast as the normal distribution does


def sigmoid(z):
    """Logistic function, eq:sigmoid: elementwise, into (0, 1), without overflow at any z.

    Source: Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors.

    >>> sigmoid(np.array([-2.0, 0.0, 2.0])).round(3)
    array([0.119, 0.5  , 0.881])
    """
    e = np.exp(-np.abs(z))  # at most 1, whatever the sign of z
    return np.exp(np.minimum(z, 0)) / (1 + e)


def sigmoid_backward(da, a):
    """Gradient of the logistic function, eq:sigmoid-backward: dz = da * a * (1 - a). Raises ShapeError."""
    _check("sigmoid_backward", da, a)
    return da * (a * (1 - a))


def tanh(z):
    """Hyperbolic tangent, eq:tanh: elementwise, into (-1, 1).

    Source: LeCun, Bottou, Orr & Müller (1998), Efficient BackProp, section 4.4.
    """
    return np.tanh(z)


def tanh_backward(da, a):
    """Gradient of the hyperbolic tangent, eq:tanh-backward: dz = da * (1 - a**2). Raises ShapeError."""
    _check("tanh_backward", da, a)
    return da * (1 - a * a)


def relu(z):
    """Rectified linear unit, eq:relu: elementwise, max(z, 0).

    Source: Nair & Hinton (2010), Rectified linear units improve restricted Boltzmann machines.
    """
    return np.maximum(z, 0)


def relu_backward(da, a):
    """Gradient of the rectified linear unit, eq:relu-backward: da where a > 0, else 0. Raises ShapeError.

    >>> relu_backward(np.array([5.0, 5.0]), a=relu(np.array([-1.0, 2.0])))
    array([0., 5.])
    """
    _check("relu_backward", da, a)
    return da * (a > 0)


def leaky_relu(z, slope=0.01):
    """Leaky rectified linear unit, eq:leaky-relu: elementwise, z where z > 0, else slope * z.

    slope: in [0, 1), or raises ValueError.
    Source: Maas, Hannun & Ng (2013), Rectifier nonlinearities improve neural network acoustic models.
    """
    check_range("leaky_relu", "slope", slope, 0, 1)
    return np.maximum(z, slope * z)


def leaky_relu_backward(da, a, slope=0.01):
    """Gradient of the leaky rectified linear unit, eq:leaky-relu-backward: da where a > 0, else slope * da.

    slope: that of `leaky_relu`. Raises ShapeError, ValueError.
    """
    _check("leaky_relu_backward", da, a)
    check_range("leaky_relu_backward", "slope", slope, 0, 1)
    return da * np.where(a > 0, a.dtype.type(1), a.dtype.type(slope))


def gelu(z):
    """Gaussian error linear unit in its tanh form, eq:gelu: elementwise, z times nearly P(N(0, 1) <= z).

    Source: Hendrycks & Gimpel (2016), Gaussian error linear units, section 2, the approximation with tanh.
    """
    c = np.clip(z, -10, 10)  # out there the tanh is 1 to the last digit, and z cubed might overflow
    return 0.5 * z * (1 + np.tanh(GELU * (c + 0.044715 * c * c * c)))


def gelu_backward(da, z):
    """Gradient of the Gaussian error linear unit, eq:gelu-backward, from its *input* z. Raises ShapeError."""
    _check("gelu_backward", da, z, "z")
    c = np.clip(z, -10, 10)  # as in gelu
    t = np.tanh(GELU * (c + 0.044715 * c * c * c))
    return da * (0.5 * (1 + t) + 0.5 * GELU * c * ((1 - t * t) * (1 + 0.134145 * c * c)))


def softmax(z):
    """Softmax, eq:softmax: logits (..., k) to k probabilities that sum to 1, without overflow at any z.

    Raises ShapeError if z has no classes.
    Source: Bridle (1990), Probabilistic interpretation of feedforward classification network outputs.

    >>> softmax(np.array([1.0, 2.0, 3.0])).round(3)
    array([0.09 , 0.245, 0.665])
    """
    z = np.asarray(z)
    if z.ndim == 0 or z.shape[-1] == 0:
        raise ShapeError(f"softmax: z has shape {z.shape}; it must be (..., k) with at least one class")
    e = np.exp(z - rowmax(z))
    return e / rowsum(e)


def softmax_backward(da, a):
    """Gradient of softmax, eq:softmax-backward: dz = a * (da - sum(da * a)). Raises ShapeError."""
    _check("softmax_backward", da, a)
    return a * (da - rowsum(da * a))


sigmoid.backward, tanh.backward, relu.backward = sigmoid_backward, tanh_backward, relu_backward
leaky_relu.backward, gelu.backward, softmax.backward = leaky_relu_backward, gelu_backward, softmax_backward
gelu.needs_z = True


def _check(where, da, a, name="a"):
    shape = getattr(da, "shape", ())
    if shape and shape != a.shape:
        raise ShapeError(f"{where}: da has shape {shape} but {name} has shape {a.shape}; they must agree")


@lru_cache(maxsize=64)
def ones(n, dtype):
    """n ones, read-only: a product with them is a sum, 10 to 20 times faster over tiny axes."""
    a = np.ones(n, dtype)
    a.flags.writeable = False
    return a


def rowsum(a):
    """Sum over the last axis, kept."""
    return last_sum(a)[..., None]


def last_sum(a):
    """Sum over the last axis."""
    one = ones(a.shape[-1], a.dtype)
    return a.dot(one) if a.ndim <= 2 else a @ one  # the same; dot takes a third of the time for one network


def rowmax(z):
    """Maximum over the last axis, kept: by columns where reducing tiny rows would be 50 times slower."""
    if z.shape[-1] <= (32 if z.ndim > 2 else 3):
        return reduce(np.maximum, [z[..., k : k + 1] for k in range(z.shape[-1])])
    return z.max(axis=-1, keepdims=True)
