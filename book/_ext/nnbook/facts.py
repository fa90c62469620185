"""`{chapter-facts}`: how long a chapter takes to read and to run, counted and measured at build time."""

from docutils import nodes
from docutils.parsers.rst import Directive

from nnbook.settings import figures_of

WORDS_PER_MINUTE = 180  # of a text with mathematics
MINUTES_PER_FIGURE = 2  # to predict, drag and see
MINUTES_PER_EQUATION = 0.5
CODE_LINES_PER_MINUTE = 20


class ChapterFacts(nodes.General, nodes.Element):
    """Stands where the line will be."""


class FactsDirective(Directive):
    def run(self):
        return [ChapterFacts()]


def is_open_code(node):
    """Whether this is code that a reader sees without opening a fold."""
    if not isinstance(node, nodes.literal_block) or node.get("language") not in ("python", "ipython3"):
        return False
    while node is not None and not {"tag_hide-input", "solution"} & set(node.get("classes", [])):
        node = node.parent
    return node is None


def line(env, docname, doctree):
    """The sentence for one chapter."""
    words = sum(len(node.astext().split()) for node in doctree.findall(nodes.paragraph))
    figures = len(figures_of(env, docname))
    lines = sum(len(block.astext().splitlines()) for block in doctree.findall(is_open_code))
    minutes = words / WORDS_PER_MINUTE + lines / CODE_LINES_PER_MINUTE + MINUTES_PER_FIGURE * figures
    minutes += MINUTES_PER_EQUATION * sum(1 for _ in doctree.findall(nodes.math_block))
    run = (env.nb_metadata.get(docname, {}).get("exec_data") or {}).get("runtime")
    parts = [f"About {5 * max(1, round(minutes / 5))} minutes to read and drag"]
    parts.append(f"{figures} live figure{'s' * (figures != 1)}")
    if run is not None:
        parts.append(f"its code ran in {run:.0f} s when this page was built")
    return " · ".join(parts)


def fill(app, doctree, docname):
    for node in list(doctree.findall(ChapterFacts)):
        node.replace_self(nodes.paragraph("", line(app.env, docname, doctree), classes=["chapter-facts"]))


def setup(app):
    app.add_node(ChapterFacts)
    app.add_directive("chapter-facts", FactsDirective)
    app.connect("doctree-resolved", fill)
