"""What a reader takes along: each chapter as a learner's notebook, all in one archive; and where to run them."""

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))                   # for hub and tools, which are not installed

from hub.links import LAUNCH, launch_links  # noqa: E402, F401 - the setting is declared in course.py
from tools.make_learner_notebooks import build  # noqa: E402

NOTEBOOKS = "notebooks"                         # folder of the site, and of the archive
ARCHIVE = "learning-to-see-clouds.zip"
PACKED = (
    "course_utils", "pyproject.toml", "requirements.txt", "constraints.txt", "README.md", "LICENSE", "LICENSE-TEXT",
)  # fmt: skip
EPOCH = (1980, 1, 1, 0, 0, 0)                   # the earliest time that an archive can hold: equal content, equal bytes


def notebook_of(pagename: str) -> str:
    """Where a chapter's notebook is, below the folder of notebooks: ``foundations/01_tensors.ipynb``."""
    return f"{pagename.removeprefix('book/')}.ipynb"


def offer(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Let a chapter's menus lead to its learner notebook instead of the text with the solutions."""
    if "chapter" not in app.env.metadata.get(pagename, {}):
        return
    notebook = notebook_of(pagename)
    for group in context["header_buttons"]:
        if group["label"] == "download-buttons":
            group["buttons"][0] = {
                "type": "link", "url": f"{context['pathto'](NOTEBOOKS, 1)}/{notebook}", "text": ".ipynb",
                "tooltip": "Download the notebook to work in", "icon": "fas fa-code",
                "label": "download-notebook-button",
            }
    links = [{"type": "link", "url": url, "text": name, "tooltip": f"Run this chapter on {name}",
              "icon": "fas fa-play", "label": f"launch-{name.lower()}"}
             for name, url in launch_links(notebook, app.config.course_launch).items()]
    if links:
        context["header_buttons"].insert(0, {
            "type": "group", "tooltip": "Run this chapter", "icon": "fas fa-rocket", "buttons": links,
            "label": "launch-buttons",
        })


def write_downloads(app: Sphinx, exception: Exception | None) -> None:
    """Write the learner notebooks, and the archive that holds all that is needed to run them."""
    if exception is None and app.builder.format == "html":
        folder = Path(app.outdir) / NOTEBOOKS
        build(folder)
        write_archive(Path(app.outdir) / ARCHIVE, folder)


def write_archive(archive: Path, notebooks: Path) -> None:
    """Pack notebooks, package and requirements; the same files give the same bytes.

    Args:
        archive: the file to write.
        notebooks: the folder of learner notebooks.
    """
    files = {f"{NOTEBOOKS}/{path.relative_to(notebooks).as_posix()}": path for path in files_in(notebooks)}
    files |= {path.relative_to(ROOT).as_posix(): path for name in PACKED for path in files_in(ROOT / name)}
    files["START.md"] = ROOT / "tools" / "lab" / "START.md"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{archive.stem}/{name}", EPOCH)
            packed.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def files_in(place: Path) -> Iterator[Path]:
    """A file itself, or those of a folder, without hidden ones and compiled Python."""
    for path in [place] if place.is_file() else place.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            yield path
