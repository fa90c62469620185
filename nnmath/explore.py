"""The live figure: Matplotlib draws, Python computes, the page only moves points.

`explore(fig, draw, ...)` calls `draw` at every position of the controls, reads the geometry of the artists
that `draw` returns, packs it as small integers, and keeps the rest of the figure as SVG: once for a wide
column, once for a phone with the panels stacked. The front end is explore.js. Nothing here knows what the
figure shows.
"""

import base64
import hashlib
import inspect
import io
import itertools
import math
import pathlib
import re
import zlib
from dataclasses import dataclass, replace

import anywidget
import ipywidgets
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import traitlets
from matplotlib import cbook, collections, colors, image, lines, patches, text
from matplotlib.gridspec import GridSpec
from tqdm import tqdm

from nnmath.plot import COLORS

HERE = pathlib.Path(__file__).parent
UNIT = 8192  # integer steps per axes width or height: a point may lie up to four widths away
GAP = -32768  # "the pen is lifted here"
MAX_BYTES = 300_000  # what one figure may weigh in the page, compressed


# --- Controls -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Control:
    """One slider or choice: the values it runs through and how each is shown. Made by the functions below."""

    values: tuple
    labels: tuple
    start: int
    kind: str
    title: str = ""
    play: bool = False


def slider(low, high, count, *, start=None, title="", unit="", fmt=".3g", play=False):
    """A slider over `count` evenly spaced values from low to high, both included.

    start: the value shown first (the nearest is taken; the middle if not given). unit: shown after the
    value, such as "px". fmt: how a value is written. play: give the slider a play button.
    Raises ValueError for an empty or unreadable range.
    """
    _check_range("slider", low, high, count)
    return stops(np.linspace(low, high, count), start=start, title=title, unit=unit, fmt=fmt, play=play)


def log_slider(low, high, count, *, start=None, title="", unit="", fmt=".3g", play=False):
    """A slider over `count` values from low to high, each the same factor above the last. See `slider`."""
    _check_range("log_slider", low, high, count)
    if low <= 0:
        raise ValueError(f"log_slider: low is {low}; a logarithmic range needs low > 0")
    return stops(np.geomspace(low, high, count), start=start, title=title, unit=unit, fmt=fmt, play=play)


def stops(values, *, start=None, title="", unit="", fmt=".3g", play=False):
    """A slider over the given increasing numbers. See `slider` for the other arguments."""
    values = [int(v) if isinstance(v, (int, np.integer)) else float(f"{v:.12g}") for v in values]
    if len(values) < 2 or not all(a < b for a, b in itertools.pairwise(values)):
        raise ValueError(f"stops: values must be at least two increasing numbers, got {values}")
    labels = [f"{v:{fmt}}".replace("-", "\N{MINUS SIGN}") + (f" {unit}" if unit else "") for v in values]
    if len(set(labels)) < len(labels):
        raise ValueError(f"stops: fmt={fmt!r} writes two values alike; give it more digits")
    at = len(values) // 2 if start is None else int(np.argmin(np.abs(np.array(values) - start)))
    return Control(tuple(values), tuple(labels), at, "slider", title, play)


def choice(options, *, start=None, title=""):
    """A choice among the given names (or a dict of name: value); `start` is the name chosen first."""
    options = options if isinstance(options, dict) else {str(o): o for o in options}
    names = tuple(options)
    if len(names) < 2:
        raise ValueError(f"choice: needs at least two options, got {list(names)}")
    if start is not None and start not in names:
        raise ValueError(f"choice: start is {start!r}; it must be one of {list(names)}")
    return Control(tuple(options.values()), names, names.index(start) if start else 0, "choice", title)


def _check_range(name, low, high, count):
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"{name}: got the range {low} to {high}; low must be a number below high")
    if count < 2:
        raise ValueError(f"{name}: count is {count}; it must be at least 2")


