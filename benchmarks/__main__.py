"""`make bench`, or python -m benchmarks: measure the claims, print the table, save it; then the live figure's."""

import json
import os
import platform
import time
import warnings
from dataclasses import asdict
from importlib import import_module, metadata
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # before NumPy is loaded
RESULTS = Path(__file__).with_name("results.json")
COLUMNS = {"work": 65, "nnmath": 8, "peer": 20, "peer's": 8, "ratio": 8, "at best": 8, "target": 9, "met": 13, "apart": 5}


def main():
    from threadpoolctl import threadpool_limits

    from . import claims

    warnings.simplefilter("ignore")  # scikit-learn's, that its last epoch is over
    start, about, rows = time.perf_counter(), machine(), []
    print(", ".join(about.values()), "one thread", sep=", ", end="\n\n")
    print(line(COLUMNS), line("-" * width for width in COLUMNS.values()), sep="\n", flush=True)
    with threadpool_limits(1):
        for claim in claims.ALL:
            for row in claim():
                print(line(cells(row)), flush=True)
                rows.append({**asdict(row), "met": row.met})
    seconds = round(time.perf_counter() - start)
    RESULTS.write_text(json.dumps({"machine": about, "seconds": seconds, "rows": rows}, indent=1) + "\n")
    told = [row["met"] for row in rows if row["target"] is not None]
    print(f"\n{told.count(True)} met, {told.count(False)} not met, {told.count(None)} not measured; {seconds} s.")
    print("Times are medians of processor time; at best: from the least times. apart: after 50 steps.\n")
    live_figure()


def machine():
    """One line about it; nothing that names it."""
    try:
        model = next(s for s in Path("/proc/cpuinfo").read_text().splitlines() if s.startswith("model name"))
        processor = model.split(":")[1].strip()
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    about = {"processor": processor, "python": f"Python {platform.python_version()}"}
    for name, package in {"NumPy": "numpy", "scikit-learn": "scikit-learn", "PyTorch": "torch"}.items():
        try:
            about[package] = f"{name} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            about[package] = f"{name} not installed"
    return {**about, "date": time.strftime("%Y-%m-%d")}


def line(words):
    return "| " + " | ".join(f"{w:<{n}}" for w, n in zip(words, COLUMNS.values(), strict=True)) + " |"


def cells(row):
    """A row of the table, as text."""
    unit, sign = row.unit.replace("of its time", ""), ">=" if row.unit in ("x", "%") else "<="
    unit = unit if unit in ("", "x") else f" {unit}"
    target = f"{sign} {row.target:g}{unit}" if row.target is not None else "none"
    met = "not installed" if row.value is None else {True: "yes", False: "NO", None: ""}[row.met]
    values = ("" if value is None else f"{float(f'{value:.3g}'):g}{unit}" for value in (row.value, row.least))
    apart = "" if row.apart is None else f"{row.apart:.0e}"
    return row.work, duration(row.ours), row.peer, duration(row.theirs), *values, target, met, apart


def duration(seconds):
    if seconds is None:
        return ""
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def live_figure():
    """The table of benchmarks.figure, if there is a browser to measure in."""
    try:
        from playwright.sync_api import sync_playwright

        figure, chromium = import_module("benchmarks.figure"), import_module("tests.book.chromium")
        with sync_playwright() as playwright:
            found = chromium.find(playwright)
    except ImportError as error:
        print(f"The live figure was not measured: {error}.")
        return
    if found:
        figure.main()
    else:
        print("The live figure was not measured.", chromium.MISSING)


if __name__ == "__main__":
    main()
