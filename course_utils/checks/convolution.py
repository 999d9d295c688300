"""Checks of chapter 07, Convolution."""

import torch
from torch import nn
from torch.nn import functional as F

from course_utils.checks.core import RejectedError, call, describe, exercise
from course_utils.checks.expect import (
    expect_choice,
    expect_close,
    expect_equal,
    expect_parts,
    expect_property,
    expect_shape,
)

SOBEL = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8


@exercise(hints=(
    "Lay the kernel under the first three numbers, then one further. For `np.convolve` turn it round before.",
    "Full means that one overlapping number is enough, on either side. A kernel that reads the same backwards is not "
    "changed by turning it.",
))
def turned(answer):
    """All four predictions are right: turned for numpy, as it is for PyTorch."""
    by_numpy, by_torch, length, same = expect_parts(answer, 4)
    expect_equal(by_numpy, [-1, -2], expected="prediction 1: two numbers", cause="turn, slide, multiply, add",
                 slips=[([1, 2], "numpy turns the kernel round"), ([-2, -1], "slide from left to right")])
    expect_equal(by_torch, [1, 2], expected="prediction 2: two numbers", cause="slide, multiply, add",
                 slips=[([-1, -2], "PyTorch does not turn the kernel")])
    expect_equal(length, 6, expected="prediction 3: how many places there are where at least one number overlaps",
                 slips=[(2, "that is the number of places where the kernel lies wholly inside"),
                        (4, "that is the length of x"), (7, "the two ends share one place")])
    expect_choice(same, "b", {"a": "turned round, its signs are exchanged", "c": "turned round, it is 3, 2, 1"})


@exercise(hints=(
    "The size after a layer is the size before, plus twice the padding, minus what the kernel spans, plus one. With a "
    "stride, divide before adding the one, and round down.",
    "A 3×3 kernel with dilation 2 spans 5 pixels, a 7×7 kernel with dilation 2 spans 13. Half of what is lost has to "
    "be added on each side.",
))
def sizes(answer):
    """All five sizes are right."""
    first, second, third, fourth, padding = expect_parts(answer, 5)
    expect_equal(first, 60, expected="answer 1: rows after the 5×5 kernel", cause="how many places are there for it?",
                 slips=[(59, "64 − 5 is the last place, counted from 0"), (62, "that is a 3×3 kernel"),
                        (64, "nothing is padded here")])
    expect_equal(second, 30, expected="answer 2: rows after the 2×2 window with stride 2", cause="windows side by side",
                 slips=[(29, "the first window counts, too"), (59, "that is stride 1")])
    expect_equal(third, 30, expected="answer 3: rows after dilation 2 with padding 2",
                 cause="with dilation 2 the kernel spans 5 pixels",
                 slips=[(32, "with dilation 2 the kernel spans 5 pixels, not 3"), (26, "the padding is missing"),
                        (28, "the padding is on both sides")])
    expect_equal(fourth, 15, expected="answer 4: rows after stride 2 with padding 1", cause="round down, then add 1",
                 slips=[(14, "the padding is missing"), (16, "divide what is left over the kernel, not the size"),
                        (15.5, "round down: half a place is none")])
    expect_equal(padding, 6, expected="answer 5: a padding", cause="with dilation 2 the kernel spans 13 pixels",
                 slips=[(3, "with dilation 2 the kernel spans 13 pixels, not 7"), (12, "half of it on each side"),
                        (7, "spanning 13, the kernel loses 12 places in all")])


def _respond(image, kernel):
    """Correlation that keeps the size, with the outermost pixels repeated."""
    below, right = kernel.shape[0] // 2, kernel.shape[1] // 2
    return F.conv2d(F.pad(image[None, None], (right, right, below, below), mode="replicate"), kernel[None, None])[0, 0]