# --- Reading artists ----------------------------------------------------------------------------------
# A reader turns an artist into layers. A layer is (kind, looks, pieces): `looks` holds one look per piece, a
# look being (css, shape); `pieces` are arrays (n, 2) of points in display units, or None for an image.


def _ink(rgba, alpha=None):
    """A color as CSS. The colors of the book become variables, so that a dark page can change them."""
    r, g, b, a = colors.to_rgba(rgba, alpha)
    if a == 0:
        return "none", 1.0
    name = colors.to_hex((r, g, b))
    return next((f"var(--nn-{k},{v})" for k, v in COLORS.items() if v == name), name), round(a, 3)


def _css(face=None, edge=None, width=1.0, dashes=None, cap="butt", join="round"):
    fill, fill_alpha = _ink(face) if face is not None else ("none", 1.0)
    stroke, stroke_alpha = _ink(edge) if edge is not None and width > 0 else ("none", 1.0)
    css = f"fill:{fill};stroke:{stroke}"
    if stroke != "none":
        css += f";stroke-width:{width:.4g};stroke-linecap:{cap};stroke-linejoin:{join}"
        css += f";stroke-opacity:{stroke_alpha}" * (stroke_alpha < 1)
        if dashes is not None and dashes[1] is not None:
            css += ";stroke-dasharray:" + " ".join(f"{d:.4g}" for d in dashes[1])
    return css + f";fill-opacity:{fill_alpha}" * (fill_alpha < 1)


HIDDEN = ("display:none", "")


def _shape(path, transform):
    """A marker as a relative SVG path, y down, to be set after "M x y"."""
    path = path.transformed(transform)
    if len(path) == len(mpl.path.Path.unit_circle()) and np.ptp(r := np.hypot(*path.vertices[:-1:3].T)) < 1e-9:
        r = f"{r[0]:.2f}"
        return f"m-{r} 0a{r} {r} 0 1 0 {2 * float(r):.2f} 0a{r} {r} 0 1 0-{2 * float(r):.2f} 0z"
    out, pen = "", np.zeros(2)
    for points, code in path.iter_segments(curves=False):
        if code == path.CLOSEPOLY:
            out += "z"
            continue
        out += ("m" if code == path.MOVETO else "l") + f"{points[0] - pen[0]:.2f} {pen[1] - points[1]:.2f}"
        pen = points
    return out


def _read_line(line):
    x, y = (np.asarray(v, float) for v in line.get_data(orig=False))
    if line.get_drawstyle() != "default" and len(x):
        x, y = cbook.STEP_LOOKUP_MAP[line.get_drawstyle()](x, y)
    points = line.get_transform().transform(np.column_stack([x, y])) if len(x) else np.empty((0, 2))
    if line.get_linestyle() not in ("None", "none", "", " "):
        rgba = colors.to_rgba(line.get_color(), line.get_alpha())
        css = _css(None, rgba, line.get_linewidth(), line._dash_pattern, "round", "round")
        yield "paths", [(css, "")], [points]
    if line.get_marker() not in ("None", "none", "", " ", None):
        alpha, marker = line.get_alpha(), line._marker
        size = mpl.transforms.Affine2D().scale(line.get_markersize())
        face = colors.to_rgba(line.get_markerfacecolor(), alpha) if marker.is_filled() else None
        edge = colors.to_rgba(line.get_markeredgecolor(), alpha)
        css = _css(face, edge, line.get_markeredgewidth(), None, "butt", "miter")
        yield "marks", [(css, _shape(marker.get_path(), marker.get_transform() + size))], [points]


def _read_patch(patch):
    path = patch.get_transform().transform_path(patch.get_path())
    pieces = [p for p in path.to_polygons(closed_only=False) if len(p)] or [np.empty((0, 2))]
    gap = np.full((1, 2), np.nan)
    points = np.concatenate([part for p in pieces for part in (p, gap)][:-1])
    css = _css(patch.get_facecolor(), patch.get_edgecolor(), patch.get_linewidth(), patch._dash_pattern)
    yield "shapes", [(css, "")], [points]


