"""Join the built pages of the book into one HTML page, from which make_pdf.py prints.

Numbers, equations and figures stay those of the pages: nothing is built again. What is rewritten is what one
page can't hold twice (ids, the names of figures and of widgets) and what a book needs: links within it, parts
above chapters, a list of contents, the answers to the questions.
"""

import html
import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup
from sphinx_external_toc.parsing import parse_toc_yaml

TOOLS = Path(__file__).resolve().parent
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
STATE_SCRIPT = re.compile(rf'<script type="{re.escape(STATE)}">(.*?)</script>', re.S)
MATHJAX_SETTINGS = re.compile(r"<script>\s*(window\.MathJax = .*?)</script>", re.S)
NAMES_IDS = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "headers")
# What a printed page has no use for: the way to this heading, and lists of pages that the contents replace.
ONLY_ON_SCREEN = "a.headerlink, .toctree-wrapper, button, #searchbox"
STYLES = ("togglebutton.css", "copybutton.css")  # of what is left out


@dataclass
class Part:
    """A part of the book: its caption ("" for what stands before the first part) and its pages."""

    caption: str
    docnames: list


@dataclass
class Page:
    """One page of the book, ready to be joined."""

    docname: str
    article: BeautifulSoup
    states: dict
    head: str = ""
    faults: list = field(default_factory=list)

    @property
    def key(self):
        return key_of(self.docname)

    @property
    def title(self):
        return self.article.find(re.compile("h[1-6]$")).get_text()


def parts_of_book(toc):
    """The parts of the book in reading order, as _toc.yml gives them."""
    site = parse_toc_yaml(toc)
    parts = [Part("", [site.root.docname])]
    for tree in site.root.subtrees:
        parts.append(Part(tree.caption or "", [str(item) for item in tree.items]))
    return parts


def key_of(docname):
    """What stands before each id of a page, and is the id of the page itself."""
    return docname.rpartition("/")[2]


def new_id(docname, anchor=""):
    return f"{key_of(docname)}--{anchor}" if anchor else key_of(docname)


def read_page(root, docname):
    """A page of the built book. Raises SystemExit with a sentence if it is not there or not as expected."""
    path = root / f"{docname}.html"
    if not path.is_file():
        raise SystemExit(f"{docname}.html is not in the built book: run `make book` first.")
    text = path.read_text(encoding="utf8")
    states = {}
    for found in STATE_SCRIPT.findall(text):
        states |= json.loads(found)["state"]
    text = STATE_SCRIPT.sub("", text)
    article = BeautifulSoup(text, "html.parser").find("article", class_="bd-article")
    if article is None or article.find("h1") is None:
        raise SystemExit(f"{docname}.html has no article with a title.")
    return Page(docname, article, states, head=text[: text.find("</head>")])


def join(root, toc, only=None):
    """The whole book, or the pages in `only`, as the text of one HTML page for a folder beside `root`.

    Returns (text, faults): links that lead to no place of the book are among the faults.
    """
    parts = [
        Part(p.caption, [d for d in p.docnames if only is None or d in only]) for p in parts_of_book(toc)
    ]
    parts = [part for part in parts if part.docnames]
    pages = {d: read_page(root, d) for part in parts for d in part.docnames}
    keys = Counter(page.key for page in pages.values())
    if twice := [key for key, n in keys.items() if n > 1]:
        raise SystemExit(
            f"Two pages of the book are called {twice[0]}: the joined page needs one name for each."
        )
    anchors = {d: {tag["id"] for tag in page.article.find_all(id=True)} for d, page in pages.items()}
    figures = {d: set(_names(page.states)) for d, page in pages.items()}
    for page in pages.values():
        _rename_widgets(page)
        _rewrite_links(page, root, anchors, figures)
        _rename_ids(page)
        _leave_out(page)
        _add_answers(page)
    for part in parts:
        for docname in part.docnames:
            _lower_headings(pages[docname], bool(part.caption))
    text = _document(parts, pages, root)
    return text, [fault for page in pages.values() for fault in page.faults]


def _names(states):
    for record in states.values():
        spec = record.get("state", {}).get("spec")
        if isinstance(spec, dict) and "controls" in spec:
            yield spec["name"]


