"""How quick a live figure is in the page: script work per slider move and frames per second while dragging.

    python -m benchmarks.figure [--page PATH] [--figure NAME]

Headless Chromium with the network off, at full speed and with the processor slowed four times. Without a page
it makes one: two panels with a curve of 400 points, a path of 60 marked steps, 50 dots and a text.
"""

import argparse
import pathlib
import statistics
import tempfile

import numpy as np

from .table import line, row

ROOT = pathlib.Path(__file__).resolve().parents[1]
MOVES = 240  # four seconds of dragging at 60 frames a second
TARGETS = {1: 1.0, 4: 4.0}  # slowed by -> milliseconds of script at the 95th percentile
DRAGS = 3  # the page's clock is on the wall: whoever else uses the processor disturbs a drag
RATE = 60  # frames per second
NO_BROWSER = "no browser"
NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND"

# One move in each frame, as a hand on the slider gives them. The script work of a move is its input event
# and the animation frame that the figure asked for; frames are counted by the clock of the animation frames.
DRAG = """async ([name, moves]) => {
  const own = name ? `figure.explore[data-name="${name}"]` : "figure.explore:has(input[type=range])";
  const figure = document.querySelector(own), input = figure.querySelector("input[type=range]");
  const last = +input.max, work = [], frames = [], later = window.requestAnimationFrame.bind(window);
  let spent = 0;
  const timed = (f, time) => { const from = performance.now(); f(time); spent += performance.now() - from; };
  window.requestAnimationFrame = (f) => later((time) => timed(f, time));
  const frame = () => new Promise(later);
  await frame();
  for (let i = 0; i < moves; i++) {
    const place = i % (2 * last);
    spent = 0;
    timed(() => {
      input.value = place <= last ? place : 2 * last - place;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    frames.push(await frame());
    work.push(spent);
  }
  window.requestAnimationFrame = later;
  return { name: figure.dataset.name, work, frames };
}"""


def sample():
    """A page with one figure of the usual kind and size."""
    import matplotlib.pyplot as plt

    from nnmath.explore import explore, slider
    from nnmath.plot import COLORS, use_style

    use_style()
    fig, (left, right) = plt.subplots(1, 2)
    x, k = np.linspace(-3, 3, 400), np.arange(60)
    left.set(xlim=(-3, 3), ylim=(0, 4.5), xlabel="x", ylabel="loss")
    right.set(xlim=(0, 60), ylim=(1e-6, 1e2), yscale="log", xlabel="step", ylabel="loss")
    bowl, path = left.plot([], [], [], [], "o-", ms=4)
    (curve,), dots = right.plot([], []), left.scatter([], [], color=COLORS["data"])
    note = right.text(2, 1e-5, "")

    def draw(lr, start):
        steps = start * (1 - lr) ** k
        bowl.set_data(x, x**2 / 2 + 0.1 * np.sin(3 * x + lr) * start)
        path.set_data(steps, steps**2 / 2)
        curve.set_data(k, steps**2 / 2 + 1e-300)
        dots.set_offsets(np.column_stack([np.linspace(-3, 3, 50), 1 + np.sin(start * lr * np.arange(50))]))
        note.set_text(f"x = {steps[-1]:.2g}")
        return bowl, path, curve, dots, note, f"Learning rate {lr:.2f}: x ends at {steps[-1]:.2g}."

    return explore(
        fig, draw, name="sample", alt="a path in a bowl", caption="sample",
        lr=slider(0.05, 2.2, 40), start=slider(-2.8, 2.8, 21, start=2),
    )  # fmt: skip


def measure(browser, address, name, slowed):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.wait_for_function("window.nnReady")
    page.evaluate("async () => { await window.nnReady; }")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    page.evaluate(DRAG, [name, 60])  # let the browser compile
    got = [page.evaluate(DRAG, [name, MOVES]) for _ in range(DRAGS)]
    page.close()
    return got


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", help="a page of the built book; a sample page if not given")
    parser.add_argument("--figure", default="", help="the name of its figure; the first if not given")
    wanted = parser.parse_args()
    print(line())
    for found in rows(wanted.page, wanted.figure):
        print(line(found))


def rows(page=None, figure=""):
    """The rows of the table; without Playwright or a browser they say so."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        measured = dict.fromkeys(TARGETS)
    else:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            measured = drag(playwright, page, figure, folder)
    for slowed, limit in TARGETS.items():
        got, how = measured[slowed], "" if slowed == 1 else f", slowed {slowed}x"
        p95 = rate = (None, None)  # median and best of the drags
        if got:
            each = [float(np.percentile(drag["work"], 95)) for drag in got]
            p95 = statistics.median(each), min(each)
            each = [round(1000 / statistics.fmean(np.diff(drag["frames"]))) for drag in got]
            rate = statistics.median(each), max(each)
        yield row(f"slider move, p95 of the script's time{how}", "", limit, "ms", *p95, why=NO_BROWSER)
        yield row(f"frames while it is dragged{how}", "", RATE, "frames/s", *rate, why=NO_BROWSER)


def drag(playwright, page, figure, folder):
    """What was measured, for each speed of the processor; None without a browser."""
    from tests.book.chromium import OPTIONS, find
    from tests.book.figure_page import write_page

    if not (browser := find(playwright)):
        return dict.fromkeys(TARGETS)
    path = pathlib.Path(page or write_page(pathlib.Path(folder) / "sample.html", [sample()])).resolve()
    with playwright.chromium.launch(executable_path=browser, args=[*OPTIONS, NO_NETWORK]) as chromium:
        return {slowed: measure(chromium, path.as_uri(), figure, slowed) for slowed in TARGETS}


if __name__ == "__main__":
    main()
