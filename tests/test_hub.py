"""The hub's rules, links, repository and files; what needs a running hub is in tests/hub (`make hub-test`)."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
import yaml

from course_utils.progress.record import FILE
from hub import load, reach, rules, start
from hub.links import chapter_links, launch_links
from hub.publish import git, publish
from tests.exercises.miniature import CHAPTER, write_book
from tests.processes import all_gone
from tools.canary import pins
from tools.notebooks import ROOT, chapters

HUB = ROOT / "hub"
README = (HUB / "README.md").read_text(encoding="utf-8")
GITHUB = "https://github.com/owner/lessons"
CLASS_AT_A_STANDSTILL = r"""
import asyncio, re, signal, sys
from hub import load, process
signal.signal(signal.SIGINT, signal.default_int_handler)        # what a shell starts in the background ignores Ctrl-C
def small_server(config, state):
    (state / "hub" / "api").mkdir(parents=True)
    port = re.search(r"bind_url = .*:(\d+)", config.read_text())[1]
    return [sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1", "--directory", str(state)]
async def wait(*_):
    print("waits", flush=True)
    await asyncio.sleep(600)
process.hub_command, load.prepare, load.whole_class = small_server, lambda *_: None, wait
load.main()
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.mark.parametrize(("address", "alone"), [
    ("http://127.0.0.1:8000", True), ("http://127.9.9.9", True), ("http://[::1]:8000/hub/", True),
    ("http://localhost:8000", True), ("http://:8000", False), ("http://0.0.0.0:8000", False),
    ("http://[::]:8000", False),
    ("http://192.168.0.2:8000", False), ("https://hub.example.org", False), ("http://127.0.0.1.example.org", False),
])  # fmt: skip
def test_only_loopback_is_loopback(address, alone):
    assert rules.on_loopback(address) is alone


@as_root
def test_every_user_gets_an_account_and_keeps_it(tmp_path):
    homes = tmp_path / "homes"
    owners = [rules.own_home(homes, name, 53000)[1] for name in ("ada", "ben", "ada", "zoe@example.org")]
    assert owners == [53000, 53001, 53000, 53002]
    assert {oct(home.stat().st_mode)[-3:] for home in homes.iterdir()} == {"700"}
    assert oct(homes.stat().st_mode)[-3:] == "711"
    (homes / "roots").mkdir()
    with pytest.raises(PermissionError, match="owned by account 0, expected 53000 or higher"):
        rules.own_home(homes, "roots", 53000)           # nobody's server ever runs as root


def test_without_accounts_there_are_homes_only(tmp_path):
    home, uid = rules.own_home(tmp_path / "homes", "ada", None)
    assert uid is None and home.stat().st_uid == os.geteuid()


@pytest.mark.parametrize("name", ["", "..", ".ssh", "a/b", "../ada", "ada\n", "Ada", "-rf", "å"])
def test_names_that_could_leave_the_folder_of_homes_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match="found user name"):
        rules.own_home(tmp_path / "homes", name, None)


def test_sockets_have_a_place_that_nobody_else_enters():
    with tempfile.TemporaryDirectory() as folder:           # pytest's own are too long
        run = Path(folder) / "run"
        place = rules.own_sockets(run, None)
        assert place.parent == run and oct(place.stat().st_mode)[-3:] == "700"


def test_a_socket_in_the_longest_folder_that_is_allowed_can_be_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path("x" * (rules.LONGEST_SOCKET - len(f"/{rules.SOCKET}")))
    path = rules.room_for_sockets(folder) / rules.SOCKET
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
    with pytest.raises(ValueError, match="set COURSE_HUB_STATE to a shorter folder"):
        rules.room_for_sockets(Path(f"{folder}y"))


def test_what_is_set_for_users(tmp_path):
    found = rules.environment(tmp_path, {"PATH": "/bin", "SECRET": "x"})
    assert found["COURSE_DATA"] == str(tmp_path / "_build" / "cache")
    assert found["PATH"] == f"{tmp_path}/.venv/bin:/bin" and not {"SECRET", "COURSE_PROGRESS"} & set(found)
    assert "COURSE_PROGRESS" not in rules.environment(tmp_path, {"PATH": "", "COURSE_PROGRESS": ""})
    asked = rules.environment(tmp_path, {"PATH": "", "COURSE_DATA": "/srv/x", "COURSE_PROGRESS": FILE})
    assert (asked["COURSE_DATA"], asked["COURSE_PROGRESS"]) == ("/srv/x", FILE)


