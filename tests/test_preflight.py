"""`doctor --workshop`: its table is the book's, and on each bad machine it names what to mend."""

import ast
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
from course_utils.data import cached
from course_utils.data.registry import DATASETS
from course_utils.doctor import Check
from course_utils.preflight import chapters, limits, machine, needs, report
from course_utils.preflight.chapters import CHAPTERS, KEPT, Kept
from tools import notebooks

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


# --- the table is the book's ------------------------------------------------------------------------

def used(chapter):
    """What the code of a chapter asks for: what is kept, what is fetched, whether it compiles."""
    kept, fetched, compiles = set(), set(), False
    for block in notebooks.directives(chapter.read_text(encoding="utf-8")):
        if block.name != "code-cell":
            continue
        for node in ast.walk(ast.parse(block.body)):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if name == "load_patches":
                kept.add({None: "patches", str(chapters.MORE_SCENES): "more patches"}[given.get("scenes")])
            elif name in ("load_frames", "load_series"):
                kept.add("sky frames")
                assert name == "load_frames" or ast.unparse(node) == f"load_series({chapters.NIGHT})"
            elif name == "test_images":
                kept.add("challenge images")
            elif name in ("available", "labelled_scenes"):
                fetched |= {ast.literal_eval(node.args[0])}
            elif name == "mnist_available":
                fetched.add("mnist")
            compiles |= name == "missing"
    return kept, fetched, compiles


