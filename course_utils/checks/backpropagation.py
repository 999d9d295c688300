"""Checks of chapter 05, Backpropagation."""

import tracemalloc
from dataclasses import dataclass, field

import numpy as np
import torch

from course_utils.checks.core import call, exercise
from course_utils.checks.expect import (
    expect_close,
    expect_equal,
    expect_parts,
    expect_property,
    expect_range,
    expect_shape,
)

DEPTH, WIDTH = 40, 128


@exercise(hints=(
    "Forward first: write the four values into the graph. Then begin at L with 1 and go back.",
    "Two arrows arrive at c, one from L and one from d. Two arrive at a, one from c and one from d. Add them.",
))
def two_paths(answer):
    """All four gradients are right, with the contributions of every user added."""
    d, c, a, b = expect_parts(answer, 4)
    cause = "what arrives, times the local derivative; for a product that is the other factor"
    expect_equal(d, 6, expected="prediction 1: the gradient at d", cause=cause,
                 slips=[(8, "that is the value of d; its gradient is the other factor")])
    expect_equal(c, 14, expected="prediction 2: the gradient at c", cause=cause, slips=[
        (8, "c is used twice: the way through d is missing"),
        (6, "c is used twice: the way straight from the product is missing"),
        (48, "the two contributions are added, not multiplied")])
    expect_equal(a, 48, expected="prediction 3: the gradient at a", cause=cause, slips=[
        (42, "a is used twice: the way through d is missing"),
        (24, "what arrives at c has two parts; one of them is missing"),
        (30, "what arrives at c has two parts; one of them is missing"),
        (6, "a is used twice: the way through c is missing")])
    expect_equal(b, 28, expected="prediction 4: the gradient at b", cause=cause, slips=[
        (16, "what arrives at c has two parts; one of them is missing"),
        (12, "what arrives at c has two parts; one of them is missing")])


@exercise(hints=(
    "Compare `x` with the maximum of its row, kept as a column: the result marks the winners.",
    "Divide the marks by their number in each row, and multiply with the arriving gradient as a column.",
))
def largest(answer):
    """The gradient goes back to the largest numbers of each row, shared where several are equal, as in PyTorch."""
    generator = np.random.default_rng(3)
    for shape in [(4, 6), (5, 1), (1, 7)]:
        _largest_of(answer, generator.normal(size=shape), generator.normal(size=shape[0]))
    ties = np.array([[2.0, 5.0, 5.0], [1.0, 1.0, 1.0], [0.0, -1.0, 3.0]])
    _largest_of(answer, ties, np.array([6.0, 3.0, -2.0]))


def _largest_of(answer, x, grad):
    """One call of the learner's rule, against PyTorch's."""
    got = call(answer, x, grad)
    expect_shape(got, x.shape, cause="a gradient has the shape of its value: that of x")
    tensor = torch.tensor(x, requires_grad=True)
    tensor.amax(dim=1).backward(torch.tensor(grad))
    marks = x == x.max(axis=1, keepdims=True)
    first = np.arange(x.shape[1]) == x.argmax(axis=1)[:, None]
    expect_close(got, tensor.grad.numpy(), expected="the arriving gradient at the winners, 0 elsewhere", slips=[
        (marks * grad[:, None], "several winners share the gradient, they do not each get all of it"),
        (first * grad[:, None], "only the first of several winners got something"),
        (marks / marks.sum(axis=1, keepdims=True), "the gradient that arrives is not used"),
        (marks * 1.0, "the gradient that arrives is not used"),
        (x * marks * grad[:, None], "the local derivative of a maximum is 1, not the value"),
    ], cause="which numbers move the maximum when they are nudged?")


