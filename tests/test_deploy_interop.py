"""The C interface, its hosts in Fortran and C++: compiled, run, and treated badly."""

import contextlib
import ctypes
import os
import re
import subprocess
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from course_utils.deploy import parity
from course_utils.deploy.axes import received
from course_utils.deploy.build import INTEROP, BuildError, build, missing, source
from course_utils.deploy.golden import Golden
from course_utils.models.unet import UNet
from tests.bundles import CARD, images, write_bundle
from tools.notebooks import ROOT

if missing():
    if os.environ.get("CI"):
        raise RuntimeError(f"CI has no {missing()}")
    pytest.skip(f"this machine has no {missing()}", allow_module_level=True)

OK, BAD_ARGUMENT, BAD_FILE, BAD_SHAPE, BAD_INPUT, ENGINE = range(6)
SIGFPE = -8
SOURCES = ("cloud_mask.h", "cloud_mask.c", "cloud_mask.f90", "driver.f90", "driver.cpp")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A bundle, the library and the driver in one place."""
    made = tmp_path_factory.mktemp("interop")
    write_bundle(made, UNet(3, width=2, depth=1), tolerance=1e-5)
    build(made, flags=("-Werror",))              # no compiler has anything to complain about
    return made


def small_model(path, make):
    """An ONNX file from image to prob with other operators."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 16, 24])
    prob = helper.make_tensor_value_info("prob", TensorProto.FLOAT, ["batch", 16, 24])
    graph = helper.make_graph(make(), "small", [image], [prob])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def divided_by_zero():
    """Nodes whose answer is 0 / 0."""
    return [helper.make_node("Sub", ["image", "image"], ["zero"]), helper.make_node("Div", ["zero", "zero"], ["nan"]),
            helper.make_node("ReduceMean", ["nan"], ["prob"], axes=[1], keepdims=0)]


class Mask:
    """cloud_mask.h as Python sees it."""

    def __init__(self, library):
        self.lib = ctypes.CDLL(str(library))
        self.lib.cloud_mask_last_error.restype = ctypes.c_char_p
        self.model = ctypes.c_void_p()

    def load(self, path, threads=1):
        return self.lib.cloud_mask_load(None if path is None else str(path).encode(), threads, ctypes.byref(self.model))

    def forward(self, image, prob, shape=None, prob_shape=None):
        shape, prob_shape = shape or image.shape, prob_shape or prob.shape
        return self.lib.cloud_mask_forward(self.model, (ctypes.c_int64 * 4)(*shape), image.ctypes.data_as(
            ctypes.c_void_p), (ctypes.c_int64 * 3)(*prob_shape), prob.ctypes.data_as(ctypes.c_void_p))

    def free(self):
        self.lib.cloud_mask_free(ctypes.byref(self.model))

    @property
    def error(self):
        return self.lib.cloud_mask_last_error().decode()


@pytest.fixture
def mask(folder):
    mask = Mask(folder / "libcloud_mask.so")
    assert mask.load(folder / "model.onnx") == OK
    yield mask
    mask.free()


def drive(folder, model="model.onnx", golden="golden.bin", steps=2):
    """Run the driver; it is ended after a minute."""
    return subprocess.run([folder / "driver", folder / model, folder / golden, "1", str(steps)], capture_output=True,
                          text=True, timeout=60)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
                    reason="a thread can be bound to one of several cores on Linux alone")
def test_no_rank_binds_itself_to_a_core(mask):
    image = np.repeat(images()[:1], 500, axis=0)
    prob = np.empty((500, *image.shape[2:]), np.float32)
    free, bound = os.sched_getaffinity(0), set()
    host = threading.Thread(target=lambda: [mask.forward(image, prob) for _ in range(20)])
    host.start()
    while host.is_alive():
        for thread in Path("/proc/self/task").iterdir():
            with contextlib.suppress(ProcessLookupError):        # it has ended since
                bound |= free - os.sched_getaffinity(int(thread.name))
    assert not bound


def test_fortran_gives_the_golden_answer(folder):
    done = drive(folder, steps=5)
    assert (done.returncode, done.stderr) == (0, "")
    assert "image(W, H, C, N): 24 16 3 1" in done.stdout and "golden patch: the same" in done.stdout


def test_fortran_says_what_is_wrong_and_stops_as_it_chose_to(folder):
    absent = drive(folder, model="absent.onnx")
    assert absent.returncode == 10 and "could not load, code 2: found no model in" in absent.stderr
    turned = Golden(images().transpose(0, 1, 3, 2), images()[0, :1].transpose(0, 2, 1), 1e-5)
    turned.save(folder / "turned.bin")
    done = drive(folder, golden="turned.bin")
    assert done.returncode == 10 and "found shape (1, 3, 24, 16), expected (N, 3, 16, 24)" in done.stderr
    good = Golden.load(folder / "golden.bin")
    Golden(good.image, good.prob + np.float32(0.01), 1e-5).save(folder / "other.bin")
    assert drive(folder, golden="other.bin").returncode == 20


