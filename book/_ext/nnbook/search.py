"""The search of the book: English words and Chinese ones, no commands of LaTeX, no bare numbers.

Chinese has no spaces. A run of Chinese characters is indexed as its single characters and its pairs, and a
query is cut into pairs in the page (search.js), so that a word is found inside a longer run, too. The page
also learns which chapter defines a term, to name it before those that only use it.
"""

import json
import re
from itertools import pairwise
from pathlib import Path

from sphinx.search.en import SearchEnglish

from nnbook.terms import glossary

HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
LATEX = re.compile(r"\\(?:begin|end)\{\w+\*?\}|\\[A-Za-z]+")

SCRIPT = Path(__file__).with_name("search.js").read_text(encoding="utf8")


class SearchBook(SearchEnglish):
    js_splitter_code = SCRIPT

    def split(self, input):
        text = LATEX.sub(" ", input)
        words = super().split(HAN_RUN.sub(" ", text))
        for run in HAN_RUN.findall(text):
            words += [*run, *map("".join, pairwise(run))]
        return words

    def word_filter(self, word):
        """Numbers are left out: the page ignores them in a query."""
        return bool(word) and not word.isdigit() and super().word_filter(word)


def tell_chapters(app, env):
    """Put before the script the page that defines a term, by each of its names."""
    pages = {name.lower(): term.page(env.found_docs) for term in glossary(env).terms for name in term.names}
    SearchBook.js_splitter_code = f"const DEFINED = {json.dumps(pages)};\n{SCRIPT}"


def setup(app):
    app.add_search_language(SearchBook)
    app.connect("env-updated", tell_chapters)
