"""`<meta name="description">` of each page: its first sentences, up to the first that has mathematics."""

import re
from html import escape

from docutils import nodes

from nnbook.facts import SENTENCE_ENDS

LONGEST = 240  # characters; search engines show about 160


def description(doctree):
    """The sentences at the page's beginning that fit, or "" where it does not begin with words."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section) and "chapter-facts" not in paragraph["classes"]:
            break
    else:
        return ""
    paragraph = paragraph.deepcopy()
    for formula in list(paragraph.findall(nodes.math)):
        formula.replace_self(nodes.Text("\ue000"))
    said = ""
    for sentence in SENTENCE_ENDS.split(re.sub(r"\s+", " ", paragraph.astext()).strip()):
        if "\ue000" in sentence or (said and len(said) + len(sentence) >= LONGEST):
            break
        said = f"{said} {sentence}".strip()
    return said


def describe(app, pagename, templatename, context, doctree):
    said = description(doctree) if doctree is not None else ""
    if said:
        tag = f'<meta name="description" content="{escape(said)}">'
        context["metatags"] = context.get("metatags", "") + "\n" + tag


def setup(app):
    app.connect("html-page-context", describe)
