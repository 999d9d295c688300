"""Submissions: refused with clear words, marked right, put on the board once; and the commands that do it."""

import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from course_utils import challenge, leaderboard, metrics, simulate
from course_utils.__main__ import main
from course_utils.challenge import ChallengeError, Round, Submission, marking, rounds
from course_utils.challenge.rounds import IDS, PATCHES
from course_utils.challenge.submission import SHAPE, read_submission, write_submission
from course_utils.data.samples import cut
from course_utils.metrics import Counts

OWN = Round()


def made(name="blocks", seed=0, **changes):
    """A valid submission: random blocks of cloud."""
    rng = np.random.default_rng(seed)
    pred = np.kron(rng.random((PATCHES, 8, 8)) < 0.4, np.ones((1, 8, 8), bool))
    return Submission(**{"round_id": OWN.id, "name": name, "model": "noise", "parameters": 0, "cpu_seconds": 1.5,
                         "ids": IDS.copy(), "pred": pred, **changes})


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    """A valid file, and what its arrays are."""
    path = tmp_path_factory.mktemp("handed-in") / "blocks.npz"
    write_submission(path, made())
    with np.load(path) as arrays:
        return path, dict(arrays)


@pytest.fixture
def quick(monkeypatch):
    """A truth that needs no simulation: as many patches, drawn."""
    rng = np.random.default_rng(9)
    codes = rng.choice(np.array([0, 1, 2, 255], np.uint8), size=SHAPE, p=[0.5, 0.25, 0.2, 0.05])
    mask, valid = metrics.from_codes(codes)
    small = rng.random(SHAPE) < 0.1
    drawn = marking.Truth(mask, valid, codes == 2, small & mask, (rng.random(SHAPE) < 0.3) & valid)
    monkeypatch.setattr(marking, "truth", lambda _: drawn)
    return drawn


# --- the file -------------------------------------------------------------------------------------

def test_what_is_written_is_read_again(handed_in):
    path, arrays = handed_in
    found, wanted = read_submission(path), made()
    assert found.digest == wanted.digest and np.array_equal(found.pred, wanted.pred)
    assert (found.name, found.parameters, found.cpu_seconds) == ("blocks", 0, 1.5)
    assert set(arrays) == {"round_id", "name", "model", "parameters", "cpu_seconds", "ids", "pred"}
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_numpy_alone_can_write_one(tmp_path):
    one = made()
    np.savez(tmp_path / "plain.npz", round_id=one.round_id, name="by hand", model="x", parameters=3, cpu_seconds=2.0,
             ids=one.ids, pred=one.pred)
    assert read_submission(tmp_path / "plain.npz").digest == one.digest


def test_order_does_not_matter_and_masks_do():
    order = np.random.default_rng(1).permutation(PATCHES)
    one = made()
    mixed = replace(one, ids=one.ids[order], pred=one.pred[order])
    assert mixed.digest == one.digest and np.array_equal(mixed.ordered, one.pred)
    assert replace(one, pred=one.pred[order]).digest != one.digest          # ids forgotten: other masks
    assert replace(one, name="another", cpu_seconds=7.0).digest == one.digest


@pytest.mark.parametrize(("changes", "words"), [
    ({"name": ""}, "found name '', expected one line of 1 to 60"),
    ({"name": "a\nb"}, "expected one line"),
    ({"name": "n" * 61}, "of 1 to 60 characters"),
    ({"round_id": 7}, "found round_id '7'"),
    ({"parameters": -1}, "found parameters -1, expected a whole number"),
    ({"parameters": 1.5}, r"found parameters 1\.5"),
    ({"cpu_seconds": float("nan")}, "found cpu_seconds nan, expected a finite number"),
    ({"cpu_seconds": -1.0}, "expected a finite number from 0"),
    ({"pred": np.zeros((3, 64, 64), bool)}, r"found pred \(3, 64, 64\) bool, expected \(960, 64, 64\) bool"),
    ({"pred": np.zeros(SHAPE, np.uint8)}, r"uint8, expected bool, true = cloud"),
    ({"pred": np.zeros(SHAPE, np.float32)}, "make masks of probabilities with the cut"),
    ({"pred": np.full(SHAPE, np.nan, np.float32)}, "float32 with NaN in it, expected bool"),
    ({"pred": [1]}, "found pred list"),
    ({"ids": IDS[:-1]}, r"found ids \(959,\) int64, expected \(960,\) int64"),
    ({"ids": IDS.astype(np.int32)}, "int32, expected"),
    ({"ids": np.arange(PATCHES)}, "found the id 16, expected 100 · scene"),
    ({"ids": np.roll(IDS, 1) * 0}, "found patch 0 more than once and 959 patches not at all"),
])
def test_parts_that_are_wrong(changes, words):
    with pytest.raises(ChallengeError, match=words):
        made(**changes)