def _rename_widgets(page):
    """Figures of two chapters may bear one name; in the joined page each is called after its chapter too."""
    page.states = {f"{page.key}--{name}": record for name, record in page.states.items()}
    for record in page.states.values():
        spec = record.get("state", {}).get("spec")
        if isinstance(spec, dict) and "controls" in spec:
            spec["name"] = f"{page.key}--{spec['name']}"
    for script in page.article.find_all("script", type=VIEW):
        said = json.loads(script.string)
        said["model_id"] = f"{page.key}--{said['model_id']}"
        script.string = json.dumps(said)


def _rewrite_links(page, root, anchors, figures):
    """Links between pages become links within the one page; those to files lose their target."""
    here = root / f"{page.docname}.html"
    for tag in page.article.find_all("a", href=True):
        parts = urlsplit(tag["href"])
        if parts.scheme or parts.netloc:
            continue
        target = Path(os.path.normpath(here.parent / unquote(parts.path))) if parts.path else here
        docname = target.relative_to(root).with_suffix("").as_posix() if target.is_relative_to(root) else ""
        anchor = unquote(parts.fragment)
        if docname not in anchors:
            del tag["href"]  # the search page, a download: there is none on paper
        elif "setting" in tag.get("class", []) or (
            ":" in anchor and anchor.split(":")[0] in figures[docname]
        ):
            tag["href"] = f"#{new_id(docname, anchor.split(':')[0])}"
        else:
            if anchor and anchor not in anchors[docname]:
                page.faults.append(f"{page.docname}: {tag['href']} leads nowhere")
            tag["href"] = f"#{new_id(docname, anchor)}"
        if "title" in tag.attrs:
            del tag["title"]
    for tag in page.article.find_all(["img", "source"], src=True):
        if not urlsplit(tag["src"]).scheme:
            tag["src"] = os.path.relpath(
                here.parent / unquote(urlsplit(tag["src"]).path), root.parent / "pdf"
            )


def _leave_out(page):
    """What serves on the screen alone; and code that the page folds away, outside of solutions."""
    for tag in page.article.select(ONLY_ON_SCREEN):
        tag.decompose()
    for fold in page.article.select("div.cell > details.hide"):
        if fold.find_parent(class_="solution"):
            continue
        cell = fold.parent
        fold.decompose()
        if cell.find(class_="cell_output") is None:
            cell.decompose()


def _rename_ids(page):
    for tag in page.article.find_all(id=True):
        tag["id"] = new_id(page.docname, tag["id"])
    for name in NAMES_IDS:
        for tag in page.article.find_all(attrs={name: True}):
            value = tag[name] if isinstance(tag[name], str) else " ".join(tag[name])
            tag[name] = " ".join(new_id(page.docname, one) for one in value.split())
    page.article["id"] = page.key


def _lower_headings(page, in_part):
    """Below a part's title (h1) stands a chapter's (h2). How large it is printed its class says."""
    for tag in page.article.find_all(re.compile("h[1-6]$")):
        level = int(tag.name[1])
        tag["class"] = [*tag.get("class", []), f"level-{level}"]
        tag.name = f"h{min(6, level + in_part)}"


def _add_answers(page):
    """A printed question can't be checked by a click: the answers stand at the end of its chapter."""
    answers = []
    for record in page.states.values():
        spec = record.get("state", {}).get("spec")
        for question in spec.get("questions", []) if isinstance(spec, dict) else []:
            answers.append((question["question"], _answer(question)))
    if answers:
        items = "".join(
            f"<li><p>{html.escape(asked)} <strong>{html.escape(answer)}</strong> {html.escape(why)}</p></li>"
            for asked, (answer, why) in answers
        )
        block = f'<div class="answers"><p class="rubric">Answers to the questions</p><ol>{items}</ol></div>'
        page.article.append(BeautifulSoup(block, "html.parser"))


def _answer(question):
    if "options" in question:
        return question["options"][question["right"]]
    unit = f" {question['unit']}" if question["unit"] else ""
    answer = question["answer"]
    number = f"{int(answer):,}" if answer == int(answer) else f"{answer:.4g}"
    return f"{number}{unit}.".replace("-", "\u2212"), question["feedback"]


def _contents(parts, pages):
    """The contents: parts, chapters, and their sections but for those of every chapter, such as Exercises,
    letters of the alphabet, and lists by chapter. make_pdf.py writes the page numbers into it."""
    titles = Counter(h.get_text() for page in pages.values() for h in page.article.find_all(class_="level-2"))
    rows = []
    for part in parts:
        if part.caption:
            rows.append(f'<li class="of-part">{_row(part_id(part), html.escape(part.caption))}</li>')
        for docname in part.docnames:
            page = pages[docname]
            rows.append(
                f'<li class="of-chapter">{_row(page.key, _inner(page.article.find(class_="level-1")))}</li>'
            )
            for heading in page.article.find_all(class_="level-2"):
                if titles[heading.get_text()] > 2 or len(heading.get_text()) == 1 or heading.find("a"):
                    continue
                where = heading.find_parent("section", id=True)
                rows.append(f'<li class="of-section">{_row(where["id"], _inner(heading))}</li>')
    return f'<nav id="contents" class="book-contents"><h1>Contents</h1><ul>{"".join(rows)}</ul></nav>'


