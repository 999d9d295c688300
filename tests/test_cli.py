"""The command line as a person meets it: what it prints, and its exit code."""

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import doctor
from course_utils.__main__ import main
from course_utils.data import cached, packed
from course_utils.data.patches import cached_folder, write_packed

LANDSAT5 = "ukis/landsat5.npz"


@pytest.fixture(autouse=True)
def own_cache(cache):
    """Every command works in an empty cache."""
    cached._opened.clear()
    yield
    cached._opened.clear()


def status(name):
    return next(check for check in doctor.examine() if check.name == name)


# --- fetch ----------------------------------------------------------------------------------------

def test_fetch_ukis_and_l8biome_from_a_server(server, cache, shared_realdata, capsys):
    server.folder = shared_realdata
    code = main(["fetch", "ukis", "l8biome"])
    printed = capsys.readouterr()
    here = [path for path in shared_realdata.rglob("*") if path.parts[-2] in ("images", "masks", "ukis")
            and "swimseg" not in path.parts]
    assert printed.out.count("✓ ") == len(here) == 26
    assert printed.err.count("✗ ") == 61 - 26 and "35 of 61 files are missing" in printed.err
    assert code == 1                                        # the others are not on this server
    assert f"✓ {LANDSAT5} (2.0 MB)  {cache / LANDSAT5}" in printed.out
    assert "licence: Apache-2.0" in printed.out and "10.1016/j.rse.2017.03.026" in printed.out
    assert (cache / LANDSAT5).read_bytes() == (shared_realdata / LANDSAT5).read_bytes()
    asked = len(server.requests)
    assert main(["fetch", LANDSAT5, "l8biome/images/Water_01_0922.tif"]) == 0
    assert len(server.requests) == asked                    # verified, not fetched again


def test_fetch_of_wrong_bytes(server, cache, capsys):
    server.files[LANDSAT5] = b"not the file"
    assert main(["fetch", LANDSAT5]) == 1
    assert re.search(r"✗ ukis/landsat5\.npz: found sha256 .*never used", capsys.readouterr().err)
    assert [path.name for path in (cache / "ukis").iterdir()] == ["landsat5.npz.corrupt"]


