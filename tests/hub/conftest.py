"""A hub that runs for as long as these tests do, with two users who have brought their notebooks."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from hub.client import User
from hub.process import Running, fresh_hub
from tests.processes import all_gone

CHAPTER = "learning-to-see-clouds/foundations/01_tensors.ipynb"


@dataclass
class Class:
    """A running hub, its users by name, and the repository that their notebooks come from."""

    hub: Running
    ada: User
    ben: User
    repository: Path

    def home(self, user: User) -> Path:
        return self.hub.state / "homes" / user.name

    def processes(self, user: User, words: str) -> list[psutil.Process]:
        """The processes of a user whose command has these words in it."""
        return [each for each in self.hub.commands(words) if each.environ().get("JUPYTERHUB_USER") == user.name]


@pytest.fixture(scope="session")
def room():
    """The class; when the tests are over, nothing of it may run on."""
    with fresh_hub() as (hub, repository):
        ada, ben = (User(hub.url, name, hub.token) for name in ("ada", "ben"))

        async def arrive(user):
            await user.create()
            await user.start()
            await user.pull(f"file://{repository}")

        async def all_arrive():
            await asyncio.gather(arrive(ada), arrive(ben))

        asyncio.run(all_arrive())
        yield Class(hub, ada, ben, repository)
        pids = [process.pid for process in hub.family()]
    assert len(pids) > 3 and all_gone(pids)
