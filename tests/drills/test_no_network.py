"""No network interface at all: everything works but fetching, which says at once what to do."""

import _socket
import os
import subprocess
import sys

import pytest

from tests.drills.apart import apart

PROGRAM = """
import importlib, pkgutil, sys, warnings
warnings.simplefilter("ignore")
import course_utils
for module in pkgutil.walk_packages(course_utils.__path__, "course_utils."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
import torch
from course_utils.__main__ import main
from course_utils.data.download import fetch
from course_utils.data.errors import NoConnectionError
from course_utils.data.patches import batches, load_patches
from course_utils.models.mlp import PixelMLP
from course_utils.tasks import Segmentation
from course_utils.train import FitConfig, fit
assert main(["simulate", "--scenes", "1", "--workers", "1"]) == 0
patches = load_patches("all", scenes=1, workers=1, progress=False)
loader = batches(patches, 8)
assert len(fit(PixelMLP(12, (4,)), Segmentation(), loader, loader, FitConfig(epochs=1))) == 1
assert main(["doctor"]) in (0, 1)
(error,) = fetch(["ukis/landsat5.npz"], progress=False).failed.values()
assert isinstance(error, NoConnectionError) and "check the network" in str(error) and "COURSE_DATA" in str(error), error
assert main(["fetch", "mnist"]) == 1 and main(["fetch", "--list"]) == 0
print("all of it")
"""


def test_everything_works_without_a_network_and_nothing_asks(tmp_path, needs_namespaces):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COURSE_")}
    environment |= {"COURSE_CACHE": str(tmp_path), "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "TQDM_DISABLE": "1"}

    def drill():
        done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=280,
                              stdin=subprocess.DEVNULL, env=environment, check=False)
        return done.returncode, done.stdout, done.stderr

    code, out, error = apart(drill, network=False)
    assert code == 0 and out.endswith("all of it\n"), error[-3000:]
    assert "found no connection to" in error and "Traceback" not in error


def test_there_is_no_network_in_a_part_without_one(needs_namespaces):
    def drill():
        with pytest.raises(OSError, match="nreachable"):        # the socket below the one that `conftest.py` watches
            _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM).connect(("192.0.2.1", 9))
    apart(drill, network=False)
