"""The helpers that require more than the policy: wrong use of them lets nobody in."""

import asyncio
import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Request, WebSocket
from flask import Flask
from starlette.applications import Starlette
from starlette.exceptions import HTTPException, WebSocketException
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

import gatepost
import gatepost.asgi
from gatepost import django, fastapi, flask, starlette

from .conftest import PATIENCE, Place, basic


def scope(path: str, *headers: tuple[bytes, bytes], kind: str = "http") -> dict[str, Any]:
    return {
        "type": kind,
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"a.example"), *headers],
        "scheme": "http" if kind == "http" else "ws",
        "client": ("192.0.2.7", 50000),
        "server": ("127.0.0.1", 80),
        "subprotocols": [],
    }


def ask(app: Any, given: dict[str, Any]) -> list[Any]:
    sent: list[Any] = []

    async def main() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"} if given["type"] == "websocket" else {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        await app(given, receive, send)

    asyncio.run(main())
    return sent


def who(name: str) -> tuple[bytes, bytes]:
    return b"authorization", basic(name)[1].encode()


def with_fastapi(engine: "gatepost.Engine | None") -> FastAPI:
    app = FastAPI()
    if engine is not None:
        app.add_middleware(fastapi.GatepostMiddleware, engine=engine)

    @app.get("/orders/7", dependencies=[Depends(fastapi.require(role="admin"))])
    async def order() -> str:
        return "secret"

    @app.websocket("/live")
    async def live(socket: WebSocket, _: Any = Depends(fastapi.require(role="admin"))) -> None:
        await socket.accept()

    return app


def with_starlette(engine: "gatepost.Engine | None") -> Starlette:
    @starlette.require(role="admin")
    async def order(request: Request) -> PlainTextResponse:
        return PlainTextResponse("secret")

    @starlette.require(role="admin")
    async def live(socket: WebSocket) -> None:
        await socket.accept()

    app = Starlette(routes=[Route("/orders/7", order), WebSocketRoute("/live", live)])
    if engine is not None:
        app.add_middleware(starlette.GatepostMiddleware, engine=engine)
    return app


@pytest.mark.parametrize("make", [with_fastapi, with_starlette])
def test_who_lacks_the_role_is_refused(orders: gatepost.Engine, make: Any) -> None:
    app = make(orders)
    assert ask(app, scope("/orders/7", who("alice")))[0]["status"] == 403
    assert ask(app, scope("/orders/7", who("root")))[0]["status"] == 200
    assert [m["type"] for m in ask(app, scope("/live", who("alice"), kind="websocket"))] == ["websocket.close"]
    assert [m["type"] for m in ask(app, scope("/live", who("root"), kind="websocket"))] == ["websocket.accept"]


@pytest.mark.parametrize("make", [with_fastapi, with_starlette])
def test_without_the_middleware_nobody_is_let_in(make: Any) -> None:
    app = make(None)
    with pytest.raises(RuntimeError, match="did not see this request"):
        ask(app, scope("/orders/7", who("root")))
    with pytest.raises(RuntimeError, match="did not see this request"):
        ask(app, scope("/live", who("root"), kind="websocket"))


def test_a_dependency_that_is_called_by_hand_refuses_too(orders: gatepost.Engine) -> None:
    outcomes: list[Any] = []

    async def inner(given: Any, receive: Any, send: Any) -> None:
        connection: Any = WebSocket(given, receive, send) if given["type"] == "websocket" else Request(given, receive, send)
        refused: list[Any] = [{"role": "admin"}, {"role": []}, {"role": ""}, {"user": "alice", "scheme": "bearer"}]
        for wanted in refused:
            with pytest.raises((HTTPException, WebSocketException)) as caught:
                fastapi.require(**wanted)(connection)
            outcomes.append(type(caught.value).__name__)
        assert fastapi.require(role="clerk")(connection).subject == "alice"

    middleware = gatepost.asgi.GatepostMiddleware(inner, orders)
    ask(middleware, scope("/orders/7", who("alice")))
    ask(middleware, scope("/live", who("alice"), kind="websocket"))
    assert outcomes == ["Forbidden"] * 4 + ["WebSocketException"] * 4


