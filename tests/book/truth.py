"""What the figures of a page must show, taken from the notebook behind it.

Its code cells are run here, and each figure is asked, through Matplotlib alone, where its artists stand at a
position. Nothing of explore's reading or packing is used.
"""

import contextlib
import io
import json
import os
import re
import sys
import types
import warnings
from unittest import mock

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import collections, colors, image, lines, patches, text

import nnmath.explore
import nnmath.quiz

NEAR = 3.6  # widths of the axes from its corner; what lies further off may be cut


def some_positions(controls):
    """The start, both ends, and a few positions drawn by lot, the same ones in each run."""
    rng = np.random.default_rng(0)
    sizes = {name: len(c.values) for name, c in controls.items()}
    ends = [dict.fromkeys(sizes, 0), {name: n - 1 for name, n in sizes.items()}]
    lots = [{name: int(rng.integers(n)) for name, n in sizes.items()} for _ in range(4)]
    found = [{name: c.start for name, c in controls.items()}, *ends, *lots]
    return [p for i, p in enumerate(found) if p not in found[:i]]


class Figure:
    """One figure of a page: its widget, and what its draw gives at some positions.

    All is taken when the figure is made: what draw reads in its notebook may be something else a cell later.
    """

    def __init__(self, fig, draw, controls, widget):
        self.fig, self.draw, self.controls, self.widget = fig, draw, controls, widget
        self.name = widget.spec["name"]
        self.start = {name: c.start for name, c in controls.items()}
        self.boxes = [widget.spec["boxes"]["wide"][mover["box"]] for mover in widget.spec["movers"]]
        self.positions = some_positions(controls)
        self._put(self.start)
        self.fig.draw_without_rendering()  # limits that nobody set are those of the start, in the page too
        self.expected = [self._expected(index) for index in self.positions]
        few = self.positions[:4]
        self.pictured = few[::3] if len(few) == 4 else few[:2]  # the start, and one drawn by lot or an end
        self.pictures = self._pictures(self.pictured)
        self._put(self.start)

    def says(self, index):
        """The sentence that the cell computed for a position."""
        spec, k = self.widget.spec, 0
        for name, c in self.controls.items():
            k = k * len(c.values) + index[name]
        return spec["says"][spec["saysAt"][k]]

    def _put(self, index):
        """Call draw at a position {control: index}; its artists and its sentence."""
        values = {name: c.values[index[name]] for name, c in self.controls.items()}
        flat, queue = [], [self.draw(**values)]
        while queue:
            item = queue.pop(0)
            if isinstance(item, (list, tuple)):
                queue[:0] = item
            else:
                flat.append(item)
        says = [item for item in flat if isinstance(item, str)]
        return [item for item in flat if not isinstance(item, str)], "".join(says)

    def _expected(self, index):
        """For every moving artist what the SVG of the wide picture must hold, and the sentence."""
        artists, says = self._put(index)
        assert len(artists) == len(self.boxes)
        return [self._artist(a, box) for a, box in zip(artists, self.boxes, strict=True)], says

    def _pictures(self, positions):
        """Matplotlib's own pictures, in the layout of the page: that of the start, made for an SVG."""
        artists, _ = self._put(self.start)
        engine, pictures = self.fig.get_layout_engine(), []
        self.fig.savefig(io.StringIO(), format="svg", dpi=72)
        self.fig.set_layout_engine("none")
        wide, high = self.fig.get_size_inches() * 72
        for artist, (x, y, width, height) in zip(artists, self.boxes, strict=True):
            if artist.axes is not None:
                at = (x / wide, 1 - (y + height) / high, width / wide, height / high)
                artist.axes.set_position(at)
        words = [artist for artist in artists if isinstance(artist, text.Text)]
        for artist in words:  # what they say and where is checked to a tenth of a unit; a font is drawn
            artist.set_alpha(0)  # otherwise by every program
        for index in positions:
            self._put(index)
            out = io.BytesIO()
            with mpl.rc_context(
                {"path.snap": False}
            ):  # edges where they are, as in the page, not on whole pixels
                self.fig.savefig(out, format="png", dpi=100, facecolor="white")
            pictures.append(out.getvalue())
        for artist in words:
            artist.set_alpha(None)
        if engine is not None:
            self.fig.set_layout_engine(engine)
        return pictures

    def _artist(self, artist, box):
        frame = artist.axes.bbox if artist.axes is not None else self.fig.bbox
        x, y, width, height = box

        def place(points):
            share = (np.asarray(points, float).reshape(-1, 2) - frame.p0) / frame.size
            return share * (width, -height) + (x, y + height)

        told = {"kind": type(artist).__name__, "points": None, "said": None, "ink": None}
        if artist.get_visible():
            told |= _shape(artist, place)
        if told["points"] is not None:
            share = (told["points"] - (x, y + height)) / (width, -height)
            told["cut"] = bool((~np.isfinite(share)).any() or (np.abs(share) > NEAR).any())
            told["near"] = told["points"][np.isfinite(share).all(1) & (np.abs(share) < NEAR).all(1)]
        return told


