"""After a small edit only what it changes is written again: the page itself, and every page when a title or a
number changed, since the list of chapters stands beside each page and links say titles and numbers.

What Sphinx can't see (settings, styles, scripts, nnmath) the Makefile sees, and then asks for the whole book.
"""

import hashlib

from nnbook.numbers import chapter_number


def said_elsewhere(env):
    """A digest of what one page may say of another: titles, numbers, places, citations."""
    std, math, cite = (env.domaindata.get(domain, {}) for domain in ("std", "math", "cite"))
    known = [
        sorted((docname, title.astext()) for docname, title in env.titles.items()),
        *(
            sorted(map(str, std.get(kind, {}).items()))
            for kind in ("labels", "anonlabels", "terms", "objects")
        ),
        sorted(map(str, math.get("objects", {}).items())),
        sorted(str(numbers) for numbers in env.toc_fignumbers.items()),
        sorted((c.key, c.citation_id, c.formatted_entry.label) for c in cite.get("citations", [])),
    ]
    return hashlib.sha256(repr(known).encode()).hexdigest()


def note(app, env, docnames):
    env.nnbook_read = bool(docnames)


def renew(app, env):
    """The pages to write again besides those that were read."""
    before, env.nnbook_said = getattr(env, "nnbook_said", None), said_elsewhere(env)
    if before != env.nnbook_said:
        return sorted(env.found_docs)
    # A page that is no chapter may list what stands in the chapters: it goes with every change.
    return sorted(d for d in env.found_docs if chapter_number(d) is None) if env.nnbook_read else []


def setup(app):
    app.connect("env-before-read-docs", note)
    app.connect("env-get-updated", renew, priority=950)  # after numbers.py: before it nothing is counted
