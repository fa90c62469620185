"""The live figure: Matplotlib draws, Python computes, the page only moves points.

`explore(fig, draw, ...)` calls `draw` at every position of the controls, reads the geometry of the artists
that `draw` returns, packs it as small integers, and keeps the rest of the figure as SVG: once for a wide
column, once for a phone with the panels stacked. The front end is explore.js. Nothing here knows what the
figure shows.
"""

import base64
import contextlib
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
from matplotlib import text
from matplotlib.gridspec import GridSpec
from tqdm import tqdm

from nnmath.artists import HIDDEN, INKS, Layer, is_shown, pack, reader, table_of

HERE = pathlib.Path(__file__).parent
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

    >>> slider(0, 10, 6, unit="px").labels
    ('0 px', '2 px', '4 px', '6 px', '8 px', '10 px')
    """
    _check_range("slider", low, high, count)
    values = np.linspace(low, high, count)
    if isinstance(low, int) and isinstance(high, int) and (values == values.round()).all():
        values = [int(v) for v in values]  # a slider over whole numbers gives whole numbers
    return stops(values, start=start, title=title, unit=unit, fmt=fmt, play=play)


def log_slider(low, high, count, *, start=None, title="", unit="", fmt=".3g", play=False):
    """A slider over `count` values from low to high, each the same factor above the last. See `slider`.

    >>> log_slider(0.001, 1, 4).values
    (0.001, 0.01, 0.1, 1.0)
    """
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
            n = len(self._controls[name].values)
            if not (isinstance(i, int) and 0 <= i < n):
                raise traitlets.TraitError(f"index: {name} is {i}; it must be from 0 to {n - 1}")
        return new

    @traitlets.observe("index")
    def _follow(self, change):
        self.value = {name: self._controls[name].values[i] for name, i in change["new"].items()}

    def __repr__(self):
        at = ", ".join(f"{c.title} {c.labels[c.start]} of {len(c.labels)}" for c in self._controls.values())
        says = self.spec["says"][self.spec["saysAt"][self.spec["start"]]]
        return f"<explore {self.spec['name']}: {at or 'still'}; digest {self.digest}>" + f"\n{says}" * bool(
            says
        )

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, *rest = bundle if isinstance(bundle, tuple) else (bundle,)
        data = {**data, "text/plain": repr(self), "image/png": base64.b64encode(self._png).decode()}
        return (data, *rest) if rest else data


_shown = {}  # model id -> the widget shown last under it, and its layout


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
    controls = {k: _titled(k, c) for k, c in controls.items()}
    _check_signature(draw, controls)
    start = {k: c.values[c.start] for k, c in controls.items()}
    artists, _ = _collect(draw(**start))
    if len(set(artists)) < len(artists):
        raise ValueError("explore: draw returned the same artist twice; return each once")
    frames = list(dict.fromkeys(a.axes for a in artists))  # None stands for the whole figure
    readers = [reader(a) for a in artists]
    wide, wide_boxes = _svg(fig, artists, frames, name)
    png, limits = _png(fig), _limits(fig)
    layers, says = _frames(fig, draw, controls, artists, readers, limits)
    draw(**start)
    with _on_a_phone(fig, narrow_height):
        narrow, narrow_boxes = _svg(fig, artists, frames, name)
        if _limits(fig) != limits:
            raise ValueError(
                "explore: an axes takes other limits on a phone; use set_aspect(..., adjustable='box')"
            )
    plt.close(fig)
    movers, chunks, digest = _packed(artists, frames, layers)
    table, index = table_of(says)
    shape = [len(c.values) for c in controls.values()]
    spec = {
        "name": name, "alt": alt, "caption": caption, "movers": movers, "count": math.prod(shape),
        "boxes": {"wide": wide_boxes, "narrow": narrow_boxes}, "says": table, "saysAt": index.tolist(),
        "start": int(np.ravel_multi_index([c.start for c in controls.values()], shape)) if shape else 0,
        "controls": [_described(k, c) for k, c in controls.items()],
    }  # fmt: skip
    digest.update(repr((says, spec["controls"])).encode())
    data = zlib.compress(b"".join(chunks), 9)
    _check_weight(name, len(data) + len(zlib.compress((wide + narrow + repr(spec)).encode())))
    return renew(
        Explorable, f"explore-{name}", controls=controls, png=png, digest=digest.hexdigest()[:12], wide=wide,
        narrow=narrow, data=data, spec=spec, index={k: c.start for k, c in controls.items()},
    )  # fmt: skip


def renew(cls, model_id, **state):
    """A widget under a fixed id, so that a page comes out the same each time. The last one of that id is
    closed first: its end, whenever Python came to it, would take this one out of the notebook."""
    for old in _shown.pop(model_id, ()):
        old.close()
    layout = ipywidgets.Layout(model_id=f"{model_id}-layout")
    widget = cls(layout=layout, model_id=model_id, **state)
    _shown[model_id] = widget, layout
    return widget


def _check_weight(name, weight):
    if weight > MAX_BYTES:
        raise ValueError(
            f"explore: figure {name!r} weighs {weight:,} bytes; a page allows {MAX_BYTES:,}. "
            "Give its controls fewer positions or its curves fewer points"
        )


def _check_texts(**texts):
    for key, said in texts.items():
        if not isinstance(said, str) or not said.strip():
            raise ValueError(f"explore: {key} is {said!r}; every figure needs a {key}")
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name := texts["name"]):
        raise ValueError(f"explore: name is {name!r}; use small letters, digits and hyphens, as in a link")


def _titled(key, control):
    if not isinstance(control, Control):
        kind = type(control).__name__
        raise TypeError(f"explore: {key} is a {kind}; make it with slider, log_slider, stops or choice")
    return replace(control, title=control.title or key.replace("_", " "))


def _described(key, c):
    said = c.values if c.kind == "slider" else c.labels
    return {"name": key, "title": c.title, "kind": c.kind, "labels": list(c.labels), "values": list(said),
            "start": c.start, "play": c.play}  # fmt: skip


def _check_signature(draw, controls):
    try:
        inspect.signature(draw).bind(**dict.fromkeys(controls))
    except TypeError as error:
        raise TypeError(f"explore: draw and its controls {list(controls)} do not fit: {error}") from None


def _collect(result):
    """What draw returned, flat: its artists in order, and its sentence if there is one."""
    if result is None:
        raise TypeError("explore: draw returned nothing; it must return the artists that it changed")
    artists, says, queue = [], [], [result]
    while queue:
        item = queue.pop(0)
        if isinstance(item, str):
            says.append(item)
        elif isinstance(item, (list, tuple)):
            queue[:0] = item
        elif isinstance(item, mpl.artist.Artist):
            artists.append(item)
        if len(says) > 1 or not isinstance(item, (str, list, tuple, mpl.artist.Artist)):
            what = "two strings" if len(says) > 1 else f"a {type(item).__name__}"
            raise TypeError(f"explore: draw returned {what}; return artists, and one str at most")
    return artists, "".join(says)


def _frames(fig, draw, controls, artists, readers, limits):
    """Call draw everywhere; gather the layers of each artist and the sentence at each position."""
    layers, says = [{} for _ in artists], []
    boxes = [_box(fig, a.axes).frozen() for a in artists]
    positions = list(itertools.product(*(c.values for c in controls.values())))
    for k, values in enumerate(tqdm(positions, f"drawing {len(positions)} positions", delay=2, leave=False)):
        at = dict(zip(controls, values, strict=True))
        try:
            now, said = _collect(draw(**at))
            if now != artists:
                raise ValueError(
                    "explore: draw returned other artists than at first; hide them with set_visible(False)"
                )
            if _limits(fig) != limits:
                raise ValueError("explore: draw changed the limits of an axes; fix them before explore")
            says.append(said)
            for artist, read, box, own in zip(artists, readers, boxes, layers, strict=True):
                _add(own, k, artist, list(read(artist, box)), box)
        except Exception as error:
            error.add_note(f"explore: this happened at {at}")
            raise
    return [[*own.values()] for own in layers], says


def _add(own, k, artist, read, box):
    """Put what was read at position k to the layers that the artist has so far; some come late, some go."""
    shown = is_shown(artist)
    for kind, looks, pieces in read:
        layer = own.setdefault(kind, Layer(kind))
        while len(layer.looks) < k:  # it comes late: nothing was there before
            layer.add([], [], box)
        layer.add(looks if shown else [HIDDEN] * len(looks), pieces, box)
    for kind in own.keys() - {kind for kind, *_ in read}:
        own[kind].add([], [], box)


def _packed(artists, frames, layers):
    """What the page needs of every moving artist, its numbers as bytes, and the start of the digest."""
    chunks, places, digest = [], {}, hashlib.sha256()

    def store(key, block):
        """Where the page finds these numbers; a line and its markers find the same ones."""
        packed = pack(block)
        if not (is_text and key == "at"):  # where a text stands may hang on the fonts of the machine
            digest.update(packed)
        if packed not in places:
            places[packed] = sum(map(len, chunks)) // 2
            chunks.append(packed)
        return {"at": places[packed], "n": block.shape[1]}

    movers = []
    for artist, own in zip(artists, layers, strict=True):
        is_text = isinstance(artist, text.Text)
        clip = bool(artist.get_clip_on() and artist.axes is not None and not is_text)
        specs = [layer.spec(store) for layer in own]
        digest.update(repr([(s["kind"], s["looks"]) for s in specs]).encode())
        movers.append({"box": frames.index(artist.axes), "clip": clip, "layers": specs})
    return movers, chunks, digest


def _limits(fig):
    return [(*ax.get_xlim(), *ax.get_ylim()) for ax in fig.axes]


def _box(fig, axes):
    """The rectangle in whose fractions points are kept: their axes, or the whole figure."""
    return fig.bbox if axes is None else axes.bbox


@contextlib.contextmanager
def _on_a_phone(fig, height):
    """Lay a figure out as one narrow column for a while: up to four panels of a grid under each other."""
    size, engine = fig.get_size_inches().copy(), fig.get_layout_engine()
    spots = {ax: ax.get_subplotspec() for ax in fig.axes if ax.get_subplotspec() is not None}
    panels = list(dict.fromkeys(spots.values()))  # twins stand on one spot
    if 1 < len(panels) <= 4 and len({id(p.get_gridspec()) for p in panels}) == 1:
        needs = [_height_on_a_phone(next(ax for ax in spots if spots[ax] == p)) for p in panels]
        under = dict(zip(panels, GridSpec(len(panels), 1, figure=fig, height_ratios=needs), strict=True))
        for ax, spot in spots.items():
            ax.set_subplotspec(under[spot])
        height = height or sum(needs)
    if engine is None:  # margins in inches would not leave room for the labels
        with contextlib.suppress(RuntimeError):  # a color bar made without an engine can't take one
            fig.set_layout_engine("constrained")
    fig.set_size_inches(3.6, height or min(3.2, fig.get_figheight()))
    try:
        yield
    finally:
        for ax, spot in spots.items():
            ax.set_subplotspec(spot)
        if engine is None:
            fig.set_layout_engine("none")
        fig.set_size_inches(size)


def _height_on_a_phone(ax):
    """Inches that a panel takes in a narrow column; a picture of square pixels only what its width asks."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    return min(2.5, 3.5 * abs((top - bottom) / (right - left))) if ax.get_aspect() == 1 else 2.5


