"""What a training leaves behind."""

from course_utils.history import History


def test_history_plots_itself():
    history = History([1.0, 0.5, 0.4], [1.1, 0.6, 0.7], [{}] * 3, [1.0] * 3)
    ax = history.plot()
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [history.train_loss, history.validation_loss]
    assert "best epoch: 2" in [t.get_text() for t in ax.get_legend().get_texts()]
