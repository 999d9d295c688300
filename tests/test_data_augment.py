"""Augmented batches keep image and truth together and depend on the generator alone."""

import itertools

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from course_utils.data.augment import Augmented, brightened, turned


def batch_of(n: int = 3, size: int = 6) -> dict:
    """A batch whose image says, in each pixel, what its mask must say."""
    image = torch.rand(n, 2, size, size, generator=torch.Generator().manual_seed(1))
    return {"image": image, "mask": image[:, 0] > 0.5, "valid": image[:, 1] > 0.1,
            "codes": (image[:, 0] * 200).to(torch.uint8), "scene": torch.arange(n)}


def test_turned_moves_image_and_truth_together():
    for seed in range(20):
        new = turned(batch_of(), torch.Generator().manual_seed(seed))
        assert torch.equal(new["mask"], new["image"][:, 0] > 0.5)
        assert torch.equal(new["valid"], new["image"][:, 1] > 0.1)
        assert torch.equal(new["codes"], (new["image"][:, 0] * 200).to(torch.uint8))
        assert torch.equal(new["scene"], torch.arange(3))


def test_turned_gives_the_eight_symmetries_of_the_square_equally_often():
    square = torch.arange(9.0).reshape(1, 1, 3, 3)
    generator = torch.Generator().manual_seed(0)
    seen = [tuple(turned({"image": square}, generator)["image"].flatten().tolist()) for _ in range(800)]
    plane = square[0, 0].numpy()
    wanted = {tuple(np.rot90(side, turns).ravel())
              for side, turns in itertools.product((plane, plane[:, ::-1]), range(4))}
    assert set(seen) == wanted and len(wanted) == 8
    assert min(seen.count(one) for one in wanted) > 60          # 100 expected, standard deviation 9


def test_turned_refuses_what_is_not_square():
    with pytest.raises(ValueError, match="found images of 4×6 pixels, expected square ones"):
        turned({"image": torch.zeros(1, 1, 4, 6)}, torch.Generator())


def test_brightened_keeps_the_ratio_within_a_band_and_has_the_spread_it_says():
    image = torch.rand(4000, 2, 2, 2, generator=torch.Generator().manual_seed(0)) + 0.1
    new = brightened({"image": image}, torch.Generator().manual_seed(0), overall=0.1, band=0.05)["image"]
    ratio = new / image
    torch.testing.assert_close(ratio, ratio[:, :, :1, :1].expand_as(ratio))
    first, second = ratio[:, 0, 0, 0], ratio[:, 1, 0, 0]
    assert ratio.mean().item() == pytest.approx(1, abs=0.01)
    assert first.var().item() == pytest.approx(0.1**2 + 0.05**2, rel=0.1)
    assert ((first - second).var() / 2).item() == pytest.approx(0.05**2, rel=0.1)


def test_augmented_repeats_itself_with_its_generator_and_changes_with_the_epoch():
    def epoch(loader, seed):
        loader.generator.manual_seed(seed)
        return torch.cat([batch["image"] for batch in loader])

    items = [{"image": image} for image in torch.rand(10, 1, 4, 4, generator=torch.Generator().manual_seed(2))]
    loader = Augmented(DataLoader(items, 4, shuffle=True, generator=torch.Generator()), turned, brightened)
    assert len(loader) == 3
    assert torch.equal(epoch(loader, 0), epoch(loader, 0))
    assert not torch.equal(epoch(loader, 0), epoch(loader, 1))


def test_augmented_asks_for_a_generator():
    with pytest.raises(ValueError, match="without a generator"):
        Augmented(DataLoader([1, 2]), turned)
