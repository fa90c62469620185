"""Data-parallel training on a real cluster of processes: the same numbers, whoever is lost on the way."""

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmath as nn

pytestmark = pytest.mark.xdist_group("cluster")  # one worker of pytest, so that one cluster serves all

NET = nn.MLP((6, 8, 3), hidden=nn.relu)
RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(90, 6)), RNG.integers(0, 3, 90)


@pytest.fixture(scope="module")
def client():
    with nn.connect(workers=2) as client:
        yield client


def run(model, *, y=LABELS, loss=nn.cross_entropy, runs=None, batch_size=24, hook=None, dtype=float):
    """Parameters and history of three epochs; batches of 24, 24, 24, 18."""
    p = NET.init(np.random.default_rng(1), dtype, runs=runs)
    how = {"loss": loss, "optimizer": nn.Adam(0.01), "epochs": 3, "record": hook, "progress": False}
    history = nn.fit(model, p, X, y, batch_size=batch_size, rng=np.random.default_rng(2), **how)
    return p.theta, history


# --- the mathematics


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(1, 89), max_size=6, unique=True))
def test_the_weighted_mean_of_the_shards_is_the_gradient(cuts):
    """Shards of any sizes, against one backward pass over all rows."""
    p = NET.init(np.random.default_rng(3))
    parts, losses, counts = [], [], []
    for x, y in zip(np.split(X, sorted(cuts)), np.split(LABELS, sorted(cuts)), strict=True):
        grads = p.copy()
        z, cache = NET.forward(p, x)
        value, dz = nn.cross_entropy(z, y)
        NET.backward(p, cache, dz, grads)
        parts.append(grads.theta)
        losses.append(value)
        counts.append(len(y))
    whole = p.copy()
    z, cache = NET.forward(p, X)
    value, dz = nn.cross_entropy(z, LABELS)
    NET.backward(p, cache, dz, whole)
    np.testing.assert_allclose(nn.shard_mean(parts, counts), whole.theta, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(nn.shard_mean(losses, counts), value, rtol=1e-13)


def test_the_plain_mean_is_not():
    assert nn.shard_mean([1.0, 4.0], [2, 1]) == 2.0 != np.mean([1.0, 4.0])


def test_shard_mean_keeps_the_precision():
    parts = [np.ones(3, np.float32), np.zeros(3, np.float32)]
    assert nn.shard_mean(parts, np.array([1, 3])).dtype == np.float32


def test_the_ring_written_out():
    """Two: each sends half and half again. Four, 8 bytes, 1 byte/s, 10 s a message: 6 messages of 2 bytes."""
    assert nn.ring_all_reduce(8, 1, 10, 1) == 0
    assert nn.ring_all_reduce(8, 2, 0, 1) == 8
    assert nn.ring_all_reduce(8, 4, 10, 1) == 6 * (10 + 2)
    many = nn.ring_all_reduce(1e9, np.array([2, 1000, 10**6]), 0, 1e9)
    assert (np.diff(many) > 0).all() and many[-1] < 2  # never twice the time that one link needs


# --- the cluster


@pytest.mark.parametrize("shards", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "case",
    [
        {},
        {"batch_size": None},
        {"batch_size": 3},  # fewer rows than shards
        {"loss": nn.mse, "y": RNG.normal(size=(90, 3))},
        {"runs": 2},
    ],
    ids=["mini-batches", "full batch", "tiny batches", "squared error", "stack"],
)
def test_the_same_parameters_as_one_process(client, shards, case):
    want, alone = run(NET, **case)
    got, history = run(nn.DataParallel(NET, client, shards), **case)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12)
    np.testing.assert_allclose(history.loss, alone.loss, rtol=1e-10)


@pytest.mark.parametrize("workers", [1, 4])
def test_whatever_the_number_of_workers(workers):
    want, _ = run(NET)
    with nn.connect(workers=workers) as client:
        model = nn.DataParallel(NET, client)
        assert model.shards == workers
        got, _ = run(model)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12)


def test_float32_stays_float32(client):
    want, _ = run(NET, dtype=np.float32)
    got, _ = run(nn.DataParallel(NET, client, 3), dtype=np.float32)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_large_parameters_make_no_warning(client):
    """Dask warns of 10 MB in one task, which here are as they should be; a warning fails a test."""
    net = nn.MLP((1600, 1000))
    p, x = net.init(np.random.default_rng(0)), np.ones((2, 1600))
    how = {"loss": nn.mse, "optimizer": nn.SGD(0.1), "steps": 1, "progress": False}
    assert p.theta.nbytes > 12e6
    nn.fit(nn.DataParallel(net, client), p, x, np.ones((2, 1000)), **how)


def test_a_killed_worker_loses_nothing(client):
    """Not even the last bit: its shard is computed once more by another."""
    killed = []

    def kill(p, epoch):
        if epoch == 1:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    want, alone = run(nn.DataParallel(NET, client, 2))
    got, history = run(nn.DataParallel(NET, client, 2), hook=kill)
    assert killed and killed[0] not in client.run(os.getpid).values()
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(history.loss, alone.loss)


def test_a_worker_that_dies_within_a_step_loses_nothing(client, tmp_path):
    """The loss function kills the process that computes it, once, in the middle of the run."""
    flag = tmp_path / "killed"

    def deadly(z, y):
        import os

        if len(y) == 9 and not flag.exists():  # the epoch's last batch of 18, in two shards
            flag.touch()
            os._exit(1)
        return nn.mse(z, y)

    y = RNG.normal(size=(90, 3))
    got, _ = run(nn.DataParallel(NET, client, 2), loss=deadly, y=y)
    assert flag.exists()
    np.testing.assert_array_equal(got, run(nn.DataParallel(NET, client, 2), loss=nn.mse, y=y)[0])


