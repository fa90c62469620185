"""The look of the figures, and the drawings that chapters share."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from nnmath import plot
from nnmath.errors import ShapeError

IMAGES = np.linspace(0, 1, 5 * 6).reshape(5, 2, 3)


def test_decision_field_shows_probabilities_from_the_lowest_row_up():
    ax = axes()
    field = plot.decision_field(ax, (-1, 2, 0, 4))
    assert field.get_extent() == [-1, 2, 0, 4] and field.origin == "lower"
    field.set_data([[0.0, 1.0], [0.49, 0.51]])
    blue, orange, pale_blue, pale_orange = field.to_rgba(field.get_array())[..., [0, 2]].reshape(4, 2)
    assert blue[0] < pale_blue[0] < pale_blue[1] and orange[1] < pale_orange[1] < pale_orange[0]


def axes():
    return plot.panels()[1]


@pytest.mark.parametrize(
    "call, error, said",
    [
        (lambda: plot.figure(0), ValueError, "figure: height is 0; it must be a positive number of inches"),
        (
            lambda: plot.figure(np.nan),
            ValueError,
            "figure: height is nan; it must be a positive number of inches",
        ),
        (lambda: plot.panels(0), ValueError, "panels: columns is 0; it must be a whole number of at least 1"),
        (
            lambda: plot.digit_sheet(axes(), IMAGES[0], 2),
            ShapeError,
            "digit_sheet: images has shape (2, 3); it must be (n, height, width)",
        ),
        (
            lambda: plot.digit_sheet(axes(), IMAGES[:0], 2),
            ShapeError,
            "digit_sheet: images has shape (0, 2, 3); it must be (n, height, width)",
        ),
        (
            lambda: plot.digit_sheet(axes(), IMAGES, 1.5),
            ValueError,
            "digit_sheet: columns is 1.5; it must be a whole number of at least 1",
        ),
    ],
)
def test_bad_input(call, error, said):
    with pytest.raises(error, match=f"^{re.escape(said)}$"):
        call()


def test_digit_sheet_shows_each_image_in_its_place():
    ax = axes()
    artist, spots = plot.digit_sheet(ax, IMAGES, columns=2, strip=4)
    sheet = artist.get_array()
    for image, (x, y) in zip(IMAGES, spots, strict=True):
        left, top = round(x - 1), round(y + 0.5 - 2) - 2  # back from the middle of the strip
        assert (sheet[top : top + 2, left : left + 3] == image).all()
        assert sheet.mask[top + 2 : top + 6, left : left + 3].all()
    assert sheet.count() == IMAGES.size  # nothing else is drawn
    assert not ax.get_xticks().size and not any(s.get_visible() for s in ax.spines.values())


def test_figures_are_not_shown_by_pyplot():
    before = plt.get_fignums()
    fig, (left, right) = plot.panels(2, height=3)
    assert plt.get_fignums() == before
    assert tuple(fig.get_size_inches()) == (7.2, 3.0) and fig.axes == [left, right]


def test_style_sets_the_colors_of_the_book():
    with plt.rc_context():
        plot.use_style()
        cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
        assert cycle == [plot.COLORS[k] for k in ("data", "model", "gradient", "truth", "other")]
        assert plt.rcParams["text.color"] == plot.COLORS["ink"]
