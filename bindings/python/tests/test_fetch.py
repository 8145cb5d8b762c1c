"""Keys of an issuer, fetched by a function of Python's."""

import subprocess
from pathlib import Path

import pytest

import gatepost
from gatepost import Fetch, Fetched, Reason

from .conftest import PASSWORD, ask, command

SIGNER = """
[engine]
state = "orders.db"
[[role]]
name = "clerk"
[[signer]]
name = "access"
issuer = "https://accounts.example.com"
audience = ["orders"]
algorithm = "ES256"
key = { file = "signing.pem" }
"""
READER = """
[engine]
state = ":memory:"
[[issuer]]
name = "accounts"
issuer = "https://accounts.example.com"
audience = ["orders"]
algorithms = ["ES256"]
keys = { url = "https://accounts.example.com/keys" }
[[route]]
path = "/orders"
schemes = ["bearer"]
"""


@pytest.fixture
def issued(tmp_path: Path) -> tuple[str, str]:
    """A token, and the keys to verify it with."""
    words = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"]
    subprocess.run([*words, tmp_path / "signing.pem"], check=True, capture_output=True)
    (tmp_path / "signing.pem").chmod(0o600)
    policy = tmp_path / "signer.toml"
    policy.write_text(SIGNER)
    command("user", "add", "sam", "--policy", policy, stdin=PASSWORD + "\n")
    keys = command("signer", "keys", "--policy", policy)
    with gatepost.Engine(policy) as engine:
        return engine.issue_token("sam").access_token, keys


def test_keys_are_fetched_by_the_host(issued: tuple[str, str]) -> None:
    token, keys = issued
    asked: list[Fetch] = []

    def fetch(wanted: Fetch) -> Fetched:
        asked.append(wanted)
        return Fetched(200, keys.encode(), etag='"1"', content_type="application/jwk-set+json")

    with gatepost.Engine.from_text(READER, on_fetch=fetch) as engine:
        field = ("Authorization", f"Bearer {token}")
        assert ask(engine, "/orders", field).reason is Reason.KEYS_UNAVAILABLE
        assert engine.poll() > 0
        assert ask(engine, "/orders", field).subject == "sam"
        assert engine.verify_token(token).issuer_name == "accounts"
    assert asked[0].url == "https://accounts.example.com/keys" and asked[0].largest > 0 and asked[0].timeout > 0


def test_a_fetch_that_fails_is_no_key(issued: tuple[str, str], caplog: pytest.LogCaptureFixture) -> None:
    token, _ = issued
    answers = [Fetched(500), Fetched(0, error="no network"), Fetched(200, b"not JSON")]

    def broken(wanted: Fetch) -> Fetched:
        raise OSError("no route to host")

    for fetch in (*(lambda wanted, answer=answer: answer for answer in answers), broken):
        with gatepost.Engine.from_text(READER, on_fetch=fetch) as engine:
            engine.poll()
            decision = ask(engine, "/orders", ("Authorization", f"Bearer {token}"))
            assert (decision.status, decision.reason) == (503, Reason.KEYS_UNAVAILABLE)
    assert "no route to host" in caplog.text


def test_pools_fetch_too(issued: tuple[str, str]) -> None:
    import asyncio

    token, keys = issued
    with gatepost.Engine.from_text(READER, on_fetch=lambda wanted: Fetched(200, keys.encode())) as engine:

        async def main() -> gatepost.Decision:
            house = asyncio.create_task(gatepost.AsyncPool.current().keep_house(engine))
            request = gatepost.Request("GET", "/orders", [("Host", "a"), ("Authorization", f"Bearer {token}")])
            for _ in range(5000):
                decision = await engine.decide_async(request)
                if decision:
                    break
                await asyncio.sleep(0.02)
            house.cancel()
            return decision

        assert asyncio.run(main()).subject == "sam"
