"""Search: settings, failures, interruptions, files."""

import math
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import nnmath as nn

SPACE = {"lr": nn.log_uniform(1e-3, 1.0), "momentum": nn.uniform(0.0, 0.9), "units": [8, 16, 32]}


def settings(n=20, seed=0):
    return nn.sample(SPACE, n, np.random.default_rng(seed))


def size(setting):
    return setting["lr"] * setting["units"] + setting["momentum"]


class Counted:
    """An objective that knows how often it was called, and may do something else at one of the calls."""

    def __init__(self, f=size, at=None, then=None):
        self.f, self.at, self.then, self.calls = f, at, then, 0

    def __call__(self, setting):
        self.calls += 1
        if self.calls == self.at:
            raise self.then
        return self.f(setting)


def test_axes():
    axis = nn.log_uniform(1e-4, 1.0)
    np.testing.assert_allclose(
        [axis(u) for u in (0, 0.25, 0.5, 0.75, 1)], [1e-4, 1e-3, 1e-2, 1e-1, 1], rtol=1e-12
    )
    assert [nn.uniform(-1, 3)(u) for u in (0, 0.25, 1)] == [-1, 0, 3]


def test_a_grid_has_every_combination():
    grid = nn.grid({"a": nn.uniform(0, 1), "b": ["x", "y"], "c": nn.log_uniform(1, 100)}, 3)
    assert len(grid) == 3 * 2 * 3 and len({tuple(s.values()) for s in grid}) == 18
    assert grid[0] == {"a": 0, "b": "x", "c": 1} and grid[1]["c"] == pytest.approx(10)
    assert grid[-1] == {"a": 1, "b": "y", "c": pytest.approx(100)}
    assert nn.grid({"a": nn.uniform(0, 1)}, 1) == [{"a": 0.5}]


def test_samples_fill_every_axis_evenly():
    drawn = nn.sample(SPACE, 30_000, np.random.default_rng(1))
    decades = np.histogram(np.log10([s["lr"] for s in drawn]), bins=3, range=(-3, 0))[0]
    thirds = np.histogram([s["momentum"] for s in drawn], bins=3, range=(0, 0.9))[0]
    units = [sum(s["units"] == k for s in drawn) for k in (8, 16, 32)]
    for counts in (decades, thirds, units):  # 10,000 each, with a standard deviation of 82
        assert sum(counts) == 30_000 and np.abs(np.array(counts) - 10_000).max() < 6 * 82
    assert settings(5) == settings(5) != settings(5, seed=1)
    assert all(type(v) in (float, int) for s in settings(5) for v in s.values())  # a file can hold them


def test_values_best_and_best_so_far():
    s = settings()
    trials = nn.search(size, s)
    np.testing.assert_array_equal(trials.values, [size(t) for t in s])
    assert trials.settings == s and trials.errors == [""] * 20 and not trials.interrupted
    assert trials.values[trials.best] == min(trials.values)
    np.testing.assert_array_equal(trials.best_so_far(), [min(trials.values[: k + 1]) for k in range(20)])


def test_an_objective_cannot_change_the_settings():
    s = settings(3)
    trials = nn.search(lambda setting: setting.pop("lr"), s)
    assert s == settings(3) == trials.settings


def test_failed_and_diverged_trials_are_recorded():
    def objective(setting):
        if setting["units"] == 8:
            raise nn.DivergenceError("the loss is inf")
        return {16: math.inf, 32: 1.0}[setting["units"]]

    trials = nn.search(objective, [{"units": k} for k in (8, 16, 32, 8)])
    assert trials.errors == [
        "DivergenceError: the loss is inf",
        "diverged: value inf",
        "",
        "DivergenceError: the loss is inf",
    ]
    np.testing.assert_array_equal(trials.values, [np.nan, np.nan, 1.0, np.nan])
    assert trials.best == 2
    np.testing.assert_array_equal(trials.best_so_far(), [np.nan, np.nan, 1.0, 1.0])


def test_no_value_at_all():
    trials = nn.search(lambda s: math.nan, [{"a": 1}])
    with pytest.raises(ValueError, match="none of 1 trials has a value"):
        trials.best  # noqa: B018
    assert len(nn.search(size, []).values) == 0


