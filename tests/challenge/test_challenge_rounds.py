"""Rounds and their images: the key decides everything, and what is handed out tells nothing of it."""

import json
import re
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from course_utils import challenge, simulate
from course_utils.challenge import Budget, ChallengeError, Round, images, rounds
from course_utils.data import packed
from course_utils.data.cached import scenes_of
from course_utils.data.packed import batches
from course_utils.data.samples import patches_of

KEY = "a secret of sixteen characters or more"


@pytest.fixture
def few(monkeypatch):
    """Two scenes a round, so that simulating takes no time."""
    ids = (100 * np.arange(2)[:, None] + np.arange(16)).ravel()
    for module in (rounds, images):
        monkeypatch.setattr(module, "SCENES", 2)
    monkeypatch.setattr(images, "IDS", ids)
    monkeypatch.setattr(images, "PATCHES", 32)


# --- keys -----------------------------------------------------------------------------------------

def test_the_key_decides_name_and_seed_and_nothing_shows_it():
    one, two = Round(KEY), Round(KEY + ".")
    assert (one.id, one.seed) == (Round(KEY).id, Round(KEY).seed)
    assert one.id != two.id and one.seed != two.seed and KEY not in repr(one)
    assert re.fullmatch("[0-9a-f]{16}", one.id) and 0 <= one.seed < 2**128
    assert one.id not in f"{one.seed:032x}" and f"{one.seed:032x}"[:16] != one.id


def test_another_simulator_is_another_round(monkeypatch):
    before = Round(KEY)
    old = before.id, before.seed
    monkeypatch.setattr(simulate, "VERSION", "next")
    assert Round(KEY).id != old[0] and Round(KEY).seed != old[1]


def test_a_short_key_is_refused():
    with pytest.raises(ChallengeError, match="found a key of 5 characters, expected at least 16"):
        Round("short")


def test_the_key_is_read_from_a_file_else_the_environment_else_it_is_no_secret(tmp_path, monkeypatch):
    monkeypatch.delenv(rounds.KEY_VARIABLE, raising=False)
    assert challenge.read_key() == rounds.SELF_STUDY_KEY
    monkeypatch.setenv(rounds.KEY_VARIABLE, f" {KEY}\n")
    assert challenge.read_key() == KEY
    (tmp_path / "key.txt").write_text("another key, from a file\n")
    assert challenge.read_key(tmp_path / "key.txt") == "another key, from a file"
    with pytest.raises(ChallengeError, match=r"found no key in none\.txt"):
        challenge.read_key(tmp_path / "none.txt")


def test_no_scene_of_a_round_is_one_of_the_course():
    assert Round().seed != 0 and scenes_of("all")[0] == 0           # the course's scenes have the seed 0


def test_ids_are_scene_and_place():
    assert len(rounds.IDS) == rounds.PATCHES == 960 and len(set(rounds.IDS.tolist())) == 960
    assert rounds.IDS[16 * 12 + 7] == 1207


# --- images ---------------------------------------------------------------------------------------

def test_images_hold_the_scenes_and_no_trace_of_their_labels(tmp_path, few):
    own = Round(KEY)
    challenge.write_images(tmp_path / "round", own)
    opened = challenge.open_images(tmp_path / "round")
    wanted = patches_of(simulate.scene(1, seed=own.seed))
    assert opened.round_id == own.id and len(opened) == 32 and opened.channels == wanted.channels
    batch = opened[16:32]
    assert set(batch) == {"image", "valid", "id"} and batch["id"].tolist() == [100 + place for place in range(16)]
    assert torch.equal(batch["image"], wanted.decode(slice(None))["image"])
    assert np.array_equal(batch["valid"].numpy(), wanted.valid)
    assert np.unique(np.load(tmp_path / "round" / "codes.npy")).tolist() == [255]
    header = (tmp_path / "round" / packed.HEADER).read_text()
    assert KEY not in header and str(own.seed) not in header and f"{own.seed:x}" not in header


