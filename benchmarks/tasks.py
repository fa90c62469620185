"""What is timed: networks, data and batches; and how nnmath trains them."""

from dataclasses import dataclass, replace

import numpy as np

import nnmath as nn

from .clock import Contestant

FOREVER = 10**9
RATES, SEEDS = 41, 8


@dataclass
class Task:
    """A network on a data set, float32; or a stack of R of them: lr (R, 1) and R seeds.

    Every contestant begins with the same weights and sees the same batches.
    """

    net: nn.MLP
    x: np.ndarray
    y: np.ndarray
    loss: object
    optimizer: object = nn.Adam
    lr: object = 1e-3
    batch_size: int = None
    seed: object = 1

    def __post_init__(self):
        self.x = self.x.astype(np.float32)
        self.y = self.y if self.loss is nn.cross_entropy else self.y.astype(np.float32)

    def init(self):
        if isinstance(self.seed, tuple):
            return self.net.init([np.random.default_rng(seed) for seed in self.seed], np.float32)
        return self.net.init(np.random.default_rng(self.seed), np.float32)

    def each(self):
        """The networks of a stack, each as a task of its own."""
        return [replace(self, lr=float(lr), seed=seed) for (lr,), seed in zip(self.lr, self.seed, strict=True)]

    def batches(self, x, y, index=np.asarray):
        """Those of nnmath.train, from x and y in the peer's kind of array."""
        rng, n, size = np.random.default_rng(2), len(x), self.batch_size
        while size is None:
            yield x, y
        while True:
            order = index(rng.permutation(n))
            xs, ys = x[order], y[order]
            for i in range(0, n, size):
                yield xs[i : i + size], ys[i : i + size]

    def nnmath(self):
        """As a reader does it: `train`, one step after the other."""
        p = self.init()
        run = nn.train(
            self.net, p, self.x, self.y, loss=self.loss, optimizer=self.optimizer(self.lr),
            steps=FOREVER, batch_size=self.batch_size, rng=np.random.default_rng(2),
        )  # fmt: skip

        def theta():
            next(run)  # a step is seen before its update is made
            return p.theta

        return Contestant(lambda: next(run).loss, theta)


def xor():
    return Task(nn.MLP((2, 4, 1)), *nn.xor(), nn.mse, nn.SGD, 0.1)


def moons():
    data = nn.moons(1024, 0.2, np.random.default_rng(0))
    return Task(nn.MLP((2, 32, 32, 2), nn.relu), *data, nn.cross_entropy, batch_size=64)


def digits():
    return Task(nn.MLP((64, 64, 10), nn.relu), *nn.digits()[:2], nn.cross_entropy, batch_size=64)


def images():
    """The digits, drawn as large as those of MNIST."""
    x, y = nn.digits()[:2]
    x = np.pad(np.kron(x.reshape(-1, 8, 8), np.ones((3, 3))), ((0, 0), (2, 2), (2, 2)))[: 9 * 128]
    net = nn.MLP((784, 512, 256, 10), nn.relu)
    return Task(net, x.reshape(-1, 784), y[: len(x)], nn.cross_entropy, lr=1e-4, batch_size=128)


def sweep(task):
    """41 learning rates x 8 seeds."""
    rates = np.logspace(-3, -1, RATES).repeat(SEEDS)[:, None]
    return replace(task, lr=rates, seed=tuple(range(SEEDS)) * RATES)


def small_moons():
    data = nn.moons(64, 0.2, np.random.default_rng(0))
    return Task(nn.MLP((2, 16, 2)), *data, nn.cross_entropy, nn.SGD)


def products(task):
    """The matrix products of a step, nothing else."""
    p, (x, _), sizes = task.init(), next(task.batches(task.x, task.y)), task.net.sizes
    a = [x, *(np.ones((len(x), n), np.float32) for n in sizes[1:])]  # stand for activations and gradients
    layers = [(a[l], p[W], a[l + 1], np.empty_like(p[W])) for l, (W, _) in enumerate(task.net.names)]

    def step():
        for x, W, z, dW in layers:
            np.matmul(x, W)
            np.matmul(x.T, z, out=dW)
            if x is not a[0]:
                np.matmul(z, W.T)

    return Contestant(step)
