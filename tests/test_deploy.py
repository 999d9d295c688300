"""Exported models, golden patches and the parity of engines."""

import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from course_utils.deploy import parity
from course_utils.deploy.export import Card, CardError, Frozen, capture, freeze, load_program, read_card
from course_utils.deploy.golden import (
    Golden,
    GoldenError,
    add_golden,
    digest,
    require_intact,
    require_same,
)
from course_utils.models.scaled import Scaled
from course_utils.models.unet import UNet
from tests.bundles import CARD, images, write_bundle

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def model():
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    net = Scaled(UNet(3, width=2, depth=1), torch.rand(50, 3, generator=generator))
    with torch.no_grad():
        net(torch.from_numpy(images(4)))         # in training mode: batch norm gets statistics that are not 0 and 1
    return net


@pytest.fixture(scope="module")
def bundle(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(folder, model, TOLERANCE)
    return folder


@pytest.fixture(params=["eager", "channels last", "exported", "onnx runtime", "openvino"])
def run(request, model, bundle):
    return {
        "eager": lambda: parity.eager(freeze(model)),
        "channels last": lambda: parity.eager(freeze(model), channels_last=True),
        "exported": lambda: parity.exported(bundle / "model.pt2"),
        "onnx runtime": lambda: parity.onnx_runtime(bundle / "model.onnx"),
        "openvino": lambda: parity.openvino(bundle / "model.onnx"),
    }[request.param]()


def test_every_engine_gives_the_golden_answer(run, bundle):
    assert require_same(run, Golden.load(bundle / "golden.bin")) <= TOLERANCE


def test_every_engine_takes_batches_of_any_length(run, model):
    for count in (1, 3):
        batch = images(count, seed=count)
        with torch.no_grad():
            wanted = model.eval()(torch.from_numpy(batch)).sigmoid().numpy()
        np.testing.assert_allclose(run(batch), wanted, atol=TOLERANCE)
    first = run(images(seed=8))
    before = first.copy()
    run(images(seed=9))
    np.testing.assert_array_equal(first, before)            # the next call does not write into the last answer


@pytest.mark.parametrize("shape", [(1, 3, 24, 16), (1, 2, 16, 24), (1, 3, 16, 25)])
def test_files_refuse_another_shape(bundle, shape):
    for engine, path in ((parity.exported, "model.pt2"), (parity.onnx_runtime, "model.onnx"),
                         (parity.openvino, "model.onnx")):
        with pytest.raises(Exception, match=r"[Gg]uard|dimensions|shape"):
            engine(bundle / path)(np.zeros(shape, np.float32))


def test_the_export_is_one_file_with_its_card_and_without_training_operators(bundle):
    assert {path.name for path in bundle.iterdir()} == {"model.onnx", "model.pt2", "golden.bin", "SHA256SUMS"}
    assert read_card(bundle / "model.onnx") == load_program(bundle / "model.pt2")[1] == CARD
    graph = onnx.load(bundle / "model.onnx").graph
    onnx.checker.check_model(str(bundle / "model.onnx"), full_check=True)
    assert [graph.input[0].name, graph.output[0].name] == ["image", "prob"]
    assert not {"BatchNormalization", "Dropout"} & {node.op_type for node in graph.node}    # folded into the weights


def test_freezing_leaves_the_model_as_it_was(model):
    model.train()
    frozen = freeze(model)
    assert model.training and not any(part.training for part in frozen.modules())
    assert all(weight.requires_grad for weight in model.parameters())
    assert not any(weight.requires_grad for weight in frozen.parameters())


def test_a_model_in_training_mode_is_not_exported(model):
    with pytest.raises(ValueError, match=r"found a model in training mode, expected eval mode; use freeze"):
        capture(Frozen(model.train()), CARD)


def test_a_file_without_a_card_is_refused(bundle, tmp_path):
    bare = onnx.load(bundle / "model.onnx")
    del bare.metadata_props[:]
    onnx.save(bare, tmp_path / "bare.onnx")
    with pytest.raises(CardError, match=r"found no card in bare\.onnx"):
        read_card(tmp_path / "bare.onnx")
    for text in ("", "{}", '{"bands": 3}', '{"bands": [], "size": [], "other": 1}'):
        with pytest.raises(CardError, match="export the model again"):
            Card.from_json(text)


def test_a_golden_patch_comes_back_as_it_was(tmp_path):
    golden = Golden(images(2), images(1)[0, :2], 2.5e-5)
    golden.save(tmp_path / "golden.bin")
    back = Golden.load(tmp_path / "golden.bin")
    np.testing.assert_array_equal(back.image, golden.image)
    np.testing.assert_array_equal(back.prob, golden.prob)
    assert back.tolerance == np.float32(2.5e-5)


def test_a_golden_patch_that_is_none_or_cut_off_is_refused(bundle, tmp_path):
    whole = (bundle / "golden.bin").read_bytes()
    for data, words in ((b"GOLDEN", "found no golden patch"), (b"PYTHON01" + whole[8:], "found no golden patch"),
                        (whole[:-4], "bytes"), (whole[:-1], "bytes"), (whole + bytes(4), "bytes")):
        (tmp_path / "golden.bin").write_bytes(data)
        with pytest.raises(GoldenError, match=words):
            Golden.load(tmp_path / "golden.bin")


def copied(bundle, folder):
    for path in bundle.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize("name", ["model.onnx", "model.pt2", "golden.bin"])
def test_one_changed_bit_is_noticed(bundle, tmp_path, name):
    require_intact(copied(bundle, tmp_path))
    data = bytearray((tmp_path / name).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / name).write_bytes(data)
    with pytest.raises(GoldenError, match=f"found {name} with SHA-256"):
        require_intact(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(GoldenError, match="no such file"):
        require_intact(tmp_path)


def test_a_bundle_without_sums_or_with_damaged_ones_is_refused(bundle, tmp_path):
    with pytest.raises(GoldenError, match="found no SHA256SUMS"):
        require_intact(tmp_path)
    copied(bundle, tmp_path)
    for damaged in (b"", b"one word\n\n", b"\xff\xfe"):
        (tmp_path / "SHA256SUMS").write_bytes(damaged)
        with pytest.raises(GoldenError, match=r"found model\.onnx with SHA-256 .* expected none"):
            require_intact(tmp_path)


def test_a_golden_patch_without_an_answer_is_not_made(bundle, model, tmp_path):
    with pytest.raises(GoldenError, match="found an answer that is no number"):
        add_golden(copied(bundle, tmp_path), freeze(model), np.full((1, 3, *CARD.size), np.nan, np.float32), TOLERANCE)


def test_an_engine_leaves_the_model_as_it_was(model):
    frozen = freeze(model)
    strides = [weight.stride() for weight in frozen.parameters()]
    parity.eager(frozen, channels_last=True)(images())
    assert [weight.stride() for weight in frozen.parameters()] == strides


ALONE = """
import sys
seen = []
sys.addaudithook(lambda event, args: event.startswith(("socket.", "os.fork", "subprocess.")) and seen.append(event))
import course_utils.deploy
import numpy, onnxruntime, openvino
model, image = sys.argv[1], numpy.zeros((1, 3, 16, 24), numpy.float32)
onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"image": image})
openvino.Core().compile_model(model, "CPU")(image)
print(seen)
"""


def test_engines_call_nobody_and_leave_nothing_at_home(bundle, tmp_path):
    """Both report their use unless told not to, and keep an identity in the home folder; CI is where they do not."""
    quiet = {"CI", "TF_BUILD", "JENKINS_URL", "ORT_DISABLE_TELEMETRY"}
    plain = {name: value for name, value in os.environ.items() if name not in quiet and not name.startswith("XDG_")}
    done = subprocess.run([sys.executable, "-c", ALONE, bundle / "model.onnx"], capture_output=True, text=True,
                          env=plain | {"HOME": str(tmp_path)}, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert list(tmp_path.rglob("*")) == []


def test_a_changed_weight_is_noticed_by_its_answer(bundle, tmp_path):
    changed = onnx.load(bundle / "model.onnx")
    weight = max(changed.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    values = numpy_helper.to_array(weight).copy()
    values.flat[0] += 0.5
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    onnx.save(changed, tmp_path / "changed.onnx")
    assert digest(tmp_path / "changed.onnx") != digest(bundle / "model.onnx")
    with pytest.raises(GoldenError, match=r"found a difference of .* expected at most 1e-05"):
        require_same(parity.onnx_runtime(tmp_path / "changed.onnx"), Golden.load(bundle / "golden.bin"))


@pytest.mark.parametrize(("run", "words"), [
    (lambda image: np.full((1, 16, 24), np.nan), "difference of nan"),
    (lambda image: np.zeros((16, 24)), "shape"),
    (lambda image: np.zeros((1, 24, 16)), "order of the axes"),
    (lambda image: np.full((1, 16, 24), 0.5) + 1.1 * TOLERANCE, "difference"),
])
def test_wrong_answers_are_refused(run, words):
    golden = Golden(images(), np.full((1, 16, 24), 0.5, np.float32), TOLERANCE)
    assert require_same(lambda image: golden.prob + np.float32(0.9 * TOLERANCE), golden) > 0
    with pytest.raises(GoldenError, match=words):
        require_same(run, golden)


def test_shapes_that_differ_are_not_broadcast():
    with pytest.raises(ValueError, match="expected the same"):
        parity.compare(np.zeros((1, 4, 4)), np.zeros((4, 4)), 0.5)