def test_images_come_one_by_one_and_from_a_loader(tmp_path, few):
    challenge.write_images(tmp_path / "round", Round(KEY))
    opened = challenge.open_images(tmp_path / "round")
    one = opened[17]
    assert one["id"] == 101 and one["image"].shape == (12, 64, 64) and one["valid"].dtype == torch.bool
    joined = torch.cat([batch["id"] for batch in batches(opened, 5)])
    assert joined.tolist() == opened.ids.tolist() == images.IDS.tolist()
    shuffled = batches(opened, 5, shuffle=True, generator=torch.Generator().manual_seed(0))
    for batch in shuffled:
        assert all(torch.equal(image, opened[images.IDS.tolist().index(number)]["image"])
                   for image, number in zip(batch["image"], batch["id"].tolist(), strict=True))


def test_images_are_simulated_once_and_kept(cache, few, monkeypatch):
    monkeypatch.delenv(images.FOLDER_VARIABLE, raising=False)
    first = challenge.test_images()
    (folder,) = (cache / "challenge").iterdir()
    assert folder.name == Round().id == first.round_id
    monkeypatch.setattr(images, "simulate_patches", None)           # the second time, nothing is simulated
    assert torch.equal(challenge.test_images()[:]["image"], first[:]["image"])


def test_damaged_images_are_made_anew(cache, few, monkeypatch):
    monkeypatch.delenv(images.FOLDER_VARIABLE, raising=False)
    whole = challenge.test_images()[:]["image"]
    (folder,) = (cache / "challenge").iterdir()
    (folder / "image.npy").write_bytes(b"half")
    assert torch.equal(challenge.test_images()[:]["image"], whole)


def test_a_cache_that_can_not_be_written_costs_time_only(cache, few, monkeypatch):
    monkeypatch.delenv(images.FOLDER_VARIABLE, raising=False)

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(images, "write_packed", full)
    with pytest.warns(UserWarning, match="could not keep the simulated images .*COURSE_CACHE"):
        assert len(challenge.test_images()) == 32


def test_a_class_is_given_a_folder(tmp_path, cache, few, monkeypatch):
    challenge.write_images(tmp_path / "class", Round(KEY))
    monkeypatch.setenv(images.FOLDER_VARIABLE, str(tmp_path / "class"))
    assert challenge.test_images().round_id == Round(KEY).id and not cache.exists()
    monkeypatch.setenv(images.FOLDER_VARIABLE, str(tmp_path / "elsewhere"))
    with pytest.raises(ChallengeError, match="found no images of the challenge in elsewhere"):
        challenge.test_images()


def test_images_are_never_written_over_others(tmp_path, few):
    (tmp_path / "round").mkdir()
    with pytest.raises(ChallengeError, match="found round already there"):
        challenge.write_images(tmp_path / "round", Round(KEY))


def test_images_of_another_version_are_refused(tmp_path, few):
    challenge.write_images(tmp_path / "round", Round(KEY))
    header = tmp_path / "round" / packed.HEADER
    content = json.loads(header.read_text())
    content["about"]["simulator"] = "0"
    header.write_text(json.dumps(content))
    with pytest.raises(ChallengeError, match=r"found no images of the challenge in round .*another kind"):
        challenge.open_images(tmp_path / "round")


# --- budget ---------------------------------------------------------------------------------------

def busy(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_a_budget_counts_only_inside_its_blocks():
    budget = Budget(10)
    with budget:
        busy(0.1)
    inside = budget.spent
    busy(0.2)
    assert 0.09 <= inside == budget.spent
    with budget:
        busy(0.1)
        assert budget.spent >= inside + 0.09
    assert budget.left == pytest.approx(10 - budget.spent) and str(budget).endswith("of 10 processor seconds")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count child processes")
def test_a_budget_counts_children_that_have_ended():
    budget = Budget()
    code = "import time\nwhile time.process_time() < 0.3: pass"
    with budget:
        subprocess.run([sys.executable, "-c", code], check=True)
    assert budget.spent >= 0.29


def test_sleeping_costs_nothing():
    budget = Budget()
    with budget:
        time.sleep(0.2)
    assert budget.spent < 0.1


def test_what_was_spent_counts_when_the_block_fails():
    budget = Budget()
    with pytest.raises(ZeroDivisionError), budget:
        busy(0.05)
        raise ZeroDivisionError
    assert budget.spent >= 0.04


def test_a_budget_is_not_counted_twice():
    budget = Budget()
    with budget, pytest.raises(RuntimeError, match="counting already"), budget:
        pass