def rewritten(arrays, path, **changes):
    """The arrays of a valid file with some replaced; None leaves one out."""
    parts = {name: value for name, value in (arrays | changes).items() if value is not None}
    np.savez_compressed(path, **parts)
    return path


@pytest.mark.parametrize(("changes", "words"), [
    ({"ids": None}, "found 'round_id, name, model, parameters, cpu_seconds, pred' in bad.npz, expected"),
    ({"extra": np.zeros(3)}, "each once"),
    ({"name": np.array([{"a": 1}], object)}, "found name of Python objects, .* can run code"),
    ({"pred": np.zeros((9_000, 64, 64), bool)}, "found pred of 36,864,128 bytes once unpacked, expected at most"),
    ({"pred": np.full(SHAPE, np.nan)}, "NaN in it"),
    ({"cpu_seconds": np.array(np.nan)}, "found cpu_seconds nan"),
    ({"name": np.array(["a", "b"])}, "found name"),
    ({"parameters": np.array(2.5)}, "found parameters 2.5"),
    ({"cpu_seconds": np.array(True)}, "found cpu_seconds True"),
    ({"cpu_seconds": np.timedelta64(3, "s")}, "found cpu_seconds that is no array of numbers"),
    ({"name": np.array((1, 2), "i4,i4")}, "found name that is no array of numbers"),
])
def test_files_with_wrong_parts(handed_in, tmp_path, changes, words):
    with pytest.raises(ChallengeError, match=words):
        read_submission(rewritten(handed_in[1], tmp_path / "bad.npz", **changes))


def archive_with(handed_in, path, name, content):
    """A copy of a valid file with the bytes of one member replaced."""
    with zipfile.ZipFile(handed_in[0]) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return path


def header_of(dtype, shape):
    """The start of an .npy file that promises an array of any size."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": dtype, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


BOOLS = "{'descr': '|b1', 'fortran_order': False, 'shape': "


def literally(text):
    """The start of an .npy file whose header is any text."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(("content", "words"), [
    (b"", "found pred that is no array"),
    (b"\x93NUMPY\x09\x00" + bytes(50), "found pred that is no array"),
    (header_of("|b1", (10**12,)), r"found pred \(1000000000000,\) bool in 0 bytes"),
    (header_of("|b1", (10**12, 0)), "found pred"),
    (header_of("<U0", (10**12,)), r"found pred \(1000000000000,\) <U0 in 0 bytes"),
    (header_of("|O", (2,)) + b"cos\nsystem\n", "found pred of Python objects"),
    (header_of("|b1", (-1,)) + b"1", "found pred"),
    (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65_535, "found pred that is no array"),
    (literally("{'descr':" + "[" * 900), "found pred that is no array"),
    (literally(BOOLS + "" + "-" * 900 + "1, }\n"), "found pred that is no array"),
    (literally(BOOLS + "(" + "9" * 900), "found pred that is no array"),
    (literally(BOOLS + "(True, 2), }\n") + b"11", "found pred that is no array"),
    (header_of("|b1", (1,) * 40) + b"1", "found pred that is no array"),
    (header_of("<c99", (1,)) + b"1", "found pred that is no array"),
    (header_of("<U1", ()) + b"\xff" * 4, "characters that do not exist"),
])
def test_arrays_that_lie_about_themselves(handed_in, tmp_path, content, words):
    with pytest.raises(ChallengeError, match=words):
        read_submission(archive_with(handed_in, tmp_path / "bad.npz", "pred.npy", content))


