"""Files are whole or not there, also when two write them at once."""

import pytest

from course_utils.files import aside, plain_file


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with aside(path) as new:
        assert new.suffix == ".txt" and new.parent == tmp_path
        new.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), aside(path) as new:
        new.write_text("half")
        raise error
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_the_folder_is_made(tmp_path):
    with aside(tmp_path / "new" / "a.txt") as new:
        new.write_text("")
    assert (tmp_path / "new" / "a.txt").is_file()


def test_processes_write_under_names_of_their_own(tmp_path, monkeypatch):
    names = []
    for number in (1, 2):
        monkeypatch.setattr("os.getpid", lambda number=number: number)
        with aside(tmp_path / "a.txt") as new:
            names.append(new)
            new.write_text("")
    assert len(set(names)) == 2


def test_only_a_plain_file_is_read(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "link").symlink_to(tmp_path / "a.txt")
    for name in ("a.txt", "link", "none"):
        assert plain_file(str(tmp_path / name)) == tmp_path / name
    for path in (tmp_path, "/dev/zero"):
        with pytest.raises(OSError, match="a folder, a pipe or a device"):
            plain_file(path)
