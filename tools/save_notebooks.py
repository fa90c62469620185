"""Save the chapters as they are committed: executed, text outputs kept, pictures and widget state left out.

save_notebooks.py [NOTEBOOK ...]          runs them (all if none is named), two at a time, and saves them
save_notebooks.py --check [NOTEBOOK ...]  runs nothing and says which are not in that form

Two runs write the same bytes: nothing in the saved form depends on the machine or the hour.
"""

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
FIXED = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "TQDM_DISABLE": "1"}
LEFT_OUT = ("image/", "video/", "audio/", "application/vnd.jupyter.widget")
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT = ("jupytext", "mystnb", "myst")  # what a notebook may say besides
A_CLOCK = "measured-anew"  # the tag of a cell whose outputs are times: they are never the same, and not saved
CELL_LEFT_OUT = ("collapsed", "editable", "execution", "ExecuteTime", "scrolled", "slideshow", "trusted")


def saved_form(notebook):
    """The notebook as it is committed, as text."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = nbformat.from_dict(
        METADATA | {k: v for k, v in notebook.metadata.items() if k in KEPT}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for cell in notebook.cells:
        for key in CELL_LEFT_OUT:
            cell.metadata.pop(key, None)
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            count += 1 if cell.source.strip() else 0
            cell.execution_count = count if cell.source.strip() else None
            outputs = [] if A_CLOCK in cell.metadata.get("tags", ()) else _joined(cell.outputs)
            cell.outputs = [o for o in map(_saved_output, outputs) if o is not None]
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = cell.execution_count
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def _joined(outputs):
    """What was printed bit by bit as one output, where its first bit stands."""
    joined, streams = [], {}
    for output in outputs:
        first = streams.setdefault(output.name, output) if output.output_type == "stream" else output
        if first is output:
            joined.append(output)
        else:
            first.text += output.text
    return joined


def _saved_output(output):
    if "data" in output:
        output.data = {k: v for k, v in output.data.items() if not k.startswith(LEFT_OUT)}
        output.metadata = {}
        return output if output.data else None
    return output


def execute(path):
    """Run a notebook where it stands; returns its saved form. RuntimeError if a cell fails or warns."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=180,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError) as error:
        raise RuntimeError(f"{path.name}: {error}") from None
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise RuntimeError(f"{path.name}: cell {cell.id} warns: {output.text.strip()}")
    return saved_form(notebook)


def in_saved_form(path):
    """Whether the file is what this program would write, with every cell run."""
    notebook = nbformat.read(path, as_version=4)
    run = all(c.execution_count for c in notebook.cells if c.cell_type == "code" and c.source.strip())
    return run and path.read_text(encoding="utf8") == saved_form(notebook)


def main():
    parser = argparse.ArgumentParser(description="Save the chapters as they are committed.")
    parser.add_argument("--check", action="store_true", help="run nothing; say which are not in that form")
    parser.add_argument("notebooks", nargs="*", type=Path, help="all of notebooks/ if none is named")
    arguments = parser.parse_args()
    paths = [p.resolve() for p in arguments.notebooks] or sorted((ROOT / "notebooks").glob("*.ipynb"))

    if arguments.check:
        wrong = [p.name for p in paths if not in_saved_form(p)]
        sys.exit(f"Not as committed (run make execute): {', '.join(wrong)}" if wrong else None)

    os.environ.update(FIXED)
    failed = False
    with ThreadPoolExecutor(2) as pool:
        for path, job in [(p, pool.submit(execute, p)) for p in paths]:
            try:
                text = job.result()
            except RuntimeError as error:
                failed = True
                print(error, file=sys.stderr)
                continue
            changed = text != path.read_text(encoding="utf8")
            path.write_text(text, encoding="utf8")
            print(f"{path.name}: {'saved' if changed else 'unchanged'}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
