"""The WSGI middleware, handed environs as servers make them."""

import io
import json
import logging
from typing import Any

import pytest

import gatepost
from gatepost import wsgi
from gatepost.wsgi import GatepostMiddleware

from .conftest import PLAIN, basic


def environ(path: str = "/public", **more: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "HTTP_HOST": "a.example",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        **more,
    }


def call(
    engine: gatepost.Engine, given: dict[str, Any], fields: "list[tuple[str, str]] | None" = None, **options: Any
) -> tuple[str, dict[str, str], bytes, Any]:
    seen: list[dict[str, Any]] = []
    started: list[Any] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(dict(environ))
        start_response("200 OK", [("Content-Type", "text/plain"), *(fields or [])])
        return [b"hello"]

    middleware = GatepostMiddleware(application, engine, **options)
    body = b"".join(middleware(given, lambda *arguments: started.append(arguments)))
    return started[0][0], dict(started[0][1]), body, seen[0] if seen else None


def test_what_is_refused_never_reaches_the_application(engine: gatepost.Engine) -> None:
    status, headers, body, seen = call(engine, environ("/private"))
    assert status == "401 Unauthorized" and seen is None and b"credentials_missing" in body
    assert headers["Content-Length"] == str(len(body)) and headers["Content-Type"] == "application/problem+json"


