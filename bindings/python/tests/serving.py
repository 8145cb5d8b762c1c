"""Real servers on loopback, and two clients to ask them: curl and a library of Python's."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from .conftest import EXAMPLES, PATIENCE

BIN = Path(sys.executable).parent


class Answer(NamedTuple):
    status: int
    #: Names in small letters; of repeated fields the last one.
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def held_port() -> socket.socket:
    """A socket that holds a free port until it is closed: it never listens, so that a server of ours still may (all of
    them set SO_REUSEADDR), while the kernel gives the port to nobody who asks for a free one."""
    holds = socket.socket()
    holds.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holds.bind(("127.0.0.1", 0))
    return holds


class Server:
    def __init__(self, port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.port = port
        self.process = process
        self.log = log

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def curl(self, target: str, *arguments: str, method: str = "GET") -> Answer:
        """As curl sends it: the path as it is."""
        done = subprocess.run(
            ["curl", "-sS", "-i", "--path-as-is", "--max-time", str(PATIENCE), "-X", method, *arguments]
            + [f"http://127.0.0.1:{self.port}{target}"],
            capture_output=True,
            check=True,
            timeout=PATIENCE + 30,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = [line.partition(": ") for line in lines]
        return Answer(int(first.split(" ")[1]), {name.lower(): value for name, _, value in fields}, body)

    def httpx(self, target: str, *headers: tuple[str, str], method: str = "GET") -> Answer:
        got = httpx.request(method, f"http://127.0.0.1:{self.port}{target}", headers=list(headers), timeout=PATIENCE)
        return Answer(got.status_code, dict(got.headers), got.content)


@contextmanager
def serving(log: Path, *arguments: "str | Path", policy: Path, cwd: Path = EXAMPLES) -> Iterator[Server]:
    """Runs a server; `{port}` in its arguments is a free one. Ends it, and makes sure that it ended well."""
    with held_port() as holds:
        port = holds.getsockname()[1]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-u", "-m", *(str(word).replace("{port}", str(port)) for word in arguments)],
                cwd=cwd,
                env={**os.environ, "GATEPOST_POLICY": str(policy)},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Whoever runs the tests in the background may ignore it, and the server would as well.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
        server = Server(port, process, log)
        try:
            assert wait(process, port), server.text()
            yield server
        finally:
            process.send_signal(signal.SIGINT if "runserver" in arguments or "run" in arguments else signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
    assert "Traceback" not in server.text(), server.text()
    assert process.returncode in (0, 1, -signal.SIGINT, -signal.SIGTERM), server.text()


def wait(process: "subprocess.Popen[bytes]", port: int) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            return False
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE).status_code == 200:
                return True
        except httpx.TransportError:
            time.sleep(0.05)
    return False
