"""The terms of the chapters lead to the glossary, and the glossary leads back."""

import re
from urllib.parse import urlsplit

import pytest
from conftest import ROOT, places, soup
from nnbook.terms import MOST, MOST_IN_PARAGRAPH, SOURCE, read
from test_pages import dark

GLOSSARY = "book/glossary.html"


def links(built_book, path):
    return soup(built_book / path).select("a.term")


def test_a_chapter_links_terms(built_book, chapter_path):
    found = links(built_book, chapter_path)
    assert 10 <= len(found) <= MOST <= 25
    entries = {tag["id"] for tag in soup(built_book / GLOSSARY).select("dl.glossary > dt[id]")}
    for link in found:
        where = urlsplit(link["href"])
        assert where.path == "../book/glossary.html" and where.fragment in entries, link
        assert re.search(r"\w.*\.$", link["title"]) and not re.search(r"[$`\\]", link["title"]), link


def test_no_term_is_linked_twice(built_book, chapter_path):
    where = [link["href"] for link in links(built_book, chapter_path)]
    assert len(set(where)) == len(where)
    paragraphs = [link.find_parent("p") for link in links(built_book, chapter_path)]
    most = max(sum(other is p for other in paragraphs) for p in paragraphs)
    assert most <= MOST_IN_PARAGRAPH


def test_terms_are_linked_in_prose_only(built_book, chapter_path):
    apart = (
        "h1, h2, h3, h4, a, code, pre, table, figure, figcaption, .math, .quiz, .solution, .admonition-title"
    )
    for link in links(built_book, chapter_path):
        assert not any(parent.css.match(apart) for parent in link.parents), link
        assert link.find_parent("section", id=True)["id"] != "references", link


def test_entries_lead_to_where_the_term_is_defined(built_book):
    page = soup(built_book / GLOSSARY)
    for term in read(ROOT / SOURCE):
        entry = page.find(id=f"term-{term.slug}")
        assert entry.get_text().replace("’", "'").startswith(term.term) and all(
            name in entry.get_text() for name in term.chinese
        )
        where = urlsplit(entry.find_next_sibling("dd").select_one("a.defined-in")["href"])
        target = places((built_book / GLOSSARY).parent / where.path).get(where.fragment)
        text = " ".join(target.get_text().split()).casefold().replace("’", "'")
        if target.name == "span" and not text:  # a second place in the same paragraph
            text = " ".join(target.parent.get_text().split()).casefold().replace("’", "'")
        assert any(word.casefold() in text for word in term.words), (term.term, where, text[:80])
        assert where.fragment == f"def-{term.slug}"


def entries(built_book):
    """{name: its head} of the glossary, in order."""
    heads = soup(built_book / GLOSSARY).select("dl.glossary > dt")
    return {head.find(string=True).strip().replace("’", "'"): head for head in heads}


def test_other_names_lead_to_the_entry(built_book):
    heads = entries(built_book)
    for term in read(ROOT / SOURCE):
        for name in term.others:
            assert heads[name].find_next_sibling("dd").a["href"] == f"#term-{term.slug}"


def test_entries_stand_in_the_order_of_the_alphabet(built_book):
    names = [name.casefold() for name in entries(built_book)]
    assert names == sorted(names) and len(names) > len(read(ROOT / SOURCE)) > 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_term_is_quieter_than_a_link(look_at, scheme):
    page = look_at("notebooks/08_gradient_descent.html")
    dark(page, scheme)
    style = """(selector) => { const e = document.querySelector(selector), s = getComputedStyle(e);
      return [s.color, s.textDecorationLine, getComputedStyle(e.parentElement).color]; }"""
    color, line, around = page.evaluate(style, ".bd-article p a.term")
    assert color == around and line == "underline"
    assert page.evaluate(style, ".bd-article p a.reference:not(.term)")[0] != around
    page.emulate_media(media="print")
    assert page.evaluate(style, ".bd-article p a.term")[1] == "none"