def test_refusals_are_logged_with_who_asked_for_what(engine: gatepost.Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gatepost")
    _, _, body, _ = call(engine, environ("/private/caf\xc3\xa9", QUERY_STRING="token=secret"))
    (line,) = caplog.messages
    said = json.loads(body)
    assert line == f"refused: id {said['id']}, {said['status']} {said['reason']}, 'GET /private/café' from 192.0.2.7"
    caplog.clear()
    call(engine, environ("/public"))
    assert caplog.messages == []


def test_the_environ_is_what_the_application_may_see(orders: gatepost.Engine) -> None:
    given = environ(
        "/orders/7", HTTP_AUTHORIZATION=basic("alice")[1], HTTP_X_AUTH_SUBJECT="root", REMOTE_USER="somebody else"
    )
    status, headers, _, seen = call(orders, given)
    assert status == "200 OK" and headers["Cache-Control"] == "private, no-store"
    assert (seen["HTTP_X_AUTH_SUBJECT"], seen["HTTP_X_AUTH_ROLES"]) == ("alice", "clerk")
    assert (seen["REMOTE_USER"], seen["AUTH_TYPE"]) == ("alice", "basic")
    assert seen["gatepost.user"].identity == "alice" and seen["gatepost.decision"].allowed
    _, headers, _, _ = call(orders, environ("/orders/7", HTTP_AUTHORIZATION=basic("alice")[1]), fields=[("cache-control", "x")])
    assert headers["cache-control"] == "x" and "Cache-Control" not in headers


def test_nobody_has_no_remote_user(engine: gatepost.Engine) -> None:
    _, _, _, seen = call(engine, environ(REMOTE_USER="left over", HTTP_X_AUTH_SUBJECT="root"))
    assert "REMOTE_USER" not in seen and "HTTP_X_AUTH_SUBJECT" not in seen
    assert not seen["gatepost.user"].is_authenticated


def test_targets_are_as_on_the_wire_where_the_server_tells_them() -> None:
    def target(path: str, **more: Any) -> bytes:
        return wsgi.target(environ(path, **more))

    assert target("/a b", RAW_URI="/a%20b?x=1", QUERY_STRING="x=1") == b"/a%20b?x=1"
    assert target("/a/b", REQUEST_URI="/a%2Fb") == b"/a%2Fb"
    assert target("/a", RAW_URI="http://a.example/a?b") == b"http://a.example/a?b"
    # Not told, or rewritten on the way: what the application sees.
    assert target("/a b", QUERY_STRING="x=1") == b"/a%20b?x=1"
    assert target("/admin", RAW_URI="/public") == b"/admin"
    assert target("/b", SCRIPT_NAME="/a", RAW_URI="/a/b") == b"/a/b"
    assert target("/caf\xc3\xa9") == b"/caf%C3%A9"
    assert target("/a", RAW_URI="http://[bad") == b"/a"


def test_odd_headers_are_refused(engine: gatepost.Engine) -> None:
    for key, value in (("HTTP_X_A", "1\r\nB: 2"), ("HTTP_X_A", "\0"), ("HTTP_", "1"), ("HTTP_X:Y", "1"), ("HTTP_\xe9", "1")):
        status, _, _, seen = call(engine, environ(**{key: value}))
        assert status == "400 Bad Request" and seen is None, (key, value)


def test_peers_and_tls() -> None:
    text = """
[engine]
state = ":memory:"
schemes = ["basic"]
[[route]]
path = "/tls"
require = { tls = true }
[[route]]
path = "/inside"
require = { network = ["10.0.0.0/8"] }
"""
    with gatepost.Engine.from_text(text) as engine:
        assert call(engine, environ("/tls", **{"wsgi.url_scheme": "https"}))[0] == "401 Unauthorized"
        assert call(engine, environ("/tls"))[0] == "403 Forbidden"
        assert call(engine, environ("/inside", REMOTE_ADDR="10.0.0.1"))[0] == "401 Unauthorized"
        assert call(engine, environ("/inside", REMOTE_ADDR=""))[0] == "403 Forbidden"


def test_what_cannot_be_decided_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    engine = gatepost.Engine.from_text(PLAIN)
    engine.close()
    status, headers, body, seen = call(engine, environ())
    assert status == "500 Internal Server Error" and seen is None and b'"status":500' in body
    assert "the engine was closed" in caplog.text and headers["Cache-Control"] == "no-store"
    with gatepost.Engine.from_text(PLAIN) as engine:
        broken = environ()
        del broken["REQUEST_METHOD"]
        assert call(engine, broken)[0] == "500 Internal Server Error"


def test_own_ids_and_certificates(engine: gatepost.Engine) -> None:
    _, _, body, _ = call(engine, environ("/private"), request_id=lambda environ: "mine-1")
    assert b'"id":"mine-1"' in body
    status, _, _, _ = call(engine, environ("/private"), certificate=lambda environ: None)
    assert status == "401 Unauthorized"


def test_requirements_are_checked_where_they_are_written() -> None:
    from gatepost.flask import require

    with pytest.raises(TypeError, match="permission"):
        require(permission="orders:read")
    user = gatepost.Identity("sam", "https://accounts.example.com", "bearer", ("clerk",), ("a", "b"))
    from gatepost._require import fits

    assert fits(user, {"role": "clerk", "scope": ["x", "b"], "issuer": user.issuer, "scheme": "bearer"})
    assert not fits(user, {"role": "admin"}) and not fits(user, {"scope": "c"})
    assert not fits(user, {"user": "sam"}), "an issuer's sam is not the local one"


def test_made_up_fields_are_gone_in_every_spelling(engine: gatepost.Engine) -> None:
    made_up = {"HTTP_X.AUTH.SUBJECT": "root", "HTTP_X_AUTH_ROLES": "admin", "HTTP_X_AUTH.ROLES": "admin", "HTTP_X_OTHER": "1"}
    _, _, _, seen = call(engine, environ(**made_up))
    assert {key for key in seen if "AUTH" in key} == set() and seen["HTTP_X_OTHER"] == "1"


def test_head_says_nothing_of_a_length(engine: gatepost.Engine) -> None:
    status, headers, body, _ = call(engine, environ("/private", REQUEST_METHOD="HEAD"))
    assert status == "401 Unauthorized" and body == b"" and "Content-Length" not in headers
    quiet = PLAIN.replace("[identity]", 'responses = "none"\n[identity]')
    with gatepost.Engine.from_text(quiet) as other:
        _, headers, body, _ = call(other, environ("/private"))
        assert body == b"" and headers["Content-Length"] == "0"
