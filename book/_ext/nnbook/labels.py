"""Which equation is which function, which tests check it, and what has neither: read from the sources alone.

`eq:name` on an equation of the book is cited by the docstring of exactly one public function, class or method
of nnmath; whatever nnmath cites stands in the book once. `der:name` is a step of a derivation: a code cell of
the same chapter checks it and says so in a comment, `# der:name`. Equations bear no other labels.

Nothing here needs Sphinx: the tests import it as well as the page of equations does.
"""

import ast
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CITED = re.compile(r"\beq:[a-z0-9]+(?:-[a-z0-9]+)*")
LABEL = re.compile(
    r"\$\$[ \t]*\(([^()\s]+)\)"  # $$ ... $$ (label)
    r"|^[ \t]*[`:]{3,}\{math\}[^\n]*\n(?:[ \t]*:(?!label:)[\w-]+:[^\n]*\n)*[ \t]*:label:[ \t]*(\S+)"
    r"|\\label\{([^{}]+)\}",
    re.MULTILINE,
)
CODE_CELL = re.compile(r"^[`:]{3,}\{code-cell\}[^\n]*\n(.*?)^[`:]{3,}[ \t]*$", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(
    r"\{literalinclude\}[ \t]*\S*nnmath/(\w+)\.py[ \t]*\n(?:[ \t]*:[\w-]+:.*\n)*?[ \t]*:pyobject:[ \t]*(\w+)"
)

# What has no equation of its own, or no chapter that calls it, and why that is as it should be. An entry is a
# module or one name of it. The page of equations shows this list; an entry that excuses nothing more fails
# the build, and so does a name that neither a chapter nor nnmath itself uses, whatever stands here.
EXCEPTIONS = {
    "nnmath.errors": "refuses what is wrong, and says why",
    "nnmath.activations.ones": "makes a sum a matrix product, which is faster over tiny axes",
    "nnmath.activations.last_sum": "a sum over the last axis as a product with `ones`",
    "nnmath.activations.rowsum": "the same with the axis kept",
    "nnmath.activations.rowmax": "a maximum over the last axis, by columns where that is faster",
    "nnmath.gradcheck.GradCheck": "what `gradcheck` returns",
    "nnmath.gradcheck.gradcheck": "compares a derivative with one of the two difference quotients",
    "nnmath.train.Step": "what `train` yields",
    "nnmath.train.History": "what `fit` returns",
    "nnmath.train.batch_gradient": "forward, loss and backward of any model, one after the other",
    "nnmath.train.fit": "runs `train` to its end and keeps what was seen",
    "nnmath.data": "data, not equations",
    "nnmath.search.uniform": "names a range",
    "nnmath.search.grid": "lists combinations",
    "nnmath.search.sample": "draws from each axis",
    "nnmath.search.search": "tries one setting after the other and keeps the results",
    "nnmath.parallel.connect": "opens a connection to a cluster",
    "nnmath.parallel.DataParallel": "sends shards to workers, and adds what they return by `shard_mean`",
    "nnmath.plot": "draws",
    "nnmath.artists": "reads what Matplotlib drew",
    "nnmath.explore": "makes a drawing live",
    "nnmath.quiz": "asks questions",
}


def labels_in(text):
    """The labels of the equations of a Markdown text, in order."""
    return [next(filter(None, found)) for found in LABEL.findall(text)]


def book_pages(root=ROOT):
    """{path: (its Markdown, its code)} of every chapter and page."""
    pages = {}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        texts = {"markdown": [], "code": [], "raw": []}
        for cell in json.loads(path.read_text(encoding="utf8"))["cells"]:
            texts[cell["cell_type"]].append("".join(cell["source"]))
        pages[path.name] = "\n\n".join(texts["markdown"]), "\n\n".join(texts["code"])
    for path in sorted((root / "book").glob("*.md")):
        text = path.read_text(encoding="utf8")
        pages[path.name] = CODE_CELL.sub("", text), "\n".join(CODE_CELL.findall(text))
    return pages


def python_sources(folder):
    """{name of the module: its source} of every Python file of a folder."""
    return {path.stem: path.read_text(encoding="utf8") for path in sorted(folder.glob("*.py"))}


@cache
def parsed(source):
    """The syntax tree of a module."""
    return ast.parse(source)


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

    walk(parsed(source), module)
    return cited


def public_names(source):
    """The functions and classes of a module whose names begin with no underscore, in order."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [n.name for n in parsed(source).body if isinstance(n, kinds) and not n.name.startswith("_")]


def names_used(text, code):
    """The names of nnmath that a page imports (ruff sees that they are used) or shows the source of."""
    used = {name for _, name in SHOWN.findall(text)}
    lines = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith((":", "%", "!")))
    nodes = list(ast.walk(ast.parse(lines)))
    return used | Names(nodes).own


class Names:
    """What a piece of code says of nnmath: `own`, names imported from it or taken from it as attributes.

    nodes: all of its syntax tree.
    """

    def __init__(self, nodes):
        self.packages, self.imported = set(), {}
        for node in nodes:
            if isinstance(node, ast.Import):
                names = (a.asname or a.name for a in node.names if a.name.split(".")[0] == "nnmath")
                self.packages |= {name.split(".")[0] for name in names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "nnmath":
                self.imported |= {a.asname or a.name: a.name for a in node.names}
        self.roots = self.packages | set(self.imported)
        self.own = set(self.imported.values()) | self.taken(nodes)

    def taken(self, nodes):
        """Names of nnmath that a part of the code mentions: nn.dense, or dense where it was imported."""
        found, left_out = set(), left_out_in(nodes)
        for node in nodes:
            if isinstance(node, ast.Attribute) and id(node) not in left_out:
                root = node.value
                while isinstance(root, ast.Attribute):
                    root = root.value
                if isinstance(root, ast.Name) and root.id in self.roots:
                    found.add(node.attr)
            elif isinstance(node, ast.Name) and node.id in self.imported and id(node) not in left_out:
                found.add(self.imported[node.id])
        return found


def left_out_in(nodes):
    """{id of a node: its name} of what is only said to be left out: `f is not nn.softmax`."""
    comparisons = (n for n in nodes if isinstance(n, ast.Compare) and isinstance(n.ops[0], ast.IsNot))
    others = (node for comparison in comparisons for node in comparison.comparators)
    return {id(n): getattr(n, "attr", None) or getattr(n, "id", None) for n in others}


# --- The tests of a function ------------------------------------------------------------------------------

ORACLES = {"autograd", "scipy", "sklearn"}  # these compute the same, and share no line with nnmath
RESTATED = re.compile(r"oracle|restated|projected|numeric|naive|by_hand|by_definition|written_out")
BESIDE = re.compile(  # what such a test checks is not the formula itself
    r"slice|stack|float32|precision|far_out|left_alone|bar_|interrupt|executor|repr|printed|left_behind|says_that"
    r"|no_steps|no_tokens|extreme|overflow|subnormal|fills|other_pixel|broadcast|and_no_more|its_file|public|copy"
)
LEFT_OUT = {
    "test_bad_input",
    "test_labels",
    "test_imports",
    "test_listings",
}  # refusals and forms, no formulas


@dataclass
class Test:
    """One test function: what it mentions itself, and what it reaches by helpers, tables and fixtures."""

    file: str
    name: str
    line: int
    own: set
    reached: set
    attributes: set
    independent: bool

    def checks(self, function):
        """Whether the test uses `module.name` or `module.Class.method`."""
        module, name, *method = function.split(".")
        if method:
            return method[0] in self.attributes and (name in self.reached or self.file == f"test_{module}")
        forward = name.removesuffix("_backward")
        by_attribute = name != forward and forward in self.reached and "backward" in self.attributes
        return name in self.reached or by_attribute

    def tells(self, function, label=""):
        """How much the test says of a function: most if it is named after it, or after the label."""
        module, name, *method = function.split(".")
        plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().removesuffix("_backward")
        subjects = {*(method or (plain, name.lower())), label.removeprefix("eq:").replace("-", "_")} - {""}
        words = self.name.removeprefix("test_")
        named = any(re.search(rf"(?:^|_){subject}(?:s|es)?(?:_|$)", words) for subject in subjects)
        of_its_kind = words.startswith(re.sub("e?s$", "", module))  # test_activation is of activations
        points = 4 * named + 3 * of_its_kind + 3 * self.independent + 2 * (name in self.own)
        points += 2 * (self.file == f"test_{module}") - 3 * (self.file == "test_article")
        return points - 0.3 * min(len(self.own), 10) - 5 * bool(BESIDE.search(words))


class Part:
    """A statement at the top of a file of tests: what it mentions. Each is walked once."""

    def __init__(self, node, names):
        nodes = list(ast.walk(node))
        self.line = node.lineno
        self.variables = {n.id for n in nodes if isinstance(n, ast.Name)}
        fixtures = {n.arg for n in nodes if isinstance(n, ast.arg)}
        self.said = self.variables | fixtures
        self.attributes = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
        self.taken, self.left_out = names.taken(nodes), set(left_out_in(nodes).values())


def union(sets):
    return set().union(*sets)


class TestFile:
    """The tests of one file, read without running it."""

    def __init__(self, name, source):
        self.name, tree = name, parsed(source)
        nodes = list(ast.walk(tree))
        names = Names(nodes)
        self.foreign = {
            a.asname or a.name.split(".")[0]
            for node in nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
            for a in node.names
            if (getattr(node, "module", None) or a.name).split(".")[0] in ORACLES
        }
        self.parts = defaultdict(list)  # {name: the statements at the top of the file that make it}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.parts[node.name].append(Part(node, names))
            elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                part = Part(node, names)
                for name in ast.walk(node):
                    if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                        self.parts[name.id].append(part)

    def needs(self, name):
        """The names at the top of the file that one of them needs, itself among them."""
        found, queue = set(), [name]
        while queue:
            name = queue.pop()
            if name not in found:
                found.add(name)
                queue += [said for part in self.parts[name] for said in part.said if said in self.parts]
        return found

    def tests(self):
        """All test functions of the file."""
        for name in [n for n in self.parts if n.startswith("test_")]:
            needs, own = self.needs(name), self.parts[name]
            parts = [part for n in needs for part in self.parts[n]]
            variables = union(part.variables for part in parts)
            # what a test takes from a table and then leaves out, it does not check
            left_out = union(part.left_out for part in own)
            yield Test(
                file=self.name,
                name=name,
                line=own[0].line,
                own=union(part.taken for part in own),
                reached=union(part.taken for part in parts) - left_out,
                attributes=union(part.attributes for part in parts),
                independent=bool(variables & self.foreign) or any(RESTATED.search(n) for n in needs),
            )


def all_tests(sources):
    """Every test of {name of a file: its source} that may check a formula."""
    return [
        test
        for file, source in sources.items()
        if file.startswith("test_") and file not in LEFT_OUT
        for test in TestFile(file, source).tests()
    ]


def callers(function, sources):
    """The public functions of a module of nnmath that call another one of it, as `fit` calls `train`."""
    module, name, *_ = function.split(".")
    return [
        f"{module}.{node.name}"
        for node in parsed(sources[module]).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name != name
        if any(isinstance(n, ast.Call) and getattr(n.func, "id", "") == name for n in ast.walk(node))
    ]


def telling_tests(function, tests, label="", through=(), most=3):
    """The most telling tests of `module.name` or `module.Class.method`, the best first.

    label: of the equation, after which a test may be named. through: functions that stand for this one too.
    """
    found = [t for t in tests if t.checks(function) or any(map(t.checks, through))]
    found = sorted(found, key=lambda t: -t.tells(function, label))
    least = max(0, found[0].tells(function, label) - 4) if found else 0
    told = [t for t in found if t.tells(function, label) >= least]
    best = next((t for t in told if t.independent), None)  # what stands on its own is never left out
    return told[:most] if best is None or best in told[:most] else [*told[: most - 1], best]


# --- What is missing --------------------------------------------------------------------------------------


@dataclass
class Sources:
    """All that the checks read: pages as `book_pages` gives them, modules and tests as {name: source}."""

    pages: dict
    modules: dict
    tests: dict
    exceptions: dict = field(default_factory=lambda: EXCEPTIONS)

    @classmethod
    def of(cls, root=ROOT):
        """Those of the book."""
        modules = python_sources(root / "nnmath")
        return cls(book_pages(root), modules, python_sources(root / "tests" / "unit"))

    @cached_property
    def functions(self):
        """{label: the functions whose docstrings cite it}, as module.name or module.Class.method."""
        cited = defaultdict(list)
        for module, source in self.modules.items():
            for label, names in docstring_citations(source, module).items():
                cited[label] += names
        return cited

    @cached_property
    def mentioned(self):
        """{label: the modules that say it anywhere, in a docstring or a comment}."""
        said = defaultdict(list)
        for module, source in self.modules.items():
            for label in set(CITED.findall(source)):
                said[label].append(module)
        return said

    @cached_property
    def _tests(self):
        return all_tests(self.tests)

    def checked_by(self, label):
        """The tests of an equation, the most telling first."""
        function, *_ = self.functions.get(label) or [None]
        through = callers(function, self.modules) if function else ()
        return telling_tests(function, self._tests, label, through) if function else []

    @cached_property
    def used(self):
        """The names of nnmath that some page uses or shows."""
        return set().union(*(names_used(*page) for page in self.pages.values()))

    @cached_property
    def used_within(self):
        """The names that the modules of nnmath themselves use."""
        nodes = [node for source in self.modules.values() for node in ast.walk(parsed(source))]
        loaded = (n for n in nodes if isinstance(getattr(n, "ctx", None), ast.Load))
        return {getattr(n, "id", None) or getattr(n, "attr", None) for n in loaded}

    def public(self):
        """Every public name of nnmath, as module.name."""
        modules = ((m, source) for m, source in self.modules.items() if not m.startswith("_"))
        return [f"{module}.{name}" for module, source in modules for name in public_names(source)]

    def lacks(self, name):
        """What a public name lacks: an equation, a chapter that uses it, both or nothing."""
        whole = {".".join(f.split(".")[:2]) for found in self.functions.values() for f in found}
        lacking = [] if name in whole else ["no equation: label one in the book and cite it in the docstring"]
        if name.split(".")[1] not in self.used:
            lacking.append("no chapter that uses it: use it, show it, or take it out of the public names")
        return lacking

    def faults(self):
        """Whatever breaks the promise that every equation is a function that a test checks, in sentences."""
        labels = [label for text, _ in self.pages.values() for label in labels_in(text)]
        for label in (label for label in labels if label.startswith("eq:")):
            found = self.functions.get(label, [])
            if len(found) != 1:
                yield f"{label}: one public docstring of nnmath must cite it, not {found}"
            elif not self.checked_by(label):
                yield f"{label}: no test uses {found[0]}; write one in tests/unit"
        excused = set()
        for name in self.public():
            module, lacking = name.split(".")[0], self.lacks(name)
            reasons = [key for key in (f"nnmath.{name}", f"nnmath.{module}") if key in self.exceptions]
            if lacking and reasons:
                excused.add(reasons[0])
                if name.split(".")[1] not in self.used | self.used_within:
                    yield f"nnmath.{name} is used by no chapter and not by nnmath itself: take it out"
            elif lacking:
                says = "; and ".join(lacking)
                yield f"nnmath.{name} has {says}; or give the reason in EXCEPTIONS of nnbook/labels.py"
        for key in self.exceptions:
            if key not in excused:
                yield f"{key} needs no exception any more: take it out of EXCEPTIONS of nnbook/labels.py"
