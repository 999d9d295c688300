"""Put the learner notebooks into a git repository that nbgitpuller can bring to every user.

``python -m hub.publish REPOSITORY`` commits what has changed since the last time to the repository's branch ``main``.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.make_learner_notebooks import build
from tools.notebooks import BOOK

AUTHOR = ("-c", "user.name=Learning to See Clouds", "-c", "user.email=learner-notebooks@localhost")


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it printed; its own words are the error where it fails."""
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout


def publish(repository: str, branch: str = "main", book: Path = BOOK) -> bool:
    """Commit the learner notebooks as they are now.

    Args:
        repository: address or folder of a git repository; a folder that is not there becomes one.
        branch: the branch to add a commit to.
        book: the folder with the parts of the book.

    Returns:
        Whether anything had changed.

    Raises:
        RuntimeError: git could not read the repository or write to it.
    """
    if "://" not in repository and "@" not in repository and not Path(repository).exists():
        Path(repository).mkdir(parents=True)
        git(Path(repository), "init", "--quiet", "--bare", "--initial-branch", branch)
    with tempfile.TemporaryDirectory() as folder:
        work, fresh = Path(folder) / "work", Path(folder) / "fresh"
        git(Path.cwd(), "clone", "--quiet", repository, str(work))
        there = git(work, "branch", "--remotes", "--list", f"origin/{branch}").split()
        git(work, "checkout", "--quiet", "-B", branch, *there)
        git(work, "rm", "-r", "--quiet", "--ignore-unmatch", ".")
        build(fresh, book)
        shutil.copytree(fresh, work, dirs_exist_ok=True)
        git(work, "add", "--all")
        if not git(work, "status", "--porcelain"):
            return False
        git(work, *AUTHOR, "commit", "--quiet", "--message", "Learner notebooks")
        git(work, "push", "--quiet", "origin", branch)
    return True


def main() -> None:
    """Publish, and say whether there was anything new."""
    parser = argparse.ArgumentParser(description="Put the learner notebooks into a git repository.")
    parser.add_argument("repository", help="its address, or a folder")
    parser.add_argument("--branch", default="main")
    options = parser.parse_args()
    try:
        new = publish(options.repository, options.branch)
    except (RuntimeError, ValueError) as error:
        sys.exit(f"nothing was published: {error}")
    print(f"{options.repository}: {'updated' if new else 'nothing has changed'}")


if __name__ == "__main__":
    main()
