"""Planted wrong answers of chapter 06, and the words that each must be told."""

import torch
from torch.nn import functional as F

from course_utils.drawings.mistakes import MISTAKES, Experiment, make
from course_utils.train import FitConfig


def adam(w, g, s, lr, first=1):
    s["t"] = s.get("t", first - 1) + 1
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["v"] = 0.999 * s.get("v", 0) + 0.001 * g**2
    m, v = s["m"] / (1 - 0.9 ** s["t"]), s["v"] / (1 - 0.999 ** s["t"])
    w -= lr * m / (v.sqrt() + 1e-8)


def with_l2(w, g, s, lr, decay):
    adam(w, g + decay * w, s, lr)


def decay_without_rate(w, g, s, lr, decay):
    w *= 1 - decay
    adam(w, g, s, lr)


def no_decay(w, g, s, lr, decay):
    adam(w, g, s, lr)


def growing(w, g, s, lr, decay):
    w *= 1 + lr * decay
    adam(w, g, s, lr)


def decay_last(w, g, s, lr, decay):
    adam(w, g, s, lr)
    w *= 1 - lr * decay


def new_tensor(w, g, s, lr, decay):
    w = w * (1 - lr * decay)
    adam(w.clone(), g, s, lr)


def late_count(w, g, s, lr, decay):
    w *= 1 - lr * decay
    adam(w, g, s, lr, first=2)


def forgetful(w, g, s, lr, decay):
    w *= 1 - lr * decay
    adam(w, g, {}, lr)


def spoils_the_gradient(w, g, s, lr, decay):
    g += decay * w
    adam(w, g, s, lr)


def stop(losses, patience, more=0, equal=False, ahead=False, swap=False, one=0):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best] or (equal and loss == losses[best]):
            best = epoch
        if epoch - best >= patience + more:
            break
    if ahead:
        best = losses.index(min(losses))
    pair = (epoch + one, best + one)
    return pair[::-1] if swap else pair


def wiggle(losses, patience):
    row = 0
    for epoch in range(1, len(losses)):
        row = row + 1 if losses[epoch] >= losses[epoch - 1] else 0
        if row >= patience:
            break
    else:
        epoch = len(losses) - 1
    return epoch, losses.index(min(losses[: epoch + 1]))


def gradients(Class, seeded=True):
    experiment, seen = make(Class, learning_rate=0.0), []
    for _ in range(2):
        if seeded:
            torch.manual_seed(0)
        experiment.step(torch.arange(10))
        seen.append([p.grad.clone() for p in experiment.model.parameters()])
    return all(torch.equal(a, b) for a, b in zip(*seen, strict=True))


def gradients_compared_with_themselves(Class):
    """The gradient is written into the same tensor, so both sides of the comparison are the later one."""
    experiment, seen = make(Class, learning_rate=0.0), []
    for _ in range(2):
        torch.manual_seed(0)
        experiment.step(torch.arange(10))
        seen.append([p.grad.detach() for p in experiment.model.parameters()])
    return all(a.shape == b.shape for a, b in zip(*seen, strict=True))


def rows(Class):
    experiment, some = make(Class), torch.tensor([7, 3, 30])
    return torch.equal(experiment.batch(some)[0], experiment.train[0][some])


def rows_differ_from_the_first(Class):
    experiment = make(Class)
    return not torch.equal(experiment.batch(torch.tensor([7, 3, 30]))[0], experiment.train[0][:3])


def rows_have_the_right_shape(Class):
    return len(make(Class).batch(torch.tensor([7, 3, 30]))[0]) == 3


def scaling(Class):
    values = make(Class).validation[0]
    return bool(values.mean().abs() < 1 and values.std() < 3)


def only_the_spread(Class):
    return bool(make(Class).validation[0].std() < 3)


def training_is_scaled(Class):
    return bool(make(Class).train[0].std() < 3)


def repeatable(Class):
    experiment = make(Class)
    experiment.step(torch.arange(10))
    return experiment.validate() == experiment.validate()


def repeatable_with_seeds(Class):
    experiment, seen = make(Class), []
    for _ in range(2):
        torch.manual_seed(0)
        seen.append(experiment.validate())
    return seen[0] == seen[1]


def own_data(Class):
    experiment = make(Class)
    before = experiment.validate()
    experiment.validation = (experiment.validation[0], 1 - experiment.validation[1])
    return abs(experiment.validate() - before) > 1e-6


def any_number(Class):
    return make(Class).validate() > 0


RIGHT = (gradients, rows, scaling, repeatable, own_data)


def tests(**changed):
    """The right five tests with some exchanged, by place."""
    return tuple(changed.get(f"at{place}", test) for place, test in enumerate(RIGHT))


