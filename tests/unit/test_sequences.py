"""Recurrent layers, attention and the transformer block: against differences, autograd and their promises."""

from functools import partial
from math import prod

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

import nnmath as nn

RNG = np.random.default_rng(30)
LENGTHS = np.array([4, 0, 5, 2])


def normal(*shape):
    return RNG.normal(size=shape)


def numbers(shapes, scale=0.7):
    """Params of these shapes, none of them zero."""
    return nn.Params(RNG.normal(0, scale, sum(map(prod, shapes.values()))), shapes)


def agree(f, oracle, arrays, got, rtol=1e-9):
    """Gradients `got` of f at `arrays`: as autograd finds them in the oracle, and as two calls of f say."""
    np.testing.assert_allclose(f(*arrays), oracle(*arrays), rtol=1e-11, atol=1e-13)
    for k, (a, d) in enumerate(zip(arrays, got, strict=True)):
        assert d.shape == a.shape
        np.testing.assert_allclose(d, grad(oracle, k)(*arrays), rtol=rtol, atol=1e-12)
        v, h = RNG.normal(size=a.shape), 1e-6
        up, down = ([*arrays[:k], a + s * h * v, *arrays[k + 1 :]] for s in (1, -1))
        np.testing.assert_allclose(np.sum(d * v), (f(*up) - f(*down)) / (2 * h), rtol=1e-6, atol=1e-8)


# --- recurrent layers. The oracles go through one sequence at a time and know no padding.


def oracle_rnn(x, h, Wx, Wh, b):
    states = []
    for xt in x:
        h = anp.tanh(anp.dot(xt, Wx) + anp.dot(h, Wh) + b)
        states.append(h)
    return states


def oracle_lstm(x, h, c, Wx, Wh, b):
    states, m = [], len(h)
    for xt in x:
        z = anp.dot(xt, Wx) + anp.dot(h, Wh) + b
        i, f, o = (1 / (1 + anp.exp(-z[k * m : (k + 1) * m])) for k in (0, 1, 3))
        c = f * c + i * anp.tanh(z[2 * m : 3 * m])
        h = o * anp.tanh(c)
        states.append(h)
    return states


CELLS = {"rnn": (nn.rnn, nn.rnn_backward, oracle_rnn, 1), "lstm": (nn.lstm, nn.lstm_backward, oracle_lstm, 4)}
cells = pytest.mark.parametrize("cell", CELLS)


def problem(cell, T, n, n_in, m, lead=()):
    k = CELLS[cell][3]
    state = [normal(*lead, n, m) for _ in range(2 if k == 4 else 1)]
    return [
        normal(T, n, n_in),
        *state,
        normal(*lead, n_in, k * m),
        normal(*lead, m, k * m),
        normal(*lead, k * m),
    ]


def forward(cell, arrays, lengths=None):
    out = CELLS[cell][0](*arrays, lengths)
    return out if isinstance(out, tuple) else (out,)


def backward(cell, dh, arrays, out, lengths=None, **how):
    return CELLS[cell][1](dh, arrays[0], *out, *arrays[-3:-1], lengths, **how)


@cells
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "ragged"])
@pytest.mark.parametrize("T, n_in, m", [(5, 3, 4), (5, 1, 1), (9, 2, 3)])
def test_recurrent_layer(cell, T, n_in, m, lengths):
    n = 4
    arrays, dh = problem(cell, T, n, n_in, m), normal(T, n, m)
    ends = np.full(n, T) if lengths is None else lengths

    def f(*arrays):
        return np.sum(dh * forward(cell, arrays, lengths)[0][1:])

    def oracle(x, *rest):
        *state, Wx, Wh, b = rest
        total = 0.0
        for i, end in enumerate(ends):
            h = [*CELLS[cell][2](x[:end, i], *(s[i] for s in state), Wx, Wh, b)]
            h += [h[-1] if h else state[0][i]] * (T - end)
            total = total + sum(anp.sum(d * s) for d, s in zip(dh[:, i], h, strict=True))
        return total

    agree(f, oracle, arrays, backward(cell, dh, arrays, forward(cell, arrays, lengths), lengths))


