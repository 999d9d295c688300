"""Directives that help to plan: ``course-facts`` and ``chapter-map``, ``-paths``, ``-plan``, ``-times``."""

import os
from pathlib import Path
from typing import ClassVar

import course_map
import course_plans
import matplotlib as mpl
from course_chapters import read_chapters
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger

LOGGER = getLogger(__name__)


class Planning(SphinxDirective):
    """A directive that writes Markdown about chapters and plans, and is written anew when these change.

    Where these cannot be used, as in a build of a few pages only, it leaves nothing behind but a warning.
    """

    def run(self) -> list[nodes.Node]:
        """Parse what `markdown` returns as if it stood on the page."""
        root = Path(self.env.srcdir)
        try:
            self.chapters = read_chapters(root)
            self.plans = course_plans.read_plans(root / "book" / "plans.yml", self.chapters)
        except ExtensionError as error:
            LOGGER.warning(str(error), location=self.get_location())
            return []
        for path in ("_toc.yml", "book/plans.yml", *(f"{one.docname}.md" for one in self.chapters.values())):
            self.env.note_dependency(str(root / path))
        parsed = nodes.container()
        lines = StringList(self.markdown().splitlines(), source=self.env.doc2path(self.env.docname))
        self.state.nested_parse(lines, self.content_offset, parsed)
        return parsed.children

    def markdown(self) -> str:
        """The Markdown to put in the directive's place."""
        raise NotImplementedError


class CourseFacts(Planning):
    """``{course-facts}``: for whom, how long, what it takes, in a glance."""

    def markdown(self) -> str:
        """A list."""
        return course_plans.facts_markdown(self.plans, self.chapters)


class ChapterPlan(Planning):
    """``{chapter-plan} NAME``: one plan of `book/plans.yml`, with times."""

    required_arguments = 1

    def markdown(self) -> str:
        """A table for each day."""
        name = self.arguments[0]
        if name not in self.plans:
            raise ExtensionError(f"found no plan {name!r}, expected one of: {', '.join(self.plans)}")
        return course_plans.plan_markdown(self.plans[name], self.chapters)


class ChapterPaths(Planning):
    """``{chapter-paths}``: all plans, a line each."""

    def markdown(self) -> str:
        """One table."""
        return course_plans.paths_markdown(self.plans, self.chapters)


class ChapterTimes(Planning):
    """``{chapter-times}``: what each chapter's note for instructors says of its length."""

    def markdown(self) -> str:
        """One definition list."""
        return course_plans.times_markdown(self.chapters)


class ChapterMap(Planning):
    """``{chapter-map}``: the map as a figure; the content is its caption, `name` what to refer to it by."""

    has_content = True
    option_spec: ClassVar = {"name": directives.unchanged}

    def markdown(self) -> str:
        """A figure, drawn into Sphinx's own folder."""
        picture = Path(self.env.doctreedir) / "drawn" / "chapter-map.svg"
        picture.parent.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(course_map.SVG):
            course_map.draw(self.chapters, self.plans).savefig(picture, metadata={"Date": None})
        options = [f":alt: {course_map.in_words(self.chapters)}", ":width: 540px"]
        if "name" in self.options:
            options.append(f":name: {self.options['name']}")
        place = os.path.relpath(picture, self.env.srcdir)
        return "\n".join([f"```{{figure}} /{place}", *options, "", *self.content, "```"])


def setup(app: Sphinx) -> None:
    """Register the directives."""
    for name, kind in {"course-facts": CourseFacts, "chapter-map": ChapterMap, "chapter-paths": ChapterPaths,
                       "chapter-plan": ChapterPlan, "chapter-times": ChapterTimes}.items():
        app.add_directive(name, kind)
