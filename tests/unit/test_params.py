"""The flat vector, its views, and the initial weights."""

import copy
import pickle

import numpy as np
import pytest

import nnmath as nn

SHAPES = {"W1": (2, 3), "b1": (3,), "W2": (3, 1), "b2": (1,)}


@pytest.mark.parametrize("lead", [(), (4,), (2, 3)])
def test_views_read_and_write_theta(lead):
    theta = np.arange(np.prod(lead, dtype=int) * 13, dtype=float).reshape(*lead, 13)
    p = nn.Params(theta, SHAPES)
    assert list(p) == list(SHAPES) and len(p) == 4 and "W1" in p and "W3" not in p
    assert p.theta is theta
    np.testing.assert_array_equal(p["b1"], theta[..., 6:9])
    np.testing.assert_array_equal(p["W1"], theta[..., :6].reshape(*lead, 2, 3))
    for name, view in p.items():
        assert view.shape == lead + SHAPES[name] and np.shares_memory(view, theta)
    p["W2"][:] = -1
    p["b2"] = 7.0
    p["b1"] *= 0
    assert (theta[..., 9:12] == -1).all() and (theta[..., 12] == 7).all() and (theta[..., 6:9] == 0).all()
    theta[:] = 2
    assert (p["W1"] == 2).all()


def test_assigning_theta_writes_into_it():
    theta = np.zeros(13)
    p = nn.Params(theta, SHAPES)
    p.theta -= 1
    p.theta = p.theta * 3
    assert p.theta is theta and (p["W1"] == -3).all()


def test_like_and_copy():
    p = nn.Params(np.arange(13.0), SHAPES)
    stack = p.like(np.zeros((5, 13)))
    assert stack["W1"].shape == (5, 2, 3) and list(stack) == list(p)
    q = p.copy()
    q["b1"][:] = 0
    assert p["b1"].tolist() == [6, 7, 8]


@pytest.mark.parametrize("again", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_copies_keep_their_views(again):
    q = again(nn.Params(np.arange(13.0), SHAPES))
    q["b1"][:] = 0
    assert q.theta[6:9].tolist() == [0, 0, 0] and q.shapes == SHAPES


# --- Files


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("runs", [None, 1, 70])
def test_what_was_saved_is_loaded(tmp_path, runs, dtype):
    net = nn.MLP((2, 4, 3))
    p = net.init(np.random.default_rng(0), dtype, runs)
    p.theta += np.random.default_rng(1).normal(size=p.theta.shape)  # biases too
    p.save(tmp_path / "net.npz")
    q = nn.Params.load(tmp_path / "net.npz", net.shapes)
    assert q.theta.dtype == dtype and q.shapes == p.shapes
    np.testing.assert_array_equal(q.theta, p.theta)
    x = np.random.default_rng(2).normal(size=(5, 2)).astype(dtype)
    one_by_one = p.like(np.ascontiguousarray(p.theta))  # many tiny networks lie otherwise in memory
    np.testing.assert_array_equal(net.forward(q, x)[0], net.forward(one_by_one, x)[0])
    assert [f.name for f in tmp_path.iterdir()] == ["net.npz"]


def test_a_saved_file_is_plain_npz(tmp_path):
    p = nn.MLP((2, 4, 3)).init(np.random.default_rng(0))
    p.save(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz") as arrays:
        for name in p:
            np.testing.assert_array_equal(arrays[name], p[name])


def test_no_flipped_bit_is_loaded_as_another_network(tmp_path):
    p, path = nn.Params(np.arange(1.0, 7.0), {"W1": (2, 2), "b1": (2,)}), tmp_path / "net.npz"
    p.save(path)
    whole, refused = path.read_bytes(), 0
    for i in range(0, len(whole), 3):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 4]) + whole[i + 1 :])
        try:
            q = nn.Params.load(path)
        except ValueError as error:
            assert "net.npz" in str(error)
            refused += 1
        else:
            assert q.shapes == p.shapes and (q.theta == p.theta).all()
    assert refused > len(whole) / 6  # what is left touches only dates and the like


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    p, path = nn.Params(np.arange(6.0), {"W1": (2, 2), "b1": (2,)}), tmp_path / "net.npz"
    p.save(path)
    before = path.read_bytes()

    def full_disk(f, **arrays):
        f.write(b"half a file")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="no space left"):
        p.like(p.theta + 1).save(path)
    assert path.read_bytes() == before and [f.name for f in tmp_path.iterdir()] == ["net.npz"]


