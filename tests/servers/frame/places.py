"""Where things are: the repository, the release that is tested, free ports."""

import os
import socket
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]


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


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