@pytest.mark.parametrize("at_once", [3, 7, 20, 50])
def test_a_stack_gives_what_single_trials_give(at_once):
    seen = []
    stacked = nn.search(lambda s: seen.append(len(s["lr"])) or size(s), settings(), at_once=at_once)
    np.testing.assert_array_equal(stacked.values, nn.search(size, settings()).values)
    assert max(seen) == min(at_once, 20) and sum(seen) == 20


def test_a_stack_that_fails_is_run_one_by_one():
    def objective(s):
        if (s["units"] == 8).any():
            raise ValueError("too small")
        return np.where(s["units"] == 16, np.nan, 1.0)

    trials = nn.search(objective, [{"units": k} for k in (16, 8, 32, 32, 16)], at_once=3)
    np.testing.assert_array_equal(trials.values, [np.nan, np.nan, 1, 1, np.nan])
    assert trials.errors == ["diverged: value nan", "ValueError: too small", "", "", "diverged: value nan"]
    wrong = nn.search(lambda s: np.ones(3), [{"a": 1}, {"a": 2}], at_once=2)
    assert wrong.errors == ["ValueError: objective returned shape (3,) for a stack of 1"] * 2


def test_interrupted_keeps_what_there_is_and_goes_on(tmp_path):
    path, s = tmp_path / "results.jsonl", settings()
    first = Counted(at=8, then=KeyboardInterrupt())
    trials = nn.search(first, s, path=path)
    assert trials.interrupted and np.isfinite(trials.values).sum() == 7
    assert trials.errors == [""] * 7 + [None] * 13
    again = Counted()
    trials = nn.search(again, s, path=path)
    assert again.calls == 13 and not trials.interrupted
    np.testing.assert_array_equal(trials.values, [size(t) for t in s])  # to the last bit, through the file
    more = Counted()
    nn.search(more, s + settings(5, seed=1), path=path)
    assert more.calls == 5


def test_failed_trials_are_not_repeated(tmp_path):
    path, s = tmp_path / "results.jsonl", [{"lr": 0.1}, {"lr": 0.2}]
    nn.search(Counted(lambda s: 1.0, at=1, then=OverflowError("é, \n a second line")), s, path=path)
    again = Counted()
    trials = nn.search(again, s, path=path)
    assert again.calls == 0 and trials.errors == ["OverflowError: é, \n a second line", ""]
    assert math.isnan(trials.values[0]) and trials.values[1] == 1.0


def test_the_same_setting_twice_is_two_trials(tmp_path):
    path, s = tmp_path / "results.jsonl", [{"a": 1}, {"a": 1}, {"a": 2}]
    nn.search(Counted(lambda s: 1.0, at=2, then=KeyboardInterrupt()), s, path=path)
    again = Counted(lambda s: 2.0)
    assert nn.search(again, s, path=path).values.tolist() == [1.0, 2.0, 2.0] and again.calls == 2


def test_numpy_numbers_are_settings_too(tmp_path):
    path, s = tmp_path / "r.jsonl", [{"lr": np.float64(0.1), "units": np.int64(3)}]
    nn.search(lambda s: 1.0, s, path=path)
    again = Counted()
    nn.search(again, [{"units": 3, "lr": 0.1}], path=path)
    assert again.calls == 0


def test_a_line_cut_off_by_a_crash_is_run_again(tmp_path):
    path, s = tmp_path / "results.jsonl", settings(6)
    nn.search(size, s, path=path)
    whole = path.read_text()
    for cut in (1, 5, 30, len(whole.splitlines()[-1])):
        path.write_text(whole[:-cut])
        again = Counted()
        trials = nn.search(again, s, path=path)
        assert again.calls == 1 and path.read_text() == whole
        np.testing.assert_array_equal(trials.values, [size(t) for t in s])


@pytest.mark.parametrize("text", ["precious", "precious\n", '{"a": 1}\n', '[1]\n{"setting": {}', "\n"])
def test_a_foreign_file_is_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "other.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"line 1 of other\.txt is no result of search; give another path"):
        nn.search(size, settings(2), path=path)
    assert path.read_text() == text


