"""The quiz on the Python side: what the page gets, what a test sees of it, and what is refused."""

import re

import numpy as np
import pytest

from nnmath.quiz import Choice, Number, quiz

OPTIONS = {"yes": "Indeed.", "no": "Look again."}


def sample(answer=0.3, right="yes"):
    return quiz(
        "sample",
        Choice("Is it?", OPTIONS, right=right),
        Number("How much?", answer, tolerance=0.01, unit="s", feedback="Well.", hint="Less."),
    )


def test_what_the_page_gets():
    w = sample(np.float64(0.1) + 0.2)
    assert w.spec == {
        "name": "sample",
        "questions": [
            {"question": "Is it?", "options": [["yes", "Indeed."], ["no", "Look again."]], "right": 0},
            {
                "question": "How much?",
                "answer": 0.3,
                "tolerance": 0.01,
                "unit": "s",
                "feedback": "Well.",
                "hint": "Less.",
            },
        ],
    }
    assert (w.model_id, w.layout.model_id) == ("quiz-sample", "quiz-sample-layout")
    for number in (w.spec["questions"][1][key] for key in ("answer", "tolerance")):
        assert type(number) is float


def test_its_text_holds_the_answers():
    w = sample()
    said = repr(w)
    assert re.fullmatch(r"<quiz sample: questions 2; digest [0-9a-f]{12}>", said)
    answer = w._repr_mimebundle_()
    data = answer[0] if isinstance(answer, tuple) else answer
    assert data["text/plain"] == said
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == "quiz-sample"
    assert repr(sample()) == said
    assert repr(sample(answer=0.3 + 1e-13)) == said, "the last digits are the machine's"
    assert said not in (repr(sample(answer=0.31)), repr(sample(right="no")))


def test_a_cell_that_runs_again_closes_the_quiz_before():
    first, second = sample(), sample()
    assert first.comm is None and first.layout.comm is None and second.comm is not None


def ask(question):
    return lambda: quiz("sample", question)


def number(**changed):
    return ask(Number(**({"question": "How much?", "answer": 1.5, "tolerance": 0.1} | changed)))


TEXT = "it must be a str that says something"
WHOLE = "it must be above 0, or 0 for a whole number"
WANTED = "there must be one or more, each a Choice or a Number"
ERRORS = [
    (lambda: quiz("sample"), f"quiz: got the questions []; {WANTED}"),
    (lambda: quiz("sample", "Is it?"), f"quiz: got the questions ['str']; {WANTED}"),
    (
        lambda: quiz("My quiz", Choice("Is it?", OPTIONS, right="yes")),
        "quiz: got the name 'My quiz'; it must be small letters, digits and hyphens",
    ),
    (
        ask(Choice("Is it?", OPTIONS, right="maybe")),
        "quiz: got right='maybe'; it must be one of ['yes', 'no']",
    ),
    (
        ask(Choice("Is it?", {"yes": "Indeed."}, right="yes")),
        "quiz: got the options ['yes']; they must be two or more, all different",
    ),
    (
        ask(Choice("Is it?", {"yes": "Indeed.", "Yes ": "Hm."}, right="yes")),
        "quiz: got the options ['yes', 'Yes ']; they must be two or more, all different",
    ),
    (ask(Choice("", OPTIONS, right="yes")), f"quiz: got '' where a text stands; {TEXT}"),
    (
        ask(Choice("Is it?", {1: "a", 2: "b"}, right=1)),
        f"quiz: got 1 where a text stands; {TEXT}",
    ),
    (
        ask(Choice("Is it?", {"yes": "", "no": "b"}, right="yes")),
        f"quiz: got '' where a text stands; {TEXT}",
    ),
    (
        ask(Choice("Is $x$ it?", OPTIONS, right="yes")),
        "quiz: got 'Is $x$ it?'; it must hold no $: write mathematics in Unicode letters",
    ),
    (
        number(hint="Use $x$."),
        "quiz: got 'Use $x$.'; it must hold no $: write mathematics in Unicode letters",
    ),
    (number(answer=np.nan), "quiz: got the answer nan to 'How much?'; it must be finite"),
    (number(answer=np.inf), "quiz: got the answer inf to 'How much?'; it must be finite"),
    (number(tolerance=-1), f"quiz: got tolerance=-1 for the answer 1.5; {WHOLE}"),
    (number(tolerance=np.nan), f"quiz: got tolerance=nan for the answer 1.5; {WHOLE}"),
    (number(tolerance=0), f"quiz: got tolerance=0 for the answer 1.5; {WHOLE}"),
    (number(hint=""), f"quiz: got '' where a text stands; {TEXT}"),
]


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[m[:50] for _, m in ERRORS])
def test_errors(call, message):
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == message


def test_a_whole_number_needs_no_tolerance():
    assert number(answer=np.int64(42), tolerance=0)().spec["questions"][0]["answer"] == 42