@cells
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "ragged"])
@pytest.mark.parametrize("shared", [True, False])
def test_recurrent_stack_is_its_slices(cell, shared, lengths):
    runs = 3
    arrays, dh = problem(cell, 5, 4, 2, 3, (runs,)), normal(5, runs, 4, 3)
    if not shared:
        arrays[0] = normal(5, runs, 4, 2)
    out = forward(cell, arrays, lengths)
    got = backward(cell, dh, arrays, out, lengths)
    for r in range(runs):
        one = [arrays[0] if shared else arrays[0][:, r], *(a[r] for a in arrays[1:])]
        out1 = forward(cell, one, lengths)
        for a, b in zip(out, out1, strict=True):
            np.testing.assert_allclose(a[:, r], b, rtol=1e-12)
        dx, *rest = backward(cell, dh[:, r], one, out1, lengths)
        np.testing.assert_allclose(got[0][:, r], dx, rtol=1e-11, atol=1e-13)
        for a, b in zip(got[1:], rest, strict=True):
            np.testing.assert_allclose(a[r], b, rtol=1e-11, atol=1e-13)


@cells
def test_runs_that_share_weights(cell):
    """x (T, R, n, n_in) and one set of weights: their gradient is the sum over R."""
    arrays, dh = problem(cell, 4, 3, 2, 3), normal(4, 2, 3, 3)
    arrays[0] = normal(4, 2, 3, 2)
    got = backward(cell, dh, arrays, forward(cell, arrays))
    want = [0.0] * 3
    for r in range(2):
        one = [arrays[0][:, r], *arrays[1:]]
        dx, *rest = backward(cell, dh[:, r], one, forward(cell, one))
        np.testing.assert_allclose(got[0][:, r], dx, rtol=1e-12)
        want = [a + b for a, b in zip(want, rest[-3:], strict=True)]
    for a, b in zip(got[-3:], want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@cells
def test_ragged_is_each_sequence_alone(cell):
    arrays = problem(cell, 5, 4, 2, 3)
    states = forward(cell, arrays, LENGTHS)[:2]
    for i, end in enumerate(LENGTHS):
        one = [arrays[0][:end, i : i + 1], *(s[i : i + 1] for s in arrays[1:-3]), *arrays[-3:]]
        for s, alone in zip(states, forward(cell, one)[:2], strict=True):
            np.testing.assert_allclose(s[: end + 1, i], alone[:, 0], rtol=1e-13)
            assert (s[end:, i] == s[end, i]).all()


@cells
def test_padding_says_and_learns_nothing(cell):
    arrays, dh = problem(cell, 5, 4, 2, 3), normal(5, 4, 3)
    padded = [arrays[0].copy(), *arrays[1:]]
    for i, end in enumerate(LENGTHS):
        padded[0][end:, i] = 1e4
    results = []
    for a in (arrays, padded):
        out = forward(cell, a, LENGTHS)
        results.append([out[0], *backward(cell, dh, a, out, LENGTHS)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-300)
    for i, end in enumerate(LENGTHS):
        assert not results[1][1][end:, i].any()


@cells
def test_no_steps_change_nothing(cell):
    arrays = problem(cell, 0, 4, 2, 3)
    out = forward(cell, arrays)
    assert out[0].shape == (1, 4, 3) and (out[0][0] == arrays[1]).all()
    dx, *rest = backward(cell, np.zeros((0, 4, 3)), arrays, out)
    assert dx.shape == (0, 4, 2) and not any(a.any() for a in rest)


@cells
def test_chunks_joined_by_their_state_are_the_whole(cell):
    """Forward, chunks lose nothing; backward, dh0 of a chunk goes on in the one before it."""
    arrays, dh = problem(cell, 6, 2, 2, 3), normal(6, 2, 3)
    out = forward(cell, arrays)
    whole = backward(cell, dh, arrays, out)
    first = [arrays[0][:4], *arrays[1:]]
    out1 = forward(cell, first)
    second = [arrays[0][4:], *(s[-1] for s in out1[: len(arrays) - 4]), *arrays[-3:]]
    out2 = forward(cell, second)
    np.testing.assert_array_equal(np.concatenate([out1[0], out2[0][1:]]), out[0])
    late = backward(cell, dh[4:], second, out2)
    if cell == "rnn":
        dh_first = dh[:4].copy()
        dh_first[-1] += late[1]
        early = backward(cell, dh_first, first, out1)
        for a, b, c in zip(whole[-3:], early[-3:], late[-3:], strict=True):
            np.testing.assert_allclose(a, b + c, rtol=1e-12)


@cells
def test_no_dx_if_nobody_asks(cell):
    arrays, dh = problem(cell, 3, 2, 2, 3), normal(3, 2, 3)
    out = forward(cell, arrays)
    dx, *rest = backward(cell, dh, arrays, out, need_dx=False)
    assert dx is None
    for a, b in zip(rest, backward(cell, dh, arrays, out)[1:], strict=True):
        np.testing.assert_array_equal(a, b)


@cells
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "ragged"])
def test_recurrent_layer_in_float32_and_far_out(cell, lengths):
    """Inputs stay as they were, float32 stays float32, and nothing overflows or warns at 1e4."""
    for size in (1.0, 1e4):
        arrays = [(size * a).astype(np.float32) for a in problem(cell, 5, 4, 2, 3)]
        dh = normal(5, 4, 3).astype(np.float32)
        copies = [a.copy() for a in (*arrays, dh)]
        out = forward(cell, arrays, lengths)
        got = [*out, *backward(cell, dh, arrays, out, lengths)]
        assert all(a.dtype == np.float32 and np.isfinite(a).all() for a in got)
        for a, b in zip((*arrays, dh), copies, strict=True):
            np.testing.assert_array_equal(a, b)


