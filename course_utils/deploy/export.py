"""A trained model as files that need no class of this package: `torch.export` and ONNX, with a card (chapter 15)."""

import copy
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from course_utils.files import aside

__all__ = ["Card", "CardError", "Frozen", "capture", "freeze", "load_program", "read_card", "save_onnx", "save_program"]

OPSET = 20                      # the version of ONNX's operators that the file is written in
KEY = "card"                    # under which both kinds of files hold it


class CardError(ValueError):
    """A file without a card, or with another one than is needed."""


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
        try:
            fields = json.loads(text)
            return cls(**fields | {"bands": tuple(fields["bands"]), "size": tuple(fields["size"])})
        except (ValueError, KeyError, TypeError) as error:
            raise CardError(f"found a card that can not be read ({error!r}), expected one by Card.to_json; "
                            "export the model again") from error


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
    """
    with aside(path) as new:
        torch.export.save(program, new, extra_files={KEY: card.to_json()})


def load_program(path: str | Path) -> tuple[nn.Module, Card]:
    """Read a program.

    Args:
        path: written by `save_program`.

    Returns:
        A module from images to probabilities, and the card.

    Raises:
        CardError: the file holds no card.
    """
    extra = {KEY: ""}
    program = torch.export.load(path, extra_files=extra)
    return program.module(), Card.from_json(extra[KEY])


def save_onnx(program: ExportedProgram, card: Card, path: str | Path) -> None:
    """Write a program as one ONNX file, with input `image` and output `prob`.

    Args:
        program: what `capture` gave.
        card: kept inside the file.
        path: ends in .onnx.
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
        CardError: the file holds none.
    """
    import onnx

    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    if KEY not in properties:
        raise CardError(f"found no card in {Path(path).name}, expected a file by save_onnx; export the model again")
    return Card.from_json(properties[KEY])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes on packages that are not installed, and on its own plans, off the page."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
