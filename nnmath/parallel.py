"""Data-parallel training: one gradient from many workers, on Dask distributed.

Dask is loaded when `connect` is first called. A machine of the cluster needs this package, and no file.
"""

import os
from dataclasses import dataclass
from functools import partial

import numpy as np

from .errors import ShapeError, check_count, check_range
from .losses import cross_entropy
from .train import batch_gradient

QUIET = {"distributed.admin.large-graph-warning-threshold": "1 TB"}  # large parameters are as it should be
PATIENCE = 10.0  # seconds without any worker after which a step gives up


def shard_mean(parts, counts):
    """Gradient of a mean from the gradients of its shards, eq:shard-mean: the mean weighted by their samples.

    parts: (K, ...), for each of K shards the gradient of its own mean loss (or that loss itself). counts:
    (K,), samples per shard, 1 or more. Returns (...), added in order of the shards. Raises ShapeError if the
    lengths differ, ValueError for a count that is no positive number.

    >>> shard_mean(np.array([1.0, 4.0]), counts=[2, 1])  # the mean of 1, 1 and 4
    np.float64(2.0)
    """
    if len(parts) != len(counts) or len(counts) == 0:
        raise ShapeError(f"shard_mean: {len(parts)} parts but {len(counts)} counts; there must be one each")
    check_range("shard_mean", "counts", counts, 0, open_low=True)
    n = float(sum(counts))
    shares = [float(count) / n for count in counts]
    return sum(part * s for part, s in zip(parts, shares, strict=True))


def ring_all_reduce(size, workers, latency, bandwidth):
    """Seconds of an all-reduce round a ring, eq:ring-all-reduce: 2 (K - 1) (latency + size / (K bandwidth)).

    size: bytes of one gradient. workers: K, 1 or more. latency: seconds per message. bandwidth: bytes per
    second of one link. Arrays are broadcast. Raises ValueError for settings out of range.
    Source: Patarasuk & Yuan (2009), Bandwidth optimal all-reduce algorithms for clusters of workstations.
    """
    check_range("ring_all_reduce", "size", size, 0)
    check_range("ring_all_reduce", "workers", workers, 1)
    check_range("ring_all_reduce", "latency", latency, 0)
    check_range("ring_all_reduce", "bandwidth", bandwidth, 0, open_low=True)
    workers = np.asarray(workers, dtype=float)
    return 2 * (workers - 1) * (latency + size / (workers * bandwidth))


def connect(scheduler=None, *, workers=2, timeout=5.0):
    """A Dask client: of the cluster at an address, or of a new local one of worker processes.

    scheduler: its address, `tcp://host:8786`; None takes the environment's NNMATH_SCHEDULER, or else starts
    `workers` processes of one thread each on this machine, which end with the client. timeout: seconds until
    an address that does not answer is given up. Use it in `with`, or close it. Raises ConnectionError.
    """
    check_count("connect", "workers", workers)
    check_range("connect", "timeout", timeout, 0, open_low=True)
    from distributed import Client  # half a second: only here

    scheduler = scheduler or os.environ.get("NNMATH_SCHEDULER")
    if scheduler is None:
        how = {"threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "silence_logs": 40}  # errors
        return Client(n_workers=workers, **how)
    client = Client.__new__(Client)  # so that it can be closed even if it is never finished
    try:
        client.__init__(scheduler, timeout=timeout)
        return client
    except (OSError, ValueError) as error:
        client.close()
        raise ConnectionError(
            f"connect: no scheduler answers at {scheduler!r} within {timeout:g} s; start one with "
            "`dask scheduler` and `dask worker`, or leave the address out for a local cluster"
        ) from error


@dataclass(frozen=True)
class DataParallel:
    """A model whose gradient is computed by the workers of a cluster, each on its shard of the batch.

    `fit(DataParallel(net, client), p, x, y, ...)` trains as `fit(net, p, x, y, ...)` does, and to the same p
    but for rounding. Each step sends theta and a shard to each worker and adds their gradients by
    `shard_mean`, in order of the shards: whichever worker computed one, even after another was lost, the
    sum is the same to the last bit.
    model: has forward and backward, as `MLP` has. client: of `connect`, or any of Dask. shards: parts of each
    batch, by default the workers there are now. patience: seconds without any worker until it gives up.
    Source: Dean et al. (2012), Large scale distributed deep networks; Goyal et al. (2017), Accurate, large
    minibatch SGD.
    """

    model: object
    client: object
    shards: int | None = None
    patience: float = PATIENCE

    def __post_init__(self):
        if not callable(getattr(self.client, "submit", None)):
            raise TypeError(
                f"DataParallel: client is {self.client!r}; it must be a Dask client, as of connect()"
            )
        if self.shards is None:
            object.__setattr__(self, "shards", max(1, len(self.client.nthreads())))
        check_count("DataParallel", "shards", self.shards)
        check_range("DataParallel", "patience", self.patience, 0, open_low=True)

    def forward(self, p, x):
        """The model's forward pass, here, not on the workers."""
        return self.model.forward(p, x)

    def gradient(self, p, x, y, loss, grads):
        """Loss of a batch and, into grads, its gradient, from all shards.

        `train` calls this in each step. A batch with fewer rows than shards makes fewer shards. Raises
        ConnectionError if the cluster is lost: p then is as after the last whole step.
        """
        n = x.shape[-2]
        axis = -1 if loss is cross_entropy or y.ndim == 1 else -2
        rows = np.array_split(np.arange(n), min(n, self.shards))
        parts = [(np.take(x, r, -2), np.take(y, r, axis)) for r in rows]
        shards = [(self.model, p, *part, loss) for part in parts]
        values, parts = zip(*self._compute(shards), strict=True)
        counts = [r.size for r in rows]
        grads.theta = shard_mean(parts, counts)
        return shard_mean(values, counts)

    def _compute(self, shards):
        """Results of all shards; a lost worker's goes to another."""
        import dask
        from distributed import KilledWorker, wait

        futures, alone, why = [], 0.0, ""
        try:
            submit = partial(self.client.submit, _shard_gradient, pure=False)
            with dask.config.set(QUIET):
                futures = [submit(*shard) for shard in shards]
            while alone < self.patience:
                try:
                    wait(futures, timeout=1.0)
                    break
                except TimeoutError:
                    alone = 0.0 if self.client.nthreads() else alone + 1.0
            else:
                why = f"no worker for {self.patience:g} s"
            if not why:
                return self.client.gather(futures)
        except Exception as error:
            failed = [f.exception(timeout=1.0) for f in futures if f.status == "error"]
            own = any(not isinstance(e, KilledWorker) for e in failed)
            if own or (not futures and self.client.status == "running"):
                raise  # of the model or the loss, or something that can't be sent: not the cluster's
            why = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ConnectionError(
            f"DataParallel: the cluster was lost ({why}); p is as after the last whole step, connect "
            "again and go on from there"
        )


def _shard_gradient(model, p, x, y, loss):
    """On a worker: the loss of a shard and its gradient, a vector."""
    grads = p.like(np.zeros_like(p.theta))
    with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges is seen by its loss
        return batch_gradient(model, p, x, y, loss, grads), grads.theta
