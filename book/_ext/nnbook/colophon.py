"""The colophon's tables, each a directive: `{versions}`, `{chapter-table}`, `{checks}`, `{benchmarks}`; and
`{reading-rule}`, a sentence on how reading times are reckoned.

Nothing in them is typed: versions are those of the environment that builds, counts are the records of
`facts`, speeds are what the last `make bench` saved. A page's size is known when it is written, so its cell
is filled last.
"""

import ast
import gzip
import json
import platform
import re
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

from docutils import nodes

from nnbook import contents, facts
from nnbook.labels import parsed
from nnbook.numbers import chapter_number

TOOLS = {  # as readers know them: what each does here
    "NumPy": "every computation",
    "Matplotlib": "draws the figures that the page then moves",
    "anywidget": "the same figures in a live notebook",
    "scikit-learn": "data, and a peer to compare with",
    "dask": "the processes of chapter 14",
    "jupyter-book": "makes pages of notebooks",
    "myst-nb": "runs the notebooks",
    "Sphinx": "links, numbers, search",
    "sphinx-book-theme": "the look, under the book's own style sheet",
    "sphinx-exercise": "exercises and solutions",
    "pytest": "runs the tests",
    "hypothesis": "looks for inputs that break a function",
    "autograd": "the second opinion on every derivative",
    "playwright": "drives the browser that tests the pages",
}
SIZE = re.compile(r'<span class="page-size" data-page="([^"]*)">[^<]*</span>')


def table(head, rows, kind):
    """A table whose first column names its rows. A column of numbers stands at the right."""
    group = nodes.tgroup("", cols=len(head))
    for i in range(len(head)):
        group += nodes.colspec("", colwidth=1, **({"stub": 1} if i == 0 else {}))
    right = [all(_is_number(row[i]) for row in rows) for i in range(len(head))]
    group += nodes.thead("", _row(head, right))
    group += nodes.tbody("", *(_row(row, right) for row in rows))
    return nodes.table("", group, classes=[kind, "counts"])


def _is_number(cell):
    return isinstance(cell, int | float | nodes.raw) or (
        isinstance(cell, str) and bool(re.match(r"[\d–]|$", cell))
    )


def _row(cells, right):
    row = nodes.row()
    for cell, number in zip(cells, right, strict=True):
        inside = cell if isinstance(cell, nodes.Node) else nodes.Text(_text(cell))
        row += nodes.entry("", nodes.paragraph("", "", inside), classes=["number"] * number)
    return row


def _text(cell):
    return f"{cell:,}".replace(",", "\u202f") if isinstance(cell, int) else str(cell)


def mathjax_version(root):
    """The version that the copy in book/assets says it is."""
    return re.match(r"MathJax ([\d.]+)", (root / "book/assets/mathjax/README.md").read_text(encoding="utf8"))[
        1
    ]


def versions(app, here):
    rows = [["Python", platform.python_version(), "the language of the book"]]
    for name, use in TOOLS.items():
        rows.append([name, metadata.version(name), use])
    rows.append(
        ["MathJax", mathjax_version(Path(app.srcdir)), "sets the formulas, from a copy within the book"]
    )
    return [table(["program", "version", "what it does here"], rows, "versions")]


def chapters(env):
    pages = (page for part in contents.parts(env) for page in part.pages if chapter_number(page))
    return sorted(pages, key=chapter_number)


def chapter_table(app, here):
    head = [
        "chapter",
        "minutes",
        "words",
        "live figures",
        "equations",
        "exercises",
        "quiz",
        "runs, s",
        "size, kB",
    ]
    records, rows = [], []
    for page in chapters(app.env):
        record = facts.noted(app.env)[page]
        records.append(record)
        rows.append([contents.link(app, here, page), *_counts(record), size(page)])
    total = {key: sum(record[key] or 0 for record in records) for key in records[0] if _adds(records, key)}
    total["labels"] = [label for record in records for label in record["labels"]]
    rows.append([nodes.strong("", "all"), *_counts(total), size("all")])
    return [table(head, rows, "chapter-table")]


def reading_rule(app, here):
    said = (
        f"Reading times reckon {facts.WORDS_PER_MINUTE} words or {facts.CODE_LINES_PER_MINUTE} lines of open"
        f" code to the minute, {facts.MINUTES_PER_FIGURE} minutes for each live figure, and"
        f" {60 * facts.MINUTES_PER_EQUATION:.0f} seconds for each displayed equation."
    )
    return [nodes.paragraph("", said)]


def _adds(records, key):
    return all(isinstance(record[key], int | float | None) for record in records)


def _counts(record):
    seconds = "–" if record["seconds"] is None else f"{record['seconds']:.0f}"
    keys = ("minutes", "words", "figures")
    return [
        *(record[k] for k in keys),
        len(record["labels"]),
        record["exercises"],
        record["questions"],
        seconds,
    ]


