"""404.html, which a server shows for an address that is not there, at whatever depth that address is.

Therefore nothing on it is asked for by a path of its own: style and script stand in the page, and the script
finds where the book begins from where the page was asked for. Without it the links lead to the server's root.
"""

import html
from pathlib import Path

PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Page not found: {title}</title>
<link rel="icon" href="data:image/svg+xml,{icon}">
<style>
  :root {{ --ink: #24292f; --muted: #5b636c; --paper: #fff; --line: #d5dae0; --link: #005f99; }}
  @media (prefers-color-scheme: dark) {{
    :root {{ color-scheme: dark;
      --ink: #e6e9ec; --muted: #a3abb3; --paper: #14181e; --line: #363d46; --link: #7cc4ee; }}
  }}
  body {{ margin: 0; background: var(--paper); color: var(--ink); line-height: 1.6; font-size: 1.0625rem;
    font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }}
  main {{ max-width: 40rem; margin: 0 auto; padding: 3rem 1.2rem; }}
  h1 {{ font-size: 2.1rem; font-weight: 650; line-height: 1.25; margin: .5rem 0 1rem; }}
  h2 {{ font-size: 1.05rem; font-weight: 650; margin: 1.6rem 0 .2rem; }}
  p.book {{ color: var(--muted); margin: 0; }}
  a {{ color: var(--link); text-underline-offset: .18em; text-decoration-thickness: .06em; }}
  :focus-visible {{ outline: 3px solid var(--link); outline-offset: 2px; }}
  ul {{ list-style: none; margin: 0; padding: 0; }}
  li a {{ display: inline-block; padding: .15rem 0; }}
  form {{ display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.2rem 0; }}
  input, button {{ font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--muted);
    border-radius: .35rem; padding: .3rem .8rem; min-width: 0; }}
  input {{ flex: 1 1 12rem; }}
  nav {{ border-top: 1px solid var(--line); margin-top: 2rem; }}
</style>
</head>
<body>
<main>
<p class="book">{title}</p>
<h1>This page is not here</h1>
<p>The address may have a slip in it, or the page may have moved.
<a data-to="{first}" href="/{first}">The first page</a> and the list below lead on, and so does a search.</p>
<form role="search" data-to="search.html" action="/search.html">
<input type="search" name="q" aria-label="Search the book" placeholder="Search the book" required>
<button>Search</button>
</form>
<nav aria-label="All pages">
{chapters}
</nav>
</main>
<script>
  // The book lies where its own folders begin. Where the address names none, it lies at the server's root, or
  // on GitHub Pages (NAME.github.io/REPOSITORY/) in the first folder.
  const folders = {folders};
  const steps = location.pathname.split("/").slice(1, -1);
  const own = steps.findIndex((step) => folders.includes(step));
  const deep = own >= 0 ? own : location.hostname.endsWith(".github.io") ? 1 : 0;
  const above = steps.slice(0, deep);
  const root = ["", ...above, ""].join("/");
  for (const place of document.querySelectorAll("[data-to]"))
    place.setAttribute(place.matches("form") ? "action" : "href", root + place.dataset.to);
</script>
</body>
</html>
"""


def chapter_list(app):
    """The parts of the book and their pages, as links."""
    rows, site = [], app.config.external_site_map
    for tree in site.root.subtrees:
        rows.append(f"<h2>{html.escape(tree.caption or '')}</h2>\n<ul>")
        for docname in map(str, tree.items):
            target = app.builder.get_target_uri(docname)
            title = html.escape(app.env.titles[docname].astext())
            rows.append(f'<li><a data-to="{target}" href="/{target}">{title}</a></li>')
        rows.append("</ul>")
    return "\n".join(rows)


def write(app, error):
    if error or app.builder.name != "html":
        return
    icon = (Path(app.srcdir) / app.config.html_favicon).read_text(encoding="utf8")
    page = PAGE.format(
        language=app.config.language,
        title=html.escape(app.config.html_title.partition(":")[0]),
        icon="".join(f"%{byte:02x}" if byte in b'%#<>"\n' else chr(byte) for byte in icon.encode()),
        first=app.builder.get_target_uri(app.config.root_doc),
        chapters=chapter_list(app),
        folders=sorted(
            {docname.partition("/")[0] for docname in app.env.found_docs} | {"_static", "_sources"}
        ),
    )
    (Path(app.outdir) / "404.html").write_text(page, encoding="utf8")


def setup(app):
    app.connect("build-finished", write)
