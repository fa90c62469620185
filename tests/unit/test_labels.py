"""Every equation is a function, every function has its equation and a test: labels and docstrings, both ways.

The rules are those of book/_ext/nnbook/labels.py, which the build keeps too.
"""

import re
from collections import Counter, defaultdict
from functools import cache

import pytest
from nnbook.labels import (
    LEFT_OUT,
    Sources,
    all_tests,
    book_pages,
    docstring_citations,
    labels_in,
    names_used,
    telling_tests,
)


@cache
def book():
    return Sources.of()


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


def test_each_equation_is_one_function_that_a_test_checks_and_each_function_has_its_equation_and_its_use():
    faults = list(book().faults())
    assert not faults, "\n".join(faults)


def test_each_citation_is_an_equation_of_the_book():
    stand = Counter(label for text, _ in book_pages().values() for label in labels_in(text))
    lost = {label: modules for label, modules in book().mentioned.items() if stand[label] != 1}
    assert not lost, f"cited in nnmath, but not an equation of the book: {lost}"


@pytest.mark.parametrize("page", book_pages())
def test_each_derivation_is_checked_in_its_chapter(page):
    text, code = book_pages()[page]
    checked = set(re.findall(r"\bder:[a-z0-9-]+", "\n".join(re.findall(r"#[^\n]*", code))))
    unchecked = [label for label in labels_in(text) if label.startswith("der:") and label not in checked]
    assert not unchecked, f"{page}: no code cell says `# {unchecked[0]}`; unchecked: {unchecked}"
    unknown = sorted(checked - set(labels_in(text)))
    assert not unknown, f"{page}: code says it checks {unknown}, which are not equations of this page"


# --- What the scan finds, on a small fake ---

PAGE = "$$ a $$ (eq:double)\n"
CODE = "from nnmath.maths import double\ndouble(1)\n"
MODULE = 'def double(x):\n    """Twice x, eq:double."""\n    return 2 * x\n\ndef _own(x):\n    return x\n'
TESTS = "import nnmath as nn\n\ndef test_double():\n    assert nn.double(2) == 4\n"


def faults(page=PAGE, code=CODE, module=MODULE, tests=TESTS, exceptions=None, file="test_maths"):
    sources = Sources({"01_x.ipynb": (page, code)}, {"maths": module}, {file: tests}, exceptions or {})
    return list(sources.faults())


def test_nothing_is_wrong_where_all_is_there():
    assert faults() == []
    assert faults(page=PAGE + "$$ b $$ (der:step)\n") == []


AGAIN = MODULE.replace("double(", "twice(")
NO_TEST = "def test_double():\n    assert 4\n"
HALVE = '\ndef halve(x):\n    """Half of x."""\n    return x / 2\n'


@pytest.mark.parametrize(
    "said, change",
    [
        (r"eq:half: one public docstring .* must cite it, not \[\]", {"page": PAGE + "$$ b $$ (eq:half)\n"}),
        (r"eq:double: one public .* 'maths.twice'\]", {"module": MODULE + AGAIN}),
        (r"eq:double: no test uses maths.double; write one in", {"tests": NO_TEST}),
        (r"eq:double: no test uses maths.double", {"file": "test_bad_input"}),
        (r"nnmath.maths.halve has no equation: .*; and no chapter that uses it", {"module": MODULE + HALVE}),
        (r"nnmath.maths.double has no chapter that uses it: use it, show it", {"code": "x = 1\n"}),
        (r"nnmath.maths.double needs no exception", {"exceptions": {"nnmath.maths.double": "x"}}),
        (r"nnmath.lost needs no exception any more", {"exceptions": {"nnmath.lost": "x"}}),
    ],
)
def test_each_fault_is_said(said, change):
    found = faults(**change)
    assert any(re.match(said, fault) for fault in found), found


QUARTER = "\ndef _quarter(x):\n    return halve(halve(x))\n"


