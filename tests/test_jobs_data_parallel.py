"""Two processes learn what one learns; a killed job goes on as if nothing had happened; nothing is left running."""

import json
import os
from pathlib import Path

import pytest
import torch

from course_utils.checkpoint import CheckpointError
from course_utils.jobs import data_parallel, launch
from course_utils.jobs.data_parallel import Settings, build, train
from course_utils.jobs.team import Team, TeamError, join
from tests.processes import all_gone
from tests.programs import trainings

PROGRAM = Path(trainings.__file__)


def options(settings):
    return [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", str(value))]


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """What the same trainings leave, of one process and of two, and what the two said; all by one start of torchrun."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    alone, both = tmp_path_factory.mktemp("alone"), tmp_path_factory.mktemp("both")
    trainings.undisturbed(alone, Team())
    said = launch.run(["--max-restarts", "1", str(PROGRAM), str(both)], processes=2, timeout=300)
    yield alone, both, [json.loads(line) for line in said.splitlines() if line.startswith('{"life"')]
    torch.set_num_threads(threads)


@pytest.fixture
def folders(job):
    return job[:2]


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_two_processes_learn_the_parameters_of_one_on_the_combined_batch(folders, name):
    weights = [torch.load(folder / f"{name}.pt")["model"] for folder in folders]
    start = build(Settings(**trainings.COMMON, **{"sgd": trainings.SGD, "adam": trainings.ADAM}[name]),
                  data_parallel._datasets(Settings(**trainings.COMMON), Team())[0]).state_dict()
    moved = max((weights[0][key] - start[key]).abs().max().item() for key in start)
    apart = max((weights[0][key] - weights[1][key]).abs().max().item() for key in start)
    assert apart < 1e-5 and moved > 1e-3, f"{apart} apart after moving by {moved}"


def test_losses_and_scores_are_those_of_all_processes(folders):
    for name in ("sgd", "adam"):
        alone, both = (torch.load(folder / f"{name}.reports") for folder in folders)
        assert [report["epoch"] for report in both] == list(range(1, len(alone) + 1))
        for one, two in zip(alone, both, strict=True):
            for key in ("loss", "validation_loss", "iou", "accuracy"):
                assert two[key] == pytest.approx(one[key], abs=2e-5)


def test_unequal_numbers_of_valid_pixels_and_an_odd_number_of_patches_change_nothing(folders):
    alone, both = (torch.load(folder / "uneven") for folder in folders)
    assert both["loss"] == pytest.approx(alone["loss"], rel=1e-6)
    assert both["scores"] == pytest.approx(alone["scores"], rel=1e-6)
    for key, weight in alone["model"].items():
        assert torch.allclose(both["model"][key], weight, rtol=0, atol=1e-6)


def test_a_killed_process_ends_the_others_and_a_restart_ends_at_the_same_bits(job):
    _, both, said = job
    assert sorted((line["life"], line["rank"]) for line in said) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert all_gone([line["pid"] for line in said]) and len({line["pid"] for line in said}) == 4
    epochs = [[int(file.stem.rpartition("-")[2]) for file in sorted(both.glob(f"killed-{life}-*.report"))]
              for life in (0, 1)]
    assert len(epochs[0]) in (1, 2) and epochs[1][-1] == trainings.SGD["epochs"]
    assert epochs[1][0] in (trainings.DEADLY_EPOCH, trainings.DEADLY_EPOCH + 1), "the second life began anew"
    undisturbed, restarted = (torch.load(both / name) for name in ("sgd.pt", "killed.pt"))
    last = torch.load(both / f"killed-1-{trainings.SGD['epochs']}.report")
    for key in ("loss", "validation_loss", "iou"):
        assert last[key] == torch.load(both / "sgd.reports")[-1][key]
    assert all(torch.equal(restarted["model"][key], weight) for key, weight in undisturbed["model"].items())


def test_only_the_first_process_speaks_and_says_where_it_runs(capsys):
    assert data_parallel.main(options(trainings.COMMON | trainings.ADAM | {"epochs": 1})) == 0
    beginning, report = map(json.loads, capsys.readouterr().out.splitlines())
    assert beginning["processes"] == 1 and beginning["pids"] == [os.getpid()] and report["epoch"] == 1
    data_parallel._say({"epoch": 1}, Team(rank=1, world=2))
    assert capsys.readouterr().out == ""


def test_a_checkpoint_of_other_settings_is_refused_and_of_other_epochs_is_not(tmp_path):
    settings = trainings.COMMON | trainings.ADAM | {"checkpoint": str(tmp_path / "c.pt"), "epochs": 1}
    assert len(list(train(Settings(**settings)))) == 1
    assert [report["epoch"] for report in train(Settings(**settings | {"epochs": 2}))] == [2]
    with pytest.raises(CheckpointError, match=r"found batch_size=16 in c\.pt, expected 8; go on with the settings"):
        list(train(Settings(**settings | {"batch_size": 8})))


def test_settings_that_do_not_fit_are_refused(capsys):
    with pytest.raises(TeamError, match="found a batch of 5 for 2 processes, expected a multiple; choose 4"):
        list(train(Settings(batch_size=5), Team(world=2)))
    assert data_parallel.main(["--model", "resnet"]) == 2
    assert "found model='resnet', expected one of unet" in capsys.readouterr().err
    assert data_parallel.main(["--epochs", "0"]) == 2
    assert "expected at least 1" in capsys.readouterr().err


def test_a_team_of_one_exchanges_nothing(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with join("cpu") as team:
        assert team.leads and team.sum(3.5) == 3.5 and team.gather("x") == ["x"]
        model = torch.nn.Linear(2, 2)
        assert team.share(model) is model
        team.wait()


def test_each_process_takes_its_own_gpu_and_too_few_are_refused(monkeypatch):
    for name, value in (("WORLD_SIZE", "2"), ("RANK", "3"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    asked = {}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: asked.update(device=device))
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda backend, device_id: asked.update(
        backend=backend, device_id=device_id))
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: asked.update(left=True))
    with join() as team:
        assert (team.rank, team.world, team.device, team.backend) == (3, 2, torch.device("cuda", 1), "nccl")
    assert asked == {"device": torch.device("cuda", 1), "backend": "nccl", "device_id": torch.device("cuda", 1),
                     "left": True}
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(TeamError, match="found 1 GPUs for process 2 of this machine, expected one for each"), join():
        pass
