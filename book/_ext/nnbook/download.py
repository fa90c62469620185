"""_static/NAME.zip: the chapters as notebooks with what they need to run, for readers without git.

Two builds of the same sources write the same bytes: files are sorted, and none bears the hour.
"""

import zipfile
from pathlib import Path

NAME = "mathematics-of-neural-networks"
HOURS = (1980, 1, 1, 0, 0, 0)  # the first that a zip can name
PATTERNS = (
    "notebooks/*.ipynb",
    "nnmath/*.py",
    "nnmath/*.js",
    "nnmath/*.css",
    "benchmarks/scaling.json",  # the measured times of chapter 14
    "requirements.txt",
    "pyproject.toml",
    "LICENSE",
    "LICENSE-text",
)
README = """# {title}: the notebooks

{count} chapters that you can run and change. You need Python 3.11 or newer.

On Linux and macOS, in this folder:

    python3 -m venv .venv
    .venv/bin/pip install -r requirements.txt
    .venv/bin/pip install --no-deps --no-build-isolation -e .
    .venv/bin/jupyter lab notebooks

On Windows:

    py -m venv .venv
    .venv\\Scripts\\pip install -r requirements.txt
    .venv\\Scripts\\pip install --no-deps --no-build-isolation -e .
    .venv\\Scripts\\jupyter lab notebooks

`requirements.txt` names every version that the book was made with. The third line makes `nnmath`, the package
beside this file, known to the notebooks, so that what you change in it counts.

The last digits of a result may differ from those in the book: another processor adds in another order.

Code: MIT (LICENSE). Text and figures: CC BY 4.0 (LICENSE-text).
"""


def contents(root, title):
    """{path in the zip: its bytes}. Raises FileNotFoundError if a pattern matches nothing."""
    files = {}
    for pattern in PATTERNS:
        found = sorted(path for path in root.glob(pattern) if path.is_file())
        if not found:
            raise FileNotFoundError(f"{pattern}: nothing there for the notebooks' zip")
        files |= {path.relative_to(root).as_posix(): path.read_bytes() for path in found}
    count = sum(name.endswith(".ipynb") for name in files)
    files["README.md"] = README.format(title=title, count=count).encode()
    return files


def pack(files, path):
    """Write the zip; everything in it lies in one folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{NAME}/{name}", HOURS)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            entry.create_system = 3  # the same bytes on every machine
            archive.writestr(entry, data)


def write(app, error):
    if not error and app.builder.name == "html":
        title = app.config.html_title.partition(":")[0]
        pack(contents(Path(app.srcdir), title), Path(app.outdir) / "_static" / f"{NAME}.zip")


def setup(app):
    app.connect("build-finished", write)
