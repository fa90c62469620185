"""The search of the book: English words and Chinese ones, no commands of LaTeX, no bare numbers.

Chinese has no spaces. A run of Chinese characters is indexed as its single characters and its pairs, and a
query is cut into pairs in the page (search.js), so that a word is found inside a longer run, too.
"""

import re
from itertools import pairwise
from pathlib import Path

from sphinx.search.en import SearchEnglish

HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
LATEX = re.compile(r"\\(?:begin|end)\{\w+\*?\}|\\[A-Za-z]+")


class SearchBook(SearchEnglish):
    js_splitter_code = Path(__file__).with_name("search.js").read_text(encoding="utf8")

    def split(self, input):
        text = LATEX.sub(" ", input)
        words = super().split(HAN_RUN.sub(" ", text))
        for run in HAN_RUN.findall(text):
            words += [*run, *map("".join, pairwise(run))]
        return words

    def word_filter(self, word):
        """Numbers are left out: the page ignores them in a query."""
        return bool(word) and not word.isdigit() and super().word_filter(word)


def setup(app):
    app.add_search_language(SearchBook)
