"""A chapter bears the number of its file: notebooks/05_name.ipynb is called "5. ..." and has equation (5.1).

The number in the title is typed, so that JupyterLab shows it too; the build fails when it is not the file's.
Sphinx counts too (`numbered` in _toc.yml), but begins with chapter 1 in each part and goes on counting the
equations where the chapter of that number in the part before left off: what it counted only gives the order.
"""

import re

from docutils import nodes
from sphinx.util import logging
from sphinx_external_toc.collectors import TocTreeCollectorWithStyles

logger = logging.getLogger(__name__)


def chapter_number(docname):
    """The number of a chapter, or None for another page."""
    found = re.fullmatch(r"(?:.*/)?(\d\d)_\w+", docname)
    return found and int(found[1])


def only_count(app, config):
    """Sphinx counts, but does not tell which pages show another number then: it would name most of them each
    time, since it compares with what `renumber` made of its numbers. renewal.py knows."""

    def silent(count):
        def counted(self, env):
            count(self, env)
            return []

        return counted

    for name in ("assign_section_numbers", "assign_figure_numbers"):
        setattr(TocTreeCollectorWithStyles, name, silent(getattr(TocTreeCollectorWithStyles, name)))


def renumber(app, env):
    """Number equations and exercises after the file, and take Sphinx's own numbers off the headings."""
    for docname, secnumbers in env.toc_secnumbers.items():
        chapter, title = chapter_number(docname), env.titles[docname]
        if chapter is not None and not title.astext().startswith(f"{chapter}. "):
            problem = 'the title is "%s"; that of chapter %d must begin "%d. "'
            logger.warning(problem, title.astext(), chapter, chapter, location=docname, type="nnbook")
        for targets in env.toc_fignumbers.get(docname, {}).values() if chapter else ():
            for k, target in enumerate(sorted(targets, key=targets.get), 1):
                targets[target] = (chapter, k)
        secnumbers.update(dict.fromkeys(secnumbers))
        title.attributes.pop("secnumber", None)
        for node in env.tocs[docname].findall(nodes.reference):
            node.attributes.pop("secnumber", None)
    return []


def setup(app):
    app.connect("config-inited", only_count)
    app.connect("env-get-updated", renumber, priority=900)  # after Sphinx has counted
