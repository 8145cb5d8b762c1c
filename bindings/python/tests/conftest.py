"""What the tests share: a policy with people in it, a fast one without, and real servers."""

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

import gatepost

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "bindings/python/examples"
RELEASE = Path(os.environ["GATEPOST_RELEASE"])
PASSWORD = "four cups of green tea each noon"
#: Seconds until what does not happen is held to be a fault. Machines stand still for half a minute at times.
PATIENCE = 180
T = TypeVar("T")

PLAIN = """
[engine]
name = "Tea"
state = ":memory:"
schemes = ["basic"]
[identity]
subject = "X-Auth-Subject"
roles = "X-Auth-Roles"
[[route]]
path = "/public"
access = "public"
[[route]]
path = "/private"
"""


def basic(name: str, password: str = PASSWORD) -> tuple[str, str]:
    return "Authorization", "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def eventually(what: Callable[[], T]) -> T:
    """What it came to, once that was true; or what it was in the end."""
    end = time.monotonic() + PATIENCE
    while not (came := what()) and time.monotonic() < end:
        time.sleep(0.02)
    return came


def command(*arguments: "str | Path", stdin: str = "") -> str:
    done = subprocess.run(
        [RELEASE / "gatepost", *arguments], input=stdin, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Place:
    """A folder with a policy, its state, two people and an API key."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.policy = folder / "orders.toml"
        self.policy.write_text(text)
        for name, role in (("alice", "clerk"), ("root", "admin")):
            command("user", "add", name, "--role", role, "--policy", self.policy, stdin=PASSWORD + "\n")
        issued = json.loads(command("key", "issue", "ci", "--user", "alice", "--policy", self.policy, "--json"))
        self.key = next(value for value in issued.values() if isinstance(value, str) and value.startswith("gp_"))


    def copy(self, folder: Path) -> "Place":
        """The same people in a folder of its own: what was guessed wrong in another counts for nothing here."""
        other = object.__new__(Place)
        other.folder, other.policy, other.key = folder, folder / self.policy.name, self.key
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return other


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """What each place is a copy of: nothing opens it, since passwords are slow to hash and fast to copy."""
    return Place(tmp_path_factory.mktemp("pattern"), (EXAMPLES / "orders.toml").read_text())


@pytest.fixture
def place(pattern: Place, tmp_path: Path) -> Place:
    return pattern.copy(tmp_path / "place")


@pytest.fixture
def engine() -> Iterator[gatepost.Engine]:
    """An engine without people."""
    with gatepost.Engine.from_text(PLAIN) as made:
        yield made


@pytest.fixture
def orders(place: Place) -> Iterator[gatepost.Engine]:
    """An engine of `place`."""
    with gatepost.Engine(place.policy) as made:
        yield made


def ask(
    engine: gatepost.Engine, target: str, *headers: tuple[str, str], method: str = "GET", peer: str = "192.0.2.7"
) -> gatepost.Decision:
    return engine.decide(gatepost.Request(method, target, [("Host", "a.example"), *headers], peer=peer))
