"""The whole book as one PDF: make_pdf.py. The pages must be built; `make pdf` sees to that.

join_pages.py makes one HTML page of all pages. Chromium mounts its figures, typesets its mathematics and
prints it twice: the first print tells on which page each heading stands, the second has these numbers in its
contents. Then the PDF is read back and compared with what it was printed from.
"""

import gc
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pikepdf
from join_pages import join
from playwright.sync_api import Error, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "book"))
import chromium  # noqa: E402

HTML, OUT = ROOT / "_build" / "html", ROOT / "_build" / "pdf"
PDF = OUT / "mathematics-of-neural-networks.pdf"
PAGE_WIDTH = (
    643  # 170 mm, what A4 leaves between the margins of paper.css: figures choose the picture that fits
)
PATIENCE = (
    600_000  # ms for a page of some 200 figures and 5,000 formulas; on two cores it takes about a minute
)
NEEDED = 131  # the first Chromium that prints what stands in the margins of @page
CHINESE = "梯度损失"  # the key terms of the book stand in Chinese too
LARGEST = 25e6  # bytes: a PDF that can still be sent by mail

READY = """async () => {
  const until = async (test) => { while (!test()) await new Promise((r) => setTimeout(r, 100)); };
  await until(() => window.nnReady); await window.nnReady;
  await until(() => window.nnPageReady); await window.nnPageReady;
  await document.fonts.ready;
  dispatchEvent(new Event("beforeprint"));  // page.js opens what is folded
}"""
WHAT_IS_PRINTED = r"""() => {
  const text = (e) => e.textContent.slice(0, 120);
  const plain = document.body.cloneNode(true);
  for (const e of plain.querySelectorAll("script, style, pre, code, mjx-container")) e.remove();
  const ids = new Map();
  for (const e of document.querySelectorAll("[id]")) ids.set(e.id, (ids.get(e.id) ?? 0) + 1);
  const here = [...document.querySelectorAll('a[href^="#"]')].map((a) => decodeURIComponent(a.hash.slice(1)));
  const room = document.documentElement.clientWidth + 1;
  const wide = [...document.querySelectorAll(".bd-article :is(pre, table, svg, mjx-container[display], img)")]
    .filter((e) => e.getBoundingClientRect().right > room
      || (e.clientWidth && e.scrollWidth > e.clientWidth + 1));
  const figures = [...document.querySelectorAll("figure.explore[data-state='ready']")];
  const MARKUP = /.{0,30}(?:\$\$|\\\(|\\\[|\{(?:eq|numref|cite|glue|doc|ref)\S*\}`).{0,30}/g;
  return {
    headings: [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((e) => {
      const title = e.cloneNode(true);  // of a formula the text that a screen reader gets
      for (const drawn of title.querySelectorAll("mjx-math")) drawn.remove();
      return title.textContent.replace(/\s+/g, " ").trim();
    }),
    markers: document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]').length,
    widgets: document.querySelectorAll(".nn-widget > *").length,
    figures: figures.length,
    dead: [...document.querySelectorAll(".nn-widget")].filter((e) => !e.firstElementChild).map(text),
    empty: figures.filter((e) => !e.querySelector("svg path")).map((e) => e.id),
    raw: [...document.querySelectorAll(".math")].filter((e) => !e.querySelector("mjx-container")).map(text),
    wrong: [...document.querySelectorAll("mjx-merror, [data-mjx-error]")].map(text),
    markup: plain.textContent.match(MARKUP) ?? [],
    lost: [...new Set(here.filter((id) => !ids.has(id)))],
    twice: [...ids].filter(([id, n]) => n > 1 && !id.startsWith("MJX")).map(([id]) => id),
    folded: document.querySelectorAll("details:not([open]):not(.code-below)").length,
    wide: wide.map((e) => e.outerHTML.slice(0, 160)),
    links: here.length,
  };
}"""
GLYPHS = """(signs) => {
  const draw = (sign) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 40 });
    const pen = canvas.getContext("2d");
    pen.font = "30px " + getComputedStyle(document.body).fontFamily;
    pen.fillText(sign, 2, 32);
    return canvas.toDataURL();
  };
  const none = draw("\\u{10FFFE}");
  return [...signs].filter((sign) => draw(sign) === none);
}"""


@contextmanager
def step(said):
    """Says what is being done and how long it took."""
    print(f"{said} ...", end=" ", flush=True)
    start = time.perf_counter()
    yield
    print(f"{time.perf_counter() - start:.0f} s", flush=True)


def faults_of_page(found):
    """What is wrong with the joined page, in sentences."""
    sentences = {
        "dead": "figures or quizzes did not start",
        "empty": "figures are empty",
        "raw": "formulas were not typeset",
        "wrong": "formulas have an error",
        "markup": "raw markup in the text",
        "lost": "links to places that are not in the book",
        "twice": "ids that stand twice",
        "wide": "wider than the paper",
    }
    faults = [
        f"{said}: {found[key][:5]} ({len(found[key])})" for key, said in sentences.items() if found[key]
    ]
    if found["markers"] != found["widgets"]:
        faults.append(
            f"{found['markers']} figures, quizzes and tables are in the pages, {found['widgets']} stand"
        )
    if found["folded"]:
        faults.append(f"{found['folded']} folds are closed")
    return faults


def pages_of(pdf):
    """{name of a link's target: the number of its page}."""
    numbers = {page.objgen: k for k, page in enumerate(pdf.pages, 1)}
    return {name[1:]: numbers[goal[0].objgen] for name, goal in pdf.Root.Dests.items()}


