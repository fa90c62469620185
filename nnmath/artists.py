"""What can move in a live figure: reads the geometry and the looks of Matplotlib artists, and packs them.

A reader turns an artist into layers (kind, looks, pieces): `pieces` are arrays (n, 2) of points in display
units, and `looks` holds one (css, shape) for each. The kinds are what explore.js can paint: "paths", "shapes"
(closed and filled), "marks" (a shape set at each point), "text" and "image".
"""

import functools

import numpy as np
from matplotlib import cbook, collections, colors, font_manager, image, lines, patches, quiver, text
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, BboxTransform

from nnmath.plot import COLORS

UNIT = 8192  # integer steps per width or height of an axes
EDGE = 30_000  # a line or an area that goes further (3.6 widths) is cut off there
GAP = -32_768  # "the pen is lifted here"
HIDDEN = ("display:none", "")
# The colors of the book are written as variables, so that a dark page can change them; black is ink.
INKS = {"#000000": "var(--nn-ink,#000000)"} | {v: f"var(--nn-{k},{v})" for k, v in COLORS.items()}


# --- Looks --------------------------------------------------------------------------------------------


def _ink(rgba):
    """A color as CSS, and its opacity."""
    name = colors.to_hex(rgba)
    return ("none", 1.0) if rgba[3] == 0 else (INKS.get(name, name), round(rgba[3], 3))


@functools.lru_cache(maxsize=4096)
def _css(face, edge, width, dashes, cap, join):
    (fill, fill_alpha), (stroke, stroke_alpha) = _ink(face), _ink(edge)
    css = f"fill:{fill}" + f";fill-opacity:{fill_alpha}" * (fill_alpha < 1)
    if stroke == "none" or width == 0:
        return css + ";stroke:none"
    css += f";stroke:{stroke}" + f";stroke-opacity:{stroke_alpha}" * (stroke_alpha < 1)
    css += f";stroke-width:{width:.4g};stroke-linecap:{cap};stroke-linejoin:{join}"
    return css + (";stroke-dasharray:" + " ".join(f"{d:.4g}" for d in dashes)) * bool(dashes)


CLEAR = (0.0, 0.0, 0.0, 0.0)


def _look(face, edge, width, dashes=(0, None), cap="butt", join="round"):
    """The CSS of Matplotlib's colors (RGBA or None), width in points and (offset, dashes)."""
    face, edge = (CLEAR if c is None else tuple(map(float, c)) for c in (face, edge))
    return _css(face, edge, float(width), tuple(dashes[1] or ()), cap, join)


def _outline(path, transform):
    """A marker as a relative SVG path, y down, to be set after "M x y"."""
    path = path.transformed(transform)
    radii = np.hypot(*path.vertices[:-1:3].T)
    if len(path) == len(Path.unit_circle()) and np.ptp(radii) < 1e-9:
        r = round(float(radii[0]), 2)
        return f"m{-r} 0a{r} {r} 0 1 0 {2 * r:.4g} 0a{r} {r} 0 1 0{-2 * r:.4g} 0z"
    out, pen = "", np.zeros(2)
    for points, code in path.iter_segments(curves=False):
        if code == path.CLOSEPOLY:
            out += "z"
            continue
        out += ("m" if code == path.MOVETO else "l") + f"{points[0] - pen[0]:.2f} {pen[1] - points[1]:.2f}"
        pen = points
    return out


# --- Readers ------------------------------------------------------------------------------------------


def _refuse(artist, what, instead):
    raise TypeError(f"explore: draw returned a {type(artist).__name__} with {what}; {instead}")


def _read_line(line, box):
    if line.get_markevery() is not None:
        _refuse(line, "markevery", "draw the marked points as a line of their own")
    x, y = line.get_data(orig=False)
    if line.get_drawstyle() != "default" and len(x):
        x, y = cbook.STEP_LOOKUP_MAP[line.get_drawstyle()](x, y)
    points = line.get_transform().transform(np.column_stack([x, y]).reshape(-1, 2))
    alpha = line.get_alpha()
    if line.get_linestyle() not in ("None", "none", "", " "):
        color = colors.to_rgba(line.get_color(), alpha)
        look = _look(None, color, line.get_linewidth(), line._dash_pattern, "round", "round")
        yield "paths", [(look, "")], [points]
    marker = line._marker
    if line.get_marker() not in ("None", "none", "", " ", None):
        face = colors.to_rgba(line.get_markerfacecolor(), alpha) if marker.is_filled() else None
        edge = colors.to_rgba(line.get_markeredgecolor(), alpha)
        look = _look(face, edge, line.get_markeredgewidth(), join="miter")
        size = Affine2D().scale(line.get_markersize())
        yield "marks", [(look, _outline(marker.get_path(), marker.get_transform() + size))], [points]


