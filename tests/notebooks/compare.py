"""What a notebook's outputs must be: numbers near their reference, verdicts as they should be, no complaint.

A reference file, ``references/NN_topic.json``, holds for each cell tagged ``compare``, under the cell's name,
``{"text": ..., "rtol": ..., "atol": ...}``. Text between the numbers is compared exactly after spaces are
normalised; each number may differ from its reference by ``atol + rtol * |reference|``, where ``atol`` is one number for
all of them, or a list with one for each.
"""

import json
import math
import re
from pathlib import Path

from course_utils.files import aside
from tools.notebooks import checks_called, has_ellipsis, tags

FOLDER = Path(__file__).parent / "references"
DEFAULT = {"rtol": 1e-6, "atol": 1e-9}

# A number may have a sign (the minus may be the typographic one), thousands separators and an exponent. It is no
# part of a word: "float32" and "B2" are text.
_NUMBER = re.compile(r"(?<![\w.])[-+\u2212]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+|(?=\.\d))(?:\.\d*)?(?:[eE][-+]?\d+)?")


def load(stem: str, folder: Path = FOLDER) -> dict:
    """Read the references of a chapter; empty if it has none."""
    path = folder / f"{stem}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def save(stem: str, references: dict, folder: Path = FOLDER) -> None:
    """Write the references of a chapter; a chapter without any has no file."""
    path = folder / f"{stem}.json"
    if not references:
        path.unlink(missing_ok=True)
        return
    with aside(path) as new:
        new.write_text(json.dumps(references, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def split(text: str) -> tuple[str, list[float]]:
    """Split a text into what stands between its numbers, spaces normalised, and the numbers."""
    numbers = [float(m[0].replace(",", "").replace("\u2212", "-")) for m in _NUMBER.finditer(text)]
    frame = " ".join(_NUMBER.sub("\x00", text).split())
    return re.sub(r"(?<=[\[(]) | (?=[\])])", "", frame).replace("\x00", "#"), numbers


def difference(reference: dict, text: str) -> str:
    """Say how a text differs from its reference; empty if it does not."""
    wanted_frame, wanted = split(reference["text"])
    frame, numbers = split(text)
    if frame != wanted_frame:
        return f"text (numbers as #): found {frame!r}, the reference has {wanted_frame!r}"
    rtol, atol = reference["rtol"], reference["atol"]
    atols = atol if isinstance(atol, list) else [atol] * len(wanted)
    far = [f"found {a:.10g}, the reference has {b:.10g} (rtol {rtol:g}, atol {near:g})"
           for a, b, near in zip(numbers, wanted, atols, strict=True)
           if not math.isclose(a, b, rel_tol=0, abs_tol=near + rtol * abs(b))]
    return "; ".join(far)


def changes(old: dict, new: dict) -> list[str]:
    """Say, a line each, what changes from some references to others: cells, text, and every number."""
    lines = [f"{name}: gone" for name in old if name not in new]
    for name, reference in new.items():
        text, before = reference["text"], old.get(name, {}).get("text")
        if before is None:
            tolerance = f"rtol {reference['rtol']:g}, atol {reference['atol']:g}; edit the file for a wider one"
            lines.append(f"{name}: new ({tolerance}): {' '.join(text.split())}")
        elif split(before)[0] != split(text)[0]:
            lines.append(f"{name}: text {' '.join(before.split())!r} -> {' '.join(text.split())!r}")
        else:
            pairs = zip(split(before)[1], split(text)[1], strict=True)
            lines += [f"{name}: {a:.10g} -> {b:.10g}" + (f" ({(b - a) / abs(a):+.2%})" if a else "")
                      for a, b in pairs if a != b]
    return lines


def names(notebook) -> list[str]:
    """List the names of the cells tagged ``compare``, in order; an empty text where there is none."""
    return [cell.metadata.get("name", "") for cell in notebook.cells if "compare" in tags(cell)]


def printed(outputs) -> str:
    """Join what a cell printed and its result; text that stands in for a figure or a table is left out."""
    parts = []
    for out in outputs:
        if out.output_type == "stream" and out.name == "stdout":
            parts.append(out.text)
        elif out.output_type == "execute_result" and set(out.data) == {"text/plain"}:
            parts.append(out.data["text/plain"])
    return "\n".join(part.rstrip("\n") for part in parts)


def cell_problems(cell, outputs, references: dict, stub: str | None) -> list[str]:
    """List what is wrong with the outputs of one executed code cell.

    Args:
        cell: The code cell.
        outputs: What it produced.
        references: The references of the chapter, by cell name.
        stub: In a learner's notebook, the code of the stub that a check cell looks at; None in the book's.

    Returns:
        One sentence for each problem.
    """
    text = printed(outputs)
    shown = "\n".join([text, *(str(value) for out in outputs for value in out.get("data", {}).values()),
                       *(out.text for out in outputs if out.output_type == "stream")])
    return [*_complaints(cell, outputs, shown), *_verdicts(cell, text, shown, stub), *_compared(cell, text, references)]


def _complaints(cell, outputs, shown: str):
    complaint = "".join(out.text for out in outputs if out.get("name") == "stderr").strip()
    raised = any(out.output_type == "error" for out in outputs)
    if complaint:
        yield f"it wrote to stderr (a warning?): {complaint[:500]}"
    if "Traceback (most recent call last)" in shown:
        yield "it printed a traceback"
    if "raises-exception" in tags(cell) and not raised:
        yield "it is tagged raises-exception and raised none"


def _verdicts(cell, text: str, shown: str, stub: str | None):
    called, lines = checks_called(cell), text.splitlines()
    if stub is None or not called:
        if "✗" in shown:
            yield f"a check does not pass: {text.strip()[:500]}"
        yield from (f"it calls check.{t}.{n}, which did not print ✓" for t, n in called if f"✓ {t}.{n}" not in lines)
        return
    missing = [f"check.{t}.{n} did not print ✗ on the stub" for t, n in called if f"✗ {t}.{n}" not in lines]
    yield from missing
    if not missing and has_ellipsis(stub) and "not filled in yet" not in text:
        yield f"the message for an untouched stub does not say 'not filled in yet': {text.strip()[:500]}"


def _compared(cell, text: str, references: dict):
    name = cell.metadata.get("name")
    if "compare" not in tags(cell):
        return
    if not split(text)[1]:
        yield f"it is tagged compare and printed no number: {text!r}"
    elif name in references and (far := difference(references[name], text)):
        yield f"{name}: {far}"


def notebook_problems(notebook, references: dict, whole: bool = True) -> list[str]:
    """List what is wrong with a notebook before it runs.

    Args:
        notebook: The notebook.
        references: The references of its chapter, by cell name.
        whole: Whether every reference must have its cell; not so in a learner's notebook, without solutions.

    Returns:
        One sentence for each problem.
    """
    named = names(notebook)
    problems = [f"{named.count('')} cells tagged compare have no name"] if "" in named else []
    problems += [f"the name {name!r} is used {named.count(name)} times" for name in dict.fromkeys(named)
                 if name and named.count(name) > 1]
    problems += [f"cell {name!r} has no reference; run `make references`" for name in named
                 if name and name not in references]
    if whole:
        problems += [f"reference {name!r} has no cell; run `make references`" for name in references
                     if name not in named]
    problems += [f"a cell asks nbval to look away: {cell.source[:60]!r}" for cell in notebook.cells
                 if "NBVAL_" in cell.source or any(tag.startswith("nbval-") for tag in tags(cell))]
    return problems
