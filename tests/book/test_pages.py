"""What every page of the built book keeps to. Figures and quizzes have their own tests beside this one."""

import gzip
import json
import re
from collections import Counter
from itertools import pairwise

import pytest
from conftest import FRAMES, ROOT, html_root, pages, soup

# The frame of all pages is the same. On these it is looked at in more ways.
OF_EACH_KIND = ["book/index.html", "notebooks/01_background.html", "book/glossary.html", "search.html"]


def test_asks_for_nothing_and_says_no_error(look_at, page_path):
    """Nothing leaves the page, no address is missing, nothing goes wrong in the console."""
    look_at(page_path)


# Chapters are opened as files by test_a_claim_waits_for_the_first_move_and_a_prediction_is_kept.
@pytest.mark.parametrize("path", [p for p in pages() if p in OF_EACH_KIND or not p.startswith("notebooks/")])
def test_from_the_disk_too(open_page, path):
    open_page(path, over="file", typeset=path in OF_EACH_KIND)


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


# axe looks at each word of a listing and at each sign of a formula for itself. While it looks, what stands
# where another of its kind has stood is taken out: words of listings, formulas, and paragraphs and rows that
# hold only what those before them held. That is most of a page's elements and of the time.
SET_ASIDE = """() => {
  const seen = new Set(), aside = [];
  const gone = (e) => e.closest("[data-aside]");
  const take = (e) => { e.dataset.aside = ""; aside.push(e); };
  const kind = (e) => [e.tagName, e.className, e.style?.cssText, e.textContent.trim() ? "" : "empty",
    e.tagName === "TR" && e.matches(":nth-child(odd)") ? "odd" : ""].join(".");
  const place = (e) => {
    let said = "";
    for (; e && e.tagName !== "ARTICLE"; e = e.parentElement) said += ` ${kind(e)}`;
    return said;
  };
  const MORE = "h1, h2, h3, h4, h5, h6, img, svg, figure, form, input, button, details, pre, [tabindex]";
  const BLOCKS = "article :is(section, div, ul, ol, tbody) > :is(p, li, tr)";
  for (const block of document.querySelectorAll(BLOCKS)) {
    if (block.querySelector(MORE) || gone(block)) continue;
    const parts = [...block.querySelectorAll(":not(mjx-container *)")].map(kind);
    const said = [...new Set(parts)].sort() + place(block);
    if (seen.has(said)) take(block);
    seen.add(said);
  }
  for (const pre of document.querySelectorAll("div.highlight > pre")) {
    const ground = getComputedStyle(pre).backgroundColor;
    for (const word of pre.querySelectorAll("span")) {
      const said = `${word.className} on ${ground}`;
      if (seen.has(said) && !gone(word)) take(word);
      seen.add(said);
    }
  }
  for (const formula of document.querySelectorAll("mjx-container")) {
    if (gone(formula)) continue;
    const said = formula.getAttribute("display") + place(formula.closest(".math").parentElement);
    if (seen.has(said)) take(formula);
    seen.add(said);
  }
  window.nnAside = aside.map((element) => {
    const here = document.createComment("set aside");
    element.replaceWith(here);
    return () => { here.replaceWith(element); delete element.dataset.aside; };
  });
}"""
PUT_BACK = "() => nnAside.forEach((back) => back())"


# What another scheme or width can change.
OF_THEME = ["color-contrast", "link-in-text-block"]
OF_WIDTH = ["target-size", "scrollable-region-focusable", "region", "nested-interactive"]


def test_axe_finds_nothing(look_at, axe, page_path):
    """Every rule on the wide page in light; what scheme or width can change, on the narrow page in dark."""
    page = look_at(page_path)
    open_folds(page)
    page.evaluate(SET_ASIDE)
    found = [f"1280 px, light: {fault}" for fault in axe(page)]
    dark(page)
    if page_path in OF_EACH_KIND:
        found += [f"1280 px, dark: {fault}" for fault in axe(page, OF_THEME)]
    page.set_viewport_size({"width": 390, "height": 900})
    page.evaluate(FRAMES)
    found += [f"390 px, dark: {fault}" for fault in axe(page, OF_THEME + OF_WIDTH)]
    if page_path in OF_EACH_KIND:
        dark(page, "light")
        found += [f"390 px, light: {fault}" for fault in axe(page, OF_THEME)]
    page.evaluate(PUT_BACK)
    assert not found, f"{page_path}, " + "\n".join(found)


