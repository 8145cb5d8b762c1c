"""Tokens and passwords."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gatepost
from gatepost import Reason

from .conftest import EXAMPLES, PASSWORD, Place, ask

SIGNER = """
[[signer]]
name = "access"
issuer = "https://orders.example.com"
audience = ["orders"]
algorithm = "HS256"
key = { secret_file = "signing.key", encoding = "hex" }
refresh = { lifetime = "30d" }

[[route]]
path = "/tokens/{*rest}"
schemes = ["bearer"]
require = { role = "clerk" }
"""
AT = 1764504000


@pytest.fixture
def signer(tmp_path: Path) -> Iterator[gatepost.Engine]:
    (tmp_path / "signing.key").write_text(secrets.token_hex(32))
    (tmp_path / "signing.key").chmod(0o600)
    own = Place(tmp_path, (EXAMPLES / "orders.toml").read_text() + SIGNER)
    with gatepost.Engine(own.policy) as engine:
        yield engine


def test_a_token_is_issued_verified_used_and_revoked(signer: gatepost.Engine) -> None:
    tokens = signer.issue_token("alice", scopes=["orders:read", "a"], claims={"tenant": "t1"}, factors=["pwd"])
    assert tokens.refresh_token is None and tokens.user == "alice" and tokens.expires_in > 0
    assert tokens.access_token not in repr(tokens)
    verified = signer.verify_token(tokens.access_token)
    assert verified and verified.good and verified.reason is Reason.ALLOWED
    assert (verified.subject, verified.roles) == ("alice", ("clerk",))
    assert set(verified.scopes) == {"orders:read", "a"}
    assert verified.claims["tenant"] == "t1" and verified.token_id == tokens.token_id
    assert verified.expires_at == tokens.expires_at and verified.issuer_name == "access"
    decision = ask(signer, "/tokens/1", ("Authorization", f"Bearer {tokens.access_token}"))
    assert decision and decision.scheme == "bearer" and decision.scopes == verified.scopes
    signer.revoke_token(tokens.access_token)
    signer.revoke_token(tokens.access_token)
    assert signer.verify_token(tokens.access_token).reason is Reason.TOKEN_REVOKED
    assert ask(signer, "/tokens/1", ("Authorization", f"Bearer {tokens.access_token}")).status == 401


def test_a_bad_token_is_told_with_its_reason(signer: gatepost.Engine) -> None:
    good = signer.issue_token("alice").access_token
    for bad, reason in (("", Reason.TOKEN_MALFORMED), ("a.b.c", Reason.TOKEN_MALFORMED), (good[:-4] + "AAAA", Reason.TOKEN_SIGNATURE)):
        verified = signer.verify_token(bad)
        assert not verified and verified.reason is reason and verified.detail and verified.claims == {}
        assert verified.subject is None
    for scheme in ("Bearer", "bearer"):
        whole = signer.verify_token(f"{scheme} {good}")
        assert not whole and whole.reason is Reason.TOKEN_MALFORMED and "leave out `Bearer `" in whole.detail
    assert "Bearer" not in signer.verify_token("Bearer" + good).detail
    late = signer.verify_token(good, now=4_000_000_000)
    assert late.reason is Reason.TOKEN_EXPIRED


def test_in_an_event_loop_threads_issue_and_verify(signer: gatepost.Engine) -> None:
    async def main() -> None:
        first = await asyncio.to_thread(signer.issue_token, "alice", refresh=True)
        assert first.refresh_token is not None
        later = await asyncio.to_thread(signer.refresh_token, first.refresh_token)
        good, bad = await asyncio.gather(
            asyncio.to_thread(signer.verify_token, later.access_token),
            asyncio.to_thread(signer.verify_token, later.access_token[:-4] + "AAAA"),
        )
        assert good.subject == "alice" and bad.reason is Reason.TOKEN_SIGNATURE

    asyncio.run(main())


def test_issuing_refuses_what_it_must(signer: gatepost.Engine) -> None:
    with pytest.raises(gatepost.ConflictError):
        signer.issue_token("nobody")
    with pytest.raises(gatepost.InvalidArgumentError):
        signer.issue_token("alice", audience=["others"])
    with pytest.raises(gatepost.InvalidArgumentError):
        signer.issue_token("alice", claims={"sub": "root"})
    with pytest.raises(gatepost.GatepostError):
        signer.issue_token("alice", signer="nowhere")
    with pytest.raises(TypeError):
        signer.issue_token("alice", scopes="orders:read")
    with pytest.raises(gatepost.InvalidArgumentError):
        signer.revoke_token()
    with pytest.raises(gatepost.GatepostError):
        signer.revoke_token(token_id="x", issuer="nowhere")


def test_what_is_left_out_is_no_empty_text(signer: gatepost.Engine) -> None:
    nothing: Any = None
    good = gatepost.hash_password("four cups of green tea each noon")
    for call, arguments in (
        (signer.verify_token, [nothing]),
        (signer.hash_password, [nothing]),
        (gatepost.hash_password, [nothing]),
        (gatepost.verify_password, [nothing, good]),
        (gatepost.verify_password, ["four cups of green tea each noon", nothing]),
        (gatepost.needs_rehash, [nothing]),
    ):
        with pytest.raises(TypeError, match="not None"):
            call(*arguments)
    assert not signer.verify_token("").good and not gatepost.verify_password("", good)


def test_a_refresh_token_is_exchanged_once(signer: gatepost.Engine) -> None:
    first = signer.issue_token("alice", refresh=True, client_id="app", scopes=["a", "b"], now=AT)
    assert first.refresh_token and first.session and first.refresh_expires_at
    second = signer.refresh_token(first.refresh_token, client_id="app", scopes=["a"], now=AT + 60)
    assert second.scope == "a" and second.session == first.session and second.refresh_token != first.refresh_token
    assert second.refresh_token
    with pytest.raises(gatepost.InvalidArgumentError):
        signer.refresh_token(second.refresh_token, client_id="app", scopes=["c"], now=AT + 61)
    with pytest.raises(gatepost.RefusedError):
        signer.refresh_token(second.refresh_token, client_id="other", now=AT + 61)
    with pytest.raises(gatepost.RefusedError):
        signer.refresh_token(first.refresh_token, client_id="app", now=AT + 3600)
    with pytest.raises(gatepost.RefusedError, match=".") as caught:
        signer.refresh_token(second.refresh_token, client_id="app", now=AT + 3601)
    assert caught.value.status is gatepost.Status.ERR_REFUSED, "a token that came twice ended the login"


def test_a_user_can_be_logged_out_everywhere(signer: gatepost.Engine) -> None:
    tokens = signer.issue_token("alice", session="s1")
    other = signer.issue_token("root")
    signer.revoke_token(session_id="s1", issuer="access")
    assert signer.verify_token(tokens.access_token).reason is Reason.TOKEN_REVOKED
    assert signer.verify_token(other.access_token)
    with pytest.raises(gatepost.InvalidArgumentError, match="nobody has issued yet"):
        signer.revoke_token(user="root", before=4_000_000_000)
    assert signer.verify_token(other.access_token)
    signer.revoke_token(user="root", before=int(time.time()) + 1)
    assert signer.verify_token(other.access_token).reason is Reason.TOKEN_REVOKED


def test_passwords_are_hashed_and_verified(signer: gatepost.Engine) -> None:
    made = gatepost.hash_password(PASSWORD)
    assert made.startswith("$argon2id$v=19$") and made != gatepost.hash_password(PASSWORD)
    assert gatepost.verify_password(PASSWORD, made) and not gatepost.verify_password(PASSWORD + "x", made)
    assert not gatepost.needs_rehash(made) and not signer.needs_rehash(signer.hash_password(PASSWORD))
    # Composed and decomposed, as different keyboards send it.
    assert gatepost.verify_password("caf\u00e9 caf\u00e9 caf\u00e9", gatepost.hash_password("cafe\u0301 cafe\u0301 cafe\u0301"))


def test_hashes_of_others_are_taken() -> None:
    import base64
    import hashlib

    digest = base64.b64encode(hashlib.pbkdf2_hmac("sha256", b"secret", b"saltsalt", 1000)).decode()
    django = f"pbkdf2_sha256$1000$saltsalt${digest}"
    assert gatepost.verify_password("secret", django) and not gatepost.verify_password("Secret", django)
    assert gatepost.needs_rehash(django)
    with pytest.raises(gatepost.UnsupportedError):
        gatepost.verify_password("secret", "plain:secret")
    with pytest.raises(gatepost.InvalidArgumentError):
        gatepost.hash_password("")
    with pytest.raises(gatepost.InvalidArgumentError):
        gatepost.hash_password("a\0b")
