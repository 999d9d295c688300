"""Wrong answers to the exercises of chapter 01, with words of the message that each must get."""

import torch

RIGHT_DTYPES = (4, 260.0, 62, "torch.float32")
RIGHT_STRIDES = ((24576, 2048, 32, 1), (24576, 32, 1, 2048), False, False)


def replaced(right, place, value):
    """The right answer with one part exchanged."""
    return (*right[:place], value, *right[place + 1 :])


def over_all_pixels(image, valid):
    scaled = (image - image.mean(dim=(1, 2), keepdim=True)) / image.std(dim=(1, 2), correction=0, keepdim=True)
    return torch.where(valid, scaled, 0.0)


def one_mean_for_all(image, valid):
    measured = image[:, valid]
    return torch.where(valid, (image - measured.mean()) / measured.std(correction=0), 0.0)


def over_empty_zeros(image, valid):
    return over_all_pixels(image * valid, valid)


def with_spread(correction, keep=False, mask_by_product=False, floor=1e-6):
    def normalise(image, valid):
        measured = image[:, valid]
        mean, spread = measured.mean(dim=1), measured.std(dim=1, correction=correction).clamp(min=floor)
        scaled = (image - mean[:, None, None]) / spread[:, None, None]
        if mask_by_product:
            return scaled * valid
        return scaled if keep else torch.where(valid, scaled, 0.0)

    return normalise


def in_place(image, valid):
    image -= image[:, valid].mean(dim=1)[:, None, None]
    return image


def mix_by_reshape(matrix, image):
    pixels = image.reshape(-1, image.shape[0])
    return (pixels @ matrix.T).reshape(matrix.shape[0], *image.shape[1:])


def transposed_where_that_fits(matrix, image):
    square = matrix.shape[0] == matrix.shape[1]
    return torch.einsum("kc,chw->khw", matrix.T if square else matrix, image)


def index_of(first, second, guard):
    def index(image):
        total = image[first] + image[second]
        return (image[first] - image[second]) / (total.clamp(min=1e-12) if guard else total)

    return index


def one_side_squeezed(estimate, truth):
    if estimate.numel() != truth.numel():
        raise ValueError
    return (estimate.squeeze() - truth).square().mean().sqrt()


def squared(estimate, truth):
    if estimate.numel() != truth.numel():
        raise ValueError
    return (estimate.flatten() - truth.flatten()).square().mean()


WRONG = {
    "dtypes": [
        (replaced(RIGHT_DTYPES, 0, 260), "does not fit in a byte"),
        (replaced(RIGHT_DTYPES, 0, 255), "start again"),
        (replaced(RIGHT_DTYPES, 1, 4), "no longer bytes"),
        (replaced(RIGHT_DTYPES, 2, 62.5), "whole numbers"),
        (replaced(RIGHT_DTYPES, 3, "torch.float64"), "numpy's habit"),
        (replaced(RIGHT_DTYPES, 3, "torch.float"), "short form"),
        (260, "4 answers"),
    ],
    "strides": [
        (replaced(RIGHT_STRIDES, 0, (98304, 8192, 128, 4)), "numpy counts"),
        (replaced(RIGHT_STRIDES, 0, (8, 12, 64, 32)), "sizes, not the hops"),
        (replaced(RIGHT_STRIDES, 1, (24576, 384, 12, 1)), "`permute` copies nothing"),
        (replaced(RIGHT_STRIDES, 2, True), "hop by 1"),
        (replaced(RIGHT_STRIDES, 3, True), "what lies between"),
    ],
    "normalise": [
        (over_all_pixels, "over all pixels"),
        (one_mean_for_all, "each band has its own"),
        (with_spread(1), "N − 1"),
        (with_spread(0, keep=True), "not set to 0"),
        (with_spread(0, mask_by_product=True), "NaN · 0"),
        (with_spread(0, floor=0.0), "0 divided by a spread of 0"),
        (with_spread(0), "constant up to rounding"),
        (over_empty_zeros, "zeros that were not measured"),
        (in_place, "changed its input"),
    ],
    "mix_bands": [
        (mix_by_reshape, "left their pixel"),
        (lambda matrix, image: torch.einsum("kc,chw->hwk", matrix, image), "bands first"),
        (lambda matrix, image: (matrix @ image.flatten(1)), "one band for each row"),
        (transposed_where_that_fits, "transposed"),
        (lambda matrix, image: torch.einsum("kc,chw->khw", matrix, image) / len(image), "the sum is wanted"),
    ],
    "cloud_index": [
        (index_of(2, 0, guard=False), "neither red nor blue"),
        (index_of(0, 2, guard=True), "exchanged"),
        (index_of(1, 0, guard=True), "band 1 is green"),
        (lambda image: image / 2, "one value for each pixel"),
        (lambda image: (image[2] - image[0]) / (image[2] + image[0] + 1e-6), "added below the line"),
        (lambda image: index_of(2, 0, guard=True)(image) - (image[2] + image[0] == 0).float(), "neither red nor blue"),
        (lambda image: index_of(2, 0, guard=True)(image.double()), "float64"),
    ],
    "threshold": [
        ((0.0, 0.5, 0.0, "C"), "too low"),
        ((0.2, 1.0, 0.0, "C"), "too high"),
        ((0.07, 100, 0.0, "C"), "not a percentage"),
        ((0.07, 0.0, 0.0, "C"), "called clear"),
        ((0.07, 1.0, 0.97, "C"), "`&`"),
        ((0.07, 1.0, 0.0052, "D"), "still called cloud"),
    ],
    "rmse": [
        (lambda estimate, truth: ((estimate - truth) ** 2).mean().sqrt(), "compared with every truth"),
        (lambda estimate, truth: (estimate.flatten() - truth.flatten()).square().mean().sqrt(), "compare the counts"),
        (squared, "the root is missing"),
        (one_side_squeezed, "broadcast to (64, 64)"),
    ],
}
