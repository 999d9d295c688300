"""Sensors: names, wavelengths, lookup, error texts."""

import numpy as np
import pytest

from course_utils.sensors import (
    LANDSAT8,
    PACE_OCI,
    RGB,
    SENSORS,
    SENTINEL2,
    Band,
    UnknownBandError,
    UnknownSensorError,
    get_sensor,
)


def test_pace_has_the_eleven_course_bands_in_order():
    assert PACE_OCI.band_names == ("413", "442", "470", "550", "650", "865", "940", "1249", "1378", "1618", "2131")
    assert np.array_equal(PACE_OCI.wavelengths, [float(name) for name in PACE_OCI.band_names])


def test_landsat_and_sentinel_names_match_the_interchange_format():
    assert LANDSAT8.band_names == ("B2", "B3", "B4", "B5", "B6", "B7", "B9")
    assert {"B02", "B03", "B04", "B08", "B11", "B12"} <= set(SENTINEL2.band_names)
    assert RGB.band_names == ("red", "green", "blue")


@pytest.mark.parametrize("sensor", SENSORS.values(), ids=SENSORS)
def test_every_band_is_found_by_name_and_by_its_own_wavelength(sensor):
    for position, band in enumerate(sensor.bands):
        assert sensor.index(band.name) == position
        assert sensor.index(band.wavelength_nm) == position
        assert band.width_nm > 0 and 400 <= band.wavelength_nm <= 2300


def test_the_two_cirrus_channels_are_the_same_part_of_the_spectrum():
    assert LANDSAT8.index(1373) == LANDSAT8.index("B9")
    assert abs(LANDSAT8.bands[6].wavelength_nm - PACE_OCI.bands[8].wavelength_nm) < 10


def test_unknown_band_lists_the_known_ones():
    with pytest.raises(UnknownBandError, match=r"found band 'B8', which Landsat-8 .*expected .*B2 .*B9 \(1373 nm\)"):
        LANDSAT8.index("B8")
    with pytest.raises(UnknownBandError, match=r"a wavelength of 1378 nm, which RGB .*red \(610 nm\)"):
        RGB.index(1378)


def test_sensor_by_name_and_its_error():
    assert get_sensor("PACE") is PACE_OCI
    with pytest.raises(UnknownSensorError, match=r"found sensor 'modis', expected one of pace, .*, rgb"):
        get_sensor("modis")


def test_bands_and_sensors_can_not_be_changed():
    with pytest.raises(AttributeError):
        PACE_OCI.bands[0].name = "x"
    assert Band("a", 500, 10, "") == Band("a", 500, 10, "")
