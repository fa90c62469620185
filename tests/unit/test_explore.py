"""The live figure on the Python side: what it reads from Matplotlib, packs for the page, says of itself."""

import base64
import os
import re
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import traitlets
from matplotlib.collections import LineCollection

from nnmath import explore as module
from nnmath.explore import choice, explore, log_slider, slider, stops
from nnmath.plot import COLORS, use_style

mpl.use("agg")
TEXTS = {"alt": "what it shows", "caption": "what it claims"}


@pytest.fixture(autouse=True)
def style():
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("error")
        use_style()
        yield
    plt.close("all")


# --- An independent decoder of what the page gets ---


def numbers(w, where):
    """The array (positions, n) that lies at `where` in the packed data."""
    count = w.spec["count"]
    size = count * where["n"]
    raw = np.frombuffer(zlib.decompress(w.data), np.uint8)[2 * where["at"] :][: 2 * size].astype(int)
    change = (raw[:size] + 256 * raw[size:]).reshape(where["n"], count)
    return ((np.cumsum(change, axis=1) + 2**15) % 2**16 - 2**15).T


def shown(w, k, mover=0, layer=0):
    """A layer at position k: its pieces in fractions of the box, NaN for a lifted pen, and their looks."""
    spec = w.spec["movers"][mover]["layers"][layer]
    points = numbers(w, spec["at"])[k].reshape(2, spec["pieces"], spec["length"]).astype(float)
    points[points == -32768] = np.nan
    which = numbers(w, spec["looksAt"])[k] if "looksAt" in spec else [0] * spec["pieces"]
    looks = [spec["looks"][i] for i in which]
    pieces = [p for p, look in zip(np.moveaxis(points, 0, 2) / 8192, looks, strict=True)]
    kept = [i for i, look in enumerate(looks) if look[0] != "display:none"]
    return [pieces[i] for i in kept], [looks[i] for i in kept]


def fractions(artist, display):
    """Display units -> fractions of the artist's axes."""
    box = artist.axes.bbox
    return (np.asarray(display, float).reshape(-1, 2) - box.p0) / box.size


def trimmed(points):
    """Without the gaps at the end, which only fill a piece up to the length of the longest."""
    there = np.flatnonzero(np.isfinite(points).all(axis=1))
    return points[: there[-1] + 1] if len(there) else points[:0]


def alike(pieces, wanted):
    assert len(pieces) == len(wanted)
    for got, want in zip(pieces, wanted, strict=True):
        got, want = trimmed(got), trimmed(want)
        if len(want) == len(got) + 1 and (want[0] == want[-1]).all():
            want = want[:-1]  # an area is closed by the page
        np.testing.assert_allclose(got, want, atol=0.5001 / 8192 + 2e-4 / 8192)


# --- Each kind of artist, read back ---

T = np.linspace(0, 1, 5)


def axes(**settings):
    fig, ax = plt.subplots()
    ax.set(**({"xlim": (0, 1), "ylim": (0, 1), "xticks": [], "yticks": []} | settings))
    ax.minorticks_off()
    return fig, ax


def make(fig, draw, **controls):
    return explore(fig, draw, name="sample", **TEXTS, **(controls or {"t": stops(T)}))


def data_points(artist, *xy):
    return fractions(artist, artist.axes.transData.transform(np.column_stack(xy)))


@pytest.mark.parametrize("marker", ["", "o", "s", "x"])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_line(marker, scale):
    fig, ax = axes(yscale=scale, ylim=(1e-3, 1))
    x = np.linspace(0, 1, 9)
    (line,) = ax.plot([], [], marker=marker)

    def values(t):
        y = 0.01 + t * x
        y[3] = np.nan if t > 0.5 else -1  # below the ground of a logarithmic axis
        return y

    def draw(t):
        line.set_data(x, values(t))
        return line

    w = make(fig, draw)
    kinds = [layer["kind"] for layer in w.spec["movers"][0]["layers"]]
    assert kinds == ["paths", "marks"][: 1 + bool(marker)]
    for k, t in enumerate(T):
        want = data_points(line, x, values(t))
        near = np.abs(want).max(axis=1) < 3.6
        for layer in range(len(kinds)):
            (got,), _ = shown(w, k, layer=layer)
            for point in want[near]:
                assert np.abs(got - point).max(axis=1)[np.isfinite(got).all(axis=1)].min() < 1e-4
        if t > 0.5:
            assert np.isnan(got[3]).all()


