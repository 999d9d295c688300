"""Checkpoints: everything a training needs to go on, in one file that is either whole or not there."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from course_utils.files import aside, plain_file, reading

FORMAT = 1


class CheckpointError(ValueError):
    """A checkpoint that does not fit what is asked of it."""


def architecture(model: nn.Module) -> dict[str, Any]:
    """Describe what a model must have in common with another to take its weights.

    Args:
        model: any module.

    Returns:
        ``class`` (its name) and ``shapes`` (of every parameter and buffer, in order).
    """
    return {"class": type(model).__name__, "shapes": {k: list(v.shape) for k, v in model.state_dict().items()}}


def save_checkpoint(path: str | Path, model: nn.Module, **state: Any) -> None:
    """Write the model's weights and any further state, aside first, then renamed.

    Args:
        path: file to write; an older one is replaced only once the new one is complete.
        model: its weights and its architecture are stored.
        state: anything made of tensors, numbers, strings, lists and dictionaries.

    Raises:
        WriteError: the disk is full, or nothing may be written there; an older checkpoint is as it was.

    Source:
        Chapter 06.
    """
    content = io.BytesIO()          # a file that torch writes itself tells nothing of why it could not
    torch.save({"format": FORMAT, "architecture": architecture(model), "model": model.state_dict(), **state}, content)
    with aside(path) as new:
        new.write_bytes(content.getbuffer())


def load_checkpoint(path: str | Path, model: nn.Module) -> dict[str, Any]:
    """Read a checkpoint and put its weights into the model.

    Args:
        path: a file that `save_checkpoint` wrote.
        model: a model of the same architecture; left untouched if it does not fit.

    Returns:
        The state that was saved beside the weights.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: not a whole checkpoint, written in another format version, or for another architecture; the
            message names the first difference.

    Source:
        Chapter 06.
    """
    path = Path(path)
    again = "name another file, or train again"
    if not path.exists():
        raise FileNotFoundError(f"found no checkpoint {path}, expected one by save_checkpoint; {again}")
    with reading(f"{path.name}, which torch cannot read as a checkpoint", f"one by save_checkpoint; {again}",
                 CheckpointError):
        content = torch.load(plain_file(path), map_location="cpu", weights_only=True)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            found = content.get("format") if isinstance(content, dict) else type(content).__name__
            raise CheckpointError(f"found {path.name} in format {repr(found)[:60]}, expected {FORMAT}; train again, "
                                  "or use the version that wrote it")
        require_parts(path, content, ("architecture", "model"))
        _compare(path.name, content.pop("architecture"), architecture(model))
        weights = content.pop("model")
        shapes = {name: list(value.shape) for name, value in weights.items()}
        _compare(path.name, {"class": type(model).__name__, "shapes": shapes}, architecture(model))
        model.load_state_dict(weights)
    return content


def require_parts(path: str | Path, content: dict[str, Any], parts: Iterable[str]) -> None:
    """Refuse a checkpoint in which something is missing.

    Args:
        path: the file, for the message.
        content: what was read from it.
        parts: names that must be in it.

    Raises:
        CheckpointError: a part is absent; the message names all that are.
    """
    absent = [part for part in parts if part not in content]
    if absent:
        raise CheckpointError(f"found no {', '.join(absent)} in {Path(path).name}, expected a checkpoint with "
                              f"{', '.join(parts)}; name another file, or train again")


def require_settings(path: str | Path, saved: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse a checkpoint that was made with other settings.

    Args:
        path: the file, for the message.
        saved: settings that it was made with, by name.
        wanted: settings to go on with, by name.

    Raises:
        CheckpointError: a setting differs; the message names the first.
    """
    for name, value in wanted.items():
        if saved.get(name) != value:
            raise CheckpointError(f"found {name}={saved.get(name)!r} in {Path(path).name}, expected {value!r}; go on "
                                  "with the settings it was started with, or name another checkpoint")


def _compare(name: str, saved: dict[str, Any], expected: dict[str, Any]) -> None:
    """Name the first difference between two architectures."""
    if saved["class"] != expected["class"]:
        raise CheckpointError(f"found a checkpoint of {saved['class']} in {name}, expected {expected['class']}; "
                              f"build a {saved['class']}, or name another checkpoint")
    for key in [*expected["shapes"], *saved["shapes"]]:
        found, wanted = saved["shapes"].get(key), expected["shapes"].get(key)
        if found != wanted:
            raise CheckpointError(
                f"found {key} of shape {found or 'absent'} in {name}, expected {wanted or 'absent'}; "
                f"build the {expected['class']} with the settings it was trained with"
            )
