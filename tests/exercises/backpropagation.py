"""Planted wrong answers of chapter 05, and the words that each must be told."""

import numpy as np


def marks(x):
    return x == x.max(axis=1, keepdims=True)


def first_winner(x, grad):
    return (np.arange(x.shape[1]) == x.argmax(axis=1)[:, None]) * grad[:, None]


def seeded(root):
    root.grad = np.ones_like(root.data)
    return root


def follow_with_a_stack(root):
    waiting = [seeded(root)]
    while waiting:
        node = waiting.pop()
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            parent.grad = parent.grad + vjp(node.grad)
            waiting.append(parent)
    return root


def follow_by_recursion(root):
    def visit(node):
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            parent.grad = parent.grad + vjp(node.grad)
            visit(parent)

    visit(seeded(root))
    return root


def once_in_breadth(root):
    waiting, seen = [seeded(root)], {root}
    while waiting:
        node = waiting.pop(0)
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            parent.grad = parent.grad + vjp(node.grad)
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return root


def once_in_depth(root):
    seen = set()

    def visit(node):
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            parent.grad = parent.grad + vjp(node.grad)
            if parent not in seen:
                seen.add(parent)
                visit(parent)

    visit(seeded(root))
    return root


def assigned(root):
    waiting = [seeded(root)]
    while waiting:
        node = waiting.pop()
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            parent.grad = vjp(node.grad)
            waiting.append(parent)
    return root


def once_for_each_parent(root):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(seeded(root))
    for node in reversed(order):
        for parent, vjp in dict(zip(node.parents, node.vjps, strict=True)).items():
            parent.grad = parent.grad + vjp(node.grad)
    return root


def along_every_way(root):
    def follow(node, grad):
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            parent.grad = parent.grad + vjp(grad)
            follow(parent, vjp(grad))

    follow(seeded(root), root.grad)
    return root


def softmax_with_its_jacobian(p, grad):
    jacobian = p[:, :, None] * (np.eye(p.shape[1]) - p[:, None, :])
    return np.einsum("ni,nij->nj", grad, jacobian)


def without_the_chain(root):
    waiting = [seeded(root)]
    while waiting:
        node = waiting.pop()
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            parent.grad = parent.grad + vjp(1.0)
            waiting.append(parent)
    return root


WRONG = {
    "two_paths": [
        ((8, 14, 48, 28), "that is the value of d"),
        ((6, 8, 48, 28), "the way through d is missing"),
        ((6, 6, 48, 28), "straight from the product is missing"),
        ((6, 48, 48, 28), "added, not multiplied"),
        ((6, 14, 42, 28), "a is used twice: the way through d"),
        ((6, 14, 6, 28), "a is used twice: the way through c"),
        ((6, 14, 30, 28), "one of them is missing"),
        ((6, 14, 48, 16), "one of them is missing"),
        ((6, 14, 48), "4 answers in order"),
    ],
    "largest": [
        (lambda x, grad: marks(x) * grad[:, None], "they do not each get all of it"),
        (first_winner, "only the first of several winners"),
        (lambda x, grad: marks(x) / marks(x).sum(axis=1, keepdims=True), "the gradient that arrives is not used"),
        (lambda x, grad: x * marks(x) * grad[:, None], "the local derivative of a maximum is 1"),
        (lambda x, grad: grad, "a gradient has the shape of its value"),
        (lambda x, grad: marks(x) * grad, "shapes that do not broadcast"),
        (lambda x, grad: (x > 0) * grad[:, None], "which numbers move the maximum"),
    ],
    "softmax": [
        (lambda p, grad: p * (1 - p) * grad, "the diagonal of the Jacobian"),
        (lambda p, grad: p * (grad - (grad * p).sum()), "each row by itself"),
        (lambda p, grad: p * (grad - (grad * p).sum(axis=0)), "not over the rows"),
        (lambda p, grad: p * (grad - grad.sum(axis=1, keepdims=True)), "its own probability as a factor"),
        (lambda p, grad: p * grad, "the second part of the Jacobian"),
        (lambda p, grad: grad - p, "the gradient of the cross-entropy"),
        (lambda p, grad: p * (grad - (grad * p).sum(axis=1)), "shapes that do not broadcast"),
        (softmax_with_its_jacobian, "a matrix K × K is built"),
    ],
    "gain": [
        (1.0, "the gain is too small"),
        (2 ** 0.5, "the gain is too large"),
        (0.09, "that may be a standard deviation"),
        (-1.0, "a standard deviation is positive"),
        (1e-9, "that may be a standard deviation"),
        (np.ones(41), "one number, the gain"),
    ],
    "surprises": [
        ((3.0, 8.0, True, 3.0), "it does not replace it"),
        ((7.0, 12.0, True, 3.0), "the detached factor is a constant"),
        ((7.0, 4.0, True, 3.0), "it keeps its value"),
        ((7.0, 8.0, False, 3.0), "which of the two factors has a history"),
        ((7.0, 8.0, True, 2.0), "not the memory"),
    ],
    "bug_hunt": [
        (follow_with_a_stack, "passed on twice"),
        (follow_by_recursion, "passed on twice"),
        (once_in_breadth, "before the long way had arrived"),
        (once_in_depth, "before the second user had spoken"),
        (assigned, "contributions are added"),
        (without_the_chain, "the chain rule itself"),
        (once_for_each_parent, "in both places of an operation"),
        (along_every_way, "every way is walked by itself"),
    ],
}
