"""The helpers that require more than the policy: wrong use of them lets nobody in."""

import asyncio
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Request, WebSocket
from starlette.applications import Starlette
from starlette.exceptions import HTTPException, WebSocketException
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

import gatepost
import gatepost.asgi
from gatepost import django, fastapi, flask, starlette

from .conftest import basic


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
        for wanted in ({"role": "admin"}, {"role": []}, {"role": ""}, {"user": "alice", "scheme": "bearer"}):
            with pytest.raises((HTTPException, WebSocketException)) as caught:
                fastapi.require(**wanted)(connection)
            outcomes.append(type(caught.value).__name__)
        assert fastapi.require(role="clerk")(connection).subject == "alice"

    middleware = gatepost.asgi.GatepostMiddleware(inner, orders)
    ask(middleware, scope("/orders/7", who("alice")))
    ask(middleware, scope("/live", who("alice"), kind="websocket"))
    assert outcomes == ["HTTPException"] * 4 + ["WebSocketException"] * 4


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