class ZeroedOnce(Experiment):
    """Gradients are set to zero before the first step only."""

    started = False

    def step(self, rows):
        inputs, mask = self.batch(rows)
        self.model.train()
        if not self.started:
            self.optimizer.zero_grad()
            self.started = True
        loss = F.binary_cross_entropy_with_logits(self.model(inputs), mask)
        loss.backward()
        self.optimizer.step()
        return loss.item()


class NeverTraining(Experiment):
    """`step` leaves the network in the mode of the last validation."""

    def step(self, rows):
        inputs, mask = self.batch(rows)
        self.optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(self.model(inputs), mask)
        loss.backward()
        self.optimizer.step()
        return loss.item()


class OwnScale(Experiment):
    """Validation inputs are scaled by their own mean and spread."""

    def __init__(self, model, train, validation, learning_rate=0.05):
        super().__init__(model, train, validation, learning_rate)
        inputs = validation[0]
        self.validation = ((inputs - inputs.mean(dim=0)) / inputs.std(dim=0), validation[1])


class Trembling(Experiment):
    """No `eval`."""

    def validate(self):
        inputs, mask = self.validation
        return F.binary_cross_entropy_with_logits(self.model(inputs), mask).item()


class OnTraining(Experiment):
    """Validates on the training part."""

    def validate(self):
        self.validation = self.train
        return super().validate()


def always(Class):
    return True


def never(Class):
    return False


WRONG = {
    "first_step": [
        ((-1e-4, -100.0, -1e-4, -100.0), "that is SGD again"),
        ((1e-4, 100.0, 0.1, 0.1), "a step goes against the gradient"),
        ((-1e-3, -1000.0, -0.1, -0.1), "the learning rate is missing"),
        ((-1e-4, -100.0, -1.0, -1.0), "the learning rate is missing"),
        ((-1e-4, -100.0, -0.3162278, -0.3162278), "without their corrections"),
        ((-1e-4, -100.0), "four numbers in one tuple"),
    ],
    "adamw": [
        (with_l2, "Adam with L2"),
        (decay_without_rate, "not multiplied by the learning rate"),
        (no_decay, "there is no decay"),
        (growing, "the wrong sign"),
        (decay_last, "comes after Adam's step"),
        (new_tensor, "makes a new tensor"),
        (late_count, "does t count from 1"),
        (forgetful, "the averages must last"),
        (spoils_the_gradient, "writes into the gradient"),
    ],
    "early_stop": [
        (lambda losses, patience: stop(losses, patience, more=1), "one epoch too many"),
        (lambda losses, patience: stop(losses, patience, equal=True), "is no progress"),
        (lambda losses, patience: stop(losses, patience, ahead=True), "never sees"),
        (lambda losses, patience: stop(losses, patience, swap=True), "exchanged"),
        (lambda losses, patience: stop(losses, patience, one=1), "count from 0"),
        (wiggle, "compare with the lowest so far"),
        (lambda losses, patience: losses.index(min(losses)), "two epochs"),
    ],
    "quick": [
        (FitConfig(epochs=3), "too small a learning rate"),
        (FitConfig(epochs=30, learning_rate=0.02), "three at most"),
        (FitConfig(epochs=3, learning_rate=2.0), "so large"),
        (FitConfig(epochs=3, learning_rate=1e5, optimizer="sgd"), "too large"),
        ({"epochs": 3}, "FitConfig(epochs=3"),
    ],
    "five_tests": [
        ((always,) * 5, "it does not look at the thing that goes wrong"),
        ((never,) * 5, "for a training without any mistake"),
        (tests(at0=lambda Class: gradients(Class, seeded=False)), "does dropout make the two runs differ"),
        (tests(at0=gradients_compared_with_themselves), "gradients_start_at_zero gives True"),
        (tests(at1=rows_have_the_right_shape), "rows_are_the_ones_asked_for gives True"),
        (tests(at1=rows_differ_from_the_first), "rows_are_the_ones_asked_for gives True"),
        (tests(at2=training_is_scaled), "validation_is_scaled gives True"),
        (tests(at2=only_the_spread), "validation_is_scaled gives True"),
        (tests(at3=repeatable_with_seeds), "validation_is_repeatable gives True"),
        (tests(at4=any_number), "validation_has_its_own_data gives True"),
        (tests(at4=lambda Class: "yes"), "compare at the end"),
        (RIGHT[:4], "in the order of the stub"),
    ],
    "bug_hunt": [
        (MISTAKES["index ignored"], "takes the first rows"),
        (ZeroedOnce, "the gradients of earlier steps"),
        (NeverTraining, "`step` must call `train`"),
        (MISTAKES["validation not scaled"], "does not scale the validation inputs"),
        (OwnScale, "not with the mean and spread of the training inputs"),
        (Trembling, "`eval` is missing"),
        (OnTraining, "looks at the training part"),
    ],
}
