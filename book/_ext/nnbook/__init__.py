"""What the book asks of Sphinx beyond Jupyter Book; each module says in its first lines what it does."""

from nnbook import api, equations, execution, facts, listings, mending, numbers, search, settings, terms

PARTS = (api, equations, execution, facts, listings, mending, numbers, search, settings, terms)


def setup(app):
    for part in PARTS:
        part.setup(app)
    return {"version": "1", "env_version": 2, "parallel_read_safe": False, "parallel_write_safe": True}
