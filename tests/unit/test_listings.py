"""Listings of nnmath in the book: code whole, docstrings cut to their first line."""

import ast
import inspect
import re
import textwrap

from nnbook.listings import CHECKS, shortened

import nnmath


def without_docstrings(code):
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def test_a_listing_keeps_all_code_and_one_line_of_the_docstring():
    for thing in (nnmath.softmax, nnmath.MLP, nnmath.Adam, nnmath.sigmoid_backward):
        whole = inspect.getsource(thing)
        short = shortened(whole)
        assert without_docstrings(short) == without_docstrings(whole)
        said = ast.get_docstring(ast.parse(short).body[0])
        assert said == re.sub(r", eq:[a-z-]+", "", thing.__doc__.splitlines()[0])


def test_readers_see_no_labels():
    for thing in (
        nnmath.mse,
        nnmath.cross_entropy,
        nnmath.gelu_backward,
        nnmath.relu_backward,
        nnmath.MLP.forward,
    ):
        assert "eq:" in thing.__doc__ and "eq:" not in shortened(textwrap.dedent(inspect.getsource(thing)))
    assert CHECKS.sub("", "# der:one, der:two\nx = 1  # der:x\n") == "x = 1  # der:x\n"


def test_a_method_keeps_its_indent():
    short = shortened('    def f(self):\n        """One.\n\n        Two.\n        """\n        return 1\n')
    assert short == '    def f(self):\n        """One."""\n        return 1'