@pytest.mark.parametrize("error", [nn.ShapeError, FileNotFoundError, TimeoutError])
def test_an_error_in_a_shard_is_that_error(client, error):
    """Also one that a lost cluster could have raised."""

    def wrong(z, y):
        raise error("my own mistake")

    with pytest.raises(error, match="my own mistake"):
        run(nn.DataParallel(NET, client), loss=wrong)


def test_what_cannot_be_sent_is_not_the_fault_of_the_cluster(client):
    lock = threading.Lock()

    def wrong(z, y):
        with lock:
            return nn.cross_entropy(z, y)

    with pytest.raises(TypeError, match=r"(?i)serialize|pickle"):
        run(nn.DataParallel(NET, client), loss=wrong)


def test_divergence_is_seen_and_the_model_predicts(client):
    p = NET.init(np.random.default_rng(1))
    model = nn.DataParallel(NET, client)
    y = RNG.normal(size=(90, 3))
    with pytest.raises(nn.DivergenceError) as info:
        nn.fit(model, p, X, y, loss=nn.mse, optimizer=nn.SGD(1e3), epochs=500, progress=False)
    assert len(info.value.history.loss) > 1
    np.testing.assert_array_equal(model.forward(p, X)[0], NET.forward(p, X)[0])


# --- what ends a run


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def halfway():
    """The clients that are neither running nor closed."""
    from distributed import Client

    # by type: to ask any object of a program for its __class__ may wake it (PyTorch warns then)
    clients = [thing for thing in gc.get_objects() if issubclass(type(thing), Client)]
    return {id(client) for client in clients if client.status not in ("running", "closed")}


def test_an_unreachable_scheduler(monkeypatch):
    address, before, kept = f"tcp://127.0.0.1:{free_port()}", halfway(), []
    for scheduler, env in ((address, None), (None, address), ("no address", None)):
        if env:
            monkeypatch.setenv("NNMATH_SCHEDULER", env)
        start = time.monotonic()
        with pytest.raises(
            ConnectionError, match=r"connect: no scheduler answers at '.*' within 1 s; start one"
        ) as info:
            nn.connect(scheduler, timeout=1.0)
        kept.append(info)  # a traceback keeps what its frames hold, as a notebook does
        assert time.monotonic() - start < 30  # a hang, not a measurement
    # a client left half-made would be closed by the garbage collector, in whatever thread that runs: in the
    # thread that a later client starts, it waits for a lock that this client holds
    assert halfway() <= before


def test_a_scheduler_elsewhere_and_its_end(monkeypatch, tmp_path):
    """Scheduler and worker as a reader starts them, found by NNMATH_SCHEDULER; then the one is killed."""
    address = f"tcp://127.0.0.1:{free_port()}"
    dask, quiet = (
        Path(sys.executable).with_name("dask"),
        {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL},
    )
    where = ["--host", "127.0.0.1", "--no-dashboard"]
    scheduler = subprocess.Popen(
        [dask, "scheduler", "--port", address.split(":")[-1], *where], cwd=tmp_path, **quiet
    )
    worker = subprocess.Popen([dask, "worker", address, "--nthreads", "1", *where], cwd=tmp_path, **quiet)
    try:
        monkeypatch.setenv("NNMATH_SCHEDULER", address)
        with nn.connect(timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
            want, _ = run(nn.DataParallel(NET, client, 2))
            np.testing.assert_allclose(want, run(NET)[0], rtol=0, atol=1e-12)
            p = NET.init(np.random.default_rng(1))
            how = {"loss": nn.cross_entropy, "batch_size": 24, "progress": False}

            def kill(p, epoch):
                if epoch == 2:
                    scheduler.kill()

            with pytest.raises(ConnectionError, match=r"the cluster was lost \(.*\); p is as after") as info:
                nn.fit(
                    nn.DataParallel(NET, client, 2), p, X, LABELS, optimizer=nn.Adam(0.01), epochs=3,
                    rng=np.random.default_rng(2), record=kill, **how,
                )  # fmt: skip
            done = len(info.value.history.loss)
            assert done >= 9
            same = NET.init(np.random.default_rng(1))  # p is that of the last whole step
            nn.fit(
                NET, same, X, LABELS, optimizer=nn.Adam(0.01), steps=done, rng=np.random.default_rng(2), **how
            )
            np.testing.assert_allclose(p.theta, same.theta, rtol=0, atol=1e-12)
    finally:
        worker.terminate()
        scheduler.kill()
        worker.wait(30)
        scheduler.wait(30)


def test_no_worker_left():
    with nn.connect(workers=1) as client:

        def retire(p, epoch):
            if epoch == 1:
                client.cluster.scale(0)
                while client.nthreads():
                    time.sleep(0.05)

        with pytest.raises(ConnectionError, match=r"the cluster was lost \(no worker for 1 s\)") as info:
            run(nn.DataParallel(NET, client, patience=1.0), hook=retire)
        assert info.value.history.loss.shape == (5,)  # the record of an epoch is made at its first step


def test_a_closed_client():
    client = nn.connect(workers=1)
    model = nn.DataParallel(NET, client)
    client.close()
    with pytest.raises(ConnectionError, match="the cluster was lost"):
        run(model)


def test_a_search_on_the_cluster(client):
    settings = nn.sample({"lr": nn.log_uniform(1e-3, 1)}, 12, np.random.default_rng(0))
    trials = nn.search(lambda s: s["lr"] ** 2, settings, executor=client.get_executor())
    np.testing.assert_array_equal(trials.values, [s["lr"] ** 2 for s in settings])
