"""What a learner does, without a browser: start a server, bring the notebooks, save, open a kernel and run cells."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode
from uuid import uuid4

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import websocket_connect

PATIENCE = 900              # seconds for one request, and for one cell


class CellError(RuntimeError):
    """A cell of a notebook raised; the message is what it raised."""


@dataclass(frozen=True)
class User:
    """A user of a hub, on whose behalf an administrator's token acts."""

    url: str
    name: str
    token: str = field(repr=False)

    async def request(self, path: str, method: str = "GET", body: object = None) -> HTTPResponse:
        """Ask the hub (``hub/api/…``) or this user's server (``user/NAME/…``); an answer that is an error raises."""
        data = None if method in ("GET", "DELETE") else json.dumps(body)
        return await AsyncHTTPClient().fetch(HTTPRequest(
            f"{self.url}/{path}", method, {"Authorization": f"token {self.token}"}, data,
            connect_timeout=PATIENCE, request_timeout=PATIENCE))

    async def create(self) -> None:
        """Add the user to the hub."""
        await self.request(f"hub/api/users/{self.name}", "POST")

    async def start(self) -> float:
        """Start the user's server and wait until it is ready; returns the seconds that it took."""
        start = time.perf_counter()
        await self.request(f"hub/api/users/{self.name}/server", "POST")
        while True:
            user = json.loads((await self.request(f"hub/api/users/{self.name}")).body)
            server = user["servers"].get("")
            if server and server["ready"]:
                return time.perf_counter() - start
            if not server:
                raise RuntimeError(f"the server of {self.name} did not start")
            await asyncio.sleep(0.2)

    async def stop(self) -> None:
        """Stop the user's server and wait until it is gone."""
        await self.request(f"hub/api/users/{self.name}/server", "DELETE")
        while json.loads((await self.request(f"hub/api/users/{self.name}")).body)["servers"]:
            await asyncio.sleep(0.2)

    async def pull(self, repository: str, branch: str = "main") -> None:
        """Follow a link of nbgitpuller: bring a repository's notebooks, or their changes."""
        place = urlencode({"repo": repository, "branch": branch})
        events = (await self.request(f"user/{self.name}/git-pull/api?{place}")).body.decode()
        last = json.loads(events.strip().splitlines()[-1].removeprefix("data: "))
        if last["phase"] != "finished":
            raise RuntimeError(f"nbgitpuller: {last.get('message', last)}")

    async def read(self, path: str) -> dict:
        """Open a notebook."""
        return json.loads((await self.request(f"user/{self.name}/api/contents/{quote(path)}")).body)["content"]

    async def save(self, path: str, notebook: dict) -> None:
        """Save a notebook, as JupyterLab does."""
        await self.request(f"user/{self.name}/api/contents/{quote(path)}", "PUT",
                           {"type": "notebook", "content": notebook})

    async def open_kernel(self, path: str) -> "Kernel":
        """Start the kernel of a notebook."""
        session = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        made = json.loads((await self.request(f"user/{self.name}/api/sessions", "POST", session)).body)
        place = f"user/{self.name}/api/kernels/{made['kernel']['id']}/channels"
        channels = await websocket_connect(HTTPRequest(
            f"{self.url}/{place}".replace("http", "ws", 1), headers={"Authorization": f"token {self.token}"},
            connect_timeout=PATIENCE), max_message_size=2**28)
        kernel = Kernel(channels)
        await kernel.listen()
        return kernel


class Kernel:
    """A kernel behind its websocket."""

    def __init__(self, channels):
        self.channels = channels

    async def listen(self) -> None:
        """Wait until what the kernel publishes arrives here; what it printed before would be missed."""
        while True:
            with suppress(asyncio.TimeoutError):
                async with asyncio.timeout(2):
                    return await self._answers(await self._send("kernel_info_request", {}))

    async def run(self, source: str) -> str:
        """Run a cell and wait for its end.

        Args:
            source: Python code.

        Returns:
            What it printed.

        Raises:
            CellError: it raised.
            ConnectionError: the kernel has gone.
        """
        async with asyncio.timeout(PATIENCE):
            return await self._answers(await self._send("execute_request", {
                "code": source, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
                "stop_on_error": True}))

    async def _send(self, kind: str, content: dict) -> str:
        """Send a message and return its number."""
        number = uuid4().hex
        header = {"msg_id": number, "msg_type": kind, "version": "5.4", "username": "", "session": ""}
        await self.channels.write_message(json.dumps({
            "channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "buffers": [],
            "content": content}))
        return number

    async def _answers(self, number: str) -> str:
        """Collect what answers a message until the kernel has replied and is idle again."""
        printed, replied, idle = "", False, False
        while not (replied and idle):
            received = await self.channels.read_message()
            if received is None:
                raise ConnectionError("found a closed connection, expected an answer of the kernel")
            answer = json.loads(received)
            kind, content = answer["header"]["msg_type"], answer["content"]
            if kind == "status" and content["execution_state"] in ("restarting", "dead"):
                raise ConnectionError(f"found a kernel that is {content['execution_state']}, expected an answer of it")
            if answer["parent_header"].get("msg_id") != number:
                continue
            if kind == "stream":
                printed += content["text"]
            elif kind == "error":
                raise CellError(f"{content['ename']}: {content['evalue']}")
            replied |= kind.endswith("_reply")
            idle |= kind == "status" and content["execution_state"] == "idle"
        return printed