def bookmarks_of(entries):
    """The bookmarks of a PDF in order, whatever their level."""
    for entry in entries:
        yield entry
        yield from bookmarks_of(entry.children)


def name_bookmarks(pdf, headings):
    """Chromium drops the space where a heading is broken into lines: the words are those of the page."""
    with pdf.open_outline() as outline:
        bookmarks = list(bookmarks_of(outline.root))
        for bookmark, heading in zip(bookmarks, headings, strict=False):
            bookmark.title = heading
    return len(bookmarks)


def faults_of_pdf(pdf, found):
    """What the PDF lost of the page it was printed from; its bookmarks are named."""
    faults, targets, lost, links = [], pages_of(pdf), set(), 0
    if (n := name_bookmarks(pdf, found["headings"])) != len(found["headings"]):
        faults.append(f"{len(found['headings'])} headings, but {n} bookmarks")
    fonts = set()
    for k, page in enumerate(pdf.pages, 1):
        if not (here := page.get("/Resources", {}).get("/Font")):
            faults.append(f"page {k} is empty")
            continue
        fonts |= {font.objgen for font in here.values()}
        for note in page.get("/Annots", []):
            goal, action = note.get("/Dest"), note.get("/A", {})
            if goal is not None:
                links += 1
                if str(goal).lstrip("/") not in targets:
                    lost.add(str(goal))
            elif str(action.get("/URI", "")).startswith("file:"):
                lost.add(str(action["/URI"]))
    if lost:
        faults.append(f"links to nowhere: {sorted(lost)[:5]} ({len(lost)})")
    if links < found["links"]:  # a link that is broken into lines counts twice
        faults.append(f"{found['links']} links within the book, but {links} in the PDF")
    mute = [font for font in fonts if "/ToUnicode" not in pdf.get_object(font)]
    if mute:
        faults.append(f"the text of {len(mute)} of {len(fonts)} fonts can't be selected as text")
    return faults


def print_page(page, path, **how):
    page.pdf(path=path, prefer_css_page_size=True, print_background=True, **how)
    return pikepdf.open(path, allow_overwriting_input=True)


def fill_contents(page, at):
    """Write the page numbers into the contents; returns those that it shows, {target: page}."""
    return page.evaluate(
        """(at) => Object.fromEntries([...document.querySelectorAll("#contents a")].map((a) => {
          const target = decodeURIComponent(a.hash.slice(1));
          a.querySelector(".at").textContent = at[target] ?? "";
          return [target, at[target] ?? null];
        }))""",
        at,
    )


@contextmanager
def open_browser():
    with sync_playwright() as playwright:
        found = chromium.find(playwright)
        if found is None:
            sys.exit(chromium.MISSING)
        browser = playwright.chromium.launch(executable_path=found, args=chromium.OPTIONS)
        if int(browser.version.split(".")[0]) < NEEDED:
            sys.exit(f"Chromium {browser.version} can't print page numbers: {NEEDED} or newer is needed.")
        yield browser
        browser.close()


def settle(page, joined):
    """Open the joined page and wait until everything on it stands."""
    page.goto(joined.as_uri())
    page.emulate_media(media="print")
    page.evaluate(READY)


def make(browser, joined, path):
    """Print the joined page to `path`; returns what is wrong with it, in sentences."""
    page = browser.new_page(viewport={"width": PAGE_WIDTH, "height": 900}, reduced_motion="reduce")
    page.set_default_timeout(PATIENCE)
    faults = []
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on("console", lambda line: line.type == "error" and faults.append(f"console error: {line.text}"))
    with step("Opening it, mounting the figures, typesetting the mathematics"):
        settle(page, joined)
    found = page.evaluate(WHAT_IS_PRINTED)
    faults += faults_of_page(found)
    if missing := page.evaluate(GLYPHS, CHINESE):
        print(f"No font here has {''.join(missing)}: install a Chinese one (Debian: fonts-noto-cjk).")
    with step("Printing, to learn the page numbers"):
        at = pages_of(print_page(page, path))
    shown = fill_contents(page, at)
    with step("Printing"):
        pdf = print_page(page, path, outline=True, tagged=True)
    page.close()
    # Only what the contents lists: a place on the very edge of two pages may be counted to either.
    at = pages_of(pdf)
    if wrong := [f"{to}: {n}, not {at.get(to)}" for to, n in shown.items() if n is None or n != at.get(to)]:
        faults.append(f"page numbers in the contents are not those of the pages: {wrong[:5]} ({len(wrong)})")
    with step("Reading it back, and packing it"):
        faults += faults_of_pdf(pdf, found)
        pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    marks = len(found["headings"])
    print(f"{len(pdf.pages)} pages, {found['figures']} figures, {marks} bookmarks, {found['links']} links")
    return faults


def main(only=None):
    gc.disable()  # the pages are trees of a million tags, and all are kept: to look for rings takes long
    OUT.mkdir(parents=True, exist_ok=True)
    joined = OUT / "book.html"
    with step("Joining the pages"):
        text, faults = join(HTML, ROOT / "_toc.yml", only)
        joined.write_text(text, encoding="utf8")
    try:
        with open_browser() as browser:
            faults += make(browser, joined, PDF)
    except Error as error:
        sys.exit(f"Chromium could not print the book: {error.message.splitlines()[0]}")
    size = os.path.getsize(PDF)
    if size > LARGEST:
        faults.append(f"the PDF has {size / 1e6:.1f} MB; {LARGEST / 1e6:.0f} MB are allowed")
    if faults:
        sys.exit("The PDF is not as the book:\n  " + "\n  ".join(faults))
    print(f"The PDF is made ({size / 1e6:.1f} MB):\n  {PDF.relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1:] or None)