def _join(parts):
    """Several runs of points as one, with a gap between each two."""
    gap = np.full((1, 2), np.nan)
    return np.concatenate([np.empty((0, 2)), *(p for part in parts for p in (part, gap))])[:-1]


def _read_patch(patch, box):
    if patch.get_hatch():
        _refuse(patch, "a hatch", "tell it apart by its color")
    # Curves are split on a grid of the axes, not of the screen: the same points whatever the layout.
    grid = BboxTransform(box, Bbox([[0, 0], [500, 500]]))
    path = patch.get_transform().transform_path(patch.get_path()).transformed(grid)
    path.should_simplify = False
    points = grid.inverted().transform(_join(path.to_polygons(closed_only=False)))
    look = _look(patch.get_facecolor(), patch.get_edgecolor(), patch.get_linewidth(), patch._dash_pattern)
    yield "shapes", [(look, "")], [points]


def _each(values, n, default):
    """The i-th of n items takes the i-th value, round and round: Matplotlib's rule for collections."""
    values = list(values) if len(values) else [default]
    return [values[i % len(values)] for i in range(n)]


def _collection_looks(c, n):
    c.update_scalarmappable()
    if c.get_hatch():
        _refuse(c, "a hatch", "tell it apart by its color")
    faces, edges = _each(c.get_facecolor(), n, CLEAR), _each(c.get_edgecolor(), n, CLEAR)
    widths, dashes = _each(c.get_linewidth(), n, 0), _each(c.get_linestyle(), n, (0, None))
    return [_look(*look) for look in zip(faces, edges, widths, dashes, strict=True)]


def _read_scatter(c, box):
    offsets = np.ma.filled(np.ma.asarray(c.get_offsets(), float), np.nan)
    scales = np.sqrt(np.atleast_1d(c.get_sizes()))
    shapes = [_outline(c.get_paths()[0], Affine2D().scale(s)) for s in scales]
    looks = zip(_collection_looks(c, len(offsets)), _each(shapes, len(offsets), ""), strict=True)
    yield "marks", list(looks), list(c.get_offset_transform().transform(offsets)[:, None, :])


def _read_pieces(kind):
    def read(c, box):
        if np.any(c.get_offsets()):
            _refuse(c, "offsets", "set its vertices instead")
        pieces = [c.get_transform().transform(p.vertices) for p in c.get_paths()]
        yield kind, [(look, "") for look in _collection_looks(c, len(pieces))], pieces

    return read


def _read_image(im, box):
    if im.get_array() is None or np.ndim(im.get_array()) != 2:
        shape = np.shape(im.get_array())
        _refuse(
            im, f"an array of shape {shape}", "an image that moves is (rows, columns), colored by a colormap"
        )
    left, right, bottom, top = im.get_extent()
    pixels = np.ma.masked_invalid(im.get_array())
    corners = im.get_transform().transform([[left, top], [right, bottom]])
    if im.origin == "lower":
        pixels = pixels[::-1]
    if corners[0, 1] < corners[1, 1]:  # an axis that runs the other way turns the picture over
        pixels, corners[:, 1] = pixels[::-1], corners[::-1, 1]
    if corners[0, 0] > corners[1, 0]:
        pixels, corners[:, 0] = pixels[:, ::-1], corners[::-1, 0]
    normed, n = im.norm(pixels), im.cmap.N
    level = np.ma.filled(normed, 0).astype(float) * n
    level = np.select([level == n, level < 0, level > n], [n - 1, n, n + 1], level)
    level = np.where(np.ma.getmaskarray(normed), n + 2, level).astype(np.int16)
    alpha = 1.0 if im.get_alpha() is None else im.get_alpha()
    table = np.vstack([im.cmap(np.arange(n)), im.cmap.get_under(), im.cmap.get_over(), im.cmap.get_bad()])
    palette = np.rint(table * (1, 1, 1, alpha) * 255).astype(np.uint8).tobytes().hex()
    smooth = im.get_interpolation() not in (None, "none", "nearest", "auto", "antialiased")
    yield "image", [("" if smooth else "image-rendering:pixelated", palette)], [corners, level]


