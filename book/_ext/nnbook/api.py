"""The page of nnmath: what autodoc doesn't know of the form of its docstrings.

A docstring of nnmath is plain text. Its first paragraph says what the thing is and cites an equation; then
come `x: (n, d), the samples. W: ...`, `Returns ...`, `Raises ...` and `Source: ...`, one after the other.
Here that becomes a list; labels become links to the equations, names become links, and shapes and formulas
are set as code.
"""

import inspect
import re
from functools import cache

from nnbook.labels import CITED, ROOT, book_pages, labels_in, public_names, python_sources

NAME = r"\*{0,2}[A-Za-z]\w*"
FIELD = re.compile(
    rf"(?:^|(?<=[.;)] ))(?:(?P<names>{NAME}(?:, {NAME})*(?: and {NAME})?): "
    r"|(?P<verb>Returns and raises|Returns|Raises) |(?P<source>Source(?: [\w ]+)?): )"
)
LABELS = re.compile(rf"{CITED.pattern}(?:(?:,| and) {CITED.pattern})*")
INSIDE = r"(?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*"  # of parentheses, with others within
TOKEN = re.compile(
    r"(?P<space>\s+)"
    rf"|(?P<labels>{CITED.pattern}(?:(?:,| and) {CITED.pattern})*)"
    r"|(?P<said>`[^`]+`)"
    rf"|(?P<call>[A-Za-z_][\w.]*\({INSIDE}\)(?:\[[^]]*\])?(?:[/^]\w+)?)"
    r"|(?P<range>\[[\w.*-]+, [\w.*-]+[\])])"
    rf"|(?P<group>\({INSIDE}\)(?:\*\*\w+)?)"
    r"|(?P<operator>(?:\*\*|//|[-+<>=]=|[-+*/@<>=])(?=\s))"
    r"|(?P<word>[^\s(),;:]+?(?=[.,;:]*(?:[\s()]|$)))"
    r"|(?P<rest>.)",
    re.DOTALL,
)
ENTRY = r"(?:\.\.\.|[A-Za-z]\w*|-?\d[\d.]*[a-z]?)(?: [-+*] \w+)?"
SHAPE = re.compile(rf"\((?:{ENTRY}, )+{ENTRY}\)|\({ENTRY},\)|\((?:\w|\.\.\.)?\)|\(\([^a-z]*.*\.\.\.\)")
OPERATOR = re.compile(r"\*\*|//|[-+<>=]=|[-+*/@<>=]")
WORDS = re.compile(r"[A-Za-z]\w*")
SYMBOLS = frozenset(  # besides letters, names with a digit or an index, and the arguments
    re.findall(
        r"\w+",
        "theta lr momentum beta eps low high sqrt max min abs round clip curvature budget latency bandwidth "
        "size variance every bits halved_at zero lowest highest",
    )
)
ENGLISH = frozenset(
    re.findall(r"\w+", "a an as at be by do he if in is it no of on one or so the to two up we")
)
ERROR = re.compile(r"(?:Shape|Divergence|Value|Type|OS|Connection|Key)Error|KeyboardInterrupt")


@cache
def places():
    """{name: where it is documented} of all that is public in nnmath."""
    sources = python_sources(ROOT / "nnmath")
    return {name: f"nnmath.{m}.{name}" for m in sources for name in public_names(sources[m])}


@cache
def pages_without_number():
    """{label: its page} of the equations that stand in no chapter: their numbers are those of the page."""
    pages = ((name, text) for name, (text, _) in book_pages().items() if name.endswith(".md"))
    return {label: f"/book/{name[:-3]}" for name, text in pages for label in labels_in(text)}


def escaped(text):
    """Text as reStructuredText that shows it."""
    return re.sub(r"([\\*_`|])", r"\\\1", text)


