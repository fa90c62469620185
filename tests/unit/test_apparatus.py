"""What the book says of itself: its map, its reading times, its descriptions and its colophon's counts."""

from itertools import pairwise

import pytest
from docutils import nodes
from nnbook import colophon, descriptions, facts
from nnbook import map as chapter_map

from benchmarks.table import row as measured

NEEDS = {1: [], 2: [1], 3: [2], 4: [1, 3], 5: [], 6: [2, 4], 7: [3, 5, 6], 8: [5], 9: [7, 8], 10: [1, 7, 8]}
NEEDS |= {11: [7], 12: [11], 13: [7, 11], 14: [8], 15: [10], 16: [10], 17: [10], 18: [10], 19: [10, 13]}


def test_a_line_that_follows_from_others_is_not_drawn():
    assert chapter_map.lines_of({1: [], 2: [1], 3: [1, 2]}) == [(1, 2), (2, 3)]
    assert chapter_map.lines_of({1: [], 2: [], 3: [1, 2]}) == [(1, 3), (2, 3)]


def test_a_need_that_points_forward_is_not_drawn():
    assert chapter_map.lines_of({1: [2], 2: [1]}) == [(1, 2)]
    assert chapter_map.all_needs({1: [3], 2: [1], 3: [2]}) == {1: set(), 2: {1}, 3: {1, 2}}


def test_each_chapter_stands_below_what_it_needs():
    made = chapter_map.layout(NEEDS)
    row_of = {node: r for r, row in enumerate(made.rows) for node in row}
    assert {node for node in row_of if isinstance(node, int)} == set(NEEDS)
    assert all(row_of[need] < row_of[chapter] for need, chapter in chapter_map.lines_of(NEEDS))
    assert all(row_of[b] == row_of[a] + 1 for path in made.paths.values() for a, b in pairwise(path))
    assert {(path[0], path[-1]) for path in made.paths.values()} == set(chapter_map.lines_of(NEEDS))


def test_boxes_and_lanes_stand_apart_within_the_column():
    made = chapter_map.layout(NEEDS)
    for row in made.rows:
        edges = [
            (
                made.places[node] - chapter_map._width(node) / 2,
                made.places[node] + chapter_map._width(node) / 2,
            )
            for node in row
        ]
        assert edges[0][0] >= -0.01 and edges[-1][1] <= chapter_map.WIDTH + 0.01
        assert all(left[1] + 4 <= right[0] for left, right in pairwise(edges)), row


def test_lines_cross_no_more_than_they_must():
    assert chapter_map.crossings([[1, 2], [3, 4]], [(1, 4), (2, 3)]) == 1
    assert chapter_map.crossings([[1, 2], [3, 4]], [(1, 3), (2, 4)]) == 0
    assert chapter_map.crossings([[1, 2], [3]], [(1, 3), (2, 3)]) == 0
    made = chapter_map.Layout([[1, 2, 3], [4, 5, 6]], [(1, 6), (2, 5), (3, 4)])
    chapter_map.order(made)
    assert chapter_map.crossings(made.rows, made.edges) == 0


def test_chapters_almost_below_each_other_stand_exactly_so():
    made = chapter_map.Layout([[1], [2], [3], [(1, 3)]], places={1: 100, 2: 103.5, 3: 140, (1, 3): 101.2})
    chapter_map.align(made)
    assert made.places == pytest.approx({1: 101.75, 2: 101.75, 3: 140, (1, 3): 101.2})


def test_a_row_is_as_near_as_it_can_be_to_what_it_wishes():
    assert chapter_map._spread([1], {1: 300}) == {1: pytest.approx(300)}
    both = chapter_map._spread([1, 2], {1: 300, 2: 300})
    assert (both[1] + both[2]) / 2 == pytest.approx(300)
    assert both[2] - both[1] == pytest.approx(chapter_map.BOX[0] + chapter_map.GAP)
    assert chapter_map._spread([1], {1: -50})[1] == pytest.approx(chapter_map.BOX[0] / 2)


def test_the_map_is_drawn_the_same_each_time():
    assert chapter_map.layout(NEEDS) == chapter_map.layout(NEEDS)


def test_the_first_sentence_ends_where_it_ends():
    assert facts.first_sentence("One point,\ne.g. Here. Another.") == "One point, e.g. Here."
    assert facts.first_sentence("How many? Some.") == "How many?"
    assert facts.first_sentence("Only one") == "Only one"
    assert facts.first_sentence("A rate of 0.5 works. Not 1.") == "A rate of 0.5 works."


def test_durations_in_words():
    said = [facts.duration(minutes) for minutes in (5, 115, 120, 150, 171, 420)]
    assert said == ["5 minutes", "115 minutes", "2 hours", "2½ hours", "3 hours", "7 hours"]


def page(*content):
    document = nodes.document(None, None)
    document += nodes.section("", nodes.title("", "Title"), *content)
    return document


def test_a_description_is_the_beginning_without_mathematics():
    formula = nodes.math("", "x^2")
    first = nodes.paragraph(
        "", "", nodes.Text("It begins. It goes on with "), formula, nodes.Text(". It ends.")
    )
    assert descriptions.description(page(first, nodes.paragraph("", "Later."))) == "It begins."
    assert descriptions.description(page(nodes.paragraph("", "A " * 30 + "b. " + "C " * 200))) == (
        "A " * 30 + "b."
    )
    assert descriptions.description(page()) == ""
    assert descriptions.description(page(nodes.note("", nodes.paragraph("", "A box.")))) == ""


def test_test_functions_are_counted_by_reading(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "test_a.py").write_text(
        "def test_one(): ...\ndef help(): ...\nclass C:\n    def test_two(self): ...\n"
    )
    (tmp_path / "book" / "test_b.py").write_text("async def test_three(): ...\n")
    (tmp_path / "conftest.py").write_text("def test_data(): ...\n")
    assert colophon.tests_in(tmp_path) == 3
    assert colophon.tests_in(tmp_path, besides="book") == 2
    assert colophon.tests_in(tmp_path / "book") == 1


def test_a_claim_is_shown_as_it_was_measured():
    made = measured("w", "p", 10, "x", value=5.7998, ours=1.4372e-5)
    assert colophon.speed(made) == ["w", "p", "14.4\u00a0µs", "–", "5.8×", "≥\u00a010×", "no"]
    made = measured("w", target=0.85, unit="of its time", value=0.7238, theirs=0.0046)
    assert colophon.speed(made) == ["w", "–", "–", "4.6\u00a0ms", "0.724", "≤\u00a00.85", "yes"]
    assert colophon.speed(measured("w", "torch"))[4:] == ["–", "–", "not installed"]
    made = measured("w", unit="frames/s", target=60, value=47.0)
    assert colophon.speed(made)[5:] == ["≥\u00a060\u00a0frames/s", "no"]


def test_numbers_stand_at_the_right_of_a_table():
    made = colophon.table(["name", "count", "said"], [["a", 1234, "x"], ["b", 5, "y"]], "kind")
    cells = [list(row.findall(nodes.entry)) for row in made.findall(nodes.row)]
    assert ["number" in entry["classes"] for entry in cells[1]] == [False, True, False]
    assert cells[1][1].astext() == "1\u202f234"
    assert [spec.get("stub") for spec in made.findall(nodes.colspec)] == [1, None, None]
