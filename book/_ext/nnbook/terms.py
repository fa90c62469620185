"""The glossary, and the terms of the chapters linked to it.

`book/glossary.yml` lists the terms. `{key-terms}` makes the page of them, and each entry leads to the place
that defines the term. In the prose of a chapter a term is linked where it first stands, unless it is defined
by then: not in what has a look or purpose of its own (titles, links, code, mathematics, tables, figures,
solutions), never more than two in a paragraph, and no more than a page can bear. First come terms that are
explained further on or used in few chapters, last those that most chapters use.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import ClassVar

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.domains import Domain, ObjType
from sphinx.domains.std import make_glossary_term
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)
SOURCE, PAGE, CHAPTERS = "book/glossary.yml", "book/glossary", "notebooks/"
MOST, MOST_IN_PARAGRAPH = 24, 2  # links of a chapter, and of one of its paragraphs
HAN = r"\u3400-\u9fff"
NO_PROSE = (
    nodes.Titular, nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw,
    nodes.comment, nodes.table, nodes.figure, nodes.caption, nodes.legend, nodes.citation, nodes.footnote,
    nodes.system_message,
)  # fmt: skip
NO_TEXT = (nodes.reference, nodes.target, addnodes.pending_xref, *NO_PROSE)
APART = {"solution", "dropdown", "cell_output", "cell_input", "chapter-facts"}  # classes of what is not prose


@dataclass(frozen=True)
class Term:
    """An entry of `book/glossary.yml`, which says what each field is."""

    term: str
    says: str
    chapter: int | str
    chinese: tuple = ()
    short: str = ""
    also: tuple = ()
    forms: tuple = ()
    everyday: bool = False

    @classmethod
    def of(cls, entry):
        """A term from what the file says of it, where one Chinese name may stand without a list."""
        chinese = entry.get("chinese", [])
        lists = {"chinese": [chinese] if isinstance(chinese, str) else chinese}
        lists |= {name: entry.get(name, []) for name in ("also", "forms")}
        return cls(**entry | {name: tuple(names) for name, names in lists.items()})

    @property
    def others(self):
        return tuple(name for name in (self.short, *self.also) if name)

    @property
    def names(self):
        return (self.term, *self.others, *self.chinese)

    @property
    def words(self):
        """What means it in a sentence: its name, its abbreviation, its forms, and their plurals."""
        words = dict.fromkeys(filter(None, (self.term, self.short, *self.forms)))
        return tuple(dict.fromkeys([*words, *map(plural, words)]))

    @property
    def first_sentence(self):
        return re.split(r"(?<=\.) (?=[A-Z])", self.says, maxsplit=1)[0]

    @property
    def slug(self):
        return re.sub(r"[^a-z0-9]+", "-", self.term.lower().replace("'", "")).strip("-")

    def page(self, docnames):
        """The name of the page that defines it among those of the book, or None."""
        start = f"{CHAPTERS}{self.chapter:02d}_" if isinstance(self.chapter, int) else f"book/{self.chapter}"
        return next((name for name in sorted(docnames) if name.startswith(start)), None)


def plural(word):
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + ("es" if re.search(r"(?:s|x|z|ch|sh)$", word) else "s")


@cache
def read(path, changed=0):
    """The terms in a file. `changed`, the time of its last change, keeps a server from serving old ones."""
    return tuple(Term.of(entry) for entry in yaml.safe_load(Path(path).read_text(encoding="utf8")))


def glossary(env):
    path = Path(env.srcdir) / SOURCE
    return Finder.of(read(path, path.stat().st_mtime_ns))


class Finder:
    """Finds terms in a text: the longest at each place, whole words, in either case at a sentence's start."""

    def __init__(self, terms):
        self.terms, self.meaning = terms, {}
        for term in terms:
            for word in term.words:
                other = self.meaning.setdefault(word.casefold(), term)
                if other is not term:
                    raise ValueError(f"{SOURCE}: {word!r} means both {other.term!r} and {term.term!r}")
        words = sorted((word for term in terms for word in term.words), key=len, reverse=True)
        self.pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(self.any_case, words))})(?![\w-])")

    @staticmethod
    @cache
    def of(terms):
        return Finder(terms)

    @staticmethod
    def any_case(word):
        start = f"[{word[0]}{word[0].upper()}]" if word[0].islower() else re.escape(word[0])
        rest = re.escape(word[1:]).replace("\\ ", r"\s+").replace("'", "['’]")
        return start + rest

    def find(self, text):
        """(match, term) of each occurrence, in order."""
        for match in self.pattern.finditer(text):
            yield match, self.meaning[re.sub(r"\s+", " ", match[0]).replace("’", "'").casefold()]


# ---- What is prose


def prose(doctree):
    """The paragraphs in which terms are linked."""
    for paragraph in doctree.findall(nodes.paragraph):
        node = paragraph
        while node is not None and not is_apart(node):
            node = node.parent
        if node is None:
            yield paragraph


