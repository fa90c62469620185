"""Search for settings: a grid, random trials, successive halving.

An axis is a function of u in [0, 1], as `log_uniform` makes, or a list of choices. A setting is a dict with
one value per axis, and an objective a function of it; less is better.
"""

import math
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from .errors import check_count, check_range, check_rng
from .train import BAR_DELAY

MARK = '{"setting": '  # with which each line of a file of results begins


def uniform(low, high):
    """An axis on which all values are equally likely: low + u (high - low)."""
    _check("uniform", low, high)
    return lambda u: low + u * (high - low)


def log_uniform(low, high):
    """An axis on which every factor is equally likely, eq:log-uniform: low (high / low)**u.

    low, high: positive. Each decade between them gets as many trials. Raises ValueError if 0 < low < high is
    not so.
    Source: Bergstra & Bengio (2012), Random search for hyper-parameter optimization.

    >>> grid({"lr": log_uniform(0.01, 1.0)}, points=3)
    [{'lr': 0.01}, {'lr': 0.1}, {'lr': 1.0}]
    """
    check_range("log_uniform", "low", low, 0, open_low=True)
    _check("log_uniform", low, high)
    return lambda u: low * (high / low) ** u


def grid(space, points):
    """Every combination of `points` values per axis, ends included.

    space: dict of axes; a list of choices is taken whole. points: 1 for the middle alone.
    Returns a list of settings, the last axis changing fastest.
    """
    check_count("grid", "points", points)
    us = [i / (points - 1) for i in range(points)] if points > 1 else [0.5]
    axes = [list(map(axis, us)) if callable(axis) else axis for axis in _axes("grid", space)]
    return [dict(zip(space, point, strict=True)) for point in product(*axes)]


def sample(space, n, rng):
    """n settings, each axis drawn on its own. space: dict of axes. Returns a list of dicts."""
    check_count("sample", "n", n)
    check_rng("sample", rng)
    u = rng.random((n, len(_axes("sample", space))))
    pick = lambda axis, v: axis(v) if callable(axis) else axis[int(v * len(axis))]  # noqa: E731
    return [{k: pick(space[k], v) for k, v in zip(space, row, strict=True)} for row in u.tolist()]


class Trials(SimpleNamespace):
    """What `search` found, in the order of the settings.

    settings: list of dicts. values: (n,), nan for a trial that failed, diverged or was not reached. errors:
    n texts, "" for none, None for a trial not reached. interrupted: whether a KeyboardInterrupt ended it.
    """

    @property
    def best(self):
        """Index of the least value. Raises ValueError if there is none."""
        if np.isnan(self.values).all():
            raise ValueError(f"Trials: none of {len(self.values)} trials has a value; see errors")
        return int(np.nanargmin(self.values))

    def best_so_far(self):
        """The least value of the first k trials, for every k, eq:best-so-far: (n,), nan until the first."""
        return np.fmin.accumulate(self.values)


def search(objective, settings, *, path=None, at_once=1, executor=None, progress=True):
    """Try every setting and return the `Trials`.

    A trial that raises or diverges is recorded, not fatal. objective: function of a setting that returns a
    number. path: a file that keeps each result as soon as it is there; a search with the same path goes on
    where the last one ended and repeats no trial. at_once: how many trials go together, as one stack: above
    1, `objective` gets a dict of arrays (R,) and returns R values, nan for what diverged.
    executor: runs the trials elsewhere, e.g. `client.get_executor()` of Dask, or any of concurrent.futures.
    progress: show a bar after two seconds.
    A KeyboardInterrupt ends the search and returns what there is. Raises ConnectionError, with `trials`, if
    the executor is lost, ValueError for a path that holds something else.

    >>> settings = [{"lr": 0.1}, {"lr": 0.2}, {"lr": 0.5}]
    >>> trials = search(lambda s: (s["lr"] - 0.3) ** 2, settings)
    >>> trials.settings[trials.best]
    {'lr': 0.2}
    """
    check_count("search", "at_once", at_once)
    if not callable(objective):
        raise TypeError(f"search: objective is {objective!r}; it must be a function of a setting")
    settings = list(settings)
    for s in settings:
        if not isinstance(s, dict):
            raise TypeError(f"search: a setting is {s!r}; it must be a dict, as grid and sample make")
    trials = Trials(
        settings=settings,
        values=np.full(len(settings), np.nan),
        errors=[None] * len(settings),
        interrupted=False,
    )
    known = {} if path is None else _read(Path(path))
    todo = []
    for i, s in enumerate(settings):
        if found := known and known.get(_key(s)):
            trials.values[i], trials.errors[i] = found.pop(0)
        else:
            todo.append(i)
    chunks = [todo[i : i + at_once] for i in range(0, len(todo), at_once)]
    jobs = [([settings[i] for i in chunk], at_once > 1) for chunk in chunks]
    quiet = {} if progress else {"disable": True}
    from tqdm import tqdm  # 20 ms: only here

    with tqdm(total=len(todo), unit=" trials", leave=False, delay=BAR_DELAY, **quiet) as bar:
        try:
            for k, results in _results(objective, jobs, executor):
                for i, result in zip(chunks[k], results, strict=True):
                    trials.values[i], trials.errors[i] = result
                if path is not None:
                    _append(Path(path), [settings[i] for i in chunks[k]], results)
                bar.update(len(chunks[k]))
        except KeyboardInterrupt:
            trials.interrupted = True
        except ConnectionError as error:
            error.trials = trials
            raise
    return trials


