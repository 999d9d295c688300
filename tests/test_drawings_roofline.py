"""The roofline's drawing: roofs where the machine puts them, a dot and a name for each layer."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_utils.drawings.roofline import draw_roofline
from course_utils.measure.roofline import Machine


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_roofs_rise_to_the_ridge_and_stay_there():
    machines = [Machine("a", 2e11, 1e10), Machine("b", 2e13, 1e12)]
    ax = draw_roofline(machines, {})
    for roof, ridge, machine in zip(ax.lines[::2], ax.lines[1::2], machines, strict=True):
        x, y = roof.get_data()
        assert y.max() == pytest.approx(machine.peak / 1e9)
        below = x < machine.ridge
        assert below.any() and np.allclose(y[below], x[below] * machine.bandwidth / 1e9)
        assert np.allclose(y[~below], machine.peak / 1e9)
        assert (ridge.get_xdata()[0], ridge.get_ydata()[0]) == (machine.ridge, machine.peak / 1e9)
    assert ax.lines[0].get_linestyle() != ax.lines[2].get_linestyle()


def test_every_layer_has_its_dot_and_its_name():
    _, ax = plt.subplots()
    points = {"ReLU": (0.125, 1e9), "conv": (40.0, 8e10)}
    assert draw_roofline([Machine("a", 2e11, 1e10)], points, ax) is ax
    drawn = {text.get_text(): text.xy for text in ax.texts[1:]}
    assert drawn == {"ReLU": (0.125, 1.0), "conv": (40.0, 80.0)}
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_names_of_neighbours_do_not_collide():
    ax = draw_roofline([Machine("a", 2e11, 1e10)], {"low": (0.5, 1e9), "high": (0.49, 2e9), "alone": (40.0, 1e10)})
    assert {text.get_text(): text.get_va() for text in ax.texts[1:]} == {"low": "top", "high": "bottom", "alone": "top"}
