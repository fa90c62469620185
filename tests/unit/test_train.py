"""The loop: both stop rules, mini-batches, stacks, divergence, interruption, records and the progress bar."""

import importlib
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import nnmath as nn

train_module = importlib.import_module("nnmath.train")
NET = nn.MLP((2, 4, 1))
X, Y = nn.xor()


def start(seed=0, **how):
    return NET.init(np.random.default_rng(seed), **how)


def xor(p, optimizer=None, loss=nn.binary_cross_entropy, **how):
    return nn.fit(NET, p, X, Y, loss=loss, optimizer=optimizer or nn.SGD(0.5), **how)


def loss_at(p, loss=nn.binary_cross_entropy):
    return loss(NET.forward(p, X)[0], Y)[0]


def moons(n=50):
    x, y = nn.moons(n, 0.1, np.random.default_rng(7))
    return nn.MLP((2, 5, 2), hidden=nn.relu), x, y


# --- what a step is


def test_fit_is_the_loop_written_out():
    p, q = start(), start()
    h = xor(p, epochs=30)
    losses, g = [], q.like(np.zeros_like(q.theta))
    for _ in range(30):
        z, cache = NET.forward(q, X)
        value, dz = nn.binary_cross_entropy(z, Y)
        losses.append(value)
        NET.backward(q, cache, dz, g)
        q.theta -= 0.5 * g.theta
    np.testing.assert_array_equal(h.loss, losses)
    np.testing.assert_array_equal(p.theta, q.theta)
    assert h.step.tolist() == h.epoch.tolist() == list(range(30))
    assert not h.diverged and not h.reached and not h.interrupted and h.record is None
    names = "step, epoch, loss (30,), diverged, reached, interrupted, record, record_epoch"
    assert repr(h) == f"History({names})"


def test_only_the_run_is_silent():
    """Overflow says nothing inside a step (a warning would fail this test) and still warns between two."""
    before, large = np.geterr(), np.float32(3e38)
    run = nn.train(NET, start(), X, Y, loss=nn.mse, optimizer=nn.SGD(1e200), steps=9, on_divergence="stop")
    for s in run:
        assert np.geterr() == before
        with pytest.warns(RuntimeWarning, match="overflow"):
            large * large
        diverged = s.diverged
    assert diverged and np.geterr() == before


def test_a_step_is_seen_before_its_update():
    p = start()
    for s in nn.train(NET, p, X, Y, loss=nn.mse, optimizer=nn.SGD(0.5), steps=5):
        assert s.loss == loss_at(p, nn.mse) and s.ends_epoch and s.step == s.epoch
        z, cache = NET.forward(p, X)
        g = p.like(np.zeros_like(p.theta))
        NET.backward(p, cache, nn.mse(z, Y)[1], g)
        np.testing.assert_array_equal(s.grads.theta, g.theta)
    assert s.step == 4 and loss_at(p, nn.mse) != s.loss  # the last update was made too


def test_breaking_off_keeps_the_network_of_that_step():
    p = start()
    for s in nn.train(NET, p, X, Y, loss=nn.mse, optimizer=nn.SGD(0.5), steps=5):
        if s.step == 3:
            break
    assert loss_at(p, nn.mse) == s.loss


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_data_is_taken_in_the_precision_of_the_network(dtype):
    p = start(dtype=dtype)
    x, y = X.astype(np.float64), Y.astype(np.int64)
    h = nn.fit(NET, p, x, y, loss=nn.mse, optimizer=nn.Adam(np.float64(0.01)), epochs=3)
    assert h.loss.dtype == p.theta.dtype == dtype
    assert (y == Y).all()


# --- mini-batches