@pytest.mark.parametrize("chapter", notebooks.chapters(), ids=lambda path: path.stem)
def test_every_chapter_is_in_the_table_with_what_its_code_asks_for(chapter):
    (entry,) = [entry for entry in CHAPTERS if entry.name == chapter.stem]
    title = re.search(r"^# (.*)$", chapter.read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert (entry.title, (set(entry.kept), set(entry.fetched), entry.compiles)) == (title, used(chapter))


def test_the_table_has_no_other_chapters_and_each_was_measured():
    assert [chapter.name for chapter in CHAPTERS] == [path.stem for path in notebooks.chapters()]
    for chapter in CHAPTERS:
        assert 0 < chapter.seconds < 300 and 100 < chapter.peak_mb < 2000


def test_what_is_fetched_or_kept_is_known():
    assert {name for chapter in CHAPTERS for name in chapter.fetched} <= set(DATASETS)
    assert {name for chapter in CHAPTERS for name in chapter.kept} == set(KEPT)


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
        assert f"✗ {who}: {kept.name} are not here and can not be kept" in printed
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
    assert re.search(r"✗ home: .* can not be written: No space left on device\n +→ mend the rights, or the", printed)
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


# --- a real kernel ----------------------------------------------------------------------------------

def specify(folder, monkeypatch, *command, **environment):
    """Name a kernel that runs this command."""
    (folder / "kernels" / "odd").mkdir(parents=True)
    (folder / "kernels" / "odd" / "kernel.json").write_text(json.dumps(
        {"argv": command, "display_name": "odd", "language": "python", "env": environment}))
    monkeypatch.setenv("JUPYTER_PATH", str(folder))


def test_the_chapters_kernel_starts_and_ends():
    import psutil

    assert {notebooks.to_notebook(path.read_text(encoding="utf-8")).metadata.kernelspec.name
            for path in notebooks.chapters()[:1]} == {machine.KERNEL}
    check, about = machine.kernel()
    assert check.status == "ok" and about["threads"] >= 1 and about["python"] in check.found
    assert not [one for one in psutil.Process().children() if "ipykernel" in " ".join(one.cmdline())]


def test_a_kernel_that_is_not_there():
    check, about = machine.kernel("no-such-kernel")
    assert (check.status, about) == ("error", {}) and "there is no kernel no-such-kernel" in check.found
    assert "python -m ipykernel install --sys-prefix --name no-such-kernel" in check.advice


def test_a_kernel_of_an_environment_without_pytorch(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("raise ImportError('no PyTorch here')")
    specify(tmp_path, monkeypatch, "python", "-m", "ipykernel_launcher", "-f", "{connection_file}",
            PYTHONPATH=str(tmp_path))
    check, about = machine.kernel("odd")
    assert (check.found, about) == ("odd starts, but ImportError: no PyTorch here", {}) and check.status == "error"
    assert "requirements.txt" in check.advice


def test_a_kernel_whose_packages_chatter(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("import sys\nprint('hello')\nprint('old', file=sys.stderr, flush=True)\n"
                                       "__version__ = '2.0'\ndef get_num_threads():\n    return 3")
    specify(tmp_path, monkeypatch, "python", "-m", "ipykernel_launcher", "-f", "{connection_file}",
            PYTHONPATH=str(tmp_path))
    check, about = machine.kernel("odd")
    assert check.status == "ok" and (about["torch"], about["threads"]) == ("2.0", 3)


@pytest.mark.parametrize(("command", "words"), [(["false"], "does not answer"), (["sleep", "60"], "does not answer"),
                                                (["no-such-program"], "can not be started")])
def test_a_kernel_that_dies_or_sleeps(tmp_path, monkeypatch, command, words):
    import psutil

    specify(tmp_path, monkeypatch, *command)
    check, about = machine.kernel("odd", patience=1.5)
    assert (check.status, about) == ("error", {}) and words in check.found
    assert not [one for one in psutil.Process().children() if "sleep" in one.cmdline()]


# --- limits -----------------------------------------------------------------------------------------

@pytest.fixture
def group(tmp_path, monkeypatch):
    """A learner's service in the groups of a system; no limit yet."""
    for name in ("MEM_LIMIT", "CPU_LIMIT"):
        monkeypatch.delenv(name, raising=False)
    own = tmp_path / "user.slice" / "jupyter-ada.service"
    own.mkdir(parents=True)
    (tmp_path / "own").write_text("12:pids:/x\n0::/user.slice/jupyter-ada.service\n")
    monkeypatch.setattr(limits, "GROUPS", tmp_path)
    monkeypatch.setattr(limits, "OWN_GROUP", tmp_path / "own")
    monkeypatch.setattr(limits, "_machine_mb", lambda: 8000.0)
    monkeypatch.setattr(limits, "describe_machine", lambda: {"cores": 8})
    return own


def test_limits_of_memory(group, monkeypatch):
    assert limits.free_memory_mb() == 8000
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("600000000\n")
    assert limits.free_memory_mb() == 8000
    (group / "memory.max").write_text("1000000000\n")
    assert limits.free_memory_mb() == 400
    (group / "memory.stat").write_text("anon 1\ninactive_file 60000000\nactive_file 40000000\ninactive_anon 9\n")
    assert limits.free_memory_mb() == 500
    (group.parent / "memory.max").write_text("2000000000\n")
    (group.parent / "memory.current").write_text("1700000000\n")
    assert limits.free_memory_mb() == 300
    monkeypatch.setenv("MEM_LIMIT", str(400 * 10**6))
    assert limits.free_memory_mb() == 400 - limits.SERVER_MB
    monkeypatch.setenv("MEM_LIMIT", "none")
    assert limits.free_memory_mb() == 300


def test_limits_of_cores(group, monkeypatch):
    assert limits.cores() == 8
    (group / "cpu.max").write_text("max 100000\n")
    assert limits.cores() == 8
    (group.parent / "cpu.max").write_text("150000 100000\n")
    assert limits.cores() == 1.5
    monkeypatch.setenv("CPU_LIMIT", "0.5")
    assert limits.cores() == 0.5


def test_this_machine_has_some():
    assert limits.cores() > 0 and (limits.free_memory_mb() is None or limits.free_memory_mb() > 10)


# --- what is simulated and kept ---------------------------------------------------------------------

def test_patches_are_here_when_they_are_whole(cache, tmp_path, monkeypatch):
    cached._opened.clear()
    assert not chapters._patches_are_here(1)
    monkeypatch.setattr(chapters, "WORKERS", 1)
    chapters._make_patches(1)
    assert chapters._patches_are_here(1)
    with (cached.cached_folder(scenes=1) / "image.npy").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x77")
    assert not chapters._patches_are_here(1)
    cached._opened.clear()


def test_images_of_the_challenge_are_here_when_they_can_be_opened(cache, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert not chapters._images_are_here()
    opened = []
    monkeypatch.setattr(chapters.challenge, "open_images", opened.append)
    assert chapters._images_are_here() and opened[0].parent == cache / "challenge"
    monkeypatch.setenv(FOLDER_VARIABLE, "a/round")
    assert chapters._images_are_here() and str(opened[1]) == "a/round"


def test_simulate_all_makes_everything(monkeypatch, capsys):
    made = []
    for name, kept in KEPT.items():
        monkeypatch.setitem(KEPT, name, Kept(kept.name, kept.mb, kept.is_here, lambda name=name: made.append(name)))
    assert main(["simulate", "--all"]) == 0
    assert made == list(KEPT) and capsys.readouterr().out.count("✓ ") == len(KEPT)


def test_all_frames_are_made(monkeypatch):
    asked = []
    monkeypatch.setattr(chapters, "load_frames", lambda part, time, progress: asked.append((part, time)))
    monkeypatch.setattr(chapters, "load_series", lambda number, progress: asked.append(number))
    chapters._make_frames()
    assert len(asked) == 7 and asked[-1] == chapters.NIGHT


def test_a_training_step_is_measured(monkeypatch):
    monkeypatch.setattr(machine, "seconds", lambda step, **how: step() or 0.25)        # once is enough here
    assert machine.training_step() == 0.25


def test_examine_is_what_the_command_shows(good):
    found = report.examine()
    assert found.healthy and len(found.chapters) == len(CHAPTERS)