@cells
def test_recurrent_network(cell):
    net = nn.Recurrent((2, 3, 2), CELLS[cell][0])
    p, x, w = net.init(np.random.default_rng(0)), normal(5, 4, 2), normal(4, 2)
    p.theta += normal(*p.theta.shape)

    def f(theta, x):
        return np.sum(w * net.forward(p.like(theta), x, LENGTHS)[0])

    def oracle(theta, x):
        parts, i = [], 0
        for shape in net.shapes.values():
            parts.append(anp.reshape(theta[i : i + prod(shape)], shape))
            i += prod(shape)
        Wx, Wh, b, Wy, by = parts
        zero = [np.zeros(3)] * (2 if cell == "lstm" else 1)
        h = [[zero[0], *CELLS[cell][2](x[:end, i], *zero, Wx, Wh, b)][-1] for i, end in enumerate(LENGTHS)]
        return sum(anp.sum(w[i] * (anp.dot(h[i], Wy) + by)) for i in range(4))

    _, cache = net.forward(p, x, LENGTHS)
    grads = p.like(np.full_like(p.theta, np.nan))
    dx = net.backward(p, cache, w, grads)
    agree(f, oracle, [p.theta, x], [grads.theta, dx])
    assert net.backward(p, cache, w, grads, need_dx=False) is None


@cells
def test_recurrent_network_begins_as_it_says(cell):
    net = nn.Recurrent((20, 30, 10), CELLS[cell][0])
    p = net.init(np.random.default_rng(0))
    want = np.repeat([0.0, 1, 0, 0], 30) if cell == "lstm" else np.zeros(30)
    np.testing.assert_array_equal(p["b"], want)
    assert not p["by"].any() and p.theta.shape == (sum(map(prod, net.shapes.values())),)
    for name, fans in (("Wx", 50), ("Wh", 60), ("Wy", 40)):  # each gate is a layer of its own
        limit = (6 / fans) ** 0.5
        assert 0.95 * limit < np.abs(p[name]).max() <= limit
    stack = net.init([np.random.default_rng(r) for r in range(3)], np.float32)
    assert stack.theta.dtype == np.float32 and net.init([np.random.default_rng(0)]).theta.shape == (
        1,
        p.theta.size,
    )
    for r in range(3):
        np.testing.assert_array_equal(stack.theta[r], net.init(np.random.default_rng(r), np.float32).theta)


@cells
def test_recurrent_network_of_no_steps_answers_from_nothing(cell):
    net = nn.Recurrent((2, 3, 2), CELLS[cell][0])
    p = net.init(np.random.default_rng(0))
    p["by"] = [1.0, -1.0]
    z, cache = net.forward(p, np.zeros((0, 4, 2)))
    np.testing.assert_array_equal(z, [[1.0, -1.0]] * 4)
    grads = p.like(np.full_like(p.theta, np.nan))
    net.backward(p, cache, np.ones((4, 2)), grads)
    assert grads["by"].tolist() == [4, 4] and not any(grads[name].any() for name in ("Wx", "Wh", "b", "Wy"))


