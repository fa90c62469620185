"""`{chapter-map}`: which chapter needs which, drawn from the links in each chapter's *What you need*.

It is one list of links. Where there is room, its entries stand in rows, each below what it needs, with lines
between them; on a phone it is the list, "7 Backpropagation, needs 3, 4, 5, 6". The lines leave out what
follows from others: who needs 7 and 6, where 7 needs 6, hangs on 7 alone.

The layout is Sugiyama's: rows, lanes for lines that pass a row, an order with few crossings, then places.
"""

import random
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

from docutils import nodes
from sphinx import addnodes

from nnbook import contents
from nnbook.numbers import chapter_number

WIDTH, ROOM = 640, 4  # pixels of the column, boxes side by side
BOX, LANE, GAP = (152, 60), 6, 14
PITCH = 96  # from row to row
TRIES = 40
ALMOST = 8  # pixels from one column
STIFF = 20  # how much rather a box moves than a lane, since lines should be straight


def noted(env):
    """{chapter's page: the targets of the links in its *What you need*, as (kind, target)}."""
    if not hasattr(env, "nnbook_needs"):
        env.nnbook_needs = {}
    return env.nnbook_needs


def note(app, doctree):
    if chapter_number(app.env.docname):
        sections = [s for s in doctree.findall(nodes.section) if "what-you-need" in s["ids"]]
        links = [link for s in sections for link in s.findall(addnodes.pending_xref)]
        noted(app.env)[app.env.docname] = [(link["refdomain"], link["reftarget"]) for link in links]


def needs_of(env):
    """{chapter: the chapters that it says it needs}. A link to an equation is one to its chapter."""
    labels, equations = env.get_domain("std").anonlabels, env.get_domain("math").equations
    nowhere = (None, None)  # of which Sphinx warns
    found = {}
    for page, links in noted(env).items():
        targets = set()
        for kind, target in links:
            place = equations if kind == "math" else labels
            targets.add(target if kind == "doc" else place.get(target, nowhere)[0])
        own = chapter_number(page)
        found[own] = sorted({n for n in map(chapter_number, targets - {None}) if n} - {own})
    return dict(sorted(found.items()))


def all_needs(needs):
    """{chapter: all that it rests on, directly or not}. A need that points forward is left out."""
    whole = {}
    for chapter, direct in needs.items():
        earlier = [n for n in direct if n < chapter]
        whole[chapter] = set(earlier).union(*(whole[n] for n in earlier))
    return whole


def lines_of(needs):
    """The pairs (need, chapter) that are left when those that follow from others are taken away."""
    whole = all_needs(needs)
    return [
        (need, chapter)
        for chapter, direct in needs.items()
        for need in direct
        if need < chapter and not any(need in whole[other] for other in direct if other < chapter)
    ]


@dataclass
class Layout:
    """Where boxes stand and lines run. A node is a chapter, or a lane (chapter, row) of lines from it."""

    rows: list = field(default_factory=list)  # of nodes, from left to right
    edges: list = field(default_factory=list)  # (node, node of the next row)
    paths: dict = field(default_factory=dict)  # {(need, chapter): its nodes}
    places: dict = field(default_factory=dict)  # {node: the middle of it, in pixels}


def layout(needs):
    made = Layout()
    lines = lines_of(needs)
    row_of = rows_of(needs, lines)
    made.rows = [[] for _ in range(max(row_of.values()) + 1)]
    for chapter, row in row_of.items():
        made.rows[row].append(chapter)
    for need, chapter in lines:
        lanes = [(need, row) for row in range(row_of[need] + 1, row_of[chapter])]
        path = made.paths[need, chapter] = [need, *lanes, chapter]
        for lane in lanes:
            if lane not in made.rows[lane[1]]:
                made.rows[lane[1]].append(lane)
        made.edges += [edge for edge in pairwise(path) if edge not in made.edges]
    order(made)
    place(made)
    align(made)
    return made


def rows_of(needs, lines):
    """{chapter: its row}, below all that it needs, at most ROOM in a row."""
    row_of = {}
    for chapter in needs:
        row = max((row_of[need] + 1 for need, c in lines if c == chapter), default=0)
        while list(row_of.values()).count(row) >= ROOM:
            row += 1
        row_of[chapter] = row
    return row_of


def crossings(rows, edges):
    at = {node: i for row in rows for i, node in enumerate(row)}
    row_of = {node: r for r, row in enumerate(rows) for node in row}
    spans = [(row_of[a], at[a], at[b]) for a, b in edges]
    return sum(r == s and (a - c) * (b - d) < 0 for i, (r, a, b) in enumerate(spans) for s, c, d in spans[:i])


def order(made):
    """Few crossings: rows sorted by the mean place of their neighbors, down and up, from several starts."""
    beside = {node: [[], []] for row in made.rows for node in row}
    for a, b in made.edges:
        beside[a][1].append(b)
        beside[b][0].append(a)
    rng, best = random.Random(0), (crossings(made.rows, made.edges), made.rows)
    for _ in range(TRIES):
        rows = [rng.sample(row, len(row)) for row in made.rows]
        for sweep in range(8):
            for row in rows if sweep % 2 == 0 else rows[::-1]:
                at = {node: (i + 0.5) / len(r) for r in rows for i, node in enumerate(r)}
                row.sort(key=lambda node: _mean([at[n] for n in beside[node][sweep % 2]], at[node]))
            found = crossings(rows, made.edges)
            if found < best[0]:
                best = found, [list(row) for row in rows]
    made.rows = best[1]