def _each(values, n, default):
    """The i-th of n items takes the i-th value, round and round: Matplotlib's rule for collections."""
    values = list(values) if len(values) else [default]
    return [values[i % len(values)] for i in range(n)]


def _collection_css(c, n):
    clear = (0, 0, 0, 0)
    faces, edges = _each(c.get_facecolor(), n, clear), _each(c.get_edgecolor(), n, clear)
    widths, dashes = _each(c.get_linewidth(), n, 0), _each(c.get_linestyle(), n, (0, None))
    return [_css(*look) for look in zip(faces, edges, widths, dashes, strict=True)]


def _read_scatter(c):
    c.update_scalarmappable()
    offsets = np.ma.filled(np.ma.asarray(c.get_offsets(), float), np.nan)
    n, paths = len(offsets), c.get_paths()
    scale = np.sqrt(np.atleast_1d(c.get_sizes()))
    shapes = [_shape(paths[0], mpl.transforms.Affine2D().scale(s)) for s in scale]
    looks = list(zip(_collection_css(c, n), _each(shapes, n, ""), strict=True))
    yield "marks", looks, list(c.get_offset_transform().transform(offsets)[:, None, :])


def _read_pieces(kind):
    def read(c):
        c.update_scalarmappable()
        pieces = [c.get_transform().transform(p.vertices) for p in c.get_paths()]
        yield kind, [(css, "") for css in _collection_css(c, len(pieces))], pieces

    return read


def _read_image(im):
    if im.get_array() is None or np.ndim(im.get_array()) != 2:
        raise TypeError(f"explore: {im} holds {np.shape(im.get_array())}; an image that moves must be (rows, columns)")
    left, right, bottom, top = im.get_extent()
    pixels = im.get_array() if im.origin == "upper" else im.get_array()[::-1]
    level = np.clip(np.ma.filled(im.norm(pixels), 0) * im.cmap.N, 0, im.cmap.N - 1).astype(np.int16)
    corners = im.get_transform().transform([[left, top], [right, bottom]])
    palette = "".join(colors.to_hex(c)[1:] for c in im.cmap(np.arange(im.cmap.N)))
    smooth = im.get_interpolation() not in (None, "none", "nearest", "auto", "antialiased")
    yield "image", [("" if smooth else "image-rendering:pixelated", palette)], [corners, level]


def _read_text(label, where=None):
    if "$" in label.get_text():
        raise TypeError(f"explore: the moving text {label.get_text()!r} holds $math$; write it with Unicode letters")
    fill, alpha = _ink(label.get_color(), label.get_alpha())
    anchor = {"left": "start", "center": "middle", "right": "end"}[label.get_horizontalalignment()]
    css = f"fill:{fill};font-size:{label.get_fontsize():.4g}px;text-anchor:{anchor}"
    css += f";fill-opacity:{alpha}" * (alpha < 1) + ";font-weight:bold" * (label.get_weight() in ("bold", 700))
    css += f";--lift:{ {'top': 0.8, 'center': 0.35, 'center_baseline': 0.35}.get(label.get_va(), 0)}"
    xy = label.get_transform().transform(label.get_unitless_position()) if where is None else where
    yield "text", [(css, label.get_text())], [np.reshape(xy, (1, 2)).astype(float)]


def _read_annotation(note):
    note.update_positions(note.get_figure(root=True).canvas.get_renderer())
    tip = note._get_position_xy(note.get_figure(root=True).canvas.get_renderer())
    if note.arrow_patch is not None:
        color = note.arrow_patch.get_edgecolor()
        css = _css(None, color, note.arrow_patch.get_linewidth()) + ";--arrow:1"
        tail = note.get_transform().transform(note.get_unitless_position())
        yield "paths", [(css, "")], [np.array([tail, tip])]
    yield from _read_text(note)