def successive_halving(objective, settings, budget, *, factor=2, **how):
    """Successive halving, eq:successive-halving: a small budget for all, more for the best.

    Rung k has n // factor**k settings and budget factor**k each. objective: as in `search`, with
    setting["budget"] beside the axes. budget: of the first rung, a count, e.g. epochs. **how:
    what `search` takes. Returns a list of `Trials`, one per rung; a failed trial is never promoted.
    Source: Jamieson & Talwalkar (2016), Non-stochastic best arm identification and hyperparameter
    optimization.
    """
    check_count("successive_halving", "budget", budget)
    check_count("successive_halving", "factor", factor)
    if factor < 2:
        raise ValueError(f"successive_halving: factor is {factor}; it must be at least 2")
    rungs, n = [], len(settings := list(settings))
    while settings:
        rungs.append(search(objective, [{**s, "budget": budget} for s in settings], **how))
        values, n, budget = rungs[-1].values, n // factor, budget * factor
        order = [i for i in np.argsort(values, kind="stable") if np.isfinite(values[i])]
        settings = [] if rungs[-1].interrupted else [settings[i] for i in order[:n]]
    return rungs


def _results(objective, jobs, executor):
    """(number, results) of each job, as they come."""
    if executor is None:
        for k, job in enumerate(jobs):
            yield k, _run(objective, *job)
        return
    from concurrent.futures import BrokenExecutor, CancelledError, as_completed

    lost = "search: the executor was lost; start it again, and give a path so that no result is lost"
    futures = {}
    try:
        for k, job in enumerate(jobs):
            try:
                futures[executor.submit(_run, objective, *job)] = k
            except Exception as error:
                raise ConnectionError(lost) from error
        for future in as_completed(futures):
            k = futures[future]
            try:
                yield k, future.result()
            except (CancelledError, BrokenExecutor) as error:
                raise ConnectionError(lost) from error
            except Exception as error:  # the trial took its worker with it
                yield k, [(math.nan, _text(error))] * len(jobs[k][0])
    finally:
        for future in futures:
            future.cancel()


def _run(objective, settings, stacked):
    """(value, error) of each setting. If a stack fails its trials are run one by one."""
    try:
        if stacked:
            arrays = {k: np.array([s[k] for s in settings]) for k in settings[0]}
            values = np.asarray(objective(arrays), float)
            if values.shape != (len(settings),):
                raise ValueError(f"objective returned shape {values.shape} for a stack of {len(settings)}")
        else:
            values = [float(objective(dict(settings[0])))]
    except Exception as error:
        if len(settings) > 1:
            return [_run(objective, [s], True)[0] for s in settings]
        return [(math.nan, _text(error))]
    return [(float(v), "") if math.isfinite(v) else (math.nan, f"diverged: value {v}") for v in values]


def _text(error):
    return f"{type(error).__name__}: {error}"


def _read(path):
    """Results in a file, by setting. A last line that was cut off is left out."""
    import json  # a few milliseconds: only here

    known = {}
    if path.exists():
        *lines, cut = path.read_text().split("\n")
        if cut and not cut.startswith(MARK[: len(cut)]):
            lines.append(cut)  # not ours: refused below
        for number, line in enumerate(lines, 1):
            try:
                d = json.loads(line)
                result = (math.nan if d["value"] is None else float(d["value"]), str(d["error"]))
                known.setdefault(_key(d["setting"]), []).append(result)
            except (ValueError, KeyError, TypeError):
                raise ValueError(
                    f"search: line {number} of {path.name} is no result of search; give another path"
                ) from None
        if cut:
            path.write_text("".join(line + "\n" for line in lines))
    return known


def _append(path, settings, results):
    import json

    with path.open("a") as f:
        for s, (value, error) in zip(settings, results, strict=True):
            value = None if math.isnan(value) else value
            f.write(f'{MARK}{_key(s)}, "value": {json.dumps(value)}, "error": {json.dumps(error)}}}\n')


def _key(setting):
    import json

    return json.dumps(setting, sort_keys=True, default=lambda v: v.item())


def _axes(where, space):
    if not isinstance(space, dict):
        raise TypeError(f"{where}: space is {space!r}; it must be a dict with an axis for each name")
    for name, axis in space.items():
        if not callable(axis) and not (isinstance(axis, (list, tuple)) and axis):
            raise TypeError(f"{where}: axis {name!r} is {axis!r}; it must be a function of u or a list")
    return space.values()


def _check(where, low, high):
    check_range(where, "low", low, -np.inf, open_low=True)
    check_range(where, "high", high, low, open_low=True)
