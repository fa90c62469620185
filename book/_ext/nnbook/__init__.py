"""What the book asks of Sphinx beyond Jupyter Book; each module says in its first lines what it does."""

from nnbook import (
    colophon,
    contents,
    descriptions,
    execution,
    facts,
    listings,
    map,
    mending,
    numbers,
    routes,
    settings,
    solutions,
)

PARTS = (
    execution, facts, listings, mending, numbers, settings,
    contents, map, routes, colophon, solutions, descriptions,
)  # fmt: skip


def setup(app):
    for part in PARTS:
        part.setup(app)
    return {"version": "1", "env_version": 3, "parallel_read_safe": False, "parallel_write_safe": True}
