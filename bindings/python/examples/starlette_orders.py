"""A service of Starlette's: uvicorn starlette_orders:app. GATEPOST_POLICY names the policy."""

import contextlib
import logging
import os
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

import gatepost
from gatepost.starlette import GatepostMiddleware, require

# For the lines that say who was refused, and why.
logging.basicConfig(level=logging.INFO)
engine = gatepost.Engine(os.environ.get("GATEPOST_POLICY", "orders.toml"))


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    app.state.ready = True
    yield


async def health(request: Request) -> Response:
    return JSONResponse({"status": "well", "ready": request.app.state.ready})


async def catalogue(request: Request) -> Response:
    return PlainTextResponse(request.user.identity if request.user.is_authenticated else "whoever you are")


@requires("authenticated")
async def order(request: Request) -> Response:
    # What the application behind sees of the header fields, besides `request.user`.
    fields = {name: value for name, value in request.headers.items() if name.startswith("x-auth")}
    return JSONResponse({"user": request.user.identity, "roles": request.user.roles, "fields": fields})


# The policy lets clerks read; that deleting takes an administrator is said here.
@require(role="admin")
async def delete(request: Request) -> Response:
    return JSONResponse({"by": request.user.identity})


async def live(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(f"Hello, {socket.user.identity}.")
    await socket.close()


app = Starlette(
    routes=[
        Route("/health", health),
        Route("/catalogue", catalogue),
        Route("/orders/{number:int}", order, methods=["GET"]),
        Route("/orders/{number:int}", delete, methods=["DELETE"]),
        WebSocketRoute("/live", live),
    ],
    middleware=[Middleware(GatepostMiddleware, engine=engine)],
    lifespan=lifespan,
)