def problem(sent: list[Any]) -> Any:
    fields = dict(sent[0]["headers"])
    assert fields[b"content-type"] == b"application/problem+json" and fields[b"cache-control"] == b"no-store"
    return json.loads(sent[1]["body"])


@pytest.mark.parametrize("make", [with_fastapi, with_starlette])
def test_the_refusal_says_why_and_so_does_the_log(orders: gatepost.Engine, make: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gatepost")
    app = make(orders)
    for _ in range(2):
        caplog.clear()
        said = problem(ask(app, scope("/orders/7", who("alice"))))
        detail = gatepost.reason_text(gatepost.Reason.ROLE_MISSING)
        assert said.pop("id") in caplog.messages[0]
        assert said == {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": detail, "reason": "role_missing"}
        (line,) = caplog.messages
        rest = "403 role_missing, 'GET /orders/7' from 192.0.2.7: wanted role 'admin', had 'clerk', user 'alice'"
        assert re.fullmatch(rf"refused: id [\w-]+, {re.escape(rest)}", line), line
    caplog.clear()
    (closed,) = ask(app, scope("/live", who("alice"), kind="websocket"))
    assert closed["reason"].startswith("role_missing, id ") and closed["reason"].split()[-1] in caplog.messages[0]
    caplog.clear()
    assert ask(app, scope("/orders/7", who("root")))[0]["status"] == 200 and caplog.messages == []


@pytest.mark.parametrize("make", [with_fastapi, with_starlette])
@pytest.mark.parametrize("key", [403, HTTPException, starlette.Forbidden])
def test_the_applications_own_answer_counts_more(orders: gatepost.Engine, make: Any, key: Any) -> None:
    app = make(orders)

    async def own(request: Request, error: Any) -> PlainTextResponse:
        return PlainTextResponse(f"{error.reason}: {error.detail}", 403)

    app.add_exception_handler(key, own)
    sent = ask(app, scope("/orders/7", who("alice")))
    assert sent[0]["status"] == 403 and sent[1]["body"].startswith(b"role_missing: You are logged in")


REASONS = [
    ({"role": "admin"}, "role_missing", "wanted role 'admin', had 'clerk', user 'alice'"),
    ({"role": ["admin", "x\n"]}, "role_missing", "wanted role 'admin' or 'x\\n', had 'clerk', user 'alice'"),
    ({"role": "clerk", "scope": "a"}, "scope_missing", "wanted scope 'a', had none, user 'alice'"),
    ({"user": "root"}, "requirement_unmet", "wanted user 'root', had 'alice'"),
    ({"scheme": "bearer"}, "requirement_unmet", "wanted scheme 'bearer', had 'basic', user 'alice'"),
]


@pytest.mark.parametrize(("wanted", "reason", "words"), REASONS)
def test_every_kind_has_its_reason(
    orders: gatepost.Engine, caplog: pytest.LogCaptureFixture, wanted: Any, reason: str, words: str
) -> None:
    caplog.set_level(logging.INFO, "gatepost")
    app = Starlette(routes=[Route("/orders/7", starlette.require(**wanted)(lambda request: PlainTextResponse("secret")))])
    app.add_middleware(starlette.GatepostMiddleware, engine=orders)
    assert problem(ask(app, scope("/orders/7", who("alice"))))["reason"] == reason
    assert caplog.messages[-1].endswith(": " + words)


def test_nobody_is_told_to_log_in(orders: gatepost.Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gatepost")
    app = Starlette(routes=[Route("/catalogue", starlette.require(role="clerk")(lambda request: PlainTextResponse("secret")))])
    app.add_middleware(starlette.GatepostMiddleware, engine=orders)
    sent = ask(app, scope("/catalogue"))
    assert sent[0]["status"] == 403 and problem(sent)["reason"] == "credentials_missing"
    assert caplog.messages[-1].endswith("wanted role 'clerk', had nobody recognised")


def with_flask(engine: gatepost.Engine) -> Flask:
    app = Flask("orders")
    flask.Gatepost(app, engine)
    app.get("/orders/7")(flask.require(role="admin")(lambda: "secret"))
    return app


def test_flask_answers_as_the_engine_does(orders: gatepost.Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gatepost")
    app = with_flask(orders)
    alice, root = {"Authorization": basic("alice")[1]}, {"Authorization": basic("root")[1]}
    answer = app.test_client().get("/orders/7", headers=alice)
    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
    assert answer.json and answer.json["reason"] == "role_missing" and f"id {answer.json['id']}, 403 role_missing, " in caplog.messages[-1]
    assert "'GET /orders/7' from 127.0.0.1: wanted role 'admin', had 'clerk'" in caplog.messages[-1]
    assert app.test_client().get("/orders/7", headers=root).data == b"secret"
    app = with_flask(orders)
    app.register_error_handler(403, lambda error: (f"own: {error.reason}", 403))
    assert app.test_client().get("/orders/7", headers=alice).data == b"own: role_missing"


DJANGO = """
import logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stdout)
from django.conf import settings
pages = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": [
    ("django.template.loaders.locmem.Loader", {"403.html": "a page: {{ exception }}"})]}}]
settings.configure(
    ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=["gatepost.django.GatepostMiddleware"],
    GATEPOST_POLICY=sys.argv[1], TEMPLATES=pages if sys.argv[2] == "page" else [],
)
import django
django.setup()
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from gatepost.django import require
view = require(role="admin")(lambda request: HttpResponse("secret"))
@require(role="admin")
async def later(request): return HttpResponse("secret")
urlpatterns = [path("orders/7", view), path("orders/8", later)]
if sys.argv[2] == "handler":
    handler403 = lambda request, exception: HttpResponse(f"own: {exception.reason}", status=403)
async def both(header):
    for target in ("/orders/7", "/orders/8"):
        for answer in (
            await sync_to_async(Client().get)(target, headers={"authorization": header}),
            await AsyncClient().get(target, headers={"authorization": header}),
        ):
            print("answer", answer.status_code, answer["Content-Type"], answer.content.decode().strip())
import asyncio
from asgiref.sync import sync_to_async
for header in sys.argv[3:]:
    asyncio.run(both(header))
"""


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("plain", 'application/problem[+]json {"type":"about:blank",.*,"reason":"role_missing","id":"[^"]+"}'),
        ("handler", "text/html; charset=utf-8 own: role_missing"),
        ("page", "text/html; charset=utf-8 a page: You are logged in.*"),
    ],
)
def test_django_answers_as_the_engine_does(place: Place, tmp_path: Path, kind: str, wanted: str) -> None:
    (tmp_path / "site.py").write_text(DJANGO)
    words: list[str | Path] = [sys.executable, tmp_path / "site.py", place.policy, kind, basic("alice")[1], basic("root")[1]]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    answers = re.findall("^answer (.*)$", done.stdout, flags=re.M)
    assert len(answers) == 8, done.stdout + done.stderr
    for answer in answers[:4]:
        assert re.fullmatch("403 " + wanted, answer), answer
    assert answers[4:] == ["200 text/html; charset=utf-8 secret"] * 4
    lines = re.findall("^INFO:gatepost:(refused: .*)$", done.stdout, flags=re.M)
    assert len(lines) == 4 and all("'GET /orders/" in line and "wanted role 'admin', had 'clerk'" in line for line in lines)


def test_a_requirement_that_means_nothing_is_refused_where_it_is_written() -> None:
    for module in (fastapi, starlette):
        for wrong in ({"permission": "x"}, {"role": None}, {"role": 5}, {"role": b"admin"}, {"role": ["admin", 5]}):
            with pytest.raises(TypeError):
                module.require(**wrong)
        with pytest.raises(TypeError):
            module.require("admin")
    for module in (fastapi, starlette, flask, django):
        with pytest.raises(TypeError, match="at least one of role, scope"):
            module.require()