def _mean(values, default):
    return sum(values) / len(values) if values else default


def place(made):
    """Each node as near to its neighbors' middle as its row leaves room for."""
    for row in made.rows:
        step = WIDTH / len(row)
        made.places.update({node: step * (i + 0.5) for i, node in enumerate(row)})
        made.places.update(_spread(row, made.places))
    for sweep in range(60):
        for row in made.rows if sweep % 2 == 0 else made.rows[::-1]:
            wish = {}
            for node in row:
                near = [b if a == node else a for a, b in made.edges if node in (a, b)]
                if isinstance(node, tuple):  # the whole line, so that it becomes straight
                    near = [
                        other for other in made.places if isinstance(other, tuple) and other[0] == node[0]
                    ]
                wish[node] = _mean([made.places[other] for other in near], made.places[node])
            made.places.update(_spread(row, wish))


def align(made):
    """Chapters that stand almost below each other stand exactly so, and their lines are straight."""
    columns = []
    for chapter in sorted((n for n in made.places if not isinstance(n, tuple)), key=made.places.get):
        if columns and made.places[chapter] - made.places[columns[-1][0]] < ALMOST:
            columns[-1].append(chapter)
        else:
            columns.append([chapter])
    for column in columns:
        middle = _mean([made.places[chapter] for chapter in column], 0)
        made.places.update(dict.fromkeys(column, middle))
    for row in made.rows:  # where its row has the room
        made.places.update(_spread(row, made.places))


def _width(node):
    return LANE if isinstance(node, tuple) else BOX[0]


def _spread(row, wish):
    """Places in this order, apart, within the column, nearest to the wished ones (least squares by pools)."""
    widths = [_width(node) for node in row]
    gap = min(GAP, (WIDTH - sum(widths)) / max(1, len(row) - 1))
    offsets, left = [], 0
    for width in widths:
        offsets.append(left + width / 2)
        left += width + gap
    spare = WIDTH - (left - gap)  # how far the whole row can move
    pools = []  # [shift, weight, how many nodes]
    for node, offset in zip(row, offsets, strict=True):
        pools.append([wish[node] - offset, STIFF if isinstance(node, tuple) else 1, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (x, v, n), (y, w, m) = pools.pop(-2), pools.pop()
            pools.append([(v * x + w * y) / (v + w), v + w, n + m])
    shifts = [min(max(shift, 0), spare) for shift, _, n in pools for _ in range(n)]
    return {node: offset + shift for node, offset, shift in zip(row, offsets, shifts, strict=True)}


def curve(made, path):
    """The line along these nodes as the path data of an SVG: straight through a row, bent between rows."""
    row_of = {node: r for r, row in enumerate(made.rows) for node in row}
    x, y = made.places[path[0]], row_of[path[0]] * PITCH + BOX[1]
    said = [f"M{x:.1f} {y}"]
    for node in path[1:]:
        x, top = made.places[node], row_of[node] * PITCH
        middle = (y + top) / 2
        said.append(f"C{made.places[path[path.index(node) - 1]]:.1f} {middle} {x:.1f} {middle} {x:.1f} {top}")
        y = top + BOX[1]
        if isinstance(node, tuple):
            said.append(f"V{y}")
    return "".join(said)


def draw(app, here):
    needs = needs_of(app.env)
    if not needs:
        return []
    made, whole = layout(needs), all_needs(needs)
    pages = {chapter_number(page): page for page in noted(app.env)}
    row_of = {node: r for r, row in enumerate(made.rows) for node in row}
    height = (len(made.rows) - 1) * PITCH + BOX[1] + 2
    out = ['<div class="chapter-map-room">']
    out.append(f'<nav class="chapter-map" aria-label="What needs what" style="--w:{WIDTH}px;--h:{height}px">')
    out.append(f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" aria-hidden="true">')
    for (need, chapter), path in made.paths.items():
        out.append(f'<path data-from="{need}" data-to="{chapter}" d="{curve(made, path)}"/>')
    out.append('</svg><ol role="list">')
    for chapter, direct in needs.items():
        title = app.env.titles[pages[chapter]].astext().partition(". ")[2]
        uri = app.builder.get_relative_uri(here, pages[chapter])
        x, y = made.places[chapter] - BOX[0] / 2, row_of[chapter] * PITCH
        rests = " ".join(map(str, sorted(whole[chapter])))
        said = f"needs {', '.join(map(str, direct))}" if direct else "needs none"
        out.append(
            f'<li style="left:{x:.1f}px;top:{y}px" data-chapter="{chapter}" data-rests="{rests}">'
            f'<a href="{escape(uri)}"><span class="number">{chapter}</span> {escape(title)}</a>'
            f'<span class="needs"> {said}</span></li>'
        )
    out.append("</ol></nav></div>")
    return [nodes.raw("", "\n".join(out), format="html")]


def purge(app, env, docname):
    noted(env).pop(docname, None)


def setup(app):
    contents.add(app, "chapter-map", draw)
    app.connect("env-purge-doc", purge)
    app.connect("doctree-read", note)