def _png(fig):
    out = io.BytesIO()
    fig.savefig(out, format="png", dpi=100, metadata={"Software": None})
    return out.getvalue()


def _svg(fig, artists, frames, name):
    """The figure without its moving artists, each of which leaves an empty group to be filled by the page.

    Returns the SVG and, in its units, the boxes [x, y, width, height] in which the artists move.
    """

    def placeholder(i):
        def draw(renderer, *args, **kwargs):
            renderer.open_group("moving", f"move{i}")
            renderer.close_group("moving")

        return draw

    for i, artist in enumerate(artists):
        artist.draw = placeholder(i)  # shadows the method for the time of the saving
    try:
        out = io.StringIO()
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "image.composite_image": False}):
            keys = ("Date", "Creator", "Format", "Type")
            fig.savefig(out, format="svg", transparent=True, dpi=72, metadata=dict.fromkeys(keys))
    finally:
        for artist in artists:
            del artist.draw
    svg = out.getvalue()
    for i, artist in enumerate(artists):
        if f'id="move{i}"' not in svg:
            raise ValueError(
                f"explore: draw returned a {type(artist).__name__} that does not stand in the figure"
            )
    # The saving has laid the axes out and their places are fractions of the figure, whatever the resolution.
    inch, height = 72 / fig.dpi, fig.get_figheight() * 72
    places = [_box(fig, axes) for axes in frames]
    boxes = [(b.x0 * inch, height - b.y1 * inch, b.width * inch, b.height * inch) for b in places]
    return _for_the_page(svg), [[round(float(v), 2) for v in box] for box in boxes]


def _for_the_page(svg):
    """Drop what the page decides itself (size, fonts, line ends), and name the colors of the book."""
    svg = re.sub(r"(?s)<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", svg[svg.index("<svg") :])
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r"font-family: [^;\"]*;?", "", svg)
    svg = re.sub(r"(font: (?:[a-z0-9]+ )*[\d.]+px) [^;\"]*", r"\1 system-ui, sans-serif", svg)  # before 3.9
    for color, ink in INKS.items():
        svg = svg.replace(color, ink)
    svg = re.sub(r"\s*\n\s*(?=<tspan|</text)", "", svg)  # it would be shown as a space
    return re.sub(r"\n\s*", "\n", svg)
