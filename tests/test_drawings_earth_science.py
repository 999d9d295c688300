"""The figure of a drifting run shows the runs that it was given."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from course_utils.drawings.earth_science import drift
from course_utils.simulate import lorenz


@pytest.fixture
def axes():
    """Two rows without a screen, closed afterwards."""
    plt.switch_backend("Agg")
    yield plt.subplots(2, 2)[1]
    plt.close("all")


def test_each_row_shows_its_run_before_the_truth(axes):
    runs = [lorenz.run(start, 40) for start in lorenz.states(2, torch.Generator().manual_seed(0))]
    drift(axes, runs, ("truth", "learned"), shown=1.0)
    assert [ax.get_title() for ax in axes[:, 0]] == ["truth", "learned"]
    truth, learned = (line.get_xydata() for line in axes[1, 0].lines)
    np.testing.assert_array_equal(truth[:, 1], runs[0][:20, 2])
    np.testing.assert_array_equal(learned[:, 1], runs[1][:20, 2])
    assert learned[-1, 0] == pytest.approx(0.95)
    np.testing.assert_array_equal(axes[1, 1].lines[1].get_xydata(), runs[1][20:, ::2])


def test_rows_and_runs_must_match(axes):
    with pytest.raises(ValueError, match="1 runs and 2 labels"):
        drift(axes, [torch.zeros(5, 3)], ("a", "b"))