# How far below its point the first line of a text begins, in its font size; rows of a text are 1.2 apart.
LIFT = {"top": 0.8, "center": 0.35, "center_baseline": 0.35, "bottom": -0.22}
ABOVE = {"center": 0.5, "center_baseline": 0.5, "bottom": 1, "baseline": 1}


def _read_text(label, box):
    said, instead = label.get_text(), "only plain, level text can move"
    if "$" in said:
        _refuse(label, f"$math$ in {said!r}", "write it with Unicode letters")
    if label.get_rotation() or label.get_bbox_patch() is not None:
        _refuse(label, "a rotation" if label.get_rotation() else "a box", instead)
    fill, alpha = _ink(colors.to_rgba(label.get_color(), label.get_alpha()))
    anchor = {"left": "start", "center": "middle", "right": "end"}[label.get_horizontalalignment()]
    css = f"fill:{fill};font-size:{label.get_fontsize():.4g}px;text-anchor:{anchor}"
    css += f";fill-opacity:{alpha}" * (alpha < 1) + ";font-style:italic" * (label.get_style() != "normal")
    weight = label.get_weight()
    css += ";font-weight:bold" * (font_manager.weight_dict.get(weight, weight) >= 600)
    align = label.get_verticalalignment()
    lift = LIFT.get(align, 0) - ABOVE.get(align, 0) * 1.2 * said.count("\n")
    xy = label.get_transform().transform(label.get_unitless_position())
    yield "text", [(f"{css};--lift:{lift:.4g}", said)], [np.reshape(xy, (1, 2)).astype(float)]


def _read_annotation(note, box):
    note.update_positions(note.figure._get_renderer())
    if (arrow := note.arrow_patch) is not None:
        style = type(arrow.get_arrowstyle()).__name__
        if style not in ("Curve", "CurveB", "CurveFilledB"):
            _refuse(note, f"an arrow of the style {style}", "use arrowstyle '-', '->' or '-|>'")
        look = _look(None, arrow.get_edgecolor(), arrow.get_linewidth()) + ";--arrow:1" * (style != "Curve")
        line = arrow.get_path().to_polygons(closed_only=False)[:1]
        yield "paths", [(look, "")], [_join(line)]
    yield from _read_text(note, box)


READERS = {
    text.Annotation: _read_annotation,  # a subclass stands before its parent
    lines.Line2D: _read_line,
    patches.FancyArrowPatch: None,
    patches.Patch: _read_patch,
    collections.PathCollection: _read_scatter,
    collections.LineCollection: _read_pieces("paths"),
    quiver.Quiver: None,
    quiver.Barbs: None,
    collections.PolyCollection: _read_pieces("shapes"),
    image.AxesImage: _read_image,
    text.Text: _read_text,
}
KNOWN = "Line2D, scatter, bars and other patches, fill_between, LineCollection, imshow, Text, annotate"


def reader(artist):
    """The function that reads this kind of artist. Raises TypeError, naming the kind, if there is none."""
    read = next((r for cls, r in READERS.items() if isinstance(artist, cls)), None)
    if read is None:
        raise TypeError(f"explore: draw returned a {type(artist).__name__}; what can move is: {KNOWN}")
    if artist.axes is not None and artist.axes.name != "rectilinear":
        _refuse(artist, f"{artist.axes.name} axes", "only plain axes can hold what moves")
    whole = getattr(artist.figure, "transSubfigure", None)
    if artist.axes is None and not (whole and artist.get_transform().contains_branch(whole)):
        _refuse(artist, "neither axes nor a place in the figure", "use ax.text, ax.set_title or fig.text")
    return read


def is_shown(artist):
    """Whether an artist is to be seen; an annotation is not where its point lies outside the axes."""
    inside = not isinstance(artist, text.Annotation) or artist._check_xy(artist.figure._get_renderer())
    return artist.get_visible() and inside


# --- Packing ------------------------------------------------------------------------------------------


