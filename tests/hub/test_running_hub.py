"""What a hub must not let happen: strangers who listen, users who read each other, work that is lost."""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import psutil
import pytest
import requests
from hub_cells import KNOCK, START_AS, SUBSCRIBE, WHERE

from hub.client import CellError
from hub.links import chapter_links
from hub.load import memory, summary, whole_class
from hub.process import command_of
from hub.publish import AUTHOR, git
from hub.rules import FIRST_UID
from hub.start import CONFIG, DATA, ROOT
from tests.hub.conftest import CHAPTER
from tests.processes import all_gone
from tools.notebooks import chapters

needs_accounts = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start servers as other accounts")


def run(user, *cells, path=CHAPTER):
    """Run cells in a new kernel of a user's, and return what the last one printed."""
    async def cell_by_cell():
        kernel = await user.open_kernel(path)
        return [await kernel.run(cell) for cell in cells][-1].strip()
    return asyncio.run(cell_by_cell())


def test_a_kernel_is_the_courses_and_finds_the_shared_data(room):
    printed = run(room.ben, WHERE)
    environment, *rest = printed.split()
    assert (ROOT / ".venv").samefile(environment)
    assert rest == [str(DATA), "2", str(bool(os.environ.get("COURSE_PROGRESS"))), "True", str(os.geteuid() != 0)]


def test_nothing_listens_off_this_machine(room):
    run(room.ada, "1")
    listening = [(process.name(), connection.laddr.ip) for process in room.hub.family()
                 for connection in process.net_connections("inet") if connection.status == psutil.CONN_LISTEN]
    assert len(listening) >= 5              # two of the proxy, the hub's, one of each server
    assert {address for _, address in listening} <= {"127.0.0.1", "::1"}, listening


def test_tokens_are_neither_in_the_log_nor_in_the_list_of_processes(room):
    family = room.hub.family()
    names = ("JUPYTERHUB_API_TOKEN", "CONFIGPROXY_AUTH_TOKEN")
    secrets = {process.environ().get(name) for process in family for name in names} - {None}
    secrets |= {room.hub.token, (room.hub.state / "private" / "cookie_secret").read_text().strip()}
    assert len(secrets) >= 5 and all(len(secret) >= 32 for secret in secrets)
    seen = room.hub.log.read_text() + "".join(map(command_of, family))
    assert not [secret for secret in secrets if secret in seen]
    assert room.hub.token not in repr(room.hub) + repr(room.ada)


@needs_accounts
def test_one_user_can_not_read_what_another_has_written(room):
    uid = run(room.ada, "import os; open('secret.txt', 'w').write('mine'); print(os.getuid())", path="plan.ipynb")
    secret = room.home(room.ada) / "secret.txt"
    assert secret.read_text() == "mine" and int(uid) >= FIRST_UID
    server = room.processes(room.ada, "jupyterhub-singleuser")[0].pid
    private = room.hub.state / "private" / "jupyterhub.sqlite"
    for place in (secret, f"/proc/{server}/environ", private):
        with pytest.raises(CellError, match="PermissionError"):
            run(room.ben, f"open({str(place)!r}).read()")
    with pytest.raises(CellError, match="PermissionError"):
        run(room.ben, f"import os; os.listdir({str(room.home(room.ada))!r})")
    assert run(room.ben, "import os; print(os.getuid(), os.getgroups())").split()[0] not in (uid, "0")


def test_one_users_token_opens_nothing_of_anothers_nor_of_the_hub(room):
    server = room.processes(room.ada, "jupyterhub-singleuser")[0]
    (port,) = {each.laddr.port for each in server.net_connections("inet") if each.status == psutil.CONN_LISTEN}
    (proxy,) = room.hub.commands("configurable-http-proxy")
    words = proxy.cmdline()
    urls = [f"{room.hub.url}/{place}" for place in ("user/ben/api/contents", "user/ada/api/contents", "hub/api/users",
                                                    "hub/api/users/ada", "hub/api/users/ada/tokens")]
    urls += [f"http://127.0.0.1:{port}/user/ada/api/contents",                  # past the proxy
             f"http://127.0.0.1:{words[words.index('--api-port') + 1]}/api/routes"]
    mine, *others = map(int, run(room.ben, KNOCK.format(urls=urls)).split())
    assert mine == 200 and set(others) <= {403, 404}, others


@needs_accounts
def test_one_user_can_not_listen_to_anothers_kernel(room):
    async def overhears(user):
        speaker, listener = await room.ada.open_kernel("speaks.ipynb"), await user.open_kernel("listens.ipynb")
        name = await speaker.run("from ipykernel.connect import get_connection_file; print(get_connection_file())")
        what = json.loads(Path(name.strip()).read_text())
        assert what["transport"] == "ipc"
        await listener.run(SUBSCRIBE.format(path=f"{what['ip']}-{what['iopub_port']}"))
        heard = asyncio.ensure_future(listener.run("print(listen())"))
        for _ in range(8):
            await speaker.run("print('between us')")
            await asyncio.sleep(0.1)
        return (await heard).strip()
    assert asyncio.run(overhears(room.ada)) == "True"       # so the test would notice
    assert asyncio.run(overhears(room.ben)) == "False"


