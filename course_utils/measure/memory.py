"""Where the memory of a training goes: predicted from the model and the shape of its input, and measured (chapter 12).

Four things fill a device: the weights, a gradient for each, what the optimizer remembers of each, and the activations,
the tensors that the forward pass leaves for the backward pass. Only the last grow with the batch.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["Memory", "measured", "peak_bytes", "predicted", "saved_bytes"]


@dataclass(frozen=True)
class Memory:
    """Bytes of a training, by what they are for.

    Attributes:
        weights: parameters and buffers.
        gradients: one number for each trained parameter.
        optimizer: what the optimizer keeps.
        activations: what the forward pass saves for the backward pass.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """All together, at the end of the forward pass; the loss and short-lived results come on top."""
        return self.weights + self.gradients + self.optimizer + self.activations


def saved_bytes(forward: Callable[[], Tensor], owned: Iterable[Tensor] = ()) -> int:
    """Count what autograd saves during a forward pass, each piece of memory once.

    Args:
        forward: runs the forward pass and gives its result.
        owned: tensors that are there anyway, such as a model's parameters; they are not counted.

    Returns:
        Bytes that stay occupied until the backward pass.

    Source:
        Chapter 12.

    Example:
        >>> x = torch.ones(1000, requires_grad=True)
        >>> saved_bytes(lambda: x.exp().sum())      # the derivative of exp needs its result: 1000 times 4 bytes
        4000
    """
    seen = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        seen[storage._cdata] = storage              # held, so that no other storage gets the same address
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = forward()                          # held as well: its graph owns what was saved
    there = {tensor.untyped_storage()._cdata for tensor in owned}
    total = sum(storage.nbytes() for address, storage in seen.items() if address not in there)
    del result
    return total


def predicted(model: nn.Module, shape: tuple[int, ...], moments: int = 2) -> Memory:
    """Predict a training's memory without running it: a copy of the model computes shapes only, no numbers.

    Args:
        model: any network that takes an image; it stays as it is.
        shape: (B, C, H, W) of the input, float32.
        moments: numbers that the optimizer keeps for each weight: 2 for Adam, 1 for SGD with momentum, 0 for plain
            SGD. Adam also counts its steps, in 4 bytes for each weight tensor.

    Returns:
        Bytes in training mode.

    Source:
        Chapter 12.

    Example:
        >>> predicted(nn.Linear(10, 5), (3, 10))          # 55 weights; the layer saves its input
        Memory(weights=220, gradients=220, optimizer=448, activations=120)
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    gradients = _bytes(trained)
    shadow = copy.deepcopy(model).to("meta").train()
    activations = saved_bytes(lambda: shadow(torch.empty(shape, device="meta")), _tensors(shadow))
    steps = 4 * len(trained) if moments == 2 else 0
    return Memory(_bytes(_tensors(model)), gradients, moments * gradients + steps, activations)


def measured(model: nn.Module, optimizer: torch.optim.Optimizer, forward: Callable[[], Tensor]) -> Memory:
    """Count a training's memory after a step was made: tensor by tensor, and what autograd saves in a forward pass.

    Args:
        model: in training mode, its gradients computed.
        optimizer: has made at least one step.
        forward: runs the model as the training does and gives its result.

    Returns:
        Bytes.

    Raises:
        ValueError: no step was made yet, so that there is nothing to count.

    Source:
        Chapter 12.
    """
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    if not gradients or not optimizer.state:
        raise ValueError("found no gradient or no optimizer state, expected a training step before the measurement")
    kept = [value for state in optimizer.state.values() for value in state.values() if torch.is_tensor(value)]
    activations = saved_bytes(forward, _tensors(model))
    return Memory(_bytes(_tensors(model)), _bytes(gradients), _bytes(kept), activations)


def peak_bytes(call: Callable[[], object], device: torch.device) -> int | None:
    """Measure the most memory that a CUDA device held during a call.

    Args:
        call: without arguments.
        device: where it computes.

    Returns:
        Bytes in use at the worst moment, everything that was there before included; None where the device does not
        keep such a record.

    Source:
        Chapter 12.

    Example:
        >>> peak_bytes(lambda: torch.zeros(10), torch.device("cpu")) is None
        True
    """
    if device.type != "cuda":
        call()
        return None
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    call()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device)


def _tensors(model: nn.Module) -> list[Tensor]:
    """What a model owns: its parameters and buffers."""
    return [*model.parameters(), *model.buffers()]


def _bytes(tensors: Iterable[Tensor]) -> int:
    """What tensors occupy."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