def test_a_bomb_is_refused_before_it_is_unpacked(handed_in, tmp_path):
    path = archive_with(handed_in, tmp_path / "bomb.npz", "pred.npy", bytes(80_000_000))
    assert path.stat().st_size < 400_000
    with pytest.raises(ChallengeError, match="found pred of 80,000,000 bytes once unpacked"):
        read_submission(path)


def test_a_bomb_that_lies_about_its_size_is_not_unpacked_beyond_it(handed_in, tmp_path):
    path = archive_with(handed_in, tmp_path / "bomb.npz", "pred.npy", header_of("|b1", SHAPE) + bytes(80_000_000))
    content = bytearray(path.read_bytes())
    place = content.rindex((80_000_128).to_bytes(4, "little"))              # in the directory, at the end
    content[place : place + 4] = (np.prod(SHAPE) + 128).item().to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(ChallengeError, match=r"can not be read \(BadZipFile: Bad CRC-32"):
        read_submission(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(handed_in, tmp_path, method):
    """They unpack as much at once as they like."""
    with zipfile.ZipFile(handed_in[0]) as old, zipfile.ZipFile(tmp_path / "bad.npz", "w", method) as new:
        for member in old.namelist():
            new.writestr(member, old.read(member))
    with pytest.raises(ChallengeError, match=f"packed by method {method}, expected"):
        read_submission(tmp_path / "bad.npz")


def test_names_in_an_archive_can_not_write_to_the_terminal(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as new:
        new.writestr("a\n\x1b[2J.npy", b"")
    with pytest.raises(ChallengeError, match="each once") as caught:
        read_submission(tmp_path / "bad.npz")
    assert str(caught.value).isprintable()


def test_a_true_byte_is_any_but_zero(handed_in, tmp_path):
    pred = made().pred
    content = header_of("|b1", SHAPE) + (pred * np.uint8(2)).tobytes()
    found = read_submission(archive_with(handed_in, tmp_path / "twos.npz", "pred.npy", content))
    assert found.digest == made().digest and np.array_equal(found.pred.view(np.uint8), pred)


def test_masks_in_fortran_order_are_the_same_masks(handed_in, tmp_path):
    found = read_submission(rewritten(handed_in[1], tmp_path / "f.npz", pred=np.asfortranarray(made().pred)))
    assert found.digest == made().digest


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_comes_twice_is_refused(handed_in, tmp_path):
    path = tmp_path / "twice.npz"
    path.write_bytes(handed_in[0].read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("pred.npy", b"again")
    with pytest.raises(ChallengeError, match="each once"):
        read_submission(path)


def test_files_that_are_no_archives(tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(ChallengeError, match=r"found text\.npz that can not be read"):
        read_submission(tmp_path / "text.npz")
    for path in (tmp_path / "none.npz", tmp_path / "folder.npz", os.devnull):
        with pytest.raises(ChallengeError, match="found no file "):
            read_submission(path)
    with (tmp_path / "long.npz").open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(ChallengeError, match=r"found long\.npz of 100,000,000 bytes"):
        read_submission(tmp_path / "long.npz")


def test_damaged_bytes_end_in_a_refusal_or_in_the_same_masks(handed_in, tmp_path):
    whole, rng = handed_in[0].read_bytes(), np.random.default_rng(3)
    for trial in range(60):
        content = bytearray(whole)
        edge = 2_000 if trial % 2 else len(content)             # the directory at the end, or anywhere
        for place in rng.integers(len(content) - edge, len(content), size=3):
            content[place] = rng.integers(256)
        (tmp_path / "bad.npz").write_bytes(content[: rng.integers(1, len(content))] if trial % 5 == 0 else content)
        try:
            found = read_submission(tmp_path / "bad.npz")
        except ChallengeError:
            continue
        assert found.digest == made().digest or found.round_id != OWN.id


def test_only_npz(tmp_path):
    with pytest.raises(ChallengeError, match=r"one that ends in \.npz"):
        write_submission(tmp_path / "masks.npy", made())


# --- marks ----------------------------------------------------------------------------------------

def test_marks_are_those_of_the_scoreboards_scores(quick):
    marks = challenge.mark(made(), OWN)
    pred = made().pred
    assert marks.iou == metrics.iou(metrics.count(pred, quick.mask, quick.valid))
    assert marks.thin_recall == (pred & quick.thin).sum() / quick.thin.sum()
    assert marks.small_recall == (pred & quick.small & quick.valid).sum() / (quick.small & quick.valid).sum()
    clear_snow = quick.snow & ~quick.mask
    assert marks.snow_alarms == (pred & clear_snow).sum() / clear_snow.sum()
    assert marks.scenes.tp.shape == (60,) and marks.scenes.total.sum() == quick.valid.sum()
    first = metrics.count(pred[:16], quick.mask[:16], quick.valid[:16])
    assert (marks.scenes.tp[0], marks.scenes.fn[0]) == (first.tp, first.fn)


def test_a_perfect_submission_is_perfect(quick):
    marks = challenge.mark(made(pred=quick.mask), OWN)
    assert (marks.iou, marks.error, marks.thin_recall, marks.snow_alarms) == (1, 0, 1, 0)


def test_the_truth_is_that_of_the_simulator(monkeypatch):
    monkeypatch.setattr(marking, "SCENES", 2)
    marking.truth.cache_clear()
    true = marking.truth(OWN)
    marking.truth.cache_clear()
    scene = simulate.scene(1, seed=OWN.seed)
    assert np.array_equal(true.mask[16:], cut(scene.mask)) and np.array_equal(true.valid[16:], cut(scene.valid))
    assert np.array_equal(true.thin[16:], cut(scene.codes == 2))
    white = np.isin(scene.surface, [simulate.SURFACES.index("snow"), simulate.SURFACES.index("ice")])
    assert np.array_equal(true.snow[16:], cut(white & scene.valid))


def test_another_round_and_too_much_computing_are_refused(quick):
    with pytest.raises(ChallengeError, match=f"found masks of round {OWN.id}, expected .* the key is another"):
        challenge.mark(made(), Round("a class's own, secret key"))
    with pytest.raises(ChallengeError, match=r"found 300\.1 processor seconds, expected at most 300"):
        challenge.mark(made(cpu_seconds=300.1), OWN)
    assert challenge.mark(made(cpu_seconds=300), OWN).iou > 0


def test_resampling_scenes():
    times = challenge.resample(60, 400, np.random.default_rng(0))
    assert times.shape == (400, 60) and (times.sum(axis=1) == 60).all()
    assert times.mean(axis=0) == pytest.approx(np.ones(60), abs=0.3)
    scenes = Counts(*np.random.default_rng(1).integers(1, 50, size=(4, 60)))
    found = challenge.resampled_iou(scenes, times)
    rows = np.repeat(np.arange(60), times[7])
    assert found[7] == pytest.approx(scenes.tp[rows].sum() / (scenes.tp + scenes.fp + scenes.fn)[rows].sum())
    assert challenge.resampled_iou(scenes, np.ones((1, 60), int))[0] == pytest.approx(
        scenes.tp.sum() / (scenes.tp + scenes.fp + scenes.fn).sum())


def test_the_standard_error_of_a_mean_is_its_textbook_value():
    """With equal unions in all scenes, IoU is a mean of scenes, and its bootstrap error is known."""
    tp = np.random.default_rng(2).integers(0, 100, size=60)
    scenes = Counts(tp, 100 - tp, np.zeros(60, int), np.zeros(60, int))
    error = challenge.resampled_iou(scenes, challenge.resample(60, 20_000, np.random.default_rng(0))).std()
    assert error == pytest.approx((tp / 100).std() / np.sqrt(60), rel=0.02)


# --- the board and the commands -------------------------------------------------------------------

def test_an_entry_stands_on_the_board_once(quick, tmp_path):
    board = tmp_path / "board.json"
    entry, shown = challenge.enter(made(), OWN, board)
    assert shown == [entry] == leaderboard.read(board) and entry["score"] == round(challenge.mark(made(), OWN).iou, 4)
    before = board.read_bytes()
    with pytest.raises(leaderboard.DuplicateError, match="found what 'blocks' on the board"):
        challenge.enter(made("renamed"), OWN, board)
    assert board.read_bytes() == before


def test_rounds_do_not_share_a_board(quick, tmp_path):
    board, other = tmp_path / "board.json", Round("a class's own, secret key")
    challenge.enter(made(), OWN, board)
    with pytest.raises(leaderboard.LeaderboardError, match=f"found round '{OWN.id}' on the board, .*'{other.id}'"):
        challenge.enter(made(round_id=other.id), other, board)


@pytest.mark.parametrize("other", [{}, {"score": "high"}, {"digest": None}])
def test_a_board_of_something_else_is_refused_before_it_is_touched(quick, tmp_path, other):
    entry, _ = challenge.enter(made(), OWN, tmp_path / "own.json")
    known = {name: value for name, value in (entry | other).items() if value is not None} if other else {"score": 1.0}
    board = tmp_path / "board.json"
    board.write_text(json.dumps([{"name": "else", **known} | {"name": "else"}]))
    before = board.read_bytes()
    with pytest.raises(leaderboard.LeaderboardError, match="of 'else' on the board, expected entries of the"):
        challenge.enter(made(seed=1), OWN, board)
    assert board.read_bytes() == before


def test_the_courses_entries_stand_among_those_of_the_same_round(quick, tmp_path):
    entry, board = challenge.enter(made(), OWN, tmp_path / "board.json")
    shown = challenge.with_baselines(board)
    assert len(shown) == len(challenge.baselines()) + 1
    assert [one["score"] for one in shown] == sorted((one["score"] for one in shown), reverse=True)
    assert challenge.with_baselines([entry | {"round": "another"}]) == [entry | {"round": "another"}]
    standings = challenge.Standings(shown, entry)
    (line,) = [line for line in str(standings).splitlines() if line.startswith("→")]
    assert " blocks " in line and f"{entry['score']:.3f} ±{entry['error']:.3f}" in line


def test_a_name_can_not_bring_markup_into_the_table(quick, tmp_path):
    _, board = challenge.enter(made("<b>bold</b>", model="<script>"), OWN, tmp_path / "board.json")
    html = challenge.Standings(board)._repr_html_()
    assert "&lt;b&gt;bold" in html and "&lt;script&gt;" in html and "<script>" not in html and html.count("<tr>") == 2


@pytest.fixture
def file(handed_in, tmp_path, cache, monkeypatch):
    monkeypatch.delenv(rounds.KEY_VARIABLE, raising=False)
    path = tmp_path / "blocks.npz"
    path.write_bytes(handed_in[0].read_bytes())
    return path


def test_score_marks_a_file_and_shows_the_board(quick, file, tmp_path, capsys):
    board = tmp_path / "shared" / "board.json"
    assert main(["score", str(file), "--board", str(board), "--json"]) == 0
    *shown, last = capsys.readouterr().out.splitlines()
    entry = json.loads(last)
    assert leaderboard.read(board) == [entry] and entry["name"] == "blocks"
    assert sum(line.startswith("→") for line in shown) == 1


def test_score_keeps_a_board_of_ones_own(quick, file, cache, capsys):
    assert main(["score", str(file)]) == 0
    assert [entry["name"] for entry in leaderboard.read(challenge.own_board(OWN))] == ["blocks"]
    assert challenge.own_board(OWN).parent == cache / "challenge"


@pytest.mark.parametrize(("changes", "words"), [
    ({"pred": np.zeros((2, 64, 64), bool)}, "found pred (2, 64, 64) bool, expected (960, 64, 64) bool"),
    ({"pred": np.full(SHAPE, np.nan, np.float32)}, "with NaN in it"),
    ({"cpu_seconds": np.array(301.0)}, "found 301.0 processor seconds, expected at most 300"),
    ({"model": np.array(["a"], object)}, "found model of Python objects"),
    ({"pred": None}, "expected round_id, name, model"),
    ({"round_id": np.array("0" * 16)}, "found masks of round 0000000000000000"),
])
def test_score_refuses_in_one_line_and_leaves_the_board(quick, handed_in, file, tmp_path, capsys, changes, words):
    board = tmp_path / "board.json"
    assert main(["score", str(file), "--board", str(board)]) == 0
    before = board.read_bytes()
    capsys.readouterr()
    bad = rewritten(handed_in[1], tmp_path / "bad.npz", **changes)
    assert main(["score", str(bad), "--board", str(board)]) == 1
    printed = capsys.readouterr()
    assert words in printed.err and printed.out == "" and printed.err.count("\n") == 1
    assert main(["score", str(file), "--board", str(board)]) == 1           # a duplicate
    assert "the same thing is taken once" in capsys.readouterr().err
    assert board.read_bytes() == before


def test_score_that_is_stopped_leaves_the_board(quick, file, tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(marking, "mark", stop)
    assert main(["score", str(file), "--board", str(tmp_path / "board.json")]) == 1
    assert capsys.readouterr().err == "stopped\n" and not (tmp_path / "board.json").exists()


def test_score_says_that_a_board_can_not_be_written(quick, file, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file, no folder")
    assert main(["score", str(file), "--board", str(tmp_path / "taken" / "board.json")]) == 1
    printed = capsys.readouterr().err
    assert "found board.json that can not be" in printed and printed.count("\n") == 1 and str(tmp_path) not in printed


def test_score_refuses_a_damaged_board_and_leaves_it(quick, file, tmp_path, capsys):
    (tmp_path / "board.json").write_text("{")
    assert main(["score", str(file), "--board", str(tmp_path / "board.json")]) == 1
    assert "found board.json that is no leaderboard" in capsys.readouterr().err
    assert (tmp_path / "board.json").read_text() == "{"


def test_a_class_with_a_key_of_its_own(quick, file, tmp_path, monkeypatch, capsys):
    """What was made without the key can be marked with the key only."""
    key, own = tmp_path / "key.txt", Round("a class's own, secret key")
    key.write_text("a class's own, secret key")
    write_submission(tmp_path / "theirs.npz", made(round_id=own.id))
    board = ["--board", str(tmp_path / "board.json")]
    assert main(["score", str(tmp_path / "theirs.npz"), *board]) == 1
    assert f"found masks of round {own.id}" in capsys.readouterr().err
    assert main(["score", str(tmp_path / "theirs.npz"), *board, "--key-file", str(key)]) == 0
    monkeypatch.setenv(rounds.KEY_VARIABLE, key.read_text())
    write_submission(tmp_path / "more.npz", made("more", seed=1, round_id=own.id))
    assert main(["score", str(tmp_path / "more.npz"), *board]) == 0
    assert {entry["round"] for entry in leaderboard.read(tmp_path / "board.json")} == {own.id}


def test_challenge_makes_a_folder_once(tmp_path, monkeypatch, capsys):
    from course_utils.challenge import images

    monkeypatch.setattr(images, "SCENES", 1)
    (tmp_path / "key.txt").write_text("a class's own, secret key")
    command = ["challenge", "--make", str(tmp_path / "round"), "--key-file", str(tmp_path / "key.txt")]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert f"✓ images of round {Round('a class' + chr(39) + 's own, secret key').id}" in printed
    assert main(command) == 1 and "found round already there" in capsys.readouterr().err
    (tmp_path / "key.txt").write_text("short")
    assert main([*command[:2], str(tmp_path / "other"), *command[3:]]) == 1
    assert "found a key of 5 characters" in capsys.readouterr().err


AT_ONCE = """
import os, sys
import numpy as np
from course_utils.__main__ import main
from course_utils.challenge import marking, submission
every = np.ones(submission.SHAPE, bool)
cloud = every.copy()
cloud[:, 0] = False
marking.truth = lambda _: marking.Truth(cloud, every, cloud, cloud, every)
child = os.fork()
code = main(["score", sys.argv[1 if child else 2], "--board", sys.argv[3]])
sys.exit(code or (os.waitstatus_to_exitcode(os.wait()[1]) if child else 0))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_two_submissions_at_once_lose_nothing(tmp_path, cache, monkeypatch):
    """Two processes, with a truth that needs no simulation: cloud everywhere below the first row."""
    monkeypatch.delenv(rounds.KEY_VARIABLE, raising=False)
    files = [tmp_path / f"{name}.npz" for name in ("one", "two")]
    for seed, path in enumerate(files):
        write_submission(path, made(path.stem, seed))
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", AT_ONCE, *files, tmp_path / "board.json"],
                          capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.count("→") == 2
    board = leaderboard.read(tmp_path / "board.json")
    assert sorted(entry["name"] for entry in board) == ["one", "two"]
    assert board[0]["score"] >= board[1]["score"] > 0.3
