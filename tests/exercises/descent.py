"""Planted wrong answers of chapter 03, and the words that each must be told."""

import torch

from course_utils import losses


def terms(z, y):
    return z.clamp(min=0) - y * z + torch.log1p(torch.exp(-z.abs()))


def naive_bce(logits, mask, valid):
    p, y = torch.sigmoid(logits[valid]), mask[valid].float()
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def softplus_by_hand(logits, mask, valid):
    z, y = logits[valid], mask[valid].float()
    return (torch.log(1 + torch.exp(z)) - y * z).mean()


def clamped_bce(logits, mask, valid):
    p, y = torch.sigmoid(logits[valid]).clamp(1e-7, 1 - 1e-7), mask[valid].float()
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def plain_log(logits, mask, valid):
    z, y = logits[valid], mask[valid].float()
    return (z.clamp(min=0) - y * z + torch.log(1 + torch.exp(-z.abs()))).mean()


def weighted_by_valid(logits, mask, valid):
    return (terms(logits, mask.float()) * valid).sum() / valid.sum()


def right_gradient(weight, bias, image, mask, valid):
    x = image[:, valid]
    error = torch.sigmoid(weight @ x + bias) - mask[valid].float()
    return x @ error / len(error), error.mean()


def gradient_of_all(weight, bias, image, mask, valid):
    return right_gradient(weight, bias, image, mask, torch.ones_like(valid))


def gradient_by_weight(weight, bias, image, mask, valid):
    error = (torch.sigmoid(torch.einsum("c,chw->hw", weight, image) + bias) - mask.float()) * valid
    return torch.einsum("chw,hw->c", image, error) / valid.sum(), error.sum() / valid.sum()


def gradient_without_sigmoid(weight, bias, image, mask, valid):
    x = image[:, valid]
    error = weight @ x + bias - mask[valid].float()
    return x @ error / len(error), error.mean()


def gradient_without_bias(weight, bias, image, mask, valid):
    return right_gradient(weight, torch.tensor(0.0), image, mask, valid)


def gradient_of_squares(weight, bias, image, mask, valid):
    x = image[:, valid]
    prob = torch.sigmoid(weight @ x + bias)
    error = (prob - mask[valid].float()) * prob * (1 - prob)
    return x @ error / len(error), error.mean()


def scaled_gradient(factor):
    def spoiled(weight, bias, image, mask, valid):
        return tuple(factor(valid) * part for part in right_gradient(weight, bias, image, mask, valid))
    return spoiled


def unmended(weights, x, mask, rate):
    prob = torch.sigmoid(x @ weights)
    gradient = x.T @ ((torch.sigmoid(prob) - mask.float()) * prob * (1 - prob)) / len(mask)
    return weights - rate * gradient, losses.bce(prob, mask)


def half_mended(weights, x, mask, rate):
    return unmended(weights, x, mask, rate)[0], losses.bce(x @ weights, mask)


def one_sigmoid_left(weights, x, mask, rate):
    error = torch.sigmoid(torch.sigmoid(x @ weights)) - mask.float()
    return weights - rate * x.T @ error / len(mask), losses.bce(x @ weights, mask)


def derivative_left(weights, x, mask, rate):
    prob = torch.sigmoid(x @ weights)
    gradient = x.T @ ((prob - mask.float()) * prob * (1 - prob)) / len(mask)
    return weights - rate * gradient, losses.bce(x @ weights, mask)


def uphill(weights, x, mask, rate):
    error = torch.sigmoid(x @ weights) - mask.float()
    return weights + rate * x.T @ error / len(mask), losses.bce(x @ weights, mask)


def only_weights(weights, x, mask, rate):
    return unmended(weights, x, mask, rate)[0]


def joined(column):
    return lambda pixels: torch.cat([pixels, column(pixels)], dim=1)


WRONG = {
    "steps": [
        ((-1.5, -3.75, -6.0, -24.0, -45.0), "uphill"),
        ((0.75, 1.3125, 3.0, 3.0, 2.25), "the factor 2"),
        ((1.5, 3.0, 6.0, 12.0, 18.0), "it changes on the way"),
        ((1.5, 0.75, -3.0, 3.0, 12.0), "not positions"),
        ((1.5, 2.25, 6.0), "five numbers"),
        ((1.5, 2.25, 6.0, 0.0, 9.0), "step by step"),
    ],
    "bce": [
        (naive_bce, "rounded to 1"),
        (softplus_by_hand, "overflows"),
        (clamped_bce, "clamped"),
        (plain_log, "loses a tiny t"),
        (weighted_by_valid, "select the valid pixels"),
        (lambda z, mask, valid: terms(z, mask.float()).mean(), "over all pixels"),
        (lambda z, mask, valid: (terms(z, mask.float()) * valid).mean(), "divided by all"),
        (lambda z, mask, valid: terms(z, mask.float())[valid].sum(), "not the mean"),
        (lambda z, mask, valid: terms(z, 1 - mask.float())[valid].mean(), "exchanged"),
        (lambda z, mask, valid: -terms(z, mask.float())[valid].mean(), "minus the log-likelihood"),
        (lambda z, mask, valid: terms(torch.sigmoid(z), mask.float())[valid].mean(), "once too often"),
    ],
    "image_gradient": [
        (gradient_of_all, "not valid were counted"),
        (gradient_by_weight, "NaN · 0 is NaN"),
        (gradient_without_sigmoid, "the sigmoid is missing"),
        (gradient_without_bias, "the bias is missing"),
        (gradient_of_squares, "what is left is p − y"),
        (scaled_gradient(lambda valid: 2), "the factor 2"),
        (scaled_gradient(lambda valid: -1), "error is p − y"),
        (scaled_gradient(lambda valid: valid.sum()), "not the mean"),
        (scaled_gradient(lambda valid: valid.float().mean()), "divided by all pixels"),
        (lambda *given: right_gradient(*given)[0], "two gradients"),
        (lambda *given: (right_gradient(*given)[1], right_gradient(*given)[1]), "one number for each channel"),
    ],
    "features": [
        (lambda pixels: pixels, "add nothing"),
        (joined(lambda pixels: pixels[:, :3] + pixels[:, 3:6]), "add nothing"),
        (joined(lambda pixels: pixels[:, 8:9].log()), "add something small first"),
        (joined(lambda pixels: (pixels - pixels.mean(dim=0))[:, :3]), "happen to be there"),
        (joined(lambda pixels: pixels**2), "at most 15"),
        (lambda pixels: pixels.log1p().double(), "float32"),
        (lambda pixels: pixels[:, 8], "a row for each pixel"),
        (joined(lambda pixels: (pixels[:, 8:9] > 0.006).float()), "not yet far enough"),
    ],
    "bug_hunt": [
        (unmended, "applied twice"),
        (half_mended, "still belongs to a sigmoid"),
        (one_sigmoid_left, "one sigmoid too many"),
        (derivative_left, "the whole derivative"),
        (uphill, "uphill"),
        (only_weights, "the new weights and the loss"),
    ],
}
