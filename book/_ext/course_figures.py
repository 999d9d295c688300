"""Figures are numbered where their page is: on the others, a count over all of them would begin anywhere."""

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def number_only_in_chapters(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Take the numbers from the figures of pages that have no number themselves."""
    for page, numbers in env.toc_fignumbers.items():
        if not env.toc_secnumbers.get(page):
            numbers.pop("figure", None)
    return []