READERS = {
    text.Annotation: _read_annotation,  # a subclass stands before its parent
    lines.Line2D: _read_line,
    patches.FancyArrowPatch: None,
    patches.Patch: _read_patch,
    collections.PathCollection: _read_scatter,
    collections.LineCollection: _read_pieces("paths"),
    collections.PolyCollection: _read_pieces("shapes"),
    image.AxesImage: _read_image,
    text.Text: _read_text,
}
KNOWN = "Line2D, scatter, bars and other patches, fill_between, LineCollection, imshow, Text, annotate"


def _reader(artist):
    read = next((r for cls, r in READERS.items() if isinstance(artist, cls)), None)
    if read is None:
        raise TypeError(f"explore: draw returned a {type(artist).__name__}; what can move is: {KNOWN}")
    return read


# --- Packing ------------------------------------------------------------------------------------------


def _quantize(points):
    """Fractions of the box -> integers. A far point is drawn back along its segment, so slopes stay true."""
    q = points * UNIT
    far = np.abs(q).max(axis=1, initial=0) > 30_000
    for i in np.flatnonzero(far):
        near = next((q[j] for j in (i - 1, i + 1) if 0 <= j < len(q) and not far[j] and np.isfinite(q[j]).all()), None)
        if near is not None and np.isfinite(q[i]).all():
            step = q[i] - near
            with np.errstate(divide="ignore"):
                room = np.where(step > 0, 30_000 - near, -30_000 - near) / step
            q[i] = near + step * min(1.0, np.nanmin(room))
    out = np.full(q.shape, GAP, np.int16)
    fine = np.isfinite(q).all(axis=1)
    out[fine] = np.rint(np.clip(q[fine], -32_000, 32_000))
    return out


def _pack(block):
    """(positions, n) integers -> bytes: differences along both axes, then low and high bytes apart."""
    block = np.asarray(block).astype("<i2")
    for axis in (1, 0):
        block = np.diff(block, axis=axis, prepend=np.zeros_like(block[:1] if axis == 0 else block[:, :1]))
    return block.reshape(-1).view(np.uint8).reshape(-1, 2).T.tobytes()


def _table(items):
    """The distinct items in order of appearance, and the place of each item in that table."""
    table = {item: None for item in items}
    index = {item: i for i, item in enumerate(table)}
    return list(table), np.array([index[item] for item in items])


class _Layer:
    """All positions of one layer of one artist: what is written to the page for it."""

    def __init__(self, kind):
        self.kind, self.looks, self.points, self.levels = kind, [], [], []

    def add(self, looks, pieces, box):
        if self.kind == "image":
            self.levels.append(pieces.pop().ravel())
        (x, y), (w, h) = box.p0, box.size
        self.looks.append(looks)
        self.points.append([_quantize((p - (x, y)) / (w, h)) for p in pieces])

    def spec(self, store):
        """The layer as JSON; its arrays go to `store`, which answers where they lie."""
        count = len(self.looks)
        pieces = max(1, max(map(len, self.points)))
        length = max([1, *(len(p) for frame in self.points for p in frame)])
        block = np.full((count, 2, pieces, length), GAP, np.int16)
        for k, frame in enumerate(self.points):
            for i, p in enumerate(frame):
                block[k, :, i, : len(p)] = p.T
        table, index = _table([look for looks in self.looks for look in [*looks, *[HIDDEN] * (pieces - len(looks))]])
        if len(table) > 20_000:
            raise ValueError(f"explore: one artist takes {len(table)} looks; use fewer colors, sizes or texts")
        out = {"kind": self.kind, "pieces": pieces, "length": length, "looks": [list(look) for look in table]}
        out["at"] = store(block.reshape(count, -1))
        if len(table) > 1:
            out["looksAt"] = store(index.reshape(count, pieces))
        if self.kind == "image":
            out["levelsAt"], out["size"] = store(np.stack(self.levels)), len(self.levels[0])
        return out


# --- The figure ---------------------------------------------------------------------------------------


