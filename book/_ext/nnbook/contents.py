"""The parts of the book as _toc.yml has them: `{chapter-list}` on the first page lists all of them, and
`{part-chapters}` on a part's own page its chapters, each with the first sentence of *What you will see*.

Minutes come from the records of `facts`. Pages that tell of other pages are written again whenever any page
was read.
"""

from dataclasses import dataclass

from docutils import nodes
from docutils.parsers.rst import Directive

from nnbook import facts
from nnbook.numbers import chapter_number


@dataclass(frozen=True)
class Part:
    caption: str
    pages: tuple  # docnames in order, without that of the part itself
    opener: str | None  # the part's own page


class Stand(nodes.General, nodes.Element):
    """Stands where `make(app, docname)` will put what it makes, once every page has been read."""


class StandDirective(Directive):
    make = None

    def run(self):
        env = self.state.document.settings.env
        telling(env).add(env.docname)
        return [Stand(make=self.make)]


def telling(env):
    """The pages that tell of others."""
    if not hasattr(env, "nnbook_telling"):
        env.nnbook_telling = set()
    return env.nnbook_telling


def parts(env):
    """The parts, in the order of _toc.yml."""
    found = []
    for tree in env.external_site_map.root.subtrees:
        pages = [str(item) for item in tree.items]
        opener = pages[0] if pages[0].rpartition("/")[2].startswith("part_") else None
        found.append(Part(tree.caption, tuple(p for p in pages if p != opener), opener))
    return found


def link(app, here, there, text=None, classes=()):
    """A reference from one page to another."""
    uri = app.builder.get_relative_uri(here, there)
    text = text or app.env.titles[there].astext()
    return nodes.reference("", text, refuri=uri, internal=True, classes=list(classes))


def minutes(env, pages):
    return sum(facts.noted(env)[page]["minutes"] for page in pages if chapter_number(page))


def entry(app, here, page, promise=False):
    """A line of a list of chapters."""
    record = facts.noted(app.env)[page]
    said = nodes.paragraph("", "", link(app, here, page))
    if chapter_number(page):
        said += [nodes.Text(" "), nodes.inline("", f"{record['minutes']} minutes", classes=["minutes"])]
    item = nodes.list_item("", said)
    if promise and record["promise"]:
        item += nodes.paragraph("", record["promise"], classes=["promise"])
    return item


def chapter_list(app, here):
    made = []
    for part in parts(app.env):
        title = nodes.paragraph("", "", classes=["part"])
        title += link(app, here, part.opener, part.caption) if part.opener else nodes.Text(part.caption)
        total = minutes(app.env, part.pages)
        if total:
            title += [nodes.Text(" "), nodes.inline("", facts.duration(total), classes=["minutes"])]
        items = [entry(app, here, page) for page in part.pages]
        made += [title, nodes.bullet_list("", *items, classes=["chapters"])]
    return made


def part_chapters(app, here):
    part = next(part for part in parts(app.env) if part.opener == here)
    many = f"{len(part.pages)} chapters" if len(part.pages) > 1 else "One chapter"
    figures = sum(facts.noted(app.env)[page]["figures"] for page in part.pages)
    took = facts.duration(minutes(app.env, part.pages))
    said = f"{many} · about {took} to read and drag · {figures} live figures"
    items = [entry(app, here, page, promise=True) for page in part.pages]
    return [
        nodes.paragraph("", said, classes=["chapter-facts"]),
        nodes.bullet_list("", *items, classes=["chapters"]),
    ]


def fill(app, doctree, docname):
    for stand in list(doctree.findall(Stand)):
        stand.replace_self(stand["make"](app, docname))


def write_again(app, env):
    return sorted(telling(env) & env.found_docs)


def purge(app, env, docname):
    telling(env).discard(docname)


def add(app, name, make):
    """Make `make(app, docname) -> nodes` the directive `{name}`."""
    app.add_directive(
        name, type(f"Directive_{make.__name__}", (StandDirective,), {"make": staticmethod(make)})
    )


def setup(app):
    app.add_node(Stand)
    add(app, "chapter-list", chapter_list)
    add(app, "part-chapters", part_chapters)
    app.connect("env-purge-doc", purge)
    app.connect("env-updated", write_again)
    app.connect("doctree-resolved", fill, priority=400)
