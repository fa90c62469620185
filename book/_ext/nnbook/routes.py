"""`{route}`: a way through parts of the book, with its title and how long it takes.

Its minutes are those of what its links lead to: a chapter, a section of a chapter, or a figure that is set.
"""

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx import addnodes

from nnbook import contents, facts


class RouteDirective(Directive):
    has_content = True
    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        env = self.state.document.settings.env
        contents.telling(env).add(env.docname)
        title = nodes.paragraph("", "", nodes.strong("", self.arguments[0]), classes=["route-title"])
        route = nodes.container("", title, classes=["route"])
        self.state.nested_parse(self.content, self.content_offset, route)
        return [route]


def is_route(node):
    return isinstance(node, nodes.container) and "route" in node["classes"]


def note(app, doctree):
    """Note where the links lead, before they are resolved."""
    for route in doctree.findall(is_route):
        links = list(route.findall(addnodes.pending_xref))
        route["ways"] = [(link["reftarget"], link.get("reftargetid")) for link in links]
        route["figures"] = sum("setting" in link["classes"] for link in route.findall(nodes.reference))


def minutes_of(env, page, section):
    record = facts.noted(env)[page]
    return record["sections"].get(section, record["minutes"])


def fill(app, doctree, docname):
    for route in doctree.findall(is_route):
        took = sum(minutes_of(app.env, *way) for way in route["ways"])
        took = facts.in_fives(took + facts.MINUTES_PER_FIGURE * route["figures"])
        route[0] += [nodes.Text(" "), nodes.inline("", facts.duration(took), classes=["minutes"])]


def setup(app):
    app.add_directive("route", RouteDirective)
    app.connect("doctree-read", note)
    app.connect("doctree-resolved", fill)