def test_fetch_of_an_unknown_name(capsys):
    assert main(["fetch", "l8biom"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.strip().endswith("did you mean l8biome?")
    assert "expected one of ukis, l8biome, mnist, cifar10, pace" in printed.err


def test_fetch_of_nothing(capsys):
    assert main(["fetch"]) == 2
    assert "name what to fetch: ukis, l8biome, mnist, cifar10, pace" in capsys.readouterr().err


def test_fetch_without_a_network_is_one_clear_line(cache, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_MIRROR", "http://127.0.0.1:9")       # the discard port: nobody listens
    assert main(["fetch", "l8biome"]) == 1
    first, empty, last = capsys.readouterr().err.strip().splitlines()
    assert first.startswith("✗ l8biome/images/Barren_00_0214.tif: found no connection to http://127.0.0.1:9/")
    assert f"put the file at {cache / 'l8biome/images/Barren_00_0214.tif'} by hand" in first and empty == ""
    assert last.startswith("58 of 58 files are missing, 57 of them not tried; the same command")


def test_fetch_list_of_names_gives_addresses_and_what_is_here(capsys, monkeypatch, shared_realdata):
    monkeypatch.setenv("COURSE_DATA", str(shared_realdata))
    assert main(["fetch", "--list", "ukis"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{LANDSAT5}  {shared_realdata / LANDSAT5}"
    assert lines[2].startswith("ukis/sentinel2.npz  https://raw.githubusercontent.com/dlr-eoc/ukis-csmask/")
    assert main(["fetch", "--list", "nosuch"]) == 2 and "found no dataset 'nosuch'" in capsys.readouterr().err


def test_fetch_list(capsys, monkeypatch, shared_realdata):
    assert main(["fetch", "--list"]) == 0
    printed = capsys.readouterr().out
    assert "ukis     0 of 3 files here, 8.0 MB; licence: Apache-2.0" in printed
    assert printed.count("cite: ") == 5 and "10.1016/j.rse.2019.05.022" in printed
    monkeypatch.setenv("COURSE_DATA", str(shared_realdata))
    assert main(["fetch", "--list"]) == 0
    printed = capsys.readouterr().out
    assert "ukis     2 of 3 files here" in printed and "l8biome  24 of 58 files here" in printed
    assert "pace     0 of 1 files here, size unknown" in printed


def test_fetch_that_takes_too_long(server, capsys):
    server.hang.add(LANDSAT5)
    assert main(["fetch", LANDSAT5, "--timeout", "0.2"]) == 1
    assert "found no answer within 0.2 s" in capsys.readouterr().err


def test_fetch_that_is_stopped(monkeypatch, capsys):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("course_utils.data.download.fetch", stop)
    assert main(["fetch", "ukis"]) == 1
    assert "what was downloaded so far is kept" in capsys.readouterr().err


# --- doctor ---------------------------------------------------------------------------------------

def test_a_healthy_machine(cache, capsys):
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    for line in ("✓ Python", "✓ torch", "✓ device", "✓ cores", f"✓ data folder       {cache}, can be written",
                 "✓ ukis              not fetched", f"→ optional: {doctor.command('fetch ukis')}"):
        assert line in printed
    assert printed.endswith("ready\n") and "✗" not in printed


def test_doctor_as_json(capsys):
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["healthy"] is True
    assert {"name", "status", "found", "advice"} == set(report["checks"][0])
    assert [check["name"] for check in report["checks"]][:3] == ["Python", "torch", "numpy"]


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    check = doctor._python()
    assert (check.status, check.found, check.advice) == ("error", "3.10.4", "install Python 3.11 or newer")


def test_missing_and_old_packages(monkeypatch, capsys):
    versions = importlib.metadata.version

    def version(name):
        if name == "tifffile":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.9.0" if name == "torch" else versions(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(doctor, "ENVIRONMENT", Path(sys.prefix))
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert re.search(r"✗ tifffile +not installed\n +→ run pip install -r requirements\.txt", printed)
    assert re.search(r"! torch +1\.9\.0, older than 2\.13\.0", printed)
    assert printed.endswith("not ready: mend the lines marked ✗, from the top\n")


def test_a_machine_without_jupyterlab_is_ready_for_a_hub(monkeypatch):
    versions = importlib.metadata.version

    def version(name):
        if name == "jupyterlab":
            raise importlib.metadata.PackageNotFoundError(name)
        return versions(name)

    assert status("jupyterlab").status == status("ipykernel").status == "ok"
    monkeypatch.setattr(importlib.metadata, "version", version)
    check = status("jupyterlab")
    assert (check.status, check.found) == ("warning", "not installed") and "to open the notebooks here" in check.advice
    assert doctor.healthy(doctor.examine())


def test_another_python_is_sent_to_the_courses_own(monkeypatch, tmp_path):
    def version(name):
        raise importlib.metadata.PackageNotFoundError(name)

    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.touch()
    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(doctor, "ENVIRONMENT", tmp_path)
    checks = doctor.examine()
    assert [check.name for check in checks] == ["Python", "environment"] and not doctor.healthy(checks)
    assert sys.executable in checks[1].found and f"{python} -m course_utils doctor" in checks[1].advice
    python.unlink()
    assert len(doctor.examine()) == 1 + len(doctor.OLDEST)          # none was set up: the packages are named


def test_a_command_is_written_as_it_is_typed(monkeypatch, tmp_path):
    """For the shell's own Python, for one in a folder below, for one elsewhere, for one whose path has a space."""
    monkeypatch.chdir(tmp_path)
    own = tmp_path / ".venv" / "bin" / "python"
    for python, on_path, typed in ((own, own, "python"), (own, "/usr/bin/python", ".venv/bin/python"),
                                   ("/opt/python", None, "/opt/python"), ("/a b/python", None, '"/a b/python"')):
        monkeypatch.setattr(sys, "executable", str(python))
        monkeypatch.setattr(doctor.shutil, "which", lambda name, on_path=on_path: on_path and str(on_path))
        assert doctor.command("doctor") == f"{typed} -m course_utils doctor"


@pytest.mark.parametrize(("found", "wanted", "old"), [
    ("2.13.0+cpu", "2.13.0", False), ("2.9.1", "2.13.0", True), ("2.13.0", "2.9.1", False), ("3.0", "2.13.0", False)])
def test_versions_are_compared_as_numbers(found, wanted, old):
    assert (doctor._numbers(found) < doctor._numbers(wanted)) is old


def test_the_versions_are_those_of_the_requirements(request):
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)", (request.config.rootpath / "requirements.txt").read_text(), re.M))
    checked = doctor.OLDEST | doctor.NOTEBOOKS
    assert {name: pinned[name] for name in checked} == checked


def test_a_folder_that_can_not_be_written(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file" / "cache"))
    assert main(["doctor"]) == 1
    assert re.search(r"✗ data folder .*file/cache cannot be written: Not a directory\n.*COURSE_CACHE",
                     capsys.readouterr().out)


def test_a_shared_folder_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "none"))
    check = status("shared folder")
    assert check.status == "error" and "COURSE_DATA names" in check.found and "unset it" in check.advice
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert status("shared folder").status == "ok"


def test_little_memory_and_disk(monkeypatch):
    monkeypatch.setattr("course_utils.runtime._memory_gb", lambda: 0.7)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1e8}))
    assert (status("memory").status, status("disk").status) == ("warning", "warning")
    assert "close other notebooks" in status("memory").advice and "free at least 0.5 GB" in status("disk").advice
    monkeypatch.setattr("course_utils.runtime._memory_gb", lambda: None)
    assert status("memory").found == "unknown"


