"""Small faults of the theme's and Sphinx's HTML, mended in the finished page; and the page at the root."""

from pathlib import Path

MENDED = {
    ' role="doc-biblioentry"': ' role="listitem"',  # deprecated in ARIA 1.2, and its parent is a list
    '<summary aria-label="Toggle hidden content">': "<summary>",  # it is called what it says
    ' id="exercise-content">': ">",  # on every exercise of the page
    ' id="solution-content">': ">",
}
ROOT_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta http-equiv="refresh" content="0; url={first}">
<link rel="icon" href="_static/favicon.svg">
</head>
<body><main><h1>{title}</h1><p><a href="{first}">Open the book</a></p></main></body>
</html>
"""


def mend_body(app, pagename, templatename, context, doctree):
    body = context.get("body", "")
    for wrong, right in MENDED.items():
        body = body.replace(wrong, right)
    context["body"] = body


def write_root_page(app, error):
    """The book begins at book/index.html; whoever opens the folder is led there."""
    root = Path(app.outdir) / "index.html"
    if not error and app.builder.name == "html":
        first = app.builder.get_target_uri(app.config.root_doc)
        page = ROOT_PAGE.format(language=app.config.language, title=app.config.html_title, first=first)
        root.write_text(page, encoding="utf8")


def setup(app):
    app.connect("html-page-context", mend_body)
    app.connect("build-finished", write_root_page, priority=100)