def test_python_3_in_the_servers_is_the_courses(tmp_path):
    rules.course_kernel(tmp_path, ROOT / ".venv")
    (spec,) = tmp_path.rglob("kernel.json")
    assert json.loads(spec.read_text())["argv"][0] == str(ROOT / ".venv" / "bin" / "python")
    assert spec.relative_to(tmp_path) == Path("share/jupyter/kernels/python3/kernel.json")


def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"found port {port} taken .*--port 9000"):
            start.three_ports(port - 1)
    with pytest.raises(OSError, match="found port 65536"):
        start.three_ports(65535)


def test_whatever_ends_a_class_ends_its_hub(tmp_path):
    """A small web server stands for the hub; the real one's end is tested in tests/hub."""
    command = [sys.executable, "-c", CLASS_AT_A_STANDSTILL, "--users", "1", "--chapter", "01"]
    runs = {}
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        (tmp_path / end.name).mkdir()
        runs[end] = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                     start_new_session=True, env=os.environ | {"TMPDIR": str(tmp_path / end.name)})
    for end, test in runs.items():
        assert test.stdout.readline() == "waits\n"
        pids = [process.pid for process in psutil.Process(test.pid).children(recursive=True)]
        test.send_signal(end)
        assert test.wait(120) != 0 and len(pids) == 1 and all_gone(pids)
        assert end == signal.SIGKILL or list((tmp_path / end.name).iterdir()) == []
        test.stdout.close()


def test_folders_that_others_may_not_enter_are_found(tmp_path):
    (tmp_path / "shut" / "python" / "bin").mkdir(parents=True)
    (tmp_path / "open").mkdir()
    tmp_path.chmod(0o755)
    (tmp_path / "shut").chmod(0o700)
    needed = [tmp_path / "open", tmp_path / "shut" / "python", tmp_path / "shut" / "python" / "bin"]
    found = {folder: paths for folder, paths in reach.closed(needed).items() if folder.is_relative_to(tmp_path)}
    assert found in ({tmp_path / "shut": needed[1:]}, {})       # {}: pytest's own folder is shut, and found instead
    assert reach.within_reach(["true"], [Path("/")]) == ["true"]


def test_a_hub_starts_in_a_fresh_clone(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(start, "STATE", tmp_path / "state")
    monkeypatch.setattr(start, "DATA", tmp_path / "_build" / "cache")
    monkeypatch.setattr(start, "prepare", lambda *given: None)
    monkeypatch.setattr(start, "three_ports", lambda first: [])
    monkeypatch.setattr(start, "room_for_sockets", lambda folder: folder)
    monkeypatch.setattr(start, "hub_command", lambda *given: ["hub"] if start.DATA.is_dir() else [])
    monkeypatch.setattr(start.os, "execvp", lambda program, command: ran.append(command))
    monkeypatch.setattr(start.sys, "argv", ["hub.start"])
    start.main()
    assert ran == [["hub"]]


@as_root
def test_what_lies_behind_them_is_within_reach_and_nothing_else_is(tmp_path):
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "says").write_text("hello")
    (tmp_path / "private").write_text("secret")
    command = ["setpriv", "--reuid=53000", "--regid=53000", "--clear-groups", "cat"]
    seen = []
    for name in ("python/says", "private"):
        done = subprocess.run(reach.within_reach([*command, str(tmp_path / name)], [tmp_path / "python"]),
                              capture_output=True, text=True)
        seen.append((done.returncode, done.stdout))
    assert seen == [(0, "hello"), (1, "")]
    assert oct(tmp_path.stat().st_mode)[-3:] == "700"           # the machine's own folder is as it was


# --- links and the repository behind them ------------------------------------------------------------


def test_no_link_where_nothing_is_configured():
    assert launch_links("foundations/01_tensors.ipynb", {}) == {}


def test_a_hub_pulls_the_notebooks_and_opens_the_chapter():
    launch = {"repository": GITHUB + ".git", "hub": "https://hub.example.org/", "branch": "b"}
    links = launch_links("foundations/01_tensors.ipynb", launch)
    address = urlsplit(links["JupyterHub"])
    assert (address.netloc, address.path) == ("hub.example.org", "/hub/user-redirect/git-pull")
    assert parse_qs(address.query) == {
        "repo": [GITHUB], "branch": ["b"], "urlpath": ["lab/tree/lessons/foundations/01_tensors.ipynb"],
    }  # fmt: skip
    assert list(links) == ["JupyterHub"]