def test_fetched_files_are_verified(cache, server, shared_realdata):
    server.folder = shared_realdata
    main(["fetch", "ukis"])
    check = status("ukis")
    assert (check.status, check.found) == ("warning", "2 of 3 files, verified")
    (cache / LANDSAT5).write_bytes(b"rotten")
    check = status("ukis")
    assert check.status == "error" and "never used" in check.found and check.advice == (
        f"run {doctor.command('fetch ukis')}")


def test_a_dataset_without_a_published_hash(cache):
    (cache / "pace" / "cldmask_dataset").mkdir(parents=True)
    assert status("pace").found == "1 files, no hash published"


def test_simulated_scenes_are_verified(cache):
    assert status("simulated scenes").found == "not yet made"
    patches = packed.simulate_patches([0])
    write_packed(cached_folder(), patches)
    assert status("simulated scenes").found == "16 patches, verified"
    (cached_folder() / "scene.npy").unlink()
    check = status("simulated scenes")
    assert check.status == "warning" and "made again when first used" in check.advice


# --- simulate, and the program itself -------------------------------------------------------------

def test_simulate_fills_the_cache(capsys):
    assert main(["simulate", "--scenes", "1", "--sensor", "landsat8", "--workers", "1"]) == 0
    assert re.search(r"✓ 16 patches of 1 scenes .*landsat-8-oli-1-scenes-seed-0", capsys.readouterr().out)
    assert main(["simulate", "--sensor", "moon"]) == 2
    assert "landsat8" in capsys.readouterr().err
    assert main(["simulate", "--scenes", "0"]) == 2


def test_simulate_takes_as_many_scenes_as_the_course_does(monkeypatch, capsys):
    monkeypatch.setattr(cached, "COURSE_SCENES", 2)
    assert main(["simulate", "--sensor", "rgb", "--workers", "1"]) == 0
    assert "✓ 32 patches of 2 scenes" in capsys.readouterr().out


def test_no_command_and_a_wrong_one():
    for arguments in ([], ["fly"]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)


def test_the_program_starts_quickly_and_knows_its_version():
    """`--help` needs no PyTorch: a machine where it is broken still gets an answer."""
    code = ("import sys, course_utils.__main__ as program\n"
            "try: program.main(['--version'])\nfinally: assert 'torch' not in sys.modules")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout), done.stderr
