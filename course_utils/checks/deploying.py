"""Checks of chapter 15, deploying a model."""

import itertools
from numbers import Real

import numpy as np
import torch
from torch import nn

from course_utils.checks.core import call, exercise
from course_utils.checks.expect import (
    expect_choice,
    expect_equal,
    expect_parts,
    expect_property,
    expect_range,
    expect_shape,
)

NOISE, DAMAGE = 2e-6, 5e-4      # several times what engines differ by; less than the mildest mistake of the chapter


@exercise(hints=(
    "Between which two numbers of the tables above must it lie?",
    "Larger than any difference between engines that compute in float32, with room for another processor; smaller than "
    "the smallest difference that a mistake has made.",
))
def tolerance(answer):
    """It lets engines in float32 pass with room to spare, and stops every mistake of the table."""
    expect_property(not isinstance(answer, bool) and isinstance(answer, Real), f"{answer!r}", "one number",
                    cause="give the number itself, such as 3e-9")
    expect_range(answer, 0, 1, cause="it is a difference of probabilities")
    expect_property(answer >= NOISE, f"{answer:g}", "room for rounding on another processor",
                    cause="an engine that is right would be refused: another machine adds in yet another order")
    expect_property(answer <= DAMAGE, f"{answer:g}", "a number that stops a mistake",
                    cause="a scaling that is off by a thousandth, or weights in bfloat16, would pass")


@exercise(hints=(
    "Three things can be wrong with an answer besides being too far off: its shape, and two kinds of number.",
    "Compare shapes before you subtract. Then ask whether the largest difference *is* within the tolerance, not "
    "whether it is above: for NaN both answers are False.",
))
def golden(answer):
    """It accepts rounding, and refuses answers that differ in one pixel, in shape, in sign, or are no number."""
    rng = np.random.default_rng(15)
    image = rng.random((1, 3, 5, 7), dtype=np.float32)
    prob, limit = rng.uniform(0.1, 0.9, (1, 5, 7)).astype(np.float32), 1e-5
    prob[0, 4, 6] = 0.75

    def planted(change):
        wrong = prob.copy()
        wrong[0, 4, 6] += change
        return wrong

    cases = (
        (prob, True, "the golden answer itself is refused"),
        (planted(0.9e-5), True, "a difference below the tolerance is refused"),
        (planted(3e-5), False, "one pixel is too high: look at the largest difference, not at the mean"),
        (planted(-3e-5), False, "one pixel is too low: the difference needs its absolute value"),
        (planted(1.4e-5), False, "a little too far off: `np.allclose` adds a relative tolerance unless `rtol=0`"),
        (planted(np.nan), False, "one pixel is no number: a comparison with NaN is False, whichever way it is asked"),
        (np.full_like(prob, np.nan), False, "no pixel is a number"),
        (prob[0], False, "another number of axes: numpy broadcasts the shapes instead of complaining"),
        (np.repeat(prob, 2, axis=0), False, "two answers to one image: numpy broadcasts the shapes"),
        (prob.transpose(0, 2, 1), False, "rows and columns are exchanged"),
    )
    for given, wanted, cause in cases:
        asked = []

        def run(patch, given=given, asked=asked):
            asked.append(patch)
            return given

        got = call(answer, run, image, prob, limit)
        expect_property(len(asked) > 0 and np.shape(asked[-1]) == image.shape, "`run` is not called with the image",
                        "the answer of `run(image)` compared", cause="the engine has to be asked")
        expect_property(isinstance(got, bool | np.bool_), f"{type(got).__name__}", "True or False",
                        cause="give back whether the answer passes")
        expect_property(bool(got) == wanted, f"{bool(got)} where {cause.split(':')[0]}", str(wanted), cause=cause)


