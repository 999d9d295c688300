"""Scene by scene: tallies and their record, halves that share no granule, fine-tuning, many answers to one question."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from course_utils.data.real import LabelledScene
from course_utils.models.scaled import Scaled
from course_utils.models.unet import UNet
from course_utils.sensors import LANDSAT8
from course_utils.sim2real import Sim2Real, domain, ensemble, score, tally, tuning, variants

BANDS = LANDSAT8.band_names


def scene(name, seed, side=48):
    """A made scene: a smooth field in all bands, bright where it is cloud."""
    rng = np.random.default_rng(seed)
    codes = (ndimage.gaussian_filter(rng.normal(size=(side, side)), 4) > 0).astype(np.uint8)
    image = (0.1 + 0.4 * codes + rng.normal(0, 0.02, (len(BANDS), side, side))).astype(np.float32)
    codes[:3] = 255
    codes[(codes == 1) & (np.arange(side) > side // 2)] = 2
    return LabelledScene(name, image, codes, LANDSAT8.name, BANDS)


@pytest.fixture
def scenes():
    return [scene(name, k) for k, name in enumerate(
        ("Barren_00_0214", "Barren_00_0300", "Forest_01_2715", "Snow_02_0001", "Urban_03_0002"))]


def bright(image):
    return image[0] > 0.3


def test_pooled_tallies_are_the_score_of_all_scenes(scenes):
    found = domain.tallies(bright, scenes, BANDS)
    assert list(found) == [one.name for one in scenes]
    assert domain.pooled(found).scores() == score(bright, scenes, BANDS)
    twice = domain.pooled(found, ["Forest_01_2715"] * 2)
    assert twice.everywhere.total == 2 * found["Forest_01_2715"].everywhere.total
    assert domain.pooled(found, []).everywhere.total == 0


def test_tallies_survive_the_record(scenes):
    found = domain.tallies(bright, scenes, BANDS)
    assert domain.from_json(domain.to_json(found)) == found


def test_a_tally_counts_only_what_is_labelled(scenes):
    one = scenes[0]
    counts = tally(np.ones(one.codes.shape, bool), one)
    assert counts.everywhere.total == (one.codes != 255).sum()
    assert counts.thin.total == counts.thin.tp == (one.codes == 2).sum() > 0


def test_names_tell_surface_and_granule():
    assert domain.surface_of("GrassCrops_02_0608") == "GrassCrops"
    assert domain.granule_of("GrassCrops_02_0608") == domain.granule_of("GrassCrops_02_0001") == "GrassCrops_02"


def test_simulated_scenes_are_those_of_the_simulator():
    (view,) = domain.simulated_scenes([4])
    again = domain.simulate.scene(4, seed=1, sensor=LANDSAT8)
    assert view.name == f"{again.scenario.surface}_04"
    assert np.array_equal(view.image, again.image) and np.array_equal(view.codes, again.codes)


def test_quantiles_are_those_of_the_labelled_pixels(scenes):
    found = domain.quantiles(scenes, cloudy=True, step=1)
    pixels = np.concatenate([one.image[2][one.valid & one.mask] for one in scenes])
    assert found["B4"][50] == pytest.approx(np.median(pixels), abs=1e-4)
    assert (found["B4"][0], found["B4"][-1]) == pytest.approx((pixels.min(), pixels.max()), abs=1e-4)


def test_halves_share_no_granule_and_lose_no_scene(scenes):
    first, second = tuning.two_halves(scenes)
    granules = [{domain.granule_of(one.name) for one in half} for half in (first, second)]
    assert not granules[0] & granules[1]
    assert sorted(one.name for one in first + second) == sorted(one.name for one in scenes)
    assert {"Barren_00_0214", "Barren_00_0300"} <= {one.name for one in first}


def test_fine_tuning_changes_a_copy_for_the_better_and_can_be_repeated(scenes, monkeypatch):
    monkeypatch.setattr(tuning, "CROP", 32)
    monkeypatch.setattr(tuning, "STEPS", 40)
    monkeypatch.setattr(tuning, "LEARNING_RATE", 0.02)
    torch.manual_seed(0)
    model = Scaled(UNet(len(BANDS), width=2, depth=1), torch.rand(50, len(BANDS))).eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}

    def predict(network):
        return lambda image: network(torch.from_numpy(image[None])).detach()[0].numpy() > 0

    tuned, again = (tuning.fine_tune(model, scenes[:3], BANDS) for _ in range(2))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(torch.equal(a, b) for a, b in zip(tuned.parameters(), again.parameters(), strict=True))
    assert not tuned.training
    accuracy = [score(predict(network), scenes[3:], BANDS)["accuracy"] for network in (model, tuned)]
    assert accuracy[1] > max(0.9, accuracy[0])


def test_eight_ways_undo_every_turn_and_flip():
    image = np.random.default_rng(0).random((2, 5, 7))
    assert np.allclose(ensemble.eight_ways(lambda seen: seen[1], image), image[1])


def test_eight_ways_ask_about_eight_different_images():
    image, seen = np.random.default_rng(0).random((1, 4, 4)), []
    ensemble.eight_ways(lambda turned: seen.append(turned.tobytes()) or turned[0], image)
    assert len(set(seen)) == 8


def test_eight_ways_make_a_lopsided_predictor_symmetric():
    def shifted(seen):                                     # says what lies one pixel to the left
        return np.roll(seen[0], 1, axis=1)

    image = np.random.default_rng(0).random((1, 6, 6))
    turned = ensemble.eight_ways(shifted, np.rot90(image, axes=(1, 2)))
    assert np.allclose(np.rot90(turned, -1), ensemble.eight_ways(shifted, image))


def test_the_doubt_of_a_mean_is_own_doubt_and_disagreement():
    probs = np.random.default_rng(0).random((5, 30))
    mean, doubt, disagreement = ensemble.mean_and_doubt(probs)
    assert np.allclose(doubt**2, (probs * (1 - probs)).mean(axis=0) + disagreement**2)
    assert np.allclose(mean, probs.mean(axis=0))
    assert np.allclose(ensemble.mean_and_doubt(probs[:1])[2], 0)


def test_errors_by_doubt_against_plain_counting():
    rng = np.random.default_rng(0)
    doubt, wrong, valid = rng.random((20, 20)) / 2, rng.random((20, 20)) < 0.3, rng.random((20, 20)) < 0.8
    doubt[0, 0], valid[0, 0] = 0.5, True
    pixels, errors = ensemble.errors_by_doubt(doubt, wrong, valid)
    assert pixels.sum() == valid.sum() and errors.sum() == (wrong & valid).sum()
    low = valid & (doubt < 0.1)
    assert pixels[:10].sum() == low.sum() and errors[:10].sum() == (wrong & low).sum()


def test_scaling_by_image_forgets_brightness_and_works_image_by_image():
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    model = variants.PerImage(torch.nn.Identity())
    assert torch.allclose(model(images), model(0.5 * images + 0.2), atol=1e-5)
    assert torch.allclose(model(images)[1:], model(images[1:]), atol=1e-6)
    assert model(torch.ones(1, 3, 8, 8)).isfinite().all()


def test_variants_differ_from_the_first_member_in_one_thing():
    first = variants.VARIANTS["member 0"]
    for name, variant in variants.VARIANTS.items():
        changed = [part for part in ("config", "bands", "scale") if getattr(variant, part) != getattr(first, part)]
        assert len(changed) == (name != "member 0"), name


def test_a_variant_trains_on_its_own_bands(scenes):
    tiny = Sim2Real(scenes=4, validation_scenes=1, width=2, depth=1, crop=16, crops_per_epoch=4, epochs=1, batch_size=2)
    images, codes = (np.stack([getattr(one, what) for one in scenes]) for what in ("image", "codes"))
    model = variants.Variant(tiny, ("B4", "B2")).train(images, codes)
    assert model.mean.flatten().tolist() == pytest.approx(
        [images[:4, k, ::8, ::8][codes[:4, ::8, ::8] != 255].mean() for k in (2, 0)], abs=1e-5)
    assert model(torch.zeros(1, 2, 16, 16)).shape == (1, 16, 16)