def dark(page, scheme="dark"):
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("(scheme) => document.documentElement.dataset.theme === scheme", arg=scheme)


# What scrolls by itself, though no key gets there.
OUT_OF_REACH = """() => [...document.querySelectorAll("article :not(mjx-container *)")].filter((e) =>
  e.scrollWidth > e.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(e).overflowX)
  && ![e, ...e.querySelectorAll("*")].some((stop) => stop.tabIndex >= 0))
  .map((e) => e.outerHTML.slice(0, 160))"""


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
        mute = page.evaluate(OUT_OF_REACH)
        assert not mute, f"{page_path}, {width} px: scrolls, but no key gets there:\n" + "\n".join(mute)


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


def test_setting_links_name_a_figure_of_the_page(look_at, chapter_path):
    page = look_at(chapter_path)
    missing = page.evaluate("""() => {
      const shown = new Set([...document.querySelectorAll("[data-name]")].map((e) => e.dataset.name));
      const links = [...document.querySelectorAll("a.setting[href^='#']")].map((a) => a.getAttribute("href"));
      return links.filter((link) => !shown.has(link.slice(1).split(":")[0]));
    }""")
    assert not missing, f"{chapter_path}: links to figures that the page does not show: {missing}"


def test_an_id_stands_once(built_book, page_path):
    ids = Counter(tag["id"] for tag in soup(built_book / page_path).find_all(id=True))
    twice = sorted(name for name, times in ids.items() if times > 1)
    assert not twice, f"{page_path}: ids on more than one element: {twice}"


def test_exercises_and_solutions_lead_to_each_other(built_book, chapter_path):
    page = soup(built_book / chapter_path)
    exercises = page.select(".admonition.exercise")
    assert exercises
    for exercise in exercises:
        name = re.match(r"Exercise [\d.]+", exercise.select_one(".admonition-title").get_text())[0]
        there = exercise.select_one("p.to-solution > a")
        assert there.get_text() == f"Solution to {name}"
        solution = page.find(id=there["href"].removeprefix("#"))
        assert "solution" in solution["class"] and name in solution.select_one(".admonition-title").get_text()
        back = solution.select_one("p.to-exercise > a")
        assert back.get_text() == f"Back to {name}" and back["href"] == f"#{exercise['id']}"


IN_VIEW = "(e) => { const at = e.getBoundingClientRect(); return at.top >= 0 && at.top < innerHeight / 2; }"


def test_a_link_to_a_solution_opens_it(look_at, chapter_path):
    page = look_at(chapter_path, typeset=False)
    link = page.locator("p.to-solution > a").last
    solution = page.locator(link.get_attribute("href"))
    button = solution.locator("button.toggle-button")
    for _ in range(2):  # the second time the address is there already
        if button.get_attribute("aria-expanded") == "true":
            button.click()
        assert not solution.locator("p.to-exercise").is_visible()
        link.press("Enter")
        assert button.get_attribute("aria-expanded") == "true" and solution.evaluate(IN_VIEW)
        assert solution.locator("p.to-exercise").is_visible()
    page.keyboard.press("Tab")
    assert solution.evaluate("(e) => e.contains(document.activeElement)"), "the next stop is not the solution"
    solution.locator("p.to-exercise > a").press("Enter")
    assert page.evaluate("location.hash") != link.get_attribute("href")


def test_an_address_with_a_solution_opens_it(open_page):
    path = pages("notebooks/")[0]
    solution = soup(html_root() / path).select(".admonition.solution")[-1]["id"]
    page = open_page(path, fragment=solution, typeset=False)
    assert page.locator(f"#{solution} button.toggle-button").get_attribute("aria-expanded") == "true"


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


