"""The built book in a real Chromium with the network cut off.

A page test in five lines:

    def test_reset_brings_the_picture_back(open_page):
        page = open_page("notebooks/05_gradient_descent_idea.html", width=390, scheme="dark", over="file")
        page.locator("figure.explore input").first.press("End")
        page.get_by_role("button", name="Reset").first.click()
        assert ...

`page` is Playwright's (sync). It comes back loaded: figures mounted, mathematics typeset. When the test ends
it fails, whatever it asserted, if the page asked for anything beyond the book, an address was missing, or an
error reached the console. A test with an argument `page_path` runs on every page of the book, one with
`chapter_path` on every chapter.
"""

import functools
import http.server
import os
import re
import subprocess
import threading
from pathlib import Path

import axe_playwright_python
import chromium
import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]'
# Figures mounted (host.js sets nnReady), mathematics typeset, fonts there, page.js done.
SETTLED = f"""async () => {{
  const until = async (test) => {{ while (!test()) await new Promise((r) => setTimeout(r, 20)); }};
  if (document.querySelector('{VIEW}')) {{ await until(() => window.nnReady); await window.nnReady; }}
  if (document.querySelector('script[src*="tex-chtml"]')) {{
    await until(() => window.MathJax?.startup?.promise); await window.MathJax.startup.promise;
  }}
  await document.fonts.ready;
  await until(() => window.nnPageReady); await window.nnPageReady;
  for (const a of document.getAnimations()) if (a.effect?.getTiming().iterations !== Infinity) a.finish();
}}"""


@functools.cache
def html_root():
    """The folder of the built book: $BOOK_HTML, or _build/html, which is built if it is not there."""
    if "BOOK_HTML" in os.environ:
        root = Path(os.environ["BOOK_HTML"]).resolve()
    else:
        root = ROOT / "_build" / "html"
        if not (root / "index.html").exists():
            subprocess.run(["make", "book"], cwd=ROOT, check=True)
    if not (root / "index.html").exists():
        raise pytest.UsageError(f"no built book at {root}; run `make book`")
    return root


def pages(under=""):
    """Every page of the built book, by its path below its folder (index.html only leads to the first)."""
    found = (p.relative_to(html_root()).as_posix() for p in sorted(html_root().rglob("*.html")))
    return [p for p in found if not p.startswith("_") and p.startswith(under) and p != "index.html"]


def pytest_generate_tests(metafunc):
    if "page_path" in metafunc.fixturenames:
        metafunc.parametrize("page_path", pages())
    if "chapter_path" in metafunc.fixturenames:
        metafunc.parametrize("chapter_path", pages("notebooks/"))


@pytest.fixture(scope="session")
def built_book():
    return html_root()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def server(built_book):
    """The address of the book on this machine, without a slash at its end."""
    handler = functools.partial(QuietHandler, directory=built_book)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


@pytest.fixture(scope="session")
def browser():
    cut_off = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        path = chromium.find(playwright)
        if path is None:
            pytest.exit(chromium.MISSING, returncode=3)
        browser = playwright.chromium.launch(executable_path=path, args=[*chromium.OPTIONS, cut_off])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, server, built_book):
    contexts, faults = [], []

    def note(path, fault):
        faults.append(f"{path}: {fault}")

    def open_page(path, width=1280, scheme="light", over="http", fragment="", typeset=True, **options):
        """Load a page of the book and wait until it stands. over: "http" or "file"; fragment: after the #.

        typeset=False leaves the mathematics as it is written, which saves most of the time.
        """
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **options
        )
        contexts.append(context)
        context.set_default_timeout(20_000)

        def refuse(route):
            note(path, f"asks for {route.request.url}")
            route.abort()

        def response(answer):
            if answer.status >= 400:
                note(path, f"{answer.status} for {answer.url}")

        def failed(request):
            if request.failure != "net::ERR_ABORTED":  # what a page does to its own requests when it is left
                note(path, f"could not load {request.url} ({request.failure})")

        context.route(re.compile(rf"^(?:https?|wss?)://(?!{re.escape(server.partition('//')[2])}/)"), refuse)
        if not typeset:
            idle = "window.MathJax = { startup: { promise: Promise.resolve() } };"
            context.route(
                "**/tex-chtml.js*", lambda route: route.fulfill(body=idle, content_type="text/javascript")
            )
        page = context.new_page()
        page.on("pageerror", lambda error: note(path, f"script error: {error}"))
        page.on(
            "console",
            lambda message: message.type == "error" and note(path, f"console error: {message.text}"),
        )
        page.on("response", response)
        page.on("requestfailed", failed)
        start = server if over == "http" else built_book.as_uri()
        page.goto(f"{start}/{path}" + (f"#{fragment}" if fragment else ""))
        page.wait_for_load_state("load")
        page.evaluate(SETTLED)
        return page

    open_page.faults = faults
    yield open_page
    for context in contexts:
        context.close()
    assert not faults, "\n" + "\n".join(dict.fromkeys(faults))


@pytest.fixture
def axe():
    """A function: what axe finds on a page, one line for each element it finds fault with."""

    def run(page):
        page.add_script_tag(content=AXE.read_text(encoding="utf8"))
        rules = {"label-content-name-mismatch": {"enabled": True}}
        options = {"resultTypes": ["violations"], "preload": False, "rules": rules}
        found = page.evaluate("(options) => axe.run(document, options)", options)["violations"]
        return [
            f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))}"
            f"\n    {node['html'][:200]}\n    "
            + "; ".join(check["message"] for check in node["any"] + node["all"] + node["none"])
            for rule in found
            for node in rule["nodes"]
        ]

    return run