@pytest.mark.parametrize("batch_size", [None, 3])
def test_labels_stay_integers_for_a_loss_of_ones_own(batch_size):
    """One that wraps cross_entropy, such as a weighted one, gets what cross_entropy gets."""
    net, rng = nn.MLP((2, 3, 4)), np.random.default_rng(0)
    x, y = rng.normal(size=(8, 2)), rng.integers(0, 4, 8)
    losses = []
    for loss in (nn.cross_entropy, lambda z, y: nn.cross_entropy(z, y)):
        p = net.init(np.random.default_rng(1))
        how = {"batch_size": batch_size, "rng": np.random.default_rng(2), "epochs": 4}
        losses.append(nn.fit(net, p, x, y, loss=loss, optimizer=nn.SGD(0.1), **how).loss)
    np.testing.assert_array_equal(*losses)


def test_minibatches_cover_each_epoch_in_a_new_order():
    x, y = np.arange(10.0)[:, None], np.arange(10)
    seen = []

    class Spy:
        def forward(self, p, x):
            seen.append(x[:, 0].copy())
            return np.zeros((len(x), 1)), None

        def backward(self, p, cache, dz, grads, need_dx):
            assert need_dx is False

    def loss(z, y):
        np.testing.assert_array_equal(seen[-1], y)  # targets go with their samples
        return np.float64(0), z

    p, rng = nn.Params(np.zeros(1), {"w": (1,)}), np.random.default_rng(0)
    h = nn.fit(Spy(), p, x, y, loss=loss, optimizer=nn.SGD(1), epochs=3, batch_size=4, rng=rng)
    assert [len(b) for b in seen] == [4, 4, 2] * 3
    orders = [np.concatenate(seen[i : i + 3]) for i in (0, 3, 6)]
    for order in orders:
        assert sorted(order) == list(range(10)) != order.tolist()
    assert orders[0].tolist() != orders[1].tolist() != orders[2].tolist()
    assert h.epoch.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2] and h.step.tolist() == list(range(9))


def test_minibatches_are_those_of_the_generator():
    net, x, y = moons()
    runs = []
    for seed in (0, 0, 1):
        p, rng = net.init(np.random.default_rng(5)), np.random.default_rng(seed)
        nn.fit(net, p, x, y, loss=nn.cross_entropy, optimizer=nn.Adam(), epochs=2, batch_size=8, rng=rng)
        runs.append(p.theta)
    assert (runs[0] == runs[1]).all() and (runs[0] != runs[2]).any()


def test_no_global_random_state_is_touched():
    before = pickle.dumps(np.random.get_state())  # noqa: NPY002
    net, x, y = moons()
    p, rng = net.init(np.random.default_rng(5)), np.random.default_rng(0)
    nn.fit(net, p, x, y, loss=nn.cross_entropy, optimizer=nn.SGD(0.1), epochs=1, batch_size=8, rng=rng)
    nn.digits()
    nn.gradcheck(lambda t: np.sum(t**2), p.theta, 2 * p.theta, full=1)
    assert pickle.dumps(np.random.get_state()) == before  # noqa: NPY002


