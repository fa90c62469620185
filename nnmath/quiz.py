"""A few questions under a chapter. Their answers are computed by the cell that asks, never typed.

The front end is quiz.js; the page host and the notebook run it as they run the live figures.
"""

import hashlib
import math
import pathlib
import re
from dataclasses import dataclass, field

import anywidget
import traitlets

from nnmath.explore import renew

HERE = pathlib.Path(__file__).parent


@dataclass(frozen=True)
class Choice:
    """A question with one right answer. options: answer -> what to say to a reader who chose it."""

    question: str
    options: dict
    right: str = field(kw_only=True)

    def told(self):
        """The question as the page gets it. Raises ValueError if it can't be answered."""
        answers = list(self.options)
        _check_texts(self.question, *answers, *self.options.values())
        if len({answer.strip().casefold() for answer in answers}) < max(2, len(answers)):
            raise ValueError(f"quiz: got the options {answers}; they must be two or more, all different")
        if self.right not in answers:
            raise ValueError(f"quiz: got right={self.right!r}; it must be one of {answers}")
        options = [list(option) for option in self.options.items()]
        return {"question": self.question, "options": options, "right": answers.index(self.right)}


@dataclass(frozen=True)
class Number:
    """A question whose answer is a number. tolerance: how far off is still right. hint: if it is not."""

    question: str
    answer: float
    tolerance: float = field(kw_only=True)
    unit: str = field(default="", kw_only=True)
    feedback: str = field(default="", kw_only=True)
    hint: str = field(default="Try again.", kw_only=True)

    def told(self):
        """The question as the page gets it. Raises ValueError if it can't be answered."""
        answer, tolerance = float(f"{self.answer:.9g}"), float(self.tolerance)  # not the CPU's last digits
        _check_texts(self.question, self.hint, f"{self.unit} {self.feedback}.")
        if not math.isfinite(answer):
            raise ValueError(f"quiz: got the answer {answer} to {self.question!r}; it must be finite")
        if not 0 <= tolerance < math.inf or (tolerance == 0 and answer != int(answer)):
            wanted = "it must be above 0, or 0 for a whole number"
            raise ValueError(f"quiz: got tolerance={tolerance:g} for the answer {answer:g}; {wanted}")
        return {"question": self.question, "answer": answer, "tolerance": tolerance, "unit": self.unit,
                "feedback": self.feedback, "hint": self.hint}  # fmt: skip


def _check_texts(*texts):
    for said in texts:
        if not isinstance(said, str) or not said.strip():
            raise ValueError(f"quiz: got {said!r} where a text stands; it must be a str that says something")
        if "$" in said:
            raise ValueError(f"quiz: got {said!r}; it must hold no $: write mathematics in Unicode letters")


class Quiz(anywidget.AnyWidget):
    """Questions with a Check button each. Its text holds a digest of them, and so a test their answers."""

    _esm = HERE / "quiz.js"
    _css = HERE / "widget.css"
    spec = traitlets.Dict().tag(sync=True)

    def __repr__(self):
        questions = self.spec["questions"]
        digest = hashlib.sha256(repr(questions).encode()).hexdigest()[:12]
        return f"<quiz {self.spec['name']}: questions {len(questions)}; digest {digest}>"


def quiz(name, *questions):
    """A quiz of `Choice` and `Number` questions, to be the last expression of its cell.

    name: small letters, digits and hyphens. Raises ValueError for a question that can't be answered.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"quiz: got the name {name!r}; it must be small letters, digits and hyphens")
    if not questions or not all(isinstance(q, (Choice, Number)) for q in questions):
        got = [type(q).__name__ for q in questions]
        raise ValueError(
            f"quiz: got the questions {got}; there must be one or more, each a Choice or a Number"
        )
    return renew(Quiz, f"quiz-{name}", spec={"name": name, "questions": [q.told() for q in questions]})
