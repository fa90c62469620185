"""One look for every figure, and the drawings that several chapters share.

A function here takes an Axes and returns the artists it made. It knows nothing of widgets.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from .errors import ShapeError, check_count

# The hues of Okabe and Ito (2008), darkened until each can also be the color of a label on white
# (contrast >= 4.5). The same color means the same thing in the whole book. widget.css holds the
# counterpart for dark pages under the same names: --nn-ink, --nn-data, ...
COLORS = {
    "ink": "#24292f",
    "muted": "#5b636c",
    "grid": "#d5dae0",
    "paper": "#ffffff",
    "data": "#0072b2",
    "model": "#bf5200",
    "gradient": "#007a59",
    "truth": "#a0497a",
    "other": "#8a6100",
}
# From class 0 to class 1, so pale that points and lines of the colors above stand out on it.
PALE = ListedColormap(
    ["#c4dcef", "#d3e5f3", "#e2edf6", "#f1f5f9", "#fbf3ec", "#f8e6d7", "#f5d9c3", "#f1caac"]
)


def use_style():
    """Set Matplotlib to the look of the book: system sans, thin ink, direct labels, no frame on top."""
    ink, muted, grid = COLORS["ink"], COLORS["muted"], COLORS["grid"]
    plt.rcParams.update(
        {
            "figure.figsize": (7.2, 3.4),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "font.size": 9.5,
            "font.family": "DejaVu Sans",
            "mathtext.fontset": "dejavusans",
            "axes.prop_cycle": plt.cycler(
                color=[COLORS[k] for k in ("data", "model", "gradient", "truth", "other")]
            ),
            "axes.titlesize": 9.5,
            "axes.titlelocation": "left",
            "axes.labelsize": 9.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": muted,
            "axes.labelcolor": ink,
            "axes.titlecolor": ink,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": grid,
            "grid.linewidth": 0.6,
            "text.color": ink,
            "xtick.color": muted,
            "ytick.color": muted,
            "xtick.labelcolor": ink,
            "ytick.labelcolor": ink,
            "xtick.labelsize": 8.5,
            "ytick.labelsize": 8.5,
            "lines.linewidth": 1.8,
            "lines.markersize": 6,
            "legend.frameon": False,
            "image.cmap": "cividis",
            "svg.fonttype": "none",
        }
    )


def figure(height=3.4):
    """An empty figure of the book's width, `height` inches high. pyplot, and so a notebook, does not show it
    by itself: it can be drawn in one cell and made live in another.

    Raises ValueError for a height that is none.
    """
    if not 0 < height < np.inf:
        raise ValueError(f"figure: height is {height}; it must be a positive number of inches")
    fig = Figure(figsize=(7.2, height))
    FigureCanvasAgg(fig)
    return fig


def panels(columns=1, height=3.4, **subplots):
    """`figure(height)` with its axes, one or a row of them. subplots: what `Figure.subplots` takes.

    Raises ValueError for columns that are no count.
    """
    check_count("panels", "columns", columns)
    fig = figure(height)
    return fig, fig.subplots(1, columns, **subplots)


def digit_sheet(ax, images, columns, strip=0):
    """Draw images (n, 8, 8) with values in [0, 1] side by side in one picture, `columns` to a row.

    strip: height left free under each digit, in pixels of the digits, for a label. One picture for all keeps
    a figure small and quick. Returns the image artist and the middles of the strips, (n, 2), for the labels.
    Raises ShapeError for images of another shape, ValueError for columns that are no count.
    """
    images = np.asarray(images)
    if images.ndim != 3 or len(images) == 0:
        raise ShapeError(f"digit_sheet: images has shape {images.shape}; it must be (n, height, width)")
    check_count("digit_sheet", "columns", columns)
    n, height, width = images.shape
    row, col = np.divmod(np.arange(n), columns)
    top, left = row * (height + 1 + strip), col * (width + 1)
    shape = top[-1] + height + strip, columns * (width + 1) - 1
    sheet = np.ma.array(np.zeros(shape), mask=True)
    for image, y, x in zip(images, top, left, strict=True):
        sheet[y : y + height, x : x + width] = image
    bare(ax)
    artist = ax.imshow(sheet, cmap="gray_r", vmin=0, vmax=1, interpolation="none")
    return artist, np.column_stack([left + (width - 1) / 2, top + height - 0.5 + strip / 2])


def decision_field(ax, extent):
    """An empty picture of how sure a network is of class 1 over a plane: pale blue for 0, orange for 1.

    extent: (left, right, bottom, top). Returns the image artist: `set_data` gives it probabilities (height,
    width), the lowest row first. The border between the colors is where the network changes its answer.
    """
    how = {"interpolation": "bilinear", "interpolation_stage": "rgba"}  # between colors, as a browser does it
    empty = np.full((2, 2), 0.5)
    return bare(ax).imshow(empty, cmap=PALE, vmin=0, vmax=1, origin="lower", extent=extent, **how)


def bare(ax):
    """Take ticks, grid and frame from an Axes that shows a picture. Returns the Axes."""
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return ax