# --- one run equals its slice of a stack


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("make", [nn.SGD, nn.Momentum, nn.Adam], ids=lambda f: f.__name__)
def test_one_run_is_its_slice_of_a_stack(make, batch_size):
    net, x, y = moons()
    rates = [0.003, 0.01, 0.1]
    how = {"loss": nn.cross_entropy, "epochs": 7, "batch_size": batch_size}
    p = net.init([np.random.default_rng(s) for s in range(3)])
    rng = np.random.default_rng(9)
    h = nn.fit(net, p, x, y, optimizer=make(np.array(rates)[:, None]), rng=rng, **how)
    assert h.loss.shape == (len(h.step), 3) and h.diverged.shape == h.reached.shape == (3,)
    for r, lr in enumerate(rates):
        one, rng = net.init(np.random.default_rng(r)), np.random.default_rng(9)
        h1 = nn.fit(net, one, x, y, optimizer=make(lr), rng=rng, **how)
        np.testing.assert_allclose(h.loss[:, r], h1.loss, rtol=1e-10)
        np.testing.assert_allclose(p.theta[r], one.theta, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("make", [nn.SGD, nn.Momentum, nn.Adam], ids=lambda f: f.__name__)
def test_one_run_is_its_slice_of_a_hundred(make):
    """Many tiny networks lie side by side in memory: the same numbers, to rounding."""
    p = NET.init([np.random.default_rng(s) for s in range(100)])
    h = xor(p, make(np.linspace(0.01, 0.5, 100)[:, None]), epochs=50)
    for r in (0, 42, 99):
        one = start(r)
        h1 = xor(one, make(float(np.linspace(0.01, 0.5, 100)[r])), epochs=50)
        np.testing.assert_allclose(h.loss[:, r], h1.loss, rtol=1e-9)
        np.testing.assert_allclose(p.theta[r], one.theta, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("batch_size", [None, 8])
def test_each_run_on_data_of_its_own(batch_size):
    net, sets = moons()[0], [nn.moons(20, 0.2, np.random.default_rng(s)) for s in (1, 2)]
    x, y = np.array([d.x for d in sets]), np.array([d.y for d in sets])
    how = {"loss": nn.cross_entropy, "epochs": 5, "batch_size": batch_size}
    p = net.init([np.random.default_rng(s) for s in (0, 1)])
    nn.fit(net, p, x, y, optimizer=nn.SGD(0.5), rng=np.random.default_rng(9), **how)
    for r in (0, 1):
        one = net.init(np.random.default_rng(r))
        nn.fit(net, one, x[r], y[r], optimizer=nn.SGD(0.5), rng=np.random.default_rng(9), **how)
        np.testing.assert_allclose(p.theta[r], one.theta, rtol=1e-9, atol=1e-12)


def test_a_stack_of_any_shape():
    p = start(runs=6)
    grid = nn.Params(p.theta.reshape(2, 3, -1).copy(), p.shapes)
    rates = np.linspace(0.1, 0.6, 6)
    h, flat = (
        xor(grid, nn.SGD(rates.reshape(2, 3, 1)), epochs=9, stop_loss=0.69),
        xor(p, nn.SGD(rates[:, None]), epochs=9, stop_loss=0.69),
    )
    assert h.loss.shape[1:] == h.reached.shape == (2, 3)
    np.testing.assert_array_equal(h.loss.reshape(len(h.loss), 6), flat.loss)


# --- the two stop rules of the article


def test_stop_after_n_steps_or_epochs():
    net, x, y = moons(50)
    for how, steps, epochs in (({"steps": 10}, 10, 2), ({"epochs": 2}, 14, 2), ({"steps": 14}, 14, 2)):
        p, rng = net.init(np.random.default_rng(0)), np.random.default_rng(0)
        h = nn.fit(net, p, x, y, loss=nn.cross_entropy, optimizer=nn.SGD(0.1), batch_size=8, rng=rng, **how)
        assert len(h.loss) == len(h.step) == steps and h.epoch[-1] == epochs - 1


def test_stop_at_a_loss_keeps_the_network_that_reached_it():
    p = start()
    h = xor(p, nn.SGD(2.0), epochs=5000, stop_loss=0.1)
    assert h.reached and not h.diverged and len(h.loss) < 5000
    assert h.loss[-1] <= 0.1 < h.loss[-2] and loss_at(p) == h.loss[-1]


def test_stop_at_a_loss_looks_at_the_mean_over_an_epoch():
    net, x, y = moons(50)
    p, rng, how = net.init(np.random.default_rng(0)), np.random.default_rng(0), {"batch_size": 8}
    h = nn.fit(
        net,
        p,
        x,
        y,
        loss=nn.cross_entropy,
        optimizer=nn.Adam(0.02),
        epochs=300,
        stop_loss=0.2,
        rng=rng,
        **how,
    )
    weights = np.array([8] * 6 + [2]) / 50
    means = h.loss.reshape(-1, 7) @ weights
    assert h.reached and means[-1] <= 0.2 and (means[:-1] > 0.2).all()
    assert (h.loss[:-7] <= 0.2).any()  # single batches were below before, and did not count


def test_a_small_last_batch_counts_for_its_samples():
    values = iter([0.1, 0.3])  # of three samples and of one: the mean is 0.15

    class Still:
        def forward(self, p, x):
            return x, None

        def backward(self, p, cache, dz, grads, need_dx):
            pass

    p = nn.Params(np.zeros(1), {"w": (1,)})
    how = {"loss": lambda z, y: (np.float64(next(values)), z), "optimizer": nn.SGD(1), "epochs": 1}
    how |= {"batch_size": 3, "rng": np.random.default_rng(0), "stop_loss": 0.16}
    assert nn.fit(Still(), p, X, Y, **how).reached


def test_runs_of_a_stack_stop_each_in_their_own_time():
    rates = np.array([2.0, 0.001, 1.0])
    p = NET.init([np.random.default_rng(0) for _ in rates])
    h = xor(p, nn.SGD(rates[:, None]), epochs=600, stop_loss=0.1)
    assert h.reached.tolist() == [True, False, True] and not h.diverged.any() and len(h.loss) == 600
    for r, lr in enumerate(rates):
        one = start()
        h1 = xor(one, nn.SGD(lr), epochs=600, stop_loss=0.1)
        n = len(h1.loss)
        np.testing.assert_allclose(h.loss[:n, r], h1.loss, rtol=1e-10)
        assert np.isnan(h.loss[n:, r]).all() and h1.reached == h.reached[r]
        np.testing.assert_allclose(p.theta[r], one.theta, rtol=1e-9)
    h = xor(start(runs=2), nn.SGD(2.0), epochs=5000, stop_loss=0.1)
    assert h.reached.all() and len(h.loss) < 5000  # all done: the stack ends


# --- divergence

FAST = {"loss": nn.mse, "optimizer": nn.SGD(50.0), "epochs": 500}


def test_divergence_raises_with_everything_about_it():
    p = start()
    message = (
        r"train: the loss is (inf|nan) at step \d+ \(epoch \d+, learning rate 50\); "
        r"lower the learning rate, or keep the run with on_divergence='stop'"
    )
    with pytest.raises(nn.DivergenceError, match=f"^{message}$") as info:
        nn.fit(NET, p, X, Y, **FAST)
    e = info.value
    assert e.step == e.epoch == e.history.step[-1] and e.learning_rate == 50
    assert not np.isfinite(e.loss) and not np.isfinite(e.history.loss[-1]) and e.history.diverged
    assert np.isfinite(e.history.loss[:-1]).all() and len(e.history.loss) == e.step + 1
    copy = pickle.loads(pickle.dumps(e))  # Dask sends errors between processes
    assert str(copy) == str(e) and copy.step == e.step


def test_divergence_can_be_kept():
    p = start()
    h = nn.fit(NET, p, X, Y, on_divergence="stop", **FAST)
    assert h.diverged.shape == () and h.diverged and not h.reached and not h.interrupted
    assert np.isfinite(h.loss[:-1]).all() and not np.isfinite(h.loss[-1]) and len(h.loss) < 500


@pytest.mark.parametrize("batch_size", [None, 3])
def test_a_diverged_run_does_not_disturb_the_others(batch_size):
    rates = [0.1, 50.0, 0.2, 80.0]
    how = {"loss": nn.mse, "epochs": 300, "on_divergence": "stop", "batch_size": batch_size}
    p = NET.init([np.random.default_rng(s) for s in range(4)])
    h = nn.fit(NET, p, X, Y, optimizer=nn.SGD(np.array(rates)[:, None]), rng=np.random.default_rng(0), **how)
    assert h.diverged.tolist() == [False, True, False, True]
    assert np.isfinite(h.loss[:, [0, 2]]).all()
    for r, lr in enumerate(rates):
        one = start(r)
        h1 = nn.fit(NET, one, X, Y, optimizer=nn.SGD(lr), rng=np.random.default_rng(0), **how)
        n = len(h1.loss)
        assert h1.diverged == h.diverged[r] and np.isnan(h.loss[n:, r]).all()
        np.testing.assert_allclose(h.loss[:n, r], h1.loss, rtol=1e-9)
        np.testing.assert_allclose(p.theta[r], one.theta, rtol=1e-8)


def test_a_stack_ends_when_all_are_done_or_lost():
    p = NET.init([np.random.default_rng(0), np.random.default_rng(0)])
    opt = nn.SGD(np.array([[50.0], [0.5]]))
    h = xor(p, opt, nn.mse, epochs=9000, stop_loss=0.05, on_divergence="stop")
    assert h.diverged.tolist() == [True, False] and h.reached.tolist() == [False, True] and len(h.loss) < 9000


def test_divergence_in_a_stack_names_the_run():
    p = start(runs=3)
    with pytest.raises(
        nn.DivergenceError, match=r"^train: the loss of run 1 is .* learning rate 70\)"
    ) as info:
        xor(p, nn.SGD(np.array([[0.1], [70.0], [0.2]])), nn.mse, epochs=500)
    assert info.value.loss.shape == (3,) and info.value.history.diverged.tolist() == [False, True, False]


def test_divergence_names_the_rate_of_that_step():
    with pytest.raises(nn.DivergenceError) as info:
        xor(start(), nn.SGD(lambda t: 50.0 + t), nn.mse, epochs=500)
    assert info.value.learning_rate == 50 + info.value.step


# --- interruption


@pytest.mark.parametrize("at", [0, 4])
def test_an_interruption_loses_nothing(at):
    p, q = start(), start()

    def record(p, epoch):
        if epoch == at:
            raise KeyboardInterrupt
        return loss_at(p)

    h = xor(p, epochs=50, record=record)
    assert h.interrupted and not h.diverged and not h.reached
    assert h.step.tolist() == list(range(at + 1)) and h.record_epoch.tolist() == list(range(at))
    whole = xor(q, epochs=50)
    np.testing.assert_array_equal(h.loss, whole.loss[: at + 1])
    assert loss_at(p) == h.loss[-1]  # p is the network of the last step seen


def test_an_interruption_before_the_first_step():
    def loss(z, y):
        raise KeyboardInterrupt

    h = nn.fit(NET, start(runs=3), X, Y, loss=loss, optimizer=nn.SGD(0.1), epochs=5)
    assert h.interrupted and h.loss.size == h.step.size == 0 and h.diverged.tolist() == [False] * 3


def test_other_errors_are_not_swallowed():
    def record(p, epoch):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        xor(start(), epochs=5, record=record)


# --- records


def test_record_is_called_at_the_start_and_after_each_epoch():
    p = start()
    h = xor(p, epochs=5, record=lambda p, epoch: p.theta)
    assert h.record_epoch.tolist() == [0, 1, 2, 3, 4, 5] and h.record.shape == (6, 17)
    np.testing.assert_array_equal(h.record[0], start().theta)
    np.testing.assert_array_equal(h.record[-1], p.theta)  # copied, not seven times the same view
    for theta, value in zip(h.record, h.loss, strict=False):
        assert loss_at(p.like(theta)) == value


def test_record_of_several_things_at_chosen_epochs():
    net, x, y = moons()
    seen = []

    def record(p, epoch):
        seen.append(epoch)
        return {"theta": p.theta, "loss": nn.cross_entropy(net.forward(p, x)[0], y)[0]}

    p, rng = net.init(np.random.default_rng(0)), np.random.default_rng(0)
    how = {"batch_size": 8, "rng": rng, "record": record, "record_at": {0, 2, 6, 99}}
    h = nn.fit(net, p, x, y, loss=nn.cross_entropy, optimizer=nn.SGD(0.1), epochs=6, **how)
    assert seen == h.record_epoch.tolist() == [0, 2, 6]
    assert h.record["theta"].shape == (3, net.n_params) and h.record["loss"].shape == (3,)
    np.testing.assert_array_equal(h.record["theta"][-1], p.theta)
    np.testing.assert_array_equal(h.record["theta"][0], net.init(np.random.default_rng(0)).theta)


def test_record_only_whole_epochs():
    net, x, y = moons()
    p, rng = net.init(np.random.default_rng(0)), np.random.default_rng(0)
    how = {"batch_size": 8, "rng": rng, "record": lambda p, epoch: epoch}
    h = nn.fit(net, p, x, y, loss=nn.cross_entropy, optimizer=nn.SGD(0.1), steps=9, **how)
    assert h.record.tolist() == [0, 1]  # the second epoch was cut short


def test_record_does_not_repeat_the_state_that_stopped_the_run():
    h = xor(start(), nn.SGD(2.0), epochs=5000, stop_loss=0.1, record=lambda p, epoch: loss_at(p))
    np.testing.assert_array_equal(h.record, h.loss)
    assert h.record_epoch[-1] == h.epoch[-1]


def test_a_callback_that_returns_nothing_records_nothing():
    h = xor(start(), epochs=3, record=lambda p, epoch: None)
    assert h.record is None and h.record_epoch.size == 0


# --- the progress bar


class Bar:
    made = ()

    def __init__(self, total, unit, leave):
        self.total, self.unit, self.leave, self.n, self.closed = total, unit, leave, 0, False
        Bar.made = (*Bar.made, self)

    def update(self, n):
        self.n += n

    def close(self):
        self.closed = True


@pytest.fixture
def clock(monkeypatch):
    """A clock that advances 0.3 seconds at each look, and a bar that only counts."""
    now = iter(np.arange(0, 1e6, 0.3))
    monkeypatch.setattr(train_module, "perf_counter", lambda: next(now))
    monkeypatch.setattr("tqdm.tqdm", Bar)
    Bar.made = ()


def test_no_bar_before_two_seconds(clock):
    xor(start(), epochs=6)
    assert Bar.made == ()


def test_a_bar_after_two_seconds(clock):
    at = []
    xor(start(), epochs=40, record=lambda p, epoch: at.append((epoch, len(Bar.made))))
    assert at[7] == (7, 1) and at[6] == (6, 0)  # the seventh look is the first past 2 s
    (bar,) = Bar.made
    assert (bar.total, bar.unit, bar.leave, bar.closed, bar.n) == (40, " epochs", False, True, 39)


def test_a_bar_counts_steps_where_steps_are_asked_for(clock):
    xor(start(), steps=40)
    assert (Bar.made[0].total, Bar.made[0].unit, Bar.made[0].n) == (40, " steps", 39)


def test_a_bar_is_closed_by_whatever_ends_the_run(clock):
    def record(p, epoch):
        if epoch == 20:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        xor(start(), epochs=40, record=record)
    assert len(Bar.made) == 1 and Bar.made[0].closed


def test_no_bar_if_not_wanted(clock):
    xor(start(), epochs=40, progress=False)
    assert Bar.made == ()


def test_the_real_bar_leaves_nothing_behind():
    """In a process of its own: tqdm looks at TQDM_DISABLE, which the tests set, when it is imported."""
    code = """
import sys, numpy as np, nnmath as nn
sys.modules["nnmath.train"].BAR_DELAY = -1.0
(x, y), net = nn.xor(), nn.MLP((2, 2, 1))
nn.fit(net, net.init(np.random.default_rng(0)), x, y, loss=nn.mse, optimizer=nn.SGD(0.1), epochs=20)
"""
    env = {k: v for k, v in os.environ.items() if k != "TQDM_DISABLE"}
    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
    assert ran.stdout == b"" and b"epochs" in ran.stderr and ran.stderr.endswith(b"\r")


# --- what the book promises


def test_digits_are_learned_in_a_few_seconds():
    d = nn.digits()
    net = nn.MLP((64, 32, 10))
    p = net.init(np.random.default_rng(0), np.float32)
    how = {"loss": nn.cross_entropy, "optimizer": nn.Adam(0.01), "epochs": 20, "batch_size": 32}
    nn.fit(net, p, d.x_train, d.y_train, rng=np.random.default_rng(0), **how)
    assert nn.accuracy(net.forward(p, d.x_test)[0], d.y_test) >= 0.95