def size(page):
    """Stands for the size of a page, gzipped, until all are written."""
    return nodes.raw("", _sized(page), format="html")


def fill_sizes(app, error):
    """Put the sizes of the written pages where `size` left room."""
    if error or app.builder.name != "html":
        return
    out = Path(app.outdir)
    with ThreadPoolExecutor() as pool:  # to compress takes no turn of Python's
        found = pool.map(lambda page: weight(out / f"{page}.html"), chapters(app.env))
        sizes = dict(zip(chapters(app.env), found, strict=True))
    sizes["all"] = sum(sizes.values())
    for page in contents.telling(app.env):
        path = out / f"{page}.html"
        text = path.read_text(encoding="utf8") if path.exists() else ""
        if "page-size" in text:
            path.write_text(SIZE.sub(lambda found: _sized(found[1], sizes[found[1]]), text), encoding="utf8")


def weight(path):
    """What a page weighs on its way to a reader: kilobytes, gzipped."""
    return len(gzip.compress(path.read_bytes(), 9)) / 1000


def _sized(page, kilobytes="–"):
    said = kilobytes if isinstance(kilobytes, str) else _text(round(kilobytes))
    return f'<span class="page-size" data-page="{page}">{said}</span>'


def checks(app, here):
    root = Path(app.srcdir)
    labels = [label for page in chapters(app.env) for label in facts.noted(app.env)[page]["labels"]]
    notebooks = [
        json.loads(path.read_text(encoding="utf8")) for path in sorted(root.glob("notebooks/*.ipynb"))
    ]
    cells = sum(cell["cell_type"] == "code" for notebook in notebooks for cell in notebook["cells"])
    rows = [
        [
            "equations, each one function of the package, tested",
            sum(label.startswith("eq:") for label in labels),
        ],
        [
            "steps of derivations, each checked in its chapter",
            sum(label.startswith("der:") for label in labels),
        ],
        ["cells of code, run again and compared with what is printed", cells],
        ["tests of the code and of the form of the chapters", tests_in(root / "tests", besides="book")],
        [
            "tests of the built pages in a browser, most of them on every page",
            tests_in(root / "tests" / "book"),
        ],
    ]
    return [table(["what is checked", "how many"], rows, "checks")]


def tests_in(folder, besides=None):
    """The number of test functions in the files of a folder. (Many run once for each page or figure.)"""
    paths = [p for p in sorted(folder.rglob("test_*.py")) if besides not in p.relative_to(folder).parts]
    bodies = [parsed(path.read_text(encoding="utf8")).body for path in paths]
    bodies += [node.body for body in bodies for node in body if isinstance(node, ast.ClassDef)]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for body in bodies for node in body if isinstance(node, kinds)]
    return sum(node.name.startswith("test_") for node in found)


def benchmarks(app, here):
    path = Path(app.srcdir) / "benchmarks" / "results.json"
    results = json.loads(path.read_text(encoding="utf8"))
    about = dict(results.get("machine", {}))
    date = about.pop("date", results.get("date"))
    machine = ", ".join(str(value) for value in about.values())
    said = f"Measured {f'on {date} ' if date else ''}on: {machine or 'a machine that was not noted'}."
    head = ["work", "compared with", "nnmath", "the other", "ratio", "wanted", "met"]
    rows = [speed(row) for row in results["rows"]]
    return [nodes.paragraph("", said), table(head, rows, "benchmarks")]


def speed(row):
    """One claim as a row of the table."""
    unit, target = row.get("unit", ""), row.get("target")
    sign = {">=": "≥", "<=": "≤"}[row["sign"]]
    return [
        row["work"],
        row.get("peer") or "–",
        _seconds(row.get("ours")),
        _seconds(row.get("theirs")),
        _quantity(row.get("value"), unit),
        "–" if target is None else f"{sign}\u00a0{_quantity(target, unit)}",
        row["verdict"] or "–",
    ]


def _quantity(value, unit):
    if value is None:
        return "–"
    number = f"{float(f'{value:.3g}'):g}"
    return {"x": f"{number}×", "of its time": number}.get(unit, f"{number}\u00a0{unit}")


def _seconds(s):
    if s is None:
        return "–"
    return f"{s * 1e3:.3g}\u00a0ms" if s >= 1e-3 else f"{s * 1e6:.3g}\u00a0µs"


def setup(app):
    contents.add(app, "versions", versions)
    contents.add(app, "chapter-table", chapter_table)
    contents.add(app, "reading-rule", reading_rule)
    contents.add(app, "checks", checks)
    contents.add(app, "benchmarks", benchmarks)
    app.connect("build-finished", fill_sizes, priority=900)  # when every page is as it stays