@pytest.mark.parametrize("at_once", [1, 6])
def test_on_an_executor(at_once, tmp_path):
    with ThreadPoolExecutor(2) as executor:
        trials = nn.search(size, settings(), executor=executor, at_once=at_once, path=tmp_path / "r")
    np.testing.assert_array_equal(trials.values, [size(s) for s in settings()])
    assert nn.search(Counted(at=1), settings(), path=tmp_path / "r").values.tolist() == trials.values.tolist()


def test_an_interruption_ends_what_has_not_begun():
    objective = Counted(lambda s: time.sleep(0.02) or 1.0, at=1, then=KeyboardInterrupt())
    with ThreadPoolExecutor(1) as executor:
        trials = nn.search(objective, settings(50), executor=executor)
    assert trials.interrupted and objective.calls < 40


def dies(setting):
    import os

    os._exit(1)


def test_a_lost_executor_keeps_the_results(tmp_path):
    with ProcessPoolExecutor(1) as executor, pytest.raises(ConnectionError, match="the executor was lost"):
        nn.search(dies, settings(3), executor=executor)

    class Lost:  # as Dask behaves when its scheduler goes: some results, then cancelled futures
        def __init__(self):
            self.n = 0

        def submit(self, f, *args):
            future, self.n = Future(), self.n + 1
            if self.n <= 2:
                future.set_result(f(*args))
            else:
                threading.Timer(
                    0.2, lambda: future.cancel() and future.set_running_or_notify_cancel()
                ).start()
            return future

    with pytest.raises(ConnectionError, match="the executor was lost; start it again") as info:
        nn.search(size, settings(4), executor=Lost(), path=tmp_path / "r")
    assert np.isfinite(info.value.trials.values).tolist() == [True, True, False, False]
    again = Counted()
    nn.search(again, settings(4), path=tmp_path / "r")
    assert again.calls == 2


def test_successive_halving_counts_and_promotes():
    seen = []
    s = [{"lr": float(k)} for k in (5, 3, 8, 1, 7, 2, 6, 4, 9)]
    rungs = nn.successive_halving(lambda t: seen.append(t["budget"]) or t["lr"] / t["budget"], s, 2, factor=3)
    assert [len(r.values) for r in rungs] == [9, 3, 1] and seen == [2] * 9 + [6] * 3 + [18]
    assert [t["lr"] for t in rungs[1].settings] == [1, 2, 3] and rungs[2].settings[0] == {
        "lr": 1,
        "budget": 18,
    }


def test_successive_halving_never_promotes_a_failure():
    def objective(t):
        if t["lr"] < 3:
            raise OverflowError
        return t["lr"]

    rungs = nn.successive_halving(objective, [{"lr": k} for k in (1, 2, 3, 4)], 1)
    assert [[t["lr"] for t in r.settings] for r in rungs] == [[1, 2, 3, 4], [3, 4], [3]]
    assert len(nn.successive_halving(lambda t: math.nan, [{"lr": 1}, {"lr": 2}], 1)) == 1


def test_successive_halving_goes_on_from_its_file(tmp_path):
    path, s = tmp_path / "r", [{"lr": float(k)} for k in range(8)]
    value = lambda t: t["lr"] / t["budget"]  # noqa: E731
    rungs = nn.successive_halving(Counted(value, at=11, then=KeyboardInterrupt()), s, 1, path=path)
    assert len(rungs) == 2 and rungs[1].interrupted
    again = Counted(value)
    rungs = nn.successive_halving(again, s, 1, path=path)
    assert [len(r.values) for r in rungs] == [8, 4, 2, 1] and again.calls == 15 - 10


BAR = """
import sys, time
import nnmath as nn
sys.modules["nnmath.search"].BAR_DELAY = {delay}
nn.search(lambda s: time.sleep(0.02) or 1.0, [dict(a=k) for k in range(20)], progress={progress})
"""


@pytest.mark.parametrize(
    "delay, progress, shown", [(0.1, True, True), (60, True, False), (0.1, False, False)]
)
def test_the_bar_shows_only_what_takes_long(delay, progress, shown):
    """In a process of its own: tqdm reads TQDM_DISABLE, which the tests set, when it is first imported."""
    env = {k: v for k, v in os.environ.items() if k != "TQDM_DISABLE"}
    code = BAR.format(delay=delay, progress=progress)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert ("/20" in done.stderr) == shown