@exercise(hints=(
    "Write out the product for one place j. It has two sums over i: of g_i p_i where i = j, and of g_i p_i p_j.",
    "The first sum has a single term. In the second, p_j comes out of the sum, and what is left is one number a row.",
))
def softmax(answer):
    """The product with the Jacobian of softmax, equal to PyTorch's, in memory too small for the matrix."""
    generator = torch.Generator().manual_seed(4)
    for shape in [(5, 3), (2, 9), (1, 4)]:
        scores = torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
        grad = torch.randn(shape, generator=generator, dtype=torch.float64)
        prob = scores.softmax(dim=1)
        prob.backward(grad)
        p, g = prob.detach().numpy(), grad.numpy()
        got = call(answer, p.copy(), g.copy())
        expect_shape(got, shape, cause="a gradient has the shape of its value: that of the scores")
        expect_close(got, scores.grad.numpy(), expected="one number for each score; every row sums to 0", slips=[
            (p * (1 - p) * g, "that is the diagonal of the Jacobian: an output depends on all scores of its row"),
            (p * (g - (g * p).sum()), "sum over each row by itself"),
            (p * (g - (g * p).sum(axis=0)), "sum over the scores of a row, not over the rows"),
            (p * (g - g.sum(axis=1, keepdims=True)), "each gradient in the sum has its own probability as a factor"),
            (g - p, "that is the gradient of the cross-entropy for a one-hot truth, up to its sign"),
            (p * g, "the second part of the Jacobian, −p p, is missing"),
        ], cause="multiply the row vector g with the matrix J on paper, for three scores")
    _softmax_stays_small(answer)


def _softmax_stays_small(answer, scores: int = 1000):
    """One row of many scores: its Jacobian would take a thousand times the memory of the row."""
    prob, grad = np.full((1, scores), 1 / scores), np.arange(float(scores))[None]
    tracemalloc.start()
    try:
        call(answer, prob, grad)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    expect_property(peak < prob.nbytes * scores / 2, f"{peak / prob.nbytes:.0f} times the memory of the row",
                    "a few arrays of the shape of p", cause="a matrix K × K is built on the way")


@exercise(hints=(
    "With gain 1 the gradient arrives too small, with 1.5 too large. Try values between.",
    "Plot the sizes for five gains between in one figure, and look where the line is level on the whole.",
))
def gain(answer):
    """Through 40 tanh layers of three random networks the gradient stays within a factor of two."""
    expect_shape(answer, (), cause="one number, the gain; not the standard deviation and not the sizes")
    value = float(answer)
    expect_property(value > 0, f"a gain of {value:g}", "a number above 0", cause="a standard deviation is positive")
    expect_range(value, 0.0, 100.0)
    ratio = float(np.exp(np.mean([np.log(max(_first_to_last(value, seed), 1e-300)) for seed in range(3)])))
    expect_property(ratio >= 0.5, f"a gradient that arrives {1 / max(ratio, 1e-300):.3g} times smaller than it left",
                    "between half and twice as large", cause="the gain is too small: the weights shrink it"
                    if value > 0.3 else "that may be a standard deviation; the gain is √n times as large")
    expect_property(ratio <= 2, f"a gradient that arrives {ratio:.3g} times larger than it left",
                    "between half and twice as large", cause="the gain is too large: the weights make it grow")


def _first_to_last(gain: float, seed: int) -> float:
    """The size of the gradient at the input over that at the output, in a tanh network with random weights."""
    generator = torch.Generator().manual_seed(100 + seed)

    def draw(rows: int) -> torch.Tensor:
        return torch.randn(rows, WIDTH, generator=generator, dtype=torch.float64)

    values = start = draw(64).requires_grad_()
    for _ in range(DEPTH):
        values = torch.tanh(values @ (draw(WIDTH) * gain / WIDTH**0.5))
    grad = draw(64)
    values.backward(grad)
    return (start.grad.norm() / grad.norm()).item()


