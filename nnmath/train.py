"""Training: a generator of steps, and `fit`, which drains it into a history."""

from collections import namedtuple
from contextvars import copy_context
from functools import partial
from time import perf_counter
from types import SimpleNamespace

import numpy as np

from .errors import DivergenceError, ShapeError, check_count, check_finite, check_range, check_rng
from .losses import cross_entropy

BAR_DELAY = 2.0  # seconds before a progress bar appears


class Step(namedtuple("Step", "step epoch ends_epoch loss grads diverged reached")):
    """One step, seen before its update: p still is the network that has this loss and these gradients.

    step: updates made before. epoch: whole passes made before. ends_epoch: whether this batch is its epoch's
    last. loss: on this batch, () or (R,), nan for runs that ended earlier. grads: Params, overwritten by the
    next step. diverged, reached: which runs end here, or have ended, and why; () or (R,).
    """

    __slots__ = ()


class History(SimpleNamespace):
    """What `fit` saw. Entry t was seen after t updates, before the next one.

    step, epoch: (T,). loss: on each step's batch, (T,) or (T, R), nan where a run had ended. diverged,
    reached: why a run ended early, () or (R,). interrupted: whether a KeyboardInterrupt ended it. record:
    what the callback gave, as one array, or as one for each key if it gave dicts; None if nothing.
    record_epoch: when.
    """

    def __repr__(self):
        return f"History(step, epoch, loss {self.loss.shape}, {', '.join(list(vars(self))[3:])})"


