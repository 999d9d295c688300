"""The messages on the page of troubles are those that are printed: each is provoked here and compared.

A message stands for itself on the page; … is anything, and lines may be broken elsewhere.
"""

import io
import mmap
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

from course_utils.__main__ import main
from course_utils.checks import tensors
from course_utils.data import splits
from course_utils.data.folders import data_folder
from course_utils.data.local import locate
from course_utils.data.registry import resolve
from course_utils.models.mlp import PixelMLP
from course_utils.models.unet import UNet
from course_utils.tasks import Segmentation
from course_utils.train import FitConfig, fit
from tools.notebooks import ROOT, directives

PAGE = (ROOT / "book" / "appendix" / "troubleshooting.md").read_text("utf-8")
MESSAGES = [block.body.strip() for block in directives(PAGE) if "message" in block.classes]


class Vanishing:
    """A dataset whose reader ends without a word."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        os._exit(1)


def batch(value=0.5):
    return {"image": torch.full((1, 12, 2, 2), value), "mask": torch.ones(1, 2, 2, dtype=torch.bool),
            "valid": torch.ones(1, 2, 2, dtype=torch.bool)}


def twice():
    loss = torch.tensor(2.0, requires_grad=True) ** 2
    loss.backward()
    loss.backward()


def step_on_the_record():
    weight = torch.tensor(2.0, requires_grad=True)
    weight -= 0.1


def diverge():
    fit(PixelMLP(12), Segmentation(), [batch()] * 3, [batch()],
        FitConfig(epochs=1, learning_rate=1e30, optimizer="sgd"))


def resume_another():
    for epochs in (1, 2):
        fit(PixelMLP(12), Segmentation(), [batch()], [batch()], FitConfig(epochs=epochs), checkpoint="first.pt")


def fill_the_disk():
    if not Path("/dev/full").exists():
        pytest.skip("this system has no disk that is always full")
    Path("/dev/full").write_text("a package")


def ask_for_cuda():
    if torch.version.cuda:
        pytest.skip("this PyTorch is built for CUDA")
    torch.zeros(1, device="cuda")


def load_from_a_gpu():
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    file = io.BytesIO()
    torch.save(torch.zeros(1), file)
    file.seek(0)
    torch.load(file, map_location="cuda")


def save_a_split_twice():
    for _ in range(2):
        splits.save_split("split.json", splits.Split((1,), (2,), (3,)))


def cut_short():
    file, = resolve(["l8biome/images/Barren_00_0214.tif"])
    (data_folder() / file.path).parent.mkdir(parents=True)
    (data_folder() / file.path).write_bytes(b"half a file")
    locate(file)


def in_shell(*command, **environment):
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, timeout=60)
    return done.stdout + done.stderr


def doctor_without_a_folder():
    os.environ["COURSE_CACHE"] = "/proc/nowhere"
    main(["doctor"])


def fetch_without_a_network():
    os.environ["COURSE_MIRROR"] = "http://127.0.0.1:9"
    main(["fetch", "ukis"])


def written_in(path, *words):
    """The words, if they stand in a file: what cannot be provoked on every machine."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return " ".join(word for word in words if content.find(word.encode()) >= 0)


def of_jupyter():
    scripts = (Path(sys.prefix) / "share" / "jupyter" / "lab" / "static").glob("jlab_core.*.js")
    words = "The kernel for %1 appears to have died. It will restart automatically."
    return " ".join(written_in(path, words) for path in scripts).replace("%1", "11_satellites.ipynb")


def of_make():
    return (ROOT / "Makefile").read_text("utf-8").replace("{v.major}.{v.minor}", "3.10")


def of_torch():
    library = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
    return "RuntimeError: " + written_in(library, "Expected all tensors to be on the same device, but") + " got …"


