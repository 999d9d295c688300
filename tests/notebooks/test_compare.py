"""The rules for notebook outputs, on planted outputs; `test_plugin.py` runs some of them through nbval."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.notebooks import compare

TIGHT = {"rtol": 1e-6, "atol": 1e-9}


def cell(source="", tags=(), name=None):
    return new_code_cell(source, metadata={"tags": list(tags), **({"name": name} if name else {})})


def stdout(text):
    return new_output("stream", name="stdout", text=text)


@pytest.mark.parametrize(("text", "frame", "numbers"), [
    ("IoU 0.75", "IoU #", [0.75]),
    ("IoU: −1.5e-3, n=1,234", "IoU: #, n=#", [-0.0015, 1234]),
    ("tensor([[ 0.5000, -2.],\n        [.25, 1e3]])", "tensor([[#, #], [#, #]])", [0.5, -2, 0.25, 1000]),
    ("float32 B2 conv1x1", "float32 B2 conv1x1", []),
    ("64×64 scenes 1-3", "#×# scenes #-#", [64, 64, 1, 3]),
    ("3.2s 12% (12, 64)", "#s #% (#, #)", [3.2, 12, 12, 64]),
    ("nan inf e5 .", "nan inf e5 .", []),
    ("a  b\n\tc", "a b c", []),
    ("1,2,3 and 1,23", "#,#,# and #,#", [1, 2, 3, 1, 23]),
])
def test_split_text_and_numbers(text, frame, numbers):
    assert compare.split(text) == (frame, numbers)


@pytest.mark.parametrize(("reference", "text", "rtol", "same"), [
    ("IoU 0.7500", "IoU  0.7500\n", 1e-6, True),
    ("IoU 0.75", "IoU 0.7575", 0.011, True),
    ("IoU 0.75", "IoU 0.7575", 0.009, False),
    ("IoU 0.75", "IoU 0.7425", 0.011, True),
    ("IoU 0.75", "IoU -0.75", 0.1, False),
    ("IoU 0.75", "recall 0.75", 0.1, False),
    ("IoU 0.75", "IoU 0.75 0.75", 0.1, False),
    ("IoU 0.75", "IoU nan", 0.1, False),
    ("a 1 b 2", "a 2 b 1", 0.1, False),
    ("[ 0.1 -0.2]", "[0.1 -0.2]", 1e-6, True),
    ("0.0", "0.0000000001", 1e-6, True),
    ("0.0", "0.001", 1e-6, False),
    ("0.1 0.2 0.3", "0.1 0.2 0.4", 1e-6, False),
])
def test_difference(reference, text, rtol, same):
    found = compare.difference({"text": reference, "rtol": rtol, "atol": 1e-9}, text)
    assert (found == "") is same


def test_a_tolerance_may_be_given_for_each_number():
    reference = {"text": "IoU 0.50, small recall 0.50", "rtol": 0, "atol": [0.01, 0.1]}
    assert compare.difference(reference, "IoU 0.505, small recall 0.59") == ""
    assert compare.difference(reference, "IoU 0.52, small recall 0.62") == (
        "found 0.52, the reference has 0.5 (rtol 0, atol 0.01); found 0.62, the reference has 0.5 (rtol 0, atol 0.1)")
    with pytest.raises(ValueError, match="shorter"):
        compare.difference({**reference, "atol": [0.01]}, "IoU 0.50, small recall 0.50")


def test_a_difference_shows_both_numbers_and_the_tolerance():
    assert compare.difference({"text": "IoU 0.5", **TIGHT}, "IoU 0.6") == (
        "found 0.6, the reference has 0.5 (rtol 1e-06, atol 1e-09)")


def test_printed_takes_text_and_leaves_figures_out():
    outputs = [stdout("a 1\n"), new_output("stream", name="stderr", text="w"),
               new_output("execute_result", data={"text/plain": "2"}),
               new_output("display_data", data={"text/plain": "<Figure size 640x480>", "image/png": "x"}),
               new_output("execute_result", data={"text/plain": "<table 3>", "text/html": "<table>"})]
    assert compare.printed(outputs) == "a 1\n2"


STUB, BUG = "def answer(x):\n    ...", "def answer(x):\n    return x - 1"
CALL = "check.topic.name(answer)"
PASS, BLANK, WRONG = "✓ topic.name\n  Fine.", "✗ topic.name\n  found: not filled in yet", "✗ topic.name\n  found: 3"


@pytest.mark.parametrize(("planted", "outputs", "stub", "words"), [
    (cell("1"), [stdout("all well")], None, ""),
    (cell("1"), [stdout("✗ topic.name")], None, "a check does not pass"),
    (cell("1"), [new_output("display_data", data={"text/html": "<b>✗</b>"})], None, "a check does not pass"),
    (cell("1"), [new_output("stream", name="stderr", text="UserWarning: no")], None, "UserWarning: no"),
    (cell("1"), [stdout("Traceback (most recent call last):\n")], None, "printed a traceback"),
    (cell("1", ["raises-exception"]), [], None, "raised none"),
    (cell("1", ["raises-exception"]), [new_output("error", ename="E", evalue="", traceback=[])], None, ""),
    (cell("1", ["compare"], "n"), [stdout("IoU 0.5")], None, ""),
    (cell("1", ["compare"], "n"), [stdout("IoU 0.6")], None, "n: found 0.6, the reference has 0.5"),
    (cell("1", ["compare"], "n"), [stdout("done")], None, "printed no number"),
    (cell("1", ["compare"], "n"), [], None, "printed no number"),
    (cell(CALL), [stdout(PASS)], None, ""),
    (cell(CALL), [], None, "which did not print ✓"),
    (cell(CALL), [stdout("✓ topic.name_of_another")], None, "check.topic.name, which did not print ✓"),
    (cell(f"{CALL}\ncheck.topic.other(3)"), [stdout(PASS)], None, "check.topic.other, which did not print ✓"),
    (cell(CALL), [stdout(BLANK)], STUB, ""),
    (cell(CALL), [stdout(WRONG)], STUB, "does not say 'not filled in yet'"),
    (cell(CALL), [stdout(PASS)], STUB, "did not print ✗ on the stub"),
    (cell(CALL), [stdout(WRONG)], BUG, ""),
    (cell(CALL), [stdout(PASS)], BUG, "did not print ✗ on the stub"),
    (cell("1"), [stdout("✗ topic.name")], STUB, "a check does not pass"),
])
def test_cell_problems(planted, outputs, stub, words):
    problems = compare.cell_problems(planted, outputs, {"n": {"text": "IoU 0.5", **TIGHT}}, stub)
    assert (not problems) if words == "" else (len(problems) == 1 and words in problems[0])


@pytest.mark.parametrize(("cells", "names", "words"), [
    ([cell("1", ["compare"], "a")], ["a"], []),
    ([cell("1", ["compare"], "a")], [], ["cell 'a' has no reference"]),
    ([cell("1", [], "a")], ["a"], ["reference 'a' has no cell"]),
    ([cell("1", ["compare"])], [], ["1 cells tagged compare have no name"]),
    ([cell("1", ["compare"], "a"), cell("2", ["compare"], "a")], ["a"], ["the name 'a' is used 2 times"]),
    ([cell("# NBVAL_SKIP\n1")], [], ["look away"]),
    ([cell("1", ["nbval-ignore-output"])], [], ["look away"]),
])
def test_notebook_problems(cells, names, words):
    problems = compare.notebook_problems(new_notebook(cells=cells), dict.fromkeys(names))
    assert len(problems) == len(words) and all(w in p for w, p in zip(words, problems, strict=True))


def test_a_learners_notebook_need_not_hold_every_reference():
    assert compare.notebook_problems(new_notebook(), {"a": None}, whole=False) == []


def test_changes_show_each_number_old_and_new():
    old = {"a": {"text": "x 1 y 2", **TIGHT}, "b": {"text": "1", **TIGHT}, "c": {"text": "n 1", **TIGHT}}
    new = {"a": {"text": "x 1 y 3", **TIGHT}, "c": {"text": "m 1", **TIGHT}, "d": {"text": "7", **TIGHT}}
    assert compare.changes(old, new) == [
        "b: gone", "a: 2 -> 3 (+50.00%)", "c: text 'n 1' -> 'm 1'",
        "d: new (rtol 1e-06, atol 1e-09; edit the file for a wider one): 7"]
    assert compare.changes(old, old) == []


def test_save_and_load(tmp_path):
    compare.save("01_a", {"n": {"text": "− 1", **TIGHT}}, tmp_path / "new")
    assert compare.load("01_a", tmp_path / "new") == {"n": {"text": "− 1", **TIGHT}}
    compare.save("01_a", {}, tmp_path / "new")
    assert compare.load("01_a", tmp_path / "new") == {} and not list((tmp_path / "new").iterdir())


def test_every_reference_file_has_its_chapter_and_whole_entries():
    from tools.notebooks import chapters

    stems = {path.stem for path in chapters()}
    for path in compare.FOLDER.glob("*.json"):
        assert path.stem in stems, f"{path.name} has no chapter"
        for name, reference in compare.load(path.stem).items():
            assert set(reference) == {"text", "rtol", "atol"}, f"{path.name}, {name}"
            numbers = compare.split(reference["text"])[1]
            assert numbers, f"{path.name}, {name}: no number"
            if isinstance(reference["atol"], list):
                assert len(reference["atol"]) == len(numbers), f"{path.name}, {name}: a tolerance for each number"
