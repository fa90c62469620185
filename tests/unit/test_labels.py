"""Every equation is a function, and every function has its equation: labels and docstrings, both ways.

`eq:name` on an equation of the book is cited by the docstring of exactly one public function, class or method
of nnmath; whatever nnmath cites stands in the book once. `der:name` is a step of a derivation: a code cell of
the same chapter checks it and says so in a comment, `# der:name`. Equations bear no other labels.
"""

import ast
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CITED = re.compile(r"\beq:[a-z0-9]+(?:-[a-z0-9]+)*")
LABEL = re.compile(
    r"\$\$[ \t]*\(([^()\s]+)\)"  # $$ ... $$ (label)
    r"|^[ \t]*[`:]{3,}\{math\}[^\n]*\n(?:[ \t]*:(?!label:)[\w-]+:[^\n]*\n)*[ \t]*:label:[ \t]*(\S+)"
    r"|\\label\{([^{}]+)\}",
    re.MULTILINE,
)
CODE_CELL = re.compile(r"^[`:]{3,}\{code-cell\}[^\n]*\n(.*?)^[`:]{3,}[ \t]*$", re.MULTILINE | re.DOTALL)


def labels_in(text):
    """The labels of the equations of a Markdown text, in order."""
    return [next(filter(None, found)) for found in LABEL.findall(text)]


def book_pages():
    """{path: (its Markdown, its code)} of every chapter and page."""
    pages = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        texts = {"markdown": [], "code": [], "raw": []}
        for cell in json.loads(path.read_text(encoding="utf8"))["cells"]:
            texts[cell["cell_type"]].append("".join(cell["source"]))
        pages[path.name] = "\n\n".join(texts["markdown"]), "\n\n".join(texts["code"])
    for path in sorted((ROOT / "book").glob("*.md")):
        text = path.read_text(encoding="utf8")
        pages[path.name] = CODE_CELL.sub("", text), "\n".join(CODE_CELL.findall(text))
    return pages


def docstring_citations(source, module):
    """{label: [public functions, classes and methods whose docstring cites it]} of one module."""
    cited = defaultdict(list)

    def walk(node, name):
        for child in getattr(node, "body", []):
            if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
                full = f"{name}.{child.name}"
                for label in set(CITED.findall(ast.get_docstring(child) or "")):
                    cited[label].append(full)
                if isinstance(child, ast.ClassDef):
                    walk(child, full)

    walk(ast.parse(source), module)
    return cited


def package():
    """The labels that docstrings cite, and every label anywhere in nnmath with the files it is in."""
    in_docstrings, anywhere = defaultdict(list), defaultdict(set)
    for path in sorted((ROOT / "nnmath").rglob("*.py")):
        source = path.read_text(encoding="utf8")
        for label, names in docstring_citations(source, path.stem).items():
            in_docstrings[label] += names
        for label in CITED.findall(source):
            anywhere[label].add(path.name)
    return in_docstrings, anywhere


def test_labels_are_read():
    text = "$$ a $$ (eq:one)\n$$\nb\n$$ (der:two)\n```{math}\n:class: x\n:label: eq:three\nc\n```\n$$ d $$\n"
    assert labels_in(text) == ["eq:one", "der:two", "eq:three"]
    assert labels_in(r"\begin{equation} e \label{other} \end{equation}") == ["other"]
    source = (
        'def f():\n    """See eq:one."""\n'
        'class C:\n    def m(self):\n        """eq:two-b."""\n    def _p(self):\n        """eq:no."""\n'
    )
    assert docstring_citations(source, "mod") == {"eq:one": ["mod.f"], "eq:two-b": ["mod.C.m"]}


@pytest.mark.parametrize("page", book_pages())
def test_equation_labels_have_a_known_prefix(page):
    other = [label for label in labels_in(book_pages()[page][0]) if not label.startswith(("eq:", "der:"))]
    assert not other, f"{page}: an equation's label begins with eq: or der:, unlike {other}"


def test_no_label_stands_twice():
    where = defaultdict(list)
    for page, (text, _) in book_pages().items():
        for label in labels_in(text):
            where[label].append(page)
    twice = {label: pages for label, pages in where.items() if len(pages) > 1}
    assert not twice, f"labels on more than one equation: {twice}"


def test_each_equation_is_one_function():
    in_docstrings, _ = package()
    for page, (text, _) in book_pages().items():
        for label in labels_in(text):
            if label.startswith("eq:"):
                found = in_docstrings.get(label, [])
                assert len(found) == 1, (
                    f"{page}: {label} must be cited by one public docstring of nnmath, not {found}"
                )


def test_each_citation_is_an_equation_of_the_book():
    stand = Counter(label for text, _ in book_pages().values() for label in labels_in(text))
    lost = {label: sorted(files) for label, files in package()[1].items() if stand[label] != 1}
    assert not lost, f"cited in nnmath, but not an equation of the book: {lost}"


@pytest.mark.parametrize("page", book_pages())
def test_each_derivation_is_checked_in_its_chapter(page):
    text, code = book_pages()[page]
    checked = set(re.findall(r"\bder:[a-z0-9-]+", "\n".join(re.findall(r"#[^\n]*", code))))
    unchecked = [label for label in labels_in(text) if label.startswith("der:") and label not in checked]
    assert not unchecked, f"{page}: no code cell says `# {unchecked[0]}`; unchecked: {unchecked}"
    unknown = sorted(checked - set(labels_in(text)))
    assert not unknown, f"{page}: code says it checks {unknown}, which are not equations of this page"
