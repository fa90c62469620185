"""Learning-rate schedules: each makes a function of t, the number of steps already taken, for an optimizer.

A rate may be a number, or an array (R, 1) with one rate per run of a stack. Bad settings raise ValueError.
"""

from math import cos, pi

from .errors import check_count, check_range


def step_decay(lr, factor, every):
    """Step decay, eq:step-decay: lr times factor ** (t // every).

    lr: the first rate, positive. factor: in (0, 1). every: steps between two cuts, a count.
    Source: Goodfellow, Bengio & Courville (2016), Deep Learning, section 8.3.1 (rates that fall).
    """
    _check("step_decay", lr, every=every)
    check_range("step_decay", "factor", factor, 0, 1, open_low=True)
    return lambda t: lr * factor ** (t // every)


def inverse_time(lr, halved_at):
    """Inverse-time decay, eq:inverse-time: lr / (1 + t / halved_at).

    Its steps add up without limit while their squares do not: what stochastic descent needs to come to rest.
    lr: the first rate, positive. halved_at: the step at which it is half of that, a count.
    Source: Robbins & Monro (1951), A stochastic approximation method.
    """
    _check("inverse_time", lr, halved_at=halved_at)
    return lambda t: lr / (1 + t / halved_at)


def cosine(lr, steps, low=0.0):
    """Cosine decay, eq:cosine: half a wave from lr at t = 0 to low at t = steps, and low from there on.

    lr: the first rate, positive. steps: a count. low: the last rate, at least 0.
    Source: Loshchilov & Hutter (2017), SGDR: stochastic gradient descent with warm restarts.

    >>> rate = cosine(lr=0.1, steps=100)
    >>> [round(float(rate(t)), 3) for t in (0, 50, 100)]
    [0.1, 0.05, 0.0]
    """
    _check("cosine", lr, steps=steps)
    check_range("cosine", "low", low, 0)
    return lambda t: low + (lr - low) * (0.5 + 0.5 * cos(pi * min(t / steps, 1)))


def warmup(schedule, steps):
    """Linear warm-up, eq:warmup: the rates of `schedule`, times (t + 1) / steps in the first `steps` steps.

    schedule: a rate, or a function of t. steps: a count.
    Source: Goyal et al. (2017), Accurate, large minibatch SGD: training ImageNet in 1 hour, section 2.2.
    """
    check_count("warmup", "steps", steps)
    if not callable(schedule):
        check_range("warmup", "schedule", schedule, 0, open_low=True)
    return lambda t: (schedule(t) if callable(schedule) else schedule) * min((t + 1) / steps, 1)


def _check(where, lr, **counts):
    check_range(where, "lr", lr, 0, open_low=True)
    for name, value in counts.items():
        check_count(where, name, value)
