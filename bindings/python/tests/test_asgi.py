"""The ASGI middleware, handed scopes as servers make them."""

import asyncio
import inspect
import logging
import threading
from typing import Any

import pytest

import gatepost
from gatepost import _begin, asgi
from gatepost._library import ffi, lib
from gatepost.asgi import GatepostMiddleware

from .conftest import PLAIN, Place, basic

MORE = PLAIN + '[[route]]\npath = "/files/{name}"\naccess = "public"\n'


def scope(target: str = "/public", *headers: tuple[bytes, bytes], **more: Any) -> dict[str, Any]:
    from urllib.parse import unquote

    path, _, query = target.partition("?")
    return {
        "type": "http",
        "method": "GET",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"a.example"), *headers],
        "scheme": "http",
        "client": ("192.0.2.7", 50000),
        "server": ("127.0.0.1", 80),
        **more,
    }


class Application:
    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "headers": self.headers})
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": self.headers})
            await send({"type": "http.response.body", "body": b"hello"})
        else:
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})


def call(engine: gatepost.Engine, *scopes: dict[str, Any], application: Application | None = None, **options: Any) -> Any:
    inner = application or Application()
    middleware = GatepostMiddleware(inner, engine, **options)
    sent: list[Any] = []

    async def main() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        for each in scopes:
            await middleware(each, receive, send)

    asyncio.run(main())
    return sent, inner.seen


def test_what_is_refused_never_reaches_the_application(engine: gatepost.Engine) -> None:
    sent, seen = call(engine, scope("/private"))
    assert seen == [] and sent[0]["status"] == 401
    assert (b"content-length", str(len(sent[1]["body"])).encode()) in sent[0]["headers"]
    assert b"credentials_missing" in sent[1]["body"]


def test_the_scope_is_changed_for_the_application_alone(orders: gatepost.Engine) -> None:
    name, value = basic("alice")
    forged = [(b"x-auth-subject", b"root"), (b"x_auth_roles", b"admin"), (b"X-Auth-Subject", b"root")]
    original = scope("/orders/7", *forged, (name.lower().encode(), value.encode()))
    before = list(original["headers"])
    application = Application()
    application.headers = [(b"x-own", b"1")]
    sent, (seen,) = call(orders, original, application=application)
    fields = [(key.lower(), value) for key, value in seen["headers"] if b"auth" in key.lower() and b"authorization" != key]
    assert sorted(fields) == [(b"x-auth-roles", b"clerk"), (b"x-auth-subject", b"alice")]
    assert original["headers"] == before and "user" not in original
    assert seen["user"].is_authenticated and seen["user"].roles == ("clerk",) and seen["user"].display_name == "alice"
    assert seen["auth"].scopes == ["authenticated"] and seen["gatepost"].allowed
    assert sent[0]["headers"] == [(b"x-own", b"1"), (b"cache-control", b"private, no-store")]


def test_the_applications_own_cache_control_stays(orders: gatepost.Engine) -> None:
    application = Application()
    application.headers = [(b"Cache-Control", b"no-cache")]
    name, value = basic("alice")
    sent, _ = call(orders, scope("/orders/7", (b"authorization", value.encode())), application=application)
    assert sent[0]["headers"] == [(b"Cache-Control", b"no-cache")]


def test_nobody_is_nobody(engine: gatepost.Engine) -> None:
    _, (seen,) = call(engine, scope("/public"))
    user = seen["user"]
    assert not user.is_authenticated and user.is_anonymous and user.identity == "" and not user.has(role="clerk")
    assert seen["auth"].scopes == []


def test_targets_are_as_on_the_wire() -> None:
    def target(path: str, raw: "bytes | None", query: bytes = b"") -> bytes:
        return asgi.target({"path": path, "raw_path": raw, "query_string": query})

    assert target("/a b", b"/a%20b", b"x=%20") == b"/a%20b?x=%20"
    assert target("/a/b", b"/a%2fb") == b"/a%2fb"
    assert target("/caf\xe9", b"/caf%C3%A9") == b"/caf%C3%A9"
    # Rewritten by something in front, or a server that has no raw path: what the application will see.
    assert target("/app/a", b"/a") == b"/app/a"
    assert target("/a b?c#d", None) == b"/a%20b%3Fc%23d"
    assert target("/caf\xe9", None) == b"/caf%C3%A9"
    assert target("/..%2f", None) == b"/..%252f"


