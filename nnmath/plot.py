"""One look for every figure, and the drawings that several chapters share.

A function here takes an Axes and returns the artists it made. It knows nothing of widgets.
"""

import matplotlib.pyplot as plt
import numpy as np

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


def digit_sheet(ax, images, columns):
    """Draw images (n, 8, 8) with values in [0, 1] side by side in one picture, `columns` to a row.

    Returns the one image artist. One picture for all digits keeps a figure small and quick.
    """
    images = np.asarray(images)
    n, height, width = images.shape
    rows = -(-n // columns)
    sheet = np.zeros((rows * (height + 1) + 1, columns * (width + 1) + 1))
    for k, image in enumerate(images):
        top, left = 1 + (k // columns) * (height + 1), 1 + (k % columns) * (width + 1)
        sheet[top : top + height, left : left + width] = image
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return ax.imshow(sheet, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
