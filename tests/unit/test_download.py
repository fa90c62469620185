"""The zip of the notebooks: complete, the same each time, and it runs where it is unpacked."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from nnbook.download import NAME, contents, pack

ROOT = Path(__file__).resolve().parents[2]

RUN = """
import json, sys, nnmath
from pathlib import Path
assert Path(nnmath.__file__).is_relative_to(Path.cwd().parent), nnmath.__file__
cells = json.loads(Path(sys.argv[1]).read_text(encoding="utf8"))["cells"]
space = {"display": lambda *shown: None, "__name__": "__main__"}
for cell in cells:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), space)
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zip")
    pack(contents(ROOT, "Title"), folder / "one.zip")
    pack(dict(reversed(contents(ROOT, "Title").items())), folder / "two.zip")
    assert (folder / "one.zip").read_bytes() == (folder / "two.zip").read_bytes()
    with zipfile.ZipFile(folder / "one.zip") as archive:
        archive.extractall(folder)
    return folder / NAME


def test_holds_what_the_chapters_need(unpacked):
    for pattern in ("notebooks/*.ipynb", "nnmath/*.*"):
        assert {p.name for p in ROOT.glob(pattern)} == {p.name for p in unpacked.glob(pattern)}, pattern
    for name in ("requirements.txt", "pyproject.toml", "LICENSE", "LICENSE-text", "README.md"):
        assert (unpacked / name).stat().st_size, name
    said = "".join(p.read_text(encoding="utf8") for p in unpacked.glob("notebooks/*.ipynb"))
    asked = {line.split('\\"')[0] for line in said.split("../")[1:] if line.startswith("benchmarks/")}
    assert asked and all((unpacked / name).is_file() for name in asked), asked


def test_holds_nothing_of_this_machine(unpacked):
    for path in filter(Path.is_file, unpacked.rglob("*")):
        assert "__pycache__" not in path.parts
        assert str(ROOT) not in path.read_text(encoding="utf8"), f"{path.name} names this machine"
    for path in unpacked.glob("notebooks/*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf8"))
        kinds = {k for c in notebook["cells"] for o in c.get("outputs", []) for k in o.get("data", {})}
        assert "widgets" not in notebook["metadata"]
        assert not {k for k in kinds if k.startswith(("image/", "application/vnd.jupyter"))}, path.name


def test_a_chapter_runs_where_it_is_unpacked(unpacked):
    environment = os.environ | {"PYTHONPATH": str(unpacked), "MPLBACKEND": "agg", "TQDM_DISABLE": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", RUN, "05_gradient_descent_idea.ipynb"],
        cwd=unpacked / "notebooks", env=environment, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_a_file_that_is_gone_stops_the_build(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/01_one.ipynb").write_text("{}")
    with pytest.raises(FileNotFoundError, match="nnmath"):
        contents(tmp_path, "Title")
