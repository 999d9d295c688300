"""Checks of chapter 12, GPUs."""

import weakref

import torch
from torch import nn

from course_utils import losses
from course_utils.checks.core import call, exercise
from course_utils.checks.expect import (
    expect_choice,
    expect_close,
    expect_equal,
    expect_parts,
    expect_property,
    expect_type,
)
from course_utils.measure.memory import predicted


@exercise(hints=(
    "Three of the four depend on the number of weights alone. What does the fourth depend on?",
    "Half a million weights of 4 bytes are 2 MB. One feature map of 16 channels, for 16 patches of 64 × 64, is 4 MB.",
))
def largest_part(answer):
    """Activations: they are kept for every pixel of every image, weights only once."""
    expect_choice(answer, "d", {
        "a": "half a million numbers; multiply 16 channels by 64 × 64 pixels and 16 patches for comparison",
        "b": "there are as many gradients as weights; how many numbers does one feature map have?",
        "c": "two numbers for each weight; how many numbers does one feature map have?",
    })


@exercise(hints=(
    "Predict the total for one image and for two. What does each further image add?",
    "With a the total for one image and d what each further one adds, B images need a + (B − 1)·d. Solve for B, round "
    "down, and mind a budget below a.",
))
def largest_batch(answer):
    """The batch is the largest whose predicted total is within the budget, for three models and eight budgets each."""
    torch.manual_seed(12)
    cases = [(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 1, 1)), (3, 9, 12)),
             (nn.Sequential(nn.Conv2d(2, 5, 3, padding=1), nn.BatchNorm2d(5), nn.Sigmoid()), (2, 16, 8)),
             (nn.Sequential(nn.Flatten(), nn.Linear(40, 30), nn.Tanh(), nn.Linear(30, 1)), (2, 4, 5))]
    got, wanted, slips = [], [], {cause: [] for cause in _BATCH_SLIPS}
    for model, shape in cases:
        first, two = (predicted(model, (count, *shape)).total for count in (1, 2))
        each = two - first
        for budget in (first - 1, first // 2, first, two - 1, two, first + 6 * each + 3, first + 20 * each,
                       first + 250 * each - 1):
            got.append(call(answer, model, shape, budget))
            expect_type(got[-1], int, expected="a whole number of images", cause="`/` divides, `//` also rounds down")
            wanted.append(max(0, 1 + (budget - first) // each))
            for cause, slip in _BATCH_SLIPS.items():
                slips[cause].append(slip(budget, first, each, predicted(model, (1, *shape)).activations))
    expect_equal(got, wanted, expected="the largest batch within each budget, 0 if no image fits",
                 cause="a line through two predictions, rounded down", slips=[(v, cause) for cause, v in slips.items()])


_BATCH_SLIPS = {                                   # what known mistakes give for a budget
    "less than one image fits, and a batch is never smaller than 0": lambda b, one, each, kept: 1 + (b - one) // each,
    "the first image is in the first prediction: count it": lambda b, one, each, kept: max(0, (b - one) // each),
    "rounded up: the last image does not fit": lambda b, one, each, kept: max(0, 1 - (one - b) // each),
    "weights, gradients and optimizer are there for any batch": lambda b, one, each, kept: b // each,
    "weights, gradients and optimizer do not grow with the batch": lambda b, one, each, kept: b // one,
    "weights, gradients and optimizer need room, too": lambda b, one, each, kept: b // kept,
}


@exercise(hints=(
    "Compare with the table: the largest number, the smallest, and the distance from 1 to the next one.",
    "A number is rounded to the nearest that can be written. Is 1.001 nearer to 1 or to the next bfloat16? Is 70,000 "
    "below float16's largest? Is 10⁻⁹ within reach of float16's 6 · 10⁻⁸?",
))
def survives(answer):
    """bfloat16 has few digits, float16 ends at 65,504 and cannot come near 10⁻⁹."""
    expect_type(answer, tuple, expected="three truth values in a tuple")
    expect_property(len(answer) == 3 and all(isinstance(part, bool) for part in answer), f"{answer!r}",
                    "three times True or False", cause="one answer for each of the three statements")
    expect_property(answer[0] is True, "the first statement judged wrongly", "what rounding to bfloat16 makes of 1.001",
                    cause="the next bfloat16 after 1 is almost 0.008 away")
    expect_property(answer[1] is False, "the second statement judged wrongly", "what float16 makes of 70,000",
                    cause="look at float16's largest number in the table")
    expect_property(answer[2] is True, "the third statement judged wrongly", "what both make of 10⁻⁹",
                    cause="float16 has few bits for its exponent, bfloat16 as many as float32")


@exercise(hints=(
    "A mean over all is a weighted mean of the batches' means. With which weights?",
    "Multiply each batch's loss by its number of valid pixels, divided by that of all batches, before `backward`.",
))
def accumulate(answer):
    """The gradients are those of one large batch, for batches of unequal size and unequal gaps, one graph at a time."""
    generator = torch.Generator().manual_seed(12)
    torch.manual_seed(12)
    for sizes in ((2, 2, 2), (1, 3), (2, 1, 1)):
        batches = []
        for place, size in enumerate(sizes):
            grid = torch.rand(3, size, 6, 5, generator=generator)
            batches.append({"image": torch.randn(size, 2, 6, 5, generator=generator), "mask": grid[0] < 0.5,
                            "valid": grid[1] < (0.9, 0.3, 0.6)[place]})
        model = _Counting()
        sum(p.sum() for p in model.parameters()).backward()           # old gradients, to be forgotten
        silent = call(lambda model=model, batches=batches: answer(model, batches) is None)
        expect_property(silent, "a result that was returned", "nothing returned, gradients in `.grad`",
                        cause="the function is to call `backward`, not to return the loss")
        expect_property(all(p.grad is not None for p in model.parameters()), "weights without a gradient",
                        "a gradient for each weight", cause="`backward` was not called, or `zero_grad` came after it")
        found = _gradient(model)
        wanted, slips = _accumulated(model, batches)
        expect_close(found, wanted, expected="the gradient of the mean over all valid pixels of all batches",
                     cause="the weight of each batch", slips=slips, rtol=1e-4, atol=1e-6)
        expect_property(model.most_alive <= 1, f"{model.most_alive} graphs in memory at once", "one graph at a time",
                        cause="call `backward` inside the loop, for each batch")


def _gradient(model):
    """The gradients of all weights, one after another."""
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def _accumulated(model, batches):
    """The wanted gradient, and what known mistakes lead to."""
    def gradient(weights):
        model.zero_grad()
        for weight, batch in zip(weights, batches, strict=True):
            (weight * losses.bce(model(batch["image"]), batch["mask"], batch["valid"])).backward()
        return _gradient(model)

    alive = model.most_alive
    pixels = torch.tensor([int(batch["valid"].sum()) for batch in batches], dtype=torch.float64)
    images = torch.tensor([len(batch["image"]) for batch in batches], dtype=torch.float64)
    count = len(batches)
    wanted = gradient((pixels / pixels.sum()).tolist())
    slips = [
        (gradient([1.0] * count), "the sum of the batches' gradients: each loss is a mean already, so weigh it"),
        (gradient([1 / count] * count), "each batch counts the same; weigh it by its valid pixels"),
        (gradient((images / images.sum()).tolist()), "weighed by images; count valid pixels"),
        (gradient([0.0] * (count - 1) + [float(pixels[-1] / pixels.sum())]), "only the last batch is left: `zero_grad` "
         "belongs before the loop"),
        (wanted + 1, "gradients that were there before: begin with `zero_grad`"),
        (gradient(pixels.tolist()), "the weights must add up to 1: divide by the pixels of all batches"),
    ]
    model.most_alive = alive
    return wanted, slips


class _Held:
    """A tensor that autograd saved in one of a network's forward passes."""

    def __init__(self, tensor, call):
        self.tensor, self.call = tensor, call


class _Counting(nn.Module):
    """A small network that counts from how many of its forward passes autograd holds tensors at the same time.

    It also notes whether any of them was made in training mode.
    """

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 1, 1))
        self.held, self.calls, self.most_alive, self.trained = weakref.WeakSet(), 0, 0, False

    def _hold(self, tensor):
        """Note that a tensor is saved; it is forgotten when autograd lets it go."""
        held = _Held(tensor, self.calls)
        self.held.add(held)
        return held

    def forward(self, image):
        """Give logits, and count whose tensors are held."""
        self.calls += 1
        self.trained |= self.training
        with torch.autograd.graph.saved_tensors_hooks(self._hold, lambda held: held.tensor):
            logits = self.net(image).squeeze(1)
        self.most_alive = max(self.most_alive, len({held.call for held in self.held}))
        return logits


@exercise(hints=(
    "One segment keeps one input, and all activations come back at once. What do 64 segments keep?",
    "With k segments, k inputs are kept and 64 / k activations come back. Where is k + 64 / k smallest?",
))
def segments(answer):
    """The number of inputs kept and the length of a segment balance: both are the square root of the length."""
    expect_type(answer, int, expected="a whole number of segments", cause="")
    expect_property(answer > 0 and 64 % answer == 0, f"{answer} segments", "a divisor of 64",
                    cause="segments of equal length")
    expect_equal(answer, 8, expected="the number of segments whose `peak` is smallest", slips=[
        (1, "a single segment saves its input only, but brings back all activations at once"),
        (64, "every layer is a segment: every input is kept"),
    ], cause="try the neighbours: one of them needs less")


@exercise(hints=(
    "Timing: what if somebody's work is still in the queue when you start, and yours when you stop? Losses: what does "
    "a loss own? Clipping: what is the length of a gradient that was multiplied by 65,536?",
    "`stream.synchronize()` before each look at the clock; `torch.no_grad()` and `.item()`; between `backward` and the "
    "clipping, `scaler.unscale_(optimizer)`.",
))
def bug_hunt(answer):
    """The clock waits before and after, the losses own no graph, and gradients are clipped at their true length."""
    timed, validation_losses, step = expect_parts(answer, 3, "the three functions in one tuple")
    _check_timed(timed)
    _check_losses(validation_losses)
    _check_step(step)


class _Queue:
    """A stream with a clock of its own: work takes its time when it is waited for."""

    def __init__(self):
        self.now, self.waiting = 0.0, [100.0]

    def launch(self, work):
        """Put work, which gives its own seconds, behind what is waiting."""
        self.waiting.append(work())

    def synchronize(self):
        """Wait for all of it."""
        self.now += sum(self.waiting)
        self.waiting.clear()


def _check_timed(timed):
    """The clock is read with an empty queue, before and after."""
    stream = _Queue()
    got = call(timed, stream, lambda: 7.0, lambda: stream.now)
    expect_close(got, 7.0, expected="the seconds that the work itself took", cause="what is on the clock when", slips=[
        (0.0, "the clock stops before the work is done: wait before reading it"),
        (107.0, "work that was in the queue before is counted: wait before you start the clock, too"),
        (-7.0, "the start minus the end"),
    ])


def _check_losses(validation_losses):
    """Plain numbers, without a graph, in evaluation mode."""
    torch.manual_seed(5)
    model, generator = _Counting(), torch.Generator().manual_seed(5)
    batches = [{"image": torch.randn(2, 2, 6, 5, generator=generator),
                "mask": torch.rand(2, 6, 5, generator=generator) < 0.5,
                "valid": torch.rand(2, 6, 5, generator=generator) < 0.8} for _ in range(3)]
    with torch.no_grad():
        wanted = [losses.bce(model(b["image"]), b["mask"], b["valid"]).item() for b in batches]
    model.train()
    model.trained = False
    got = call(validation_losses, model, batches)
    expect_property(isinstance(got, list) and len(got) == 3, f"{type(got).__name__}", "a list, one loss per batch",
                    cause="keep what the function returns")
    expect_property(model.most_alive == 0, "activations saved for a backward pass that never comes",
                    "a forward pass that saves nothing", cause="`item` alone frees the graph after the fact; "
                    "`torch.no_grad()` does not build it")
    expect_property(all(isinstance(loss, float) for loss in got), "losses that are tensors", "plain numbers",
                    cause="`.item()`")
    expect_close(got, wanted, expected="the loss of each batch", cause="the loss itself was right")
    expect_property(not model.trained, "a forward pass in training mode", "the model in evaluation mode",
                    cause="`eval` got lost")


def _check_step(step):
    """Clipped at the true length, as a training without a scaler clips."""
    def stepped(scale, longest, mine):
        weight = nn.Linear(3, 1, bias=False)
        nn.init.ones_(weight.weight)
        optimizer = torch.optim.SGD(weight.parameters(), lr=1.0)
        scaler = torch.amp.GradScaler("cpu", init_scale=scale)
        loss = (weight.weight * torch.tensor([[0.3, 0.0, 0.4]])).sum()        # a gradient of length 0.5
        if mine:
            step(loss, weight, optimizer, scaler, longest)
        else:
            loss.backward()
            nn.utils.clip_grad_norm_(weight.parameters(), longest)
            optimizer.step()
        return 1 - weight.weight.detach()[0]                                  # what the step took away

    for scale, longest in ((1024.0, 0.25), (1024.0, 10.0), (65536.0, 0.1)):
        got, wanted = stepped(scale, longest, True), stepped(scale, longest, False)
        limit = min(0.5, longest / scale) / 0.5
        raw = torch.tensor([0.3, 0.0, 0.4])
        expect_close(got, wanted, expected="the step of a training without a scaler", cause="the order of scaling, "
                     "clipping and the step", rtol=1e-3, atol=1e-6, slips=[
            (limit * raw, "the gradients are clipped while they are still multiplied: the step is too short"),
            (raw, "nothing is clipped"), (scale * raw, "the step is made with multiplied gradients"),
            (torch.zeros(3), "no step is made"),
        ])