@exercise(hints=(
    "Start with ones on the diagonal. What do they answer to an even sky? Take just that away again.",
    "Weights that sum to 0 ignore a constant; weights that look the same turned by 180° ignore a ramp as well. Now ask "
    "for the sum of each row and of each column.",
))
def line(answer):
    """Your kernel answers to thin lines from the upper left to the lower right, and to nothing else on the list."""
    expect_property(torch.is_tensor(answer), describe(answer), "a tensor of shape (5, 5)")
    expect_shape(answer, (5, 5))
    kernel = answer.detach().float()
    rows, columns = torch.meshgrid(torch.arange(21.0), torch.arange(21.0), indexing="ij")
    inside = slice(5, 16), slice(5, 16)
    level = _respond(torch.ones(21, 21), kernel)[inside].abs().max().item()
    expect_property(level < 1e-5, f"a response of {level:.3g} to an even sky of brightness 1", "0",
                    cause="the weights do not sum to 0")
    for name, ramp in (("to the right", columns), ("downwards", rows)):
        slope = _respond(ramp, kernel)[inside].abs().max().item()
        expect_property(slope < 1e-4, f"a response of {slope:.3g} to a ramp that rises by 1 per pixel {name}", "0",
                        cause="one half of the kernel does not mirror the other")
    diagonal = (rows == columns).float()
    strength = _respond(diagonal, kernel)[10, 10].item()
    elsewhere = strength < -0.5 or _respond(diagonal.flip(1), kernel)[10, 10] >= 2
    expect_property(strength >= 2, f"a response of {strength:.3g} to a line from the upper left to the lower right",
                    "at least 2", cause="the kernel is for the other diagonal, or for dark lines" if elsewhere
                    else "the weights along the diagonal are too small")
    for name, other in (("a horizontal line", (rows == 10).float()), ("a vertical line", (columns == 10).float()),
                        ("a line along the other diagonal", diagonal.flip(1))):
        most = _respond(other, kernel)[inside].abs().max().item()
        expect_property(most <= strength / 4 + 1e-5, f"a response of {most:.3g} to {name}; r is {strength:.3g}",
                        "at most r / 4", cause="do the weights along such a line sum to 0, wherever it lies?")
    dot = torch.zeros(21, 21)
    dot[10, 10] = 1
    most = _respond(dot, kernel).abs().max().item()
    expect_property(most <= strength / 2 + 1e-5, f"a response of {most:.3g} to a single pixel, with r = {strength:.3g}",
                    "at most r / 2", cause="one weight alone makes half of the answer; spread it along the line")


@exercise(hints=(
    "Weight (a, b) meets pixel (i + a, j + b) on its way to output (i, j). Write its gradient as a sum over i and j: "
    "which of the two arrays slides over which?",
    "Kernel: correlate the image with grad. Image: pad grad by the kernel's size minus one on all sides, then use the "
    "kernel turned by 180°.",
))
def backward(answer):
    """Both gradients equal PyTorch's, for images and kernels that are not square."""
    generator = torch.Generator().manual_seed(7)
    for shape, size in [((6, 9), (3, 2)), ((5, 5), (1, 4)), ((4, 7), (4, 7)), ((8, 3), (2, 1))]:
        image, kernel = (torch.randn(sides, generator=generator, dtype=torch.float64).requires_grad_()
                         for sides in (shape, size))
        out = F.conv2d(image[None, None], kernel[None, None])[0, 0]
        grad = torch.randn(out.shape, generator=generator, dtype=torch.float64)
        out.backward(grad)
        with torch.no_grad():                       # autograd finds nothing here
            result = call(answer, image.detach().clone(), kernel.detach().clone(), grad.clone())
        mine_image, mine_kernel = expect_parts(result, 2, "two gradients: of the image, and of the kernel")
        if shape != size and tuple(mine_image.shape) == size and tuple(mine_kernel.shape) == shape:
            raise RejectedError("a gradient of the kernel, then one of the image", "first the image, then the kernel",
                                "the two are exchanged")
        expect_shape(mine_kernel, size, cause="the gradient of the kernel has the shape of the kernel")
        expect_close(mine_kernel, kernel.grad, expected="the gradient of the kernel", rtol=1e-5, atol=1e-6, slips=[
            (kernel.grad.flip(0, 1), "the gradient of the kernel is a correlation: nothing is turned"),
            (kernel.grad / grad.numel(), "a weight helps with every output: add, do not average"),
        ], cause="correlate the image with the gradient that arrives")
        expect_shape(mine_image, shape, cause="the gradient of the image has the shape of the image: pad `grad` by the "
                     "size of the kernel minus one, on each side")
        padded = F.pad(grad, (size[1] - 1, size[1] - 1, size[0] - 1, size[0] - 1))[None, None]
        unturned = F.conv2d(padded, kernel.detach()[None, None])[0, 0]
        expect_close(mine_image, image.grad, expected="the gradient of the image", rtol=1e-5, atol=1e-6, slips=[
            (unturned, "for the gradient of the image the kernel has to be turned round"),
        ], cause="which outputs did pixel (m, n) enter, and with which weight?")