class Explorable(anywidget.AnyWidget):
    """A live figure. `index` holds the position of every control and `value` what it stands for; both may be
    observed, and `index` set, from Python."""

    _esm = HERE / "explore.js"
    _css = HERE / "widget.css"
    wide = traitlets.Unicode().tag(sync=True)
    narrow = traitlets.Unicode().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    index = traitlets.Dict().tag(sync=True)
    value = traitlets.Dict()

    def __init__(self, *, controls, png, digest, **state):
        self._controls, self._png, self.digest = controls, png, digest
        super().__init__(**state)

    @traitlets.validate("index")
    def _valid(self, proposal):
        """Refuse a control that does not exist and a position off its scale; keep what is not named."""
        new = {name: c.start for name, c in self._controls.items()} | self.index | proposal["value"]
        for name, i in new.items():
            if name not in self._controls:
                raise traitlets.TraitError(f"index: no control {name!r}; there are {list(self._controls)}")
            if not 0 <= i < (n := len(self._controls[name].values)):
                raise traitlets.TraitError(f"index: {name} is {i}; it must be from 0 to {n - 1}")
        return new

    @traitlets.observe("index")
    def _follow(self, change):
        self.value = {name: self._controls[name].values[i] for name, i in change["new"].items()}

    def __repr__(self):
        at = ", ".join(f"{c.title} {c.labels[c.start]} of {len(c.labels)}" for c in self._controls.values())
        says = self.spec["says"][self.spec["saysAt"][self.spec["start"]]]
        return f"<explore {self.spec['name']}: {at or 'still'}; digest {self.digest}>" + f"\n{says}" * bool(says)

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, *rest = bundle if isinstance(bundle, tuple) else (bundle,)
        data = {**data, "text/plain": repr(self), "image/png": base64.b64encode(self._png).decode()}
        return (data, *rest) if rest else data


_shown = {}  # name -> the figure shown last under that name, closed when its cell runs again


def explore(fig, draw, *, name, alt, caption, narrow_height=None, **controls):
    """Make a Matplotlib figure live: one slider or choice per keyword argument of `draw`.

    fig: an ordinary figure with its limits set. draw: called with one value per control, everywhere; it
    changes artists and returns them, as for FuncAnimation(blit=True), and may return with them one sentence
    (a str) that says what the figure now shows. name: what the page's address and links call the figure,
    such as "descent" in #descent:lr=0.1. alt: what a reader who can't see it needs to know. caption: the one
    thing it claims. narrow_height: inches on a phone (chosen if not given). controls: made by `slider`,
    `log_slider`, `stops` or `choice`; none for a figure that stands still.

    Returns an Explorable, to be the last expression of its cell. Raises TypeError for an artist that can't
    move, ValueError where draw returns other artists at another position, changes the limits of an axes, or
    the figure grows too heavy for a page.
    """
    _check_texts(name=name, alt=alt, caption=caption)
    controls = {k: replace(c, title=c.title or k.replace("_", " ")) for k, c in _checked(controls).items()}
    _check_signature(draw, controls)
    start = {k: c.values[c.start] for k, c in controls.items()}
    artists, _ = _collect(draw(**start))
    wide, boxes = _svg(fig, artists, name)
    png = _png(fig)
    layers, says = _frames(fig, draw, controls, artists)
    size = fig.get_size_inches().copy()
    draw(**start)
    _stack(fig, narrow_height)
    narrow, narrow_boxes = _svg(fig, artists, name)
    fig.set_size_inches(size)
    plt.close(fig)

    chunks = []

    def store(block):
        at = sum(map(len, chunks)) // 2
        chunks.append(_pack(block))
        return {"at": at, "n": block.shape[1]}

    movers = [
        {"box": _box_number(fig, a), "clip": _is_clipped(a), "layers": [layer.spec(store) for layer in own]}
        for a, own in zip(artists, layers, strict=True)
    ]
    table, index = _table(says)
    shape = [len(c.values) for c in controls.values()]
    spec = {
        "name": name, "alt": alt, "caption": caption, "movers": movers, "count": math.prod(shape),
        "boxes": {"wide": boxes, "narrow": narrow_boxes}, "says": table, "saysAt": index.tolist(),
        "start": int(np.ravel_multi_index([c.start for c in controls.values()], shape)) if shape else 0,
        "controls": [
            {"name": k, "title": c.title, "kind": c.kind, "labels": c.labels, "start": c.start, "play": c.play,
             "values": c.values if c.kind == "slider" else c.labels}
            for k, c in controls.items()
        ],
    }  # fmt: skip
    data = zlib.compress(b"".join(chunks), 9)
    digest = hashlib.sha256(repr((chunks, says, movers, spec["controls"])).encode()).hexdigest()[:12]
    weight = len(data) + len(zlib.compress((wide + narrow + repr(spec)).encode()))
    if weight > MAX_BYTES:
        raise ValueError(
            f"explore: figure {name!r} weighs {weight:,} bytes; a page allows {MAX_BYTES:,}. "
            "Give its controls fewer positions or its curves fewer points"
        )
    if name in _shown:
        _shown[name].close()
    layout = ipywidgets.Layout(model_id=f"explore-{name}-layout")
    _shown[name] = Explorable(
        controls=controls, png=png, digest=digest, wide=wide, narrow=narrow, data=data, spec=spec, layout=layout,
        index={k: c.start for k, c in controls.items()}, model_id=f"explore-{name}",
    )  # fmt: skip
    return _shown[name]