def train(
    model, p, x, y, *, loss, optimizer, epochs=None, steps=None, stop_loss=None,
    batch_size=None, rng=None, on_divergence="raise",
):  # fmt: skip
    """Train by gradients: a generator of `Step`s, each forward, loss, backward, update.

    model: has `forward(p, x) -> z, cache` and `backward(p, cache, dz, grads, need_dx)`, as `MLP` has, or
    `gradient(p, x, y, loss, grads) -> loss`, as `DataParallel` has.
    p: its Params, one network or a stack of R, updated in place: a loop may look at it or break off at will.
    x: (n, n_in), or (R, n, n_in). y: what `loss` wants. Both are taken in the precision of p, but for labels,
    integers (n,).
    loss: `mse`, `binary_cross_entropy`, `cross_entropy`, or a function like them.
    optimizer: `SGD`, `Momentum`, `Adam`, or an object with lr, t and step.
    epochs, steps: how long; one of the two.
    stop_loss: ends a run earlier, once its mean loss over an epoch is not above it. The update after that is
    not made, so that with a full batch p has the very loss that ended the run.
    batch_size: samples per update (eq:minibatch), None for all. rng: shuffles them, for all runs alike.
    on_divergence: when a loss is not finite, "raise" a DivergenceError or "stop" that run.
    In a stack, runs that ended keep their theta and the others go on undisturbed.
    Raises ShapeError, ValueError or TypeError at the call; nan and inf in x, y or p with their index.
    """
    dtype = p.theta.dtype
    x, y = np.asarray(x, dtype), np.asarray(y)
    labels = loss is cross_entropy or (y.ndim == 1 and y.dtype.kind in "iu")
    y = y if labels else y.astype(dtype, copy=False)
    for name, a in (("x", x), ("y", y), ("theta", p.theta)):
        check_finite("train", name, a)
    if x.ndim < 2 or x.shape[-2] == 0:
        raise ShapeError(f"train: x has shape {x.shape}; it must be (n, n_in) with at least one row")
    n, axis = x.shape[-2], -1 if loss is cross_entropy or y.ndim == 1 else -2  # where y has its samples
    if y.ndim == 0 or y.shape[axis] != n:
        raise ShapeError(f"train: x has shape {x.shape} but y has shape {y.shape}; one target per row of x")
    if (epochs is None) == (steps is None):
        raise ValueError(f"train: epochs is {epochs} and steps is {steps}; give exactly one of them")
    check_count("train", *(("steps", steps) if epochs is None else ("epochs", epochs)))
    batch_size = n if batch_size is None else batch_size
    check_count("train", "batch_size", batch_size)
    if batch_size > n:
        raise ValueError(f"train: batch_size is {batch_size} but x has {n} rows; take at most {n}")
    if batch_size < n:
        check_rng("train", rng)
    if stop_loss is not None:
        check_range("train", "stop_loss", stop_loss, 0)
    if on_divergence not in ("raise", "stop"):
        raise ValueError(f"train: on_divergence is {on_divergence!r}; it must be 'raise' or 'stop'")
    total = steps if epochs is None else epochs * -(-n // batch_size)
    batches = zip(range(total), _batches(x, y, axis, batch_size, rng), strict=False)
    return _steps(model, p, batches, loss, optimizer, stop_loss, on_divergence == "raise")


def batch_gradient(model, p, x, y, loss, grads):
    """Forward, loss, backward: the loss of a batch, and its gradient in grads, a Params like p."""
    z, cache = model.forward(p, x)
    value, dz = loss(z, y)
    model.backward(p, cache, dz, grads, need_dx=False)
    return value


def _batches(x, y, axis, batch_size, rng):
    """Mini-batches without end: x, y, their share of the epoch, whether they are its last."""
    n = x.shape[-2]
    while batch_size == n:
        yield x, y, 1.0, True
    while True:
        order = rng.permutation(n)
        xs, ys = np.take(x, order, axis=-2), np.take(y, order, axis=axis)
        for i in range(0, n, batch_size):
            j = min(i + batch_size, n)
            yield xs[..., i:j, :], ys[..., i:j] if axis == -1 else ys[..., i:j, :], (j - i) / n, j == n


def _steps(model, p, batches, loss, optimizer, stop_loss, raises):
    """The loop of `train`. A step is yielded before its update; the next turn begins with that update."""
    theta, grads = p.theta, p.like(np.zeros_like(p.theta))
    gradient = getattr(model, "gradient", None) or partial(batch_gradient, model)
    stacked, epoch, mean, ended = theta.ndim > 1, 0, 0.0, None
    diverged = reached = np.zeros(theta.shape[:-1], bool)[()]  # np.False_ for one network
    silent = copy_context()  # a run that diverges is seen by its loss; to enter np.errstate costs more
    silent.run(np.seterr, over="ignore", invalid="ignore")

    def update():
        optimizer.step(theta, grads.theta)
        if ended is not None:
            theta[ended] = kept

    for t, (x, y, share, ends_epoch) in batches:
        if t:
            silent.run(update)
        value = silent.run(gradient, p, x, y, loss, grads)
        if ended is not None:
            value[ended] = np.nan
        fine, hit = abs(value) < np.inf, False
        if stop_loss is not None:
            mean = mean + value * share
            if ends_epoch:
                hit, mean = mean <= stop_loss, 0.0
        if not (fine.all() if stacked else fine) or (hit is not False and np.any(hit)):
            diverged, reached = diverged | ~(fine | reached), reached | (hit & fine)
            ended = diverged | reached
            kept = theta[ended]
        yield Step(t, epoch, ends_epoch, value, grads, diverged, reached)
        if ended is not None:
            if raises and diverged.any():
                raise _divergence(t, epoch, value, diverged, optimizer)
            if ended.all():
                return
        epoch += ends_epoch
    silent.run(update)


def _divergence(step, epoch, loss, diverged, optimizer):
    lr = optimizer.lr(optimizer.t) if callable(optimizer.lr) else optimizer.lr
    run = tuple(int(i) for i in np.argwhere(diverged)[0])
    value, rate = np.asarray(loss)[run], np.broadcast_to(lr, (*diverged.shape, 1))[run][0]
    which = f" of run {', '.join(map(str, run))}" if run else ""
    return DivergenceError(
        f"train: the loss{which} is {value:.6g} at step {step} (epoch {epoch}, learning rate {rate:.6g}); "
        "lower the learning rate, or keep the run with on_divergence='stop'",
        *(step, epoch, loss, lr),
    )


def fit(model, p, x, y, *, record=None, record_at=None, progress=True, **how):
    """Train to the end, p in place, and return what was seen, a `History`.

    model, p, x, y and **how: what `train` takes. record: function of (p, epoch), called after `epoch` whole
    passes, from 0 on, for a metric, a snapshot (`lambda p, epoch: p.theta`; it is copied) or a dict of such;
    None is skipped. record_at: the epochs at which to call it, by default all. progress: show a bar after two
    seconds. A KeyboardInterrupt ends the run and returns the history so far, with interrupted=True.
    Raises what `train` raises; a DivergenceError, or the ConnectionError of a lost cluster, has the history
    so far.

    >>> from nnmath import MLP, SGD, binary_cross_entropy, xor
    >>> x, y = xor()
    >>> net = MLP((2, 4, 1))
    >>> p = net.init(np.random.default_rng(0))
    >>> how = {"loss": binary_cross_entropy, "optimizer": SGD(lr=1.0)}
    >>> run = fit(net, p, x, y, epochs=400, **how)
    >>> (net.forward(p, x)[0] > 0).ravel()
    array([False,  True,  True, False])
    """
    if record is not None and not callable(record):
        raise TypeError(f"fit: record is {record!r}; it must be a function of (p, epoch)")
    run, start = train(model, p, x, y, **how), perf_counter()
    unit = "epochs" if how.get("epochs") else "steps"
    wanted = None if record_at is None else frozenset(record_at)
    log, seen, bar, error, interrupted = [], [], None, None, False

    def look(epoch):
        if record is not None and (wanted is None or epoch in wanted):
            value = record(p, epoch)
            if isinstance(value, dict):
                value = {k: np.copy(v) for k, v in value.items()}
            if value is not None:
                seen.append((epoch, value if isinstance(value, dict) else np.copy(value)))

    try:
        for s in run:
            log.append(s)
            if s.step == 0 or s.epoch != log[-2].epoch:
                look(s.epoch)
            if bar is not None or (progress and perf_counter() - start > BAR_DELAY):
                bar = bar or _bar(how[unit], unit)
                bar.update((s.epoch if unit == "epochs" else s.step) - bar.n)
        if s.ends_epoch and not np.all(s.diverged | s.reached):
            look(s.epoch + 1)
    except KeyboardInterrupt:
        interrupted = True
    except (DivergenceError, ConnectionError) as e:
        error = e
    finally:
        if bar is not None:
            bar.close()
    history = _history(log, seen, interrupted, p)
    if error is not None:
        error.history = history
        raise error
    return history


def _bar(total, unit):
    from tqdm import tqdm  # 20 ms: only for a run that needs it

    return tqdm(total=total, unit=f" {unit}", leave=False)


def _history(log, seen, interrupted, p):
    values, none = [value for _, value in seen], np.zeros(p.theta.shape[:-1], bool)[()]
    if values and isinstance(values[0], dict):
        record = {k: np.array([v[k] for v in values]) for k in values[0]}
    else:
        record = np.array(values) if values else None
    diverged, reached = (log[-1].diverged, log[-1].reached) if log else (none, none)
    return History(
        step=np.array([s.step for s in log], int),
        epoch=np.array([s.epoch for s in log], int),
        loss=np.array([s.loss for s in log]),
        diverged=diverged,
        reached=reached,
        interrupted=interrupted,
        record=record,
        record_epoch=np.array([epoch for epoch, _ in seen], int),
    )