def _row(target, title):
    leader = '<span class="leads"></span><span class="at"></span>'
    return f'<a href="#{target}"><span class="what">{title}</span>{leader}</a>'


def _inner(tag):
    """What stands in a heading, to be a link: without links of its own, which the heading may have."""
    return re.sub(r"</?a\b[^>]*>", "", "".join(str(child) for child in tag.contents))


def part_id(part):
    return "part--" + re.sub(r"[^a-z0-9]+", "-", part.caption.lower()).strip("-")


def _document(parts, pages, root):
    first = next(iter(pages.values()))
    body = []
    for part in parts:
        if part.caption:
            chapters = "".join(
                f'<li><a href="#{pages[d].key}">{_inner(pages[d].article.find(class_="level-1"))}</a></li>'
                for d in part.docnames
            )
            title = f'<h1 id="{part_id(part)}">{html.escape(part.caption)}</h1>'
            body.append(f'<section class="part">{title}<ul>{chapters}</ul></section>')
        body += [str(pages[d].article) for d in part.docnames]
    here = (root / f"{first.docname}.html").parent
    static = os.path.relpath(root / "_static", root.parent / "pdf")
    settings = MATHJAX_SETTINGS.search(next(p.head for p in pages.values() if "window.MathJax" in p.head))[1]
    name, _, subtitle = yaml.safe_load((TOOLS.parent / "_config.yml").read_text("utf8"))["title"].partition(
        ": "
    )
    states = {name: record for page in pages.values() for name, record in page.states.items()}
    moving = sum(len(list(_names(page.states))) for page in pages.values())
    return TEMPLATE.format(
        title=html.escape(f"{name}: {subtitle}"),
        name=html.escape(name),
        subtitle=html.escape(subtitle.capitalize()),
        about=ABOUT.format(figures=moving),
        paper=(TOOLS / "paper.css").read_text(encoding="utf8"),
        styles="\n".join(_styles(first.head, here, root)),
        running="\n".join(_running_head(page) for page in pages.values()),
        settings=settings,
        static=static,
        state_type=STATE,
        # "</" would end the script; in JSON "<\/" says the same
        state=json.dumps({"state": states}).replace("</", "<\\/"),
        contents=_contents(parts, pages),
        body="\n".join(body),
    )


def _styles(head, here, root):
    for link in BeautifulSoup(head, "html.parser").find_all("link", rel="stylesheet"):
        path = urlsplit(link["href"]).path
        if not path.endswith(STYLES):
            yield f'<link rel="stylesheet" href="{os.path.relpath(here / path, root.parent / "pdf")}">'


def _running_head(page):
    """The chapter's title at the head of its pages."""
    name = re.sub(r"\W", "-", f"page-{page.key}")
    title = page.title.replace("\\", "").replace('"', "\\22 ")
    return f'[id="{page.key}"] {{ page: {name}; }} @page {name} {{ @top-left {{ content: "{title}"; }} }}'


ABOUT = (
    "This is the book on paper. In the HTML book its {figures} figures move. Here each stands at the setting"
    " with which it opens, and says it below. Code that the pages fold away is left out: see the notebooks."
    " Text and figures: CC BY 4.0. Code: MIT."
)
TEMPLATE = """<!DOCTYPE html>
<html lang="en" data-mode="light" data-theme="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
{styles}
<style>
{paper}
{running}
</style>
<script>{settings}</script>
<script defer src="{static}/mathjax/tex-chtml.js"></script>
<script type="{state_type}">{state}</script>
<script defer src="{static}/host.js"></script>
<script defer src="{static}/page.js"></script>
</head>
<body>
<div class="bd-container"><main class="bd-main"><div class="bd-content"><div class="bd-article-container">
<section class="title-page">
<p class="book-title">{name}</p>
<p class="book-subtitle">{subtitle}</p>
<p class="about">{about}</p>
</section>
{contents}
{body}
</div></div></main></div>
</body>
</html>
"""
