"""What is counted of each page while it is read, and `{chapter-facts}`, the line under a chapter's title.

The same record gives the minutes of the list of chapters, of the part pages and of the colophon's tables, so
that no two places of the book disagree.
"""

import re

from docutils import nodes
from docutils.parsers.rst import Directive

from nnbook.settings import figures_of, specs_of

WORDS_PER_MINUTE = 180  # of a text with mathematics
MINUTES_PER_FIGURE = 2  # to predict, drag and see
MINUTES_PER_EQUATION = 0.5
CODE_LINES_PER_MINUTE = 20
SENTENCE_ENDS = re.compile(r"(?<=[.?!])(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z\d“‘])")


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


def noted(env):
    """{page: its record}; `count` says what a record holds."""
    if not hasattr(env, "nnbook_facts"):
        env.nnbook_facts = {}
    return env.nnbook_facts


def count(app, doctree):
    """Note the record of the page that was just read."""
    env, docname = app.env, app.env.docname
    figures = len(figures_of(env, docname))
    noted(env)[docname] = {
        "words": words_in(doctree),
        "figures": figures,
        "labels": [node["label"] for node in doctree.findall(nodes.math_block) if node.get("label")],
        "exercises": sum(1 for node in doctree.findall() if "exercise" in _classes(node)),
        "questions": sum(len(spec.get("questions", ())) for spec in specs_of(env, docname)),
        "minutes": in_fives(minutes_for(doctree, figures)),
        "sections": dict(section_minutes(doctree)),
        "seconds": (env.nb_metadata.get(docname, {}).get("exec_data") or {}).get("runtime"),
        "promise": first_sentence(section_text(doctree, "what-you-will-see")),
    }


def words_in(part):
    return sum(len(node.astext().split()) for node in part.findall(nodes.paragraph))


def minutes_for(part, figures):
    """Minutes that a page or a section with so many figures takes to read and drag."""
    lines = sum(len(block.astext().splitlines()) for block in part.findall(is_open_code))
    displayed = sum(1 for _ in part.findall(nodes.math_block))
    minutes = words_in(part) / WORDS_PER_MINUTE + lines / CODE_LINES_PER_MINUTE
    return minutes + MINUTES_PER_FIGURE * figures + MINUTES_PER_EQUATION * displayed


def in_fives(minutes):
    return 5 * max(1, round(minutes / 5))


def section_minutes(doctree):
    """(a name that links use, minutes) of each section. A figure is a cell that says `explore(`."""
    for section in doctree.findall(nodes.section):
        made = [block for block in section.findall(nodes.literal_block) if "explore(" in block.astext()]
        for name in {*section["ids"], section.get("slug")}:
            yield name, minutes_for(section, len(made))


def _classes(node):
    return node.get("classes", ()) if isinstance(node, nodes.Element) else ()


def section_text(doctree, name):
    """The first paragraph of the section of that id, as plain text."""
    for section in doctree.findall(nodes.section):
        if name in section["ids"]:
            return next((node.astext() for node in section.findall(nodes.paragraph)), "")
    return ""


def first_sentence(text):
    return SENTENCE_ENDS.split(" ".join(text.split()), 1)[0]


def duration(minutes):
    """Minutes in words: "45 minutes", "5½ hours"."""
    if minutes < 120:
        return f"{minutes} minutes"
    halves = round(minutes / 30)
    return f"{halves // 2}{'½' * (halves % 2)} hours"


def line(record):
    """The sentence for one chapter."""
    figures, seconds = record["figures"], record["seconds"]
    parts = [f"About {record['minutes']} minutes to read and drag"]
    parts.append(f"{figures} live figure{'s' * (figures != 1)}")
    if seconds is not None:
        parts.append(f"its code ran in {seconds:.0f} s when this page was built")
    return " · ".join(parts)


def fill(app, doctree, docname):
    for node in list(doctree.findall(ChapterFacts)):
        said = line(noted(app.env)[docname])
        node.replace_self(nodes.paragraph("", said, classes=["chapter-facts"]))


def purge(app, env, docname):
    noted(env).pop(docname, None)


def setup(app):
    app.add_node(ChapterFacts)
    app.add_directive("chapter-facts", FactsDirective)
    app.connect("env-purge-doc", purge)
    app.connect("doctree-read", count, priority=900)  # after the listings were shortened
    app.connect("doctree-resolved", fill)