def is_apart(node):
    title = node[0].astext() if isinstance(node, nodes.section) and len(node) else ""
    return isinstance(node, NO_PROSE) or bool(APART & set(node.get("classes", ()))) or title == "References"


def free_texts(paragraph):
    """Its text outside of links, code and mathematics."""
    for text in list(paragraph.findall(nodes.Text)):
        node = text.parent
        while node is not paragraph and not isinstance(node, NO_TEXT):
            node = node.parent
        if node is paragraph:
            yield text


def occurrences(doctree, finder):
    """(paragraph, text, match, term) of where each term is first in prose, unless it is defined by then."""
    met = set()
    for paragraph in prose(doctree):
        for text in free_texts(paragraph):
            for match, term in finder.find(text.astext()):
                defines = f"def-{term.slug}" in text.parent.get("ids", ()) and text.parent is not paragraph
                if term not in met and not defines:
                    yield paragraph, text, match, term
                met.add(term)


# ---- While pages are read: which terms stand where


@dataclass
class Seen:
    """Of the pages read: the terms in their prose, where they define their own, what is wrong."""

    used: dict = field(default_factory=dict)  # page: terms in its prose, up to the place that defines them
    places: dict = field(default_factory=dict)  # page: {term: the id of where it first stands}
    faults: dict = field(default_factory=dict)  # page: [sentences]


def seen(env):
    if not hasattr(env, "nnbook_terms"):
        env.nnbook_terms = Seen()
    return env.nnbook_terms


def purge(app, env, docname):
    for notes in (seen(env).used, seen(env).places, seen(env).faults):
        notes.pop(docname, None)


def note(app, doctree):
    env, finder = app.env, glossary(app.env)
    if env.docname == PAGE:
        return
    notes, docname = seen(env), env.docname
    own = [term for term in finder.terms if term.page(env.found_docs) == docname]
    notes.places[docname] = mark_places(doctree, finder, own)
    notes.used[docname] = [term.term for *_, term in occurrences(doctree, finder)]
    notes.faults[docname] = list(wrong_chinese(doctree, finder))


def mark_places(doctree, finder, own):
    """{term: id} of where a page defines its own terms: first in italics, else in a title, else at all."""
    stands, titled, defined = {}, {}, {}
    for node in doctree.findall(lambda n: isinstance(n, (nodes.emphasis, nodes.paragraph, nodes.title))):
        said = node.astext()
        for match, term in finder.find(said):
            if isinstance(node, nodes.emphasis) and match.span() == (0, len(said)):
                defined.setdefault(term, node)
            elif isinstance(node, nodes.title):
                titled.setdefault(term, node.parent)
            else:
                stands.setdefault(term, node)
    places = {}
    for term in own:
        node = next((kind[term] for kind in (defined, titled, stands) if term in kind), None)
        if node is not None:
            places[term.term] = f"def-{term.slug}"
            node["ids"].append(places[term.term])
    return places


NAMED = re.compile(rf"\W{{0,2}} ?\(([^();,:]*[{HAN}][^();,:]*)")


def wrong_chinese(doctree, finder):
    """A sentence for each term to which a page gives another Chinese name than the glossary.

    A part of a name is as good: what the glossary calls an output gate, a list of gates may call 门.
    """
    for paragraph in doctree.findall(nodes.paragraph):
        text = paragraph.astext()
        for match, term in finder.find(text):
            named = NAMED.match(text, match.end())
            here = named and named[1].strip()
            if here and not term.everyday and not any(here in name or name in here for name in term.chinese):
                yield f"{match[0]!r} is {here} here and {' or '.join(term.chinese) or 'without a name'} there"


def check(app, env):
    notes, finder = seen(env), glossary(env)
    for term in finder.terms:
        page = term.page(env.found_docs)
        if page is None:
            logger.warning("glossary: %r: no page %r", term.term, term.chapter, location=PAGE, type="nnbook")
        elif term.term not in notes.places.get(page, {}):
            logger.warning("glossary: %r: %s does not use it", term.term, page, location=PAGE, type="nnbook")
    for docname, faults in notes.faults.items():
        for fault in faults:
            logger.warning("glossary: %s", fault, location=docname, type="nnbook")


# ---- When pages are written: links


def chosen(env, docname):
    """The terms to link on a page."""
    notes, finder = seen(env), glossary(env)
    chapters = [name for name in notes.used if name.startswith(CHAPTERS)]
    common = Counter(term for name in chapters for term in notes.used[name])

    def need(term):
        page, uses = term.page(env.found_docs), common[term.term]
        return page <= docname and uses > len(chapters) / 2, page == docname, uses, term.term

    used = [term for term in finder.terms if term.term in notes.used[docname]]
    used = [term for term in used if not term.everyday or term.page(env.found_docs) == docname]
    return {term.term for term in sorted(used, key=need)[:MOST]}


