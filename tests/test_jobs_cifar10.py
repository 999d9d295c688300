"""The tuning challenge: the network, the marks, one look at the test set, and what a run leaves behind."""

import json
import math

import matplotlib.image
import numpy as np
import pytest
import torch
from torch import nn

from course_utils import leaderboard
from course_utils.data.cifar import load_cifar10, write_records
from course_utils.jobs import cifar10
from course_utils.jobs.report import class_table, rates
from course_utils.models.group_norm import group_normalised
from course_utils.models.lenet import LeNet
from course_utils.models.unet import UNet
from course_utils.simulate.shapes import SHAPES, shape, shapes


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A stand-in of 250 pictures to learn from and 40 to score on."""
    folder = tmp_path_factory.mktemp("stand-in")
    write_records(folder / "data_batch_1.bin", *shapes(range(250)))
    write_records(folder / "test_batch.bin", *shapes(range(40), seed=1))
    (folder / "batches.meta.txt").write_text("\n".join(SHAPES))
    return folder


@pytest.fixture(scope="module")
def tuned(data, tmp_path_factory):
    """A run that was tuned, and its result."""
    run = cifar10.Run(2, 25, data=data, folder=tmp_path_factory.mktemp("runs"), name="tester", device="cpu")
    return run, cifar10.tune(run)


@pytest.fixture
def run(data, tmp_path):
    return cifar10.Run(2, 25, data=data, folder=tmp_path / "runs", name="tester", device="cpu")


def test_lenet_has_the_layers_of_the_rules():
    model = LeNet()
    convolutions = [(part.in_channels, part.out_channels, part.kernel_size) for part in model.modules()
                    if isinstance(part, nn.Conv2d)]
    linear = [(part.in_features, part.out_features) for part in model.modules() if isinstance(part, nn.Linear)]
    assert convolutions == [(3, 6, (5, 5)), (6, 16, (5, 5))] and linear == [(400, 120), (120, 84), (84, 10)]
    assert sum(isinstance(part, nn.MaxPool2d) for part in model.modules()) == 2
    with pytest.raises(ValueError, match="found pictures of 28×28, expected 32×32"):
        model(torch.zeros(1, 3, 28, 28))


def test_nothing_but_epochs_and_batch_size_is_a_setting_of_the_training(capsys):
    for forbidden in ("--learning-rate", "--optimizer", "--seed"):
        with pytest.raises(SystemExit):
            cifar10.main(["--epochs", "1", "--batch-size", "8", forbidden, "1"])
    assert cifar10.LEARNING_RATE == 0.001 and "unrecognized arguments" in capsys.readouterr().err


@pytest.mark.parametrize(("accuracy", "seconds", "expected"), [
    (0.599, 10, "not yet"), (0.6, 10, "passed"), (0.699, 3600, "passed"), (0.7, 3600, "excellent"),
    (0.9, 3601, "not yet"),
])
def test_the_marks(accuracy, seconds, expected):
    assert cifar10.verdict(accuracy, seconds) == expected


def test_rates_by_hand():
    confusion = torch.tensor([[8, 2, 0], [1, 4, 0], [5, 0, 0]])
    accuracy, success = rates(confusion)
    assert accuracy == pytest.approx([0.8, 0.8, 0.0]) and success[:2] == pytest.approx([8 / 14, 4 / 6])
    assert math.isnan(success[2])
    assert class_table(confusion, ["a", "b", "c"]).splitlines()[3].split() == ["c", "0.00", "–", "5"]


def test_a_run_leaves_a_checkpoint_a_table_two_pictures_and_a_line_of_the_board(tuned):
    run, result = tuned
    left = {path.name for path in run.place.iterdir()}
    assert left == {"checkpoint.pt", "classes.txt", "overall.png", "last_batch.png"}
    assert leaderboard.read(run.folder / "tuning.json")[0] == result
    assert result["part"] == "validation" and result["name"] == "tester" and 0 <= result["score"] <= 1
    lines = (run.place / "classes.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(SHAPES)
    assert sum(int(line.split()[-1]) for line in lines[1:]) == len(load_cifar10("validation", run.data)) == 25
    for picture in ("overall.png", "last_batch.png"):
        assert matplotlib.image.imread(run.place / picture)[..., :3].std() > 0.05, f"{picture} is empty"
    assert not (run.folder / "leaderboard.json").exists()


def test_a_run_goes_on_from_its_checkpoint_and_tuning_never_opens_the_test_file(tuned, monkeypatch):
    run, first = tuned
    parts = []
    monkeypatch.setattr(cifar10, "load_cifar10", lambda part, folder: parts.append(part) or load_cifar10(part, folder))
    again = cifar10.tune(run)
    assert again["score"] == first["score"] and again["seconds"] == first["seconds"]     # nothing was trained again
    assert "test" not in parts


def test_the_test_set_is_scored_once(run):
    result = cifar10.final(run)
    assert result["part"] == "test" and leaderboard.read(run.folder / "leaderboard.json") == [result]
    assert {path.name for path in run.final_place.iterdir()} == {"classes.txt", "overall.png", "last_batch.png"}
    for another in (run, cifar10.Run(1, 50, data=run.data, folder=run.folder, device="cpu")):
        with pytest.raises(cifar10.FinalTakenError, match="expected none: the test set is scored once"):
            cifar10.final(another)
    assert leaderboard.read(run.folder / "leaderboard.json") == [result]


def test_of_two_final_scores_at_once_one_is_refused(run, monkeypatch):
    scored = cifar10._scored

    def while_another_is_faster(*arguments):
        (run.folder / "final.json").write_text(json.dumps({"date": "now", "score": 0.5, "epochs": 1, "batch_size": 2}))
        return scored(*arguments)

    monkeypatch.setattr(cifar10, "_scored", while_another_is_faster)
    with pytest.raises(cifar10.FinalTakenError, match="found a final score of now"):
        cifar10.final(run)
    assert not (run.folder / "leaderboard.json").exists()


def test_the_command(run, capsys):
    words = ["--epochs", "1", "--batch-size", "50", "--data", str(run.data), "--folder", str(run.folder),
             "--device", "cpu"]
    assert cifar10.main(words) == 0
    assert "validation accuracy" in capsys.readouterr().out.splitlines()[-1]
    assert cifar10.main([*words, "--final"]) == 0 and cifar10.main([*words, "--final"]) == 1
    printed = capsys.readouterr()
    assert "test accuracy" in printed.out and "the test set is scored once" in printed.err
    assert cifar10.main(["--epochs", "0", *words[2:]]) == 2
    assert cifar10.main([*words[:5], str(run.folder / "nothing")]) == 1


def test_shapes_are_repeatable_of_ten_kinds_and_unlike_each_other():
    images, labels = shapes(range(200))
    assert images.dtype == np.uint8 and set(labels.tolist()) == set(range(10)) == set(range(len(SHAPES)))
    assert np.array_equal(shape(17)[0], images[17]) and not np.array_equal(shape(17, seed=1)[0], images[17])
    line = np.linspace(-1, 1, 41)
    grid = np.meshgrid(line, line)
    drawn = [rule(*grid) for rule in SHAPES.values()]
    for place, one in enumerate(drawn):
        assert 0.1 < one.mean() < 0.8 and all((one != other).mean() > 0.05 for other in drawn[place + 1:])
    for bad in (lambda: shape(-1), lambda: shape(0, seed=-1), lambda: shapes([])):
        with pytest.raises(ValueError, match="expected"):
            bad()


def test_group_normalisation_does_not_look_at_other_images():
    torch.manual_seed(0)
    model = group_normalised(UNet(3, width=4, depth=2)).train()
    assert not any(isinstance(part, nn.BatchNorm2d) for part in model.modules())
    image = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(model(image)[:2], model(image[:2]), atol=1e-5)
    with pytest.raises(ValueError, match="found 6 channels in 0, expected a multiple of 4"):
        group_normalised(nn.Sequential(nn.BatchNorm2d(6)))
