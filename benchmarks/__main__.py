"""`make bench`: measure the claims, print the table and save it; then the live figure's table."""

import json
import os
import platform
import re
import time
import warnings
from importlib import metadata
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # before NumPy is loaded
RESULTS = Path(__file__).with_name("results.json")
HEAD = ("work", "nnmath", "peer", "its time", "ratio", "at best", "target", "met", "apart")
LINE = "| {:<49}| {:<8}| {:<20}| {:<9}| {:<10}| {:<8}| {:<10}| {:<14}| {:<6}|"


def main():
    from threadpoolctl import threadpool_limits

    from . import claims

    warnings.simplefilter("ignore")  # scikit-learn's, that its last epoch is over
    start, about, rows = time.perf_counter(), machine(), []
    print(*about.values(), "one thread", sep=", ", end="\n\n")
    print(LINE.format(*HEAD), LINE.format(*["---"] * len(HEAD)), sep="\n")
    with threadpool_limits(1):
        for row in (row for claim in claims.ALL for row in claim()):
            print(LINE.format(*cells(row)), flush=True)
            rows.append(row)
    seconds = round(time.perf_counter() - start)
    RESULTS.write_text(json.dumps({"machine": about, "seconds": seconds, "rows": rows}, indent=1) + "\n")
    print(f"\n{seconds} s. Times are medians of processor time; at best: from the least times.")
    print("apart: largest relative difference of weights and losses after 50 steps.\n")
    live_figure()


def machine():
    info = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*: (.*)", info.read_text()) if info.exists() else [platform.machine()]
    about = {"processor": models[0], "python": f"Python {platform.python_version()}"}
    for package in ("numpy", "scikit-learn", "torch"):
        try:
            about[package] = f"{package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            about[package] = f"{package} not installed"
    return {**about, "date": time.strftime("%Y-%m-%d")}


def cells(row):
    """A row of the table, as text."""
    unit = {"x": "x", "of its time": ""}.get(row["unit"], f" {row['unit']}")
    numbers = [None if v is None else f"{float(f'{v:.3g}'):g}{unit}" for v in (row["value"], row["best"])]
    sign = ">=" if row["unit"] in ("x", "%") else "<="
    target = "none" if row["target"] is None else f"{sign} {row['target']:g}{unit}"
    met = "not installed" if row["value"] is None else {True: "yes", False: "NO", None: ""}[row["met"]]
    apart = None if row["apart"] is None else f"{row['apart']:.0e}"
    ours, theirs = duration(row["ours"]), duration(row["theirs"])
    return [s or "" for s in (row["work"], ours, row["peer"], theirs, *numbers, target, met, apart)]


def duration(s):
    return s and (f"{s * 1e3:.3g} ms" if s >= 1e-3 else f"{s * 1e6:.3g} µs")


def live_figure():
    """The table of benchmarks.figure, if there is a browser to measure in."""
    try:
        from playwright.sync_api import sync_playwright

        from tests.book import chromium

        from . import figure
    except ImportError as error:
        return print(f"The live figure was not measured: {error}.")
    with sync_playwright() as playwright:
        found = chromium.find(playwright)
    return figure.main() if found else print("The live figure was not measured.", chromium.MISSING)


if __name__ == "__main__":
    main()
