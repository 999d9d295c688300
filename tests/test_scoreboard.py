"""The scoreboard: what a row measures, that a printed row can be read back, that nothing on it is typed by hand."""

import dataclasses
import json
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils import metrics, scoreboard, simulate
from course_utils.scoreboard import Board, Row, ScoreboardError
from tools import scoreboard as collector

ROW = Row("one threshold", 2, 1, 0.8, 0.6, 0.4, 0.2)


def samples(n=5, seed=0):
    """Random patches with thick and thin cloud, holes in the validity, and clouds of all sizes."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        codes = rng.choice([0, 1, 2], p=[0.85, 0.1, 0.05], size=(20, 20)).astype(np.uint8)
        codes[4:16, 4:16] = 1
        codes[0] = 255
        yield {
            "image": torch.rand(3, 20, 20, generator=torch.Generator().manual_seed(int(rng.integers(99)))),
            "mask": torch.from_numpy((codes == 1) | (codes == 2)),
            "valid": torch.from_numpy(codes != 255),
            "codes": torch.from_numpy(codes),
            "scene": 3,
        }


def test_a_row_is_measured_over_all_pixels_pooled_whatever_the_batch_size():
    data = list(samples())
    row, same = (
        scoreboard.measure(lambda x: x[:, 1] > 0.7, data, model="m", chapter=2, parameters=1, batch_size=size)
        for size in (1, 4)
    )
    assert row == same
    pred = torch.stack([s["image"][1] > 0.7 for s in data]).numpy()
    mask, valid, codes = (torch.stack([s[k] for s in data]).numpy() for k in ("mask", "valid", "codes"))
    small = metrics.small_clouds(mask, valid, scoreboard.SMALL_CLOUD_PIXELS)
    assert row.accuracy == np.mean((pred == mask)[valid])
    assert row.iou == np.sum((pred & mask)[valid]) / np.sum((pred | mask)[valid])
    assert row.thin_recall == np.mean(pred[(codes == 2) & valid])
    assert row.small_recall == np.mean(pred[small])
    assert 0 < small.sum() < mask.sum() and not small[:, 4:16, 4:16].any()


def test_a_part_without_thin_or_small_cloud_gives_no_row():
    clear = [{**s, "mask": torch.zeros_like(s["mask"]), "codes": torch.zeros_like(s["codes"])} for s in samples()]
    with pytest.raises(ScoreboardError, match="found no thin and no small cloud in the data"):
        scoreboard.measure(lambda x: x[:, 0] > 0.5, clear, model="m", chapter=2, parameters=1)


def test_probabilities_are_refused():
    with pytest.raises(metrics.MaskError, match="compare probabilities with a threshold"):
        scoreboard.measure(lambda x: x[:, 0], list(samples()), model="m", chapter=2, parameters=1)


@given(st.integers(1, 17), st.integers(0, 10**9), st.tuples(*[st.floats(0, 1)] * 4))
def test_a_printed_row_can_be_read_back(chapter, parameters, scores):
    row = Row("a model, with (signs)", chapter, parameters, *scores)
    again = Row.parse(str(row))
    assert str(again) == str(row)
    assert np.allclose(dataclasses.astuple(again)[3:], scores, atol=5e-5)


@pytest.mark.parametrize("line", ["", "nonsense", str(ROW).replace("0.8000", "nan"), str(ROW) + " | more 1"])
def test_what_is_no_printed_row_is_refused(line):
    with pytest.raises(ScoreboardError, match="expected a row as print"):
        Row.parse(line)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"iou": float("nan")}, "found IoU nan for one threshold; expected a number in 0–1"),
        ({"accuracy": 1.2}, "accuracy 1.2"),
        ({"model": "a | b"}, "without"),
        ({"model": " "}, "a few words"),
    ],
)
def test_a_row_with_impossible_entries_is_refused(change, words):
    with pytest.raises(ScoreboardError, match=words):
        dataclasses.replace(ROW, **change)


def test_the_board_shows_earlier_chapters_and_the_live_row(monkeypatch):
    old = [Row("logistic", 3, 13, 0.85, 0.7, 0.5, 0.3), Row("MLP", 4, 4000, 0.9, 0.75, 0.6, 0.4), ROW]
    monkeypatch.setattr(scoreboard, "recorded", lambda: Board(tuple(sorted(old, key=lambda r: r.chapter))))
    live = dataclasses.replace(old[1], iou=0.755)
    board = scoreboard.so_far(live)
    assert [row.model for row in board.rows] == ["one threshold", "logistic", "MLP"]
    assert board.rows[-1] is live and board.notes == ()
    assert "The book records IoU 0.750 for MLP." in str(scoreboard.so_far(dataclasses.replace(live, iou=0.8)))


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.texts, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.texts.append(data)


def test_table_and_text_show_the_same_cells():
    board = Board((ROW, dataclasses.replace(ROW, model="a < b", parameters=119000)))
    cells = Cells()
    cells.feed(board._repr_html_())
    assert cells.open == []
    assert cells.texts[7:14] == ["one threshold", "2", "1", "0.800", "0.600", "0.400", "0.200"]
    assert cells.texts[14:] == ["a < b", "2", "119,000", "0.800", "0.600", "0.400", "0.200"]
    for text in cells.texts:
        assert text in str(board)
    lines = str(board).splitlines()
    assert len({len(line) for line in lines}) == 1 and repr(board) == str(board)


@given(st.floats(0, 1))
def test_a_measured_row_looks_as_it_does_when_it_is_recorded(score):
    measured = dataclasses.replace(ROW, iou=score)
    for show in (str, Board._repr_html_):
        assert show(Board((measured,))) == show(Board((Row.parse(str(measured)),)))


def test_the_figure_shows_every_score():
    ax = Board((ROW, dataclasses.replace(ROW, model="b", iou=0.7))).plot()
    shown = {line.get_label(): list(line.get_xdata()) for line in ax.lines}
    assert shown == {"accuracy": [0.8] * 2, "IoU": [0.6, 0.7], "thin recall": [0.4] * 2, "small recall": [0.2] * 2}
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["one threshold", "b"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first row on top
    plt.close("all")


def test_two_models_of_one_name_are_refused():
    with pytest.raises(ScoreboardError, match="more than one row named one threshold"):
        scoreboard.dumps([ROW, ROW])


def test_rows_are_collected_from_references(tmp_path):
    other = dataclasses.replace(ROW, model="logistic", chapter=3)
    for name, cell, row in [("03_b", "ch03-scoreboard", other), ("02_a", "ch02-scoreboard", ROW)]:
        cells = {cell: {"text": f"{row}\n", "rtol": 0, "atol": 0.01}, "ch-other": {"text": "1\n"}}
        (tmp_path / f"{name}.json").write_text(json.dumps(cells))
    assert [Row(**row) for row in json.loads(collector.collect(tmp_path))] == [ROW, other]


def test_the_recorded_rows_are_what_the_references_say():
    stored = collector.STORED.read_text(encoding="utf-8")
    assert stored == collector.collect(collector.REFERENCES), "run: python tools/scoreboard.py"
    assert collector.main(["--check"]) == 0
    assert [row.chapter for row in scoreboard.recorded().rows] == sorted(
        row.chapter for row in scoreboard.recorded().rows
    )


def test_the_record_on_real_scenes_says_when_and_with_what_it_was_made():
    record = scoreboard.recorded_on_real()
    assert set(record) == {"recorded", "simulator", "numpy", "rows"} and record["rows"]
    assert record["simulator"] == simulate.VERSION, "run: python -m tools.record_real_scores"
    for row in record["rows"]:
        assert set(row) == {"band", "counterpart", "dataset", "scenes", "accuracy", "iou", "best_iou"}
        assert row["scenes"] > 0 and 0 <= row["iou"] <= row["best_iou"] <= 1 and row["iou"] <= row["accuracy"] <= 1