def test_readers_see_numbers_not_how_python_writes_them(built_book, page_path):
    main = soup(built_book / page_path).select_one("main")
    texts = main.find_all(string=re.compile(r"\bnp\.\w+\(|\barray\("))
    found = [str(text) for text in texts if not text.find_parent(["pre", "code", "script"])]
    assert not found, f"{page_path}: glue these formatted: {found}"


def test_equations_fit_the_column(look_at, page_path):
    page = look_at(page_path)
    open_folds(page)
    cut = page.evaluate("""() => [...document.querySelectorAll('mjx-container[display="true"]')]
      .filter((e) => e.scrollWidth > e.clientWidth + 1)
      .map((e) => `${e.parentElement.textContent.slice(0, 60)}, by ${e.scrollWidth - e.clientWidth} px`)""")
    assert not cut, f"{page_path}: equations wider than the column:\n" + "\n".join(cut)


def test_a_claim_waits_for_the_first_move_and_a_prediction_is_kept(open_page, chapter_path):
    """What a reader does on a fresh page, here a file, from the question to the page that he opens again."""
    page = open_page(chapter_path, over="file", typeset=False)
    asked = page.locator(".admonition.predict").count()
    claims, fields = page.locator("figure.explore figcaption details"), page.get_by_label("Your prediction")
    assert 0 < claims.count() <= asked == fields.count()
    assert not page.locator("figure.explore figcaption details[open]").count()
    fields.first.fill("It will learn faster.")
    figure = page.locator("figure.explore:has(figcaption details)").first
    for key in ("ArrowRight", "ArrowLeft"):  # a slider may start at either end
        figure.locator("[data-control]").first.press(key)
    assert claims.first.evaluate("(d) => d.open")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not page.locator("figure.explore figcaption details:not([open])").count()
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


# --- The book as a whole --------------------------------------------------------------------------------

FIRST = "book/index.html"


def in_order():
    """The pages in the order of _toc.yml."""
    toc = (ROOT / "_toc.yml").read_text(encoding="utf8")
    return [f"{name}.html" for name in re.findall(r"^[ -]*(?:file|root): (\S+)", toc, flags=re.M)]


def goes(path, where):
    """The page that the arrow below a page leads to, by its path, and the title that it tells."""
    arrow = soup(html_root() / path).select_one(f".prev-next-area a.{where}")
    if arrow is None:
        return None, None
    target = ((html_root() / path).parent / arrow["href"]).resolve().relative_to(html_root()).as_posix()
    return target, arrow.select_one(".prev-next-title").get_text()


def test_next_leads_through_the_whole_book_and_previous_back():
    order = in_order()
    assert len(order) == len(set(order)) > 21
    for here, there in pairwise(order):
        for path, where, target in ((here, "right-next", there), (there, "left-prev", here)):
            found, said = goes(path, where)
            assert found == target, f"{path}: {where} leads to {found}"
            assert said == soup(html_root() / target).select_one("h1").find(string=True), f"{path}: {said}"
    assert goes(order[0], "left-prev")[0] is None and goes(order[-1], "right-next")[0] is None


def test_each_page_says_in_a_sentence_what_it_is():
    said = {}
    for path in in_order():
        tag = soup(html_root() / path).find("meta", attrs={"name": "description"})
        said[path] = tag["content"] if tag else ""
    fits = re.compile(r"[^\\$<]{30,400}")
    odd = {path: text for path, text in said.items() if not fits.fullmatch(text)}
    assert not odd, f"descriptions: {odd}"
    assert len(set(said.values())) == len(said)


def test_a_part_opens_with_its_chapters():
    """Each part's page lists what stands under its name in the sidebar, and the first page has them all."""
    page, listed = soup(html_root() / FIRST), []
    for caption in page.select(".bd-links p.caption"):
        entries = [a["href"] for a in caption.find_next_sibling("ul").select("a")]
        opener = re.search(r"part_(\d)\.html$", entries[0])
        if opener:
            part = soup(html_root() / "book" / entries.pop(0))
            assert part.select_one("h1").find(string=True) == f"Part {opener[1]}. {caption.get_text()}"
            assert [a["href"] for a in part.select("ul.chapters p:first-child > a")] == entries
            assert len(part.select("ul.chapters p.promise")) == len(entries)
        listed += entries
    assert [a["href"] for a in page.select("ul.chapters a")] == listed