class Prose:
    """Turns sentences of a docstring into reStructuredText. names: what in them is no English, but code."""

    def __init__(self, names=(), known=None):
        self.names, self.known = frozenset(names), known or {}

    def __call__(self, text):
        """One paragraph."""
        tokens = [(found.lastgroup, found[0]) for found in TOKEN.finditer(text)]
        out, run = [], []
        for i, (kind, said) in enumerate(tokens):
            around = {tokens[j][0] for j in (i - 2, i + 2) if 0 <= j < len(tokens)}
            if self.is_part(kind, said, around):
                run.append((kind, said))
                continue
            out += self.close(run)
            run = []
            out.append(self.set_alone(kind, said))
        text = "".join(out + self.close(run))
        return re.sub(r"(?:\\ )+", r"\\ ", text).removeprefix("\\ ").removesuffix("\\ ")

    def is_part(self, kind, said, around):
        """Whether a token may belong to a formula."""
        if kind in ("space", "operator", "call", "range"):
            return True
        if kind == "group":
            return bool(SHAPE.fullmatch(said)) or bool(OPERATOR.search(said) and self.is_formula(said))
        if said == "a" or (said.endswith("s") and said in self.names and len(said) > 2):
            return "operator" in around  # else it is English: the settings, a step
        symbols = kind == "word" and re.fullmatch(r"[\w^*/|.\[\]+-]+", said)
        return bool(symbols) and (said.isdigit() or self.is_formula(said))

    def is_formula(self, text):
        """Whether there is no English word in it; one letter between operators is none."""
        return all(
            self.is_symbol(word) or (word == "a" and OPERATOR.search(text)) for word in WORDS.findall(text)
        ) and bool(re.search(r"\w", text))

    def is_symbol(self, word):
        short = len(word) <= 2 and word.lower() not in ENGLISH
        return short or word in SYMBOLS | self.names or bool(re.search(r"[\d_]", word))

    def close(self, run):
        """The tokens of a run: a formula if an operator is between two of them, else each for itself."""
        loose = ("space", "operator")
        first = next((i for i, (kind, _) in enumerate(run) if kind not in loose), len(run))
        last = next((i for i in range(len(run), first, -1) if run[i - 1][0] not in loose), first)
        inner = run[first:last]
        before, after = ([escaped(said) for _, said in part] for part in (run[:first], run[last:]))
        operates = any(
            kind == "operator"
            or (kind == "group" and OPERATOR.search(said) and not SHAPE.fullmatch(said))
            or (kind == "word" and "**" in said)
            for kind, said in inner
        )
        if operates:
            return [*before, self.code("".join(said for _, said in inner)), *after]
        return [*before, *(self.set_alone(kind, said) for kind, said in inner), *after]

    def set_alone(self, kind, said):
        if kind == "labels":
            many = "s" * (len(CITED.findall(said)) > 1)
            page = pages_without_number().get(said)
            roles = CITED.sub(lambda label: f"\\ :eq:`{label[0]}`\\ ", said)
            return f"equation{many} {roles}" + (f" of :doc:`{page}`\\ " if page else "")
        if kind == "said":
            return self.named(said.strip("`"))
        if kind == "group" and not SHAPE.fullmatch(said):
            return f"({self(said[1:-1])})"
        if kind in ("call", "range", "group"):
            return self.code(said)
        if kind == "word" and ERROR.fullmatch(said):
            return self.named(said)
        return said if re.fullmatch(r"\*\w+\*", said) else escaped(said)  # *so* is stressed

    def code(self, said):
        return f"\\ ``{said}``\\ "

    def named(self, name):
        """A name, linked to its place on the page if it is one of nnmath's."""
        place = self.known.get(name)
        return f"\\ :py:obj:`{name} <{place}>`\\ " if place else self.code(name)


def fields(paragraph):
    """A paragraph as [(what stands before the colon, what it says)]; None is before what is no field."""
    starts = list(FIELD.finditer(paragraph))
    ends = [found.start() for found in starts[1:]] + [len(paragraph)]
    found = [(None, paragraph[: starts[0].start() if starts else None].strip())]
    for start, end in zip(starts, ends, strict=False):
        name = next(filter(None, start.group("names", "verb", "source")))
        found.append((name, paragraph[start.end() : end].strip()))
    return [(name, said) for name, said in found if said]


def as_rst(doc, names=(), known=None):
    """A docstring of nnmath as lines of reStructuredText."""
    prose, lines, in_list = Prose(names, known), [], False
    for paragraph in re.split(r"\n[ \t]*\n", inspect.cleandoc(doc)):
        if paragraph.startswith(">>>"):
            lines += ["", *paragraph.splitlines(), ""]
            in_list = False
            continue
        for name, said in fields(" ".join(paragraph.split())):
            if name and not in_list:
                lines += ["", ".. container:: fields", ""]
            said = prose(said if name is None else begun(said, prose))
            lines += ["", said, ""] if name is None else [f"   {term(name)}", f"      {said}", ""]
            in_list = name is not None
    return lines


def term(name):
    """The left side of a list's row: arguments as code, Returns, Raises and Source in words."""
    if re.match(r"Returns|Raises|Source", name):
        return name
    return re.sub(NAME, lambda found: f"``{found[0]}``" if found[0] != "and" else "and", name)


def begun(said, prose):
    """What was the end of a sentence as one of its own."""
    first = re.match(r"[a-z]+\b(?!\(|\.\w)", said)
    said = re.sub(r";$", ".", said)
    return said[0].upper() + said[1:] if first and not prose.is_symbol(first[0]) else said


def read_docstring(app, what, name, obj, options, lines):
    """autodoc asks: what is to be shown of this docstring?"""
    known = places()
    try:
        names = set(inspect.signature(obj).parameters)
    except (TypeError, ValueError):
        names = set()
    lines[:] = as_rst("\n".join(lines), names, known)


def leave_out(app, what, name, obj, skip, options):
    """Of a module only what is public in its source: no named tuples, whose fields have nothing to say."""
    own = getattr(obj, "__module__", "").startswith("nnmath") and what == "module"
    return True if own and name not in places() else None


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.viewcode")
    app.connect("autodoc-process-docstring", read_docstring)
    app.connect("autodoc-skip-member", leave_out)