@pytest.mark.parametrize("program", [["driver", "1", "1"], ["driver_cpp"]])
def test_hosts_refuse_what_is_no_golden_patch(folder, tmp_path, program):
    whole = (folder / "golden.bin").read_bytes()
    for name, data in (("empty", b""), ("other", b"PYTHON01" + whole[8:]), ("cut", whole[:-4]),
                       ("negative", whole[:8] + b"\xff" * 16 + whole[24:])):
        (tmp_path / name).write_bytes(data)
    for name in ("absent", "empty", "other", "cut", "negative"):
        words = [folder / program[0], folder / "model.onnx", tmp_path / name, *program[1:]]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 30 and len(done.stderr.splitlines()) == 1 and not done.stdout
    for words in ([], ["model.onnx", "golden.bin", "many", "1"], ["model.onnx", "golden.bin", "1", "0"]):
        done = subprocess.run([folder / program[0], *words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 30 and "MODEL.onnx GOLDEN.bin" in done.stderr


def test_cpp_gives_the_golden_answer_and_says_what_is_wrong(folder, tmp_path):
    def host(model="model.onnx", golden=folder / "golden.bin"):
        return subprocess.run([folder / "driver_cpp", folder / model, golden], capture_output=True, text=True,
                              timeout=60)

    done = host()
    assert (done.returncode, done.stdout, done.stderr) == (0, "golden patch: the same\n", "")
    absent = host(model="absent.onnx")
    assert absent.returncode == 10 and absent.stderr.startswith("code 2: found no model in")
    good = Golden.load(folder / "golden.bin")
    Golden(good.image, good.prob + np.float32(0.01), 1e-5).save(tmp_path / "other.bin")
    assert host(golden=tmp_path / "other.bin").returncode == 20
    Golden(good.image * 255, good.prob, 1e-5).save(tmp_path / "bytes.bin")
    assert host(golden=tmp_path / "bytes.bin").stderr.startswith("code 4: found")


def test_c_agrees_with_onnx_runtime_call_after_call_and_for_any_batch(folder, mask):
    run = parity.onnx_runtime(folder / "model.onnx")
    for count in (1, 3, 2, 1):
        batch, prob = images(count, seed=count), np.empty((count, 16, 24), np.float32)
        assert mask.forward(batch, prob) == OK and mask.error == ""
        np.testing.assert_allclose(prob, run(batch), atol=1e-5)


def test_two_models_work_side_by_side(folder, mask, tmp_path):
    mean = small_model(tmp_path / "mean.onnx", lambda: [helper.make_node("ReduceMean", ["image"], ["prob"], axes=[1],
                                                                         keepdims=0)])
    other = Mask(folder / "libcloud_mask.so")
    assert other.load(mean) == OK
    golden = Golden.load(folder / "golden.bin")
    prob, average = np.empty((1, 16, 24), np.float32), np.empty((1, 16, 24), np.float32)
    for _ in range(2):
        assert mask.forward(golden.image, prob) == other.forward(golden.image, average) == OK
        np.testing.assert_allclose(prob, golden.prob, atol=1e-5)
        np.testing.assert_allclose(average, golden.image.mean(axis=1), atol=1e-6)
    other.free()
    assert mask.forward(golden.image, prob) == OK


@pytest.mark.parametrize("shape", [(1, 3, 24, 16), (1, 12, 16, 24), (0, 3, 16, 24), (-1, 3, 16, 24), (1, 3, 16, 23)])
def test_a_wrong_shape_is_a_code_and_a_message(mask, shape):
    prob = np.full((1, 16, 24), -1, np.float32)
    assert mask.forward(images(), prob, shape=shape) == BAD_SHAPE
    assert mask.error.startswith(f"found shape {shape}, expected (N, 3, 16, 24)")
    assert (prob == -1).all()


def test_a_place_for_the_answer_of_another_shape_is_refused(mask):
    assert mask.forward(images(2), np.empty((1, 16, 24), np.float32)) == BAD_SHAPE
    assert "found prob of shape (1, 16, 24), expected (2, 16, 24)" in mask.error
    assert mask.forward(images(), np.empty((1, 24, 16), np.float32)) == BAD_SHAPE


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 255.0, -0.2, 2.2])
def test_what_is_no_reflectance_is_refused(mask, value):
    image, prob = images(), np.full((1, 16, 24), -1, np.float32)
    image[0, 2, 15, 23] = value
    assert mask.forward(image, prob) == BAD_INPUT
    assert f"at place {image.size - 1}, expected reflectance" in mask.error and (prob == -1).all()
    image[0, 2, 15, 23] = 2.0
    assert mask.forward(image, prob) == OK and mask.error == ""


