"""What every page of the built book keeps to. Figures and quizzes have their own tests beside this one."""

import gzip
import re
from functools import cache
from itertools import pairwise

import pytest
from bs4 import BeautifulSoup
from conftest import FRAMES


@pytest.mark.parametrize("over", ["http", "file"])
def test_asks_for_nothing_and_says_no_error(open_page, look_at, page_path, over):
    """Nothing leaves the page, no address is missing, nothing goes wrong in the console."""
    look_at(page_path) if over == "http" else open_page(page_path, over=over)


def open_folds(page):
    page.evaluate("""async () => {
      for (const d of document.querySelectorAll("details")) d.open = true;
      for (const b of document.querySelectorAll("button.toggle-button.toggle-button-hidden")) b.click();
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    }""")


def test_nothing_moves_by_itself_for_who_asked_for_less_motion(look_at, page_path):
    page = look_at(page_path)
    open_folds(page)
    moving = page.evaluate("""() => document.getAnimations().map((a) =>
      `${a.animationName ?? a.transitionProperty}: ${a.effect.target.outerHTML.slice(0, 120)}`)""")
    assert not moving, f"{page_path}: moves although the reader asked for none:\n" + "\n".join(moving)


# axe looks at each word of a listing for itself. Listings in which every kind of word, on its ground, has
# been seen before on the page are left out: that is most of them, and of the time.
REPEATED_CODE = """() => {
  document.head.insertAdjacentHTML("beforeend", "<style>.seen-before { display: none !important }</style>");
  const seen = new Set();
  for (const pre of document.querySelectorAll("div.highlight > pre")) {
    const ground = getComputedStyle(pre).backgroundColor;
    const kinds = [...pre.querySelectorAll("span")].map((word) => `${word.className} on ${ground}`);
    if (seen.size && kinds.every((kind) => seen.has(kind))) pre.parentElement.classList.add("seen-before");
    kinds.forEach((kind) => seen.add(kind));
  }
}"""


OF_COLOR = ["color-contrast", "link-in-text-block"]
OF_WIDTH = ["target-size", "scrollable-region-focusable", "region", "nested-interactive"]
# What a narrow page shows that a wide one does not, or shows otherwise.
NARROW = ["figure.explore", "section.quiz", "header", ".bd-header-article", "table"]


def test_axe_finds_nothing(look_at, axe, page_path):
    """Every rule on the wide page in light; then those that another scheme or width can change."""
    page = look_at(page_path)
    open_folds(page)
    page.evaluate(REPEATED_CODE)
    found = [f"1280 px, light: {fault}" for fault in axe(page)]
    dark(page)
    found += [f"1280 px, dark: {fault}" for fault in axe(page, OF_COLOR)]
    page.set_viewport_size({"width": 390, "height": 900})
    page.evaluate(FRAMES)
    here = [part for part in NARROW if page.locator(part).count()]
    found += [f"390 px, dark: {fault}" for fault in axe(page, OF_COLOR, here)]
    dark(page, "light")
    found += [f"390 px, light: {fault}" for fault in axe(page, OF_COLOR, here)]
    found += [f"390 px: {fault}" for fault in axe(page, OF_WIDTH)]
    page.evaluate(
        "document.querySelectorAll('.seen-before').forEach((e) => e.classList.remove('seen-before'))"
    )
    assert not found, f"{page_path}, " + "\n".join(found)


def dark(page, scheme="dark"):
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("(scheme) => document.documentElement.dataset.theme === scheme", arg=scheme)