@pytest.mark.parametrize("style", ["steps-pre", "steps-mid", "steps-post"])
def test_line_in_steps(style):
    fig, ax = axes()
    (line,) = ax.plot([], [], drawstyle=style)
    x = np.array([0.1, 0.4, 0.9])

    def draw(t):
        line.set_data(x, t * x)
        return [line]

    w = make(fig, draw)
    for k, t in enumerate(T):
        a, b = x, t * x
        middle = (a[1:] + a[:-1]) / 2
        corners = {
            "steps-pre": ([a[0], a[0], a[1], a[1], a[2]], [b[0], b[1], b[1], b[2], b[2]]),
            "steps-post": ([a[0], a[1], a[1], a[2], a[2]], [b[0], b[0], b[1], b[1], b[2]]),
            "steps-mid": ([a[0], *np.repeat(middle, 2), a[2]], np.repeat(b, 2)),
        }[style]
        alike(shown(w, k)[0], [data_points(line, *corners)])


@pytest.mark.parametrize("far", [5.0, 1e6, 1e300, 1e303])
def test_a_line_that_runs_away_keeps_its_slopes(far):
    """Where it leaves the axes, a path that oscillates ever wilder crosses their border where it should."""
    fig, ax = axes()
    (line,) = ax.plot([], [])
    x, y = np.array([0.1, 0.5, 0.9]), np.array([0.5, far, -far])

    def draw(t):
        line.set_data(x, y)
        return line

    (got,), _ = shown(make(fig, draw), 0)
    assert np.nanmax(np.abs(got)) < 3.7
    ends = trimmed(got)
    a, b = ends[0], ends[1]  # the first segment, as it is drawn
    assert np.allclose(a, [0.1, 0.5], atol=1e-4)
    border = a[0] + (1 - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
    assert border == pytest.approx(0.1 + 0.4 * 0.5 / (far - 0.5), abs=3e-4)
    a, b = ends[-2], ends[-1]  # the second: through the middle of the axes, far to far
    middle = a[0] + (0.5 - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
    assert middle == pytest.approx(0.5 + 0.4 * (0.5 - 0.25 / far), abs=3e-4)


def test_infinity_lifts_the_pen():
    fig, ax = axes()
    (line,) = ax.plot([], [])

    def draw(t):
        line.set_data([0.1, 0.2, 0.3, 0.4], [0.5, np.inf, 0.5, 0.6])
        return line

    (got,), _ = shown(make(fig, draw), 0)
    assert np.isnan(got[1]).all() or len(trimmed(got)) == 3


def test_scatter_with_own_colors_and_sizes():
    fig, ax = axes()
    dots = ax.scatter([], [], c=[], cmap="cividis", vmin=0, vmax=1, edgecolor="none")

    def draw(t):
        n = int(4 * t)
        dots.set_offsets(np.column_stack([np.linspace(0, 1, n), np.full(n, t)]))
        dots.set_array(np.linspace(0, 1, n))
        dots.set_sizes([9, 36])
        return dots

    w = make(fig, draw)
    for k, t in enumerate(T):
        n = int(4 * t)
        pieces, looks = shown(w, k)
        alike(pieces, [data_points(dots, [x], [t]) for x in np.linspace(0, 1, n)])
        for i, (css, shape) in enumerate(looks):
            color = mpl.colors.to_hex(mpl.colormaps["cividis"](i / max(1, n - 1)))
            assert css.startswith(f"fill:{color}")
            assert f"a{[1.5, 3.0][i % 2]}" in shape


def test_bars_and_other_patches():
    fig, ax = axes()
    bars = ax.bar([0.2, 0.6], [1, 1], width=0.1)
    ring = ax.add_patch(plt.Circle((0.5, 0.5), 0.1))

    def draw(t):
        for i, bar in enumerate(bars):
            bar.set_height(t / (i + 1))
        ring.set_center((t, 0.5))
        ring.set_facecolor(COLORS["model"] if t < 0.4 else COLORS["truth"])
        return bars, ring

    w = make(fig, draw)
    for k, t in enumerate(T):
        for i, left in enumerate([0.15, 0.55]):
            top = t / (i + 1)
            corners = [left, left + 0.1, left + 0.1, left, left], [0, 0, top, top, 0]
            alike(shown(w, k, i)[0], [data_points(bars[i], *corners)])
        (circle,), ((css, _),) = shown(w, k, 2)
        center = data_points(ring, [t], [0.5])
        radius = np.hypot(*(trimmed(circle) - center).T)
        assert np.ptp(radius) < 1e-3 and radius.mean() == pytest.approx(0.1, abs=1e-3)
        assert ("--nn-model" in css) == (t < 0.4)


def test_filled_areas_may_come_and_go():
    fig, ax = axes()
    x = np.linspace(0, 1, 21)
    area = ax.fill_between(x, 0, 0)

    def polygons(t):
        return [np.array([[0, 0], [t, t], [t, 0]]), *[np.array([[t, 0], [1, 1], [1, 0.0]])] * int(t > 0.5)]

    def draw(t):
        area.set_verts(polygons(t))
        return area

    w = make(fig, draw)
    for k, t in enumerate(T):
        closed = [np.vstack([p, p[:1]]) for p in polygons(t)]
        alike(shown(w, k)[0], [data_points(area, *p.T) for p in closed])


@pytest.mark.skipif(not hasattr(mpl.collections, "FillBetweenPolyCollection"), reason="Matplotlib < 3.10")
def test_fill_between_set_data():
    fig, ax = axes()
    x = np.linspace(0, 1, 21)
    area = ax.fill_between(x, 0, 0)

    def draw(t):
        area.set_data(x, 0 * x, t * x)
        return area

    w = make(fig, draw)
    for k in range(len(T)):
        draw(T[k])
        alike(shown(w, k)[0], [data_points(area, *p.vertices.T) for p in area.get_paths()])


def test_a_far_area_is_cut_and_stays_closed():
    fig, ax = axes()
    area = ax.fill([0, 1, 1, 0], [0, 0, 1, 1])[0]

    def draw(t):
        area.set_xy([[0.2, 0], [0.8, 0], [0.8, 1e9], [0.2, 1e9]])
        return area

    (got,), _ = shown(make(fig, draw), 0)
    got = trimmed(got)
    assert got[:, 0].min() == pytest.approx(0.2, abs=1e-3) and got[:, 0].max() == pytest.approx(0.8, abs=1e-3)
    assert got[:, 1].min() == pytest.approx(0, abs=1e-3) and 3.6 < got[:, 1].max() < 3.7


def test_line_collection():
    fig, ax = axes()
    threads = ax.add_collection(LineCollection([]))

    def segments(t):
        return [np.array([[0, 0], [t, 1.0 * i]]) for i in range(1 + int(3 * t))]

    def draw(t):
        threads.set_segments(segments(t))
        threads.set_linewidths([1, 2])
        threads.set_color([COLORS["model"], COLORS["data"]])
        return threads

    w = make(fig, draw)
    for k, t in enumerate(T):
        pieces, looks = shown(w, k)
        alike(pieces, [data_points(threads, *s.T) for s in segments(t)])
        for i, (css, _) in enumerate(looks):
            assert f"stroke-width:{1 + i % 2}" in css and f"--nn-{['model', 'data'][i % 2]}" in css


@pytest.mark.parametrize("origin", ["upper", "lower"])
@pytest.mark.parametrize("turned", [False, True])
def test_image(origin, turned):
    fig, ax = plt.subplots()
    z = np.linspace(-0.2, 1.2, 12).reshape(3, 4)
    z[0, 1] = np.nan
    cmap = mpl.colormaps["cividis"].with_extremes(under="#ff0000", over="#00ff00")
    im = ax.imshow(z, origin=origin, cmap=cmap, vmin=0, vmax=1)
    if turned:
        ax.invert_xaxis()

    def draw(t):
        im.set_data(z * (1 - t / 2))
        return im

    w = make(fig, draw)
    spec = w.spec["movers"][0]["layers"][0]
    palette = spec["looks"][0][1]
    for k, t in enumerate(T):
        levels = numbers(w, spec["levelsAt"])[k].reshape(spec["size"])
        got = np.array([[palette[8 * v : 8 * v + 8] for v in row] for row in levels])
        want = cmap(im.norm(np.ma.masked_invalid(z * (1 - t / 2))))
        want = np.array([[mpl.colors.to_hex(c, keep_alpha=True)[1:] for c in row] for row in want])
        want = want[::-1] if origin == "lower" else want
        assert (got == (want[:, ::-1] if turned else want)).all()
    (corners,), _ = shown(w, 0)
    alike([corners], [np.array([[0.0, 1.0], [1.0, 0.0]])])


def test_text_and_annotation():
    fig, ax = axes()
    label = ax.text(0, 0, "", ha="right", va="top", color=COLORS["model"])
    note = ax.annotate("tip", (0, 0), xytext=(0.5, 0.9), arrowprops={"arrowstyle": "->"})

    def draw(t):
        label.set(x=t, y=t / 2, text=f"{t:g}\nbelow" if t else "")
        note.xy = (1.5 * t, 0.1)
        return label, note

    w = make(fig, draw)
    for k, t in enumerate(T):
        pieces, ((css, said),) = shown(w, k)
        alike(pieces, [data_points(label, [t], [t / 2])])
        assert said == (f"{t:g}\nbelow" if t else "") and "text-anchor:end" in css and "--lift:0.8" in css
        tips, _ = shown(w, k, 1, 0)
        if t > 0.7:  # it points out of the axes: Matplotlib hides it
            assert not tips and not shown(w, k, 1, 1)[0]
        else:
            end = trimmed(tips[0])[-1] * ax.bbox.size
            assert np.hypot(*(end - [1.5 * t, 0.1] * ax.bbox.size)) < 6  # it stops 2 points before the tip
            assert shown(w, k, 1, 1)[1][0][1] == "tip"


def test_titles_and_texts_of_the_figure_move():
    fig, ax = axes()
    title, corner = ax.set_title("start"), fig.text(0.02, 0.9, "")

    def draw(t):
        title.set_text(f"title {t}")
        corner.set_position((t, 0.9))
        corner.set_text("c")
        return title, corner

    w = make(fig, draw)
    alike(shown(w, 2, 1)[0], [np.array([[0.5, 0.9]])])
    assert shown(w, 2)[1][0][1] == "title 0.5"


def test_empty_hidden_and_late_artists():
    fig, ax = axes()
    (line,) = ax.plot([], [], linestyle="none", marker="none")
    dots, area = ax.scatter([], []), ax.add_collection(LineCollection([]))

    def draw(t):
        line.set_data([t], [t])
        line.set_linestyle("-" if t > 0.5 else "none")
        dots.set_offsets(np.empty((0, 2)))
        dots.set_visible(t < 0.5)
        return line, dots, area

    w = make(fig, draw)
    assert [len(shown(w, k)[0]) for k in range(5)] == [0, 0, 0, 1, 1]
    assert shown(w, 0, 1)[0] == shown(w, 0, 2)[0] == []


def test_hidden_everywhere_is_shown_nowhere():
    fig, ax = axes()
    (line,) = ax.plot([0, 1], [0, 1])

    def draw(t):
        line.set_visible(t > 0.5)
        return line

    w = make(fig, draw)
    assert [len(shown(w, k)[0]) for k in range(5)] == [0, 0, 0, 1, 1]


def test_axes_of_every_make():
    """By hand, inset, twin, with a color bar, without a layout: all stand where the page says."""
    fig = plt.figure(layout=None)
    ax, hand = fig.add_subplot(1, 2, 1), fig.add_axes((0.6, 0.2, 0.3, 0.3))
    twin, inset = ax.twinx(), hand.inset_axes((0.5, 0.5, 0.4, 0.4))
    for each in (ax, hand, twin, inset):
        each.set(xlim=(0, 1), ylim=(0, 1))
    lines = [each.plot([], [])[0] for each in (ax, twin, hand, inset)]

    def draw(t):
        for line in lines:
            line.set_data([0, 1], [0, t])
        return lines

    w = make(fig, draw)
    assert [m["box"] for m in w.spec["movers"]] == [0, 1, 2, 3]
    wide, narrow = w.spec["boxes"]["wide"], w.spec["boxes"]["narrow"]
    width, height = fig.get_size_inches() * 72
    assert wide[2] == pytest.approx([0.6 * width, 0.5 * height, 0.3 * width, 0.3 * height], abs=0.01)
    assert narrow[0] == pytest.approx(narrow[1], abs=0.01)  # twins stay together
    assert all(x >= 0 and x + w <= 3.6 * 72 + 0.1 for x, _, w, _ in narrow)


def test_the_box_is_where_the_svg_draws_the_axes():
    fig, ax = axes(xlabel="$x$", ylabel="a label", title="a title", xticks=[0, 1], yticks=[0, 1])
    (line,) = ax.plot([], [])
    w = make(fig, lambda t: line)
    for mode in ("wide", "narrow"):
        x, y, width, height = w.spec["boxes"][mode][0]
        patch = re.search(r'id="patch_2">\s*<path d="([^"]*)"', getattr(w, mode))[1]
        corners = np.array(re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", patch), float)
        assert np.allclose(corners.min(axis=0), [x, y], atol=0.02)
        assert np.allclose(corners.max(axis=0), [x + width, y + height], atol=0.02)


def test_the_figure_is_given_back_as_it_was():
    fig, (left, right) = plt.subplots(1, 2)
    for ax in (left, right):
        ax.set(xlim=(0, 1), ylim=(0, 1))
    (line,) = left.plot([], [])
    first = make(fig, lambda t: line)
    assert fig.get_size_inches().tolist() == [7.2, 3.4] and right.get_subplotspec().colspan.start == 1
    second = make(fig, lambda t: line)  # a cell that runs again
    assert (first.wide, first.narrow, first.digest) == (second.wide, second.narrow, second.digest)


# --- Errors: each call, its class and its whole message ---


def still(name="sample", alt="alt", caption="caption", draw=None, t=None):
    fig, ax = axes()
    (line,) = ax.plot([0, 1], [0, 1])
    controls = {} if t is None else {"t": t}
    return explore(fig, draw or (lambda **k: line), name=name, alt=alt, caption=caption, **controls)


def moving(change):
    """A figure whose draw calls `change(t, fig, ax)` and returns its answer."""
    fig, ax = axes()
    return explore(fig, lambda t: change(t, fig, ax), name="sample", **TEXTS, t=stops([0, 1]))


def other(t, fig, ax):
    return ax.plot([0], [0]) if t else moving.first


def returning(build):
    def call():
        fig, ax = axes()
        artist = build(fig, ax)
        return explore(fig, lambda: artist, name="sample", **TEXTS)

    return call


def changing_limits():
    fig, ax = axes()
    (line,) = ax.plot([], [])

    def draw(t):
        ax.set_xlim(0, 1 + t)
        return line

    return explore(fig, draw, name="sample", **TEXTS, t=stops([0, 1]))


def new_artists():
    fig, ax = axes()
    return explore(fig, lambda t: ax.plot([], []), name="sample", **TEXTS, t=stops([0, 1]))


def growing_image():
    fig, ax = plt.subplots()
    im = ax.imshow(np.zeros((2, 2)))

    def draw(t):
        im.set_data(np.zeros((2 + t, 2)))
        return im

    return explore(fig, draw, name="sample", **TEXTS, t=stops([0, 1]))


def limits_on_a_phone():
    fig, ax = plt.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.set_aspect("equal", adjustable="datalim")
    (line,) = ax.plot([], [])
    return explore(fig, lambda: line, name="sample", **TEXTS)


def too_heavy():
    fig, ax = axes()
    (line,) = ax.plot([], [])
    noise = np.random.default_rng(0).uniform(size=(100, 2, 1000))

    def draw(t):
        line.set_data(*noise[t])
        return line

    return explore(fig, draw, name="sample", **TEXTS, t=stops(range(100)))


def polar(fig, ax):
    fig.clear()
    return fig.add_subplot(projection="polar").plot([0], [0])[0]


KNOWN = "Line2D, scatter, bars and other patches, fill_between, LineCollection, imshow, Text, annotate"
MISFIT = "explore: draw and its controls ['t'] do not fit: got an unexpected keyword argument 't'"
NO_ARROW = "use arrowstyle '-', '->' or '-|>'"
ERRORS = [
    (lambda: slider(1, 0, 5), ValueError, "slider: got the range 1 to 0; low must be a number below high"),
    (
        lambda: slider(0, np.nan, 5),
        ValueError,
        "slider: got the range 0 to nan; low must be a number below high",
    ),
    (lambda: slider(0, 1, 1), ValueError, "slider: count is 1; it must be at least 2"),
    (lambda: log_slider(0, 1, 5), ValueError, "log_slider: low is 0; a logarithmic range needs low > 0"),
    (lambda: stops([1]), ValueError, "stops: values must be at least two increasing numbers, got [1]"),
    (lambda: stops([2, 1]), ValueError, "stops: values must be at least two increasing numbers, got [2, 1]"),
    (
        lambda: slider(0, 1, 9, fmt=".0f"),
        ValueError,
        "stops: fmt='.0f' writes two values alike; give it more digits",
    ),
    (lambda: choice(["a"]), ValueError, "choice: needs at least two options, got ['a']"),
    (
        lambda: choice(["a", "b"], start="c"),
        ValueError,
        "choice: start is 'c'; it must be one of ['a', 'b']",
    ),
    (lambda: still(alt=""), ValueError, "explore: alt is ''; every figure needs a alt"),
    (lambda: still(caption=None), ValueError, "explore: caption is None; every figure needs a caption"),
    (
        lambda: still(name="My figure"),
        ValueError,
        "explore: name is 'My figure'; use small letters, digits and hyphens, as in a link",
    ),
    (
        lambda: still(t=3),
        TypeError,
        "explore: t is a int; make it with slider, log_slider, stops or choice",
    ),
    (lambda: still(draw=lambda: None, t=stops([0, 1])), TypeError, MISFIT),
    (
        lambda: still(draw=lambda: None),
        TypeError,
        "explore: draw returned nothing; it must return the artists that it changed",
    ),
    (
        lambda: still(draw=lambda: [3]),
        TypeError,
        "explore: draw returned a int; return artists, and one str at most",
    ),
    (
        lambda: still(draw=lambda: ("a", "b")),
        TypeError,
        "explore: draw returned two strings; return artists, and one str at most",
    ),
    (
        returning(lambda fig, ax: ax.pcolormesh([[0, 1]])),
        TypeError,
        f"explore: draw returned a QuadMesh; what can move is: {KNOWN}",
    ),
    (
        returning(lambda fig, ax: ax.quiver([0], [0], [1], [1])),
        TypeError,
        f"explore: draw returned a Quiver; what can move is: {KNOWN}",
    ),
    (
        returning(lambda fig, ax: ax.add_patch(mpl.patches.FancyArrowPatch((0, 0), (1, 1)))),
        TypeError,
        f"explore: draw returned a FancyArrowPatch; what can move is: {KNOWN}",
    ),
    (
        returning(lambda fig, ax: ax.hexbin([0, 1], [0, 1])),
        TypeError,
        "explore: draw returned a PolyCollection with offsets; set its vertices instead",
    ),
    (
        returning(lambda fig, ax: ax.imshow(np.zeros((2, 2, 3)))),
        TypeError,
        "explore: draw returned a AxesImage with an array of shape (2, 2, 3); "
        "an image that moves is (rows, columns), colored by a colormap",
    ),
    (
        returning(lambda fig, ax: ax.plot([0], [0], markevery=2)[0]),
        TypeError,
        "explore: draw returned a Line2D with markevery; draw the marked points as a line of their own",
    ),
    (
        returning(lambda fig, ax: ax.bar([0], [1], hatch="/")[0]),
        TypeError,
        "explore: draw returned a Rectangle with a hatch; tell it apart by its color",
    ),
    (
        returning(lambda fig, ax: ax.text(0, 0, "$x$")),
        TypeError,
        "explore: draw returned a Text with $math$ in '$x$'; write it with Unicode letters",
    ),
    (
        returning(lambda fig, ax: ax.text(0, 0, "x", rotation=90)),
        TypeError,
        "explore: draw returned a Text with a rotation; only plain, level text can move",
    ),
    (
        returning(lambda fig, ax: ax.annotate("x", (0, 0), (1, 1), arrowprops={"arrowstyle": "fancy"})),
        TypeError,
        f"explore: draw returned a Annotation with an arrow of the style Fancy; {NO_ARROW}",
    ),
    (
        returning(polar),
        TypeError,
        "explore: draw returned a Line2D with polar axes; only plain axes can hold what moves",
    ),
    (
        returning(lambda fig, ax: ax.xaxis.label),
        TypeError,
        "explore: draw returned a Text with neither axes nor a place in the figure; "
        "use ax.text, ax.set_title or fig.text",
    ),
    (
        lambda: still(draw=lambda: mpl.lines.Line2D([0], [0])),
        TypeError,
        "explore: draw returned a Line2D with neither axes nor a place in the figure; "
        "use ax.text, ax.set_title or fig.text",
    ),
    (
        returning(lambda fig, ax: [ax.plot([0], [0])[0]] * 2),
        ValueError,
        "explore: draw returned the same artist twice; return each once",
    ),
    (
        new_artists,
        ValueError,
        "explore: draw returned other artists than at first; hide them with set_visible(False)",
    ),
    (
        changing_limits,
        ValueError,
        "explore: draw changed the limits of an axes; fix them before explore",
    ),
    (growing_image, ValueError, "explore: an image of (2, 2) became (3, 2); keep its shape"),
    (
        limits_on_a_phone,
        ValueError,
        "explore: an axes takes other limits on a phone; use set_aspect(..., adjustable='box')",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS, ids=[m[:60] for _, _, m in ERRORS])
def test_errors(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert caught.type is kind and str(caught.value) == message


def test_an_artist_that_left_the_figure():
    fig, ax = axes()
    (line,) = ax.plot([0, 1], [0, 1])
    hidden = fig.add_subplot(frameon=False)
    hidden.set_visible(False)
    (lost,) = hidden.plot([0], [0])
    with pytest.raises(ValueError, match="draw returned a Line2D that does not stand in the figure"):
        explore(fig, lambda: [line, lost], name="sample", **TEXTS)


def test_an_error_in_draw_says_where():
    fig, ax = axes()
    (line,) = ax.plot([], [])

    def draw(lr, start):
        if lr == 2 and start == "b":
            raise ZeroDivisionError("no")
        return line

    with pytest.raises(ZeroDivisionError) as caught:
        explore(fig, draw, name="sample", **TEXTS, lr=stops([1, 2]), start=choice(["a", "b"]))
    assert caught.value.__notes__ == ["explore: this happened at {'lr': 2, 'start': 'b'}"]


def test_a_heavy_figure_is_refused():
    with pytest.raises(
        ValueError, match=r"^explore: figure 'sample' weighs \d{3},\d{3} bytes; a page allows 300,000\. "
    ):
        too_heavy()


# --- Controls ---


def test_controls():
    c = slider(0, 1, 5, start=0.6, unit="px", fmt=".2f")
    assert c.values == (0, 0.25, 0.5, 0.75, 1) and c.start == 2
    assert c.labels == ("0.00 px", "0.25 px", "0.50 px", "0.75 px", "1.00 px")
    assert slider(-1, 1, 3).labels == ("−1", "0", "1")
    assert log_slider(1e-5, 1e-3, 3).values == (1e-5, 1e-4, 1e-3)
    assert slider(0, 1, 3).values[0].__class__ is float and stops(np.arange(3)).values[1].__class__ is int
    assert choice({"one": 1, "two": 2}, start="two").start == 1


# --- The widget ---


def sample(factor=1.0, says="t is {} in mode {}", low="low"):
    fig, ax = axes()
    (line,) = ax.plot([], [], "o-")
    note = ax.annotate("off", (0.5, 0.5), xytext=(10, 10), textcoords="offset points", fontsize=9)

    def draw(t, mode):
        line.set_data([0, 1], [t * factor, mode])
        return line, note, says.format(t, mode)

    return make(fig, draw, t=stops(T, start=0.5), mode=choice({low: 0.2, "high": 0.8}))


def test_positions_are_traits():
    w, seen = sample(), []
    assert (w.index, w.value) == ({"t": 2, "mode": 0}, {"t": 0.5, "mode": 0.2})
    w.observe(lambda change: seen.append(change["new"]), "value")
    w.index = {"mode": 1}  # what is not named stays
    assert (w.index, w.value) == ({"t": 2, "mode": 1}, {"t": 0.5, "mode": 0.8}) and seen == [w.value]
    for wrong, message in [
        ({"x": 0}, "index: no control 'x'; there are ['t', 'mode']"),
        ({"t": 5}, "index: t is 5; it must be from 0 to 4"),
        ({"t": 1.5}, "index: t is 1.5; it must be from 0 to 4"),
    ]:
        with pytest.raises(traitlets.TraitError) as caught:
            w.index = wrong
        assert str(caught.value) == message


def test_the_mime_bundle_serves_viewers_with_and_without_scripts():
    w = sample()
    answer = w._repr_mimebundle_()
    data = answer[0] if isinstance(answer, tuple) else answer
    assert data["text/plain"] == repr(w)
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == w.model_id == "explore-sample"
    png = base64.b64decode(data["image/png"])
    assert png.startswith(b"\x89PNG\r\n") and png.endswith(b"IEND\xaeB`\x82")
    assert w.layout.model_id == "explore-sample-layout"


def test_repr_and_digest():
    w = sample()
    assert re.fullmatch(
        r"<explore sample: t 0\.5 of 5, mode low of 2; digest [0-9a-f]{12}>\nt is 0\.5 in mode 0\.2", repr(w)
    )
    assert sample().digest == w.digest
    for other in (sample(factor=1.001), sample(says="now {} in {}"), sample(low="Low")):
        assert other.digest != w.digest
    with mpl.rc_context({"font.size": 14, "axes.labelpad": 30, "figure.figsize": (5, 5)}):
        assert sample().digest == w.digest, "the digest must not hang on fonts or layout"


def test_a_cell_that_runs_again_closes_the_figure_before():
    first = sample()
    second = sample()
    assert first.comm is None and first.layout.comm is None
    assert second.comm is not None and second.layout.comm is not None


def test_two_processes_agree():
    code = (
        "import sys; sys.path.insert(0, 'tests/unit'); import matplotlib; matplotlib.use('agg');"
        "import test_explore as t; t.use_style(); w = t.sample(); import hashlib;"
        "print(repr(w), hashlib.sha256((w.wide + w.narrow + repr(w.spec)).encode() + w.data).hexdigest())"
    )
    root = Path(__file__).resolve().parents[2]
    env = os.environ | {"PYTHONPATH": str(root)}
    said = [
        subprocess.run(
            [sys.executable, "-c", code], env=env | {"PYTHONHASHSEED": seed}, cwd=root, capture_output=True,
            text=True, check=True,
        ).stdout
        for seed in "12"
    ]  # fmt: skip
    assert said[0] == said[1] and "digest" in said[0]


def test_texts_are_data_not_markup():
    fig, ax = axes(title="a < b & \"c\" 'd' </script>")
    (line,) = ax.plot([], [])
    said = "<b>\"x\" & 'y'</b>"
    w = explore(fig, lambda: (line, said), name="sample", alt=said, caption=said)
    assert "</script" not in w.wide and "&lt;/script&gt;" in w.wide
    assert (w.spec["alt"], w.spec["caption"], w.spec["says"]) == (said, said, [said])


def test_the_svg_leaves_colors_fonts_and_size_to_the_page():
    fig, ax = axes(xlabel="$x^2$", title="t")
    ax.plot([0, 1], [0, 1], color="k")
    (line,) = ax.plot([], [])
    w = explore(fig, lambda: line, name="sample", **TEXTS)
    for svg in (w.wide, w.narrow):
        assert re.match(r"<svg [^>]*viewBox=", svg) and not re.match(r"<svg [^>]*\s(width|height)=", svg)
        assert "DejaVu" not in svg and "<style" not in svg and "<metadata" not in svg
        assert svg.count('id="move0"') == 1
        for name, color in COLORS.items():
            assert svg.count(color) == svg.count(f"var(--nn-{name},{color})")
        assert svg.count("#000000") == svg.count("var(--nn-ink,#000000)") > 0


def test_long_work_shows_a_bar_and_short_work_none(capsys, monkeypatch):
    sample()
    assert capsys.readouterr().err == ""
    bars = []
    monkeypatch.setattr(module, "tqdm", lambda items, *a, **k: (bars.append(k), items)[1])
    sample()
    assert bars[0]["delay"] == 2


# --- The palette ---


def palettes():
    css = (Path(module.__file__).parent / "widget.css").read_text(encoding="utf8")
    blocks = re.findall(r"\{([^{}]*--nn-paper:[^{}]*)\}", css)
    return [dict(re.findall(r"--nn-(\w+):\s*(#[0-9a-f]{6})", block)) for block in blocks]


def test_the_stylesheet_has_the_colors_of_plot():
    light, dark = palettes()
    assert light == COLORS and dark.keys() == COLORS.keys()


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", sorted(COLORS.keys() - {"paper", "grid"}))
def test_contrast(theme, name):
    def luminance(color):
        rgb = np.array(mpl.colors.to_rgb(color))
        return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [
            0.2126,
            0.7152,
            0.0722,
        ]

    palette = palettes()[theme]
    low, high = sorted(luminance(palette[key]) + 0.05 for key in (name, "paper"))
    assert high / low >= 4.5, f"{name} on paper: {high / low:.2f}"
