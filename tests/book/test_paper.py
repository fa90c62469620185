"""The joined page from which the PDF is printed, and the page for addresses that are not there."""

import re
import threading
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer
from pathlib import Path

import join_pages
import make_pdf
import pytest
import serve
from bs4 import BeautifulSoup
from join_pages import join, parts_of_book

ROOT = Path(__file__).resolve().parents[2]

TWO = ["notebooks/01_background", "notebooks/05_gradient_descent_idea"]


@pytest.fixture(scope="module")
def joined(built_book):
    text, faults = join(built_book, ROOT / "_toc.yml", TWO)
    assert not faults
    return BeautifulSoup(text, "html.parser"), text


def test_two_chapters_join_into_one_page(joined, built_book):
    page, text = joined
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids)), "an id stands twice"
    links = [a["href"] for a in page.find_all("a", href=True) if "://" not in a["href"]]
    figures = set(re.findall(r'"name": "(\d\d_\w+--[\w-]+)"', text))
    lost = [link for link in links if link[1:] not in ids and link[1:] not in figures]
    assert links and not lost, f"not within the page: {lost[:5]}"
    assert "#05_gradient_descent_idea" in links, "links between chapters lead to the joined chapter"
    assert [h.get_text() for h in page.select("article .level-1")] == [
        BeautifulSoup(
            (built_book / f"{docname}.html").read_text("utf8"), "html.parser"
        ).article.h1.get_text()[:-1]
        for docname in TWO
    ]
    assert [h.name for h in page.select("article .level-1, .part h1")] == ["h1", "h2", "h2"]
    assert page.select(".answers li") and not page.select("a.headerlink, details.hide")
    assert len(page.select(".eqno")) > 5 and page.select_one(".eqno").get_text() == "(1.1)"


def test_every_page_of_the_book_is_joined():
    docnames = [docname for part in parts_of_book(ROOT / "_toc.yml") for docname in part.docnames]
    listed = re.findall(r"(?m)^(?:root|[ -]*file): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf8"))
    assert docnames == listed


def test_what_is_wrong_with_a_pdf_is_told(browser, built_book, tmp_path):
    """One chapter printed; then with a figure, a link and a formula broken."""
    text, _ = join(built_book, ROOT / "_toc.yml", TWO[:1])
    folder = built_book.parent / "pdf"
    folder.mkdir(exist_ok=True)
    good, bad = folder / "good.html", folder / "bad.html"
    broken = re.sub(r'"model_id": "[^"]*"', '"model_id": "none"', text, count=1)
    broken = broken.replace("</article>", '<a href="#nowhere">x</a> {eq}`x`<h6>too</h6></article>')
    good.write_text(text, encoding="utf8")
    bad.write_text(broken, encoding="utf8")
    try:
        assert make_pdf.make(browser, good, tmp_path / "good.pdf") == []
        told = "\n".join(make_pdf.make(browser, bad, tmp_path / "bad.pdf"))
    finally:
        good.unlink()
        bad.unlink()
    for said in ("did not start", "nowhere", "raw markup"):
        assert said in told, told


@pytest.fixture(scope="module")
def house_server(built_book):
    """The book as tools/serve.py serves it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), serve.handler_for(built_book)) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


@pytest.mark.parametrize(
    "address", ["/gone.html", "/notebooks/gone.html", "/a/b/c/", "/notebooks/x/y.html?q=1"]
)
def test_a_missing_address_leads_home_from_any_depth(browser, house_server, axe, address):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(house_server + address)
    assert refused.value.code == 404
    context = browser.new_context(color_scheme="dark", viewport={"width": 320, "height": 700})
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(house_server + address)
    assert asked == [house_server + address], f"asks for more than itself: {asked}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not axe(page)
    goals = page.evaluate("[...document.querySelectorAll('a')].map((a) => a.href)")
    missing = [goal for goal in goals if urllib.request.urlopen(goal).status != 200]
    assert len(goals) > 20 and not missing
    page.get_by_role("searchbox").fill("notation")
    page.get_by_role("button", name="Search").click()
    page.wait_for_selector("#search-results li a")
    context.close()


def test_on_github_the_first_folder_is_the_book_s(browser, built_book):
    body, context = (built_book / "404.html").read_text(encoding="utf8"), browser.new_context()
    context.route(
        "http://name.github.io/**",
        lambda route: route.fulfill(status=404, body=body, content_type="text/html"),
    )
    page = context.new_page()
    for lost in ("repo/gone.html", "repo/what/ever/gone", "repo/notebooks/gone.html"):
        page.goto(f"http://name.github.io/{lost}")
        goals = page.evaluate("[...document.querySelectorAll('a')].map((a) => a.href)")
        assert all(
            re.match(r"http://name\.github\.io/repo/(book|notebooks)/\w+\.html$", goal) for goal in goals
        ), goals
    context.close()


def test_a_heading_with_a_link_in_it_is_listed_by_its_words():
    heading = BeautifulSoup('<h2><a href="x.html">One <em>neuron</em></a></h2>', "html.parser").h2
    assert join_pages._inner(heading) == "One <em>neuron</em>"


def test_the_contents_list_no_letters_and_no_lists_by_chapter(built_book):
    text, _ = join(built_book, ROOT / "_toc.yml", ["book/equations", "book/glossary", *TWO])
    rows = [row.get_text() for row in BeautifulSoup(text, "html.parser").select("#contents .what")]
    assert {"Glossary", "What has no equation", "How many examples?"} <= set(rows)
    assert rows.count("1. Learning from data") == 1 and not [row for row in rows if len(row) == 1]
