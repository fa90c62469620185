"""What the book asks of Sphinx beyond Jupyter Book; each module says in its first lines what it does."""

import gc

from nnbook import (
    api,
    colophon,
    contents,
    descriptions,
    download,
    equations,
    execution,
    facts,
    links,
    listings,
    lost,
    map,
    mending,
    numbers,
    renewal,
    routes,
    search,
    settings,
    solutions,
    terms,
)  # fmt: skip

PARTS = (
    execution, facts, listings, mending, numbers, settings,
    contents, map, routes, solutions, descriptions, equations, api, terms, search, colophon,
    download, lost, renewal, links,
)  # fmt: skip


def setup(app):
    # A build makes millions of nodes and lets few go: to look for rings among them takes as long as all else.
    gc.disable()
    app.connect("build-finished", lambda app, error: gc.freeze(), priority=999)  # nor at the very end
    for part in PARTS:
        part.setup(app)
    return {"version": "1", "env_version": 4, "parallel_read_safe": False, "parallel_write_safe": True}
