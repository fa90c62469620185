"""What is timed: networks, data and batches; and how nnmath trains them."""

from dataclasses import dataclass, replace

import numpy as np

import nnmath as nn

from .clock import Contestant

FOREVER = 10**9


@dataclass
class Task:
    """A network on a data set, or a stack of them with a list of seeds and rates (R, 1); all in float32.

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
        seeds = self.seed if isinstance(self.seed, list) else [self.seed]
        rngs = [np.random.default_rng(seed) for seed in seeds]
        return self.net.init(rngs if seeds is self.seed else rngs[0], np.float32)

    def run(self, r):
        """One network of a stack."""
        return replace(self, lr=float(self.lr[r, 0]), seed=self.seed[r])

    def batches(self, x, y, index=np.asarray):
        """Those that nnmath.train makes, of x and y in the peer's kind of array."""
        rng, n, size = np.random.default_rng(2), len(x), self.batch_size
        while size is None:
            yield x, y
        while True:
            order = index(rng.permutation(n))
            xs, ys = x[order], y[order]
            for i in range(0, n, size):
                yield xs[i : i + size], ys[i : i + size]

    def nnmath(self):
        """As a reader does it: `train`, step by step."""
        p = self.init()
        run = nn.train(
            self.net, p, self.x, self.y, loss=self.loss, optimizer=self.optimizer(self.lr),
            steps=FOREVER, batch_size=self.batch_size, rng=np.random.default_rng(2),
        )  # fmt: skip

        def theta():
            next(run)  # a step is yielded before its update is made
            return p.theta

        return Contestant(lambda: next(run).loss, theta)


def xor():
    return Task(nn.MLP((2, 4, 1)), *nn.xor(), nn.binary_cross_entropy, nn.SGD, 0.5)


def moons():
    data = nn.moons(1024, 0.2, np.random.default_rng(0))
    return Task(nn.MLP((2, 32, 32, 2), nn.relu), *data, nn.cross_entropy, batch_size=64)


def digits():
    return Task(nn.MLP((64, 64, 10), nn.relu), *nn.digits()[:2], nn.cross_entropy, batch_size=64)


def large():
    """Made-up images: the time does not depend on what is in them."""
    rng = np.random.default_rng(0)
    data = rng.uniform(size=(1280, 784)), rng.integers(10, size=1280)
    return Task(nn.MLP((784, 512, 256, 10), nn.relu), *data, nn.cross_entropy, batch_size=128)


RATES, SEEDS = 41, 8
SWEEP = {"lr": np.logspace(-2, 0, RATES).repeat(SEEDS)[:, None], "seed": list(range(SEEDS)) * RATES}


def xor_sweep():
    return replace(xor(), **SWEEP)


def moons_sweep():
    data = nn.moons(64, 0.2, np.random.default_rng(0))
    return Task(nn.MLP((2, 16, 2)), *data, nn.cross_entropy, nn.SGD, **SWEEP)
