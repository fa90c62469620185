"""The claims, each measured as rows of the table."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

import nnmath as nn

from . import in_jax
from .clock import apart, race
from .contestants import (
    Loop,
    ScikitLearn,
    Task,
    adam,
    block,
    block_task,
    by_hand,
    lstm,
    lstm_task,
    products,
    torch,
    torch_adam,
    torch_block,
    torch_eager,
    torch_lstm,
    torch_vmap,
)  # fmt: skip
from .table import row

ROOT = Path(__file__).resolve().parents[1]
IMPORTS = """
import psutil, time
used, clock = psutil.Process().memory_info, time.process_time
a = clock(); import numpy
b, bytes = clock(), used().rss; import nnmath
c = clock(); print(b - a, c - b, used().rss - bytes)
"""


def compared(work, ours, peers, steps, rounds, unit="x", per=1):
    """A row for each peer, timed in one race. peers: (name, maker, target); maker None: not installed."""
    makers = {name: make for name, make, _ in peers if make}
    equal = {name: apart(ours, make) for name, make in makers.items()}
    seconds = race({"nnmath": ours, **makers}, steps, rounds)
    mine = [s * per for s in seconds["nnmath"]]
    for name, _, target in peers:
        if name in makers:
            its = [s * per for s in seconds[name]]
            ratios = [b / a if unit == "x" else a / b for a, b in zip(mine, its, strict=True)]
            yield row(work, name, target, unit, *ratios, mine[0], its[0], equal[name])
        else:
            yield row(work, name, target, unit, ours=mine[0])


def in_torch(make, *args, **how):
    """A maker, or None without PyTorch."""
    return partial(make, *args, **how) if torch else None


def jitted(make, *args, **how):
    """The maker that `make` gives, or None without JAX."""
    return make(*args, **how) if in_jax.jax else None


def one_thread():
    """JAX has no setting for it; so it is looked at. Raises AssertionError."""
    if in_jax.jax and in_jax.busy_threads() not in (None, 1):
        raise AssertionError("JAX computes in more than one thread")


def training():
    def peers(task, torch_target, sklearn_target):
        yield "PyTorch eager", in_torch(torch_eager, task), torch_target
        yield "scikit-learn", partial(ScikitLearn, task), sklearn_target
        yield "JAX, jitted", jitted(in_jax.network, task), None
        yield "NumPy by hand", partial(by_hand, task), None

    task = Task(nn.MLP((2, 4, 1)), *nn.xor(), nn.mse, nn.SGD, 0.1)
    yield from compared("XOR 2-4-1, full batch, step", task.nnmath, [*peers(task, 10, 3.5)], 60, 60)
    data = nn.moons(1024, 0.2, np.random.default_rng(0))
    task = Task(nn.MLP((2, 32, 32, 2), nn.relu), *data, batch_size=64)
    yield from compared("moons 2-32-32-2, Adam, batch 64, step", task.nnmath, [*peers(task, 8, 2.5)], 32, 60)
    x, y, x_test, y_test = nn.digits()
    task = Task(nn.MLP((64, 64, 10), nn.relu), x, y, batch_size=64)
    n, work = -(-len(x) // 64), "digits 64-64-10, Adam, batch 64, epoch"
    yield from compared(work, task.nnmath, [*peers(task, 5, 2.5)], 2 * n, 50, per=n)
    p, rng = task.init(), np.random.default_rng(2)
    how = {"loss": task.loss, "optimizer": nn.Adam(3e-3), "batch_size": 64, "rng": rng, "progress": False}
    nn.fit(task.net, p, x, y, epochs=100, **how)
    share = nn.accuracy(task.net.forward(p, x_test.astype(np.float32))[0], y_test)
    yield row("the same: right on held-out digits, 100 epochs", "", 96.5, "%", 100 * float(share))
    big = np.pad(np.kron(x.reshape(-1, 8, 8), np.ones((3, 3))), ((0, 0), (2, 2), (2, 2))).reshape(-1, 784)
    task = Task(nn.MLP((784, 512, 256, 10), nn.relu), big[:1152], y[:1152], lr=1e-4, batch_size=128)
    peers = [
        ("PyTorch eager", in_torch(torch_eager, task), 0.85),
        ("JAX, jitted", jitted(in_jax.network, task), None),
    ]
    work = "784-512-256-10, Adam, batch 128, step"
    yield from compared(work, task.nnmath, peers, 9, 15, "of its time")
    whole, part = race({"": task.nnmath, "products": partial(products, task)}, 9, 15).values()
    shares = [100 * b / a for a, b in zip(whole, part, strict=True)]
    yield row("the same: matrix products, of the step", "", 65, "%", *shares, whole[0])


def sweeps():
    many = {"lr": np.logspace(-3, -1, 41).repeat(8)[:, None], "seed": tuple(range(8)) * 41}
    task = replace(Task(nn.MLP((2, 4, 1)), *nn.xor(), nn.mse, nn.SGD), **many)
    peers = [
        ("loop of single runs", partial(Loop, task, Task.nnmath), 100),
        ("PyTorch eager, loop", in_torch(Loop, task, torch_eager), 600),
        ("jax.vmap, jitted", jitted(in_jax.network, task), None),
    ]
    yield from compared("XOR 2-4-1, 41 rates x 8 seeds in one stack, step", task.nnmath, peers, 20, 7)
    data = nn.moons(64, 0.2, np.random.default_rng(0))
    task = replace(Task(nn.MLP((2, 16, 2)), *data, optimizer=nn.SGD), **many)
    peers = [
        ("loop of single runs", partial(Loop, task, Task.nnmath), 8),
        ("torch.func.vmap", in_torch(torch_vmap, task), 2),
        ("jax.vmap, jitted", jitted(in_jax.network, task), None),
    ]
    yield from compared("moons 2-16-2, 64 samples, the same sweep, step", task.nnmath, peers, 20, 7)


def sequences():
    _, x, y, p = block_task()
    peers = [
        ("PyTorch eager", in_torch(torch_block), 1.1),
        ("JAX, jitted", jitted(in_jax.block_step, p, x, y, 0.01), None),
    ]
    work = "transformer block, 16 x 64 tokens, 64 wide, step"
    yield from compared(work, block, peers, 10, 25, "of its time")
    _, x, y, p = lstm_task()
    peers = [
        ("torch.nn.LSTM", in_torch(torch_lstm), 1.9),
        ("torch LSTMCell, loop", in_torch(torch_lstm, cell=True), 0.7),
        ("JAX lax.scan, jitted", jitted(in_jax.recurrent, p, x, y), None),
    ]
    yield from compared("LSTM, 32 steps, 64 wide, batch 32, step", lstm, peers, 10, 25, "of its time")


def one_optimizer():
    theta, g = np.random.default_rng(0).normal(size=(2, 1_000_000)).astype(np.float32)
    peers = [
        ("torch.optim.Adam", in_torch(torch_adam, theta, g), 0.9),
        ("torch Adam, fused", in_torch(torch_adam, theta, g, fused=True), None),
        ("JAX, jitted", jitted(in_jax.adam_alone, theta, g), None),
    ]
    yield from compared("Adam, 1M parameters, step", partial(adam, theta, g), peers, 6, 40, "of its time")


def imports():
    """In processes of their own, each importing NumPy and then nnmath, which the first has compiled."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", IMPORTS]
    runs = [subprocess.check_output(command, cwd=ROOT, env=env, text=True).split() for _ in range(22)][1:]
    numpy, ours, memory = np.median(np.array(runs, float), axis=0).tolist()
    times = {"ours": numpy + ours, "theirs": numpy}
    yield row("import nnmath, beyond NumPy", "NumPy alone", 10, "ms", 1e3 * ours, **times)
    yield row("import nnmath, memory beyond NumPy", "NumPy alone", 5, "MiB", memory / 2**20)


ALL = (training, sweeps, sequences, one_optimizer, imports)