@cells
@pytest.mark.parametrize("stacked", [False, True])
def test_recurrent_network_learns_to_remember(cell, stacked):
    rng = np.random.default_rng(1)
    x = rng.choice([-1.0, 1.0], (4, 64, 1))
    net = nn.Recurrent((1, 6, 1), CELLS[cell][0])
    p = net.init([rng, np.random.default_rng(5)] if stacked else rng, np.float32)
    how = {"loss": nn.mse, "optimizer": nn.Clip(nn.Adam(2e-2), 1.0), "batch_size": 32, "rng": rng}
    history = nn.fit(net, p, x, x[0], epochs=100, progress=False, **how)
    assert history.loss.shape[1:] == ((2,) if stacked else ())
    assert np.all(history.loss[0] > 0.5) and np.all(history.loss[-1] < 0.05)


# --- layer normalization


def oracle_norm(x, gamma, beta):
    d = x - anp.mean(x, axis=-1, keepdims=True)
    return gamma * d / anp.sqrt(anp.mean(d**2, axis=-1, keepdims=True) + 1e-5) + beta


@pytest.mark.parametrize("shape", [(1, 2), (5, 3), (4, 6, 2), (2, 3, 4, 5)])
def test_layer_norm(shape):
    arrays, w = [normal(*shape), normal(shape[-1]), normal(shape[-1])], normal(*shape)
    _, u, scale = nn.layer_norm(*arrays)

    def f(*arrays):
        return np.sum(w * nn.layer_norm(*arrays)[0])

    got = nn.layer_norm_backward(w, arrays[1], u, scale)
    agree(f, lambda *arrays: anp.sum(w * oracle_norm(*arrays)), arrays, got)


def test_layer_norm_stack_is_its_slices():
    x, gamma, beta, w = normal(3, 2, 4, 5), normal(3, 5), normal(3, 5), normal(3, 2, 4, 5)
    out, u, scale = nn.layer_norm(x, gamma, beta)
    got = nn.layer_norm_backward(w, gamma, u, scale)
    for r in range(3):
        one, u1, scale1 = nn.layer_norm(x[r], gamma[r], beta[r])
        np.testing.assert_allclose(out[r], one, rtol=1e-13)
        for a, b in zip(got, nn.layer_norm_backward(w[r], gamma[r], u1, scale1), strict=True):
            np.testing.assert_allclose(a[r], b, rtol=1e-12)


def test_layer_norm_makes_mean_zero_and_variance_one():
    x = normal(6, 50) * 30 + 7
    out, _, _ = nn.layer_norm(x, np.ones(50), np.zeros(50))
    np.testing.assert_allclose(out.mean(axis=-1), 0, atol=1e-14)
    np.testing.assert_allclose(out.var(axis=-1), 1, rtol=1e-6)
    np.testing.assert_allclose(nn.layer_norm(1e3 * x - 5, np.ones(50), np.zeros(50))[0], out, rtol=1e-5)
    assert not nn.layer_norm(np.full((2, 3), 7.0), np.ones(3), np.zeros(3))[0].any()  # no spread, no division


# --- attention


def oracle_attention(q, k, v, mask=None):
    s = anp.einsum("...td,...sd->...ts", q, k) / q.shape[-1] ** 0.5
    e = anp.exp(s) if mask is None else anp.exp(s) * mask
    total = anp.sum(e, axis=-1, keepdims=True)
    return anp.einsum("...ts,...sd->...td", e / anp.where(total == 0, 1.0, total), v)