def test_a_process_that_wants_too_much_memory_is_told_and_lives(room):
    with pytest.raises(CellError, match="MemoryError"):
        run(room.ben, "much = bytearray(3 * 2**30)")
    assert run(room.ben, "much = bytearray(2**29); print(len(much))") == str(2**29)


def edited(notebook):
    """A learner's answer in the first stub, with an output, and that cell."""
    cell = next(cell for cell in notebook["cells"] if "stub" in cell["metadata"].get("tags", []))
    cell["source"] = "def answer(x):\n    return x + 41    # my own\n"
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "it works\n"}]
    return cell


def test_what_a_learner_saved_survives_an_update_of_the_course(room, tmp_path):
    notebook = asyncio.run(room.ada.read(CHAPTER))
    mine = edited(notebook)
    asyncio.run(room.ada.save(CHAPTER, notebook))
    git(tmp_path, "clone", "--quiet", str(room.repository), "work")
    upstream = tmp_path / "work" / CHAPTER.partition("/")[2]
    newer = json.loads(upstream.read_text())
    stubs = [cell for cell in newer["cells"] if "stub" in cell["metadata"].get("tags", [])]
    stubs[0]["source"] = ["def answer(x):    # the course has changed this, too\n", "    ...\n"]
    newer["cells"][0]["source"] = ["# Tensors, second edition\n"]
    upstream.write_text(json.dumps(newer, indent=1, ensure_ascii=False) + "\n")
    git(tmp_path / "work", *AUTHOR, "commit", "--quiet", "--all", "--message", "Second edition")
    git(tmp_path / "work", "push", "--quiet")
    asyncio.run(room.ada.pull(f"file://{room.repository}"))
    merged = asyncio.run(room.ada.read(CHAPTER))
    assert merged["cells"][0]["source"] == "# Tensors, second edition\n"
    (kept,) = (cell for cell in merged["cells"] if cell.get("id") == mine["id"])
    assert kept["source"] == mine["source"].rstrip("\n") or kept["source"] == mine["source"]
    assert kept["outputs"] == mine["outputs"]


def test_killed_kernels_and_servers_lose_nothing_that_was_saved(room):
    notebook = asyncio.run(room.ben.read(CHAPTER))
    mine = edited(notebook)
    asyncio.run(room.ben.save(CHAPTER, notebook))
    for words in ("ipykernel_launcher", "jupyterhub-singleuser"):
        assert run(room.ben, "print('works')", path="victim.ipynb") == "works"
        kernel, victim = (max(room.processes(room.ben, name), key=psutil.Process.create_time)
                          for name in ("ipykernel_launcher", words))
        victim.kill()
        assert all_gone([kernel.pid])                   # a kernel does not outlive its server
        if words == "jupyterhub-singleuser":
            asyncio.run(room.ben.start())
        (kept,) = (cell for cell in asyncio.run(room.ben.read(CHAPTER))["cells"] if cell["id"] == mine["id"])
        assert kept["source"] == mine["source"] and kept["outputs"] == mine["outputs"]
    assert run(room.ben, "print('again')", path="victim.ipynb") == "again"


def test_a_browser_follows_a_chapters_link(room):
    links = chapter_links({"hub": room.hub.url, "repository": f"file://{room.repository}"})
    link = links[CHAPTER.partition("/")[2]]
    browser = requests.Session()
    form = browser.get(link, timeout=30)                # not logged in: the hub asks for a name
    assert "/hub/login" in form.url
    answers = {"username": "ada", "password": "", "_xsrf": browser.cookies.get("_xsrf", path="/hub/")}
    page = browser.post(form.url, data=answers, timeout=60)
    assert page.status_code == 200 and "/user/ada/git-pull" in page.url
    assert "Synchronizing" in page.text and CHAPTER in page.text


def test_a_hub_without_passwords_does_not_start_where_others_reach_it(room):
    state = room.hub.state.parent / "refused"
    state.mkdir()
    settings = ["--JupyterHub.bind_url=http://0.0.0.0:8000", "--JupyterHub.bind_url=http://:8000",
                "--JupyterHub.hub_ip="]
    done = subprocess.run([ROOT / ".venv-hub" / "bin" / "python", "-c", START_AS, CONFIG, *settings], text=True,
                          capture_output=True, timeout=300, cwd=state,
                          env=os.environ | {"COURSE_HUB_STATE": str(state)})
    assert done.stdout.split() == ["1"] * len(settings), done.stderr
    assert done.stderr.count("found a hub without passwords") == len(settings)


def test_a_class_runs_a_chapter(room):
    """What ``make hub-test N=30`` does, in small."""
    chapter = next(path for path in chapters() if path.stem == Path(CHAPTER).stem)
    results = asyncio.run(whole_class(room.hub, 2, 2, f"file://{room.repository}", chapter))
    found = summary(results, memory(room.hub), {"users": 2})
    assert (found["finished"], found["errors"]) == (2, [])
    assert all(len(result["cells"]) > 10 and result["ready"] > 0 for result in results)
    assert 50 < found["server"]["resident"] < found["kernel"]["resident"] < found["user"]["resident"] < 1000
