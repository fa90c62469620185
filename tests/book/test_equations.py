"""The index of equations and the page of nnmath: complete, and every link leads to what it names."""

import gzip
import re
from functools import cache
from urllib.parse import unquote

import pytest
from conftest import places, soup
from nnbook.labels import EXCEPTIONS, Sources, labels_in

EQUATIONS, API = "book/equations.html", "book/api.html"
CODE = [
    "_modules/nnmath/layers.html",
    "_modules/nnmath/explore.html",
    "_modules/tests/unit/test_gradients.html",
]


@cache
def book():
    return Sources.of()


def target(page, link):
    """The element that a link of a page leads to."""
    path, _, place = link["href"].partition("#")
    page = (page.parent / unquote(path)).resolve() if path else page
    return places(page).get(unquote(place))


def labels(prefix):
    return [
        label for text, _ in book().pages.values() for label in labels_in(text) if label.startswith(prefix)
    ]


def test_every_equation_stands_with_its_place_its_function_and_its_tests(built_book):
    page = built_book / EQUATIONS
    entries = {}
    for entry in soup(page).select(".equation-entry"):
        number, *functions = entry.select(".equation-head a")
        place = target(page, number)
        assert place is not None and number.get_text() == place.select_one(".eqno").get_text().strip("#\n ¶")
        assert "math" in entry.select_one("div.math")["class"] and not entry.select(".eqno, [id]")
        tests = entry.select(".equation-tests a")
        entries[place["id"].removeprefix("equation-")] = (functions, tests)
    assert sorted(entries) == sorted(label.replace(":", "-") for label in labels("eq:"))
    for label in labels("eq:"):
        (function,), tests = entries[label.replace(":", "-")]
        name = book().functions[label][0]
        assert target(page, function)["id"] == f"nnmath.{name}"
        assert [link.get_text() for link in tests] == [test.name for test in book().checked_by(label)] != []
        for link, test in zip(tests, book().checked_by(label), strict=True):
            line = target(page, link).parent.get_text().splitlines()
            assert any(f"def {test.name}(" in said for said in line)


def test_every_step_of_a_derivation_is_listed_once(built_book):
    page = built_book / EQUATIONS
    places = [target(page, link)["id"] for link in soup(page).select("p.steps a")]
    assert sorted(places) == sorted(f"equation-{label.replace(':', '-')}" for label in labels("der:"))


def test_what_has_no_equation_is_listed_with_its_reason(built_book):
    said = soup(built_book / EQUATIONS).select_one("#without-an-equation").get_text()
    for place, reason in EXCEPTIONS.items():
        assert reason.replace("`", "") in said
        assert place.split(".", 2)[-1] in said


def test_the_page_of_nnmath_has_every_public_name_with_its_source(built_book):
    page = built_book / API
    lacking = []
    for name in book().public():
        entry = soup(page).find(id=f"nnmath.{name}")
        source = entry and entry.select_one("a:has(.viewcode-link)")
        if source is None or target(page, source) is None:
            lacking.append(name)
    assert not lacking, f"{API} lacks {lacking}, or their docstrings, or their source"


def test_examples_stand_on_the_page_of_nnmath(built_book):
    said = soup(built_book / API).select_one("main").get_text()
    examples = [
        line for source in book().modules.values() for line in re.findall(r"^ +(>>> .*)$", source, re.M)
    ]
    assert len(examples) > 50 and not [line for line in examples if line not in said]


@pytest.mark.parametrize("path", [EQUATIONS, API, *CODE])
def test_they_are_light(built_book, path):
    assert len(gzip.compress((built_book / path).read_bytes(), 9)) <= 100_000


@pytest.mark.parametrize("path", CODE)
def test_pages_of_code_are_pages_like_any_other(look_at, axe, path):
    """Not among the pages that all tests go through, for there are forty of one form: some stand for all."""
    page = look_at(path)
    assert page.locator("article.bd-article h1").count() == 1
    found = axe(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    found += axe(page, ["color-contrast", "link-in-text-block"])
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(100)
        room, wide = page.evaluate(
            "[document.documentElement.clientWidth, document.documentElement.scrollWidth]"
        )
        assert wide <= room, f"{path} scrolls sideways at {width} px"
    assert not found, f"{path}:\n" + "\n".join(found)