QKV = {
    "one": ((3, 2), (4, 2), (4, 5)),
    "one token, one number": ((1, 1), (1, 1), (1, 1)),
    "batch": ((2, 3, 4), (2, 6, 4), (2, 6, 3)),
    "batch and heads": ((2, 3, 5, 2), (2, 3, 5, 2), (2, 3, 5, 2)),
    "many keys": ((2, 3, 2), (2, 40, 2), (2, 40, 2)),
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shapes", QKV.values(), ids=QKV.keys())
def test_attention(shapes, masked):
    q, k, v = arrays = [normal(*s) for s in shapes]
    mask = RNG.random((q.shape[-2], k.shape[-2])) < 0.6 if masked else None
    if masked:
        mask[0] = False  # a query that may look nowhere
    out, weights = nn.attention(q, k, v, mask)
    w = normal(*out.shape)
    got = nn.attention_backward(w, q, k, v, weights)
    agree(
        lambda *a: np.sum(w * nn.attention(*a, mask)[0]),
        lambda *a: anp.sum(w * oracle_attention(*a, mask)),
        arrays,
        got,
    )
    want = mask.any(axis=-1) if masked else np.ones(q.shape[-2])
    np.testing.assert_allclose(weights.sum(axis=-1), np.broadcast_to(want, q.shape[:-1]), rtol=1e-12)
    if masked:
        assert not weights[..., ~mask].any() and not out[..., 0, :].any() and not got[0][..., 0, :].any()


def test_attention_to_nothing_gives_zeros():
    q, k, v = normal(2, 3, 4), np.zeros((2, 0, 4)), np.zeros((2, 0, 5))
    out, weights = nn.attention(q, k, v)
    assert out.shape == (2, 3, 5) and not out.any() and weights.shape == (2, 3, 0)
    dq, dk, dv = nn.attention_backward(np.ones_like(out), q, k, v, weights)
    assert dq.shape == q.shape and not dq.any() and dk.shape == k.shape and dv.shape == v.shape


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mask", [None, np.tri(4, dtype=bool), np.zeros((4, 4), bool)], ids=str)
def test_attention_far_out(mask, dtype):
    """Scores of 1e8: no warning, weights that sum to 1 or 0, inputs as they were, float32 stays float32."""
    q, k, v = (RNG.choice([-1e4, 1e4], (2, 4, 3)).astype(dtype) for _ in range(3))
    copies = q.copy(), k.copy(), v.copy()
    out, weights = nn.attention(q, k, v, mask)
    got = [out, weights, *nn.attention_backward(np.ones_like(out), q, k, v, weights)]
    assert all(a.dtype == dtype and np.isfinite(a).all() for a in got)
    for a, b in zip((q, k, v), copies, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("size", [4, 64])
def test_scores_have_variance_one_whatever_the_width(size):
    q, k = normal(1000, size), normal(1000, size)
    log_weights = np.log(nn.attention(q, k, k)[1])
    assert abs(np.var(log_weights, axis=1).mean() - 1) < 0.1


# --- self-attention and the block


def block_params(block, lead=()):
    n = sum(map(prod, block.shapes.values()))
    return nn.Params(RNG.normal(0, 0.6, (*lead, n)), block.shapes)


def oracle_block(block, theta, x, allowed):
    """The block, one sequence and one head at a time; allowed: (n, T, T)."""
    part, i = {}, 0
    for name, shape in block.shapes.items():
        part[name.removeprefix(block.name)] = anp.reshape(theta[i : i + prod(shape)], shape)
        i += prod(shape)
    d, k, out = block.d, block.d // block.heads, []
    for one, mask in zip(x, allowed, strict=True):
        u = oracle_norm(one, part["gamma1"], part["beta1"])
        qkv = anp.dot(u, part["W"]) + part["b"]
        heads = []
        for j in range(block.heads):
            q, key, v = (qkv[:, s * d + j * k : s * d + (j + 1) * k] for s in range(3))
            heads.append(oracle_attention(q, key, v, mask))
        y = one + anp.dot(anp.concatenate(heads, axis=-1), part["Wo"]) + part["bo"]
        u = oracle_norm(y, part["gamma2"], part["beta2"])
        z = anp.dot(u, part["W1"]) + part["b1"]
        out.append(y + anp.dot(anp.where(z > 0, z, 0.0), part["W2"]) + part["b2"])
    return anp.stack(out)


REAL = np.arange(5) < np.array([5, 3, 0])[:, None]  # which tokens of three sequences are no padding


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("d, heads, hidden", [(4, 2, 6), (6, 3, 5), (3, 1, 4)])
def test_block(d, heads, hidden, causal, padded):
    block = nn.Block(d, heads, hidden, "a.", causal)
    p, x, w = block_params(block), normal(3, 5, d), normal(3, 5, d)
    mask = REAL[:, None, None, :] if padded else None
    allowed = (
        np.ones((3, 5, 5), bool)
        & (REAL[:, None, :] if padded else True)
        & (np.tri(5) > 0 if causal else True)
    )
    z, cache = block.forward(p, x, mask)
    assert z.shape == x.shape and cache["weights"].shape == (3, heads, 5, 5)
    grads = p.like(np.full_like(p.theta, np.nan))
    dx = block.backward(p, cache, w, grads)
    agree(
        lambda theta, x: np.sum(w * block.forward(p.like(theta), x, mask)[0]),
        lambda theta, x: anp.sum(w * oracle_block(block, theta, x, allowed)),
        [p.theta, x],
        [grads.theta, dx],
        rtol=1e-7,
    )


@pytest.mark.parametrize("shared", [True, False])
def test_block_stack_is_its_slices(shared):
    block, runs = nn.Block(4, 2, 6), 3
    p = block_params(block, (runs,))
    x, w = normal(*([2, 5, 4] if shared else [runs, 2, 5, 4])), normal(runs, 2, 5, 4)
    z, cache = block.forward(p, x)
    grads = p.like(np.full_like(p.theta, np.nan))
    dx = block.backward(p, cache, w, grads)
    for r in range(runs):
        one = p.like(p.theta[r])
        z1, cache1 = block.forward(one, x if shared else x[r])
        g1 = one.like(np.empty_like(one.theta))
        dx1 = block.backward(one, cache1, w[r], g1)
        for got, want in ((z[r], z1), (grads.theta[r], g1.theta), (dx[r], dx1)):
            np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)


def test_two_blocks_in_one_params():
    blocks = [nn.Block(4, 2, 6, f"block{i}.") for i in (1, 2)]
    p, x = numbers(blocks[0].shapes | blocks[1].shapes), normal(2, 3, 4)
    y, cache1 = blocks[0].forward(p, x)
    z, cache2 = blocks[1].forward(p, y)
    grads = p.like(np.full_like(p.theta, np.nan))
    w = normal(*z.shape)
    blocks[0].backward(p, cache1, blocks[1].backward(p, cache2, w, grads), grads)

    def f(theta):
        q = p.like(theta)
        return np.sum(w * blocks[1].forward(q, blocks[0].forward(q, x)[0])[0])

    assert nn.gradcheck(f, p.theta, grads.theta)


def test_self_attention_alone():
    """The pair that the block uses, as the book shows it: gradients of x and of its four parameters."""
    heads, x, w = 2, normal(2, 3, 4), normal(2, 3, 4)
    arrays = [x, normal(4, 12), normal(12), normal(4, 4), normal(4)]
    _, cache = nn.self_attention(*arrays, heads)
    got = nn.self_attention_backward(w, cache, arrays[1], arrays[3])

    def oracle(x, W, b, Wo, bo):
        qkv = anp.einsum("ntd,de->nte", x, W) + b
        parts = [[qkv[..., s * 4 + j * 2 : s * 4 + j * 2 + 2] for s in range(3)] for j in range(heads)]
        found = anp.concatenate([oracle_attention(*part) for part in parts], axis=-1)
        return anp.sum(w * (anp.einsum("ntd,de->nte", found, Wo) + bo))

    agree(lambda *a: np.sum(w * nn.self_attention(*a, heads)[0]), oracle, arrays, got)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_permuting_inputs_permutes_outputs(heads):
    """Without positions and mask a block does not know the order: f(x P) = f(x) P."""
    block = nn.Block(8, heads, 16, causal=False)
    p, x, order = block_params(block), normal(3, 6, 8), np.array([3, 0, 5, 1, 4, 2])
    z, cache = block.forward(p, x)
    z2, cache2 = block.forward(p, x[:, order])
    np.testing.assert_allclose(z2, z[:, order], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        cache2["weights"], cache["weights"][..., order, :][..., order], rtol=1e-9, atol=1e-15
    )
    causal = nn.Block(8, heads, 16)
    assert np.abs(causal.forward(p, x[:, order])[0] - causal.forward(p, x)[0][:, order]).max() > 0.1


@pytest.mark.parametrize("t", [0, 2, 5])
def test_a_causal_block_leaks_nothing(t):
    """Another future, the same past to the last bit; and no output asks the future for a gradient."""
    block = nn.Block(8, 2, 16)
    p, x = block_params(block), normal(3, 6, 8)
    other = x.copy()
    other[:, t + 1 :] = 100 * normal(3, 5 - t, 8)
    z, cache = block.forward(p, x)
    np.testing.assert_array_equal(z[:, : t + 1], block.forward(p, other)[0][:, : t + 1])
    dz = np.zeros_like(z)
    dz[:, t] = 1
    dx = block.backward(p, cache, dz, p.like(np.empty_like(p.theta)))
    assert not dx[:, t + 1 :].any() and dx[:, : t + 1].any(axis=(0, 2)).all()
    assert not cache["weights"][..., ~np.tri(6, dtype=bool)].any()


def test_padding_leaks_nothing_into_a_block():
    block = nn.Block(4, 2, 6, causal=False)
    p, x, mask = block_params(block), normal(3, 5, 4), REAL[:, None, None, :]
    other = np.where(REAL[..., None], x, 1e4)
    z, cache = block.forward(p, x, mask)
    np.testing.assert_array_equal(z[REAL], block.forward(p, other, mask)[0][REAL])
    dx = block.backward(
        p, cache, np.where(REAL[..., None], normal(3, 5, 4), 0.0), p.like(np.empty_like(p.theta))
    )
    assert not dx[~REAL].any()
    alone, _ = block.forward(p, x[1:2, :3])
    np.testing.assert_allclose(z[1:2, :3], alone, rtol=1e-12)


def test_a_block_of_no_tokens():
    block = nn.Block(4, 2, 6)
    p = block_params(block)
    z, cache = block.forward(p, np.zeros((2, 0, 4)))
    grads = p.like(np.full_like(p.theta, np.nan))
    assert z.shape == (2, 0, 4) and block.backward(p, cache, z, grads).shape == (2, 0, 4)
    assert not grads.theta.any()


def test_block_in_float32():
    block = nn.Block(8, 2, 16)
    p, x = block_params(block), normal(3, 6, 8)
    small, before = p.like(p.theta.astype(np.float32)), x.astype(np.float32)
    copy = before.copy()
    z, cache = block.forward(small, before)
    grads = small.like(np.empty_like(small.theta))
    dx = block.backward(small, cache, z, grads)
    assert z.dtype == dx.dtype == cache["weights"].dtype == np.float32
    np.testing.assert_array_equal(before, copy)
    np.testing.assert_allclose(z, block.forward(p, x)[0], rtol=1e-3, atol=1e-4)


# --- clipping


class Recorder:
    """An optimizer that keeps what it was given."""

    lr, t = 0.5, 3

    def step(self, theta, g):
        self.g = g.copy()


def test_clip_by_hand():
    """(3, 4) has length 5: with limit 1 it becomes (0.6, 0.8), with limit 5 or more it stays."""
    for limit, want in ((1.0, [0.6, 0.8]), (5.0, [3.0, 4.0]), (50, [3.0, 4.0])):
        clip = nn.Clip(Recorder(), limit)
        clip.step(np.zeros(2), np.array([3.0, 4.0]))
        np.testing.assert_allclose(clip.optimizer.g, want, rtol=1e-15)
    assert (clip.lr, clip.t) == (0.5, 3)


def test_clip_of_a_stack_clips_each_run():
    clip, g = nn.Clip(Recorder(), 1.0), np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]], np.float32)
    clip.step(np.zeros_like(g), g)
    np.testing.assert_allclose(clip.optimizer.g, [[0.6, 0.8], [0.3, 0.4], [0, 0]], rtol=1e-6)
    assert clip.optimizer.g.dtype == np.float32


