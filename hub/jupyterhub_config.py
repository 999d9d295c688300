"""JupyterHub for a workshop. `make hub` runs it as it is; README.md says what to change where others reach it."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hub import rules  # noqa: E402
from hub.accounts import OnlyOnLoopback, OwnAccount  # noqa: E402

HUB = ROOT / ".venv-hub"
STATE = Path(os.environ.get("COURSE_HUB_STATE", ROOT / ".hub")).resolve()
PRIVATE = STATE / "private"                 # only the hub reads it: its database and what it signs cookies with
PRIVATE.mkdir(mode=0o700, parents=True, exist_ok=True)

c = get_config()  # noqa: F821

# --- where it listens: on this machine only -------------------------------------------------------
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.hub_ip = "127.0.0.1"
c.ConfigurableHTTPProxy.command = [str(HUB / "node_modules" / ".bin" / "configurable-http-proxy")]
c.ConfigurableHTTPProxy.pid_file = str(PRIVATE / "proxy.pid")
c.JupyterHub.db_url = f"sqlite:///{PRIVATE / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(PRIVATE / "cookie_secret")

# --- who may log in: everybody, under any name, as long as this is loopback ----------------------------
c.JupyterHub.authenticator_class = OnlyOnLoopback
c.Authenticator.username_pattern = rules.NAMES

# --- a user's server: its own home, its own account where the hub is root -------------------------------
c.JupyterHub.spawner_class = OwnAccount
c.OwnAccount.homes = str(STATE / "homes")
c.OwnAccount.sockets = str(rules.room_for_sockets(STATE / "run"))
c.Spawner.cmd = [str(HUB / "bin" / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.http_timeout = 300                # when a whole class logs in at once, the last waits minutes on two cores
c.Spawner.start_timeout = 300
c.Spawner.args = [
    f"--LabApp.app_settings_dir={ROOT / 'tools' / 'lab'}",         # no news, no updates: nothing asks for the network
    "--KernelManager.transport=ipc",        # no ports, which the kernels of a class would take from each other
    "--MappingKernelManager.cull_idle_timeout=7200",               # a kernel that nobody looks at ends after two hours,
    "--ServerApp.shutdown_no_activity_timeout=7200",               # a server without kernels two hours after that
]

# --- limits, and what everybody shares ---------------------------------------------------------------
c.Spawner.mem_limit = rules.MEMORY
c.Spawner.environment = rules.environment(ROOT, os.environ)
rules.course_kernel(HUB, ROOT / ".venv")
