"""Who may log in where, and the account that a user's server runs as. Imports JupyterHub; the rules are in rules.py."""

import os
import resource
from pathlib import Path
from typing import ClassVar

from jupyterhub.auth import DummyAuthenticator
from jupyterhub.spawner import LocalProcessSpawner
from jupyterhub.utils import random_port
from traitlets import Integer, Unicode

from hub import rules


class OnlyOnLoopback(DummyAuthenticator):
    """Lets everybody in under any name, without a password, and refuses to do so where others can reach the hub."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        app = self.parent
        for address in (app.bind_url, app.hub_bind_url or f"http://{app.hub_ip}:{app.hub_port}"):
            if not rules.on_loopback(address):
                app.log.critical(
                    "found a hub without passwords that would listen on %s, expected one on 127.0.0.1; choose another "
                    "JupyterHub.authenticator_class (hub/README.md, A small server) or bind it to 127.0.0.1", address)
                app.exit(1)


class OwnAccount(LocalProcessSpawner):
    """Starts each user's server in a home of its own and, where the hub is root, as an account of its own.

    The accounts are bare numbers: nothing is added to the system. Where the hub is not root, all servers run as the
    account of the hub, and each user can read what the others have written.
    """

    given: ClassVar[set[int]] = set()

    homes = Unicode(help="the folder of all homes").tag(config=True)
    sockets = Unicode(help="the folder of all sockets between servers and kernels").tag(config=True)
    first_uid = Integer(rules.FIRST_UID, help="number of the first account that is given away").tag(config=True)

    async def start(self):
        """Start the server in its user's home."""
        isolated = os.geteuid() == 0
        home, uid = rules.own_home(Path(self.homes), self.user.name, self.first_uid if isolated else None)
        self.place = rules.own_sockets(Path(self.sockets), uid)
        self.popen_kwargs = {"cwd": home, "umask": 0o077}
        if isolated:
            self.popen_kwargs |= {"user": uid, "group": uid, "extra_groups": []}
        while self.port in {0, *self.given}:                # two servers that start at once must not get one port
            self.port = random_port()
        self.given.add(self.port)
        return await super().start()

    def clear_state(self):
        """Forget a server that has ended."""
        self.given.discard(self.port)
        super().clear_state()

    def make_preexec_fn(self, name):
        """What the server's process does first; Popen has changed its account before."""
        limit = self.mem_limit

        def keep_to_the_limit():
            if limit:
                resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

        return keep_to_the_limit

    def user_env(self, env):
        """What a login would set, without an entry in the system's list of accounts."""
        return env | {"HOME": str(self.popen_kwargs["cwd"]), "USER": self.user.name, "LOGNAME": self.user.name,
                      "SHELL": "/bin/bash", "JUPYTER_RUNTIME_DIR": str(self.place)}
