"""Timing: contestants take turns, after it is known that they compute the same."""

from time import process_time

import numpy as np

STEPS = 50  # after which weights and losses must be equal
TOLERANCE = 1e-5  # of the largest weight and of the loss; float32 rounds each operation by 6e-8


class Contestant:
    """step(): makes one step, returns its loss. theta(): the weights so far, in the order of `Params`."""

    def __init__(self, step, theta=None):
        self.step, self.theta = step, theta

    def run(self, steps):
        """What is timed."""
        step = self.step
        for _ in range(steps):
            step()


def race(makers, steps, rounds):
    """Seconds of one step, by name: (median, least). makers: name to maker of a Contestant.

    Each round makes every contestant anew (none may grow old and slow on denormal numbers), warms it up and
    times `steps` of its steps, none always first. The clock is that of this process, one thread: waiting for
    a processor that others use is not counted, but what they do to the caches is; hence the least as well.
    """
    times = {name: [] for name in makers}
    for i in range(rounds):
        first = i % len(makers)
        for name in [*list(makers)[first:], *list(makers)[:first]]:
            contestant = makers[name]()
            contestant.run(max(2, steps // 2))
            start = process_time()
            contestant.run(steps)
            times[name].append((process_time() - start) / steps)
    return {name: (float(np.median(seconds)), min(seconds)) for name, seconds in times.items()}


def apart(make, make_peer):
    """The largest difference of weights and losses after 50 steps, relative; AssertionError if too large."""
    contestants = make(), make_peer()
    pairs = [[array(c.step()) for c in contestants] for _ in range(STEPS)]
    pairs.append([array(c.theta()) for c in contestants])
    worst = float(max(abs(a - b).max() / abs(b).max() for a, b in pairs if b.dtype != object))
    if not worst < TOLERANCE:
        raise AssertionError(f"after {STEPS} steps the contestants are {worst:.1g} apart")
    return worst


def array(a):
    """A number, an array or a tensor, as an array; that of None, a step without a loss, has dtype object."""
    return np.array(a.detach() if hasattr(a, "detach") else a)