def _cut_line(points):
    """The parts of a line within the edge, with gaps between: slopes stay true however far it goes."""
    points = np.where(np.isfinite(points), np.clip(points, -1e290, 1e290), np.nan)  # room to multiply
    path = Path(points).cleaned(remove_nans=True, clip=(-EDGE, -EDGE, EDGE, EDGE))
    ends = np.flatnonzero(path.codes == Path.STOP)
    starts = np.flatnonzero(path.codes == Path.MOVETO)
    vertices = path.vertices[: ends[0]] if len(ends) else path.vertices
    return np.insert(vertices, starts[1:], np.nan, axis=0)


def _cut_shape(points):
    """The parts of closed areas within the edge."""
    edge = Bbox([[-EDGE, -EDGE], [EDGE, EDGE]])
    good = np.isfinite(points).all(axis=1)
    areas = [part[np.isfinite(part).all(axis=1)] for part in np.split(points, np.flatnonzero(~good))]
    cut = [Path(area).clip_to_bbox(edge).to_polygons() for area in areas if len(area) > 2]
    return _join([polygon for polygons in cut for polygon in polygons])


def _steps(kind, pieces, box):
    """Points in display units -> whole steps of the box (m, 2), and the number of points of each piece."""
    lengths = [len(p) for p in pieces]
    with np.errstate(over="ignore", invalid="ignore"):  # a hair is added: halves fall alike in every layout
        q = (np.concatenate([np.empty((0, 2)), *pieces]) - box.p0) / box.size * UNIT + 1e-4
    if kind in ("paths", "shapes") and (np.abs(q) > EDGE).any():
        cut = _cut_line if kind == "paths" else _cut_shape
        parts = [cut(part) for part in np.split(q, np.cumsum(lengths)[:-1])]
        lengths, q = [len(p) for p in parts], np.concatenate(parts)
    out = np.full(q.shape, GAP, np.int16)
    near = (np.abs(q) < EDGE + 2).all(axis=1)
    out[near] = np.rint(q[near])
    return out, lengths


def table_of(items):
    """The distinct items in order of appearance, and the place of each item in that table."""
    places = {}
    index = [places.setdefault(item, len(places)) for item in items]
    return list(places), np.array(index, int)


class Layer:
    """All positions of one layer of one artist: what is written to the page for it."""

    def __init__(self, kind):
        self.kind, self.looks, self.points, self.levels = kind, [], [], []

    def add(self, looks, pieces, box):
        if self.kind == "image":
            *pieces, level = pieces
            if self.levels and level.shape != self.levels[0].shape:
                raise ValueError(
                    f"explore: an image of {self.levels[0].shape} became {level.shape}; keep its shape"
                )
            self.levels.append(level)
        self.looks.append(looks)
        self.points.append(_steps(self.kind, pieces, box))

    def spec(self, store):
        """The layer as JSON; its arrays go to `store`, which answers where they lie."""
        count = len(self.looks)
        pieces = max(1, *(len(lengths) for _, lengths in self.points), *map(len, self.looks))
        length = max(1, *(n for _, lengths in self.points for n in [0, *lengths]))
        block = np.full((count, 2, pieces, length), GAP, np.int16)
        for frame, (points, lengths) in zip(block, self.points, strict=True):
            filled = np.arange(length) < np.reshape(lengths, (-1, 1))
            frame[:, : len(lengths)][:, filled] = points.T
        looks, which = table_of([look for row in self.looks for look in row + [HIDDEN] * (pieces - len(row))])
        out = {"kind": self.kind, "pieces": pieces, "length": length, "looks": [list(look) for look in looks]}
        out["at"] = store("at", block.reshape(count, -1))
        if len(looks) > 1:
            out["looksAt"] = store("looksAt", which.reshape(count, pieces))
        if self.kind == "image":
            out["size"] = list(self.levels[0].shape)
            out["levelsAt"] = store("levelsAt", np.stack(self.levels).reshape(count, -1))
        return out


def pack(block):
    """(positions, n) integers -> bytes: how each number changes from position to position, one number after
    the other, low and high bytes apart. Of the ways tried this one makes the smallest pages."""
    course = np.asarray(block).astype("<i2").T
    change = np.diff(course, axis=1, prepend=np.zeros_like(course[:, :1]))
    return change.reshape(-1).view(np.uint8).reshape(-1, 2).T.tobytes()
