"""Memory of a training: counted by hand, counted by autograd, and predicted without running it."""

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from course_utils.measure.memory import Memory, measured, peak_bytes, predicted, saved_bytes
from course_utils.models.scaled import Scaled
from course_utils.models.unet import UNet


def trained(model, optimizer, image):
    """After one step."""
    model(image).sum().backward()
    optimizer.step()
    return model, optimizer, lambda: model(image)


def by_hand(batch, size, channels, width, depth):
    """Activation bytes of a U-Net, level by level, as chapter 12 adds them up."""
    numbers = channels * batch * size**2
    extra = 0
    for level in range(depth + 1):
        c, pixels = width * 2**level, batch * (size // 2**level) ** 2
        blocks = 1 if level == depth else 2                     # the bottom has no decoder
        numbers += blocks * (4 * c * pixels + 4 * c)            # two convolutions, two ReLUs; two times mean and spread
        if level < depth:
            numbers += 2 * c * pixels + c * pixels // 4         # joined by the skip; pooled
            extra += 8 * c * pixels // 4                        # where each maximum stood
    return 4 * numbers + extra


@pytest.mark.parametrize(("batch", "size", "channels", "width", "depth"), [(1, 16, 3, 4, 1), (3, 32, 12, 8, 3)])
def test_a_unet_is_predicted_to_the_byte(batch, size, channels, width, depth):
    model = UNet(channels, width, depth)
    image = torch.rand(batch, channels, size, size)
    guess = predicted(model, tuple(image.shape))
    assert guess == measured(*trained(model, torch.optim.AdamW(model.parameters()), image))
    assert guess.activations == by_hand(batch, size, channels, width, depth)
    numbers = sum(p.numel() for p in model.parameters())
    assert guess.gradients == 4 * numbers
    assert guess.total == guess.weights + guess.gradients + guess.optimizer + guess.activations
    assert {p.device.type for p in model.parameters()} == {"cpu"}


@pytest.mark.parametrize(("moments", "make"), [
    (0, lambda p: torch.optim.SGD(p, 0.1)),
    (1, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
    (2, lambda p: torch.optim.Adam(p)),
])
def test_what_each_optimizer_keeps(moments, make):
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 1))
    trained(model, optimizer := make(model.parameters()), image := torch.rand(4, 6))
    guess = predicted(model, (4, 6), moments)
    if moments:
        assert guess == measured(model, optimizer, lambda: model(image))
    assert guess.optimizer == moments * guess.gradients + (4 * 4 if moments == 2 else 0)


def test_only_activations_grow_with_the_batch():
    model = UNet(3, width=4, depth=2)
    one, two, four = (predicted(model, (batch, 3, 16, 16)) for batch in (1, 2, 4))
    assert (one.weights, one.gradients, one.optimizer) == (four.weights, four.gradients, four.optimizer)
    assert four.activations - two.activations == 2 * (two.activations - one.activations) > 0


def test_frozen_weights_have_no_gradient():
    model = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 2))
    model[0].requires_grad_(False)
    guess = predicted(model, (4, 6))
    assert guess.gradients == 4 * (5 * 2 + 2) and guess.weights == 4 * (6 * 5 + 5 + 5 * 2 + 2)
    assert guess.activations == 4 * 4 * 5                       # the input of the second layer alone


def test_buffers_count_as_weights():
    inner = UNet(3, width=4, depth=1)
    assert predicted(Scaled(inner, torch.rand(9, 3)), (1, 3, 8, 8)).weights == predicted(
        inner, (1, 3, 8, 8)).weights + 2 * 3 * 4


def test_shared_memory_counts_once():
    x = torch.ones(10, requires_grad=True)
    assert saved_bytes(lambda: x * x, owned=[x]) == 0
    assert saved_bytes(lambda: x * x) == 40
    y = torch.ones(10)
    assert saved_bytes(lambda: (x * y[:5].repeat(2) + x * y).sum(), [x]) == 80


def test_checkpointing_keeps_inputs_only():
    block = nn.Sequential(nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.Sigmoid())
    x = torch.rand(5, 8, requires_grad=True)
    whole = saved_bytes(lambda: block(x), block.parameters())
    short = saved_bytes(lambda: checkpoint(block, x, use_reentrant=False), block.parameters())
    assert whole == 3 * 4 * 40 and short == 4 * 40              # x and two results; x alone


def test_nothing_to_measure_before_a_step():
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    with pytest.raises(ValueError, match="expected a training step"):
        measured(model, optimizer, lambda: model(torch.rand(3, 2)))
    model(torch.rand(3, 2)).sum().backward()
    with pytest.raises(ValueError, match="expected a training step"):
        measured(model, optimizer, lambda: model(torch.rand(3, 2)))


def test_the_peak_of_a_device_that_records_it(monkeypatch):
    """A stand-in for CUDA: reset first, waited for before the call and before reading."""
    log = []
    for name, result in (("synchronize", None), ("reset_peak_memory_stats", None), ("max_memory_allocated", 123)):
        monkeypatch.setattr(torch.cuda, name, lambda device, name=name, result=result: log.append(name) or result)
    assert peak_bytes(lambda: log.append("call"), torch.device("cuda")) == 123
    assert log == ["synchronize", "reset_peak_memory_stats", "call", "synchronize", "max_memory_allocated"]
    assert peak_bytes(lambda: log.append("again"), torch.device("cpu")) is None and log[-1] == "again"


def test_the_total_is_a_sum():
    assert Memory(1, 20, 300, 4000).total == 4321


def test_a_model_without_numbers_is_predicted_as_well():
    with torch.device("meta"):
        shadow = UNet(3, width=4, depth=2)
    assert predicted(shadow, (2, 3, 16, 16)) == predicted(UNet(3, width=4, depth=2), (2, 3, 16, 16))
