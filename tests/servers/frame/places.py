"""Where things are: the repository, the release that is tested, free ports."""

import os
import socket
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
# Seconds until what does not happen is held to be a fault. Machines stand still for half a minute at times.
PATIENCE = 180


def release() -> Path:
    """The folder with libgatepost.so and gatepost."""
    folder = Path(os.environ.get("GATEPOST_RELEASE", TOP / "target" / "release")).resolve()
    for name in ("libgatepost.so", "gatepost"):
        if not (folder / name).exists():
            raise FileNotFoundError(f"{folder} holds no {name}; run: make build, or set GATEPOST_RELEASE")
    return folder


def target() -> Path:
    """Where what the tests build is kept from run to run."""
    folder = Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target")).resolve() / "servers"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


_held = {}


def free_port() -> int:
    """A port of 127.0.0.1 that nobody but a server of ours gets until it is given back: a socket is bound to it and never
    listens, so that a server may still listen (all of them set SO_REUSEADDR), while the kernel gives the port to no other
    test that asks for a free one, and to no connection that goes out."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = held.getsockname()[1]
    _held[port] = held
    return port


def give_back(port: int):
    """The port may be anybody's again."""
    if port in _held:
        _held.pop(port).close()