def link_terms(doctree, finder, wanted, link):
    """Link each wanted term where it is first, if its paragraph has room; link(term, words) is the link."""
    room, found = Counter(), {}
    for paragraph, text, match, term in list(occurrences(doctree, finder)):
        if term.term in wanted and room[paragraph] < MOST_IN_PARAGRAPH:
            room[paragraph] += 1
            # by id, since two texts that say the same are equal
            found.setdefault(id(text), (text, []))[1].append((match, term))
    for text, matches in found.values():
        said, done, pieces = text.astext(), 0, []
        for match, term in matches:
            pieces += [nodes.Text(said[done : match.start()]), link(term, match[0])]
            done = match.end()
        text.parent.replace(text, [*pieces, nodes.Text(said[done:])])


def resolve(app, doctree, docname):
    env = app.env
    if docname == PAGE:
        for node in list(doctree.findall(DefinedIn)):
            node.replace_self(defined_in(app, node["term"]))
    elif docname.startswith(CHAPTERS):
        page = app.builder.get_relative_uri(docname, PAGE)

        def link(term, words):
            title = ": ".join(filter(None, ("; ".join(term.chinese), term.first_sentence)))
            return reference(words, f"{page}#term-{term.slug}", reftitle=title, classes=["term"])

        link_terms(doctree, glossary(env), chosen(env, docname), link)


def reference(words, uri, **options):
    return nodes.reference("", words, internal=True, refuri=uri, **options)


# ---- The page


class DefinedIn(nodes.General, nodes.Inline, nodes.Element):
    """Stands where the link to the chapter will be."""


def defined_in(app, name):
    env = app.env
    term = next(term for term in glossary(env).terms if term.term == name)
    page = term.page(env.found_docs)
    place = seen(env).places.get(page, {}).get(name, "")
    said = f"Chapter {term.chapter}" if isinstance(term.chapter, int) else env.titles[page].astext()
    uri = app.builder.get_relative_uri(PAGE, page) + (f"#{place}" if place else "")
    return reference(said, uri, classes=["defined-in"])


class KeyTerms(SphinxDirective):
    """`{key-terms}`: all terms by their first letter, with a line of letters that leads there."""

    def run(self):
        self.env.note_dependency(str(Path(self.env.srcdir) / SOURCE))
        entries = []
        for term in glossary(self.env).terms:
            entries.append((term.term, self.entry(term)))
            entries += [(name, self.see(name, term)) for name in term.others]
        letters = {}
        for name, item in sorted(entries, key=lambda entry: entry[0].casefold()):
            letters.setdefault(name[0].upper(), []).append(item)
        return [self.alphabet(letters), *(self.section(letter, items) for letter, items in letters.items())]

    def alphabet(self, letters):
        line = nodes.paragraph(classes=["alphabet"])
        for letter in letters:
            line += [reference(letter, f"#letter-{letter.lower()}"), nodes.Text(" ")]
        return line

    def section(self, letter, items):
        section = nodes.section("", nodes.title(letter, letter), ids=[f"letter-{letter.lower()}"])
        listed = nodes.definition_list("", *items, classes=["glossary"])
        section += addnodes.glossary("", listed, sorted=False)
        return section

    def head(self, name, slug):
        words, where = [nodes.Text(name)], self.get_source_info()
        head = make_glossary_term(self.env, words, None, *where, f"term-{slug}", self.state.document)
        head.pop()  # the entry of an index, which this book has not; search knows terms otherwise
        return head

    def entry(self, term):
        head, says = self.head(term.term, term.slug), nodes.definition()
        if term.short:
            head += nodes.inline("", f" ({term.short})", classes=["short"])
        if term.chinese:
            head += [nodes.Text(" "), nodes.inline("", "; ".join(term.chinese), classes=["language-zh-Hans"])]
        self.state.nested_parse(StringList([term.says], SOURCE), 0, says)
        says[-1] += [nodes.Text(" "), DefinedIn(term=term.term)]
        return nodes.definition_list_item("", head, says)

    def see(self, name, term):
        head = self.head(name, "see-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"))
        link = reference(term.term, f"#term-{term.slug}")
        says = nodes.definition("", nodes.paragraph("", "", nodes.Text("see "), link))
        return nodes.definition_list_item("", head, says)


class TermDomain(Domain):
    """Lets the search find an entry by any of its names."""

    name, label = "nnterm", "Terms"
    object_types: ClassVar = {"term": ObjType("term")}

    def get_type_name(self, type, primary=False):
        return type.lname

    def get_objects(self):
        if PAGE in self.env.found_docs:
            for term in glossary(self.env).terms:
                yield f"nnterm-{term.slug}", ", ".join(term.names), "term", PAGE, f"term-{term.slug}", 1

    def resolve_any_xref(self, *args):
        return []

    def merge_domaindata(self, docnames, otherdata):
        pass  # it has none of its own


def setup(app):
    app.add_node(DefinedIn)
    app.add_domain(TermDomain)
    app.add_directive("key-terms", KeyTerms)
    app.connect("env-purge-doc", purge)
    app.connect("doctree-read", note)
    app.connect("env-check-consistency", check)
    app.connect("doctree-resolved", resolve)
