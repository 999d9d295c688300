"""`doctor --workshop`: a line for each chapter, and on each bad machine what to mend."""

import errno
import json
import re
import tempfile
from collections import namedtuple
from dataclasses import replace

import pytest

from course_utils import budgets, doctor
from course_utils.__main__ import main
from course_utils.challenge.images import FOLDER_VARIABLE
from course_utils.doctor import Check
from course_utils.preflight import limits, machine, needs, report
from course_utils.preflight.chapters import CHAPTERS, KEPT, Kept

TITLES = {chapter.number: chapter.title for chapter in CHAPTERS}
NEED_DATA = [chapter.number for chapter in CHAPTERS if chapter.kept]
Usage = namedtuple("Usage", "free")


@pytest.fixture
def good(cache, monkeypatch, tmp_path):
    """A machine on which all is well; no kernel is started, nothing is measured."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COURSE_CACHE", str(cache))
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(machine, "kernel", lambda: (Check("kernel", "ok", "python3"), {"threads": 2}))
    monkeypatch.setattr(machine, "training_step", lambda: 0.1)
    found = budgets.measured()
    monkeypatch.setattr(budgets, "measured", lambda: replace(found, training_step=0.1))
    monkeypatch.setattr(limits, "free_memory_mb", lambda: 8000.0)
    monkeypatch.setattr(limits, "cores", lambda: 2.0)
    monkeypatch.setattr(needs.build, "missing", lambda: "")
    have(monkeypatch, set(KEPT))
    return monkeypatch


def have(monkeypatch, names):
    """Let only these be here."""
    monkeypatch.setattr(needs, "KEPT", {name: Kept(kept.name, kept.mb, lambda name=name: name in names, kept.make)
                                        for name, kept in KEPT.items()})


def run(capsys, code):
    """What the command prints; its exit code is as said."""
    assert main(["doctor", "--workshop"]) == code
    return capsys.readouterr().out


def marked(printed):
    """The chapters that have each mark, by the mark."""
    rows = re.findall(r"^([✓!✗]) (\d\d) ", printed, re.MULTILINE)
    found = {mark: [number for other, number in rows if other == mark] for mark in "✓!✗"}
    assert sum(map(len, found.values())) >= len(CHAPTERS)
    return found


# --- good machines ----------------------------------------------------------------------------------

def test_a_good_machine(good, capsys):
    printed = run(capsys, 0)
    assert marked(printed)["✓"][:17] == list(TITLES) and not marked(printed)["!"] and not marked(printed)["✗"]
    assert "to mend" not in printed and printed.endswith("ready for a workshop\n")
    assert re.search(r"^✓ 08 Convolutional networks +\d+ +\d+  here$", printed, re.MULTILINE)
    assert max(map(len, printed.splitlines())) <= 110
    assert ("without all files of mnist, recorded results are shown\n"
            f"    → {doctor.command('fetch mnist')}") in printed


def test_as_json(good, capsys):
    have(good, {"patches"})
    assert main(["doctor", "--workshop", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"healthy", "machine", "chapters"} and found["healthy"] is True
    assert [row["chapter"] for row in found["chapters"]] == [chapter.name for chapter in CHAPTERS]
    assert found["chapters"][9] | {"checks": []} == {
        "chapter": "10_unet", "title": "U-Nets", "status": "warning", "seconds": CHAPTERS[9].seconds,
        "peak_mb": CHAPTERS[9].peak_mb, "checks": []}


def test_a_chapter_that_was_not_measured(good, capsys):
    good.setattr(budgets, "measured", lambda: budgets.Measured({}, 0, {}, ""))
    assert re.search(r"^✓ 01 Tensors +\?  +\?  none", run(capsys, 0), re.MULTILINE)


# --- bad machines -----------------------------------------------------------------------------------

def test_missing_data_is_a_warning_that_says_how_to_make_it(good, capsys):
    have(good, {"patches", "sky frames", "challenge images"})
    printed = run(capsys, 0)
    assert marked(printed)["!"][:3] == ["08", "10", "17"]
    assert ("! 08, 10, 17: the patches of 450 scenes are made when first used\n"
            f"    → now: {doctor.command('simulate --all')}") in printed
    assert printed.endswith("ready for a workshop; warnings: 1\n")


def test_a_cache_that_can_not_be_written(good, capsys, tmp_path):
    (tmp_path / "file").touch()
    good.setenv("COURSE_CACHE", str(tmp_path / "file" / "cache"))
    have(good, set())
    printed = run(capsys, 1)
    assert marked(printed)["✗"][:len(NEED_DATA)] == NEED_DATA and "✗ data folder" in printed
    for name, kept in KEPT.items():                                     # a chapter may lack several: each is named
        who = ", ".join(chapter.number for chapter in CHAPTERS if name in chapter.kept)
        assert f"✗ {who}: {kept.name} are not here and cannot be kept" in printed
    assert "→ name a folder that can be written in COURSE_CACHE, or one that has them in COURSE_DATA" in printed


def test_a_full_disk(good, capsys, cache):
    good.setattr("shutil.disk_usage", lambda path: Usage(150e6))
    have(good, {"more patches"})
    printed = run(capsys, 1)
    wanted = sum(kept.mb for name, kept in KEPT.items() if name != "more patches") + machine.SPARE_MB
    assert f"→ free {wanted} MB in {cache}" in printed and "and the disk has 150 MB left" in printed
    good.setattr("shutil.disk_usage", lambda path: Usage(50e6))
    have(good, set(KEPT))
    assert "✗ home: " in run(capsys, 1)


def test_a_home_and_a_scratch_folder_that_can_not_be_written(good, capsys):
    def full(dir):
        raise OSError(errno.ENOSPC, "No space left on device")

    good.setattr(machine.tempfile, "TemporaryFile", full)
    printed = run(capsys, 1)
    assert re.search(r"✗ home: .* cannot be written: No space left on device\n +→ mend the rights, or the", printed)
    assert re.search(r"✗ temporary files: .*\n +→ name a folder that can be written in TMPDIR", printed)


def test_no_scratch_folder_at_all(monkeypatch):
    def none():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    check = machine.scratch()
    assert check.status == "error" and check.advice == "name a folder that can be written in TMPDIR"


def test_little_memory(good, capsys):
    free = sorted(chapter.peak_mb for chapter in CHAPTERS)[8] + 1
    good.setattr(limits, "free_memory_mb", lambda: free)
    printed, heaviest = run(capsys, 1), max(chapter.peak_mb for chapter in CHAPTERS)
    assert marked(printed)["✗"][:8] == [chapter.number for chapter in CHAPTERS if chapter.peak_mb > free]
    assert f"→ shut down other kernels, or give each learner {heaviest + 140:,.0f} MB" in printed
    good.setattr(limits, "free_memory_mb", lambda: heaviest + 1)
    assert "hardly more than the kernel needs" in run(capsys, 0)
    good.setattr(limits, "free_memory_mb", lambda: None)
    assert "✓ free memory      unknown" in run(capsys, 0)


def test_a_kernel_that_does_not_start(good, capsys):
    good.setattr(machine, "kernel", lambda: (Check("kernel", "error", "there is none", "make one"), {}))
    assert "✗ kernel: there is none\n    → make one" in run(capsys, 1)


def test_a_slow_machine(good, capsys):
    good.setattr(machine, "training_step", lambda: 0.5)
    printed = run(capsys, 0)
    assert "! speed: a training takes 5.0 times as long as where the chapters were measured\n    → end other" in printed
    assert "10" in marked(printed)["!"] and "01" not in marked(printed)["!"]


def test_more_threads_than_cores(good, capsys):
    good.setattr(machine, "kernel", lambda: (Check("kernel", "ok", "python3"), {"threads": 64}))
    assert "! threads: 64 for 2 cores\n    → set OMP_NUM_THREADS=2 for learners" in run(capsys, 0)
    good.setattr(limits, "cores", lambda: 0.5)
    assert "→ set OMP_NUM_THREADS=1 for learners" in run(capsys, 0)
    assert machine.threads(1).status == "warning" and "2 cores" in machine.threads(1).advice


def test_no_compilers(good, capsys):
    good.setattr(needs.build, "missing", lambda: "gfortran")
    printed = run(capsys, 0)
    assert marked(printed)["!"][0] == "15" and "! 15: without gfortran the Fortran part is read, not run" in printed


def test_a_wrong_folder_for_the_challenge(good, capsys, tmp_path):
    good.setenv(FOLDER_VARIABLE, str(tmp_path / "none"))
    good.setattr(needs, "KEPT", needs.KEPT | {"challenge images": KEPT["challenge images"]})
    printed = run(capsys, 1)
    assert marked(printed)["✗"][0] == "17" and "→ correct COURSE_CHALLENGE or unset it" in printed


def test_a_fetched_file_with_other_bytes(good, capsys, cache):
    (cache / "ukis").mkdir(parents=True)
    (cache / "ukis" / "landsat5.npz").write_bytes(b"rotten")
    assert re.search(rf"✗ ukis: found sha256 .*\n +→ run {doctor.command('fetch ukis')}", run(capsys, 1))


def test_where_packages_are_missing_the_plain_doctor_speaks(good, capsys):
    good.setattr(doctor, "packages", lambda: [Check("torch", "error", "not installed", doctor.INSTALL)])
    assert run(capsys, 1) == (f"✗ torch  not installed\n         → {doctor.INSTALL}\n"
                              "not ready: mend the lines marked ✗, from the top\n")


def test_examine_is_what_the_command_shows(good):
    found = report.examine()
    assert found.healthy and len(found.chapters) == len(CHAPTERS)
