"""What the book asks of Sphinx beyond Jupyter Book; each module says in its first lines what it does."""

from nnbook import download, execution, facts, links, listings, lost, mending, numbers, renewal, settings


def setup(app):
    for part in (download, execution, facts, links, listings, lost, mending, numbers, renewal, settings):
        part.setup(app)
    return {"version": "1", "env_version": 2, "parallel_read_safe": False, "parallel_write_safe": True}
