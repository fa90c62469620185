"""Which pages a small edit writes again: all when a title, a number or a place changed, else its own."""

from copy import deepcopy
from types import SimpleNamespace

import pytest
from docutils import nodes
from nnbook import numbers, renewal

CHAPTER = "notebooks/05_idea"


class Cited:
    """A citation as sphinxcontrib-bibtex keeps it; its text tells where it lies in memory."""

    def __init__(self, label):
        self.key, self.citation_id, self.formatted_entry = label, "id1", SimpleNamespace(label=label)


@pytest.fixture
def env():
    made = SimpleNamespace(
        titles={CHAPTER: nodes.title("", "5. Idea")},
        toc_fignumbers={CHAPTER: {"exercise": {"one": (5, 1)}}},
        domaindata={
            "std": {"labels": {"eq": (CHAPTER, "eq", "")}, "anonlabels": {"eq": (CHAPTER, "eq")}},
            "math": {"objects": {"eq:step": (CHAPTER, 1)}},
            "cite": {"citations": [Cited("2015a")]},
        },
        found_docs={CHAPTER, "notebooks/06_forward", "book/list"},
    )
    assert renewal.renew(None, made) == sorted(made.found_docs), "the first build writes all"
    renewal.note(None, made, [])
    return made


def test_without_a_change_nothing_is_written(env):
    assert renewal.renew(None, deepcopy(env)) == [], "what is read from the disk is told from nothing new"


def test_a_change_of_words_renews_the_lists_but_no_other_chapter(env):
    renewal.note(None, env, [CHAPTER])
    assert renewal.renew(None, env) == ["book/list"]


@pytest.mark.parametrize(
    "change",
    [
        lambda env: env.titles.update({CHAPTER: nodes.title("", "5. The idea")}),
        lambda env: env.toc_fignumbers[CHAPTER]["exercise"].update(one=(5, 2)),
        lambda env: env.domaindata["std"]["anonlabels"].update(new=(CHAPTER, "new")),
        lambda env: env.domaindata["math"]["objects"].update({"eq:step": (CHAPTER, 2)}),
        lambda env: env.domaindata["cite"]["citations"].append(Cited("2015b")),
    ],
)
def test_what_other_pages_say_renews_them_all(env, change):
    change(env)
    assert renewal.renew(None, env) == sorted(env.found_docs)
    assert renewal.renew(None, env) == []


def test_exercises_bear_the_number_of_their_file():
    env = SimpleNamespace(
        toc_secnumbers={CHAPTER: {"": (1,), "#a": (1, 1)}},
        toc_fignumbers={CHAPTER: {"exercise": {"x": (1, 3), "y": (1, 4)}}},
        titles={CHAPTER: nodes.title("", "5. Idea")},
        tocs={CHAPTER: nodes.bullet_list()},
    )
    numbers.renumber(None, env)
    assert env.toc_fignumbers == {CHAPTER: {"exercise": {"x": (5, 1), "y": (5, 2)}}}
    assert env.toc_secnumbers == {CHAPTER: {"": None, "#a": None}}