@pytest.mark.parametrize("make", [nn.SGD, nn.Momentum, nn.Nesterov, nn.Adam])
def test_clip_only_shortens(make):
    g = normal(7)
    want, got = np.zeros(7), np.zeros(7)
    plain, clipped = make(0.1), nn.Clip(make(0.1), 0.5)
    for _ in range(3):
        plain.step(want, g * min(1, 0.5 / np.linalg.norm(g)))
        clipped.step(got, g.copy())
    np.testing.assert_allclose(got, want, rtol=1e-12)
    assert clipped.t == 3


def test_a_run_that_diverges_is_still_seen_through_clip():
    x, y = np.ones((2, 1)), np.ones((2, 1))
    net = nn.MLP((1, 1))
    with pytest.raises(nn.DivergenceError, match="learning rate 1e\\+200"):
        nn.fit(net, net.init(np.random.default_rng(0)), x, y, loss=nn.mse, steps=9,
               optimizer=nn.Clip(nn.SGD(1e200), 1.0))  # fmt: skip


every_mask = partial(np.ones, dtype=bool)


@pytest.mark.parametrize("shape", [(5, 5), (1, 5), (3, 1, 1, 5), (3, 2, 5, 5), (5,)])
def test_masks_broadcast(shape):
    block = nn.Block(4, 2, 6, causal=False)
    p, x = block_params(block), normal(3, 5, 4)
    np.testing.assert_allclose(block.forward(p, x, every_mask(shape))[0], block.forward(p, x)[0], rtol=1e-13)
