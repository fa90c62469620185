"""`python -m benchmarks.scaling`: a data-parallel step with 1, 2 and 4 workers, saved for chapter 14.

Wall-clock seconds, for once: waiting is what parallel work is about. They are no claim and have no target.
"""

import json
import os
import time
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # before NumPy is loaded

import numpy as np

SCALING = Path(__file__).with_name("scaling.json")
WORKERS = (1, 2, 4)
STEPS = 8
TASKS = {  # name: sizes, samples per step, whether they grow with the workers (Gustafson) or not (Amdahl)
    "small": ((64, 64, 10), 512, False),
    "large": ((784, 1024, 1024, 10), 512, False),
    "large, large batch": ((784, 1024, 1024, 10), 4096, False),
    "large, batch grows": ((784, 1024, 1024, 10), 2048, True),
}


def main():
    import nnmath as nn

    from .__main__ import machine

    rows = []
    for name, (sizes, batch, grows) in TASKS.items():
        for workers in (0, *WORKERS):  # 0: no cluster, in this process
            n = batch * max(1, workers) if grows else batch
            row = {"task": name, "sizes": sizes, "batch": n, "workers": workers}
            row["parameters"] = nn.MLP(sizes).n_params
            if workers:
                with nn.connect(workers=workers) as client:
                    row["seconds"] = measure(sizes, n, lambda net, c=client: nn.DataParallel(net, c))
            else:
                row["seconds"] = measure(sizes, n, lambda net: net)
            rows.append(row)
            print(
                f"{name:<20} {n:>5} samples, {workers} workers: {1e3 * min(row['seconds']):8.1f} ms",
                flush=True,
            )
    about = {k: v for k, v in machine().items() if k not in ("scikit-learn", "torch", "jax", "cores", "load")}
    SCALING.write_text(json.dumps({"machine": about, "cores": cores(), "rows": rows}, indent=1) + "\n")


def measure(sizes, n, wrap):
    """Seconds of each of some steps, after two to warm up."""
    import nnmath as nn

    rng, net = np.random.default_rng(0), nn.MLP(sizes, hidden=nn.relu)
    x, y = rng.random((n, sizes[0]), dtype=np.float32), rng.integers(0, 10, n)
    p, seconds, start = net.init(rng, np.float32), [], None
    how = {"loss": nn.cross_entropy, "optimizer": nn.SGD(1e-3), "steps": STEPS + 2}
    for _ in nn.train(wrap(net), p, x, y, **how):
        now = time.perf_counter()
        seconds += [] if start is None else [round(now - start, 6)]
        start = now
    return seconds[1:]


def cores():
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


if __name__ == "__main__":
    main()
