"""The engine that chapter 05 builds, taken from its cells, gives PyTorch's gradients on random expressions."""

import numpy as np
import pytest
import torch

from tools.notebooks import ROOT, directives

CHAPTER = ROOT / "book" / "foundations" / "05_backpropagation.md"


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
    assert len([line for line in engine_source().splitlines() if line.strip()]) < 100
    assert {"add", "sub", "mul", "matmul", "relu", "exp", "log", "softplus", "total", "backward"} <= set(engine)


def random_expression(generator, leaves, ours, theirs):
    """Build one expression twice, from nodes and from tensors: shared values, broadcasts, products, functions."""
    pairs = list(leaves)
    for _ in range(8):
        a, b = (pairs[generator.integers(len(pairs))] for _ in range(2))
        kind = generator.choice(["add", "sub", "mul", "relu", "exp", "log", "softplus", "matmul", "neg"])
        if kind in ("add", "sub", "mul"):
            by = {"add": lambda p, q: p + q, "sub": lambda p, q: p - q, "mul": lambda p, q: p * q}[kind]
            made = [by(p, q) for p, q in zip(a, b, strict=True)]
        elif kind == "matmul":
            made = [a[0] @ ours["Node"](np.full((a[1].shape[-1], 3), 0.3)) if a[1].ndim == 2 else a[0] * 0.5,
                    a[1] @ torch.full((a[1].shape[-1], 3), 0.3, dtype=torch.float64) if a[1].ndim == 2 else a[1] * 0.5]
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
    arrays = [generator.normal(size=shape) for shape in ((4, 3), (3,), (4, 1), (1, 3), ())]
    nodes = [engine["Node"](array.copy()) for array in arrays]
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    leaves = list(zip(nodes, tensors, strict=True))
    ours, theirs = random_expression(generator, leaves, engine, torch.nn.functional)
    engine["backward"](ours)
    theirs.backward()
    assert ours.data == pytest.approx(theirs.item(), rel=1e-12)
    for node, tensor in leaves:
        assert node.grad.shape == node.data.shape
        np.testing.assert_allclose(node.grad, tensor.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_two_passes_add_into_the_inputs_and_nowhere_else(engine):
    x = engine["Node"](2.0)
    square = x * x
    cube = square * x
    engine["backward"](cube)
    engine["backward"](cube)
    assert x.grad == 24 and square.grad == 2


@pytest.mark.parametrize("name", ["unbroadcast", "backward"])
def test_a_spoiled_engine_is_noticed(name):
    """The same random expressions fail where a sum is a mean, or `+=` has become `=`."""
    slips = {"unbroadcast": ("grad = grad.sum(axis=tuple(range(missing)))",
                             "grad = grad.mean(axis=tuple(range(missing)))"),
             "backward": ("parent.grad = parent.grad + vjp(node.grad)", "parent.grad = vjp(node.grad)")}
    right, wrong = slips[name]
    source = engine_source()
    assert source.count(right) == 1
    spoiled = {"np": np}
    exec(source.replace(right, wrong), spoiled)
    with pytest.raises(AssertionError):
        for seed in range(40):
            test_random_expressions_have_pytorchs_gradients(spoiled, seed)
