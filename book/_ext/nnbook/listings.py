"""A listing of nnmath shows one line of its docstring; arguments, errors and sources stay in the file."""

import ast
import textwrap
from pathlib import Path

from docutils import nodes


def shortened(code):
    """Python source with every docstring of several lines cut to its first line."""
    lines = code.splitlines()
    tree = ast.parse(textwrap.dedent(code))
    kinds = (ast.FunctionDef, ast.ClassDef)
    for node in sorted((n for n in ast.walk(tree) if isinstance(n, kinds)), key=lambda n: -n.lineno):
        said = node.body[0]
        if ast.get_docstring(node) is None or said.lineno == said.end_lineno:
            continue
        first = lines[said.lineno - 1] + '"""'
        lines[said.lineno - 1 : said.end_lineno] = [first]
    return "\n".join(lines)


def shorten(app, doctree):
    for listing in doctree.findall(nodes.literal_block):
        if "nnmath" in Path(listing.get("source", "")).parts and listing.get("language") == "python":
            short = shortened(listing.rawsource or listing.astext())
            listing.rawsource, listing[:] = short, [nodes.Text(short)]


def setup(app):
    app.connect("doctree-read", shorten)
