"""The glossary and the links to it: what is a term in a sentence, and which Chinese names chapters give."""

import re
from pathlib import Path

import pytest
from docutils import nodes
from nnbook import terms
from nnbook.labels import ROOT, book_pages
from nnbook.search import SearchBook
from nnbook.terms import HAN, SOURCE, Finder, Term, link_terms, mark_places, plural, wrong_chinese

GLOSSARY = terms.read(ROOT / SOURCE)
# Chinese in the book that names no term: titles of the article and of its sections, and a phrase of its.
NO_TERMS = {
    "人工智能中的数学基础原理与", "实战", "背景介绍", "具体代码实例", "未来发展趋势", "挑战", "附录", "结论",
    "连接强度", "一个权重", "处理器核",
}  # fmt: skip


def finder(*words, **options):
    return Finder(tuple(Term(word, "A thing. More.", 1, **options) for word in words))


def found(finder, text):
    return [(match[0], term.term) for match, term in finder.find(text)]


def test_the_longest_term_is_found():
    some = finder("descent", "gradient", "gradient descent", "stochastic gradient descent")
    said = "Gradient descent, stochastic gradient\ndescent; a gradient in a descent."
    assert [term for _, term in found(some, said)] == [
        "gradient descent", "stochastic gradient descent", "gradient", "descent",
    ]  # fmt: skip


def test_whole_words_and_plurals_are_found():
    some = finder("loss", "mini-batch", "batch", "entropy", "winner's curse")
    assert [said for said, _ in found(some, "Losses: lossy mini-batches, the batches-to-be, entropies")] == [
        "Losses", "mini-batches", "entropies",
    ]  # fmt: skip
    assert found(some, "the winner’s curse") == [("winner’s curse", "winner's curse")]
    assert [plural(word) for word in ("loss", "query", "key", "mini-batch", "weight")] == [
        "losses", "queries", "keys", "mini-batches", "weights",
    ]  # fmt: skip


def test_capitals_of_names_are_kept():
    some = finder("Adam", "seed")
    assert found(some, "ADAM, adam, Adam, Seed, SEED") == [("Adam", "Adam"), ("Seed", "seed")]


def test_one_word_has_one_meaning():
    with pytest.raises(ValueError, match=r"'descents' means both 'descent' and 'fall'"):
        Finder((Term("descent", "x", 1), Term("fall", "y", 1, forms=("descents",))))


def paragraph(*parts):
    return nodes.paragraph("", "", *(nodes.Text(part) if isinstance(part, str) else part for part in parts))


def document(*parts):
    return nodes.section("", nodes.title("", "The gradient"), *parts, ids=["top"])


def linked(doctree, some, wanted=None):
    """The words that became links, in order."""

    def link(term, words):
        return nodes.reference("", words, refuri=f"#{term.slug}", classes=["term"])

    link_terms(doctree, some, wanted or {term.term for term in some.terms}, link)
    return [node.astext() for node in doctree.findall(nodes.reference) if "term" in node["classes"]]


def test_only_prose_is_linked():
    apart = [
        paragraph(nodes.literal("", "gradient")),
        paragraph(nodes.math("", "gradient")),
        paragraph(nodes.reference("", "the gradient", refuri="#")),
        nodes.literal_block("", "gradient"),
        nodes.figure("", nodes.caption("", "a gradient")),
        nodes.table("", paragraph("a gradient")),
        nodes.container("", paragraph("a gradient"), classes=["cell_output"]),
        nodes.admonition("", nodes.title("", "gradient"), paragraph("a gradient"), classes=["solution"]),
        nodes.section("", nodes.title("", "References"), paragraph("a gradient")),
    ]
    assert linked(document(*(node.deepcopy() for node in apart)), finder("gradient")) == []
    box = nodes.admonition("", nodes.title("", "A gradient"), paragraph("The gradients"), classes=["predict"])
    assert linked(document(*apart, box), finder("gradient")) == ["gradients"]
    in_list = nodes.bullet_list("", nodes.list_item("", paragraph("a ", nodes.strong("", "gradient"))))
    assert linked(document(*apart, in_list), finder("gradient")) == ["gradient"]


