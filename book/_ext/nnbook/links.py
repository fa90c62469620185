"""Every link within the book leads somewhere: checked at the end of each HTML build, in all written pages.

A page, a place on it, a picture, a script or a file that is missing fails the build, and so does an id that
stands twice. The message names the page and the link. Links that set a figure are checked in settings.py,
addresses beyond the book by `make links`.
"""

import html
import pickle
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.util import logging

logger = logging.getLogger(__name__)
# What is no markup: comments, styles, and scripts' insides, above all the states of the figures.
INSIDES = re.compile(r"<!--.*?-->|(<(script|style)\b[^>]*>).*?(?=</\2>)", re.S)
TAG = re.compile(r"<[a-zA-Z][\w-]*(?:\s+[^<>=\s\"'/]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?)*\s*/?>")
ATTRIBUTE = re.compile(r"\s([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
LEADS = ("href", "src", "xlink:href", "poster", "data")
OPENED_BY_READERS = {
    "a",
    "area",
    "link",
}  # what else has an address is asked for as soon as the page is opened
BEYOND = {"http", "https", "mailto"}


class Page:
    """The ids of a page and its links as (tag, address)."""

    def __init__(self, text):
        self.ids, self.links, self.twice = set(), [], set()
        for tag in TAG.finditer(INSIDES.sub(r"\1", text)):
            found = {
                m[1].lower(): html.unescape(m[2] or m[3] or m[4] or "") for m in ATTRIBUTE.finditer(tag[0])
            }
            name = re.match(r"<([\w-]+)", tag[0])[1].lower()
            for place in {found.get("id"), found.get("name") if name == "a" else None} - {None}:
                (self.twice if place in self.ids else self.ids).add(place)
            if "setting" not in found.get("class", "").split():
                self.links += [(name, found[key]) for key in LEADS if found.get(key)]


def read(root, paths, memory):
    """{path: Page} of the pages at `paths` below `root`.

    A page that has not changed since it was noted in the file `memory` is not read again.
    """
    try:
        known = pickle.loads(memory.read_bytes())
    except (OSError, pickle.UnpicklingError, AttributeError, EOFError):
        known = {}
    pages = {}
    for path in (root / path for path in paths):
        now = path.stat().st_mtime_ns, path.stat().st_size
        before, page = known.get(path, (None, None))
        pages[path] = now, page if before == now else Page(path.read_text(encoding="utf8"))
    memory.write_bytes(pickle.dumps(pages))
    return {path: page for path, (_, page) in pages.items()}


def faults(root, paths, memory):
    """What is wrong with the links of the pages at `paths` below `root`, as (path, sentence).

    A page that is there but not among `paths` was left by an earlier build: nothing may lead to it.
    memory: a file that keeps what was read, for the next time.
    """
    root = Path(root).resolve()
    pages = read(root, paths, memory)
    there = {}
    for where, page in pages.items():
        for place in sorted(page.twice):
            yield where.relative_to(root).as_posix(), f"the id {place!r} stands twice"
        for tag, address in dict.fromkeys(page.links):
            problem = _problem(root, pages, there, where, tag, address)
            if problem:
                yield where.relative_to(root).as_posix(), f"{address}: {problem}"


def _problem(root, pages, there, where, tag, address):
    parts = urlsplit(address)
    if parts.scheme == "data" or (tag in OPENED_BY_READERS and parts.scheme in BEYOND):
        return None
    if parts.scheme or parts.netloc:
        return "is not within the book"
    target = where
    if parts.path:
        key = where.parent, parts.path
        if key not in there:
            there[key] = (where.parent / unquote(parts.path)).resolve()
        target = there[key]
    if not target.is_relative_to(root):
        return "leads out of the book"
    if target not in pages:
        return "no page of this book" if target.suffix == ".html" else _missing(there, target)
    place = unquote(parts.fragment)
    if place and place not in pages[target].ids:
        return f"no place {place!r} on that page"
    return None


def _missing(there, target):
    if target not in there:
        there[target] = None if target.is_file() else "no such file"
    return there[target]


def written_pages(app):
    """The pages of this build, and those that Sphinx and the book write besides."""
    root, pages = Path(app.outdir), [app.builder.get_target_uri(d) for d in sorted(app.env.found_docs)]
    besides = ["index.html", "search.html", "genindex.html", "py-modindex.html"]
    besides += [path.relative_to(root).as_posix() for path in sorted(root.glob("_modules/**/*.html"))]
    return pages + [page for page in besides if (root / page).is_file() and page not in pages]


def check(app, error):
    if not error and app.builder.name == "html":
        memory = Path(app.doctreedir) / "links.pickle"
        for path, problem in faults(app.outdir, written_pages(app), memory):
            logger.warning("link: %s: %s", path, problem, type="nnbook")


def setup(app):
    app.connect("build-finished", check, priority=900)  # after every module that writes a page or a file
