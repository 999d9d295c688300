"""A trained model as files that need no class of this package: `torch.export` and ONNX, with a card (chapter 15)."""

import copy
import io
import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from course_utils.files import aside, plain_file, reading

__all__ = ["Card", "CardError", "Frozen", "capture", "freeze", "load_program", "read_card", "save_onnx", "save_program"]

OPSET = 20                      # the version of ONNX's operators that the file is written in
KEY = "card"                    # under which both kinds of files hold it
ONLY_TENSORS = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"      # PyTorch's own switch
OBJECTS = (b"/constants/custom_obj_", b"/constants/opaque_obj_")    # where a file keeps what the switch does not cover


class CardError(ValueError):
    """A file that is no exported model, has no card, or another one than is needed."""


@dataclass(frozen=True)
class Card:
    """What a file of weights does not say, and a host has to know.

    Attributes:
        name: of the model.
        version: of the weights; a host can refuse all others.
        bands: names of the channels, in their order.
        size: rows and columns of an image.
        threshold: probability from which a pixel is called cloud, chosen on validation.
        lowest: no band is lower in a sensible image.
        highest: no band is higher.
    """

    name: str
    version: str
    bands: tuple[str, ...]
    size: tuple[int, int]
    threshold: float
    lowest: float = -0.1
    highest: float = 2.1

    def to_json(self) -> str:
        """Write it as text.

        Returns:
            One line of JSON.
        """
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Card":
        """Read it from text.

        Args:
            text: what `to_json` gave.

        Returns:
            The card.

        Raises:
            CardError: it is not a card's text.

        Example:
            >>> card = Card("unet", "1", ("650", "550"), (64, 96), 0.4)
            >>> Card.from_json(card.to_json()) == card
            True
        """
        with reading("a card that cannot be read", "one by Card.to_json; export the model again", CardError):
            fields = json.loads(text)
            card = cls(**fields | {"bands": tuple(fields["bands"]), "size": tuple(fields["size"])})
            numbers = (*card.size, card.threshold, card.lowest, card.highest)
            texts = (card.name, card.version, *card.bands)
            kinds = [isinstance(part, str) for part in texts] + [isinstance(part, int | float) for part in numbers]
            if len(card.size) != 2 or not all(kinds):
                raise ValueError("a part of another kind")
            return card


class Frozen(nn.Module):
    """From reflectance to the probability of cloud, with nothing left to the caller.

    Args:
        model: maps images (B, C, H, W) to logits (B, H, W), its scaling included (`models.scaled.Scaled`).

    Source:
        Chapter 15.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        """Ask for probabilities.

        Args:
            image: (B, C, H, W) float32, reflectance.

        Returns:
            (B, H, W) float32 in 0–1.
        """
        return self.model(image).sigmoid()


def freeze(model: nn.Module) -> Frozen:
    """Make a copy that is ready to be exported: in eval mode, without gradients, on the CPU.

    Args:
        model: maps images to logits; left as it is.

    Returns:
        The copy, with the sigmoid behind it.
    """
    return Frozen(copy.deepcopy(model)).cpu().eval().requires_grad_(False)


def capture(frozen: Frozen, card: Card) -> ExportedProgram:
    """Record what a frozen model computes, for batches of any length.

    Args:
        frozen: what `freeze` gave.
        card: names the bands and the size that are fixed from now on.

    Returns:
        The program: operations in order, weights inside.

    Raises:
        ValueError: the model is in training mode.
    """
    if any(part.training for part in frozen.modules()):
        raise ValueError("found a model in training mode, expected eval mode; use freeze(model)")
    example = torch.zeros(2, len(card.bands), *card.size)       # 2: a length of 1 would be taken for a constant
    return torch.export.export(frozen, (example,), dynamic_shapes=({0: Dim("batch")},))


def save_program(program: ExportedProgram, card: Card, path: str | Path) -> None:
    """Write a program as PyTorch's own file, to be read by `load_program` on any machine with PyTorch.

    Args:
        program: what `capture` gave.
        card: kept inside the file.
        path: ends in .pt2.

    Raises:
        WriteError: the disk is full, or nothing may be written there.
    """
    content = io.BytesIO()          # a file that torch writes itself tells nothing of why it could not
    torch.export.save(program, content, extra_files={KEY: card.to_json()})
    with aside(path) as new:
        new.write_bytes(content.getbuffer())


def load_program(path: str | Path) -> tuple[nn.Module, Card]:
    """Read a program.

    A program is code: read those of your own, and those that `golden.require_intact` found to be what you were given.
    Pickled objects, which can run code already when they are read, are refused.

    Args:
        path: written by `save_program`.

    Returns:
        A module from images to probabilities, and the card.

    Raises:
        CardError: the file is no program, holds pickled objects, or no card.
    """
    extra = {KEY: ""}
    expected = "a program by save_program; export the model again"
    with reading(f"{Path(path).name} that cannot be read", expected, CardError), _quiet(), _unpickled():
        content = plain_file(path).read_bytes()
        if any(kind in content for kind in OBJECTS):
            raise CardError(f"found pickled objects in {Path(path).name}, expected {expected}")
        program = torch.export.load(io.BytesIO(content), extra_files=extra)
        module = program.module()
    if not extra[KEY]:
        raise CardError(f"found no card in {Path(path).name}, expected {expected}")
    return module, Card.from_json(extra[KEY])


def save_onnx(program: ExportedProgram, card: Card, path: str | Path) -> None:
    """Write a program as one ONNX file, with input ``image`` and output ``prob``.

    Args:
        program: what `capture` gave.
        card: kept inside the file.
        path: ends in .onnx.

    Raises:
        WriteError: the disk is full, or nothing may be written there.
    """
    with _quiet():
        written = torch.onnx.export(program, dynamo=True, external_data=False, opset_version=OPSET, verbose=False,
                                    input_names=["image"], output_names=["prob"])
    written.model.metadata_props[KEY] = card.to_json()
    with aside(path) as new:
        written.save(new, external_data=False)


def read_card(path: str | Path) -> Card:
    """Read the card of an ONNX file.

    Args:
        path: written by `save_onnx`.

    Returns:
        The card.

    Raises:
        CardError: the file is no ONNX file, or holds no card.
    """
    import onnx

    with reading(f"{Path(path).name} that cannot be read", "a file by save_onnx; export the model again", CardError):
        model = onnx.load(plain_file(path), load_external_data=False)
        properties = {entry.key: entry.value for entry in model.metadata_props}
    if KEY not in properties:
        raise CardError(f"found no card in {Path(path).name}, expected a file by save_onnx; export the model again")
    return Card.from_json(properties[KEY])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes on packages that are not installed, and on its own plans, off the page."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _unpickled() -> Iterator[None]:
    """Have every `torch.load` read tensors only, those inside `torch.export.load` too."""
    before = os.environ.get(ONLY_TENSORS)
    os.environ[ONLY_TENSORS] = "1"
    try:
        yield
    finally:
        os.environ.pop(ONLY_TENSORS)
        if before is not None:
            os.environ[ONLY_TENSORS] = before
