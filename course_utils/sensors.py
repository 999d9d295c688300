"""Which bands an instrument has, and where they lie in the spectrum."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Band:
    """One spectral band: its name, centre and full width in nanometres, and what it is for."""

    name: str
    wavelength_nm: float
    width_nm: float
    description: str


class UnknownBandError(LookupError):
    """A band was asked for that the sensor does not have."""


class UnknownSensorError(LookupError):
    """A sensor was asked for that the course does not know."""


@dataclass(frozen=True)
class Sensor:
    """An instrument: its name, its bands in storage order, and its pixel size on the ground in metres.

    Example:
        >>> LANDSAT8.band_names
        ('B2', 'B3', 'B4', 'B5', 'B6', 'B7', 'B9')
        >>> LANDSAT8.index("B6"), PACE_OCI.index(1378)
        (4, 8)
    """

    name: str
    bands: tuple[Band, ...]
    pixel_m: float

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the bands, in storage order."""
        return tuple(band.name for band in self.bands)

    @property
    def wavelengths(self) -> np.ndarray:
        """Centre wavelengths, (C,) float64, in nanometres."""
        return np.array([band.wavelength_nm for band in self.bands], dtype=float)

    def index(self, band: str | float) -> int:
        """Find the channel of a band, by its name or by a wavelength.

        Args:
            band: a band name ("B9"), or a wavelength in nm; a wavelength finds the band with the nearest
                centre, if it lies within that band's full width of the centre.

        Returns:
            The channel's position in an image of this sensor, 0 to C − 1.

        Raises:
            UnknownBandError: no band has that name, or none reaches that wavelength.

        Example:
            >>> SENTINEL2.index("B08") == SENTINEL2.index(842)
            True
        """
        if isinstance(band, str):
            if band in self.band_names:
                return self.band_names.index(band)
            raise UnknownBandError(self._explain(f"band {band!r}"))
        distance = np.abs(self.wavelengths - float(band))
        nearest = int(distance.argmin())
        if distance[nearest] <= self.bands[nearest].width_nm:
            return nearest
        raise UnknownBandError(self._explain(f"a wavelength of {band} nm"))

    def _explain(self, found: str) -> str:
        """Say what is missing and what there is."""
        known = ", ".join(f"{band.name} ({band.wavelength_nm:g} nm)" for band in self.bands)
        return f"found {found}, which {self.name} does not measure; expected one of its bands: {known}"


PACE_OCI = Sensor("PACE OCI", (
    Band("413", 413, 5, "violet: molecular scattering, dissolved matter in water"),
    Band("442", 442, 5, "blue: chlorophyll absorption"),
    Band("470", 470, 5, "blue"),
    Band("550", 550, 5, "green"),
    Band("650", 650, 5, "red"),
    Band("865", 865, 5, "near infrared: vegetation bright, water dark"),
    Band("940", 940, 45, "water-vapour absorption"),
    Band("1249", 1249, 30, "short-wave infrared: snow darkens with grain size"),
    Band("1378", 1378, 15, "strong water-vapour absorption: high cloud only"),
    Band("1618", 1618, 75, "short-wave infrared: cloud bright, snow dark"),
    Band("2131", 2131, 50, "short-wave infrared: particle size"),
), 1200.0)

SENTINEL2 = Sensor("Sentinel-2 MSI", (
    Band("B02", 492, 66, "blue"),
    Band("B03", 560, 36, "green"),
    Band("B04", 665, 31, "red"),
    Band("B08", 833, 106, "near infrared"),
    Band("B10", 1374, 31, "cirrus"),
    Band("B11", 1614, 91, "short-wave infrared 1"),
    Band("B12", 2202, 175, "short-wave infrared 2"),
), 10.0)

LANDSAT8 = Sensor("Landsat-8 OLI", (
    Band("B2", 482, 60, "blue"),
    Band("B3", 561, 57, "green"),
    Band("B4", 655, 37, "red"),
    Band("B5", 865, 28, "near infrared"),
    Band("B6", 1609, 85, "short-wave infrared 1"),
    Band("B7", 2201, 187, "short-wave infrared 2"),
    Band("B9", 1373, 20, "cirrus"),
), 30.0)

RGB = Sensor("RGB camera", (
    Band("red", 610, 90, "red"),
    Band("green", 540, 90, "green"),
    Band("blue", 465, 80, "blue"),
), 10.0)

SENSORS = {"pace": PACE_OCI, "sentinel2": SENTINEL2, "landsat8": LANDSAT8, "rgb": RGB}


def get_sensor(name: str) -> Sensor:
    """Find a sensor by its short name.

    Args:
        name: "pace", "sentinel2", "landsat8" or "rgb"; case does not matter.

    Returns:
        The sensor.

    Raises:
        UnknownSensorError: the name is not known; the message lists the known ones.

    Example:
        >>> get_sensor("landsat8").pixel_m
        30.0
    """
    try:
        return SENSORS[name.lower()]
    except KeyError:
        raise UnknownSensorError(f"found sensor {name!r}, expected one of {', '.join(SENSORS)}") from None
