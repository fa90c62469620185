"""The live figure and the quiz in a real JupyterLab: the same object, alive on both sides."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Error as PlaywrightError

ROOT = Path(__file__).resolve().parents[2]
FIGURE = """\
import matplotlib.pyplot as plt
from nnmath.explore import choice, explore, slider
from nnmath.quiz import Choice, quiz
fig, ax = plt.subplots()
ax.set(xlim=(0, 1), ylim=(0, 1))
line, = ax.plot([], [], "o-")
def draw(t, way):
    line.set_data([0, 1], [0, t] if way == "up" else [t, 0])
    return line, f"t is {t:.2f}, {way}."
w = explore(fig, draw, name="lab", alt="a", caption="c", t=slider(0, 1, 11), way=choice(["up", "down"]))
w"""
CELLS = [
    FIGURE,
    "w",
    "print('value', w.value)",
    "w.index = {'t': 1}",
    "quiz('lab', Choice('Is it?', {'yes': 'Indeed.', 'no': 'No.'}, right='yes'))",
]


@pytest.fixture
def lab(tmp_path):
    """The address of a JupyterLab on this machine that shows a notebook of these cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "t.ipynb")
    own = {f"JUPYTER_{what}_DIR": str(tmp_path / what) for what in ("CONFIG", "DATA", "RUNTIME")}
    own |= {f"JUPYTERLAB_{what}_DIR": str(tmp_path / what) for what in ("SETTINGS", "WORKSPACES")}
    env = os.environ | own | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")}
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        "--port=0",
    ]
    command += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", "--LabApp.news_url="]
    command += [
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--notebook-dir={tmp_path}",
    ]
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield _address(tmp_path / "RUNTIME", server) + "lab/tree/t.ipynb"
        finally:
            server.terminate()


def _address(runtime, server, patience=60):
    end = time.monotonic() + patience
    while time.monotonic() < end and server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(OSError, ValueError):
                url = json.loads(file.read_text())["url"].replace("localhost", "127.0.0.1")
                urllib.request.urlopen(url + "api", timeout=2).close()
                return url
        time.sleep(0.2)
    raise AssertionError("JupyterLab did not start")


def test_in_jupyterlab(browser, lab):
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    page.set_default_timeout(60_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(lab)
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    cells.nth(len(CELLS) - 1).wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()

    def run(i):
        cells.nth(i).locator(".cm-content").click()
        page.keyboard.press("Control+Enter")

    first, second = (cells.nth(i).locator("figure.explore[data-state=ready]") for i in (0, 1))
    for _ in range(4):  # what is run before the kernel stands is lost
        run(0)
        with contextlib.suppress(PlaywrightError):
            first.wait_for(timeout=15_000)
            break
    run(1)
    second.wait_for()
    path = first.locator("svg g[id$='-move0'] path").first
    before, slider = path.get_attribute("d"), first.locator("input[type=range]")
    for key in ("End", "ArrowLeft", "ArrowLeft"):
        slider.press(key)
    assert slider.get_attribute("aria-valuetext") == "0.8"
    page.wait_for_function(
        "([path, before]) => path.getAttribute('d') !== before", arg=[path.element_handle(), before]
    )
    second.locator("input[type=radio]").nth(1).check()
    second.wait_for()  # Python hears of it when the hand rests
    assert second.locator("input[type=range]").input_value() == "8", "the second view follows the first"
    assert first.locator("input[type=radio]").nth(1).is_checked(), "the first view follows the second"
    run(2)
    cells.nth(2).get_by_text("value {'t': 0.8, 'way': 'down'}").wait_for()
    run(3)
    page.wait_for_function("(input) => input.value === '1'", arg=slider.element_handle())
    first.get_by_text("t is 0.10, down.", exact=True).wait_for()  # the picture follows in the next frame
    clips = page.eval_on_selector_all("figure.explore [id]", "all => all.map((e) => e.id)")
    assert len(set(clips)) == len(clips), "two views share an id"

    run(0)  # again: the old figure closes, the new one lives
    first.wait_for()
    page.wait_for_function(
        "(cell) => cell.querySelector('input[type=range]')?.value === '5'", arg=cells.nth(0).element_handle()
    )
    first.locator("input[type=range]").press("Home")
    first.wait_for()
    run(2)
    cells.nth(2).get_by_text("value {'t': 0.0, 'way': 'up'}").wait_for()

    run(4)
    quiz = cells.nth(4).locator("section.quiz[data-state=ready]")
    quiz.locator("input[type=radio]").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    quiz.locator("form[data-result=right]").wait_for()
    assert quiz.locator(".quiz-score").text_content() == "Done."
    assert not errors, errors
    page.close()
