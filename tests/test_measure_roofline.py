"""The work of layers against PyTorch's own counter, and the roof against its definition."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from course_utils.measure import roofline
from course_utils.measure.roofline import Machine, Work, layers, matmul, measure_machine
from course_utils.models.unet import UNet


def counted(call):
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


@pytest.mark.parametrize(("layer", "shape"), [
    (nn.Conv2d(3, 5, 3, padding=1, bias=False), (2, 3, 7, 9)),
    (nn.Conv2d(4, 6, 2, stride=2, bias=False), (2, 4, 8, 6)),
    (nn.Conv2d(4, 4, 3, groups=4, bias=False), (1, 4, 8, 6)),
    (nn.ConvTranspose2d(4, 3, 2, stride=2, bias=False), (2, 4, 5, 3)),
    (nn.Linear(6, 5, bias=False), (7, 6)),
])
def test_products_agree_with_pytorch(layer, shape):
    (_, given, work), = layers(nn.Sequential(layer), shape).values()
    assert given == shape and work.flops == counted(lambda: layer(torch.rand(shape)))
    output = layer(torch.rand(shape))
    assert work.bytes == 4 * (torch.rand(shape).numel() + output.numel() + layer.weight.numel())


def test_a_matrix_product_and_a_linear_layer_are_the_same_work():
    (_, _, work), = layers(nn.Sequential(nn.Linear(6, 5, bias=False)), (7, 6)).values()
    assert work == matmul(7, 6, 5)
    assert work.flops == counted(lambda: torch.rand(7, 6) @ torch.rand(6, 5))


def test_a_bias_is_one_addition_per_output():
    plain, with_bias = (layers(nn.Sequential(nn.Conv2d(3, 5, 1, bias=bias)), (2, 3, 4, 4))["0"][2]
                        for bias in (False, True))
    assert with_bias.flops - plain.flops == 2 * 5 * 16 and with_bias.bytes - plain.bytes == 4 * 5


def test_layers_without_products():
    found = layers(nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2)), (2, 3, 4, 4))
    assert list(found) == ["0", "1"]
    assert found["0"][2] == Work(6 * 96, 4 * 3 * 96) and found["1"][2] == Work(96, 4 * 2 * 96)


def test_a_whole_network_is_counted_and_left_alone():
    model = UNet(3, width=4, depth=2)
    found = layers(model, (2, 3, 16, 16))
    products = [work.flops for layer, _, work in found.values() if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))]
    biases = 2 * (8 * 8 * 8 + 16 * 16 * 4) + 2 * 16 * 16        # of the two stages upwards and of the head
    assert sum(products) == counted(lambda: model(torch.rand(2, 3, 16, 16))) + biases
    assert found["encoders.0.0"][0] is model.encoders[0][0] and not model.encoders[0][0]._forward_hooks


def test_the_roof():
    machine = Machine("toy", peak=100.0, bandwidth=20.0)
    assert machine.ridge == 5.0 == Work(10, 2).intensity
    assert [machine.roof(x) for x in (0.5, 5.0, 50.0)] == [10.0, 100.0, 100.0]


def test_a_layers_speed_is_its_work_over_its_time(monkeypatch):
    monkeypatch.setattr(roofline, "seconds", lambda call, device: call().shape == (2, 5, 4, 4) and 0.5)
    layer = nn.Conv2d(3, 5, 1)
    assert roofline.measure_layer(layer, (2, 3, 4, 4), Work(100, 40)) == (2.5, 200.0)


def test_the_machine_is_work_over_its_shortest_time(monkeypatch):
    times, warm = iter([3.0, 0.5, *[2.0] * 8, *[9.0] * 9, 0.25]), []

    def seconds(call, repeats, warmup, device):
        warm.append(warmup)
        return call() is not None and repeats == 1 and next(times)

    monkeypatch.setattr(roofline, "seconds", seconds)
    machine = measure_machine(torch.device("cpu"), size=10, numbers=100)
    assert (machine.peak, machine.bandwidth) == (2 * 1000 / 0.5, 2 * 400 / 0.25) and machine.name == "this cpu"
    assert warm == [1, *[0] * 9] * 2