def test_every_chapter_has_a_link():
    links = chapter_links({"hub": "https://hub.example.org", "repository": GITHUB})
    assert [Path(notebook).stem for notebook in links] == [chapter.stem for chapter in chapters()]
    assert all(f"lessons%2F{notebook.replace('/', '%2F')}" in link for notebook, link in links.items())


def test_colab_reads_the_repository_on_github():
    links = launch_links("space/10_unet.ipynb", {"repository": GITHUB, "colab": True})
    assert links == {"Colab": "https://colab.research.google.com/github/owner/lessons/blob/main/space/10_unet.ipynb"}


@pytest.mark.parametrize(("launch", "words"), [
    ({"hub": "https://hub.example.org"}, "no repository"),
    ({"colab": True}, "no repository"),
    ({"colab": True, "repository": "https://git.example.org/a/b"}, "expected a repository on github.com"),
    ({"binder": "x"}, "found course_launch: binder"),
])  # fmt: skip
def test_settings_of_no_use_are_refused(launch, words):
    with pytest.raises(ValueError, match=words):
        launch_links("foundations/01_tensors.ipynb", launch)


def test_notebooks_are_published_once_and_changes_after_it(tmp_path):
    repository = tmp_path / "notebooks"
    book = write_book(tmp_path)
    assert publish(str(repository), book=book)
    assert not publish(str(repository), book=book)
    chapter = book / "part" / "01_mini_topic.md"
    chapter.write_text(CHAPTER.replace("# A miniature chapter", "# Second edition"))
    assert publish(str(repository), book=book)
    assert "# Second edition" in git(repository, "show", "main:part/01_mini_topic.ipynb")
    assert len(git(repository, "log", "--format=%h", "main").split()) == 2
    with pytest.raises(RuntimeError, match="git clone failed"):
        publish(str(book), book=book)


# --- files that must agree ---------------------------------------------------------------------------


def test_the_hub_and_the_course_install_the_same_jupyterlab():
    hub, course = pins(HUB / "requirements.txt"), pins(ROOT / "constraints.txt")
    assert {name: version for name, version in hub.items() if course.get(name, version) != version} == {}
    assert {"jupyterhub", "nbgitpuller", "jupyterlab", "jupyterlab-myst"} <= set(hub)
    lines = [line for line in (HUB / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    assert all(re.match(r"[\w-]+==[\w.]+(\s+#.*)?$", line) for line in lines)


def test_the_proxy_is_pinned_with_all_that_it_needs():
    wanted = json.loads((HUB / "package.json").read_text())["dependencies"]
    packages = json.loads((HUB / "package-lock.json").read_text())["packages"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert all("integrity" in package for name, package in packages.items() if name)


def test_kubernetes_gives_users_what_the_small_hub_gives_them():
    values = yaml.safe_load((HUB / "values.yaml").read_text(encoding="utf-8"))
    user = values["singleuser"]
    assert user["memory"]["limit"] == rules.MEMORY
    assert user["extraEnv"]["OMP_NUM_THREADS"] == str(rules.THREADS)
    assert all(isinstance(value, str) for value in user["extraEnv"].values())
    assert rules.SHARE_FREED.items() <= user["extraEnv"].items()
    assert all(f'"{name}": "{value}"' in README for name, value in rules.SHARE_FREED.items())
    (volume,), (mount,) = user["storage"]["extraVolumes"], user["storage"]["extraVolumeMounts"]
    assert volume["name"] == mount["name"] and mount["mountPath"] == user["extraEnv"]["COURSE_DATA"]
    assert mount["readOnly"] and volume["persistentVolumeClaim"]["readOnly"]
    assert values["hub"]["config"]["JupyterHub"]["authenticator_class"] == "null"


def test_the_readme_shows_what_was_measured():
    measured = json.loads((HUB / "measured.json").read_text(encoding="utf-8"))
    assert measured["finished"] == measured["users"] == 30 and not measured["errors"]
    assert measured["user"]["resident"] < load.TARGET
    assert load.table(measured) in README


def test_a_report_of_a_class():
    results = [{"ready": float(i), "cells": [0.1, i], "error": None} for i in range(1, 4)]
    results.append({"cells": [], "error": "CellError: no"})
    used = [{"kind": kind, "resident": size, "peak": size + 1, "share": size / 2}
            for kind, size in (("server", 100.0), ("kernel", 300.0), ("kernel", 500.0))]
    found = load.summary(results, used, {"users": 4})
    assert (found["finished"], found["errors"]) == (3, ["CellError: no"])
    assert found["seconds_to_ready"] == {"median": 2.0, "p95": 2.9}
    assert found["user"] == {"resident": 500.0, "peak": 502.0, "share": 250.0}
