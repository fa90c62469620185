"""Figures and a quiz that the book may not happen to have: every kind of artist, every kind of control."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection

from nnmath.explore import choice, explore, log_slider, slider
from nnmath.plot import COLORS, use_style
from nnmath.quiz import Choice, Number, quiz

LINKS = '<p><a href="#lines:t=0.8,mode=a%20%26%20b">far right</a> <a href="#areas:lr=0.05">small rate</a></p>'


def lines():
    """Lines of all sorts, an oscillation that runs away, an arrow, texts, a title."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.8))
    for ax in (left, right):
        ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="$x$", ylabel="y")
    x, k = np.linspace(0, 1, 41), np.arange(12)
    (curve,) = left.plot([], [], "o--", color=COLORS["model"], markersize=4)
    (steps,) = left.plot([], [], drawstyle="steps-mid", color=COLORS["gradient"])
    (wild,) = left.plot([], [], color=COLORS["truth"], linewidth=1)
    threads = right.add_collection(LineCollection([], colors=COLORS["muted"]))
    note = right.annotate("here", (0.5, 0.5), xytext=(0.1, 0.85), arrowprops={"arrowstyle": "->"})
    says, title = right.text(0.95, 0.95, "", ha="right", va="top"), right.set_title("title")

    def draw(t, mode):
        y = 0.5 + 0.4 * np.sin(6 * x + 6 * t)
        y[10:14] = np.nan if mode == "a & b" else y[10:14]
        curve.set_data(x[::2], y[::2])
        curve.set_color(COLORS["model"] if t < 0.7 else COLORS["other"])
        steps.set_data(x[::5], 0.3 * np.abs(np.sin(5 * x[::5] + t)))
        wild.set_data(k / 11, 0.5 + 0.01 * (-1 - 3 * t) ** k)
        threads.set_segments(
            [[(0.1 * i, 0.3), (0.1 * i + 0.1, 0.3 + 0.3 * t)] for i in range(1 + int(8 * t))]
        )
        threads.set_linewidths([0.5, 1, 2, 3])
        note.xy = (0.2 + 0.6 * t, 0.5)
        note.set_visible(t < 0.9)
        says.set_text(f"t = {t:.2f}\nmode <{mode}>")
        title.set_text(f"title {t:.2f}")
        return [curve, steps, wild], threads, note, says, title, f"t is {t:.2f} and the mode is {mode}."

    controls = {"t": slider(0, 1, 21, start=0.35, unit="s", play=True), "mode": choice(["plain", "a & b"])}
    return fig, draw, controls


def areas():
    """Areas, bars, a disc, dots with sizes and colors of their own, an image with a hole."""
    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(7.2, 2.6))
    for ax in (left, middle):
        ax.set(xlim=(0, 1), ylim=(0, 1))
    x = np.linspace(0, 1, 40)
    fill = left.fill_between(x, 0 * x, 0 * x, color=COLORS["data"], alpha=0.3, linewidth=0)
    bars = left.bar([0.1, 0.4, 0.7], [1, 1, 1], width=0.1, color=COLORS["other"])
    disc = middle.add_patch(plt.Circle((0.5, 0.2), 0.1, fc=COLORS["truth"], ec=COLORS["ink"], lw=2))
    dots = middle.scatter([], [], c=[], cmap="viridis", vmin=0, vmax=1, edgecolor=COLORS["paper"])
    image = right.imshow(np.zeros((6, 8)), origin="lower", vmin=-1, vmax=1)
    right.grid(False)

    def draw(lr, shape, hole):
        top = 0.5 + 0.4 * np.sin(9 * lr * x)
        whole = [np.column_stack([np.r_[x, x[::-1]], np.r_[top, 0 * x]])]
        fill.set_verts(whole if shape == "one" else [whole[0] * (0.4, 1), whole[0] * (0.4, 1) + (0.6, 0)])
        for i, bar in enumerate(bars):
            bar.set_height(0.2 + 0.2 * i * lr)
        disc.set_center((lr, 0.2))
        n = 2 + int(8 * lr)
        dots.set_offsets(np.column_stack([np.linspace(0.1, 0.9, n), 0.9 - 0.4 * lr * np.linspace(0, 1, n)]))
        dots.set_sizes(np.linspace(20, 120, n))
        dots.set_array(np.linspace(0, 1, n))
        z = np.sin(np.arange(48).reshape(6, 8) * lr / 3)
        z[:1, :2] = np.nan if hole == "yes" else 0.0
        image.set_data(z)
        return fill, *bars, disc, dots, image

    names = ["yes", "no", "1", "2", "3", "4"]  # more than five options make a select
    controls = {
        "lr": log_slider(0.05, 1, 15, start=0.3, title="learning rate"),
        "shape": choice(["one", "two"]),
        "hole": choice(names, title="Is there a hole?"),
    }
    return fig, draw, controls


def questions():
    return quiz(
        "sink",
        Choice("Is <b> & \"c\" 'd' right?", {"no <i>": "Not <i>.", "yes": "It is & so."}, right="yes"),
        Number("What is 1/4?", 0.25, tolerance=0.001, unit="m", feedback="A quarter.", hint="Halve a half."),
    )


def build():
    """Make all of them, with the functions of the modules, so that a test that watches those sees them."""
    use_style()
    widgets = []
    for make in (lines, areas):
        fig, draw, controls = make()
        texts = {"alt": f'The figure "{make.__name__}" <b> & so', "caption": "A <b>caption</b> & 'more'"}
        widgets.append(explore(fig, draw, name=make.__name__, **texts, **controls))
    return [*widgets, questions()]
