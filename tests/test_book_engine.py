"""The engine that chapter 05 builds, taken from its cells, gives PyTorch's gradients on random expressions."""

import numpy as np
import pytest
import torch

from tests.notebooks.compare import load
from tools.notebooks import ROOT, directives

CHAPTER = ROOT / "book" / "foundations" / "05_backpropagation.md"
SHAPES = ((4, 3), (3,), (4, 1), (1, 3), (), (3, 3))
ROW, SQUARE = SHAPES.index((1, 3)), SHAPES.index((3, 3))


def engine_source():
    """The cells that the chapter counts as its engine, one after the other."""
    cells = [block.body.strip() for block in directives(CHAPTER.read_text(encoding="utf-8"))
             if block.name == "code-cell"]
    return "\n".join(cell for cell in cells if cell.startswith("# engine"))


@pytest.fixture(scope="module")
def engine():
    names = {"np": np}
    exec(engine_source(), names)
    return names


def test_the_engine_is_complete_in_fewer_than_a_hundred_lines(engine):
    lines = [line for line in engine_source().splitlines() if line.strip()]
    counted = load(CHAPTER.stem)["ch05-lines"]["text"]      # what the chapter's own count says
    assert counted.endswith(f" {len(lines)} lines") and len(lines) < 100
    assert {"add", "sub", "mul", "matmul", "relu", "exp", "log", "softplus", "total", "backward"} <= set(engine)


def random_expression(generator, leaves, ours, theirs):
    """Build one expression twice, from nodes and from tensors: shared values, broadcasts, products, functions."""
    pairs = leaves[:SQUARE]             # the square fits no sum: it is the right side of matrix products
    for _ in range(8):
        a, b = (pairs[generator.integers(len(pairs))] for _ in range(2))
        kind = generator.choice(["add", "sub", "mul", "relu", "exp", "log", "softplus", "matmul", "neg"])
        if kind in ("add", "sub", "mul"):
            by = {"add": lambda p, q: p + q, "sub": lambda p, q: p - q, "mul": lambda p, q: p * q}[kind]
            made = [by(p, q) for p, q in zip(a, b, strict=True)]
        elif kind == "matmul":
            right = {(4, 3): SQUARE, (1, 3): SQUARE, (4, 1): ROW}.get(tuple(a[1].shape))
            made = [a[0] * 0.5, a[1] * 0.5] if right is None else [p @ q for p, q in zip(a, leaves[right], strict=True)]
        elif kind == "neg":
            made = [-a[0], -a[1]]
        elif kind == "exp":             # of something bounded above, so that nothing overflows
            made = [ours["exp"](-ours["softplus"](a[0])), (-theirs.softplus(a[1])).exp()]
        elif kind == "log":             # of something above zero
            made = [ours["log"](ours["softplus"](a[0]) + 0.1), (theirs.softplus(a[1]) + 0.1).log()]
        else:
            made = [ours[kind](a[0]), getattr(theirs, kind)(a[1])]
        pairs.append(tuple(made))
    results = [[ours["total"](node) for node, _ in pairs], [tensor.sum() for _, tensor in pairs]]
    return [sum(parts[1:], start=parts[0]) for parts in results]


@pytest.mark.parametrize("seed", range(40))
def test_random_expressions_have_pytorchs_gradients(engine, seed):
    generator = np.random.default_rng(seed)
    arrays = [generator.normal(size=shape) for shape in SHAPES]
    nodes = [engine["Node"](array.copy()) for array in arrays]
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    leaves = list(zip(nodes, tensors, strict=True))
    ours, theirs = random_expression(generator, leaves, engine, torch.nn.functional)
    engine["backward"](ours)
    theirs.backward()
    assert ours.data == pytest.approx(theirs.item(), rel=1e-12)
    for node, tensor in leaves:
        assert node.grad.shape == node.data.shape
        wanted = np.zeros(node.data.shape) if tensor.grad is None else tensor.grad.numpy()
        np.testing.assert_allclose(node.grad, wanted, rtol=1e-10, atol=1e-12)


def test_two_passes_add_into_the_inputs_and_nowhere_else(engine):
    x = engine["Node"](2.0)
    square = x * x
    cube = square * x
    engine["backward"](cube)
    engine["backward"](cube)
    assert x.grad == 24 and square.grad == 2


def test_arrays_and_numbers_may_stand_on_either_side(engine):
    array = np.array([[1.0, 2.0, 3.0]])
    for make, gradient in ((lambda x: array * x, array), (lambda x: array - x, -np.ones((1, 3))),
                           (lambda x: 1.0 - x, -np.ones((1, 3))), (lambda x: np.float64(2) * x, 2 * np.ones((1, 3)))):
        x = engine["Node"](np.array([[0.5, -1.0, 4.0]]))
        made = make(x)
        engine["backward"](engine["total"](made))
        np.testing.assert_array_equal(made.data, make(x.data))
        np.testing.assert_array_equal(x.grad, gradient)


@pytest.mark.parametrize("name", ["unbroadcast", "backward", "left of a product", "right of a product"])
def test_a_spoiled_engine_is_noticed(name):
    """The same random expressions fail where a sum is a mean, or `+=` has become `=`."""
    slips = {"unbroadcast": ("grad = grad.sum(axis=tuple(range(missing)))",
                             "grad = grad.mean(axis=tuple(range(missing)))"),
             "backward": ("parent.grad = parent.grad + vjp(node.grad)", "parent.grad = vjp(node.grad)"),
             "left of a product": ("grad @ b.data.T", "grad @ b.data"),
             "right of a product": ("a.data.T @ grad", "-a.data.T @ grad")}
    right, wrong = slips[name]
    source = engine_source()
    assert source.count(right) == 1
    spoiled = {"np": np}
    exec(source.replace(right, wrong), spoiled)
    with pytest.raises((AssertionError, ValueError)):       # wrong numbers, or shapes that do not fit
        for seed in range(40):
            test_random_expressions_have_pytorchs_gradients(spoiled, seed)