def test_repr():
    p = nn.Params(np.zeros((2, 4), np.float32), {"W1": (3, 1), "b1": (1,)})
    assert repr(p) == "Params(W1 (3, 1), b1 (1,); theta (2, 4) float32)"


# --- MLP.init


def test_order_of_parameters():
    net = nn.MLP((2, 4, 1))
    assert list(net.shapes.items()) == [("W1", (2, 4)), ("b1", (4,)), ("W2", (4, 1)), ("b2", (1,))]
    assert net.n_params == 17


def test_initial_weights_have_the_variance_of_their_source():
    rng = np.random.default_rng(0)
    W = nn.xavier(rng, 300, 500)
    limit = np.sqrt(6 / 800)
    assert W.shape == (300, 500) and np.abs(W).max() <= limit and np.abs(W).max() > 0.999 * limit
    assert W.var() == pytest.approx(2 / 800, rel=0.01) and W.mean() == pytest.approx(0, abs=1e-3)
    W = nn.he(rng, 300, 500)
    assert W.var() == pytest.approx(2 / 300, rel=0.01) and np.abs(W).max() > 4 * np.sqrt(2 / 300)
    assert W.mean() == pytest.approx(0, abs=2e-3)


def test_each_layer_is_drawn_for_its_activation():
    p = nn.MLP((400, 300, 300, 300), hidden=(nn.relu, nn.tanh)).init(np.random.default_rng(0))
    for name, var in (("W1", 2 / 400), ("W2", 2 / 600), ("W3", 2 / 600)):
        assert p[name].var() == pytest.approx(var, rel=0.03)
    for b in ("b1", "b2", "b3"):
        assert (p[b] == 0).all()
    p = nn.MLP((400, 300, 300), hidden=nn.relu, weights=nn.xavier).init(np.random.default_rng(0))
    assert p["W1"].var() == pytest.approx(2 / 700, rel=0.03)


def test_run_r_is_the_single_draw_of_its_generator():
    net = nn.MLP((2, 4, 1), hidden=nn.relu)
    stack = net.init([np.random.default_rng(s) for s in range(5)])
    for s in range(5):
        np.testing.assert_array_equal(stack.theta[s], net.init(np.random.default_rng(s)).theta)
    rng, stack = np.random.default_rng(0), net.init(np.random.default_rng(0), runs=3)
    for r in range(3):
        np.testing.assert_array_equal(stack.theta[r], net.init(rng).theta)
    assert net.init(np.random.default_rng(0), runs=1).theta.shape == (1, net.n_params)


def test_many_tiny_networks_lie_side_by_side():
    net = nn.MLP((2, 4, 1))
    many = net.init([np.random.default_rng(s) for s in range(100)])
    assert (
        many.theta.flags.f_contiguous
        and not net.init(np.random.default_rng(0), runs=9).theta.flags.f_contiguous
    )
    for s in (0, 57, 99):
        np.testing.assert_array_equal(many.theta[s], net.init(np.random.default_rng(s)).theta)
    many["b1"][:] = 3
    assert (many.theta[:, 8:12] == 3).all()


def test_float32_is_the_rounded_draw():
    net = nn.MLP((2, 4, 1))
    a, b = net.init(np.random.default_rng(0)), net.init(np.random.default_rng(0), np.float32)
    np.testing.assert_array_equal(a.theta.astype(np.float32), b.theta)


def test_a_network_is_a_frozen_configuration():
    net = nn.MLP([2, 4, 1], hidden=nn.relu)
    assert net.sizes == (2, 4, 1) and net == nn.MLP((2, 4, 1), hidden=nn.relu) != nn.MLP((2, 4, 1))
    with pytest.raises(AttributeError):
        net.sizes = (1, 1)


def test_an_activation_of_the_readers_own():
    def identity(z):
        return z

    identity.backward = lambda da, a: da
    net = nn.MLP((3, 4, 2), hidden=identity)
    p, x = net.init(np.random.default_rng(0)), np.random.default_rng(1).normal(size=(5, 3))
    np.testing.assert_allclose(net.forward(p, x)[0], x @ (p["W1"] @ p["W2"]), rtol=1e-12)
