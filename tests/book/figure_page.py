"""Writes a page with live figures and quizzes the way myst-nb does, for tests that need one of their own."""

import json
import pathlib

from ipywidgets.embed import dependency_state

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _script(kind, content):
    return f'<script type="application/vnd.jupyter.{kind}+json">{content}</script>'


def write_page(path, widgets, body=""):
    """A page with the widgets' state in its head and a marker where each one is shown. Returns its path."""
    state = dependency_state(widgets, drop_defaults=False)
    host = (ROOT / "book/assets/host.js").read_text(encoding="utf8")
    css = (ROOT / "nnmath/widget.css").read_text(encoding="utf8")
    theme = (
        "const dark = matchMedia('(prefers-color-scheme: dark)'),"
        " follow = () => { document.documentElement.dataset.theme = dark.matches ? 'dark' : 'light'; };"
        " dark.addEventListener('change', follow); follow()"
    )
    look = (
        "body { font: 17px/1.6 system-ui; max-width: 740px; margin: 0 auto; padding: 0 16px;"
        " background: var(--nn-paper); color: var(--nn-ink); } h1 { font-size: 1.2em }"
    )
    head = _script("widget-state", json.dumps({"state": state}).replace("</", "<\\/"))
    views = "".join(_script("widget-view", json.dumps({"model_id": w.model_id})) for w in widgets)
    path = pathlib.Path(path)
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Figures</title>'
        '<link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{css}{look}</style><script>{theme}; window.nnPageReady = true</script>{head}</head>"
        f"<body><main><h1>Figures</h1>{body}{views}</main><script>{host}</script></body></html>",
        encoding="utf8",
    )
    return path