def test_a_file_that_is_no_such_model_is_refused(folder, tmp_path):
    mask = Mask(folder / "libcloud_mask.so")
    (tmp_path / "empty.onnx").touch()
    small_model(tmp_path / "same.onnx", lambda: [helper.make_node("Identity", ["image"], ["prob"])])
    for path in (tmp_path / "absent.onnx", tmp_path / "empty.onnx", tmp_path / "same.onnx", folder / "golden.bin"):
        assert mask.load(path) == BAD_FILE and path.name in mask.error and not mask.model


def test_bad_arguments_are_refused_and_freeing_twice_is_harmless(folder):
    mask = Mask(folder / "libcloud_mask.so")
    assert mask.load(None) == mask.load(folder / "model.onnx", threads=0) == BAD_ARGUMENT
    assert mask.lib.cloud_mask_load(b"x", 1, None) == BAD_ARGUMENT
    prob = np.empty((1, 16, 24), np.float32)
    assert mask.forward(images(), prob) == BAD_ARGUMENT and "not loaded, or freed" in mask.error
    assert mask.load(folder / "model.onnx") == OK
    assert mask.lib.cloud_mask_forward(mask.model, None, None, None, None) == BAD_ARGUMENT
    for _ in range(2):
        mask.free()
        assert not mask.model and mask.forward(images(), prob) == BAD_ARGUMENT
    mask.lib.cloud_mask_free(None)


def test_the_hosts_floating_point_traps_do_not_reach_the_library(folder, tmp_path):
    flags = ("-ffpe-trap=invalid,zero,overflow",)
    guarded, bare, sources = tmp_path / "guarded", tmp_path / "bare", tmp_path / "sources"
    build(guarded, fortran_flags=flags)
    sources.mkdir()
    for name in SOURCES:
        text = source(name)
        if name == "cloud_mask.c":
            text, count = re.subn(r"feholdexcept\(&host\)", "(void)fegetenv(&host)", text)
            assert count == 2
        (sources / name).write_text(text)
    build(bare, fortran_flags=flags, sources=sources)
    for place in (guarded, bare):
        small_model(place / "nan.onnx", divided_by_zero)
        Golden.load(folder / "golden.bin").save(place / "golden.bin")
    assert drive(bare, model="nan.onnx").returncode == SIGFPE          # the planted mistake: no guard
    done = drive(guarded, model="nan.onnx")
    assert done.returncode == 10 and re.search(r"code 5: found -?nan at place 0", done.stderr, re.I)


def test_a_compiler_that_complains_is_heard(tmp_path):
    for name in SOURCES:
        (tmp_path / name).write_text(source(name).replace("static int fail(int code", "static int fail(it code"))
    with pytest.raises(BuildError, match=r"gcc failed:\n.*cloud_mask.c"):
        build(tmp_path / "built", sources=tmp_path)


def test_fortran_stores_arrays_as_the_chapter_says(tmp_path):
    program = """program stored
      real :: image({0}), c, h, w
      integer :: i, j, k
      do i = 1, 2; do j = 1, 3; do k = 1, 4
        c = i; h = j; w = k
        image({1}) = 100 * c + 10 * h + w
      end do; end do; end do
      open (10, file="memory.bin", access="stream", form="unformatted")
      write (10) image
    end program"""
    sizes, indices = {"C": "2", "H": "3", "W": "4"}, {"C": "i", "H": "j", "W": "k"}
    c, h, w = np.meshgrid((1, 2), (1, 2, 3), (1, 2, 3, 4), indexing="ij")
    image = (100 * c + 10 * h + w).astype(np.float32)
    for declared in ("WHC", "HWC", "CHW"):
        code = program.format(*(", ".join(names[axis] for axis in declared) for names in (sizes, indices)))
        (tmp_path / "stored.f90").write_text(code)
        subprocess.run(["gfortran", "stored.f90", "-o", "stored"], cwd=tmp_path, check=True, timeout=60)
        subprocess.run([tmp_path / "stored"], cwd=tmp_path, check=True, timeout=60)
        read_by_c = np.fromfile(tmp_path / "memory.bin", np.float32).reshape(image.shape)
        np.testing.assert_array_equal(read_by_c, received(image, declared))


def test_header_and_card_agree_on_the_range():
    header = (INTEROP / "cloud_mask.h").read_text(encoding="utf-8")
    found = {name: float(value) for name, value in re.findall(r"define CLOUD_MASK_(\w+EST) \(?(-?[\d.]+)f", header)}
    assert found == {"LOWEST": CARD.lowest, "HIGHEST": CARD.highest}


def test_the_codes_are_the_same_in_c_fortran_and_on_the_page_of_troubles():
    page = (ROOT / "book" / "appendix" / "troubleshooting.md").read_text("utf-8")
    c, fortran = (dict(re.findall(r"CLOUD_MASK_(\w+) = (\d)", source(name)))
                  for name in ("cloud_mask.h", "cloud_mask.f90"))
    listed = {name: code for code, name in re.findall(r"\| (\d) \| `CLOUD_MASK_(\w+)` \|", page)}
    assert c == fortran == {"OK": "0", **listed} and len(c) == 6
