"""`{equation-index}`: every equation of the book, the function that it is, and the tests that check it.

Nothing of the list is typed: labels are read from the chapters, functions from the docstrings, tests from the
code of tests/unit (see labels.py); the mathematics is that of the chapter's page. What is missing is a
warning, and so the build fails.
"""

import copy
import re
from functools import cache

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from nnbook.labels import ROOT, Sources, labels_in

logger = logging.getLogger(__name__)
TESTS = "_modules/tests/unit"  # where the pages with the code of the tests are, beside those of nnmath


@cache
def sources():
    return Sources.of()


class Formula(nodes.General, nodes.Element):
    """Stands where the mathematics of the equation `label` will be, once its chapter has been read."""


class CheckedBy(nodes.General, nodes.Element):
    """Stands where a link to the code of the test `name` in the file `file` will be."""


def pages_in_order():
    """The pages of the book that have equations, as (docname, title, labels), in the order of _toc.yml."""
    toc = re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf8"))
    pages = {name.rsplit(".", 1)[0]: text for name, (text, _) in sources().pages.items()}
    for docname in toc:
        text = pages.get(docname.rsplit("/", 1)[-1], "")
        title = re.search(r"^# (.+)", text, re.MULTILINE)
        if labels_in(text):
            yield docname, title[1], labels_in(text)


class EquationIndex(SphinxDirective):
    """A section for each page that has equations, and one for what has none."""

    def run(self):
        for folder, kind in (("notebooks", "ipynb"), ("book", "md"), ("nnmath", "py"), ("tests/unit", "py")):
            for path in (ROOT / folder).glob(f"*.{kind}"):
                if path.stem != "equations":
                    self.env.note_dependency(str(path))
        self.env.note_dependency(str(ROOT / "_toc.yml"))
        sections = [self.page(*page) for page in pages_in_order()]
        return [*sections, self.exceptions()]

    def section(self, name, *title):
        section = nodes.section("", nodes.title("", "", *title), ids=[nodes.make_id(name)])
        self.state.document.note_explicit_target(section)
        return section

    def page(self, docname, title, labels):
        link = self.link("std", "doc", f"/{docname}", nodes.inline("", title), refexplicit=True)
        section = self.section(f"equations-of-{docname.rsplit('/', 1)[-1]}", link)
        section += [self.entry(label) for label in labels if label.startswith("eq:")]
        steps = [label for label in labels if label.startswith("der:")]
        if steps:
            what = "The steps of its derivations, each" if len(steps) > 1 else "A step of a derivation,"
            line = nodes.paragraph("", f"{what} checked by a code cell of the same page: ", classes=["steps"])
            for k, label in enumerate(steps):
                line += [nodes.Text(", " if k else ""), self.number(label)]
            line += nodes.Text(".")
            section += line
        return section

    def link(self, domain, kind, target, child, **more):
        how = {"refdomain": domain, "reftype": kind, "reftarget": target, "refdoc": self.env.docname}
        return addnodes.pending_xref("", child, refwarn=True, **how, **more)

    def number(self, label):
        return self.link("math", "eq", label, nodes.inline("", label))

    def function(self, place):
        """A link to the entry of nnmath.module.name."""
        name = ".".join(place.split(".")[2:]) or place
        kind = "obj" if name != place else "mod"
        return self.link("py", kind, place, nodes.literal("", name), refexplicit=True)

    def entry(self, label):
        found, tests = sources().functions.get(label, []), sources().checked_by(label)
        head = nodes.paragraph("", "", self.number(label), classes=["equation-head"])
        for place in found:
            head += [nodes.Text(" "), self.function(f"nnmath.{place}")]
        below = nodes.paragraph("", "Checked by ", classes=["equation-tests"])
        for k, test in enumerate(tests):
            below += [
                nodes.Text(", " if k else ""),
                CheckedBy(file=test.file, name=test.name, line=test.line),
            ]
        return nodes.container("", head, Formula(label=label), below, classes=["equation-entry"])

    def exceptions(self):
        section = self.section("without-an-equation", nodes.Text("What has no equation"))
        says = "These are public too, and compute nothing that a chapter derives:"
        items = nodes.bullet_list()
        for place, reason in sources().exceptions.items():
            parts = [
                nodes.literal("", said) if k % 2 else nodes.Text(said)
                for k, said in enumerate(f": {reason}.".split("`"))
            ]
            name = self.function(place)
            items += nodes.list_item("", nodes.paragraph("", "", name, *parts))
        section += [nodes.paragraph("", says), items]
        return section


def fill(app, doctree, docname):
    """The mathematics of each equation, as its chapter has it, and the links to the tests."""
    for node in list(doctree.findall(Formula)):
        app.env.get_domain("math").data["has_equations"][docname] = True  # so that MathJax is loaded
        node.replace_self(mathematics(app.env, node["label"]))
    for node in list(doctree.findall(CheckedBy)):
        said = nodes.literal("", node["name"])
        if app.builder.format == "html":
            address = app.builder.get_relative_uri(docname, f"{TESTS}/{node['file']}")
            address = f"{address}#line-{node['line']}"
            said = nodes.reference("", "", said, internal=True, refuri=address)
        node.replace_self([said, nodes.Text(f" ({node['file']}.py)")])


def mathematics(env, label):
    """A copy of the equation without number, label and ids, which stay in its chapter."""
    docname = env.get_domain("math").equations[label][0]
    for node in chapter(env, docname).findall(nodes.math_block):
        if node.get("label") == label:
            formula = copy.copy(node)
            formula.attributes = node.attributes | {"ids": [], "names": [], "number": None, "label": None}
            formula.children = [child.deepcopy() for child in node.children]
            return [formula]
    return []


@cache
def chapter(env, docname):
    return env.get_doctree(docname)


def check(app, env):
    for fault in sources().faults():
        logger.warning("%s", fault, location="book/equations", type="nnbook")


def code_of_tests(app):
    """A page with the code of each file of tests that the list names."""
    if app.builder.format != "html":
        return
    for file in sorted({t.file for label in sources().functions for t in sources().checked_by(label)}):
        code = app.builder.highlighter.highlight_block(sources().tests[file], "python", lineanchors="line")
        code = re.sub(
            r'<a id="(line-\d+)"[^>]*></a>', r'<span id="\1"></span>', code
        )  # no links without a word
        title = f"tests/unit/{file}.py"
        yield (
            f"{TESTS}/{file}",
            {"title": title, "body": f"<h1>{title}</h1>\n<div class='code-of-tests'>{code}</div>"},
            "page.html",
        )


def setup(app):
    app.add_node(Formula)
    app.add_node(CheckedBy)
    app.add_directive("equation-index", EquationIndex)
    app.connect("doctree-resolved", fill)
    app.connect("env-check-consistency", check)
    app.connect("html-collect-pages", code_of_tests)