def _check_texts(**texts):
    for key, said in texts.items():
        if not isinstance(said, str) or not said.strip():
            raise ValueError(f"explore: {key} is {said!r}; every figure needs a {key}")
    if not re.fullmatch(r"[a-z][a-z0-9-]*", texts["name"]):
        raise ValueError(f"explore: name is {texts['name']!r}; use small letters, digits and hyphens, as in a link")


def _checked(controls):
    for k, c in controls.items():
        if not isinstance(c, Control):
            raise TypeError(f"explore: {k} is a {type(c).__name__}; make it with slider, log_slider, stops or choice")
    return controls


def _check_signature(draw, controls):
    try:
        inspect.signature(draw).bind(**dict.fromkeys(controls))
    except TypeError as error:
        raise TypeError(f"explore: draw and its controls {list(controls)} do not fit: {error}") from None


def _collect(result):
    """What draw returned, flat: its artists in order, and its sentence if there is one."""
    if result is None:
        raise TypeError("explore: draw returned nothing; it must return the artists that it changed")
    artists, says, queue = [], "", [result]
    while queue:
        item = queue.pop(0)
        if isinstance(item, str):
            says = item
        elif isinstance(item, (list, tuple)):
            queue[:0] = item
        elif isinstance(item, mpl.artist.Artist):
            artists.append(item)
        else:
            raise TypeError(f"explore: draw returned a {type(item).__name__}; return artists, and one str at most")
    return artists, says


def _frames(fig, draw, controls, artists):
    """Call draw everywhere; gather the layers of each artist and the sentence at each position."""
    readers, limits = [_reader(a) for a in artists], _limits(fig)
    layers, says = [{} for _ in artists], []
    positions = list(itertools.product(*(c.values for c in controls.values())))
    for k, values in enumerate(tqdm(positions, f"drawing {len(positions)} positions", delay=2, leave=False)):
        at = dict(zip(controls, values, strict=True))
        try:
            now, said = _collect(draw(**at))
        except Exception as error:
            error.add_note(f"explore: draw failed at {at}")
            raise
        if len(now) != len(artists) or any(a is not b for a, b in zip(now, artists, strict=True)):
            raise ValueError(f"explore: at {at} draw returned other artists than at first; hide with set_visible(False)")
        if _limits(fig) != limits:
            raise ValueError(f"explore: at {at} draw changed the limits of an axes; fix them before explore")
        says.append(said)
        for artist, read, own in zip(artists, readers, layers, strict=True):
            _add(own, k, artist, read, _box(artist))
    return [[*own.values()] for own in layers], says


