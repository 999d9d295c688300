"""What a reader can take along, and where the buttons lead."""

import json
import zipfile
from types import SimpleNamespace

import course_downloads
import pytest
from page_checks import parse

from tools.notebooks import chapters


def test_the_same_files_give_the_same_archive(tmp_path):
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / "01.ipynb").write_text("{}")
    archives = [tmp_path / "one" / "a.zip", tmp_path / "two" / "a.zip"]
    for archive in archives:
        archive.parent.mkdir()
        course_downloads.write_archive(archive, tmp_path / "n")
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_every_chapter_offers_its_learner_notebook(site):
    for chapter in chapters():
        name = f"{chapter.parent.name}/{chapter.stem}"
        page = parse((site / "book" / f"{name}.html").read_text(encoding="utf-8").partition("<article")[0])
        links = [link["href"] for link in page.select(".dropdown-download-buttons a[href]")]
        assert links == [f"../../notebooks/{name}.ipynb"]
        assert not page.select(".dropdown-launch-buttons")
        cells = json.loads((site / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        assert all("solution" not in cell["metadata"].get("tags", []) for cell in cells)


@pytest.mark.parametrize("launch", [
    {}, {"repository": "https://github.com/owner/lessons", "hub": "https://hub.example.org", "colab": True},
])  # fmt: skip
def test_the_menu_to_run_a_chapter_stands_where_it_leads_somewhere(launch):
    page = "book/foundations/01_tensors"
    app = SimpleNamespace(env=SimpleNamespace(metadata={page: {"chapter": {}}}),
                          config=SimpleNamespace(course_launch=launch))
    context = {"header_buttons": [{"label": "download-buttons", "buttons": [{}]}], "pathto": lambda name, _: name}
    course_downloads.offer(app, page, "page.html", context, None)
    menus = {menu["label"]: menu["buttons"] for menu in context["header_buttons"]}
    addresses = {button["text"]: button["url"] for button in menus.get("launch-buttons", [])}
    assert addresses == course_downloads.launch_links("foundations/01_tensors.ipynb", launch)
    assert sorted(addresses) == (["Colab", "JupyterHub"] if launch else [])
    assert menus["download-buttons"][0]["url"] == "notebooks/foundations/01_tensors.ipynb"


def test_a_page_of_the_site_leads_to_the_archive(site):
    linked = [link["href"] for link in parse((site / "book" / "setup.html").read_text("utf-8")).select("a[href]")]
    assert f"../{course_downloads.ARCHIVE}" in linked


def test_the_archive_holds_notebooks_package_and_requirements(site):
    with zipfile.ZipFile(site / course_downloads.ARCHIVE) as packed:
        names = {name.partition("/")[2] for name in packed.namelist()}
        assert packed.testzip() is None
    wanted = {f"notebooks/{chapter.parent.name}/{chapter.stem}.ipynb" for chapter in chapters()}
    wanted |= {"START.md", "requirements.txt", "constraints.txt", "pyproject.toml", "course_utils/train.py",
               "course_utils/recorded/unet-full.safetensors", "LICENSE", "LICENSE-TEXT"}
    assert wanted <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith((".", "tests"))]
