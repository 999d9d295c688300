"""`make lab` opens JupyterLab with settings that ask for no network; JupyterLab must know each of them."""

import json
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "tools" / "lab"
SCHEMAS = Path(sys.prefix) / "share" / "jupyter" / "lab" / "schemas"
SETTINGS = json.loads((FOLDER / "overrides.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("plugin", SETTINGS)
def test_every_setting_is_one_of_jupyterlabs(plugin):
    extension, _, name = plugin.partition(":")
    schema = json.loads((SCHEMAS / extension / f"{name}.json").read_text(encoding="utf-8"))["properties"]
    for key, value in SETTINGS[plugin].items():
        choices = [choice["const"] for choice in schema[key].get("oneOf", [])]
        assert value in choices if choices else type(value) is type(schema[key]["default"]), f"{plugin} {key}"


def test_nothing_is_asked_of_the_network():
    notification = SETTINGS["@jupyterlab/apputils-extension:notification"]
    assert notification == {"checkForUpdates": False, "fetchNews": "false"}


def test_make_lab_uses_them():
    lines = (FOLDER.parents[1] / "Makefile").read_text(encoding="utf-8").splitlines()
    assert sum("jupyter lab" in line and "app_settings_dir=\"$(CURDIR)/tools/lab\"" in line for line in lines) == 1