# The first words of a message: what prints it.
PROVOKED = {
    "ModuleNotFoundError": lambda: in_shell(sys.executable, "-I", "-S", "-c", "import course_utils"),
    "/bin/bash": lambda: in_shell("/bin/bash", "-c", "make lab", PATH="/nowhere"),
    "found Python": of_make,
    "ERROR: Could not": lambda: in_shell(
        sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-index",
        "--disable-pip-version-check", "torch==2.13.0", PIP_FIND_LINKS="", PIP_CONFIG_FILE=os.devnull),
    "OSError": fill_the_disk,
    "NameError": lambda: exec("scene.mask", {}),
    "✗ tensors.dtypes": lambda: tensors.dtypes((..., ..., ..., ...)),
    "The kernel for": of_jupyter,
    "RuntimeError: DataLoader": lambda: next(iter(DataLoader(Vanishing(), num_workers=1))),
    "RuntimeError: mat1 and mat2 shapes": lambda: nn.Linear(12, 32)(torch.zeros(4, 11)),
    "RuntimeError: The size": lambda: torch.zeros(3, 427, 640) - torch.zeros(3),
    "RuntimeError: Given groups": lambda: nn.Conv2d(12, 16, 3)(torch.zeros(1, 7, 64, 64)),
    "ValueError: found an image": lambda: UNet(12)(torch.zeros(1, 7, 64, 64)),
    "RuntimeError: mat1 and mat2 must": lambda: nn.Linear(12, 1)(torch.zeros(4, 12, dtype=torch.float64)),
    "RuntimeError: Input type": lambda: nn.Conv2d(12, 1, 3)(torch.zeros(1, 12, 8, 8, dtype=torch.uint8)),
    "RuntimeError: mean()": lambda: torch.tensor([200, 100], dtype=torch.uint8).mean(),
    "UserWarning: Using a target": lambda: F.mse_loss(torch.zeros(64, 1), torch.zeros(64)),
    "RuntimeError: view size": lambda: torch.arange(6).view(2, 3).T.view(6),
    "ValueError: At least one stride": lambda: torch.from_numpy(np.zeros(3)[::-1]),
    "RuntimeError: Boolean value": lambda: bool(torch.zeros(3) > 0),
    "RuntimeError: Subtraction": lambda: F.binary_cross_entropy_with_logits(torch.zeros(4), torch.zeros(4) > 0),
    "RuntimeError: element 0": lambda: torch.tensor(1.0).backward(),
    "RuntimeError: Trying": twice,
    "RuntimeError: Can't call": lambda: torch.zeros(2, requires_grad=True).numpy(),
    "RuntimeError: a leaf": step_on_the_record,
    "ValueError: Expected more": lambda: nn.BatchNorm1d(32)(torch.zeros(1, 32)),
    "TrainingDivergedError": diverge,
    "CheckpointError": resume_another,
    "RuntimeError: [enforce": lambda: torch.empty(10**15),
    "RuntimeError: Expected all": of_torch,
    "AssertionError: Torch": ask_for_cuda,
    "RuntimeError: Attempting": load_from_a_gpu,
    "MissingDataError": lambda: locate(*resolve(["l8biome/images/Barren_00_0214.tif"])),
    "HashMismatchError": cut_short,
    "✗ ukis": fetch_without_a_network,
    "✗ data folder": doctor_without_a_folder,
    "SplitError": save_a_split_twice,
}
NOT_HERE = {"The virtual environment": "printed by Debian's Python, where python3-venv is missing"}


def printed(provoke, capsys) -> str:
    """What a reader would see, in one line: an error with its kind, warnings, and whatever is printed or returned."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            result = provoke()
        except (AssertionError, NameError, OSError, RuntimeError, ValueError) as error:
            result = f"{type(error).__name__}: {error}"
    shown = [f"{warning.category.__name__}: {warning.message}" for warning in warned]
    return " ".join(" ".join([str(result), *shown, *capsys.readouterr()]).split())


@pytest.mark.parametrize("start", PROVOKED)
def test_a_message_is_printed_as_the_page_has_it(start, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_MIRROR", "")
    monkeypatch.delenv("COURSE_DATA", raising=False)
    (message,) = (message for message in MESSAGES if message.startswith(start))
    found = printed(PROVOKED[start], capsys)
    pattern = ".*".join(re.escape(part) for part in " ".join(message.split()).split("…"))
    assert re.search(pattern, found), f"the page says\n{message}\nand what is printed is\n{found[:600]}"


def test_every_message_of_the_page_is_provoked():
    known = [*PROVOKED, *NOT_HERE]
    assert [message for message in MESSAGES if sum(map(message.startswith, known)) != 1] == []
    assert len(MESSAGES) == len(known)


def test_every_trouble_has_a_cure():
    after = [part.split("```{code-block}")[0] for part in re.split(r"^```$", PAGE, flags=re.MULTILINE)[1:]]
    texts = [text for text in after if text.strip()]             # two messages in a row share one
    assert len(texts) >= 25
    assert [text for text in texts if text.count("**Cure:**") != 1] == []
