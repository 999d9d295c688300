"""Simulated satellite scenes with known truth.

`scene(7)` is always the same scene. It is built from spectra and simple radiative transfer:

- `scenario.py`: what is drawn: place, sun, air, cloud layers
- `landscape.py`: where each material lies; `patterns.py`: rivers, fields, ridges
- `spectra.py`: what each material reflects; `fields.py`: random fields
- `clouds.py`: optical thickness, particles, shadows
- `atmosphere.py`: molecules, aerosol, gases, glint; `two_stream.py`: one formula for all that scatters
- `instrument.py`: blur, noise, swath, 8 bits; `label.py`: the mask an analyst would draw
- `state.py`: all of it together, before any sensor looks
- `radiance.py`: what leaves the top of the atmosphere
- `scene.py`: what a sensor makes of it: a numbered scene

`sky_frame(7)` is always the same picture of the sky, seen from the ground:

- `sky_state.py`: what is drawn: sun or moon, air, clouds, town
- `sky_horizon.py`: trees, houses, masts; `sky_geometry.py`: where a camera looks
- `sky_clouds.py`: cloud layers that drift and change
- `sky_light.py`: what air and cloud scatter; `sky_night.py`: moon, airglow, towns, stars
- `sky_view.py`: what arrives from each direction; `sky_camera.py`: exposure, tone, noise, 8 bits
- `sky.py`: frames, photographs; `sky_picture.py`: what every labelled picture tells
"""

from course_utils.simulate.instrument import decode_uint8, encode_uint8
from course_utils.simulate.scenario import CLOUD_SCENARIOS, SURFACE_SCENARIOS, Scenario, UnknownScenarioError
from course_utils.simulate.scene import VERSION, Scene, scene, scenes
from course_utils.simulate.sky import SKY_VERSION, SkyFrame, sky_frame, sky_photo
from course_utils.simulate.spectra import SURFACES

__all__ = [
    "CLOUD_SCENARIOS", "SKY_VERSION", "SURFACES", "SURFACE_SCENARIOS", "VERSION", "Scenario", "Scene", "SkyFrame",
    "UnknownScenarioError", "decode_uint8", "encode_uint8", "scene", "scenes", "sky_frame", "sky_photo",
]