def _add(own, k, artist, read, box):
    seen = set()
    for i, (kind, looks, pieces) in enumerate(read(artist)):
        key = (i, kind) if kind in ("text", "image") else kind
        layer = own.setdefault(key, _Layer(kind))
        while len(layer.looks) < k:  # it appears late: nothing was there before
            layer.add([], [], box)
        layer.add(looks if artist.get_visible() else [HIDDEN] * len(looks), pieces, box)
        seen.add(key)
    for key in own.keys() - seen:
        own[key].add([], [], box)


def _limits(fig):
    return [(*ax.get_xlim(), *ax.get_ylim()) for ax in fig.axes]


def _box(artist):
    """The rectangle in whose fractions an artist's points are kept: its axes, or the whole figure."""
    return artist.axes.bbox if artist.axes is not None else artist.get_figure(root=True).bbox


def _box_number(fig, artist):
    return fig.axes.index(artist.axes) if artist.axes is not None else len(fig.axes)


def _is_clipped(artist):
    return bool(artist.get_clip_on() and artist.axes is not None and not isinstance(artist, text.Text))


def _stack(fig, height):
    """Re-lay a figure for a phone: one narrow column, a single row of panels under each other."""
    axes = [ax for ax in fig.axes if ax.get_subplotspec() is not None]
    grids = {ax.get_subplotspec().get_gridspec() for ax in axes}
    row = len(grids) == 1 and next(iter(grids)).nrows == 1 and len(axes) > 1
    if row:
        ratios = {"height_ratios": [1] * len(axes)}
        for ax, spot in zip(axes, GridSpec(len(axes), 1, figure=fig, **ratios), strict=True):
            ax.set_subplotspec(spot)
    fig.set_size_inches(3.6, height or (2.5 * len(axes) if row else min(3.2, fig.get_figheight())))


def _png(fig):
    out = io.BytesIO()
    fig.savefig(out, format="png", dpi=100, metadata={"Software": None})
    return out.getvalue()


def _svg(fig, artists, name):
    """The figure without its moving artists, each of which leaves an empty group to be filled by the page.

    Returns the SVG and, in its units, the box [x, y, width, height] of every axes and of the figure itself.
    """

    def placeholder(i):
        def draw(renderer, *args, **kwargs):
            renderer.open_group("moving", f"move{i}")
            renderer.close_group("moving")

        return draw

    for i, artist in enumerate(artists):
        _reader(artist)
        artist.draw = placeholder(i)  # shadows the method for the time of the saving
    try:
        out = io.StringIO()
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "image.composite_image": False}):
            keys = ("Date", "Creator", "Format", "Type")
            fig.savefig(out, format="svg", transparent=True, dpi=72, metadata=dict.fromkeys(keys))
    finally:
        for artist in artists:
            del artist.draw
    fig.draw_without_rendering()
    dpi, (width, height) = fig.dpi, fig.get_size_inches() * 72
    boxes = [
        [round(float(v), 2) for v in (b.x0 * 72 / dpi, height - b.y1 * 72 / dpi, b.width * 72 / dpi, b.height * 72 / dpi)]
        for b in [*(ax.bbox for ax in fig.axes), fig.bbox]
    ]  # fmt: skip
    svg = out.getvalue()
    svg = re.sub(r"(?s)<metadata>.*?</metadata>|<!--.*?-->", "", svg[svg.index("<svg") :])
    svg = re.sub(r"(<svg\b[^>]*?)\s(?:height|width)=\"[^\"]*\"([^>]*?)\s(?:height|width)=\"[^\"]*\"", r"\1\2", svg, count=1)
    svg = re.sub(r'\b(id="|href="#|url\(#)', rf"\1{name}-", svg)
    svg = re.sub(r"font-family: [^;\"]*;?|(?<=px) 'DejaVu Sans'[^;\"]*", "", svg)
    for key, color in COLORS.items():
        svg = svg.replace(color, f"var(--nn-{key},{color})")
    return re.sub(r"\n\s*", "\n", svg), boxes