@exercise(hints=(
    "Gradients of several passes are added. A detached factor is a constant with the same value.",
    "One factor with a history is enough for the product to have one. Does `detach` copy the memory?",
))
def surprises(answer):
    """Gradients add, detached factors are constants, one history is enough, and `detach` shares the memory."""
    added, constant, recorded, moved = expect_parts(answer, 4)
    expect_equal(added, 7, expected="prediction 1: the gradient after two passes", cause="2w, and 3", slips=[
        (3, "the second pass adds to the first, it does not replace it"), (4, "and the second pass?")])
    expect_equal(constant, 8, expected="prediction 2: the gradient with a constant factor",
                 cause="the detached factor is a constant with the value of w",
                 slips=[(12, "the detached factor is a constant: it has no derivative"),
                        (4, "constant, but not 1: it keeps its value")])
    expect_equal(recorded, True, expected="prediction 3: True or False",
                 cause="which of the two factors has a history?")
    expect_equal(moved, 3, expected="prediction 4: the value of the weight",
                 cause="`+=` works in place; whose memory is it?",
                 slips=[(2, "`detach` cuts the history, not the memory")])


@dataclass(eq=False)
class _Node:
    """A node as the chapter's engine has it."""

    data: np.ndarray
    parents: tuple = field(default=(), repr=False)
    vjps: tuple = field(default=(), repr=False)
    op: str = ""
    grad: np.ndarray = field(default_factory=lambda: np.zeros(()))


def _times(factor: float, node: _Node) -> _Node:
    """A node times a number."""
    return _Node(factor * node.data, (node,), (lambda grad: factor * grad,))


def _plus(a: _Node, b: _Node) -> _Node:
    """The sum of two nodes."""
    return _Node(a.data + b.data, (a, b), (lambda grad: grad, lambda grad: grad))


def _doubled(node: _Node, calls: list) -> _Node:
    """A node plus itself, which notes each time a gradient passes."""
    def passes(grad):
        calls.append(grad)
        return grad

    return _Node(node.data + node.data, (node, node), (passes, passes))


def _start() -> _Node:
    """An input."""
    return _Node(np.array(2.0))


@exercise(hints=(
    "Try a value that is made once and used twice, where it is no input itself. How often is it visited?",
    "A node may pass its gradient on once, when all of its users have. Which function of the chapter gives that order?",
))
def bug_hunt(answer):
    """Chains, shared nodes, short cuts past long ways: every gradient is right, and each node passes it on once."""
    x = _start()
    call(answer, _times(5, _times(3, x)))
    expect_close(x.grad, 15, expected="the gradient through a chain of ×3 and ×5", cause="the chain rule itself")

    x = _start()
    call(answer, _plus(_times(2, x), _times(5, x)))
    expect_close(x.grad, 7, expected="the gradient at an input that is used twice", cause="one visit for each user",
                 slips=[(2, "contributions are added: `+=`, not `=`"), (5, "contributions are added: `+=`, not `=`")])

    x = _start()
    shared = _times(3, x)
    call(answer, _plus(_times(2, shared), _times(5, shared)))
    expect_close(x.grad, 21, expected="the gradient behind a shared inner node", cause="how often was it visited?",
                 slips=[(27, "the shared node passed on twice what it had got first"),
                        (36, "the shared node passed on twice what it had got first"),
                        (6, "the shared node passed its gradient on before the second user had spoken"),
                        (15, "the shared node passed its gradient on before the second user had spoken")])

    for swapped in (False, True):
        x = _start()
        shared = _times(3, x)
        ways = (shared, _times(2, _times(2, _times(2, shared))))
        call(answer, _plus(*(reversed(ways) if swapped else ways)))
        expect_close(x.grad, 27, expected="the gradient where one way to a shared node is short and one is long",
                     cause="the shared node passed its gradient on before the long way had arrived")

    x = node = _start()
    calls, doublings = [], 10
    for _ in range(doublings):
        node = _doubled(node, calls)
    call(answer, node)
    expect_close(x.grad, 2**doublings, expected="the gradient through ten doublings, each a sum of a node with itself",
                 cause="how often was each node visited?",
                 slips=[(1, "a node that is used in both places of an operation gets two contributions")])
    expect_property(len(calls) == 2 * doublings, f"{len(calls)} gradients passed on in a graph of ten sums of two",
                    "one for each place where a value is used",
                    cause="every way is walked by itself, and with each layer there are twice as many")