@pytest.mark.parametrize("key", ["nnmath.maths.halve", "nnmath.maths"])
def test_an_exception_excuses_what_is_used(key):
    assert faults(module=MODULE + HALVE + QUARTER, exceptions={key: "halves"}) == []
    unused = "nnmath.maths.halve is used by no chapter and not by nnmath itself: take it out"
    assert faults(module=MODULE + HALVE, exceptions={key: "halves"}) == [unused]


def test_a_page_uses_what_it_imports_calls_or_shows():
    shows = "```{literalinclude} ../nnmath/maths.py\n:language: python\n:pyobject: double\n```\n"
    assert names_used(shows, "") == {"double"}
    assert names_used("", "import nnmath as nn\n%matplotlib inline\nnn.maths.double(3)\nx.half()\n") == {
        "maths",
        "double",
    }
    assert names_used("", ":tags: [hide-input]\nfrom nnmath import double as d\nd(1)\n") == {"double"}
    assert names_used("", "double = 2\nprint(double)\n") == set()


def found(function, source, label=""):
    return [test.name for test in telling_tests(function, all_tests({"test_x": source}), label)]


def test_a_test_is_found_through_tables_helpers_and_fixtures():
    head = "import pytest, nnmath as nn\nfrom nnmath.maths import half as h\n"
    table = head + "ALL = {nn.f: 1}\n@pytest.mark.parametrize('f', ALL)\ndef test_a(f):\n    f.backward(1)\n"
    assert found("maths.f", table) == found("maths.f_backward", table) == ["test_a"]
    assert found("maths.g", table) == found("maths.half", table) == []
    helper = (
        head + "def run(x):\n    return h(x)\ndef test_b():\n    assert run(2)\ndef test_c():\n    pass\n"
    )
    assert found("maths.half", helper) == ["test_b"]
    fixture = head + "@pytest.fixture\ndef net():\n    return nn.Net()\ndef test_d(net):\n    net.go()\n"
    assert found("maths.Net.go", fixture) == ["test_d"] and found("maths.Net.stop", fixture) == []


def test_all_but_one_does_not_mean_that_one():
    left_out = "import nnmath as nn\nT = [f for f in (nn.g,) if f is not nn.f]\ndef test_a():\n    assert T\n"
    assert found("maths.f", left_out) == [] and found("maths.g", left_out) == ["test_a"]
    table = (
        "import nnmath as nn, pytest\nT = {nn.f: 1, nn.g: 2}\n"
        "@pytest.mark.parametrize('f', [f for f in T if f is not nn.f])\ndef test_b(f):\n    f.backward(1)\n"
    )
    assert found("maths.f_backward", table) == [] and found("maths.g_backward", table) == ["test_b"]


def test_the_most_telling_test_comes_first():
    source = (
        "import nnmath as nn\nfrom autograd import grad\n"
        "def test_float32_stays():\n    assert nn.f(1)\n"
        "def test_many():\n    assert nn.f(1) + nn.a + nn.b + nn.c\n"
        "def test_slope():\n    assert nn.f(1) == grad(abs)\n"
        "def test_f():\n    assert nn.f(1)\n"
    )
    assert found("maths.f", source)[:2] == ["test_f", "test_slope"]
    assert "test_float32_stays" not in found("maths.f", source)
    assert found("maths.f", source, "eq:slope")[0] == "test_slope"


def test_refusals_alone_check_no_equation():
    assert {"test_bad_input"} <= LEFT_OUT
    files = {t.file for label in book().functions for t in book().checked_by(label)}
    assert files and not files & LEFT_OUT


@pytest.mark.parametrize(
    "label, test",
    [
        ("eq:softmax-backward", "test_activation"),
        ("eq:mse-backward", "test_loss"),
        ("eq:mlp-backward", "test_mlp"),
        ("eq:lstm-backward", "test_recurrent_layer"),
        ("eq:adam", "test_three_steps_by_hand"),
        ("eq:minibatch", "test_minibatches_cover_each_epoch_in_a_new_order"),
    ],
)
def test_the_tests_that_are_shown_are_those_that_a_reader_would_name(label, test):
    assert test in [t.name for t in book().checked_by(label)]
