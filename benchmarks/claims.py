"""The claims, each measured as rows of the table."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import nnmath as nn

from . import tasks
from .clock import Contestant, apart, race
from .peers import Loop, ScikitLearn, torch, torch_adam, torch_eager, torch_vmap

PYTORCH, SKLEARN = "PyTorch eager", "scikit-learn"
ROOT = Path(__file__).resolve().parents[1]
IMPORTS = """
import psutil, time
used, clock = psutil.Process().memory_info, time.process_time
a = clock(); import numpy
b, bytes = clock(), used().rss; import nnmath
c = clock(); print(b - a, c - a, used().rss - bytes)
"""


@dataclass
class Row:
    """What was claimed, and what came out.

    value: from medians. least: the same from the least times. ours, theirs: seconds, medians. apart: the
    difference after 50 steps.
    """

    work: str
    peer: str
    target: float = None
    unit: str = "x"  # times as fast as the peer; or one of "of its time", "%", "ms", "MiB"
    value: float = None
    least: float = None
    ours: float = None
    theirs: float = None
    apart: float = None

    @property
    def met(self):
        if self.value is None or self.target is None:
            return None
        return bool(self.value >= self.target if self.unit in ("x", "%") else self.value <= self.target)


def compared(work, ours, peers, steps, rounds, unit="x", per=1):
    """A row for each peer, timed in one race. peers: name to (maker, target), None for no PyTorch."""
    makers = {name: make for name, (make, _) in peers.items() if make}
    equal = {name: apart(ours, make) for name, make in makers.items()}
    seconds = race({"nnmath": ours, **makers}, steps, rounds)
    mine = seconds["nnmath"]
    for name, (_, target) in peers.items():
        row = Row(work, name, target, unit, ours=mine.median * per)
        if name in makers:
            its = seconds[name]
            row.theirs, row.apart = its.median * per, equal[name]
            ratios = its.median / mine.median, its.least / mine.least
            row.value, row.least = ratios if unit == "x" else (1 / ratios[0], 1 / ratios[1])
        yield row


def if_torch(maker, *args, **kwargs):
    return partial(maker, *args, **kwargs) if torch else None


def training():
    def peers(task, torch_target, sklearn_target):
        learn = partial(ScikitLearn, task), sklearn_target
        return {PYTORCH: (if_torch(torch_eager, task), torch_target), SKLEARN: learn}

    task = tasks.xor()
    yield from compared("XOR 2-4-1, full batch, a step", task.nnmath, peers(task, 10, 3.5), 60, 60)
    task = tasks.moons()
    yield from compared("moons 2-32-32-2, Adam, batch 64, a step", task.nnmath, peers(task, 8, 2.5), 32, 60)
    task, work = tasks.digits(), "digits 64-64-10, Adam, batch 64, an epoch"
    n = -(-len(task.x) // task.batch_size)
    yield from compared(work, task.nnmath, peers(task, 5, 2.5), 2 * n, 50, per=n)
    yield Row("the same: right on held-out digits, 100 epochs", "", 96.5, "%", 100 * digits_accuracy(task))
    task, work = tasks.images(), "784-512-256-10, Adam, batch 128, a step"
    only = {PYTORCH: (if_torch(torch_eager, task), 0.85)}
    yield from compared(work, task.nnmath, only, 9, 15, unit="of its time")
    step, only = race({"": task.nnmath, "products": partial(tasks.products, task)}, 9, 15).values()
    shares = 100 * only.median / step.median, 100 * only.least / step.least
    yield Row("the same: matrix products, of the step", "", 65, "%", *shares, step.median)


def digits_accuracy(task):
    p, split = task.init(), nn.digits()
    nn.fit(
        task.net, p, task.x, task.y, loss=task.loss, optimizer=nn.Adam(3e-3), epochs=100,
        batch_size=task.batch_size, rng=np.random.default_rng(2), progress=False,
    )  # fmt: skip
    return float(nn.accuracy(task.net.forward(p, split.x_test.astype(np.float32))[0], split.y_test))


def sweeps():
    rest = f"{tasks.RATES} rates x {tasks.SEEDS} seeds as one stack, a step"
    task = tasks.sweep(tasks.xor())
    peers = {
        "loop of single runs": (partial(Loop, task, tasks.Task.nnmath), 100),
        "PyTorch eager, loop": (if_torch(Loop, task, torch_eager), 600),
    }
    yield from compared(f"XOR 2-4-1, {rest}", task.nnmath, peers, 20, 7)
    task = tasks.sweep(tasks.small_moons())
    peers = {
        "loop of single runs": (partial(Loop, task, tasks.Task.nnmath), 8),
        "torch.func.vmap": (if_torch(torch_vmap, task), 2),
    }
    yield from compared(f"moons 2-16-2, 64 samples, {rest}", task.nnmath, peers, 20, 9)


def adam():
    theta, g = np.random.default_rng(0).normal(size=(2, 1_000_000)).astype(np.float32)

    def ours():
        a, optimizer = theta.copy(), nn.Adam()

        def step():
            optimizer.step(a, g)
            return a[0]

        return Contestant(step, lambda: a)

    peers = {
        "torch.optim.Adam": (if_torch(torch_adam, theta, g), 0.9),
        "the same, fused=True": (if_torch(torch_adam, theta, g, fused=True), None),
    }
    yield from compared("Adam, 1M parameters, a step", ours, peers, 5, 40, unit="of its time")


def imports():
    """In processes of their own, each importing NumPy and then nnmath, which the first has compiled."""
    command = [sys.executable, "-c", IMPORTS]
    compiling = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    runs = [subprocess.check_output(command, cwd=ROOT, env=compiling, text=True) for _ in range(22)][1:]
    numpy, both, memory = np.median([[float(word) for word in run.split()] for run in runs], axis=0).tolist()
    yield Row("import nnmath, beyond NumPy", "NumPy alone", 10, "ms", 1e3 * (both - numpy), ours=both, theirs=numpy)
    yield Row("import nnmath, memory beyond NumPy", "NumPy alone", 5, "MiB", memory / 2**20)


ALL = (training, sweeps, adam, imports)
