"""What readers see of the code: no labels of equations, which are there for the tests; and of a listing of
nnmath one line of its docstring. Arguments, errors and sources stay in the file."""

import ast
import re
import textwrap
from pathlib import Path

from docutils import nodes

CITED = re.compile(r",? eq:[\w-]+(?:(?:,| and) eq:[\w-]+)*")
CHECKS = re.compile(r"^# der:[^\n]*\n", re.MULTILINE)


def shortened(code):
    """Python source with every docstring of several lines cut to its first line."""
    lines = code.splitlines()
    tree = ast.parse(textwrap.dedent(code))
    kinds = (ast.FunctionDef, ast.ClassDef)
    for node in sorted((n for n in ast.walk(tree) if isinstance(n, kinds)), key=lambda n: -n.lineno):
        said = node.body[0]
        if ast.get_docstring(node) is None:
            continue
        first = CITED.sub("", lines[said.lineno - 1]) + '"""' * (said.lineno < said.end_lineno)
        lines[said.lineno - 1 : said.end_lineno] = [first]
    return "\n".join(lines)


def shorten(app, doctree):
    for listing in doctree.findall(nodes.literal_block):
        if "nnmath" in Path(listing.get("source", "")).parts and listing.get("language") == "python":
            short = shortened(listing.rawsource or listing.astext())
            listing.rawsource, listing[:] = short, [nodes.Text(short)]
        elif CHECKS.search(listing.astext()):
            short = CHECKS.sub("", listing.astext())
            listing.rawsource, listing[:] = short, [nodes.Text(short)]


def setup(app):
    app.connect("doctree-read", shorten)
