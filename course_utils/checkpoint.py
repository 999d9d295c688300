"""Checkpoints: everything a training needs to go on, in one file that is either whole or not there."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from course_utils.files import aside

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

    Source:
        Chapter 06.
    """
    content = {"format": FORMAT, "architecture": architecture(model), "model": model.state_dict(), **state}
    with aside(path) as new:
        torch.save(content, new)


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
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # torch raises many kinds for a file that is not its own
        raise CheckpointError(f"found {path.name}, which torch can not read as a checkpoint ({error})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(
            f"found {path.name} in format {found!r}, expected {FORMAT}; train again, or use the version that wrote it"
        )
    require_parts(path, content, ("architecture", "model"))
    _compare(path.name, content.pop("architecture"), architecture(model))
    model.load_state_dict(content.pop("model"))
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


def _compare(name: str, saved: dict[str, Any], expected: dict[str, Any]) -> None:
    """Name the first difference between two architectures."""
    if saved["class"] != expected["class"]:
        raise CheckpointError(f"found a checkpoint of {saved['class']} in {name}, expected {expected['class']}")
    for key in [*expected["shapes"], *saved["shapes"]]:
        found, wanted = saved["shapes"].get(key), expected["shapes"].get(key)
        if found != wanted:
            raise CheckpointError(
                f"found {key} of shape {found or 'absent'} in {name}, expected {wanted or 'absent'}; "
                f"build the {expected['class']} with the settings it was trained with"
            )
