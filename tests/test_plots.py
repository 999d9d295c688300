"""The palette stays apart for colour-blind readers; the figures paint what they are given."""

import gc
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex, to_rgb

from course_utils import colours, plots
from course_utils.sensors import LANDSAT8, PACE_OCI, RGB, SENTINEL2, UnknownBandError

# Severity 1.0 matrices for linear RGB. Source: Machado, Oliveira and Fernandes 2009,
# IEEE Transactions on Visualization and Computer Graphics 15(6), 1291-1298.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
LABELS = [colours.CLEAR, colours.CLOUD, colours.THIN, colours.INVALID]
CONFUSION = [hue for _, hue in colours.CONFUSION_COLOURS.values()] + [colours.INVALID]
APART = 20.0  # CIELAB distance; about 2.3 is just noticeable side by side


def lab(colour, vision="normal"):
    """CIELAB (D65) of an sRGB colour as a reader with this vision sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(VISION[vision]) @ linear, 0, 1)
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    x, y, z = (np.array(to_xyz) @ linear) / [0.95047, 1.0, 1.08883]
    f = [np.cbrt(v) if v > (6 / 29) ** 3 else v * 841 / 108 + 4 / 29 for v in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(first, second, vision):
    return np.linalg.norm(lab(first, vision) - lab(second, vision))


@pytest.fixture(autouse=True)
def no_window():
    """Draw without a screen and leave no figure behind."""
    plt.switch_backend("Agg")
    yield
    plt.close("all")


def painted(ax):
    """The picture that an axes shows, as colour names."""
    return [[to_hex(pixel).upper() for pixel in row] for row in ax.images[0].get_array()]


# --- the palette ---------------------------------------------------------------------------------


def test_the_lab_conversion_agrees_with_known_values():
    assert lab("#FFFFFF") == pytest.approx([100, 0, 0], abs=0.02)
    assert lab("#FF0000") == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    assert lab("#0000FF") == pytest.approx([32.30, 79.19, -107.86], abs=0.05)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("group", [LABELS, CONFUSION], ids=["labels", "confusion"])
def test_colours_shown_together_stay_apart(group, vision):
    near = [(a, b) for a, b in combinations(group, 2) if distance(a, b, vision) < APART]
    assert not near, f"too near with {vision}: {near}"


def test_the_distance_test_finds_red_and_green_alike_for_a_deuteranope():
    assert distance("#B24A3B", "#7A6A1F", "normal") > 2 * APART
    assert distance("#B24A3B", "#7A6A1F", "deuteranopia") < APART


def test_a_middle_grey_would_be_too_near_to_the_pink():
    assert distance("#BBBBBB", colours.FALSE_NEGATIVE, "deuteranopia") < APART


# --- pictures ------------------------------------------------------------------------------------


def test_composite_takes_the_bands_by_colour_whatever_their_order():
    image = np.arange(7, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32) / 10
    picture = plots.composite(image, LANDSAT8, stretch=(0, 1), gamma=1)
    assert picture.shape == (2, 3, 3) and picture.dtype == np.float32
    assert picture[0, 0] == pytest.approx([0.2, 0.1, 0.0])  # red B4, green B3, blue B2
    false_colour = plots.composite(torch.tensor(image), LANDSAT8, ("swir1", "nir", "B4"), (0, 1), gamma=1)
    assert false_colour[1, 2] == pytest.approx([0.4, 0.3, 0.2])


def test_composite_stretches_clips_and_brightens():
    image = np.array([-0.1, 0.2, 0.4, 0.6, 2.0, np.nan], np.float32)
    image = np.broadcast_to(image, (7, 1, 6))
    picture = plots.composite(image, LANDSAT8, stretch=(0.2, 0.6), gamma=2.0)
    assert picture[0, :, 0] == pytest.approx([0, 0, 0.5**0.5, 1, 1, 0])


def test_composite_ignores_channels_beyond_the_sensors_bands():
    image = np.zeros((8, 2, 2), np.float32)
    image[7] = 1
    assert not plots.composite(image, LANDSAT8).any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image": np.zeros((3, 4, 4))}, ["(3, 4, 4)", "at least the 7 bands"]),
        ({"image": np.zeros((4, 4))}, ["(4, 4)", "(C, H, W)"]),
        ({"bands": ("red", "green")}, ["found 2 bands", "three"]),
        ({"stretch": (0.5, 0.5)}, ["stretch=(0.5, 0.5)", "black < white"]),
    ],
)
def test_composite_refuses(arguments, words):
    good = {"image": np.zeros((7, 4, 4)), "sensor": LANDSAT8}
    with pytest.raises(ValueError) as error:
        plots.composite(**(good | arguments))
    assert all(word in str(error.value) for word in words)


def test_a_camera_has_no_infrared():
    assert plots.band_index(RGB, "red") == RGB.band_names.index("red")
    with pytest.raises(UnknownBandError, match=r"'swir1', about 1612 nm.*red, green, blue"):
        plots.band_index(RGB, "swir1")


def test_bands_are_found_by_word_name_and_wavelength():
    assert [plots.band_index(PACE_OCI, word) for word in ("blue", "green", "red", "nir", "swir1", "swir2")] == [
        PACE_OCI.index(nm) for nm in (470, 550, 650, 865, 1618, 2131)
    ]
    assert plots.band_index(SENTINEL2, "B11") == plots.band_index(SENTINEL2, 1614) == SENTINEL2.index("B11")


def test_show_image_names_the_cure_for_channels_first():
    with pytest.raises(ValueError, match=r"found shape \(7, 4, 4\).*composite"):
        plots.show_image(np.zeros((7, 4, 4)))


def test_show_image_takes_tensors_and_draws_where_it_is_told():
    _, ax = plt.subplots()
    assert plots.show_image(torch.rand(4, 5, requires_grad=True), ax, "one band", vmin=0, vmax=1) is ax
    assert ax.get_title() == "one band" and ax.images[0].get_clim() == (0, 1)
    assert len(ax.get_xticks()) == 0


# --- masks ---------------------------------------------------------------------------------------


def test_show_mask_paints_every_code_in_its_colour_and_names_those_present():
    ax = plots.show_mask(np.array([[0, 1], [2, 255]], np.uint8))
    assert painted(ax) == [[colours.CLEAR, colours.CLOUD], [colours.THIN, colours.INVALID]]
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["clear", "thick cloud", "thin cloud", "no data"]


def test_show_mask_of_a_bool_mask_says_cloud_and_honours_valid():
    ax = plots.show_mask(torch.tensor([[True, False, True]]), valid=torch.tensor([[True, True, False]]))
    assert painted(ax) == [[colours.CLOUD, colours.CLEAR, colours.INVALID]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["clear", "cloud", "no data"]


def test_show_mask_refuses_unknown_codes_and_other_shapes():
    with pytest.raises(ValueError, match=r"found codes \[7\]; expected 0 clear"):
        plots.show_mask(np.array([[0, 7]], np.uint8))
    with pytest.raises(ValueError, match=r"found codes \[256\]"):
        plots.show_mask(np.array([[0, 256]]))
    with pytest.raises(ValueError, match=r"found codes \[0.7\].*compare probabilities with a threshold"):
        plots.show_mask(torch.tensor([[0.0, 0.7]], dtype=torch.float64))
    with pytest.raises(ValueError, match=r"validity mask of \(3,\); expected \(1, 2\)"):
        plots.show_mask(np.zeros((1, 2), bool), valid=np.ones(3, bool))


def test_confusion_map_tells_the_four_kinds_apart():
    pred = np.array([[True, False, True, False, True]])
    mask = np.array([[True, False, False, True, True]])
    ax = plots.confusion_map(pred, mask, valid=np.array([[True, True, True, True, False]]))
    wanted = [colours.TRUE_POSITIVE, colours.TRUE_NEGATIVE, colours.FALSE_POSITIVE, colours.FALSE_NEGATIVE]
    assert painted(ax) == [[*wanted, colours.INVALID]]
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["cloud found", "clear, agreed", "false alarm", "cloud missed", "no data"]


def test_confusion_map_refuses_probabilities_and_other_shapes():
    mask = np.zeros((2, 2), bool)
    with pytest.raises(ValueError, match="found float64 and bool; expected two bool masks"):
        plots.confusion_map(np.zeros((2, 2)), mask)
    with pytest.raises(ValueError, match=r"found shapes \(4,\) and \(2, 2\)"):
        plots.confusion_map(mask.ravel(), mask)


def test_show_bands_heads_every_band_with_its_wavelength():
    axes = plots.show_bands(np.random.default_rng(0).random((8, 6, 6)), LANDSAT8)
    assert [ax.get_title() for ax in axes] == [f"{nm:.0f} nm" for nm in LANDSAT8.wavelengths] + ["channel 8"]
    assert {ax.images[0].get_clim() for ax in axes} == {(0.0, 0.8)}
    ramp = np.linspace(0, 1, 36).reshape(6, 6)
    own = plots.show_bands(np.stack([0 * ramp, ramp]), LANDSAT8, limits=None)
    assert own[1].images[0].get_clim() == pytest.approx((0.02, 0.98))
    with pytest.raises(ValueError, match="found 2 axes; expected at least 7"):
        plots.show_bands(np.zeros((7, 2, 2)), LANDSAT8, axes=own)


def test_style_is_legible_on_a_phone():
    with mpl.rc_context():
        plots.use_style()
        width = mpl.rcParams["figure.figsize"][0]
        smallest = min(mpl.rcParams[key] for key in ("font.size", "xtick.labelsize", "legend.fontsize"))
        assert smallest / 72 / width * 700 >= 14  # CSS pixels in a text column of 700
        assert smallest / 72 / width * 350 >= 7  # on a phone
        assert 1.25 <= width * mpl.rcParams["figure.dpi"] / 700 <= 2


def test_closed_figures_are_not_kept_among_what_was_imported():
    with mpl.rc_context():
        gc.unfreeze()
        plots.use_style()
        frozen = gc.get_freeze_count()
        plt.close(plt.figure())
        plots.use_style()                               # a second time freezes no figure
    assert frozen > 10_000 and gc.get_freeze_count() <= frozen
