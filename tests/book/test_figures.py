"""Figures are numbered in chapters, and nowhere else."""

from types import SimpleNamespace

import course_figures
import pytest
from page_checks import parse


def test_a_page_without_a_number_has_no_numbered_figure():
    env = SimpleNamespace(
        toc_secnumbers={"chapter": {"": (1,)}},
        toc_fignumbers={"chapter": {"figure": {"a": (1, 1)}}, "cover": {"figure": {"b": (1,)}, "table": {"c": (1,)}}})
    assert course_figures.number_only_in_chapters(None, env) == []
    assert env.toc_fignumbers == {"chapter": {"figure": {"a": (1, 1)}}, "cover": {"table": {"c": (1,)}}}


@pytest.mark.parametrize(("page", "is_chapter"), [("intro", False), ("scale/leaderboard", False),
                                                  ("appendix/gallery", False), ("foundations/01_tensors", True)])
def test_captions_of_the_site(site, page, is_chapter):
    captions = parse((site / "book" / f"{page}.html").read_text(encoding="utf-8")).select("figcaption")
    assert captions
    assert all(bool(caption.select(".caption-number")) == is_chapter for caption in captions)