def test_page_does_not_scroll_sideways(look_at, page_path):
    page = look_at(page_path)
    open_folds(page)
    for width in (1280, 820, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(100)  # figures choose the picture that fits
        wide = page.evaluate("""() => {
          const room = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= room) return null;
          const held = (e) => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
            if (getComputedStyle(p).overflowX !== "visible") return true; return false; };
          return [...document.body.querySelectorAll("*")]
            .filter((e) => e.getBoundingClientRect().right > room + 1 && !held(e))
            .slice(0, 5).map((e) => e.outerHTML.slice(0, 160));
        }""")
        assert wide is None, f"{page_path} is wider than {width} px because of:\n" + "\n".join(wide)


def test_mathematics_is_typeset(look_at, page_path):
    page = look_at(page_path)
    left = page.evaluate("""() => {
      const raw = [...document.querySelectorAll(".math")].filter((e) => !e.querySelector("mjx-container"));
      const wrong = [...document.querySelectorAll("mjx-merror, .MathJax_Error, [data-mjx-error]")];
      const says = (e) => (e.getAttribute("data-mjx-error") ?? "") + e.textContent.slice(0, 120);
      return [...raw, ...wrong].map(says);
    }""")
    assert not left, f"{page_path}: not typeset:\n" + "\n".join(left)
    text = page.evaluate("""() => {
      const body = document.querySelector("article, .bd-article-container, body").cloneNode(true);
      for (const e of body.querySelectorAll("script, style, pre, code, mjx-container")) e.remove();
      return body.textContent;
    }""")
    signs = re.findall(r".{0,30}(?:\$\$|\\\(|\\\[|\{(?:eq|numref|cite|glue|doc|ref)\S*\}`).{0,30}", text)
    assert not signs, f"{page_path}: raw markup in the text: {signs}"


@cache
def soup(path):
    return BeautifulSoup(path.read_text(encoding="utf8"), "html.parser")


def test_setting_links_name_a_figure_of_the_page(look_at, chapter_path):
    page = look_at(chapter_path)
    missing = page.evaluate("""() => {
      const shown = new Set([...document.querySelectorAll("[data-name]")].map((e) => e.dataset.name));
      const links = [...document.querySelectorAll("a.setting")].map((a) => a.getAttribute("href"));
      return links.filter((link) => !shown.has(link.slice(1).split(":")[0]));
    }""")
    assert not missing, f"{chapter_path}: links to figures that the page does not show: {missing}"


def test_a_claim_waits_for_the_first_move(open_page, chapter_path):
    page = open_page(chapter_path, typeset=False)
    asked = page.locator(".admonition.predict").count()
    claims = page.locator("figure.explore figcaption details")
    assert 0 < claims.count() <= asked
    assert all(not claim.evaluate("(d) => d.open") for claim in claims.all())
    figure = page.locator("figure.explore:has(figcaption details)").first
    for key in ("ArrowRight", "ArrowLeft"):  # a slider may start at either end
        figure.locator("[data-control]").first.press(key)
    assert claims.first.evaluate("(d) => d.open")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert all(claim.evaluate("(d) => d.open") for claim in claims.all())


def test_numbers_begin_anew_in_each_chapter(built_book, chapter_path):
    page, chapter = soup(built_book / chapter_path), int(re.search(r"/(\d\d)_", chapter_path)[1])
    equations = [tag.get_text().strip("()#\n ¶") for tag in page.select("span.eqno")]
    titles = [tag.get_text() for tag in page.select(".admonition.exercise > .admonition-title")]
    exercises = [re.match(r"Exercise ([\d.]+)", title)[1] for title in titles]
    for numbers in (equations, exercises):
        assert numbers == [f"{chapter}.{k}" for k in range(1, len(numbers) + 1)]
    assert equations and exercises


def test_readers_see_no_labels_of_equations(built_book, page_path):
    text = soup(built_book / page_path).select_one("main").get_text()
    labels = re.findall(r"\b(?:eq|der):[a-z][\w-]*", text)
    assert not labels, f"{page_path} shows {labels}"


def test_equations_fit_the_column(look_at, page_path):
    page = look_at(page_path)
    open_folds(page)
    cut = page.evaluate("""() => [...document.querySelectorAll('mjx-container[display="true"]')]
      .filter((e) => e.scrollWidth > e.clientWidth + 1)
      .map((e) => `${e.parentElement.textContent.slice(0, 60)}, by ${e.scrollWidth - e.clientWidth} px`)""")
    assert not cut, f"{page_path}: equations wider than the column:\n" + "\n".join(cut)


def test_a_prediction_is_kept_and_printed(open_page, chapter_path):
    page = open_page(chapter_path, typeset=False)
    fields = page.get_by_label("Your prediction")
    assert fields.count() == page.locator(".admonition.predict").count() > 0
    fields.first.fill("It will learn faster.")
    page.reload()
    page.wait_for_function("window.nnPageReady")
    assert fields.first.input_value() == "It will learn faster."
    if fields.count() > 1:
        assert fields.nth(1).input_value() == ""
        page.emulate_media(media="print")
        assert fields.first.is_visible() and not fields.nth(1).is_visible()


def test_page_is_light(built_book, chapter_path):
    weight = len(gzip.compress((built_book / chapter_path).read_bytes(), 9))
    assert weight <= 600_000, f"{chapter_path} weighs {weight:,} bytes compressed; 600,000 are allowed"


def test_headings_go_down_one_step_at_a_time(built_book, page_path):
    page = soup(built_book / page_path)
    levels = [
        int(tag.name[1]) for tag in page.select("article h1, article h2, article h3, article h4, main h1")
    ]
    assert page.find("html").get("lang"), f"{page_path} does not say its language"
    assert levels and levels[0] == 1, f"{page_path} does not begin with its title"
    jumps = [(a, b) for a, b in pairwise(levels) if b > a + 1]
    assert not jumps, f"{page_path}: headings jump {jumps}"


@pytest.mark.parametrize("over", ["http", "file"])
def test_search_finds(open_page, over):
    page = open_page("search.html", over=over)
    page.locator("input[name=q]").last.fill("notation")
    page.locator("input[name=q]").last.press("Enter")
    page.wait_for_selector("#search-results li a")
    page.wait_for_timeout(300)
    assert "notation" in page.locator("#search-results").inner_text().lower()


def test_first_stop_is_the_skip_link(open_page, chapter_path):
    page = open_page(chapter_path, typeset=False)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"


@pytest.mark.parametrize("over", ["http", "file"])
def test_the_folder_leads_to_the_first_page(browser, server, built_book, over):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server if over == 'http' else built_book.as_uri()}/index.html", wait_until="commit")
    page.wait_for_url("**/book/index.html")
    context.close()


def test_prints_light_and_open(open_page, chapter_path):
    page = open_page(chapter_path, scheme="dark", typeset=False)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    closed = page.locator("article details:not([open]):not(.code-below)").count()
    assert not page.locator("details.code-below").first.is_visible(), "prints the code of figures and quizzes"
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert not closed, f"{chapter_path}: {closed} folded parts would not be printed"
    assert not page.locator(".bd-sidebar-primary").is_visible(), (
        f"{chapter_path}: the sidebar would be printed"
    )
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
