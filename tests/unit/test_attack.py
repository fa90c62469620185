"""Attacks: they stay in their ball and among the pixels, they do what they say; certificates hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmath as nn

NORMS = [np.inf, 2]
radii = st.just(0.0) | st.floats(
    1e-100, 3
)  # a Euclidean length squares its entries: these must be normal numbers


def length(a, norm):
    return np.linalg.norm(a, ord=norm, axis=-1)


@pytest.fixture(scope="module")
def trained():
    d = nn.digits()
    net = nn.MLP((64, 24, 10))
    p = net.init(np.random.default_rng(0))
    how = {"loss": nn.cross_entropy, "optimizer": nn.Adam(0.01), "epochs": 12, "batch_size": 64}
    nn.fit(net, p, d.x_train, d.y_train, rng=np.random.default_rng(1), **how)
    return net, p, d.x_test[:200], d.y_test[:200]


def test_margin():
    z = np.array([[1.0, 3.0, 2.0], [1.0, 3.0, 2.0], [5.0, 5.0, 0.0]])
    assert nn.margin(z, np.array([1, 2, 0])).tolist() == [1, -1, 0]
    assert nn.margin(np.array([z, -z]), np.array([1, 2, 0])).tolist() == [[1, -1, 0], [-2, -1, -5]]
    assert nn.margin(np.array([z, z]), np.array([[1, 2, 0], [0, 0, 2]]))[1].tolist() == [-2, -2, -5]
    assert nn.margin(z.astype(np.float32), np.array([1, 2, 0])).dtype == np.float32
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(50, 7)), rng.integers(0, 7, 50)
    assert ((nn.margin(z, y) > 0) == (z.argmax(axis=1) == y)).all()
    want = [row[k] - max(v for j, v in enumerate(row) if j != k) for row, k in zip(z, y, strict=True)]
    np.testing.assert_allclose(nn.margin(z, y), want, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), epsilon=radii, norm=st.sampled_from(NORMS))
def test_the_projection_is_the_nearest_point_of_the_ball(seed, epsilon, norm):
    rng = np.random.default_rng(seed)
    delta = rng.normal(size=(4, 6)) * rng.uniform(0, 3)
    kept = delta.copy()
    near = nn.project(delta, epsilon, norm)
    np.testing.assert_array_equal(delta, kept)
    assert (length(near, norm) <= epsilon * (1 + 1e-12)).all()
    inside = length(delta, norm) <= epsilon
    np.testing.assert_array_equal(near[inside], delta[inside])
    np.testing.assert_allclose(nn.project(near, epsilon, norm), near, rtol=1e-12)
    other = rng.normal(size=(200, 4, 6))  # points of the ball, on its surface and within
    other *= epsilon * rng.uniform(0, 1, (200, 4, 1)) ** 0.1 / length(other, norm)[..., None]
    assert (length(other - delta, 2) >= length(near - delta, 2) - 1e-9).all()  # nearest in the usual sense


def test_the_projection_of_a_stack_takes_a_radius_for_each_run():
    delta = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)
    for norm in NORMS:
        near = nn.project(delta, np.array([[0.0], [0.5], [100.0]]), norm)
        assert near.dtype == np.float32 and (near[0] == 0).all() and (near[2] == delta[2]).all()
        np.testing.assert_allclose(near[1], nn.project(delta[1], 0.5, norm), rtol=1e-6)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("targeted", [False, True])
def test_the_ball_and_the_pixels_are_never_left(trained, norm, targeted):
    net, p, x, y = trained
    kept, theta = x.copy(), p.theta.copy()
    epsilon = np.array([0.0, 0.03, 0.2, 1.0, 4.0])[:, None]
    y = (y + 1) % 10 if targeted else y
    for attacked in (
        nn.fgsm(net, p, x, y, epsilon, norm, targeted=targeted),
        nn.pgd(net, p, x, y, epsilon, norm, steps=7, targeted=targeted),
        nn.pgd(net, p, x, y, epsilon, norm, steps=4, lr=2.0, targeted=targeted),  # steps that overshoot
        nn.pgd(net, p, x, y, epsilon, norm, steps=3, restarts=3, rng=np.random.default_rng(0)),
    ):
        assert attacked.shape == (5, *x.shape) and attacked.min() >= 0 and attacked.max() <= 1
        assert (length(attacked - x, norm) <= epsilon + 1e-12).all()
        np.testing.assert_array_equal(attacked[0], x)  # a ball of radius 0
        assert (length(attacked - x, norm)[2] > 0.1).mean() > 0.9  # and its room is used
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_array_equal(p.theta, theta)


@pytest.mark.parametrize("norm", NORMS)
def test_other_pixel_ranges(trained, norm):
    net, p, x, y = trained
    attacked = nn.pgd(net, p, 2 * x - 1, y, 0.3, norm, steps=5, low=-1.0, high=1.0)
    assert attacked.min() == -1 and attacked.max() == 1 and (attacked < 0).any()
    free = nn.fgsm(net, p, x, y, 0.3, norm, low=-np.inf, high=np.inf)
    assert free.min() < 0 and free.max() > 1
    np.testing.assert_allclose(length(free - x, norm), 0.3, rtol=1e-9)


def test_on_a_linear_network_one_step_is_the_worst_there_is():
    """The margin of two classes falls by epsilon times the dual norm of w: eq:fgsm cannot be beaten."""
    rng = np.random.default_rng(0)
    net = nn.MLP((6, 2))
    p, x, y = net.init(rng), rng.normal(size=(20, 6)), rng.integers(0, 2, 20)
    w = p["W1"][:, 1] - p["W1"][:, 0]
    for norm, dual in ((np.inf, 1), (2, 2)):
        before = nn.margin(net.forward(p, x)[0], y)
        for attack in (nn.fgsm, nn.pgd):
            worst = attack(net, p, x, y, 0.3, norm, low=-np.inf, high=np.inf)
            after = nn.margin(net.forward(p, worst)[0], y)
            np.testing.assert_allclose(before - after, 0.3 * np.linalg.norm(w, ord=dual), rtol=1e-9)
        last = nn.pgd(net, p, x, y, 0.3, norm, steps=1, low=-np.inf, high=np.inf)  # the last point counts
        np.testing.assert_allclose(last, worst, rtol=1e-9)


@pytest.mark.parametrize("norm, epsilon", [(np.inf, 0.1), (2, 0.5)])
def test_more_attack_is_never_less(trained, norm, epsilon):
    net, p, x, y = trained
    score = lambda attacked: nn.margin(net.forward(p, attacked)[0], y)  # noqa: E731
    clean, one = score(x), score(nn.fgsm(net, p, x, y, epsilon, norm))
    some = score(nn.pgd(net, p, x, y, epsilon, norm, steps=10))
    restarts = [
        score(nn.pgd(net, p, x, y, epsilon, norm, steps=10, restarts=r, rng=np.random.default_rng(0)))
        for r in (1, 2, 4)
    ]
    assert (some <= clean).all() and (restarts[0] <= clean).all()  # x itself is among the points seen
    assert (restarts[1] <= restarts[0]).all() and (restarts[2] <= restarts[1]).all()
    wrong = [np.mean(s < 0) for s in (clean, one, some)]
    assert wrong[0] + 0.1 < wrong[1] <= wrong[2]
    assert some.mean() < one.mean() < clean.mean()


@pytest.mark.parametrize("norm, epsilon", [(np.inf, 0.2), (2, 1.5)])
def test_a_targeted_attack_reaches_its_target(trained, norm, epsilon):
    net, p, x, y = trained
    wanted = (y + 3) % 10
    says = lambda attacked: net.forward(p, attacked)[0].argmax(axis=1) == wanted  # noqa: E731
    before, after = says(x), says(nn.pgd(net, p, x, wanted, epsilon, norm, targeted=True))
    assert before.mean() < 0.05 and after.mean() > 0.5
    one = says(nn.fgsm(net, p, x, wanted, epsilon, norm, targeted=True))
    assert before.mean() < one.mean() < after.mean()


def test_an_attack_on_a_stack_is_that_on_its_slices():
    net = nn.MLP((8, 6, 4), hidden=nn.relu)
    p = net.init(np.random.default_rng(0), runs=3)
    rng = np.random.default_rng(1)
    x, y, epsilon = rng.random((5, 8)), rng.integers(0, 4, 5), np.array([[0.1], [0.2], [0.3]])
    for norm in NORMS:
        for attack in (nn.fgsm, nn.pgd):
            all_of_them = attack(net, p, x, y, epsilon, norm)
            for r in range(3):
                one = attack(net, p.like(p.theta[r]), x, y, epsilon[r, 0], norm)
                np.testing.assert_allclose(all_of_them[r], one, rtol=1e-9, atol=1e-12)
            one_radius = attack(net, p, x, y, 0.2, norm)
            np.testing.assert_allclose(one_radius[1], all_of_them[1], rtol=1e-9, atol=1e-12)
        lr = np.array([[0.01], [0.02], [0.05]])
        stack = nn.pgd(net, p, x, y, 0.2, norm, steps=4, lr=lr)
        for r in range(3):
            one = nn.pgd(net, p.like(p.theta[r]), x, y, 0.2, norm, steps=4, lr=lr[r, 0])
            np.testing.assert_allclose(stack[r], one, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("norm", NORMS)
def test_float32_stays_float32(norm):
    net = nn.MLP((8, 6, 4))
    p = net.init(np.random.default_rng(0), np.float32)
    x, y = np.random.default_rng(1).random((5, 8)), np.arange(5) % 4
    assert nn.fgsm(net, p, x, y, 0.1, norm).dtype == np.float32
    attacked = nn.pgd(net, p, x, y, 0.1, norm, restarts=2, rng=np.random.default_rng(0))
    assert attacked.dtype == np.float32
    assert (length(attacked - x, norm) <= 0.1 + 1e-6).all()
    assert {a.dtype for a in nn.interval_bounds(net, p, x - 0.1, x + 0.1)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("norm", NORMS)
def test_a_gradient_of_zero_moves_nothing(norm):
    net = nn.MLP((8, 6, 4))
    p = net.init(np.random.default_rng(0))
    p.theta[:] = 0
    x, y = np.random.default_rng(1).random((5, 8)), np.arange(5) % 4
    np.testing.assert_array_equal(nn.fgsm(net, p, x, y, 0.1, norm), x)
    np.testing.assert_array_equal(nn.pgd(net, p, x, y, 0.1, norm), x)


class Hill:
    """Two classes; the margin of class 0 is largest at the middle of the pixels, or smallest with sign -1."""

    def __init__(self, sign=1):
        self.sign = sign

    def forward(self, p, x):
        height = -self.sign * np.sum((x - 0.5) ** 2, axis=-1)
        return np.stack([height, np.zeros_like(height)], axis=-1), x

    def backward(self, p, x, dz, grads):
        return dz[..., :1] * (-2 * self.sign) * (x - 0.5)


@pytest.mark.parametrize("norm", NORMS)
def test_restarts_begin_all_over_the_ball(norm):
    """Steps of length 0 leave every row at its start, which is worse than the top of the hill."""
    p = nn.MLP((3, 2)).init(np.random.default_rng(0))
    x, y = np.full((4000, 3), 0.5), np.zeros(4000, int)
    at = nn.pgd(Hill(), p, x, y, 0.4, norm, steps=1, lr=0.0, rng=np.random.default_rng(1))
    size = length(at - x, norm) / 0.4
    assert size.max() <= 1 + 1e-12
    assert np.mean(size**3) == pytest.approx(0.5, abs=0.03)  # volume is even: size**3 is uniform
    assert np.abs((at - x).mean(axis=0)).max() < 0.02


@pytest.mark.parametrize("targeted", [False, True])
def test_x_itself_is_among_the_points_seen(targeted):
    """Where every other point of the ball is less of an attack, x comes back."""
    p = nn.MLP((3, 2)).init(np.random.default_rng(0))
    x, y = np.full((20, 3), 0.5), np.zeros(20, int)
    for rng in (None, np.random.default_rng(1)):
        at = nn.pgd(Hill(1 if targeted else -1), p, x, y, 0.4, steps=3, rng=rng, targeted=targeted)
        np.testing.assert_array_equal(at, x)


def test_a_loss_of_your_own(trained):
    net, p, x, y = trained

    def less_margin(z, y):
        dz = np.zeros_like(z)
        rows, rest = np.arange(len(y)), np.where(np.arange(z.shape[-1]) == y[:, None], -np.inf, z)
        dz[rows, rest.argmax(axis=1)], dz[rows, y] = 1, -1
        return -nn.margin(z, y).sum(), dz

    sharp = p.copy()
    W, b = net.names[-1]
    sharp[W][:] *= 1000
    sharp[b][:] *= 1000  # the same answers, and a softmax that is 0 or 1
    right = lambda attacked: nn.accuracy(net.forward(p, attacked)[0], y)  # noqa: E731
    assert (
        right(nn.fgsm(net, sharp, x, y, 0.1)) > 0.8 > right(nn.fgsm(net, sharp, x, y, 0.1, loss=less_margin))
    )
    masked = right(nn.pgd(net, sharp, x, y, 0.1))
    assert masked > 0.8  # cross-entropy has no gradient left ...
    honest = right(nn.pgd(net, sharp, x, y, 0.1, loss=less_margin))
    assert honest < 0.6  # ... and the network is as weak as before
    assert honest == pytest.approx(right(nn.pgd(net, p, x, y, 0.1, loss=less_margin)), abs=0.02)


@pytest.mark.parametrize("hidden", [nn.relu, nn.tanh, nn.sigmoid, nn.leaky_relu])
@pytest.mark.parametrize("sizes", [(3, 2), (4, 8, 3), (5, 6, 7, 2)])
def test_no_point_of_the_box_leaves_the_interval_bounds(hidden, sizes):
    net = nn.MLP(sizes, hidden=hidden)
    rng = np.random.default_rng(0)
    p = net.init(rng)
    p.theta += rng.normal(0, 0.3, p.theta.shape)
    low = rng.normal(size=(6, sizes[0]))
    high = low + rng.exponential(0.5, low.shape)
    below, above = nn.interval_bounds(net, p, low, high)
    assert below.shape == above.shape == (6, sizes[-1])
    corners = np.where(rng.random((2000, *low.shape)) < 0.5, low, high)
    within = rng.uniform(low, high, (2000, *low.shape))
    for points in (corners, within):
        z = net.forward(p, points)[0]
        assert (z >= below - 1e-12).all() and (z <= above + 1e-12).all()
    if len(sizes) == 2:  # one layer: the bounds are reached, each at a corner of its own
        for k in range(sizes[-1]):
            best = np.where(p["W1"][:, k] > 0, high, low)
            np.testing.assert_allclose(net.forward(p, best)[0][:, k], above[:, k], rtol=1e-9)
    point = nn.interval_bounds(net, p, low, low)
    for end in point:  # a box of one point
        np.testing.assert_allclose(end, net.forward(p, low)[0], rtol=1e-9, atol=1e-12)


def test_interval_bounds_of_a_stack_are_those_of_its_slices():
    net = nn.MLP((4, 5, 3), hidden=nn.relu)
    p = net.init(np.random.default_rng(0), runs=3)
    low = np.random.default_rng(1).normal(size=(6, 4))
    for r in range(3):
        one = nn.interval_bounds(net, p.like(p.theta[r]), low, low + 0.2)
        for all_of_them, end in zip(nn.interval_bounds(net, p, low, low + 0.2), one, strict=True):
            np.testing.assert_allclose(all_of_them[r], end, rtol=1e-12, atol=1e-14)


def test_no_attack_breaks_what_the_bounds_certify(trained):
    net, p, x, y = trained
    for epsilon in (0.01, 0.03):
        below, above = nn.interval_bounds(net, p, np.clip(x - epsilon, 0, 1), np.clip(x + epsilon, 0, 1))
        rival = np.where(np.arange(10) == y[:, None], -np.inf, above).max(axis=1)
        certified = below[np.arange(len(y)), y] > rival
        assert certified.any() and not certified.all()
        for norm in NORMS:  # the Euclidean ball lies in the box
            attacked = nn.pgd(net, p, x, y, epsilon, norm, steps=20, restarts=3, rng=np.random.default_rng(0))
            assert (nn.margin(net.forward(p, attacked)[0], y)[certified] > 0).all()