def test_minutes_are_the_same_everywhere():
    first, colophon = soup(html_root() / FIRST), soup(html_root() / "book/colophon.html")
    told = {a["href"]: a.parent.select_one(".minutes") for a in first.select("ul.chapters a")}
    table = {a["href"]: a.find_parent("tr") for a in colophon.select("table.chapter-table a")}
    for path in pages("notebooks/"):
        line = soup(html_root() / path).select_one("p.chapter-facts").get_text()
        minutes, figures = re.match(r"About (\d+) minutes .* (\d+) live figures?", line).groups()
        assert told[f"../{path}"].get_text() == f"{minutes} minutes"
        cells = [cell.get_text().strip() for cell in table[f"../{path}"].select("td")]
        assert (cells[0], cells[2]) == (minutes, figures), path
        views = soup(html_root() / path).select("script[type='application/vnd.jupyter.widget-view+json']")
        assert 0 < int(figures) < len(views), path  # the others are quizzes


def test_the_colophon_knows_the_sizes_of_the_pages():
    sizes = soup(html_root() / "book/colophon.html").select(".page-size")
    weight = {p: len(gzip.compress((html_root() / p).read_bytes(), 9)) / 1000 for p in pages("notebooks/")}
    for size in sizes:
        whole = sum(weight.values()) if size["data-page"] == "all" else weight[size["data-page"] + ".html"]
        assert abs(int(size.get_text().replace("\u202f", "")) - whole) <= 0.6, size
    assert len(sizes) == len(weight) + 1


def test_the_map_has_every_chapter_and_points_back():
    entries = soup(html_root() / FIRST).select(".chapter-map li")
    numbers = [int(entry["data-chapter"]) for entry in entries]
    assert numbers == list(range(1, len(pages("notebooks/")) + 1))
    forward, free = {}, []
    for entry, number in zip(entries, numbers, strict=True):
        needs = [int(n) for n in re.findall(r"\d+", entry.select_one(".needs").get_text())]
        if any(need >= number for need in needs):
            forward[number] = needs
        if not needs:
            free.append(number)
        assert set(map(int, entry["data-rests"].split())) >= {need for need in needs if need < number}
    assert not forward, f"*What you need* names later chapters: {forward}"
    assert free == [1], f"*What you need* names no chapter, in chapters {free}"


def test_the_map_lights_what_a_chapter_rests_on(open_page):
    page = open_page(FIRST)
    entry = page.locator(".chapter-map li").last
    rests = entry.get_attribute("data-rests").split()
    entry.locator("a").focus()
    lit = page.eval_on_selector_all(".chapter-map li.lit", "all => all.map((e) => e.dataset.chapter)")
    assert sorted(lit) == sorted([*rests, entry.get_attribute("data-chapter")])
    assert page.locator(".chapter-map path.lit").count() >= len(rests)  # each is reached by a line
    page.evaluate("document.activeElement.blur()")
    assert page.locator(".chapter-map .lit").count() == 0


@pytest.mark.parametrize("width", [320, 390, 820, 1280])
def test_the_map_can_be_read_at_every_width(open_page, width):
    page = open_page(FIRST, width=width)
    boxes = page.locator(".chapter-map li > a")
    cut = boxes.evaluate_all(
        "all => all.filter((a) => a.scrollHeight > a.clientHeight + 1).map((a) => a.textContent)"
    )
    assert not cut, f"{width} px: text that its box does not hold: {cut}"
    wide = page.locator(".chapter-map svg").is_visible()
    assert wide == (width >= 820)
    needs = page.locator(".chapter-map .needs").last
    assert (needs.bounding_box()["width"] > 20) != wide and needs.inner_text().strip().startswith("needs")


