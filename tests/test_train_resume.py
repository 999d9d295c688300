"""Trainings that were cut short go on as if nothing had happened, or say why they cannot."""

import pytest
import torch

from course_utils.checkpoint import CheckpointError, save_checkpoint
from course_utils.data.patches import batches
from course_utils.models.mlp import PixelMLP
from course_utils.tasks import Segmentation
from course_utils.train import FitConfig, fit
from tests.toy_training import Interrupted, loaders, model, same_weights


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "onecycle"])
def test_a_killed_training_resumes_bit_for_bit(tmp_path, optimizer, schedule):
    config = FitConfig(epochs=4, learning_rate=0.02, optimizer=optimizer, schedule=schedule, seed=1)
    undisturbed = model()
    expected = fit(undisturbed, Segmentation(), *loaders(), config)

    path = tmp_path / "run" / "last.pt"
    with pytest.raises(KeyboardInterrupt):
        fit(model(), Interrupted(at=17), *loaders(), config, checkpoint=path)  # inside the third epoch
    resumed = model(seed=99)  # its own weights are replaced
    history = fit(resumed, Segmentation(), *loaders(), config, checkpoint=path)
    assert same_weights(resumed, undisturbed)
    assert history.train_loss == expected.train_loss
    assert history.validation_loss == expected.validation_loss
    assert history.scores == expected.scores
    assert [p.name for p in path.parent.iterdir()] == ["last.pt"]


def test_the_courses_own_loader_is_shuffled_alike_in_each_training(packed):
    """`fit` seeds the generator of the loader, whatever state it was left in."""
    losses = []
    for seed in (1, 2):
        torch.manual_seed(0)
        net = PixelMLP(12, hidden=())
        train_part = batches(packed, 16, shuffle=True, generator=torch.Generator().manual_seed(seed))
        losses.append(fit(net, Segmentation(), train_part, batches(packed, 48), FitConfig(epochs=2)).train_loss)
    assert losses[0] == losses[1]


def test_dropout_resumes_too(tmp_path):
    def net():
        torch.manual_seed(0)
        return torch.nn.Sequential(PixelMLP(3, hidden=(8,)), torch.nn.Dropout(0.5))

    config = FitConfig(epochs=3)
    undisturbed, path = net(), tmp_path / "last.pt"
    fit(undisturbed, Segmentation(), *loaders(), config)
    with pytest.raises(KeyboardInterrupt):
        fit(net(), Interrupted(at=9), *loaders(), config, checkpoint=path)
    resumed = net()
    fit(resumed, Segmentation(), *loaders(), config, checkpoint=path)
    assert same_weights(resumed, undisturbed)


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path):
    path = tmp_path / "last.pt"
    fit(model(), Segmentation(), *loaders(), FitConfig(epochs=1), checkpoint=path)
    with pytest.raises(CheckpointError, match=r"found learning_rate=0.001 in .*last.pt, expected 0.1"):
        fit(model(), Segmentation(), *loaders(), FitConfig(epochs=1, learning_rate=0.1), checkpoint=path)


def test_weights_alone_are_no_training_to_resume(tmp_path):
    path = tmp_path / "last.pt"
    save_checkpoint(path, model())
    with pytest.raises(CheckpointError, match=r"found no config, history, optimizer, schedule, best in last\.pt"):
        fit(model(), Segmentation(), *loaders(), FitConfig(epochs=1), checkpoint=path)
