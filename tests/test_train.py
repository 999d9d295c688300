"""The training loop against one written by hand, and trainings that go wrong."""

import math

import pytest
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader

from course_utils import losses, metrics, train
from course_utils.checkpoint import load_checkpoint
from course_utils.tasks import Segmentation
from course_utils.train import FitConfig, fit
from tests.toy_training import Interrupted, loaders, model, same_weights, samples
from tools.notebooks import BOOK, directives


def test_equals_a_loop_written_by_hand():
    config = FitConfig(epochs=3, learning_rate=0.05, optimizer="sgd", momentum=0.9, seed=5)
    fitted = model()
    history = fit(fitted, Segmentation(), *loaders(), config)

    plain = model()
    loader, _ = loaders()
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(3):
        loader.generator.manual_seed(5 * 1_000_003 + epoch)
        total, pixels = 0.0, 0
        for batch in loader:
            optimizer.zero_grad()
            valid = batch["valid"]
            loss = F.binary_cross_entropy_with_logits(plain(batch["image"])[valid], batch["mask"][valid].float())
            loss.backward()
            optimizer.step()
            total, pixels = total + loss.item() * valid.sum().item(), pixels + valid.sum().item()
        assert history.train_loss[epoch] == pytest.approx(total / pixels, rel=1e-6)
    for a, b in zip(fitted.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def page_of_chapter_06(*cells):
    """What named cells of chapter 06 define."""
    text = (BOOK / "foundations" / "06_training.md").read_text(encoding="utf-8")
    code = {str(block.options.get("name")): block.body for block in directives(text) if block.name == "code-cell"}
    names = {"torch": torch, "losses": losses}
    for cell in cells:
        exec(code[cell], names)
    return names


def test_the_loop_of_chapter_06_gives_the_same_bits():
    page = page_of_chapter_06("ch06-validation", "ch06-epoch", "ch06-loop")
    by_page, fitted = model(), model()
    written = page["train_model"](by_page, *loaders(), epochs=4, lr=0.05, seed=5)
    history = fit(fitted, Segmentation(), *loaders(), FitConfig(epochs=4, learning_rate=0.05, seed=5))
    assert written == list(zip(history.train_loss, history.validation_loss, strict=True))
    assert same_weights(by_page, fitted)


def test_scores_are_averaged_over_valid_pixels_not_over_batches():
    net = model()
    _, validation = loaders(batch_size=3)  # batches of 3, 3, 1, with very different numbers of valid pixels
    loss, scores = train.evaluate(net, Segmentation(), validation)
    whole = {k: torch.stack([s[k] for s in samples(7, seed=1)]) for k in ("image", "mask", "valid")}
    with torch.no_grad():
        logits = net(whole["image"])
    assert loss == pytest.approx(losses.bce(logits, whole["mask"], whole["valid"]).item(), rel=1e-6)
    pred, truth = (logits > 0)[whole["valid"]], whole["mask"][whole["valid"]]
    assert scores["accuracy"] == (pred == truth).double().mean().item()
    assert scores["iou"] == (pred & truth).sum().item() / (pred | truth).sum().item()
    by_batch = [train.evaluate(net, Segmentation(), [b])[1]["accuracy"] for b in validation]
    assert sum(by_batch) / 3 != pytest.approx(scores["accuracy"], abs=1e-3)  # the wrong average would show


class Diverging(Interrupted):
    """A task whose loss is not a number at one call."""

    def disturb(self):
        return torch.tensor(math.nan)


def test_it_learns_and_keeps_the_best_epoch():
    net = model()
    config = FitConfig(epochs=60, learning_rate=0.2, schedule="onecycle")
    history = fit(net, Segmentation(), *loaders(), config)
    assert history.scores[-1]["accuracy"] > 0.95
    loss, _ = train.evaluate(net, Segmentation(), loaders()[1])
    assert loss == pytest.approx(min(history.validation_loss), rel=1e-6)


def test_early_stopping_returns_to_the_best_weights():
    """Labels that mean nothing: validation gets worse, so patience ends the training."""
    noise = samples(18)
    for i, sample in enumerate(noise):
        sample["mask"] = torch.rand(6, 6, generator=torch.Generator().manual_seed(i)) < 0.5
    config = FitConfig(epochs=200, learning_rate=0.1, patience=3)
    net = model()
    history = fit(net, Segmentation(), DataLoader(noise, 6, shuffle=True), loaders()[1], config)
    assert len(history) < 200
    assert len(history) - 1 - history.best == 3
    assert train.evaluate(net, Segmentation(), loaders()[1])[0] == pytest.approx(history.validation_loss[history.best])


def test_it_stops_when_the_time_is_up():
    assert len(fit(model(), Segmentation(), *loaders(), FitConfig(epochs=50, max_seconds=1e-9))) == 1


def test_divergence_stops_with_step_rate_and_checkpoint(tmp_path):
    path = tmp_path / "last.pt"
    spoiled = samples(18)
    spoiled[4]["image"][:] = math.inf
    with pytest.raises(train.TrainingDivergedError, match=r"epoch 1, step . at .* 0.01: found loss .*saved"):
        fit(model(), Segmentation(), DataLoader(spoiled, 4), [], FitConfig(learning_rate=0.01), checkpoint=path)
    assert not path.exists()


def test_divergence_names_the_last_good_checkpoint(tmp_path):
    path = tmp_path / "last.pt"
    with pytest.raises(train.TrainingDivergedError, match=r"epoch 3, step 2 .*last\.pt holds the last good epoch"):
        fit(model(), Diverging(at=16), *loaders(), FitConfig(), checkpoint=path)
    assert len(load_checkpoint(path, model())["history"]["train_loss"]) == 2


def test_a_non_finite_validation_loss_is_not_taken_for_the_best():
    spoiled = samples(3, seed=1)
    spoiled[0]["image"][:] = math.nan
    with pytest.raises(train.TrainingDivergedError, match="epoch 1, validation: found loss nan"):
        fit(model(), Segmentation(), loaders()[0], DataLoader(spoiled, 3), FitConfig())


def test_all_invalid_batches_warn_and_an_all_invalid_loader_is_refused():
    empty = samples(4)
    for sample in empty:
        sample["valid"] = torch.zeros_like(sample["valid"])
    with pytest.warns(losses.NothingValid), pytest.raises(ValueError, match="found no valid item in the whole loader"):
        fit(model(), Segmentation(), DataLoader(empty, 2), loaders()[1], FitConfig())
    half = DataLoader(empty + samples(4), 4)
    with pytest.warns(losses.NothingValid):
        history = fit(model(), Segmentation(), half, loaders()[1], FitConfig(epochs=1))
    assert math.isfinite(history.train_loss[0])
    with pytest.raises(ValueError, match="found no valid item"):
        train.evaluate(model(), Segmentation(), [])


@pytest.mark.parametrize("schedule", ["constant", "cosine", "onecycle"])
def test_an_empty_training_loader_is_refused(schedule):
    with pytest.raises(ValueError, match="found no batch in the training loader"):
        fit(model(), Segmentation(), [], loaders()[1], FitConfig(schedule=schedule))


@pytest.mark.parametrize(("optimizer", "value"), [
    ("sgd", lambda group: group["momentum"]),
    ("adamw", lambda group: group["betas"][0]),
])
def test_one_cycle_moves_the_momentum_against_the_rate(optimizer, value):
    """As `FitConfig` says: whatever `momentum` was asked for."""
    config = FitConfig(optimizer=optimizer, momentum=0.5, schedule="onecycle")
    built = train.OPTIMIZERS[optimizer](model().parameters(), config)
    schedule, seen = train.SCHEDULES["onecycle"](built, config, 100), []
    for _ in range(99):
        seen.append(value(built.param_groups[0]))
        built.step()
        schedule.step()
    assert (seen[0], min(seen), value(built.param_groups[0])) == pytest.approx((0.95, 0.85, 0.95))
    assert seen.index(min(seen)) == 29


def test_unknown_settings_list_the_known_ones():
    with pytest.raises(ValueError, match="found optimizer='lion', expected one of sgd, adam, adamw"):
        FitConfig(optimizer="lion")
    with pytest.raises(ValueError, match="found schedule='step', expected one of constant, cosine, onecycle"):
        FitConfig(schedule="step")
    with pytest.raises(ValueError, match="found epochs=0"):
        FitConfig(epochs=0)


def test_the_threshold_of_the_task_is_a_probability():
    batch = samples(1)[0]
    logits = torch.full((6, 6), 0.2)  # probability 0.55
    assert Segmentation(threshold=0.6).tally(logits, batch).tp == 0
    assert Segmentation(threshold=0.5).tally(logits, batch).fp + Segmentation().tally(logits, batch).tp > 0
    assert isinstance(Segmentation().tally(logits, batch), metrics.Counts)


def test_mixed_precision_computes_in_bfloat16_only_where_that_is_fast(monkeypatch):
    def trained(mixed):
        net = model()
        history = fit(net, Segmentation(), *loaders(), FitConfig(epochs=2, learning_rate=0.05, mixed_precision=mixed))
        return net, history

    exact, wanted = trained(False)
    monkeypatch.setattr(train, "fast_bfloat16", lambda device: False)
    assert same_weights(trained(True)[0], exact)

    monkeypatch.setattr(train, "fast_bfloat16", lambda device: True)
    mixed, found = trained(True)
    assert not same_weights(mixed, exact)
    assert {value.dtype for value in mixed.state_dict().values()} == {torch.float32}
    assert found.train_loss != wanted.train_loss
    assert found.train_loss == pytest.approx(wanted.train_loss, rel=2e-2)
    assert same_weights(trained(False)[0], exact)
