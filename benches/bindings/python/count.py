"""How many instructions a request takes with the middleware and without it: no load moves them, as it does a time.

    count.py run SWITCH POLICY TOKEN     below `valgrind --tool=callgrind --instr-atstart=no`
    count.py read FOLDER                 the table, of what callgrind wrote there

All of it in one process, a request with a token that is remembered: FastAPI called as a server calls it; the same behind
uvicorn's protocol, which is fed octets and has no socket; an application that does nothing. What is counted is the
difference between 100 requests and 300. The collector of garbage rests.
"""

import asyncio
import ctypes
import gc
import importlib
import os
import re
import sys
from pathlib import Path
from typing import Any, Awaitable, Callable

COUNT = 100
RAW = "GET /orders/7 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nAuthorization: Bearer {}\r\nAccept: application/json\r\n\r\n"
WHICH = ("without", "with", "with, and fields")


def service(policy: str) -> Any:
    os.environ["GATEPOST_POLICY"] = policy
    import service

    return importlib.reload(service).app


def nothing(policy: str) -> Any:
    import gatepost
    from gatepost.asgi import GatepostMiddleware

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"x"})

    return GatepostMiddleware(application, gatepost.Engine(policy)) if policy else application


def scope(token: str) -> "dict[str, Any]":
    # New octets each time, as a server makes them.
    fields = [line.encode().split(b": ") for line in RAW.format(token).split("\r\n")[1:-2]]
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 40000), "scheme": "http", "root_path": "",
        "method": "GET", "path": "/orders/7", "raw_path": b"/orders/7", "query_string": b"",
        "headers": [(name.lower(), value) for name, value in fields], "state": {},
    }  # fmt: skip


def called(app: Any, token: str) -> "Callable[[Any], Awaitable[None]]":
    async def receive() -> "dict[str, Any]":
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        assert message.get("status", 200) == 200, message

    async def ask(given: Any) -> None:
        await app(given, receive, send)

    return ask


class Memory(asyncio.Transport):
    """What uvicorn writes to."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 40000), "sockname": ("127.0.0.1", 8000)})
        self.written: "list[bytes]" = []

    def write(self, data: Any) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """It is not kept open for long."""


def served(app: Any, token: str) -> "Callable[[Any], Awaitable[None]]":
    import uvicorn
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    from uvicorn.server import ServerState

    config = uvicorn.Config(app, log_level="error", access_log=False)
    config.load()
    protocol: Any = HttpToolsProtocol(config, ServerState(), {})
    memory = Memory()
    protocol.connection_made(memory)
    octets = RAW.format(token).encode()

    async def ask(_: Any) -> None:
        memory.written.clear()
        protocol.data_received(octets)
        while not memory.written or not protocol.cycle.response_complete:
            await asyncio.sleep(0)
        assert memory.written[0].startswith(b"HTTP/1.1 200"), memory.written

    return ask


async def run(switch: str, policy: str, token: str) -> None:
    counting = ctypes.CDLL(switch)
    bare = Path(policy).with_name("bare.toml")
    bare.write_text(re.sub(r"\[identity\]\n(?:[^\[\n].*\n)*", "", Path(policy).read_text()))
    for kind, make, way in (("called", service, called), ("served", service, served), ("around nothing", nothing, called)):
        for which, given in zip(WHICH, ("", str(bare), policy)):
            ask = way(make(given), token)
            for _ in range(COUNT):
                await ask(scope(token))
            for count in (COUNT, 3 * COUNT):
                scopes = [scope(token) for _ in range(count)]
                gc.collect()
                gc.disable()
                counting.begin()
                while scopes:
                    # And let go of it, as a server does.
                    await ask(scopes.pop())
                counting.end(f"{kind}: {which}: {count}".encode())
                gc.enable()


def read(folder: str) -> None:
    found: "dict[str, dict[str, dict[int, int]]]" = {}
    for path in Path(folder).iterdir():
        text = path.read_text()
        name = re.search(r"^desc: Trigger: Client Request: (.+): (.+): (\d+)$", text, re.M)
        total = re.search(r"^(?:summary|totals): (\d+)$", text, re.M)
        if name and total:
            found.setdefault(name[1], {}).setdefault(name[2], {})[int(name[3])] = int(total[1])
    print(f"{'instructions a request':24}" + "".join(f"{which:>26}" for which in WHICH))
    for kind in ("called", "served", "around nothing"):
        each = [(found[kind][which][3 * COUNT] - found[kind][which][COUNT]) / (2 * COUNT) for which in WHICH]
        print(f"{kind:24}" + "".join(f"{f'{count:.0f} ({each[0] / count:.3f})':>26}" for count in each))


if __name__ == "__main__":
    if sys.argv[1] == "run":
        asyncio.run(run(*sys.argv[2:]))
    else:
        read(sys.argv[2])