def test_a_path_that_can_be_read_in_two_ways_is_refused() -> None:
    with gatepost.Engine.from_text(MORE) as engine:
        sent, seen = call(engine, scope("/files/..%2fprivate"))
        assert sent[0]["status"] == 400 and seen == []
        sent, seen = call(engine, scope("/files/a%20b"))
        assert sent[0]["status"] == 200 and len(seen) == 1


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

        def status(**more: Any) -> int:
            found: int = call(engine, scope(**more))[0][0]["status"]
            return found

        assert status(target="/tls", scheme="https") == 401 and status(target="/tls") == 403
        assert status(target="/inside", client=("10.0.0.1", 1)) == 401 and status(target="/inside") == 403
        assert status(target="/inside", client=None, server=("/run/app.sock", None)) == 403


def test_odd_headers_are_refused_and_nothing_breaks(engine: gatepost.Engine) -> None:
    for pair in ((b"x-a", b"1\r\nauthorization: Basic x"), (b"x-a: b", b"1"), (b"", b"1"), (b"x-a", b"\0")):
        sent, seen = call(engine, scope("/public", pair))
        assert sent[0]["status"] == 400 and seen == [], pair
    sent, seen = call(engine, {**scope("/public"), "headers": iter([(b"host", b"a")])})
    assert sent[0]["status"] == 200


def test_what_cannot_be_decided_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    engine = gatepost.Engine.from_text(PLAIN)
    engine.close()
    sent, seen = call(engine, scope("/public"), scope("/public", type="websocket"))
    assert sent[0]["status"] == 500 and seen == [] and sent[2]["type"] == "websocket.close"
    assert "the engine was closed" in caplog.text
    with gatepost.Engine.from_text(PLAIN) as engine:
        broken = dict(scope("/public"))
        del broken["path"]
        sent, seen = call(engine, broken)
        assert sent[0]["status"] == 500 and seen == []
        with pytest.raises(RuntimeError, match="webtransport"):
            call(engine, scope(type="webtransport"))