@exercise(hints=(
    "With stride 1, the field is 1 plus 2 times the sum of the dilations. What must the sum be? To keep the size, let "
    "the padding be as large as the dilation.",
    "Read backwards: a kernel with dilation d leaves gaps of d − 1 pixels, which the other layers have to fill. One "
    "layer sees 3 pixels in a row, two see 9 at best.",
))
def see_far(answer):
    """Your stack keeps the size, sees 31×31 pixels, and every one of them."""
    expect_property(isinstance(answer, nn.Sequential), describe(answer), "an `nn.Sequential`")
    layers = list(answer)
    for layer in layers:
        expect_property(isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3) and layer.stride == (1, 1)
                        and layer.in_channels == layer.out_channels == 1, f"a layer {layer}",
                        "only `nn.Conv2d(1, 1, 3, ...)` with stride 1")
    expect_property(1 <= len(layers) <= 4, f"{len(layers)} layers", "at most four",
                    cause="without dilation, four layers see 9×9 pixels, and fifteen would be needed")
    double = nn.Sequential(*[_ones(layer) for layer in layers])
    image = torch.zeros(1, 1, 64, 64, dtype=torch.float64, requires_grad=True)
    out = call(double, image)
    expect_property(out.shape == image.shape, f"an output of {tuple(out.shape[2:])}", "64×64, the size of the image",
                    cause="the padding of a layer has to be as large as its dilation")
    out[0, 0, 32, 32].backward()
    seen = image.grad[0, 0] > 0
    places = seen.any(dim=1).nonzero(), seen.any(dim=0).nonzero()
    height, width = (int(place.max() - place.min() + 1) for place in places)
    expect_property((height, width) == (31, 31), f"a receptive field of {height}×{width}", "31×31",
                    cause="each layer adds twice its dilation")
    holes = height * width - int(seen.sum())
    expect_property(not holes, f"a receptive field with {holes} pixels in it that are never seen", "no holes",
                    cause="a dilation is larger than what the layers with smaller ones see, or all share a factor")


def _ones(layer):
    """The same layer with weights of one and zero padding, so that no gradient cancels."""
    made = nn.Conv2d(1, 1, 3, padding=layer.padding, dilation=layer.dilation, bias=False, dtype=torch.float64)
    nn.init.ones_(made.weight)
    return made


@exercise(hints=(
    "Try an even sky of brightness 1, and ramps that rise to the right, downwards, and along both diagonals.",
    "The two filters are the parts of a vector: how long is it? And what lies outside of the image, when `padding=1` "
    "is all that is said?",
))
def edges(answer):
    """Your edges are equally strong in all directions, and an even sky has none, up to its border."""
    for shape in ((9, 12), (10, 7)):
        got = call(answer, torch.full(shape, 0.8))
        expect_shape(got, shape, cause="the result has the size of the image")
        got = torch.as_tensor(got)
        expect_property(got[2:-2, 2:-2].abs().max() < 2e-3, "edges in the midst of an even sky", "0 everywhere")
        frame = got.abs().max().item()
        expect_property(frame < 2e-3, f"an edge of {frame:.3g} at the border of an even sky", "0 everywhere",
                        cause="zeros outside of the image are a sudden change of brightness")
        rows, columns = torch.meshgrid(torch.arange(shape[0]), torch.arange(shape[1]), indexing="ij")
        for angle in (0, 90, 135, 45, 200, 300):
            direction = torch.tensor(float(angle)).deg2rad()
            ramp = 0.1 * (columns * direction.cos() + rows * direction.sin())
            got = torch.as_tensor(call(answer, ramp))
            strength, most = got[4, 3].item(), got.max().item()
            parts = 0.1 * abs(direction.cos()) + 0.1 * abs(direction.sin())
            total = 0.1 * abs(direction.cos() + direction.sin())
            expect_close(strength, 0.1, expected=f"the strength of a ramp of 0.1 per pixel in the direction {angle}°",
                         atol=1e-4, slips=[
                (0.8, "the weights of the kernel are not divided by 8"),
                (0.01, "the root is missing"),
                (total, "the two parts cancel or add up, depending on the direction"),
                (parts, "the absolute parts are added; a vector's length is another thing"),
            ], cause="the length of a vector from its two parts")
            expect_property(most < 0.101, f"an edge of {most:.3g} on the border of a ramp of 0.1 per pixel",
                            "at most 0.1", cause="repeat what is next to the border, not what is on the other side")
    image = torch.rand(8, 11, generator=torch.Generator().manual_seed(2))
    inner = [F.conv2d(image[None, None], kernel[None, None])[0, 0] for kernel in (SOBEL, SOBEL.T)]
    expect_close(call(answer, image)[1:-1, 1:-1], (inner[0] ** 2 + inner[1] ** 2).sqrt(), atol=1e-3,
                 expected="the length of the gradient at every inner pixel", cause="change no more than what is wrong")
