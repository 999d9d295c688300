"""The tree of chapter 09 is what a network reads."""

import matplotlib.pyplot as plt
import torch
from torch import nn

from course_utils.drawings.patches import readers, reading_tree

DENSE = [(0, 1, 2), (0, 1), (0, 2)]


def test_the_tree_is_what_a_network_reads():
    """A dilated network of the same layers, asked by its gradient."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv1d(1, 4, 3), nn.AvgPool1d(2, stride=1), nn.Conv1d(4, 1, 2, dilation=2))
    signal = torch.randn(1, 1, 14, requires_grad=True)
    for output in (0, 3, 8):
        (gradient,) = torch.autograd.grad(network(signal)[0, 0, output], signal)
        assert readers(DENSE, output)[0] == set(gradient[0, 0].nonzero().flatten().tolist())


def test_every_value_of_every_layer_is_a_dot():
    ax = reading_tree(plt.figure().add_subplot(), DENSE, (1, 2, 2), (4,), 12)
    drawn = [len(line.get_xdata()) for line in ax.lines if line.get_color() == "0.75"]
    assert drawn == [12, 10, 5, 4]
    plt.close("all")
