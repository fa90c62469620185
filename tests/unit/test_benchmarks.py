"""The table of `make bench`: its verdicts, what it keeps, what it asks for. No test looks at a clock."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import builds, clock, contestants, table

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "unit, value, met",
    [
        ("x", 10.0, True),
        ("x", 9.99, False),
        ("%", 96.4, False),
        ("frames/s", 61, True),
        ("frames/s", 59, False),
        ("of its time", 0.85, None),
        ("ms", 1.2, None),
    ],
)
def test_more_is_better_only_for_speed(unit, value, met):
    target = {"x": 10, "%": 96.5, "frames/s": 60}.get(unit, value)
    found = table.row("work", "peer", target, unit, value)
    assert found["met"] is (True if met is None else met)
    assert found["sign"] == ("<=" if met is None else ">=")
    if met is None:
        assert table.row("work", "peer", target, unit, value * 1.01)["met"] is False


def test_a_verdict_says_why_there_is_no_number():
    assert table.row("work", "PyTorch", 10, "x")["verdict"] == "not installed"
    assert table.row("work", "", 240, "s", why=table.LATER)["verdict"] == "not measured"
    assert table.row("work", "JAX", None, "x", 0.7)["verdict"] == ""  # a peer without a claim
    assert (
        table.row("work", "", 1, "ms", np.float64(0.0))["met"] is True
    )  # 0 is a number, and JSON takes True


def test_a_missed_target_stands_out():
    missed = table.row("XOR", "PyTorch", 10, "x", 6.279, 6.0, ours=1.5e-5, theirs=9.4e-5, apart=2e-7)
    assert table.cells(missed) == [
        "XOR", "15 µs", "PyTorch", "94 µs", "6.28x", "6x", ">= 10x", "NO", "2e-07",
    ]  # fmt: skip
    limit = table.row("book", "", 240, "s", 181.0)
    assert table.cells(limit) == ["book", "", "", "", "181 s", "", "<= 240 s", "yes", ""]
    assert len(table.line().splitlines()[0]) == len(table.line(missed)) == len(table.line(limit))


def saved(**changes):
    row = table.row("make test, environment ready", "", 900, "s", 700.0)
    return {"machine": {"processor": "A", "date": "2026-01-02"}, "rows": [row | changes]}


def test_what_takes_minutes_is_kept_with_its_date():
    now, about = table.row("make test, environment ready", "", 900, "s", why=table.LATER), {"processor": "A"}
    kept = table.known(now, saved(), about)
    assert (
        kept["value"] == 700 and kept["date"] == "2026-01-02" and table.cells(kept)[-2] == "yes, 2026-01-02"
    )
    again = saved(date="2025-12-31")  # kept twice, it still is as old as it is
    assert table.known(now, again, about)["date"] == "2025-12-31"


def test_nothing_is_kept_that_is_not_the_same():
    now, about = table.row("make test, environment ready", "", 900, "s", why=table.LATER), {"processor": "A"}
    assert table.known(now, {}, about) is now
    assert table.known(now, saved(), {"processor": "B"}) is now
    assert table.known(now, saved(target=800), about) is now  # its verdict would be that of another target
    assert table.known(now, saved(value=None), about) is now
    absent = table.row("make test, environment ready", "", 900, "s")  # a peer that is not installed stays so
    assert table.known(absent, saved(), about) is absent
    measured = table.row("make test, environment ready", "", 900, "s", 1.0, why=table.LATER)
    assert table.known(measured, saved(), about) is measured


def test_the_slow_rows_are_there_without_being_measured():
    assert [r["verdict"] for r in builds.rows()] == ["not measured"] * 3
    assert [r["target"] for r in builds.rows()] == [240, 20, 900]


def test_an_edit_changes_one_cell_of_code(tmp_path):
    source = ROOT / "notebooks" / f"{builds.EDITED}.ipynb"
    path = tmp_path / source.name
    path.write_bytes(source.read_bytes())
    builds.edit(path)
    before, after = (json.loads(p.read_text(encoding="utf8"))["cells"] for p in (source, path))
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1 and changed[0]["cell_type"] == "code"
    assert "".join(changed[0]["source"]).endswith("\n# edited")


def contestant(slope):
    theta = np.zeros(2)

    def step():
        theta[:] += slope
        return float(theta[0])

    return clock.Contestant(step, lambda: theta)


def test_contestants_that_compute_something_else_are_refused():
    assert clock.apart(lambda: contestant(1.0), lambda: contestant(1.0)) == 0
    with pytest.raises(AssertionError, match="apart"):
        clock.apart(lambda: contestant(1.0), lambda: contestant(1.0001))


def test_the_floor_computes_what_nnmath_computes():
    nn = contestants.nn
    xor = contestants.Task(nn.MLP((2, 4, 1)), *nn.xor(), nn.mse, nn.SGD, 0.1)
    moons = nn.moons(100, 0.2, np.random.default_rng(0))
    for task in (xor, contestants.Task(nn.MLP((2, 8, 8, 2), nn.relu), *moons, batch_size=32)):
        assert clock.apart(task.nnmath, lambda task=task: contestants.by_hand(task)) < 1e-6


def test_the_saved_results_are_rows_of_this_table():
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf8"))
    assert {"processor", "cores", "python", "numpy", "torch", "jax", "date"} <= set(results["machine"])
    keys = table.row("work")
    for row in results["rows"]:
        assert set(row) - {"date"} == set(keys)
        fresh = table.row(*(row[key] for key in ("work", "peer", "target", "unit", "value")))
        assert fresh["met"] == row["met"] and fresh["sign"] == row["sign"]
    works = [(row["work"], row["peer"]) for row in results["rows"]]
    assert len(set(works)) == len(works)


def test_every_peer_is_pinned():
    lines = (ROOT / "benchmarks" / "requirements.txt").read_text(encoding="utf8").splitlines()
    pins = [line for line in lines if not line.lstrip().startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", line) for line in pins), pins
    extra = re.search(r"^bench = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(encoding="utf8"), flags=re.M)
    assert set(re.findall(r'"(\w+)"', extra[1])) <= {line.partition("==")[0] for line in pins}
    book = (ROOT / "requirements.txt").read_text(encoding="utf8")
    twice = {line.partition("==")[0] for line in pins} & set(re.findall(r"^([\w-]+)==", book, flags=re.M))
    assert not twice, f"pinned in requirements.txt, too: {twice}"