def test_a_link_of_the_first_page_sets_a_figure_of_another(open_page):
    page = open_page(FIRST, typeset=False)
    link = page.locator(".route a.setting").first
    name, control, value = re.search(r"#([\w-]+):([\w-]+)=([^,]+)", link.get_attribute("href")).groups()
    link.click()
    page.wait_for_url("**/notebooks/**")
    page.wait_for_function("window.nnReady && window.nnPageReady")
    page.evaluate("Promise.all([window.nnReady, window.nnPageReady])")
    control = page.locator(f"figure.explore[data-name={name}] [data-control={control}]")
    assert control.get_attribute("aria-valuetext") == value


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
    assert any("Notation" in said for said, _ in searched(open_page, "notation", over))


def searched(open_page, query, over="http"):
    """The results of a search, (what it says, where it leads), in order."""
    page = open_page("search.html", over=over)
    page.locator("input[name=q]").last.fill(query)
    page.locator("input[name=q]").last.press("Enter")
    page.wait_for_function(
        "document.querySelector('.search-summary')?.textContent"
    )  # written when all are listed
    results = page.locator("#search-results li")
    if over == "http":
        page.wait_for_function(
            "document.querySelectorAll('#search-results li > :is(p, span)').length"
            " === document.querySelectorAll('#search-results li').length"
        )
    return [(r.inner_text(), r.locator("a").first.get_attribute("href")) for r in results.all()]


TERMS = [
    ("learning rate", "learning-rate", "notebooks/05_"),
    ("softmax", "softmax", "notebooks/03_"),
    ("LSTM", "long-short-term-memory", "notebooks/12_"),
    ("fgsm", "fast-gradient-sign-method", "notebooks/20_"),
    ("Amdahl's law", "amdahls-law", "notebooks/14_"),
    ("梯度下降", "gradient-descent", "notebooks/05_"),
    ("反向传播", "backpropagation", "notebooks/07_"),
    ("梯度", "gradient", "notebooks/05_"),  # stands inside longer words, too
    ("熵", "entropy", "notebooks/04_"),  # a single sign
]


@pytest.mark.parametrize("over", ["http", "file"])
@pytest.mark.parametrize("query, entry, chapter", TERMS)
def test_search_finds_a_term_by_each_of_its_names(open_page, query, entry, chapter, over):
    (_, first), (_, second), *_ = searched(open_page, query, over)
    assert first == f"book/glossary.html#term-{entry}"
    assert second.startswith(chapter)


def test_search_finds_a_chinese_word_of_which_more_was_typed(open_page):
    """Neural networks' is not in the book, neural network is; finance is not, nor a part of it."""
    results = searched(open_page, "神经网络的")
    assert any(where.startswith("notebooks/02_") for _, where in results[:5]), results
    assert searched(open_page, "金融") == []


def test_search_quotes_sentences(open_page):
    """Around what was typed, where it stands so; no list of contents, and no formula as it is written."""
    found = searched(open_page, "learning rate")
    quotes = [said for said, where in found if where.startswith("notebooks/") and "#" not in where]
    raw = [said for said in quotes if re.search(r"\\\w|On this page|\.ipynb", said)]
    assert not raw, raw
    assert sum("learning rate" in said.lower().split("\n", 1)[-1] for said in quotes) > len(quotes) / 2


def test_search_indexes_words_only(built_book):
    index = (built_book / "searchindex.js").read_text(encoding="utf8")
    words = set(json.loads(index[len("Search.setIndex(") : -1])["terms"])
    assert {"softmax", "gradient", "梯度"} <= words
    noise = {"frac", "mathbf", "underbrac", "layoutmodel", "buffers", "2024", "007"} & words
    assert not noise, f"in the index of the search: {noise}"
    assert len(index) <= 360_000, f"the index weighs {len(index):,} bytes"


@pytest.mark.parametrize("path", OF_EACH_KIND)
def test_first_stop_is_the_skip_link(open_page, path):
    page = open_page(path, typeset=False)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"


@pytest.mark.parametrize("over", ["http", "file"])
def test_the_folder_leads_to_the_first_page(browser, server, built_book, over):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server if over == 'http' else built_book.as_uri()}/index.html", wait_until="commit")
    page.wait_for_url("**/book/index.html")
    context.close()


def test_prints_light_and_open(look_at, chapter_path):
    page = look_at(chapter_path, typeset=False)
    dark(page)
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
