"""The same model in several engines, and how far their answers are apart (chapter 15).

Every engine becomes a function from images (N, C, H, W) to probabilities (N, H, W), float32 arrays of numpy.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from course_utils.deploy.export import CardError, load_program
from course_utils.files import plain_file, reading

__all__ = ["Difference", "Run", "compare", "eager", "exported", "onnx_runtime", "openvino"]

Run = Callable[[np.ndarray], np.ndarray]
EXPECTED = "an ONNX file by save_onnx; export the model again"


def eager(frozen: nn.Module, channels_last: bool = False) -> Run:
    """PyTorch as it was trained, with as many threads as PyTorch is set to.

    Args:
        frozen: from images to probabilities, in eval mode; left as it is.
        channels_last: whether each pixel's channels lie side by side in memory (chapter 12).

    Returns:
        The engine.
    """
    order = torch.channels_last if channels_last else torch.contiguous_format
    if channels_last:
        frozen = copy.deepcopy(frozen).to(memory_format=order)

    @torch.no_grad()
    def run(image: np.ndarray) -> np.ndarray:
        return frozen(torch.from_numpy(image).contiguous(memory_format=order)).numpy()

    return run


def exported(path: str | Path) -> Run:
    """The program of a .pt2 file, run by PyTorch without the model's class.

    Args:
        path: written by `export.save_program`.

    Returns:
        The engine.
    """
    return eager(load_program(path)[0])


def onnx_runtime(path: str | Path, threads: int = 1) -> Run:
    """An ONNX file, run by ONNX Runtime on the CPU.

    Args:
        path: of the file.
        threads: of one call.

    Returns:
        The engine.

    Raises:
        CardError: the file is no ONNX file.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    with reading(f"{Path(path).name} that cannot be read", EXPECTED, CardError):
        session = onnxruntime.InferenceSession(plain_file(path), options, providers=["CPUExecutionProvider"])
    return lambda image: session.run(["prob"], {"image": image})[0]


def openvino(path: str | Path, threads: int = 1, precision: str | None = "f32") -> Run:
    """An ONNX file, run by OpenVINO on the CPU.

    Args:
        path: of the file.
        threads: of one call.
        precision: "f32"; None leaves it to OpenVINO, which takes a shorter type where the processor is faster with it.

    Returns:
        The engine.

    Raises:
        CardError: the file is no ONNX file.
    """
    import onnx
    from openvino import Core

    settings = {"INFERENCE_NUM_THREADS": threads} | ({"INFERENCE_PRECISION_HINT": precision} if precision else {})
    with reading(f"{Path(path).name} that cannot be read", EXPECTED, CardError):
        onnx.checker.check_model(onnx.load(plain_file(path)))   # OpenVINO tries every other format it knows, aloud
        compiled = Core().compile_model(str(path), "CPU", settings)
    return lambda image: compiled(image)[0].copy()


@dataclass(frozen=True)
class Difference:
    """How two engines differ.

    Attributes:
        largest: difference of a probability.
        flips: pixels that one calls cloud and the other does not.
        pixels: how many were compared.
    """

    largest: float
    flips: int
    pixels: int


def compare(prob: np.ndarray, reference: np.ndarray, threshold: float) -> Difference:
    """Compare probabilities, and the masks that they lead to.

    Args:
        prob: (N, H, W) of one engine.
        reference: (N, H, W) of the other.
        threshold: probability from which a pixel is called cloud.

    Returns:
        The difference.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> compare(np.array([0.1, 0.5]), np.array([0.1, 0.25]), threshold=0.4)
        Difference(largest=0.25, flips=1, pixels=2)
    """
    if prob.shape != reference.shape:
        raise ValueError(f"found shapes {prob.shape} and {reference.shape}, expected the same; "
                         "give both engines the same images")
    flips = int(((prob >= threshold) != (reference >= threshold)).sum())
    return Difference(float(np.abs(prob - reference).max()), flips, prob.size)
