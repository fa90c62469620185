"""The check of the links in the built pages: each fault shown on a small book of two pages."""

import pytest
from nnbook.links import Page, faults

GOOD = """<!DOCTYPE html><head><script src="../_static/x.js?v=1"></script>
<script type="application/json">
{"a": "<a href='nowhere.html'>"}</script><style>a { b: url("lost.png") }</style></head>
<!-- <a href="gone.html"> --><h1 id="top">A</h1><a name="old"></a>
<a href="#top">t</a> <a href="#old">o</a> <a href="b.html#a%20b">b</a> <a href="../index.html">i</a>
<a href="#descend:lr=0.5" class="setting reference">s</a> <a href="https://example.org/#x">e</a>
<img src="data:image/png;base64,AA=="><p>3 < 4 and "quotes"</p><a title="a > b" href='../_static/n.zip'>n</a>
<svg><a xlink:href="b.html"><title>x</title></a></svg>"""


@pytest.fixture
def book(tmp_path):
    """A function: write the first page with `more` at its end; returns its faults."""
    for name in ("_static", "p"):
        (tmp_path / name).mkdir()
    (tmp_path / "_static/x.js").write_text("")
    (tmp_path / "_static/n.zip").write_text("")
    (tmp_path / "index.html").write_text('<a href="p/a.html">a</a>')
    (tmp_path / "p/b.html").write_text('<h1 id="a b">B</h1><a href="a.html#top">a</a>')
    (tmp_path / "p/left.html").write_text("<p>of an earlier build</p>")

    def check(more=""):
        (tmp_path / "p/a.html").write_text(GOOD + more)
        return list(faults(tmp_path, ["index.html", "p/a.html", "p/b.html"], tmp_path / "memory"))

    return check


def test_a_good_book_has_no_fault(book):
    assert book() == []


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('<a href="c.html">c</a>', "c.html: no page of this book"),
        ('<a href="left.html">c</a>', "left.html: no page of this book"),
        ('<a href="b.html#c">c</a>', "b.html#c: no place 'c' on that page"),
        ('<a href="#c">c</a>', "#c: no place 'c' on that page"),
        ('<img alt="x" src="c.png">', "c.png: no such file"),
        ("<script src='../_static/y.js'></script>", "../_static/y.js: no such file"),
        (
            '<script src="https://example.org/y.js"></script>',
            "https://example.org/y.js: is not within the book",
        ),
        ('<a href="//example.org/">c</a>', "//example.org/: is not within the book"),
        ('<a href="file:///x">c</a>', "file:///x: is not within the book"),
        ('<a href="../../x.txt">c</a>', "../../x.txt: leads out of the book"),
        ('<a href="../_static/m.zip" download>c</a>', "../_static/m.zip: no such file"),
        ('<svg><image xlink:href="c.svg"/></svg>', "c.svg: no such file"),
        ('<i id="top"></i>', "the id 'top' stands twice"),
    ],
)
def test_each_fault_is_told_with_its_page(book, more, problem):
    assert book(more) == [("p/a.html", problem)]


def test_signs_are_read_as_a_browser_reads_them():
    page = Page('<a href="x.html?a=1&amp;b=2#%E6%A2%AF">x</a><p id="梯"><input disabled name=q id=one></p>')
    assert page.links == [("a", "x.html?a=1&b=2#%E6%A2%AF")] and page.ids == {"梯", "one"}


def test_a_page_is_read_again_when_it_has_changed_and_only_then(book, tmp_path, monkeypatch):
    """And what is wrong with a page that was not read again is told again."""
    lost = [("p/a.html", "c.html: no page of this book")]
    assert book('<a href="c.html">c</a>') == lost
    monkeypatch.setattr(Page, "__init__", lambda page, text: pytest.fail(f"read again: {text[:30]}"))
    again = faults(tmp_path, ["index.html", "p/a.html", "p/b.html"], tmp_path / "memory")
    assert list(again) == lost
    monkeypatch.undo()
    assert book('<a href="d.html">d</a>') == [("p/a.html", "d.html: no page of this book")]
    (tmp_path / "memory").write_bytes(b"not ours")
    assert book() == []