def _shape(artist, place):
    """Points in units of the SVG, in their order where that is told; the text; the color of the ink."""
    if isinstance(artist, text.Annotation) and not artist._check_xy(artist.figure._get_renderer()):
        return {}
    if isinstance(artist, text.Text):
        arrow = _arrow(artist, place) if getattr(artist, "arrow_patch", None) is not None else {}
        if not artist.get_text():
            return arrow
        at = place(artist.get_transform().transform(artist.get_unitless_position()))[0]
        spaces = [artist.figure.transSubfigure, *([a.transData, a.transAxes] if (a := artist.axes) else [])]
        plain = artist.get_transform() in spaces  # else it is moved by points, which a layout stretches
        ink = colors.to_hex(artist.get_color())
        return arrow | {"said": artist.get_text(), "at": at, "plain": plain, "ink": ink}
    if isinstance(artist, lines.Line2D):
        drawn = artist.get_linestyle() != "None" or artist.get_marker() not in ("None", "", None)
        xy = np.ma.filled(np.ma.column_stack(artist.get_data()).astype(float), np.nan).reshape(-1, 2)
        if artist.get_drawstyle() != "default":
            xy = np.column_stack(mpl.cbook.STEP_LOOKUP_MAP[artist.get_drawstyle()](*xy.T))
        points = place(artist.get_transform().transform(xy))
        return {"points": points, "ink": colors.to_hex(artist.get_color())} if drawn else {}
    if isinstance(artist, patches.Patch):
        path = artist.get_transform().transform_path(artist.get_path())
        return {"bounds": place(path.get_extents().get_points())}
    if isinstance(artist, collections.PathCollection):
        return {"points": place(artist.get_offset_transform().transform(np.asarray(artist.get_offsets())))}
    if isinstance(artist, collections.Collection):
        to = artist.get_transform().transform
        runs = [place(to(path.vertices)) for path in artist.get_paths()]
        return {"points": np.concatenate([np.empty((0, 2)), *runs])}
    if isinstance(artist, image.AxesImage):
        rgba = artist.to_rgba(artist.get_array(), bytes=True)
        left, right, bottom, top = artist.get_extent()
        corners = place(artist.get_transform().transform([[left, top], [right, bottom]]))
        return {"pixels": rgba[::-1] if artist.origin == "lower" else rgba, "bounds": corners}
    raise AssertionError(f"the test does not know how to check a {type(artist).__name__}")


def _arrow(note, place):
    """Where the arrow of an annotation begins and ends, and its ink."""
    renderer = note.figure._get_renderer()
    note.update_positions(renderer)
    start, end = note.arrow_patch.get_path().vertices[0], note._get_xy(renderer, note.xy, note.xycoords)
    return {"arrow": place([start, end]), "arrow_ink": colors.to_hex(note.arrow_patch.get_edgecolor())}


def widgets_of(page):
    """{name: what the widget's state in a built page says of it} of every figure; `page` is its HTML."""
    states = re.findall(
        r'<script type="application/vnd.jupyter.widget-state\+json">(.*?)</script>', page, re.DOTALL
    )
    records = [record["state"] for state in states for record in json.loads(state)["state"].values()]
    made = [types.SimpleNamespace(**record) for record in records if "controls" in record.get("spec", ())]
    return {widget.spec["name"]: widget for widget in made}


class Truth:
    """All figures and quizzes that a piece of code makes, by name.

    built: the widgets of the page that was built of this code, by name; they are made anew without it. It
    takes a third of the time to draw only the positions that are looked at, and not all of them once more.
    """

    def __init__(self, built=None):
        self.figures, self.quizzes, self.widgets, self.built = {}, {}, [], built

    @contextlib.contextmanager
    def watching(self):
        """Keep what `explore` and `quiz` are called with."""
        real_explore, real_quiz = nnmath.explore.explore, nnmath.quiz.quiz

        def explore(fig, draw, **given):
            known = self.built is not None
            widget = self.built[given["name"]] if known else real_explore(fig, draw, **given)
            controls = {k: c for k, c in given.items() if isinstance(c, nnmath.explore.Control)}
            self.figures[given["name"]] = Figure(fig, draw, controls, widget)
            self.widgets.append(widget)
            return widget

        def quiz(name, *questions):
            self.quizzes[name] = real_quiz(name, *questions)
            self.widgets.append(self.quizzes[name])
            return self.quizzes[name]

        with (
            mock.patch.object(nnmath.explore, "explore", explore),
            mock.patch.object(nnmath.quiz, "quiz", quiz),
            mpl.rc_context(),
        ):
            yield self
            plt.close("all")


def code_cells(path):
    """The code of a notebook (.ipynb) or of a page with code cells (.md), and the tags of each cell."""
    said = path.read_text(encoding="utf8")
    if path.suffix == ".md":
        blocks = re.findall(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", said, re.DOTALL | re.MULTILINE)
        return [(re.sub(r"\A(---\n.*?---\n|(:[^\n]*\n)*)", "", b, flags=re.DOTALL), []) for b in blocks]
    cells = [c for c in json.loads(said)["cells"] if c["cell_type"] == "code"]
    return [("".join(c["source"]), c["metadata"].get("tags", [])) for c in cells]


def of_notebook(path, page):
    """Run the code cells of a page and keep its figures and quizzes. page: what was built of it, as HTML."""
    truth, here = Truth(widgets_of(page)), os.getcwd()
    space = {"__name__": "__main__", "display": lambda *a, **k: None}
    os.chdir(path.parent)
    sys.path.insert(0, str(path.parent))
    try:
        with (
            truth.watching(),
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            mock.patch("myst_nb.glue", lambda *a, **k: None),
        ):
            warnings.simplefilter("ignore")
            for number, (source, tags) in enumerate(code_cells(path)):
                code = "\n".join("" if line.startswith(("%", "!")) else line for line in source.splitlines())
                try:
                    exec(compile(code, f"{path.name}, code cell {number}", "exec"), space)
                except Exception:
                    if "raises-exception" not in tags:
                        raise
    finally:
        os.chdir(here)
        sys.path.remove(str(path.parent))
    return truth
