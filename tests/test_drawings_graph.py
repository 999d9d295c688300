"""The drawing of a graph shows the values and gradients that torch has, each box once, users to the right."""

import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from course_utils.colours import CLOUD, FALSE_POSITIVE
from course_utils.drawings.graph import draw_graph, from_torch, places


def neuron():
    w, x, b = (torch.tensor(value, requires_grad=True) for value in (2.0, -1.5, 0.5))
    u = w * x
    z = u + b
    return {"w": w, "x": x, "u": u, "b": b, "z": z, "L": z * z}


def test_steps_hold_torchs_values_gradients_and_parents():
    steps = from_torch(neuron())
    assert {name: step.data.item() for name, step in steps.items()} == {
        "w": 2, "x": -1.5, "u": -3, "b": 0.5, "z": -2.5, "L": 6.25}
    assert {name: step.grad.item() for name, step in steps.items()} == {
        "w": 7.5, "x": -10, "u": -5, "b": -5, "z": -5, "L": 1}
    assert steps["u"].parents == (steps["w"], steps["x"]) and steps["u"].op == "×"
    assert steps["L"].parents == (steps["z"], steps["z"]) and steps["w"].parents == ()


def test_a_node_without_a_name_is_refused():
    tensors = neuron()
    del tensors["u"]
    with pytest.raises(ValueError, match=r"found 'z' made from a node without a name \(MulBackward0\); expected every"):
        from_torch(tensors)


def test_every_node_has_a_place_of_its_own_after_its_parents():
    x = torch.tensor(2.0, requires_grad=True)
    tensors = {"x": x}
    tensors["shared"] = x * x
    tensors["long"] = tensors["shared"].relu()
    tensors["longer"] = tensors["long"] * x
    tensors["L"] = tensors["longer"] + tensors["shared"]
    steps = from_torch(tensors)
    found = places(steps["L"])
    assert len(set(found.values())) == len(found) == len(steps)
    for step in steps.values():
        assert all(found[parent][0] < found[step][0] for parent in step.parents)
    assert found[steps["L"]] == (4, 0)


def test_the_drawing_names_each_node_with_value_and_gradient(ax):
    steps = from_torch(neuron())
    draw_graph(steps["L"], ax, steps)
    words = [text.get_text() for text in ax.texts]
    assert len(words) == 3 * len(steps) and len([p for p in ax.patches if isinstance(p, FancyBboxPatch)]) == len(steps)
    for label, value, gradient in (("w", "2", "7.5"), ("z = +", "−2.5", "−5"), ("L = ×", "6.25", "1")):
        at = words.index(label)
        assert words[at:at + 3] == [label, value, gradient]


def test_values_flow_one_way_and_gradients_the_other(ax):
    steps = from_torch(neuron())
    draw_graph(steps["L"], ax, steps)
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    forward, back = ([arrow for arrow in arrows if to_hex(arrow.get_edgecolor()).upper() == colour]
                     for colour in (CLOUD, FALSE_POSITIVE))
    assert len(forward) == len(back) == 5                   # z is used twice by L, and drawn as one arrow
    across = [[arrow._posA_posB[1][0] - arrow._posA_posB[0][0] for arrow in some] for some in (forward, back)]
    assert min(across[0]) > 0 > max(across[1])


def test_arrays_are_shown_by_their_shapes_and_graphs_may_run_down(ax):
    a = torch.ones(2, 3, requires_grad=True)
    steps = from_torch({"a": a, "L": a.sum()})
    draw_graph(steps["L"], ax, steps, down=True)
    assert [text.get_text() for text in ax.texts][:3] == ["L = sum", "6", "1"]
    assert [text.get_text() for text in ax.texts][3:] == ["a", "(2, 3)", "(2, 3)"]
    heights = [patch.get_y() for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert heights[0] < heights[1]
