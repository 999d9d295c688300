"""The site's own Sphinx extension: a header for each chapter, self-marking quizzes, and no need of a network.

No chapter needs it in order to be read: everything here acts on the finished page, or on an output that
JupyterLab shows too.
"""

import importlib.util
import json
import os
import shutil
from pathlib import Path

import course_api
import course_directives
import course_downloads
import course_figures
import course_outputs
import course_pages
import course_quiz
import course_spaces
import course_tables
from course_chapters import DIFFICULTY, require_facts
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

# What a page with formulas may ask for (see mathjax3_config in _config.yml) of the package's 15 MB.
MATHJAX_PARTS = (
    "startup.js", "core.js", "input/tex.js", "input/tex/extensions", "output/chtml.js", "output/chtml/fonts",
    "a11y/assistive-mml.js",
)  # fmt: skip
WORDS_A_MINUTE = 200        # of a text to learn from
INDEX_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url={target}">
<title>{title}</title>
</head>
<body><main><h1>{title}</h1><p><a href="{target}">Open the book</a></p></main></body>
</html>
"""


def duration(seconds: float) -> str:
    """Say a run time in words: 0.4 → "under 1 s", 14.2 → "14 s", 75 → "1 min 15 s"."""
    if seconds < 1:
        return "under 1 s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def reading_minutes(doctree: nodes.document) -> int:
    """How long the prose of a page takes to read; what is folded, code and figures come on top."""
    folded = [note for note in doctree.findall(nodes.Element) if "dropdown" in note.get("classes", [])]
    apart = {id(part) for note in folded for part in note.findall(nodes.paragraph)}
    texts = [part.astext() for part in doctree.findall(nodes.paragraph) if id(part) not in apart]
    return max(1, round(sum(len(text.split()) for text in texts) / WORDS_A_MINUTE))


def chapter_header(chapter: dict, runtime: float | None, cores: int, reading: int) -> str:
    """The line under a chapter's title, as HTML.

    Args:
        chapter: the front matter's `chapter`, with `teach_minutes` (minutes) and `difficulty` (1–3).
        runtime: wall time of the chapter's last execution in seconds; None if it was not executed.
        cores: CPU cores of the machine that executed it.
        reading: minutes that its prose takes to read.

    Returns:
        A `<ul>` with times to teach and to read, measured run time and difficulty.

    Raises:
        ExtensionError: if the front matter lacks a field or the difficulty is not 1, 2 or 3.
    """
    require_facts(chapter)
    level = chapter["difficulty"]
    facts = [f"<b>{chapter['teach_minutes']} min</b> to teach, <b>{reading} min</b> to read"]
    if runtime is not None:
        unit = "core" if cores == 1 else "cores"
        facts.append(f"runs in <b>{duration(runtime)}</b> on {cores} {unit}, measured at this build")
    dots = "●" * level + "○" * (3 - level)
    facts.append(f'difficulty <b aria-hidden="true">{dots}</b> {DIFFICULTY[level]}')
    return '<ul class="chapter-facts">' + " ".join(f"<li>{fact}</li>" for fact in facts) + "</ul>"


def finish_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Put the chapter header under the title."""
    chapter = app.env.metadata.get(pagename, {}).get("chapter") if doctree is not None else None
    if chapter:
        if isinstance(chapter, str):
            chapter = json.loads(chapter)
        runtime = (app.env.nb_metadata[pagename].get("exec_data") or {}).get("runtime")
        header = chapter_header(chapter, runtime, os.cpu_count() or 1, reading_minutes(doctree))
        context["body"] = context["body"].replace("</h1>", "</h1>\n" + header, 1)


def add_search_script(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Let the search show excerpts of our own."""
    if pagename == "search":
        app.add_js_file("search.js", loading_method="defer")


def copy_mathjax(app: Sphinx) -> None:
    """Serve MathJax from the site itself."""
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if spec is None:
        raise ExtensionError("MathJax for offline use is missing: run `make setup`")
    source = Path(spec.origin).parent / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    for part in MATHJAX_PARTS:
        if (source / part).is_dir():
            shutil.copytree(source / part, target / part, dirs_exist_ok=True)
        else:
            (target / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / part, target / part)


def write_index(app: Sphinx) -> None:
    """Lead from the site's front door to the book's first page."""
    page = INDEX_PAGE.format(
        language=app.config.language, title=app.config.html_title, target=f"{app.config.root_doc}.html"
    )
    (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def finish_site(app: Sphinx, exception: Exception | None) -> None:
    """Add what the finished site needs beside its pages."""
    if exception is None and app.builder.format == "html":
        copy_mathjax(app)
        write_index(app)
        course_pages.clean_site(Path(app.outdir))


def setup(app: Sphinx) -> dict:
    """Register the extension."""
    course_directives.setup(app)
    app.add_directive("api", course_api.Api)
    app.connect("doctree-read", course_outputs.join_streams)
    app.connect("doctree-read", course_quiz.replace_quizzes)
    app.connect("doctree-read", course_tables.stack_tables)
    app.connect("doctree-read", course_spaces.keep_together)
    app.connect("doctree-read", course_spaces.keep_code)
    app.connect("doctree-read", course_spaces.close_formulas)
    app.connect("autodoc-process-signature", course_api.readable)
    app.connect("autodoc-process-docstring", course_api.keep_result_whole, priority=400)     # before napoleon
    app.connect("autodoc-process-docstring", course_api.shorten_types, priority=600)         # after it
    app.connect("autodoc-process-docstring", course_api.list_shared, priority=600)
    course_api.say_attributes()
    app.connect("doctree-read", course_api.list_names)
    app.connect("env-get-updated", course_figures.number_only_in_chapters, priority=900)     # after Sphinx's numbers
    app.add_config_value("course_launch", course_downloads.LAUNCH, "html", types=(dict,))
    app.connect("html-page-context", finish_page)
    app.connect("html-page-context", add_search_script)
    app.connect("html-page-context", course_downloads.offer, priority=900)      # after the theme's own buttons
    app.connect("build-finished", course_downloads.write_downloads)
    app.connect("build-finished", finish_site)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
