"""Chapters give what is printed in them: the outputs of the build's run are those that are committed."""

import difflib

import nbformat
import pytest
from conftest import ROOT, html_root
from jupyter_cache import get_cache
from nnbook.execution import fingerprint
from save_notebooks import saved_form

CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def as_run(path, root):
    """The notebook at `path` with the outputs of its run, which the build keeps beside the pages."""
    cache = get_cache(root.parent / ".jupyter_cache" / fingerprint(ROOT))
    try:
        return cache.merge_match_into_notebook(nbformat.read(path, as_version=4))[1]
    except KeyError:
        pytest.fail(f"{path.name} has other code than the built page; run `make book`")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_gives_what_is_committed(path, built_book):
    committed, given = path.read_text(encoding="utf8"), saved_form(as_run(path, built_book))
    lines = difflib.unified_diff(committed.splitlines(), given.splitlines(), "committed", "given", n=8)
    assert committed == given, f"{path.name} (run make execute if it should):\n" + "\n".join(lines)


def test_a_changed_number_would_be_seen(built_book):
    run = as_run(CHAPTERS[0], html_root())
    cell = next(c for c in run.cells if c.cell_type == "code" and any("text" in o for o in c.outputs))
    output = next(o for o in cell.outputs if "text" in o)
    output.text = output.text.translate(str.maketrans("123456789", "234567891"))
    assert saved_form(run) != CHAPTERS[0].read_text(encoding="utf8")
