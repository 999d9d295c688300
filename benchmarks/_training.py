"""One variant of the training that `benchmarks.accelerator` measures: its data, its step, its clocks."""

import contextlib
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.data.patches import Patches, PngPatches, decode
from course_utils.measure.clock import Parts, synchronize
from course_utils.measure.memory import measured, peak_bytes
from course_utils.models.unet import UNet
from course_utils.runtime import generator

KEYS = ("image", "mask", "valid")
COUNTED = "counted: weights, gradients, optimizer, activations"


@dataclass(frozen=True)
class Settings:
    """Everything about the training but its speed.

    Attributes:
        patches: how many patches it draws from.
        batch: patches in a step.
        width: channels of the U-Net at full resolution.
        steps: measured steps.
        warmup: steps before them; compilation is one of their costs.
        learning_rate: of AdamW.
    """

    patches: int
    batch: int
    width: int
    steps: int
    warmup: int
    learning_rate: float = 3e-3


def masked_bce(logits: Tensor, mask: Tensor, valid: Tensor) -> Tensor:
    """Binary cross-entropy as `losses.bce`, without asking on the way whether anything is valid.

    The question would make the processor wait for the device at every step, and cannot be recorded in a graph.

    Args:
        logits: (B, H, W) float.
        mask: (B, H, W) bool.
        valid: (B, H, W) bool.

    Returns:
        Mean over the valid pixels.
    """
    each = F.binary_cross_entropy_with_logits(logits.float(), mask.float(), reduction="none")
    return each.masked_fill(~valid, 0.0).sum() / valid.sum().clamp(min=1)


class Training:
    """One variant of the training: how a batch gets to the device, and what a step does with it.

    Args:
        features: of `accelerator.FEATURES`, those that are switched on.
        patches: as they are stored.
        folder: the same patches as PNG files.
        settings: see `Settings`.
        device: where it computes.
    """

    def __init__(self, features: tuple[str, ...], patches: Patches, folder: Path, settings: Settings,
                 device: torch.device):
        self.features, self.settings, self.device = features, settings, device
        torch.manual_seed(0)
        self.model = UNet(len(patches.channels), settings.width).to(device)
        if "channels_last" in features:
            self.model = self.model.to(memory_format=torch.channels_last)
        self.forward = self.model
        if "compile" in features:
            torch.compiler.config.force_disable_caches = True            # what was compiled yesterday is no merit
            self.forward = torch.compile(self.model)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), settings.learning_rate,
                                           capturable="CUDA graph" in features)
        self.order = torch.randint(settings.patches, (settings.warmup + settings.steps, settings.batch),
                                   generator=generator(1))
        self.channels = patches.channels
        if "data on device" in features:
            stored = patches.stored(slice(settings.patches))
            self.stored = {key: stored[key].to(device) for key in KEYS}
            self.order = self.order.to(device)
        else:
            self.files = PngPatches(folder, channels=patches.channels, check=False)
        self.graph = None

    def batch(self, step: int, part: Callable[[str], contextlib.AbstractContextManager]) -> dict[str, Tensor]:
        """Bring a batch to the device.

        Args:
            step: which one.
            part: a clock's context for "load" and "transfer".

        Returns:
            ``image`` float32, ``mask`` and ``valid`` bool.
        """
        rows = self.order[step]
        if "data on device" not in self.features:
            with part("load"):
                samples = [self.files[row] for row in rows.tolist()]
            with part("transfer"):                                       # one transfer per item and key
                return {key: torch.stack([sample[key].to(self.device) for sample in samples]) for key in KEYS}
        with part("load"):
            batch = {key: values[rows] for key, values in self.stored.items()}
            batch["image"] = decode(batch["image"], self.channels)
            if "channels_last" in self.features:
                batch["image"] = batch["image"].to(memory_format=torch.channels_last)
        return batch

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """The forward pass and the loss.

        Args:
            batch: as `batch` gives it.

        Returns:
            A scalar.
        """
        half = "bf16 autocast" in self.features
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half, cache_enabled=False):
            logits = self.forward(batch["image"])
        return masked_bce(logits, batch["mask"], batch["valid"])

    def step(self, batch: dict[str, Tensor], part: Callable[[str], contextlib.AbstractContextManager]) -> Tensor:
        """Forward, backward, update.

        Args:
            batch: as `batch` gives it.
            part: a clock's context for "forward", "backward" and "step", or for "replay".

        Returns:
            The loss, still on the device.
        """
        if self.graph is not None:
            with part("replay"):
                for key, value in batch.items():
                    self.static[key].copy_(value)
                self.graph.replay()
                return self.static_loss.detach().clone()
        self.optimizer.zero_grad()
        with part("forward"):
            loss = self.loss(batch)
        with part("backward"):
            loss.backward()
        with part("step"):
            self.optimizer.step()
        return loss.detach()

    def capture(self) -> None:
        """Record a whole step as a CUDA graph; its warm-up is undone in place, since the graph knows addresses."""
        self.static = self.batch(0, nothing)
        before = {name: value.clone() for name, value in self.model.state_dict().items()}
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.step(self.static, nothing)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad()
        with torch.cuda.graph(graph):
            self.static_loss = self.loss(self.static)
            self.static_loss.backward()
            self.optimizer.step()
        self.model.load_state_dict(before)
        for state in self.optimizer.state.values():
            for value in state.values():
                value.zero_()
        self.graph = graph

    def run(self) -> dict:
        """Train, and measure.

        Returns:
            What the record holds of a variant.
        """
        settings, naive = self.settings, not self.features
        started = time.perf_counter()
        reserved = peak_bytes(self.capture, self.device) if "CUDA graph" in self.features else 0
        losses = []

        def steps(numbers, part=nothing):
            for number in numbers:
                loss = self.step(self.batch(number, part), part)
                losses.append(loss.item() if naive else loss)            # `item` waits for the device

        steps(range(settings.warmup))
        synchronize(self.device)
        warm = time.perf_counter()
        peak = peak_bytes(lambda: steps(range(settings.warmup, len(self.order))), self.device)
        synchronize(self.device)
        seconds = time.perf_counter() - warm
        losses = [float(loss) for loss in losses]
        batch = self.batch(0, nothing)
        counted = None if peak else measured(self.model, self.optimizer, lambda: self.loss(batch)).total
        kept, timed = list(losses), []
        for number in range(min(5, settings.steps)):
            timed.append(Parts(self.device))
            steps([number], timed[-1])
        return {"images_per_second": settings.steps * settings.batch / seconds,
                "warmup_seconds": warm - started,
                "seconds_per_step": {name: statistics.median(parts.seconds[name] for parts in timed)
                                     for name in timed[0].seconds},
                "peak_bytes": max(peak, reserved) if peak else counted,      # a replay allocates nothing
                "peak_how": "max_memory_allocated" if peak else COUNTED,
                "losses": [round(loss, 5) for loss in kept]}


def nothing(name: str) -> contextlib.AbstractContextManager:
    """A clock that does not measure.

    Args:
        name: of a part.

    Returns:
        A context that does nothing.
    """
    return contextlib.nullcontext()
