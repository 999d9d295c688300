"""The network for whole pictures, and the two tasks that come with it."""

import math

import pytest
import torch
from torch.nn import functional as F

from course_utils.models.picture_cnn import PictureCNN
from course_utils.tasks import Classification, Regression
from course_utils.train import FitConfig, evaluate, fit


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("head", "linear"), [("flatten", 32 * 2 * 2 * 10 + 10), ("average", 32 * 10 + 10)])
def test_parameters_as_counted_by_hand(head, linear):
    blocks = (1 * 9 * 16 + 16) + 2 * 16 + (16 * 9 * 32 + 32) + 2 * 32
    model = PictureCNN(1, 8, 10, head=head)
    assert sum(p.numel() for p in model.parameters()) == blocks + linear


@pytest.mark.parametrize("head", ["flatten", "average"])
def test_equals_its_layers_written_out(head):
    torch.manual_seed(0)
    model = PictureCNN(3, 16, 4, widths=(5, 7), head=head)
    image, x = torch.rand(6, 3, 16, 16, generator=generator()), None
    x = image
    for conv, norm in ((model.features[0], model.features[1]), (model.features[4], model.features[5])):
        x = F.conv2d(x, conv.weight, conv.bias, padding=1)
        x = (x - x.mean((0, 2, 3), keepdim=True)) / (x.var((0, 2, 3), unbiased=False, keepdim=True) + norm.eps).sqrt()
        x = F.max_pool2d(x.relu(), 2)
    x = x.flatten(1) if head == "flatten" else x.mean((2, 3))
    torch.testing.assert_close(model(image), x @ model.linear.weight.T + model.linear.bias, rtol=1e-4, atol=1e-5)


def test_averages_forget_where_and_flattening_does_not():
    """Moved by as much as the poolings merge, well inside a margin of zeros, maps move along and their means stay."""
    small = torch.rand(2, 1, 4, 4, generator=generator())
    here, there = F.pad(small, (8, 12, 8, 12)), F.pad(small, (12, 8, 8, 12))
    for head, same in (("average", True), ("flatten", False)):
        torch.manual_seed(1)
        model = PictureCNN(1, 24, 3, head=head).eval()
        with torch.no_grad():
            assert torch.allclose(model(here), model(there), atol=1e-6) is same


def test_what_it_was_not_built_for_is_refused():
    with pytest.raises(ValueError, match="found head='max'"):
        PictureCNN(1, 8, 10, head="max")
    with pytest.raises(ValueError, match="expected a multiple of 8"):
        PictureCNN(1, 28, 10, widths=(4, 4, 4))
    with pytest.raises(ValueError, match="found pictures of 9×8, expected 8×8"):
        PictureCNN(1, 8, 10)(torch.zeros(1, 1, 9, 8))
    with pytest.raises(ValueError, match="expected \\(B, 1, H, W\\)"):
        PictureCNN(1, 8, 10)(torch.zeros(1, 3, 8, 8))


def test_classification_by_hand():
    task, logits = Classification(3), torch.tensor([[2.0, 0, 0], [0, 1.0, 0], [0, 3.0, 0], [0, 0, 0.5]])
    batch = {"label": torch.tensor([0, 1, 2, 2])}
    tally = task.tally(logits, batch)
    assert tally.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]          # one 2 was called 1
    assert task.scores(tally) == {"accuracy": 0.75} and task.items(batch) == 4
    by_hand = -sum(math.log(math.exp(row[label]) / sum(map(math.exp, row)))
                   for row, label in zip(logits.tolist(), batch["label"].tolist(), strict=True)) / 4
    assert task.loss(logits, batch).item() == pytest.approx(by_hand, rel=1e-6)


def test_regression_by_hand_and_pooled_over_batches_of_unequal_size():
    task = Regression(("a", "b"), scale=2.0)
    output = torch.tensor([[1.0, 0.0], [0.0, 4.0], [2.0, 0.0]])
    batch = {"target": torch.zeros(3, 2)}
    assert task.loss(output, batch).item() == pytest.approx((1 + 16 + 4) / 6 / 4)
    whole = task.scores(task.tally(output, batch))
    assert whole == pytest.approx({"rmse": math.sqrt(21 / 6), "rmse a": math.sqrt(5 / 3), "rmse b": math.sqrt(16 / 3)})
    parts = [task.tally(output[rows], {"target": batch["target"][rows]}) for rows in ([0], [1, 2])]
    assert task.scores(parts[0] + parts[1]) == pytest.approx(whole)


def test_fit_learns_a_classification_and_a_regression():
    """Where is the bright quarter, and how bright is it?"""
    place = torch.randint(4, (96,), generator=generator())
    bright = torch.rand(96, generator=generator(1)) + 0.5
    image = torch.zeros(96, 1, 8, 8)
    for one, where, value in zip(image, place.tolist(), bright.tolist(), strict=True):
        one[0, where // 2 * 4:, where % 2 * 4:][:4, :4] = value
    batches = [{"image": image[rows], "label": place[rows], "target": bright[rows, None]}
               for rows in torch.arange(96).split(16)]
    config = FitConfig(epochs=12, learning_rate=0.02, schedule="onecycle")
    wanted = ((Classification(4), "accuracy", 0.99, 1), (Regression(("bright",)), "rmse", 0, 0.15))
    for task, score, low, high in wanted:
        torch.manual_seed(0)
        model = PictureCNN(1, 8, 4 if score == "accuracy" else 1, widths=(4, 8))
        fit(model, task, batches[:5], batches[5:], config)
        assert low <= evaluate(model, task, batches[5:])[1][score] <= high
