"""`make bench`: measure the claims, print the table and save it in results.json.

    python -m benchmarks [--build] [--test]

--build also builds the book from clean and once more after an edit; --test also runs `make test`. They take
minutes; without them their rows stay as they were measured last on this processor.
"""

import argparse
import json
import os
import platform
import re
import time
import warnings
from importlib import metadata
from pathlib import Path

THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "NPROC": "1"}
os.environ.update(THREADS)  # before NumPy is loaded
RESULTS = Path(__file__).with_name("results.json")
PACKAGES = ("numpy", "scikit-learn", "torch", "jax")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", action="store_true", help="also build the book, twice")
    parser.add_argument("--test", action="store_true", help="also run `make test`")
    wanted = parser.parse_args()
    from threadpoolctl import threadpool_limits

    from . import builds, claims, figure
    from .table import known, line

    warnings.simplefilter("ignore")  # scikit-learn's, that its last epoch is over
    old = json.loads(RESULTS.read_text(encoding="utf8")) if RESULTS.exists() else {}
    start, about, rows = time.perf_counter(), machine(), []
    print(*about.values(), "one thread", sep=", ", end="\n\n")
    print(line())

    def add(found):
        for row in found:
            rows.append(known(row, old, about))
            print(line(rows[-1]), flush=True)

    with threadpool_limits(1):
        claims.one_thread()
        for claim in claims.ALL:
            add(claim())
    add(figure.rows())
    add(builds.rows(wanted.build, wanted.test))
    seconds = round(time.perf_counter() - start)
    RESULTS.write_text(json.dumps({"machine": about, "seconds": seconds, "rows": rows}, indent=1) + "\n")
    print(f"\n{seconds} s. Times are medians of processor time; at best: from the least times.")
    print("apart: largest relative difference of weights and losses after 50 steps.")


def machine():
    """What it was measured on, as texts to print."""
    from threadpoolctl import threadpool_info

    info = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*: (.*)", info.read_text()) if info.exists() else [platform.machine()]
    about = {"processor": models[0], "cores": f"{os.cpu_count()} cores"}
    about["python"] = f"Python {platform.python_version()}"
    for package in PACKAGES:
        try:
            about[package] = f"{package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            about[package] = f"{package} not installed"
    for found in threadpool_info():
        if found["user_api"] == "blas" and "numpy" in found["filepath"]:
            about["blas"] = f"{found['internal_api']} {found['version']} ({found.get('architecture', '')})"
    if hasattr(os, "getloadavg"):
        about["load"] = f"load {os.getloadavg()[0]:.1f} before"  # what others did to the clock on the wall
    return {**about, "date": time.strftime("%Y-%m-%d")}


if __name__ == "__main__":
    main()
