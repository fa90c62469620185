"""Links that set a figure: [the best rate](#descend:lr=0.5) sets the control `lr` of the figure `descend`.

In the page it is an ordinary link, which the figure's script follows. One of another page may be set, too:
[at one half](../notebooks/05_gradient_descent_idea.ipynb#descent:lr=0.5). The build fails when the page has
no such figure, the figure has no such control, or the control cannot show that value.
"""

import json
import re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)
SETTING = re.compile(r"([\w-]+):([\w-]+=[^,]+(?:,[\w-]+=[^,]+)*)")
STATE = "application/vnd.jupyter.widget-state+json"


class SettingLinks(SphinxTransform):
    """Take the links that set a figure out of MyST's search for a section of that name, and note them."""

    default_priority = 870  # before MyST resolves anchors, at 879

    def apply(self):
        links = []
        for link in self.document.findall(nodes.reference):
            found = link.get("id_link") and SETTING.fullmatch(link.get("refuri", "").removeprefix("#"))
            if found:
                del link["id_link"]
                link["internal"] = True
                link["classes"].append("setting")
                links.append((self.env.docname, found[1], controls_in(found[2]), link.line))
        for link in list(self.document.findall(addnodes.pending_xref)):
            found = SETTING.fullmatch(str(link.get("reftargetid", "")))
            if found and link.get("refdomain") == "doc":
                there = nodes.reference("", "", *link.children, internal=True, classes=["setting"])
                there["page"], there["fragment"] = link["reftarget"], found[0]
                link.replace_self(there)
                links.append((link["reftarget"], found[1], controls_in(found[2]), link.line))
        noted(self.env)[self.env.docname] = links


def controls_in(text):
    """The controls and values of "lr=0.5,momentum=0"."""
    return dict(pair.split("=", 1) for pair in text.split(","))


def lead_there(app, doctree, docname):
    """Give links that set a figure of another page their address."""
    for link in doctree.findall(nodes.reference):
        if "fragment" in link:
            link["refuri"] = f"{app.builder.get_relative_uri(docname, link['page'])}#{link['fragment']}"


def noted(env):
    if not hasattr(env, "nnbook_settings"):
        env.nnbook_settings = {}
    return env.nnbook_settings


def purge(app, env, docname):
    noted(env).pop(docname, None)


def specs_of(env, docname):
    """The specifications of a page's figures and quizzes, as its widget state holds them."""
    scripts = getattr(env, "nb_metadata", {}).get(docname, {}).get("js_files", {})
    for _, options in scripts.values():
        if options.get("type") == STATE:
            for record in json.loads(options["body"])["state"].values():
                spec = record.get("state", {}).get("spec")
                if isinstance(spec, dict):
                    yield spec


def figures_of(env, docname):
    """The figures of a page, {name: {control: its specification}}."""
    return {
        spec["name"]: {control["name"]: control for control in spec["controls"]}
        for spec in specs_of(env, docname)
        if "controls" in spec  # a quiz has a spec too, with questions
    }


def fault(figures, figure, controls):
    """What is wrong with a link that sets `controls` of `figure`, in a sentence, or None."""
    if figure not in figures:
        return f"the page has no figure {figure!r}; it has {sorted(figures)}"
    for name, value in controls.items():
        if name not in figures[figure]:
            return f"figure {figure!r} has no control {name!r}; it has {sorted(figures[figure])}"
        problem = _unreachable(figures[figure][name], value)
        if problem:
            return f"control {name!r} of figure {figure!r} {problem}"
    return None


def _unreachable(control, value):
    values, labels = control.get("values", []), control.get("labels", [])
    if value in labels or value in map(str, values):
        return None
    if not values or not all(isinstance(v, (int, float)) for v in values):
        return f"cannot be set to {value!r}; it has {labels or values}" if labels or values else None
    try:
        number = float(value)
    except ValueError:
        return f"cannot be set to {value!r}, which is not a number"
    if min(values) <= number <= max(values):
        return None
    return f"runs from {min(values):g} to {max(values):g} and cannot be set to {value}"


def check(app, env):
    figures = {}
    for docname, links in noted(env).items():
        for page, figure, controls, line in links:
            if page not in figures:
                figures[page] = figures_of(env, page)
            problem = fault(figures[page], figure, controls)
            if problem:
                logger.warning("setting link: %s", problem, location=(docname, line), type="nnbook")


def setup(app):
    app.add_transform(SettingLinks)
    app.connect("env-purge-doc", purge)
    app.connect("env-check-consistency", check)
    app.connect("doctree-resolved", lead_there)
