"""Results and weights of trainings that are too long for a page, kept with the command that made them.

Each record is a file beside this one: `NAME.json` holds results, `NAME.safetensors` the weights of a model. Both say
when, with which command, seeds and versions they were made.
"""

import datetime
import importlib.metadata
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import nn

from course_utils import simulate
from course_utils.files import aside, plain_file, reading

__all__ = ["LARGEST", "RecordError", "results", "save_results", "save_weights", "weights"]

FOLDER = Path(__file__).parent
LARGEST = 1_000_000             # bytes of a file of weights


class RecordError(ValueError):
    """A record that is not there, or not what is asked of it."""


def _about(command: str, seeds: list[int]) -> dict[str, Any]:
    """When and with what a record is made."""
    versions = {name: importlib.metadata.version(name) for name in ("torch", "numpy")}
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"recorded": date, "command": command, "seeds": seeds, "simulator": simulate.VERSION, **versions}


def save_results(name: str, found: Any, command: str, seeds: list[int], folder: Path = FOLDER) -> None:
    """Write the results of an experiment.

    Args:
        name: of the record.
        found: lists, dictionaries, numbers and strings.
        command: what makes the record again, from the project's folder.
        seeds: of everything random in it.
        folder: where records are kept.

    Raises:
        WriteError: the disk is full, or nothing may be written there.
    """
    content = {"about": _about(command, seeds), "results": found}
    with aside(folder / f"{name}.json") as new:
        new.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def results(name: str, folder: Path = FOLDER) -> tuple[Any, dict[str, Any]]:
    """Read the results of an experiment.

    Args:
        name: of the record.
        folder: where records are kept.

    Returns:
        What was found; and about it: ``recorded`` (the date), ``command``, ``seeds``, ``simulator``, ``torch``,
        ``numpy`` (versions).

    Raises:
        RecordError: there is no such record, or it is damaged.
    """
    path = _existing(folder, name, "json")
    with reading(f"{path.name} that cannot be read", "results; take the file from the project again", RecordError):
        content = json.loads(plain_file(path).read_text(encoding="utf-8"))
        return content["results"], content["about"]


def save_weights(name: str, model: nn.Module, command: str, seeds: list[int], folder: Path = FOLDER) -> None:
    """Write a model's weights in half precision, three significant digits of each.

    Args:
        name: of the record.
        model: any module; its parameters and buffers are kept.
        command: what makes the record again, from the project's folder.
        seeds: of everything random in it.
        folder: where records are kept.

    Raises:
        RecordError: the file would be larger than `LARGEST`, or a weight is not finite in half precision.
        WriteError: the disk is full, or nothing may be written there.
    """
    tensors = {key: value.half().contiguous() if value.is_floating_point() else value.contiguous()
               for key, value in model.state_dict().items()}
    broken = [key for key, value in tensors.items() if value.is_floating_point() and not value.isfinite().all()]
    if broken:
        raise RecordError(f"found weights that are not finite in half precision: {', '.join(broken)}; "
                          "expected a training that did not diverge")
    size = sum(value.numel() * value.element_size() for value in tensors.values())
    if size > LARGEST:
        raise RecordError(f"found {size} bytes of weights in {name}, expected at most {LARGEST}; narrow the model")
    about = {key: json.dumps(value) for key, value in _about(command, seeds).items()}
    with aside(folder / f"{name}.safetensors") as new:
        new.write_bytes(save(tensors, metadata=about))


def weights(name: str, model: nn.Module, folder: Path = FOLDER) -> dict[str, Any]:
    """Put recorded weights into a model of the same architecture, ready to predict.

    Args:
        name: of the record.
        model: receives the weights, and is put into eval mode; left as it is when they do not fit.
        folder: where records are kept.

    Returns:
        About the record, as `results`.

    Raises:
        RecordError: there is no such record, it is damaged, or it belongs to another architecture; says the first
            difference.
    """
    path = _existing(folder, name, "safetensors")
    with (reading(f"{path.name} that cannot be read", "weights; take the file from the project again", RecordError),
          safe_open(plain_file(path), framework="pt") as file):
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118, it is no dictionary
        about = {key: json.loads(value) for key, value in (file.metadata() or {}).items()}
    _require_same_shapes(name, tensors, model.state_dict())
    model.load_state_dict({key: value.float() if value.is_floating_point() else value
                           for key, value in tensors.items()})
    model.eval()
    return about


def _require_same_shapes(name: str, found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    """Refuse weights of another architecture."""
    for key in sorted({*found, *wanted}):
        ours, theirs = (tuple(tensors[key].shape) if key in tensors else "nothing" for tensors in (wanted, found))
        if ours != theirs:
            raise RecordError(f"found {theirs} for {key} in the weights {name}, expected {ours}; "
                              "build the model as the record's command does")


def _existing(folder: Path, name: str, ending: str) -> Path:
    """The file of a record, or an error that names those that are there."""
    path = folder / f"{name}.{ending}"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in folder.glob(f"*.{ending}"))) or "none"
        raise RecordError(f"found no record {name}.{ending}, expected one of: {known}")
    return path
