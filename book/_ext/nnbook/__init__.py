"""What the book asks of Sphinx beyond Jupyter Book: chapter numbers, setting links, execution, chapter facts, page mending."""

from nnbook import execution, facts, mending, numbers, settings


def setup(app):
    for part in (execution, facts, mending, numbers, settings):
        part.setup(app)
    return {"version": "1", "env_version": 1, "parallel_read_safe": False, "parallel_write_safe": True}
