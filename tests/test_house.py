"""The form of the repository: chapters of one shape, nothing of one machine, nothing left open."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
import save_notebooks

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
PAGES = sorted(path.name for path in (ROOT / "book").glob("*.md"))
ARTICLE_LINK = "article.md"


class Chapter:
    """A notebook as its tests see it: cells as (kind, id, tags, source, outputs)."""

    def __init__(self, name):
        self.raw = json.loads((ROOT / "notebooks" / name).read_text(encoding="utf8"))
        self.cells = self.raw["cells"]
        for cell in self.cells:
            cell["source"] = "".join(cell["source"])
        self.code = [c for c in self.cells if c["cell_type"] == "code"]
        self.text = "\n\n".join(c["source"] for c in self.cells if c["cell_type"] == "markdown")


@cache
def chapter(name):
    return Chapter(name)


each_chapter = pytest.mark.parametrize("name", CHAPTERS)


def without_fenced_code(text):
    """Markdown without the insides of code and mathematics; what stands in an admonition stays."""
    kept, fences = [], []  # open fences: (its signs, whether its inside is dropped)
    for line in text.splitlines():
        sign, said = re.fullmatch(r"\s*([`:]{3,})?(.*)", line).groups()
        if sign and fences and not said.strip() and sign.startswith(fences[-1][0]):
            fences.pop()
        elif sign and not (fences and fences[-1][1]):
            words = re.match(r"\{(?!(?:math|code-cell|code|figure|image|literalinclude)\})", said)
            fences.append((sign, not words))
        elif not (fences and fences[-1][1]):
            kept.append(line)
    assert not fences, f"a fence is not closed: {fences}"
    return "\n".join(kept)


def prose(text):
    """Markdown without what is not prose: fences, mathematics, code, roles, links' targets, comments."""
    text = without_fenced_code(text)
    text = re.sub(r"\$\$.*?\$\$(?:\s*\([\w:-]+\))?", "", text, flags=re.S)
    text = re.sub(r"\$[^$]*\$", "", text)
    text = re.sub(r"\{[^{}\n]*\}`[^`]*`|`[^`]*`", "", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return re.sub(r"<!--.*?-->|^%.*$", "", text, flags=re.M | re.S)


# --- The form of a chapter ----------------------------------------------------------------------------


@each_chapter
def test_cells_have_names(name):
    ids = [c.get("id", "") for c in chapter(name).cells]
    odd = [i for i in ids if not re.fullmatch(r"[a-z]{2,}[0-9]{0,2}(?:-(?:[a-z]+[0-9]{0,2}|[0-9]{1,2}))*", i)]
    assert not odd, f"{name}: cell ids are words with hyphens, not {odd}"
    assert len(set(ids)) == len(ids), (
        f"{name}: cell ids stand twice: {sorted({i for i in ids if ids.count(i) > 1})}"
    )


@each_chapter
def test_cells_can_be_read_at_a_glance(name):
    long = {c["id"]: n for c in chapter(name).code if (n := len(c["source"].splitlines())) > 15}
    assert not long, f"{name}: code cells of more than 15 lines: {long}"


@each_chapter
def test_saved_as_committed(name):
    outputs = [o for c in chapter(name).code for o in c["outputs"]]
    stored = {m for o in outputs for m in o.get("data", {}) if m.startswith(save_notebooks.LEFT_OUT)}
    assert not stored, f"{name}: stores {sorted(stored)}; run `make execute`"
    assert "widgets" not in chapter(name).raw["metadata"], f"{name}: stores widget state; run `make execute`"
    assert all(o["output_type"] != "error" for o in outputs), f"{name}: stores an error"
    path = ROOT / "notebooks" / name
    assert save_notebooks.in_saved_form(path), (
        f"{name}: not as `make execute` saves it, or with cells never run"
    )


@each_chapter
def test_opens_and_closes_as_every_chapter(name):
    text = chapter(name).text
    number = int(name[:2])
    assert text.startswith(f"# {number}. "), f'{name}: the title must begin "# {number}. "'
    headings = re.findall(r"^#{2,}\s+(.*?)\s*$", text, flags=re.M)
    opening = ["What you will see", "What you need", "What you will be able to do"]
    assert headings[:3] == opening, f"{name}: the first headings are {headings[:3]}, not {opening}"
    assert "{chapter-facts}" in text, f"{name}: no {{chapter-facts}} under the title"
    assert ARTICLE_LINK in text, f"{name}: does not link to its section of the article ({ARTICLE_LINK})"
    assert headings[-1] == "References", f'{name}: the last heading is "{headings[-1]}", not "References"'
    summary = re.search(r":class:.*\bsummary\b", text) or "Summary" in headings
    assert summary, f"{name}: no summary (an admonition of class summary)"
    assert re.search(r":class:.*\bpredict\b", text), f"{name}: no predict-then-drag box (class predict)"


@each_chapter
def test_a_figure_moves_before_the_first_formula(name):
    cells = chapter(name).cells
    figures = [
        i for i, c in enumerate(cells) if c["cell_type"] == "code" and re.search(r"\bexplore\(", c["source"])
    ]
    formulas = [
        i
        for i, c in enumerate(cells)
        if c["cell_type"] == "markdown" and re.search(r"\$\$|\{math\}|\\begin\{", c["source"])
    ]
    assert figures, f"{name}: no live figure"
    assert not formulas or figures[0] < formulas[0], (
        f"{name}: a formula (cell {formulas[0]}) before the first figure"
    )


def shown(cell):
    """Whether a reader sees something of the cell without opening a fold."""
    if cell["cell_type"] == "markdown" or "hide-input" not in cell["metadata"].get("tags", []):
        return True
    outputs = (
        o for o in cell["outputs"] if "application/papermill.record/text/plain" not in o.get("data", {})
    )
    return any(outputs)


@each_chapter
def test_a_question_stands_directly_above_its_figure(name):
    cells, apart = chapter(name).cells, {}
    for i, cell in enumerate(cells):
        if cell["cell_type"] == "markdown" and re.search(r":class:.*\bpredict\b", cell["source"]):
            rest = cells[i + 1 :]
            figure = next(
                k for k, c in enumerate(rest) if "explore(" in c["source"] and c["cell_type"] == "code"
            )
            between = [c["id"] for c in rest[:figure] if shown(c)]
            if between or not cell["source"].rstrip().endswith(":::"):
                apart[cell["id"]] = between or "text after the box"
    assert not apart, f"{name}: between a predict box and its figure stand {apart}"


@each_chapter
def test_shown_code_fits_the_column(name):
    wide = {
        f"{c['id']}: {line.strip()[:40]}": len(line)
        for c in chapter(name).code
        if shown(c) and "hide-input" not in c["metadata"].get("tags", [])
        for line in c["source"].splitlines()
        if len(line) > 78
    }
    assert not wide, f"{name}: lines of shown code that the column cuts at 78 characters: {wide}"


@each_chapter
def test_no_label_of_a_figure_has_a_prime_in_its_mathematics(name):
    """Matplotlib takes that sign from another font, and the page shows a 0. Write g′(α) without dollars."""
    lines = [line for c in chapter(name).code for line in c["source"].splitlines()]
    primes = [line for line in lines if re.search(r"\$[^$\"]*('|\\prime)[^$\"]*\$", line)]
    assert not primes, f"{name}: {primes}"


@each_chapter
def test_what_a_check_checks_stands_on_a_line_of_its_own(name):
    """The page takes `# der:name` away where it is a whole line, and nowhere else."""
    lines = [line for c in chapter(name).code for line in c["source"].splitlines()]
    within = [line for line in lines if "# der:" in line and not line.startswith("# der:")]
    assert not within, f"{name}: put the label on a line of its own at the margin: {within}"


@pytest.mark.parametrize("name", CHAPTERS + PAGES)
def test_a_link_has_words(name):
    """Mathematics alone is no name of a link for whoever hears the page."""
    text = chapter(name).text if name in CHAPTERS else (ROOT / "book" / name).read_text(encoding="utf8")
    links = re.findall(r"\[([^][]+)\]\([^)\s]+\)", without_fenced_code(text))
    mute = [said for said in links if not re.search(r"\w", re.sub(r"\$[^$]*\$", "", said))]
    assert not mute, f"{name}: links without a word: {mute}"


@each_chapter
def test_asks_questions(name):
    asked = sum(
        len(re.findall(r"^\s*(?:\w+\.)?(?:Choice|Number)\(", c["source"], flags=re.M))
        for c in chapter(name).code
        if re.search(r"\bquiz\(", c["source"])
    )
    assert asked >= 3, f"{name}: {asked} quiz questions; 3 are wanted"


@each_chapter
def test_exercises_have_solutions(name):
    text = chapter(name).text
    exercises = re.findall(r"\{exercise(?:-start)?\}[^\n]*\n(?::(?!label)[^\n]*\n)*:label:\s*(\S+)", text)
    solutions = re.findall(r"\{solution(?:-start)?\}\s*(\S+)", text)
    assert 3 <= len(exercises) <= 5, f"{name}: {len(exercises)} exercises ({exercises}); 3 to 5 are wanted"
    assert sorted(exercises) == sorted(solutions), f"{name}: exercises {exercises}, solutions {solutions}"
    hidden = len(re.findall(r"\{solution(?:-start)?\}[^\n]*\n(?::[^\n]*\n)*?:class:[^\n]*\bdropdown\b", text))
    assert hidden == len(solutions), f"{name}: a solution is not of class dropdown, so the page shows it"
    assert text.count("{solution-start}") == text.count("{solution-end}"), f"{name}: a solution does not end"


@each_chapter
def test_no_clock_in_outputs(name):
    magic = [c["id"] for c in chapter(name).code if re.search(r"^\s*%%?time", c["source"], flags=re.M)]
    assert not magic, f"{name}: cells {magic} print times, which no second run repeats"
    told = json.dumps([c["outputs"] for c in chapter(name).code])
    found = re.findall(r"\b\d+\.\d+ ?(?:s|ms|µs|seconds?)\b|\b\d\d:\d\d:\d\d\b|0x[0-9a-f]{8,}", told)
    assert not found, f"{name}: outputs that differ from run to run: {found}"


@pytest.mark.parametrize("name", CHAPTERS + PAGES)
def test_numbers_in_prose_are_computed(name):
    text = chapter(name).text if name in CHAPTERS else (ROOT / "book" / name).read_text(encoding="utf8")
    typed = re.findall(r".{0,25}(?<![\w.])\d+\.\d{2,}(?!\w)", prose(text))
    assert not typed, f"{name}: numbers that someone typed (glue them): {typed}"


@pytest.mark.parametrize("name", CHAPTERS + PAGES)
def test_every_column_of_a_table_has_a_name(name):
    text = chapter(name).text if name in CHAPTERS else (ROOT / "book" / name).read_text(encoding="utf8")
    heads = re.findall(r"^(\|.*\|)\n\|[-:| ]+\|$", text, flags=re.M)
    empty = [head for head in heads if re.search(r"\|\s*\|", head)]
    assert not empty, f"{name}: tables with a column that has no name: {empty}"


def test_prose_keeps_words_and_drops_the_rest():
    dropped = "$$ 1.23 $$ (eq:x)\n`2.34` {glue:text}`x:.2f` $4.56$\n```\n5.67\n```\n"
    kept = prose("Typed 3.14 here.\n[0.55](#f:lr=0.56)\n" + dropped)
    assert re.findall(r"\d+\.\d+", kept) == ["3.14", "0.55"]
    after_directives = (
        "```{chapter-facts}\n```\n1.23\n:::{admonition} A\n:class: b\n2.34\n:::\n```\n3.45\n```\n4.56"
    )
    assert re.findall(r"\d+\.\d+", prose(after_directives)) == ["1.23", "2.34", "4.56"]


# --- The form of the repository -----------------------------------------------------------------------


def tracked():
    """The files of the repository that are text, by path: what git tracks and what it would."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and "assets/mathjax" not in name and name != "tests/test_house.py":
            try:
                yield name, path.read_text(encoding="utf8")
            except UnicodeDecodeError:
                continue


def found_in_files(pattern, keep=lambda name: True):
    pattern = re.compile(pattern)
    return [
        f"{name}:{number}: {found[0]}"
        for name, text in tracked()
        if keep(name)
        for number, line in enumerate(text.splitlines(), 1)
        if (found := pattern.search(line))
    ]


def test_nothing_belongs_to_one_machine():
    found = found_in_files(r"(?<![\w.~-])/(?:work|tmp|root|farm|home|Users)/\w+")
    assert not found, "paths of one machine:\n" + "\n".join(found)
    found = found_in_files(
        r"(?i)\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|registry\.|index-url=|artifactory)"
    )
    assert not found, "package registries by name:\n" + "\n".join(found)


def test_nothing_is_left_open():
    found = found_in_files(
        r"\b(?:TODO|TBD|FIXME|XXX)\b|(?i:\bcoming soon\b|\blorem ipsum\b|\bto be written\b)"
    )
    assert not found, "left open:\n" + "\n".join(found)


def test_every_requirement_is_pinned():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf8").splitlines()
    loose = [line for line in lines if line and not line.lstrip().startswith("#") and "==" not in line]
    assert not loose, f"requirements.txt: not pinned: {loose}"


def test_every_chapter_is_in_the_book():
    toc = (ROOT / "_toc.yml").read_text(encoding="utf8")
    listed = re.findall(r"(?:file|root): (\S+)", toc)
    missing = [
        f
        for f in [*CHAPTERS, *PAGES]
        if not any(entry.endswith("/" + f.rsplit(".", 1)[0]) for entry in listed)
    ]
    assert not missing, f"_toc.yml lacks {missing}"