def test_refusals_are_logged_with_their_id(engine: gatepost.Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gatepost")
    sent, _ = call(engine, scope("/private"))
    (line,) = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert line.endswith(", 401 credentials_missing, 'GET /private' from 192.0.2.7")
    assert line.split("id ")[1].split(",")[0].encode() in sent[1]["body"]


def test_the_log_quotes_what_is_the_clients_and_leaves_the_query_out(
    engine: gatepost.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gatepost")
    odd = "/private/\n\u202erefused" + "x" * 500
    call(engine, scope(odd, raw_path=None, query_string=b"token=secret", client=None))
    (line,) = caplog.messages
    assert r"'GET /private/\n\u202erefusedxxx" in line and line.endswith("x…' from nobody known") and len(line) < 300
    assert "\n" not in line and "secret" not in line


def test_websockets(orders: gatepost.Engine) -> None:
    plain = scope("/live", type="websocket", scheme="ws")
    del plain["method"]
    sent, seen = call(orders, plain)
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": ""}] and seen == []
    sent, seen = call(orders, {**plain, "extensions": {"websocket.http.response": {}}})
    assert sent[0]["type"] == "websocket.http.response.start" and sent[0]["status"] == 401 and seen == []
    assert b"credentials_missing" in sent[1]["body"]
    with_password = {**plain, "headers": [*plain["headers"], (b"authorization", basic("alice")[1].encode())]}
    sent, (seen,) = call(orders, with_password)
    assert sent[0]["type"] == "websocket.accept" and seen["user"].subject == "alice"
    # Another site's page, with the browser's stored password; also where HTTP/2 leaves no Upgrade field.
    foreign = {**with_password, "headers": [*with_password["headers"], (b"origin", b"https://evil.example")]}
    sent, seen = call(orders, {**foreign, "extensions": {"websocket.http.response": {}}})
    assert sent[0]["status"] == 403 and seen == [] and b"cross_site" in sent[1]["body"]


def test_lifespan_passes_through_and_keeps_house(engine: gatepost.Engine) -> None:
    application = Application()
    middleware = GatepostMiddleware(application, engine)

    async def main() -> list[str]:
        inbox: asyncio.Queue[Any] = asyncio.Queue()
        sent: list[str] = []

        async def send(message: Any) -> None:
            sent.append(message["type"])

        life = asyncio.ensure_future(middleware({"type": "lifespan"}, inbox.get, send))
        await inbox.put({"type": "lifespan.startup"})
        await asyncio.sleep(0.05)
        house = middleware._house
        assert house is not None and not house.done()
        await inbox.put({"type": "lifespan.shutdown"})
        await life
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert house.cancelled()
        return sent

    assert asyncio.run(main()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_own_ids_and_certificates(place: Place) -> None:
    with gatepost.Engine(place.policy) as engine:
        sent, _ = call(engine, scope("/orders/7"), request_id=lambda scope: "mine-1")
        assert b'"id":"mine-1"' in sent[1]["body"]
        sent, _ = call(engine, scope("/orders/7"), certificate=lambda scope: (b"no DER", True))
        assert sent[0]["status"] in (400, 401)
        sent, _ = call(engine, scope("/orders/7"), certificate=asgi.tls_extension)
        assert sent[0]["status"] == 401


def test_one_path_is_judged_whether_or_not_the_root_path_stands_before_it() -> None:
    def target(path: str, raw: "bytes | None", root: str) -> bytes:
        return asgi.target({"path": path, "raw_path": raw, "query_string": b"", "root_path": root})

    assert target("/api/a", b"/api/a", "/api") == target("/a", b"/a", "/api") == b"/api/a"
    assert target("/api", b"/api", "/api") == b"/api" and target("/apiary", b"/apiary", "/api") == b"/api/apiary"
    assert target("/a b", b"/a%20b", "/\xe9") == b"/%C3%A9/a%20b" and target("/a", b"/a", "") == b"/a"
    # FastAPI with a root path of its own takes /api/private for /private.
    text = PLAIN + '[[route]]\npath = "/{*rest}"\naccess = "public"\n[[route]]\npath = "/api/private"\n'
    with gatepost.Engine.from_text(text) as engine:
        for path in ("/private", "/api/private"):
            sent, seen = call(engine, {**scope(path), "root_path": "/api"})
            assert sent[0]["status"] == 401 and seen == [], path
        sent, seen = call(engine, {**scope("/other"), "root_path": "/api"})
        assert sent[0]["status"] == 200 and seen[0]["path"] == "/other"


def test_a_question_mark_in_a_path_is_not_the_beginning_of_a_query() -> None:
    for raw in (b"/a?b", b"/a%3Fb", None):
        assert asgi.target({"path": "/a?b", "raw_path": raw, "query_string": b"c"}) == b"/a%3Fb?c"


def test_the_applications_own_messages_stay_as_they_are(orders: gatepost.Engine) -> None:
    start: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]}

    class Same(Application):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send(start)
            await send({"type": "http.response.body", "body": b""})

    known = scope("/orders/7", (b"authorization", basic("alice")[1].encode()))
    sent, _ = call(orders, known, known, application=Same())
    assert [len(message["headers"]) for message in sent if "headers" in message] == [2, 2]
    assert start["headers"] == [(b"x-own", b"1")]


def test_an_answers_fields_may_be_read_once(orders: gatepost.Engine) -> None:
    class Once(Application):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": iter(self.headers)})

    known = scope("/orders/7", (b"authorization", basic("alice")[1].encode()))
    for own, more in ((b"x-own", [(b"cache-control", b"private, no-store")]), (b"Cache-Control", [])):
        application = Once()
        application.headers = [(own, b"1")]
        sent, _ = call(orders, known, application=application)
        assert sent[0]["headers"] == [(own, b"1"), *more]


def test_the_quick_way_and_the_long_one_ask_the_same(engine: gatepost.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most requests are decided the quick way; what it cannot tell it leaves to the other."""
    asked: list[bytes] = []
    long = [0]

    def begin(engine: gatepost.Engine, text: bytes) -> Any:
        asked.append(text)
        return _begin.begin(engine, text)

    def begun(*arguments: Any) -> Any:
        long[0] += 1
        return was(*arguments)

    was = asgi.begun
    monkeypatch.setattr(asgi, "begin", begin)
    monkeypatch.setattr(asgi, "begun", begun)

    def texts(given: dict[str, Any], quick: bool) -> list[bytes]:
        asked.clear()
        long[0] = 0
        # With the hook it goes the long way, and the text is that of a request without it.
        if quick:
            call(engine, given)
            assert long[0] == 0
        else:
            was(engine, given)
        return list(asked)

    for usual in (scope(), scope("/a?x=%20"), scope("/a", (b"x-own", b"\xe9 1 "), scheme="https"), scope(method="POST")):
        usual.setdefault("root_path", "")
        assert len(texts(usual, quick=True)) == 1
        assert texts(usual, quick=True) == texts(usual, quick=False)
    odd = (
        {"root_path": "/api"},
        {"raw_path": None},
        {"path": "/a?b", "raw_path": b"/a?b"},
        {"path": "/a b", "raw_path": b"/a%20b"},
        {"client": None},
        {"client": ("", 0), "server": ("/run/app.sock", None)},
        {"headers": [(b"x-a", b"1\nb: c")]},
    )
    for change in odd:
        given = {**scope(), "root_path": "", **change}
        long[0] = 0
        call(engine, given)
        assert long[0] == 1, change


def test_a_server_sees_a_coroutine_function(engine: gatepost.Engine) -> None:
    middleware = GatepostMiddleware(Application(), engine)
    assert inspect.iscoroutinefunction(middleware.__call__)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def main() -> None:
        await middleware.__call__(scope(), None, send)  # type: ignore[arg-type]
        await middleware(scope("/private"), None, send)  # type: ignore[arg-type]

    asyncio.run(main())
    assert [message["status"] for message in sent if "status" in message] == [200, 401]


def test_it_may_be_called_before_its_event_loop_runs(engine: gatepost.Engine) -> None:
    middleware = GatepostMiddleware(Application(), engine)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    for target in ("/public", "/private", "/public"):
        waiting: Any = middleware(scope(target), None, send)  # type: ignore[arg-type]
        asyncio.run(waiting)
    assert [message["status"] for message in sent if "status" in message] == [200, 401, 200]


def test_a_call_that_is_never_run_leaves_no_job(engine: gatepost.Engine) -> None:
    middleware = GatepostMiddleware(Application(), engine)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def main() -> None:
        await middleware(scope("/public"), None, send)  # type: ignore[arg-type]
        wrong = scope("/private", (b"authorization", basic("alice", "no such password")[1].encode()))
        left: Any = middleware(wrong, None, send)  # type: ignore[arg-type]
        # The number alone: what it stood for is gone, and no other job ever gets it.
        job = ffi.cast("gatepost_job *", int(ffi.cast("uintptr_t", left.cr_frame.f_locals["job"])))
        left.close()
        del left
        assert lib.gatepost_job_run(job) == gatepost.Status.ERR_CANCELLED
        await middleware(wrong, None, send)  # type: ignore[arg-type]

    asyncio.run(main())
    assert [message["status"] for message in sent if "status" in message] == [200, 401]


def test_event_loops_in_threads_share_a_middleware(orders: gatepost.Engine) -> None:
    seen: list[tuple[str, str]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)
        seen.append((scope["path"], scope["user"].identity))

    middleware = GatepostMiddleware(application, orders)
    start = threading.Barrier(4)

    def run(name: str, path: str) -> None:
        async def main() -> None:
            start.wait()
            known = (b"authorization", basic(name)[1].encode())
            await asyncio.gather(*(middleware(scope(path, known), asyncio.sleep, asyncio.sleep) for _ in range(50)))  # type: ignore[arg-type]

        asyncio.run(main())

    threads = [
        threading.Thread(target=run, args=(name, f"/orders/{number}"))
        for number, name in enumerate(("alice", "root", "alice", "root"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {("/orders/0", "alice"), ("/orders/1", "root"), ("/orders/2", "alice"), ("/orders/3", "root")}
    assert set(seen) == expected and len(seen) == 200


def test_a_middleware_inside_a_middleware(engine: gatepost.Engine, orders: gatepost.Engine) -> None:
    text = PLAIN.replace('path = "/public"', 'path = "/orders/{id}"')
    with gatepost.Engine.from_text(text) as outer:
        application = Application()
        both = GatepostMiddleware(GatepostMiddleware(application, orders), outer)
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def main() -> None:
            known = (b"authorization", basic("alice")[1].encode())
            for _ in range(3):
                await both(scope("/orders/7", known), None, send)  # type: ignore[arg-type]
                await both(scope("/orders/7"), None, send)  # type: ignore[arg-type]

        asyncio.run(main())
    assert [message["status"] for message in sent if "status" in message] == [200, 401] * 3
    assert [seen["user"].subject for seen in application.seen] == ["alice"] * 3


def test_fields_that_can_be_read_once_reach_the_application(engine: gatepost.Engine) -> None:
    fields = [(b"host", b"a"), (b"x-auth-subject", b"root"), (b"x-own", b"1")]
    _, (seen,) = call(engine, {**scope("/public"), "headers": iter(fields)})
    assert seen["headers"] == [(b"host", b"a"), (b"x-own", b"1")]


def test_each_person_gets_what_is_theirs(place: Place) -> None:
    """What decisions share is read once; never for somebody else, nor by an older policy."""
    with gatepost.Engine(place.policy) as engine:
        for turn in range(600):
            name, roles = (("alice", b"clerk"), ("root", b"admin,clerk"))[turn % 2]
            forged = [(b"x_auth_subject", b"%d" % turn)] if turn % 3 == 0 else []
            _, (seen,) = call(engine, scope("/orders/7", (b"authorization", basic(name)[1].encode()), *forged))
            fields = dict(seen["headers"])
            assert (fields[b"x-auth-subject"], fields[b"x-auth-roles"]) == (name.encode(), roles)
            assert b"x_auth_subject" not in fields and seen["user"].subject == name


def test_head_says_nothing_of_a_length(engine: gatepost.Engine) -> None:
    sent, _ = call(engine, scope("/private", method="HEAD"))
    assert b"content-length" not in dict(sent[0]["headers"]) and sent[1]["body"] == b""