@exercise(hints=(
    "Which index does Fortran run through first when it walks through memory? Which one do C and Python run through "
    "first?",
    "Python's (N, C, H, W) has W fastest. In a Fortran declaration, the fastest axis stands first.",
))
def declaration(answer):
    """Reversed axes lie in memory as PyTorch expects them, so nothing has to be copied or turned."""
    expect_choice(answer, "c", {
        "a": "the same order of axes, but Fortran runs through the first one fastest: PyTorch would read batches as "
             "columns",
        "b": "channels first looks familiar, but then neighbours in memory are bands of one pixel",
        "d": "the batch must be the slowest axis, and rows are slower than columns: which axis is fastest in PyTorch?",
    })


@exercise(hints=(
    "In Fortran the first index moves by one number, the second by a whole run of the first, and so on; and counting "
    "starts at 1.",
    "Write it for two axes first: image(w, h) lies (w - 1) + W·(h - 1) numbers behind the start. What does one step "
    "in c add?",
))
def place(answer):
    """It counts the numbers before any element, for unequal sizes of all four axes, corners included."""
    for W, H, C, N in ((5, 3, 2, 4), (2, 7, 3, 2), (1, 1, 6, 1)):
        memory = np.arange(W * H * C * N).reshape(N, C, H, W)          # what PyTorch counts
        sizes = (W, H, C)
        got, want, ones, mirrored, swapped = [], [], [], [], []
        for n, c, h, w in itertools.product(range(N), range(C), range(H), range(W)):
            got.append(call(answer, w + 1, h + 1, c + 1, n + 1, *sizes))
            want.append(int(memory[n, c, h, w]))
            ones.append((w + 1) + W * (h + 1) + W * H * (c + 1) + W * H * C * (n + 1))
            mirrored.append(n + N * (c + C * (h + H * w)))
            swapped.append(h + H * (w + W * (c + C * n)))
        expect_equal(got, want, expected="how many numbers lie before image(w, h, c, n)",
                     cause="the length of one step along each axis", slips=[
            (ones, "Fortran counts from 1: the first element, image(1, 1, 1, 1), has nothing before it"),
            ([number + 1 for number in want], "that counts the element itself, too"),
            (swapped, "w is the fastest index, not h"),
            (mirrored, "that is C's rule: there the last index is the fastest")])


@exercise(hints=(
    "Transposing an array in numpy moves no number: it exchanges strides (chapter 01). Which order of axes is the "
    "reverse of N, C, H, W?",
    "`array.T` reverses all axes. Asked for its flags, the result says F_CONTIGUOUS if the original was C_CONTIGUOUS; "
    "if that was not, `np.ascontiguousarray` first.",
))
def for_fortran(answer):
    """Both directions reverse the axes without copying, and an image that is not contiguous is put in order first."""
    to_fortran, from_fortran = expect_parts(answer, 2, "the two functions in one tuple: to_fortran, from_fortran")
    rng = np.random.default_rng(3)
    image = rng.random((2, 3, 4, 5), dtype=np.float32)
    for given in (image, image[:, :, :, ::-1], image.transpose(0, 1, 3, 2)):
        got = call(to_fortran, given)
        n, c, h, w = given.shape
        expect_shape(got, (w, h, c, n), cause="to_fortran: the axes are to be W, H, C, N")
        expect_property(isinstance(got, np.ndarray) and got.dtype == np.float32, "another type of numbers",
                        "a float32 array of numpy", cause="to_fortran converts on the way")
        expect_property(np.array_equal(got[1, 2, 0, 1], given[1, 0, 2, 1]) and np.array_equal(got, given.T),
                        "numbers at other places", "image(w, h, c, n) where PyTorch has image[n, c, h, w]",
                        cause="`reshape` keeps the order of the numbers and renames the axes: transpose instead")
        expect_property(got.flags.f_contiguous, "memory in another order", "the first axis fastest, without gaps",
                        cause="an image that is a view (flipped, cropped, permuted) has gaps in memory; copy it in "
                        "order first")
    got = call(to_fortran, image)
    expect_property(np.shares_memory(got, image), "a copy of a contiguous image", "the same memory",
                    cause="`asfortranarray` or `copy` on an image that is in order already")
    prob = np.asfortranarray(rng.random((5, 4, 2), dtype=np.float32))
    back = call(from_fortran, prob)
    expect_shape(back, (2, 4, 5), cause="from_fortran: the axes are to be N, H, W")
    expect_property(np.array_equal(back, prob.T), "numbers at other places", "prob[n, h, w] where Fortran has "
                    "prob(w, h, n)", cause="from_fortran renames axes instead of reversing them")
    expect_property(np.shares_memory(back, prob), "a copy", "the same memory", cause="from_fortran copies")


