"""Small data sets. What is random is drawn from the generator you pass; nothing is downloaded."""

from collections import namedtuple

import numpy as np

from .errors import check_count, check_range, check_rng

Data = namedtuple("Data", "x y")  # samples (n, n_in), and a row or a label for each
Split = namedtuple("Split", "x_train y_train x_test y_test")  # to train on, and held out
DIABETES = ("age", "sex", "BMI", "blood pressure", "cholesterol", "LDL", "HDL", "TC/HDL", "log TG", "glucose")


def xor():
    """Exclusive or. Returns Data: x (4, 2), the corners of the unit square, and y (4, 1), 0 or 1; float64.

    Source: Minsky & Papert (1969), Perceptrons.

    >>> x, y = xor()
    >>> y.ravel()
    array([0., 1., 1., 0.])
    """
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return Data(x, np.array([[0.0], [1.0], [1.0], [0.0]]))


def moons(n, noise, rng):
    """Two interleaved half circles of radius 1. Returns Data: x (n, 2) float64, y (n,) labels 0 and 1.

    n: samples, half of them (rounded down) in class 1, in random order. noise: standard deviation of the
    normal noise. rng: np.random.Generator. Raises ValueError for a bad n or noise, TypeError for what is no
    generator.
    """
    y = _labels("moons", n, noise, rng)
    angle = rng.uniform(0, np.pi, n)
    up, down = (np.cos(angle), np.sin(angle)), (1 - np.cos(angle), 0.5 - np.sin(angle))
    return Data(np.where(y, down, up).T + rng.normal(0, noise, (n, 2)), y)


def spirals(n, noise, rng, turns=1.0):
    """Two interleaved spirals of radius 0 to 1. Returns Data: x (n, 2) float64, y (n,) labels 0 and 1.

    n, noise, rng: as in `moons`. turns: how often each arm winds round. Raises as `moons`, and for bad turns.
    Source: after Lang & Witbrock (1988), Learning to tell two spirals apart.
    """
    y = _labels("spirals", n, noise, rng)
    check_range("spirals", "turns", turns, 0, open_low=True)
    radius = np.sqrt(rng.uniform(0, 1, n))  # even along the arms
    angle = 2 * np.pi * turns * radius + np.pi * y
    return Data((radius * [np.cos(angle), np.sin(angle)]).T + rng.normal(0, noise, (n, 2)), y)


def _labels(where, n, noise, rng):
    check_count(where, "n", n)
    check_range(where, "noise", noise, 0)
    check_rng(where, rng)
    return rng.permutation(np.arange(n) % 2)


def digits(rng=None, test_size=1 / 3):
    """UCI handwritten digits. Returns Split: x (n, 64) float64 in [0, 1], y (n,) labels 0 to 9.

    1,797 images of 8 x 8 pixels, row by row, 0 paper and 1 ink. rng: generator of the split, by default
    np.random.default_rng(0). test_size: share of each class that is held out, in (0, 1); a third is 599
    images.
    Raises ValueError for a bad test_size, TypeError for what is no generator. Needs scikit-learn.
    Source: Alpaydin & Kaynak (1998), Optical recognition of handwritten digits, UCI; its test part.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    check_rng("digits", rng)
    check_range("digits", "test_size", test_size, 0, 1, open_low=True)
    from sklearn.datasets import load_digits  # half a second: only here

    x, y = load_digits(return_X_y=True)
    held_out = np.zeros(len(y), bool)
    for k in range(10):
        members = rng.permutation(np.flatnonzero(y == k))
        held_out[members[: round(test_size * len(members))]] = True
    train, test = (rng.permutation(np.flatnonzero(part)) for part in (~held_out, held_out))
    return Split(x[train] / 16, y[train], x[test] / 16, y[test])


def diabetes(rng=None, test_size=1 / 3):
    """442 diabetes patients. Returns Split: x (n, 10) float64, y (n, 1), how far the disease went in a year.

    Columns of x: `DIABETES`, in the units of the study: years, 1 or 2, kg/m2, mmHg, mg/dl, but for the ratio
    TC/HDL and the logarithm, it seems, of the triglycerides. y is a score from 25 to 346. rng and
    what is raised: as in `digits`. test_size: share of the patients that is held out. Needs scikit-learn.
    Source: Efron, Hastie, Johnstone & Tibshirani (2004), Least angle regression.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    check_rng("diabetes", rng)
    check_range("diabetes", "test_size", test_size, 0, 1, open_low=True)
    from sklearn.datasets import load_diabetes  # half a second: only here

    x, y = load_diabetes(return_X_y=True, scaled=False)
    order, held_out = rng.permutation(len(y)), round(test_size * len(y))
    test, train = order[:held_out], order[held_out:]
    return Split(x[train], y[train, None], x[test], y[test, None])
