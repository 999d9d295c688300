"""The table that grows from chapter to chapter: one row per model, all measured alike on the frozen test part.

A chapter measures its own row and shows it below the recorded rows of the chapters before. The recorded rows,
`scoreboard.json`, are what the chapters printed when the references of their compared cells were last written:
`make references` collects them with `tools/scoreboard.py`, and a test fails where the two differ.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from html import escape
from importlib.resources import files

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from course_utils import metrics
from course_utils.colours import CLEAR, CLOUD, FALSE_POSITIVE, INVALID
from course_utils.metrics import SMALL_CLOUD_PIXELS

# A row measured again may move by this much: trained scores depend a little on processor and thread count.
TOLERANCE = 0.02

SCORES = {"accuracy": "accuracy", "iou": "IoU", "thin_recall": "thin recall", "small_recall": "small recall"}
MARKERS = {"accuracy": ("s", INVALID), "iou": ("o", CLOUD), "thin_recall": ("^", FALSE_POSITIVE)}
MARKERS["small_recall"] = ("D", CLEAR)


class ScoreboardError(ValueError):
    """A row that cannot stand on the scoreboard."""


@dataclass(frozen=True)
class Row:
    """What one model reaches on the test part; printing it gives the text that the references record.

    Attributes:
        model: its name, short.
        chapter: the number of the chapter that builds it.
        parameters: how many numbers it learned.
        accuracy: share of valid pixels that are right.
        iou: intersection over union of cloud.
        thin_recall: share of the thin cloud (code 2) that was found.
        small_recall: share of the pixels of small clouds, at most 50 pixels each, that was found.

    Raises:
        ScoreboardError: a score is not a number in 0–1, or the name would break the printed text.

    Example:
        >>> print(Row("coin toss", 2, 0, 0.5, 0.25, 0.5, 0.5))
        coin toss | chapter 2 | parameters 0 |
        accuracy 0.5000 | IoU 0.2500 |
        thin recall 0.5000 | small recall 0.5000
    """

    model: str
    chapter: int
    parameters: int
    accuracy: float
    iou: float
    thin_recall: float
    small_recall: float

    def __post_init__(self) -> None:
        if not self.model.strip() or "|" in self.model or "\n" in self.model:
            raise ScoreboardError(f"found the name {self.model!r}; expected a few words in one line without '|'")
        for name, label in SCORES.items():
            score = getattr(self, name)
            if not 0 <= score <= 1:
                raise ScoreboardError(
                    f"found {label} {score} for {self.model}; expected a number in 0–1: "
                    "was the part without cloud, or without valid pixels?"
                )

    def __str__(self) -> str:
        scores = [f"{label} {getattr(self, name):.4f}" for name, label in SCORES.items()]
        about = [self.model, f"chapter {self.chapter}", f"parameters {self.parameters}"]
        return " |\n".join(" | ".join(line) for line in (about, scores[:2], scores[2:]))      # each fits a phone

    @classmethod
    def parse(cls, line: str) -> Row:
        """Read a row back from what it printed.

        Args:
            line: str as `print(row)` gives it; its line breaks are spaces.

        Returns:
            Row; its scores have four decimals.

        Raises:
            ScoreboardError: the line is not a printed row.
        """
        number = r"(\d+(?:\.\d+)?)"
        labels = ["chapter", "parameters", *SCORES.values()]
        line = " ".join(line.split())
        found = re.fullmatch(r" \| ".join(["(.+)", *(f"{label} {number}" for label in labels)]), line)
        if not found:
            raise ScoreboardError(f"found {line[:120]!r}; expected a row as print(row) shows it")
        model, chapter, parameters, *scores = found.groups()
        return cls(model, int(chapter), int(parameters), *map(float, scores))


def measure(
    predict: Callable[[Tensor], Tensor],
    dataset: Dataset,
    *,
    model: str,
    chapter: int,
    parameters: int,
    batch_size: int = 16,
) -> Row:
    """Score a model on a data set, all pixels pooled.

    Args:
        predict: function from a (B, C, H, W) float32 tensor of reflectance to a (B, H, W) bool mask.
        dataset: samples as ``load_patches("test")`` gives them.
        model: name of the model for the row.
        chapter: number of the chapter.
        parameters: how many numbers the model learned.
        batch_size: images predicted at once.

    Returns:
        Row.

    Raises:
        ScoreboardError: a score is undefined, for lack of cloud, thin cloud or small clouds.
        MaskError: `predict` gives another shape or dtype than a mask.

    Source:
        Chapter 02.
    """
    everywhere = thin = small = metrics.Counts()
    for batch in DataLoader(dataset, batch_size=batch_size):
        pred, (mask, valid) = predict(batch["image"]), (batch["mask"], batch["valid"])
        everywhere += metrics.count(pred, mask, valid)
        thin += metrics.count(pred, mask, valid & (batch["codes"] == metrics.THIN))
        where = metrics.small_clouds(mask.numpy(), valid.numpy(), SMALL_CLOUD_PIXELS)
        small += metrics.count(pred.numpy(), where, where)
    missing = [name for name, counts in (("thin", thin), ("small", small)) if counts.total == 0]
    if missing:
        raise ScoreboardError(f"found no {' and no '.join(missing)} cloud in the data; expected some: add scenes")
    return Row(
        model,
        chapter,
        parameters,
        metrics.accuracy(everywhere),
        metrics.iou(everywhere),
        metrics.recall(thin),
        metrics.recall(small),
    )


@dataclass(frozen=True)
class Board:
    """Rows to show together, as a table in a notebook, as text elsewhere.

    Attributes:
        rows: in the order in which they are shown.
        notes: sentences below the table.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        width = max([len("model"), *(len(row.model) for row in self.rows)])
        lines = [f"{'model':<{width}}  chapter  parameters  " + "  ".join(f"{s:>5}" for s in SCORES.values())]
        for row in self.rows:
            shown = zip(_shown(row), SCORES.values(), strict=True)
            scores = (score.rjust(max(5, len(label))) for score, label in shown)
            lines.append(f"{row.model:<{width}}  {row.chapter:>7}  {row.parameters:>10,}  " + "  ".join(scores))
        return "\n".join([*lines, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heads = ["model", "chapter", "parameters", *SCORES.values()]
        lines = ['<table class="scoreboard models">', "<thead><tr>"]
        lines += [f'<th scope="col">{head}</th>' for head in heads]
        lines += ["</tr></thead>", "<tbody>"]
        for row in self.rows:
            cells = [str(row.chapter), f"{row.parameters:,}", *_shown(row)]
            lines.append(f'<tr><th scope="row">{escape(row.model)}</th>')
            lines += [f"<td>{cell}</td>" for cell in cells]
            lines.append("</tr>")
        lines += ["</tbody>", "</table>"]
        return "\n".join([*lines, *(f"<p>{escape(note)}</p>" for note in self.notes)])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw every model's scores as dots on one line, models from top to bottom.

        Args:
            ax: where to draw; made when absent.

        Returns:
            The axes.
        """
        if ax is None:
            ax = plt.subplots(figsize=(6.4, 1.5 + 0.45 * len(self.rows)))[1]
        heights = np.arange(len(self.rows))
        for name, label in SCORES.items():
            marker, colour = MARKERS[name]
            scores = [getattr(row, name) for row in self.rows]
            ax.plot(scores, heights, marker, color=colour, markersize=8, label=label)
        ax.hlines(heights, 0, 1, color="0.85", linewidth=1, zorder=0)
        ax.set_yticks(heights, [row.model for row in self.rows])
        ax.set(xlim=(0, 1.01), ylim=(len(self.rows) - 0.5, -0.5), xlabel="score on the test part")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(SCORES), handletextpad=0.1)
        return ax


def _shown(row: Row) -> list[str]:
    """A row's scores in three digits, made of the four that are recorded: measured or read back, they look the same."""
    return [f"{round(getattr(row, name), 4):.3f}" for name in SCORES]


def recorded() -> Board:
    """Give the rows that the chapters reached when the course's references were last written.

    Returns:
        Board, in the order of the chapters.

    Example:
        >>> [row.chapter for row in recorded().rows][:1]
        [2]
    """
    stored = files("course_utils").joinpath("scoreboard.json").read_text(encoding="utf-8")
    return Board(tuple(Row(**row) for row in json.loads(stored)))


def recorded_on_real() -> dict:
    """Give what the thresholds of chapter 02 reached on real Landsat scenes when that was last measured.

    The scenes need not be here: `python -m tools.record_real_scores` wrote the numbers.

    Returns:
        dict: ``recorded`` (date), ``simulator`` and ``numpy`` (versions), and ``rows``, one dictionary per rule and
        data set with ``band``, ``counterpart``, ``dataset``, ``scenes`` (how many), ``accuracy``, ``iou``, and
        ``best_iou``, the highest that any threshold on that band reaches on these very scenes.

    Example:
        >>> sorted(recorded_on_real())
        ['numpy', 'recorded', 'rows', 'simulator']
    """
    return json.loads(files("course_utils").joinpath("real_scores.json").read_text(encoding="utf-8"))


def so_far(row: Row) -> Board:
    """Show a chapter's row below the recorded rows of the chapters before it.

    Args:
        row: what the chapter measured just now.

    Returns:
        Board. A note says so where the same model is recorded with scores that differ by more than `TOLERANCE`.
    """
    known = recorded().rows
    notes = []
    for old in known:
        moved = [
            f"{label} {getattr(old, name):.3f}"
            for name, label in SCORES.items()
            if not math.isclose(getattr(old, name), getattr(row, name), rel_tol=0, abs_tol=TOLERANCE)
        ]
        if old.model == row.model and moved:
            notes.append(f"The book records {', '.join(moved)} for {row.model}.")
    return Board((*(old for old in known if old.chapter < row.chapter), row), tuple(notes))


def dumps(rows: Iterable[Row]) -> str:
    """Write rows as the text of `scoreboard.json`, in the order of the chapters.

    Args:
        rows: in any order.

    Returns:
        str.

    Raises:
        ScoreboardError: two rows have the same name.
    """
    rows = sorted(rows, key=lambda row: row.chapter)
    names = [row.model for row in rows]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ScoreboardError(f"found more than one row named {', '.join(twice)}; expected a name per model")
    return json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n"