class _Net(nn.Module):
    """A small network whose training mode, scaling and scale of output all show."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 1, 1), nn.Flatten(1, 1))
        self.register_buffer("mean", torch.tensor([0.2, 0.5, 0.3])[:, None, None])
        self.register_buffer("spread", torch.tensor([0.1, 0.2, 0.05])[:, None, None])
        generator = torch.Generator().manual_seed(4)
        with torch.no_grad():
            norm, conv = self.net[0], self.net[1]
            norm.running_mean.copy_(torch.tensor([0.3, -0.2, 0.1]))
            norm.running_var.copy_(torch.tensor([0.5, 2.0, 1.5]))
            conv.weight.copy_(2 * torch.randn(1, 3, 1, 1, generator=generator))
            conv.bias.fill_(0.2)

    def forward(self, image):
        """Scale, then ask the layers."""
        return self.net((image - self.mean) / self.spread).squeeze(1)


@exercise(hints=(
    "Follow one image through: which of the numbers that `model` applies are left behind when only `model.net` is "
    "taken? In which mode is the model? And on which scale is 0.4?",
    "Hand over the whole model, not its net; call `eval` on what you hand over; and take the sigmoid before comparing "
    "with a probability. A logit of 0.4 is a probability of 0.6.",
))
def bug_hunt(answer):
    """What is handed over scales, is in eval mode, and cuts probabilities; the model itself is left as it was."""
    generator = torch.Generator().manual_seed(5)
    image = torch.rand(4, 3, 6, 5, generator=generator)
    for threshold in (0.4, 0.7):
        model = _Net().train()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        handed = call(answer, model, threshold)
        expect_property(isinstance(handed, nn.Module), f"{type(handed).__name__}", "a module that maps images to masks")
        with torch.no_grad():
            got = call(handed, image)
            wanted = {"right": _Net().eval()(image).sigmoid() >= threshold,
                      "logits": _Net().eval()(image) >= threshold,
                      "scaling": _Net().eval().net(image).squeeze(1).sigmoid() >= threshold,
                      "mode": _Net().train()(image).sigmoid() >= threshold}
        expect_shape(got, (4, 6, 5), cause="one mask an image")
        expect_property(got.dtype == torch.bool, f"{got.dtype}", "a mask of True and False")
        expect_property(not any(part.training for part in handed.modules()), "a module in training mode",
                        "eval mode", cause="`eval` is missing: batch norm uses the statistics of the batch it is given")
        if not torch.equal(got, wanted["right"]):
            causes = (("logits", "the threshold is a probability, and is compared with logits"),
                      ("scaling", "the scaling stays behind: `model.net` is only a part of the model"),
                      ("mode", "the answer is that of training mode"))
            cause = next((why for name, why in causes if torch.equal(got, wanted[name])),
                         "more than one of scaling, mode and threshold")
            expect_property(False, f"{int((got != wanted['right']).sum())} of {got.numel()} pixels wrong",
                            "the mask of the trained model", cause=cause)
        changed = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
        expect_property(not changed, f"the trained model's {', '.join(changed)} changed", "the model as it was",
                        cause="running the model in training mode changes its running statistics")
        expect_property(all(part.training for part in model.modules()), "the trained model in eval mode", "the model "
                        "as it was", cause="`eval` acts on the model itself: hand over a copy, `copy.deepcopy(model)`")