def test_a_term_is_linked_once_and_a_paragraph_bears_two():
    some = finder("gradient", "loss", "bias", "weight")
    page = document(paragraph("The weight, the loss, the bias."), paragraph("A weight, a bias, a gradient."))
    before = page.astext()
    assert linked(page, some) == ["weight", "loss", "gradient"]
    assert page.astext() == before
    assert linked(document(paragraph("The weight, the loss.")), some, {"loss"}) == ["loss"]


def test_what_is_defined_is_not_linked_there_or_later():
    some = finder("loss", "bias")
    page = document(paragraph("A bias."), paragraph("The ", nodes.emphasis("", "loss"), " and the ",
                    nodes.emphasis("", "bias"), " of it."), paragraph("A loss."))  # fmt: skip
    assert mark_places(page, some, some.terms) == {"loss": "def-loss", "bias": "def-bias"}
    assert [node["ids"] for node in page.findall(nodes.emphasis)] == [["def-loss"], ["def-bias"]]
    assert linked(page, some) == ["bias"]


def test_a_term_that_is_never_in_italics_is_placed_where_it_is_first():
    page = document(paragraph("No."), paragraph("A ", nodes.emphasis("", "local"), " minimum."))
    assert mark_places(page, finder("local minimum"), finder("local minimum").terms)
    assert page[2]["ids"] == ["def-local-minimum"]
    assert mark_places(document(paragraph("No.")), finder("bias"), finder("bias").terms) == {}


def test_another_chinese_name_is_a_fault():
    some, loss = finder("loss", chinese=("损失函数",)), nodes.emphasis("", "loss")
    assert not list(wrong_chinese(document(paragraph("A ", loss, " (损失函数) is")), some))
    assert not list(wrong_chinese(document(paragraph("A loss (损失) of gates (门)")), some))
    wrong = list(wrong_chinese(document(paragraph("A ", loss.deepcopy(), " (代价) is")), some))
    assert wrong == ["'loss' is 代价 here and 损失函数 there"]


def test_every_chinese_name_of_the_book_is_in_the_glossary():
    names = {run for term in GLOSSARY for name in term.chinese for run in re.findall(f"[{HAN}]+", name)}
    lost = {
        f"{run} ({page})"
        for page, (text, _) in book_pages().items()
        for run in re.findall(f"[{HAN}]+", text)
        if run not in names | NO_TERMS
    }
    assert not lost, f"Chinese in the book that the glossary lacks: {sorted(lost)}"


def faults(term, docnames):
    if not term.says.endswith(".") or len(re.split(r"(?<=\.) (?=[A-Z0-9])", term.says)) > 3:
        yield "is not explained in one to three sentences"
    if re.search(r"[$`\\]", term.first_sentence):
        yield "has markup in its first sentence, which is shown over links"
    if not term.page(docnames):
        yield f"names a chapter that there is not: {term.chapter!r}"


def test_entries_are_whole():
    pages = [Path(page).stem for page in book_pages()]
    docnames = [f"notebooks/{page}" for page in pages] + [f"book/{page}" for page in pages]
    found = [f"{term.term!r} {fault}" for term in GLOSSARY for fault in faults(term, docnames)]
    assert not found, "\n".join(found)
    odd = Term("x", "A $y$ and no full stop", 99)
    assert len(list(faults(odd, docnames))) == 3


def test_the_glossary_has_no_word_twice():
    Finder(GLOSSARY)
    names = [name.casefold() for term in GLOSSARY for name in (term.term, *term.others)]
    assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)
    assert len({term.slug for term in GLOSSARY}) == len(GLOSSARY)


def test_search_knows_chinese_words_in_longer_runs_and_no_commands():
    search = SearchBook({})
    assert search.split("AI梯度下降 loss") == ["AI", "loss", "梯", "度", "下", "降", "梯度", "度下", "下降"]
    said = r"\begin{aligned} \frac{loss}{\eta} \end{aligned}"
    assert search.split(said) == ["loss"]
    assert [word for word in ("the", "loss", "042", "4x4", "") if search.word_filter(word)] == ["loss", "4x4"]
