"""The data sets: shapes, balance, determinism, and nothing of the test part in the training part."""

import numpy as np
import pytest

import nnmath as nn
from nnmath.data import DIABETES

PLANE = {"moons": lambda n, noise, rng: nn.moons(n, noise, rng), "spirals": nn.spirals}


def test_xor():
    x, y = nn.xor()
    assert x.dtype == y.dtype == np.float64 and x.shape == (4, 2) and y.shape == (4, 1)
    assert {(*a, b) for a, (b,) in zip(x.tolist(), y.tolist(), strict=True)} == {
        (0, 0, 0),
        (0, 1, 1),
        (1, 0, 1),
        (1, 1, 0),
    }
    nn.xor().x[:] = 9
    assert nn.xor().x.max() == 1  # each call makes its own


@pytest.mark.parametrize("make", PLANE.values(), ids=PLANE.keys())
@pytest.mark.parametrize("n", [1, 2, 101, 400])
def test_plane(make, n):
    x, y = make(n, 0.1, np.random.default_rng(0))
    assert x.shape == (n, 2) and x.dtype == np.float64 and y.shape == (n,) and y.dtype.kind == "i"
    assert np.bincount(y, minlength=2).tolist() == [n - n // 2, n // 2]
    again, other = make(n, 0.1, np.random.default_rng(0)), make(n, 0.1, np.random.default_rng(1))
    np.testing.assert_array_equal(x, again.x)
    np.testing.assert_array_equal(y, again.y)
    assert (x != other.x).all()
    assert n < 100 or (0 < np.abs(np.diff(y)).sum() < n - 1 and y[:50].min() == 0 != y[:50].max())  # shuffled


def test_moons_lie_on_two_half_circles():
    x, y = nn.moons(500, 0, np.random.default_rng(0))
    centre = np.array([[0, 0], [1, 0.5]])[y]
    np.testing.assert_allclose(np.hypot(*(x - centre).T), 1)
    assert (x[y == 0, 1] >= 0).all() and (x[y == 1, 1] <= 0.5).all()


def test_spirals_are_each_the_other_turned_half_round():
    x, y = nn.spirals(2000, 0, np.random.default_rng(0), turns=1.5)
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    assert radius.max() <= 1
    turned = (angle - 2 * np.pi * 1.5 * radius - np.pi * y) / (2 * np.pi)
    np.testing.assert_allclose(turned, np.round(turned), atol=1e-9)


@pytest.mark.parametrize("make", PLANE.values(), ids=PLANE.keys())
def test_noise_is_the_standard_deviation(make):
    x, clean = (make(20_000, noise, np.random.default_rng(0)).x for noise in (0.3, 0))
    assert (x - clean).std() == pytest.approx(0.3, rel=0.02)
    assert (x - clean).mean() == pytest.approx(0, abs=0.01)


def rows(x):
    return {row.tobytes() for row in x}


def test_digits():
    d = nn.digits()
    assert [a.shape for a in d] == [(1198, 64), (1198,), (599, 64), (599,)]
    assert d.x_train.dtype == d.x_test.dtype == np.float64 and d.y_train.dtype.kind == "i"
    assert d.x_train.min() == d.x_test.min() == 0 and d.x_train.max() == d.x_test.max() == 1
    for y, share in ((d.y_train, 2 / 3), (d.y_test, 1 / 3)):
        of_class = np.bincount(y, minlength=10)
        whole = np.bincount(np.concatenate([d.y_train, d.y_test]))
        assert (np.abs(of_class - share * whole) <= 0.5 + 1e-9).all()
        assert (np.diff(y) != 0).mean() > 0.8  # shuffled


def test_digits_are_those_of_scikit_learn_and_each_is_used_once():
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    d = nn.digits(np.random.default_rng(4))
    assert len(rows(x)) == len(x)  # no image comes twice, so that rows identify samples
    train, test = rows(d.x_train * 16), rows(d.x_test * 16)
    assert not train & test and train | test == rows(x)
    label = {row.tobytes(): k for row, k in zip(x, y, strict=True)}
    for xs, ys in ((d.x_train, d.y_train), (d.x_test, d.y_test)):
        assert [label[row.tobytes()] for row in xs * 16] == ys.tolist()


def test_digits_are_split_by_the_generator():
    a, b, c = nn.digits(), nn.digits(np.random.default_rng(0)), nn.digits(np.random.default_rng(1))
    assert (a.x_test == b.x_test).all() and (a.y_train == b.y_train).all() and (a.x_test != c.x_test).any()
    half = nn.digits(test_size=0.5)
    assert abs(len(half.y_test) - len(half.y_train)) <= 10


def test_diabetes():
    d = nn.diabetes()
    assert [a.shape for a in d] == [(295, 10), (295, 1), (147, 10), (147, 1)]
    assert len(DIABETES) == len(set(DIABETES)) == 10
    assert {a.dtype for a in d} == {np.dtype(float)}
    x = np.concatenate([d.x_train, d.x_test])
    low, high = (
        dict(zip(DIABETES, x.min(axis=0), strict=True)),
        dict(zip(DIABETES, x.max(axis=0), strict=True)),
    )
    assert (low["age"], high["age"], low["BMI"], high["BMI"]) == (19, 79, 18, 42.2)  # raw units
    ratio = x[:, DIABETES.index("cholesterol")] / x[:, DIABETES.index("HDL")]
    assert (
        np.corrcoef(ratio, x[:, DIABETES.index("TC/HDL")])[0, 1] > 0.95
    )  # the names are of the right columns
    assert set(x[:, DIABETES.index("sex")]) == {1, 2}
    y = np.concatenate([d.y_train, d.y_test])
    assert (y.min(), y.max()) == (25, 346)


def test_diabetes_is_that_of_scikit_learn_and_each_patient_is_used_once():
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True, scaled=False)
    d, again, other = (
        nn.diabetes(),
        nn.diabetes(np.random.default_rng(0)),
        nn.diabetes(np.random.default_rng(1)),
    )
    assert (d.x_test == again.x_test).all() and (d.x_test != other.x_test).any()
    whole = np.vstack([np.hstack([d.x_train, d.y_train]), np.hstack([d.x_test, d.y_test])])
    assert rows(whole) == rows(np.column_stack([x, y])) and len(rows(whole)) == len(x)
    assert len(nn.diabetes(test_size=0.1).y_test) == 44
