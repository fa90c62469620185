"""How long the book and its checks take, in a copy of the repository: minutes, so only if asked for."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from .table import LATER, row

ROOT = Path(__file__).resolve().parents[1]
OURS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NPROC", "JAX_PLATFORMS", "MAKEFLAGS", "MAKELEVEL")
EDITED = "09_xor"
WORKS = (
    ("make book, from clean", 240),
    (f"make book, after an edit of code in {EDITED}", 20),
    ("make test, environment ready", 900),
)


def rows(build=False, test=False):
    """Seconds, by the clock on the wall: the build runs in several processes."""
    seconds = [None] * len(WORKS)
    if build or test:
        make(ROOT, f"{sys.prefix}/.ready")  # here: a copy that renewed it would install itself, and be gone
    if build:
        with copy() as folder:
            seconds[0] = make(folder, "book")
            edit(folder / "notebooks" / f"{EDITED}.ipynb")
            seconds[1] = make(folder, "book")
    if test:
        with copy() as folder:
            seconds[2] = make(folder, "test")
    for (work, limit), value in zip(WORKS, seconds, strict=True):
        yield row(work, "", limit, "s", value, why=LATER)


@contextmanager
def copy():
    """A copy of what git knows, as it lies here, with the dates of the files: make compares them."""
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    with tempfile.TemporaryDirectory() as folder:
        for name in filter(None, names):
            if (ROOT / name).is_file():
                (path := Path(folder, name)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, path)
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)  # some tests ask git for its files
        subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
        yield Path(folder)


def make(folder, goal):
    """Seconds that `make goal` took; its output, if it failed."""
    env = {k: v for k, v in os.environ.items() if k not in OURS} | {"PYTHONPATH": str(folder)}
    start = time.perf_counter()
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(["make", goal, f"VENV={sys.prefix}"], cwd=folder, env=env, text=True, **both)
    if done.returncode:
        raise SystemExit(f"{done.stdout[-3000:]}\nmake {goal} failed; see above")
    return time.perf_counter() - start


def edit(path):
    """A comment more in the last cell of code: the chapter runs again."""
    notebook = json.loads(path.read_text(encoding="utf8"))
    cell = [c for c in notebook["cells"] if c["cell_type"] == "code"][-1]
    cell["source"] = "".join(cell["source"]) + "\n# edited"
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf8")
