"""The challenge's leaderboard: where it is kept, and how it is shown beside the course's own entries."""

import json
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path

from course_utils.challenge.rounds import Round
from course_utils.data.folders import data_folder
from course_utils.leaderboard import LeaderboardError

__all__ = ["Standings", "baselines", "check_board", "own_board", "with_baselines"]

HEADS = ("place and entry", "IoU", "thin recall", "small recall", "snow alarms", "CPU seconds", "parameters")
KINDS = {"name": str, "model": str, "round": str, "digest": str} | dict.fromkeys(
    ("parameters", "cpu_seconds", "score", "error", "thin_recall", "small_recall", "snow_alarms"), int | float)


def own_board(round_: Round) -> Path:
    """Name the file of a learner's own leaderboard.

    Args:
        round_: which round it is for.

    Returns:
        A file in the cache, which need not exist yet.
    """
    return data_folder() / "challenge" / f"leaderboard-{round_.id}.json"


def baselines() -> list[dict]:
    """Read the entries that the course itself made for the self-study round (``python -m tools.record_challenge``).

    Returns:
        Entries as `challenge.enter` makes them, the best first.

    Example:
        >>> "two thresholds" in [entry["name"] for entry in baselines()]
        True
    """
    return json.loads(files("course_utils.challenge").joinpath("leaderboard.json").read_text(encoding="utf-8"))


def check_board(board: list[dict]) -> None:
    """Refuse a leaderboard of something else than the challenge.

    Args:
        board: entries, as `leaderboard.read` gives them.

    Raises:
        LeaderboardError: an entry lacks what `challenge.enter` writes.
    """
    for entry in board:
        for name, kind in KINDS.items():
            if not isinstance(entry.get(name), kind):
                raise LeaderboardError(f"found {name} {entry.get(name)!r} of {entry['name']!r} on the board, expected "
                                       "entries of the challenge; name another board")


def with_baselines(board: list[dict]) -> list[dict]:
    """Put the course's own entries among those of a board, if they are of the same round.

    Args:
        board: entries.

    Returns:
        All of them, the best first.
    """
    rounds = {entry["round"] for entry in board}
    known = {entry["digest"] for entry in board}
    own = [entry for entry in baselines() if entry["round"] in rounds and entry["digest"] not in known]
    return sorted([*own, *board], key=lambda entry: -entry["score"])


@dataclass(frozen=True)
class Standings:
    """A board to look at: as a table in a notebook, as lines of text elsewhere.

    Attributes:
        entries: the best first.
        mine: the one to mark with an arrow.
    """

    entries: list[dict]
    mine: dict | None = None

    def __str__(self) -> str:
        width = max((len(one["name"]) for one in self.entries), default=4)
        lines = [f"     IoU          CPU s  {'name':{width}}  thin small snow"]
        for place, one in enumerate(self.entries, start=1):
            arrow = "→" if self.mine is not None and one["digest"] == self.mine["digest"] else " "
            lines.append(
                f"{arrow}{place:2}  {one['score']:.3f} ±{one['error']:.3f}  {one['cpu_seconds']:4.0f}  "
                f"{one['name']:{width}}  {one['thin_recall']:.2f}  {one['small_recall']:.2f} {one['snow_alarms']:.2f}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
        lines = [f'<table class="scoreboard standings"><thead><tr>{heads}</tr></thead>', "<tbody>"]
        for place, one in enumerate(self.entries, start=1):
            cells = [f"{one['score']:.3f}<br><small>±&nbsp;{one['error']:.3f}</small>", f"{one['thin_recall']:.2f}",
                     f"{one['small_recall']:.2f}", f"{one['snow_alarms']:.2f}", f"{one['cpu_seconds']:.0f}",
                     f"{one['parameters']:,}"]
            said = escape(one["model"]).replace("chapter ", "chapter&nbsp;").replace(" nm", "&nbsp;nm")
            model = f'<small style="font-weight: normal">{said}</small>'
            lines.append(f'<tr><th scope="row" style="min-width: 8.5rem">{place}&ensp;{escape(one["name"])}<br>{model}'
                         f'</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
        return "\n".join([*lines, "</tbody></table>"])
