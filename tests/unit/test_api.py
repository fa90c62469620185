"""How the page of nnmath reads docstrings: plain text in, lists, links and code out."""

import re

import docutils.core
import pytest
from nnbook.api import as_rst, fields, places
from nnbook.labels import ROOT, public_names, python_sources

import nnmath

NAMES = {"lr", "x", "W", "b", "steps"}
KNOWN = {"mse": "nnmath.losses.mse", "ShapeError": "nnmath.errors.ShapeError"}


def rst(text):
    said = " ".join(line.strip() for line in as_rst(text, NAMES, KNOWN) if line.strip())
    return re.sub(r"\\ ", "", said)


@pytest.mark.parametrize(
    "text, shown",
    [
        ("Layer, eq:dense: z = x W + b; rows.", "Layer, equation :eq:`eq:dense`: ``z = x W + b``; rows."),
        ("Loss, eq:a and eq:b-c.", "Loss, equations :eq:`eq:a` and :eq:`eq:b-c`."),
        ("From (n, d) to (n,), in [0, 1).", "From ``(n, d)`` to ``(n,)``, in ``[0, 1)``."),
        ("A stack (..., n, n_out) of R.", "A stack ``(..., n, n_out)`` of R."),
        ("As `mse`, not `other`.", "As :py:obj:`mse <nnmath.losses.mse>`, not ``other``."),
        ("theta -= lr g / (sqrt(v) + eps).", "``theta -= lr g / (sqrt(v) + eps)``."),
        ("da where a > 0, else a number.", "da where ``a > 0``, else a number."),
        ("Seconds (a few) of it.", "Seconds (a few) of it."),
        ("From its *input* z.", "From its *input* z."),
        ("Rows of dz_t and |a|.", r"Rows of dz\_t and \|a\|."),
        ("Some 8 settings in 3 steps.", "Some 8 settings in 3 steps."),
        ("In lr / steps.", "In ``lr / steps``."),
    ],
)
def test_words_stay_words_and_formulas_are_code(text, shown):
    assert rst(text) == shown


def test_a_paragraph_becomes_a_list():
    said = "Sums. x: (n, d), rows. W, b: weights. Returns z. Raises ShapeError. Source: Gauss (1809): a book."
    assert fields(said) == [
        (None, "Sums."),
        ("x", "(n, d), rows."),
        ("W, b", "weights."),
        ("Returns", "z."),
        ("Raises", "ShapeError."),
        ("Source", "Gauss (1809): a book."),
    ]
    lines = [line for line in as_rst("Sums.\n\nx: rows; all. Returns the sum.", NAMES, KNOWN) if line]
    assert lines[:2] == ["Sums.", ".. container:: fields"]
    assert lines[2:] == ["   ``x``", "      Rows; all.", "   Returns", "      The sum."]


def test_examples_stay_as_they_are():
    lines = as_rst("One.\n\n>>> f(*a)\n3\n\nSource: x_ (1999).", NAMES, KNOWN)
    assert lines[lines.index(">>> f(*a)") + 1] == "3"
    assert any("x\\_" in line for line in lines)


def docstrings():
    for module in python_sources(ROOT / "nnmath"):
        if module == "__init__":
            continue
        space = vars(__import__(f"nnmath.{module}", fromlist=["x"]))
        for name in public_names((ROOT / "nnmath" / f"{module}.py").read_text(encoding="utf8")):
            yield f"{module}.{name}", space[name].__doc__


@pytest.mark.parametrize("name, doc", list(docstrings()))
def test_docutils_reads_every_docstring_without_a_warning(name, doc):
    text = re.sub(
        r":(?:eq|py:obj|doc):`([^`<]*?)(?: <[^`]*)?`", r"``\1``", "\n".join(as_rst(doc or "", (), places()))
    )
    how = {"report_level": 1, "halt_level": 1, "input_encoding": "unicode"}
    docutils.core.publish_doctree(text, settings_overrides=how)


def test_the_page_has_every_module_in_the_order_of_imports():
    page = (ROOT / "book" / "api.md").read_text(encoding="utf8")
    shown = re.findall(r"^\.\. automodule:: nnmath\.(\w+)$", page, re.MULTILINE)
    from test_imports import ORDER

    assert shown == ORDER
    assert re.findall(r"^## `(\w+)`$", page, re.MULTILINE) == shown


def test_what_readers_call_first_has_an_example():
    first = """
        sigmoid softmax mse cross_entropy dense layer_norm MLP Params lstm attention gradcheck SGD Momentum
        Adam cosine best_rate fit xor search shard_mean quantize saliency shapley fgsm
    """.split()  # noqa: SIM905
    without = [name for name in first if ">>>" not in getattr(nnmath, name).__doc__]
    assert not without
    wide = [line for _, doc in docstrings() for line in (doc or "").splitlines() if ">>> " in line[:82]]
    assert all(len(line.strip()) <= 78 for line in wide), "the column of the page cuts an example"
    assert ">>>" in nnmath.explore.slider.__doc__ and ">>>" in nnmath.explore.log_slider.__doc__
