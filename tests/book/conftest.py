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
`chapter_path` on every chapter. `look_at` gives a page that is loaded once for all tests that only look.
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
from bs4 import BeautifulSoup
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
FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"

AS_IT_STANDS = """[innerWidth, innerHeight,
  ...["print", "(prefers-color-scheme: dark)"].map((what) => matchMedia(what).matches)]"""


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


@functools.cache
def soup(path):
    """A page as its source says it, but for the states of its figures, which are most of it."""
    states = r'(<script type="application/vnd.jupyter.widget-state\+json">).*?(?=</script>)'
    return BeautifulSoup(re.sub(states, r"\1", path.read_text(encoding="utf8"), flags=re.S), "lxml")


@functools.cache
def places(path):
    """{id: the element of a page that bears it}."""
    return {tag["id"]: tag for tag in soup(path).find_all(id=True)}


def pages(under=""):
    """Every page of the built book, by its path below its folder. (index.html only leads to the first;
    404.html, which stands for itself, has tests of its own.)"""
    found = (p.relative_to(html_root()).as_posix() for p in sorted(html_root().rglob("*.html")))
    return [
        p
        for p in found
        if not p.startswith("_") and p.startswith(under) and p not in ("index.html", "404.html")
    ]


def pytest_generate_tests(metafunc):
    for name, under in (("page_path", ""), ("chapter_path", "notebooks/")):
        if name in metafunc.fixturenames:  # all tests of a page go to one worker, where it stands open
            marked = [pytest.param(p, marks=pytest.mark.xdist_group(p)) for p in pages(under)]
            metafunc.parametrize(name, marked)


def pytest_collection_finish(session):
    """Groups that get lost cost a second run of each notebook, and nothing else would tell."""
    if getattr(session.config.option, "loadgroup", False):
        lost = [
            i.nodeid for i in session.items if i.get_closest_marker("xdist_group") and "@" not in i.nodeid
        ]
        if lost:
            raise pytest.UsageError(f"this pytest-xdist does not keep groups with this pytest: {lost[0]}")


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


class Visit:
    """A page of the book in a browser of its own; `faults` is what went wrong on it so far."""

    def __init__(
        self, browser, server, built_book, path, width=1280, scheme="light", over="http", fragment="",
        typeset=True, **options,
    ):  # fmt: skip
        self.path, self.faults = path, []
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **options
        )
        self.context.set_default_timeout(20_000)
        beyond = re.compile(rf"^(?:https?|wss?)://(?!{re.escape(server.partition('//')[2])}/)")
        self.context.route(beyond, self.refuse)
        if not typeset:
            idle = "window.MathJax = { startup: { promise: Promise.resolve() } };"
            self.context.route(
                "**/tex-chtml.js*", lambda route: route.fulfill(body=idle, content_type="text/javascript")
            )
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.note(f"script error: {error}"))
        self.page.on(
            "console", lambda said: said.type == "error" and self.note(f"console error: {said.text}")
        )
        self.page.on("response", lambda got: got.status >= 400 and self.note(f"{got.status} for {got.url}"))
        self.page.on("requestfailed", self.failed)
        start = server if over == "http" else built_book.as_uri()
        self.address = f"{start}/{path}" + (f"#{fragment}" if fragment else "")

    def load(self):
        """The page, once it stands. What went wrong is in `faults` even if it never does."""
        self.page.goto(self.address)
        self.page.wait_for_load_state("load")
        self.page.evaluate(SETTLED)
        return self.page

    def note(self, fault):
        self.faults.append(f"{self.path}: {fault}")

    def refuse(self, route):
        self.note(f"asks for {route.request.url}")
        route.abort()

    def failed(self, request):
        if request.failure != "net::ERR_ABORTED":  # what a page does to its own requests when it is left
            self.note(f"could not load {request.url} ({request.failure})")

    def close(self):
        self.context.close()


def assert_no_faults(visits):
    faults = [fault for visit in visits for fault in visit.faults]
    assert not faults, "\n" + "\n".join(dict.fromkeys(faults))


@pytest.fixture
def open_page(browser, server, built_book):
    visits = []

    def open_page(path, **how):
        """Load a page of the book and wait until it stands. over: "http" or "file"; fragment: after the #.

        typeset=False leaves the mathematics as it is written, which saves most of the time.
        """
        visits.append(Visit(browser, server, built_book, path, **how))
        return visits[-1].load()

    yield open_page
    for visit in visits:
        visit.close()
    assert_no_faults(visits)


@pytest.fixture(scope="session")
def standing(browser, server, built_book):
    """The pages that stand open, by path and whether they are typeset; those of one path at a time."""
    visits = {}

    def stand(path, typeset):
        for key in [key for key in visits if key[0] != path]:
            visits.pop(key).close()
        if (path, typeset) not in visits:
            visit = Visit(browser, server, built_book, path, typeset=typeset)
            try:
                visit.load()
            except Exception as error:
                error.add_note("\n".join(visit.faults))
                visit.close()
                raise
            visits[path, typeset] = visit
        return visits[path, typeset]

    yield stand
    for visit in visits.values():
        visit.close()


@pytest.fixture
def look_at(standing):
    """Like `open_page`, for tests that only look or set what they read: they share the page, since loading it
    is most of the time. Folds may stand open and controls anywhere."""
    visits = []

    def look_at(path, typeset=True, width=1280):
        visits.append(standing(path, typeset))
        page = visits[-1].page
        asked = [width, 900, False, False]
        if page.evaluate(AS_IT_STANDS) != asked:  # to be set again takes a long page long
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(media="screen", color_scheme="light")
            page.evaluate(FRAMES)  # figures choose the picture that fits
        return page

    yield look_at
    assert_no_faults(visits)


@pytest.fixture
def axe():
    """A function: what axe finds on a page, one line for each element it finds fault with.

    only: the rules to try, by default all; where: selectors of the parts to look at, by default everything.
    """

    def run(page, only=None, where=None):
        if not page.evaluate("'axe' in window"):
            page.add_script_tag(content=AXE.read_text(encoding="utf8"))
        options = {"resultTypes": ["violations"], "preload": False}
        options |= {"rules": {"label-content-name-mismatch": {"enabled": True}}} if only is None else {}
        options |= {"runOnly": {"type": "rule", "values": only}} if only else {}
        script = "([where, options]) => axe.run(where ?? document, options)"
        found = page.evaluate(script, [where, options])["violations"]
        return [
            f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))}"
            f"\n    {node['html'][:200]}\n    "
            + "; ".join(check["message"] for check in node["any"] + node["all"] + node["none"])
            for rule in found
            for node in rule["nodes"]
        ]

    return run
