"""What a chapter's exercises must look like, read from its text alone: no cell is run here."""

import ast
from dataclasses import dataclass

from tools.notebooks import Directive, directives

KINDS = {"predict", "implement", "explore"}


@dataclass
class Exercise:
    """One exercise of a chapter and the parts that belong to it, each by its directive."""

    label: str
    block: Directive
    stubs: list[Directive]
    solutions: list[Directive]
    gates: int
    checks: list[Directive]


def read(text: str, topic: str) -> dict[str, Exercise]:
    """Collect the exercises of a chapter by the name of their checker, with stubs, solutions and check cells.

    Args:
        text: A chapter in MyST Markdown.
        topic: Its topic, for example "cloud_masking".

    Returns:
        Exercises in order. A stub or check belongs to the last exercise above it, a solution to the label of its gate.
    """
    found: dict[str, Exercise] = {}
    prefix = f"ex-{topic.replace('_', '-')}-"
    last, gate = None, None
    for block in directives(text):
        cell_tags = block.options.get("tags") or []
        if block.name in ("exercise", "exercise-start"):
            label = str(block.options.get("label", ""))
            last = Exercise(label, block, [], [], 0, [])
            found[label.removeprefix(prefix).replace("-", "_") if label.startswith(prefix) else label] = last
        elif block.name == "solution-start":
            gate = next((one for one in found.values() if one.label == block.argument), None)
            if gate:
                gate.gates += 1
        elif block.name == "solution-end":
            gate = None
        elif block.name == "code-cell" and last:
            if gate:
                gate.solutions += [block] * ("solution" in cell_tags)
            elif "stub" in cell_tags:
                last.stubs.append(block)
            elif f"check.{topic}." in block.body:
                last.checks.append(block)
    return found


def problems(text: str, topic: str, checkers: dict) -> list[str]:
    """List how a chapter's exercises fall short of the contract (CONTRIBUTING.md, step 6).

    Args:
        text: A chapter in MyST Markdown.
        topic: Its topic.
        checkers: The checkers of the chapter by name.

    Returns:
        One sentence for each problem.
    """
    exercises = read(text, topic)
    nested = text.count("{exercise}") + text.count("{exercise-start}") - sum(
        block.name in ("exercise", "exercise-start") for block in directives(text))
    said = [f"{nested} exercises stand inside another directive or share a label"] if nested else []
    said += [f"checker {name} has no exercise" for name in checkers if name not in exercises]
    missing = KINDS - set().union(*(one.block.classes for one in exercises.values()))
    said += [f"no exercise of class {kind}" for kind in sorted(missing)]
    for name, one in exercises.items():
        said += [f"{one.label or 'an exercise'}: {problem}" for problem in _problems(name, one, topic, checkers)]
    return said


def _problems(name: str, one: Exercise, topic: str, checkers: dict):
    if name not in checkers:
        yield f"no checker {name!r}; the label must be ex-{topic.replace('_', '-')}-<name of a checker>"
    elif len(checkers[name].hints) < 2:
        yield "hints are graded: at least two"
    if len(one.stubs) != 1:
        yield f"found {len(one.stubs)} cells tagged stub, expected one"
    if one.gates != 1 or not one.solutions:
        yield f"found {one.gates} solution gates with {len(one.solutions)} solution cells, expected one with some"
    calls = [node for cell in one.checks for node in ast.walk(ast.parse(cell.body))
             if isinstance(node, ast.Call) and ast.unparse(node.func) == f"check.{topic}.{name}"]
    if len(calls) != 1:
        yield f"found {len(calls)} calls of check.{topic}.{name}, expected one below the solution"
        return
    if one.stubs and one.solutions:
        stub, solution = (_names("\n".join(cell.body for cell in cells)) for cells in (one.stubs, one.solutions))
        used = {node.id for argument in calls[0].args for node in ast.walk(argument) if isinstance(node, ast.Name)}
        if not used or used - stub:
            yield f"the check looks at {sorted(used)}, but the stub defines {sorted(stub)}"
        if used - solution:
            yield f"the check looks at {sorted(used)}, but the solution defines {sorted(solution)}"
    if calls[0].keywords:
        yield "the check cell asks for a hint; leave that to the learner"
    if one.solutions and one.checks[0].start < one.solutions[-1].start:
        yield "the check stands above the solution"


def _names(source: str) -> set[str]:
    """Names that code binds at its top level."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        else:
            names |= {part.id for part in ast.walk(node)
                      if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return names


def literal(one: Exercise):
    """Return the value of a solution that is a plain literal (a prediction); None if it is code."""
    for cell in one.solutions:
        for node in ast.parse(cell.body).body:
            if isinstance(node, ast.Assign):
                try:
                    return ast.literal_eval(node.value)
                except ValueError:
                    return None
    return None
