"""What imports what, what an import costs, and how much there is of it."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nnmath

PACKAGE = Path(nnmath.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
ORDER = """
    errors params activations losses layers mlp recurrent attention gradcheck optim schedules convergence
    train data search parallel quantize explain attack plot artists explore quiz
""".split()  # noqa: SIM905
HEAVY = (
    "matplotlib",
    "ipywidgets",
    "anywidget",
    "sklearn",
    "dask",
    "distributed",
    "tqdm",
    "scipy",
    "IPython",
)
DRAWING = ["errors", "plot", "artists", "explore", "quiz"]  # these know nothing of neural networks


def imported(path):
    """The modules of nnmath that a file names in an import, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = "nnmath." * (node.level > 0) + (node.module or "")
            names = [f"{base}.{a.name}" if base.rstrip(".") == "nnmath" else base for a in node.names]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        else:
            continue
        for name in names:
            parts = [part for part in name.split(".") if part]
            if parts[0] == "nnmath":
                yield parts[1] if len(parts) > 1 else "__init__"


def test_every_module_has_its_place():
    assert {p.stem for p in MODULES} - {"__init__"} <= set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_imports_point_upward(path):
    if path.stem == "__init__":
        return
    above = ORDER[: ORDER.index(path.stem)]
    for name in imported(path):
        assert name in above, f"{path.stem} imports {name}, which is not above it"
        if path.stem in DRAWING:
            assert name in DRAWING, f"{path.stem} must know nothing of neural networks"


def test_the_reader_of_imports_reads_them(tmp_path):
    file = tmp_path / "x.py"
    file.write_text(
        "from .mlp import MLP\nfrom . import plot\nimport nnmath.losses as l\nfrom nnmath import train\n"
        "import numpy\ndef f():\n    from nnmath.attack import fgsm\n"
    )
    assert list(imported(file)) == ["mlp", "plot", "losses", "train", "attack"]


def fresh(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    return done.stdout.split()


def test_import_loads_nothing_heavy():
    loaded = fresh("import nnmath, sys; print(*{name.split('.')[0] for name in sys.modules})")
    assert not set(HEAVY) & set(loaded)
    more = set(fresh("import nnmath, sys; print(*sys.modules)")) - set(
        fresh("import numpy, sys; print(*sys.modules)")
    )
    own = {name for name in more if name.split(".")[0] == "nnmath"}
    assert len(more - own) <= 10, more - own  # a few of the standard library


def test_plotting_and_widgets_load_on_first_use():
    code = "import nnmath, sys; nnmath.plot; print('matplotlib' in sys.modules, nnmath.plot.__name__)"
    assert fresh(code) == ["True", "nnmath.plot"]
    with pytest.raises(AttributeError, match="module 'nnmath' has no attribute 'plott'"):
        nnmath.plott  # noqa: B018


def test_public_names_exist():
    for name in nnmath.__all__:
        assert hasattr(nnmath, name)
    assert nnmath.__all__ == sorted(
        set(nnmath.__all__), key=lambda n: (not n.isupper(), not n[0].isupper(), n)
    )


EXAMPLE = re.compile(r"\n *\n *>>> .*?(?=\n *\n|\n *\"{3})", re.DOTALL)


def lines_of(source):
    """Lines of a module, docstrings and all, but not their examples: those are tests that readers see."""
    return len(EXAMPLE.sub("", source).splitlines())


def test_thin():
    """The budgets: 3,050 lines for the mathematics, 1,000 for the live figure, docstrings and all."""
    lines = {path.stem: lines_of(path.read_text()) for path in MODULES}
    figure = sum(lines.pop(name) for name in DRAWING if name != "errors")
    assert sum(lines.values()) <= 3050
    assert figure <= 1000


def test_only_examples_are_not_counted():
    without = 'def f(x):\n    """Twice x."""\n    return 2 * x\n'
    example = without.replace('x."""', 'x.\n\n    >>> f(2)\n    4\n    """')
    assert (lines_of(without), lines_of(example)) == (3, 4)  # the closing quotes stand on a line of their own
    more = example.replace("    4\n", "    4\n\n    Source: Euclid.\n")
    assert lines_of(more) == 6
