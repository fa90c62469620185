"""A chapter bears the number of its file: in notebooks/05_name.ipynb the title is "5. ..." and equations are (5.1), ...

The title's number is typed, so that it is there in JupyterLab too; the build fails when it is not that of the file.
Sphinx counts (`numbered` in _toc.yml) only so that equations and exercises are counted chapter by chapter.
"""

import re

from sphinx.util import logging

logger = logging.getLogger(__name__)


def chapter_number(docname):
    """The number of a chapter, or None for another page."""
    found = re.fullmatch(r"(?:.*/)?(\d\d)_\w+", docname)
    return found and int(found[1])


def renumber(app, env):
    """Put the file's number first in the numbers of equations and exercises, and take Sphinx's own off the headings."""
    for docname, secnumbers in env.toc_secnumbers.items():
        number = chapter_number(docname)
        if number is None:
            continue
        title = env.titles[docname]
        if not title.astext().startswith(f"{number}. "):
            problem = f'the title is "{title.astext()}"; chapter {number} must be called "{number}. ..."'
            logger.warning(problem, location=docname, type="nnbook")
        for numbered in env.toc_fignumbers.get(docname, {}).values():
            for target, counted in numbered.items():
                numbered[target] = (number, *counted[1:])
        secnumbers.update(dict.fromkeys(secnumbers))
        title.attributes.pop("secnumber", None)
        for reference in env.tocs[docname].findall(lambda node: "secnumber" in getattr(node, "attributes", ())):
            reference["secnumber"] = None
    return []


def setup(app):
    app.connect("env-get-updated", renumber, priority=900)  # after Sphinx has counted
