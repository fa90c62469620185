"""Each exercise ends with a link to its solution, and each solution with a link back to its exercise.

The page's script opens the fold of a solution that a link leads to. sphinx-exercise gives the inside of every
exercise and of every solution the same id; here it is taken away, since an id stands once in a page.
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import is_exercise_node, is_solution_node
from sphinx_exercise.utils import get_node_number


class LinkSolutions(SphinxPostTransform):
    default_priority = 30  # after sphinx-exercise has written the titles, at 22
    formats = ("html",)

    def run(self):
        exercises = {node["label"]: node for node in self.document.findall(is_exercise_node)}
        solutions = list(self.document.findall(is_solution_node))
        for box in [*exercises.values(), *solutions]:
            for inside in box.findall(nodes.section):
                inside["ids"] = [
                    i for i in inside["ids"] if not i.endswith(("exercise-content", "solution-content"))
                ]
        for solution in solutions:
            exercise = exercises.get(solution["target_label"])
            if exercise is not None:
                name = f"Exercise {get_node_number(self.app, exercise, 'exercise')}"
                exercise += way(f"Solution to {name}", solution, "to-solution")
                solution += way(f"Back to {name}", exercise, "to-exercise")


def way(said, box, kind):
    """A paragraph that is a link to the box."""
    return nodes.paragraph(
        "", "", nodes.reference("", said, refid=box["label"], internal=True), classes=[kind]
    )


def setup(app):
    app.add_post_transform(LinkSolutions)
