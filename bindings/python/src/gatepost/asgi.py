"""Middleware for ASGI: Starlette, FastAPI, and whatever else uvicorn and its like run."""

import asyncio
import os
import weakref
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from itertools import chain
from types import FunctionType, MethodType
from typing import Any
from urllib.parse import quote, unquote

from ._answer import LETS_IN
from ._begin import begin, begin_laid
from ._library import ffi, lib
from ._memory import BODY_COMPLETE, CERT_VERIFIED, TLS, Laid, heads
from ._plan import plan_of
from ._require import line
from .aio import AsyncPool
from .decision import Decision
from .engine import Engine, engine_of
from .web import Pairs, refused, undecided

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
#: Reads a client certificate out of a scope: DER, and whether the server verified it; None where there is none.
Certificate = Callable[[Scope], "tuple[bytes, bool] | None"]

_UPGRADE = (b"upgrade", b"websocket")
_IN_CLEAR, _OVER_TLS = heads[BODY_COMPLETE], heads[BODY_COMPLETE | TLS]


class GatepostMiddleware:
    """Asks the engine about each request and WebSocket before the application sees it.

        app.add_middleware(GatepostMiddleware, engine=gatepost.Engine("orders.toml"))

    Put it outermost. What is refused never reaches the application. What is let in reaches it without the header fields
    that a client may have made up, with those that the policy adds, and with

    - `scope["user"]` (`request.user`): a `User`, which `is_authenticated` or not;
    - `scope["auth"]` (`request.auth`): for `starlette.authentication.requires`;
    - `scope["gatepost"]`: the `Decision`.

    app: the application. engine: an Engine; it is started, and its housekeeping done, by the middleware.
    certificate: how to find a client certificate, for policies that map them to users; see `tls_extension`.
    request_id: how to find your own id of a request; None: the engine draws one.
    """

    def __init__(
        self,
        app: App,
        engine: Engine,
        *,
        certificate: Certificate | None = None,
        request_id: "Callable[[Scope], str | bytes] | None" = None,
    ) -> None:
        self._app = _direct(app)
        self._engine = engine_of(engine)
        self._certificate = certificate
        self._request_id = request_id
        self._plain = certificate is None and request_id is None
        # Of the event loop in which it runs; a test may use several, one after the other.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._house: asyncio.Task[None] | None = None
        # Servers tell applications of ASGI 3 from older ones by whether this is a coroutine function.
        setattr(self, "__call__", self._called)
        _all.add(self)

    def __call__(self, scope: Scope, receive: Receive, send: Send, _entered: bool = False) -> Awaitable[None]:
        """An ASGI application."""
        # In one piece and no coroutine, since each call more would be dear here: for a request that is decided at once it
        # hands out the application's coroutine.
        if not _entered:
            try:
                if scope["type"] != "http" or get_running_loop() is not self._loop:
                    return self._other(scope, receive, send)
            except RuntimeError:
                # Of an event loop that is still to run it.
                return self._other(scope, receive, send)
        try:
            headers = scope["headers"]
            if type(headers) is not list:
                scope = _listed(scope)
                headers = scope["headers"]
            # As `begun`, for what most requests are.
            decision = None
            try:
                path, raw, query = scope["path"], scope["raw_path"], scope["query_string"]
                peer = scope["client"][0].encode()
                if self._plain and peer and raw == path.encode() and "?" not in path and not scope["root_path"]:
                    parts = [
                        (_OVER_TLS if scope["scheme"] == "https" else _IN_CLEAR)[len(headers)],
                        scope["method"].encode(),
                        raw + b"?" + query if query else raw,
                        peer,
                    ]
                    for field in headers:
                        parts += field
                    text = b"\n".join(parts)
                else:
                    text = None
            except (AttributeError, KeyError, TypeError, ValueError):
                text = None
            decision = begin(self._engine, text) if text is not None else None
            if decision is None:
                decision = self._begun(scope)
            if type(decision) is not Decision:
                # Whoever has the coroutine may never run it.
                return self._later(ffi.gc(decision, lib.gatepost_job_free), scope, receive, send)
            answer = decision._answer
            if answer.action not in LETS_IN:
                return _refuse(refused(decision, asked, scope), scope, send)
            plan = answer.plan or plan_of(answer)
        except Exception as error:
            return _refuse(undecided(error), scope, send)
        if plan.sending is not None:
            send = MethodType(plan.sending, send)
        # Quicker than `{**scope, …}`, which puts in one by one what is copied here as it lies.
        inner: Scope = scope.copy() if type(scope) is dict else {**scope}
        if plan.changes:
            inner["headers"] = plan.headers(headers)
        inner["user"] = plan.user
        inner["auth"] = plan.auth
        inner["gatepost"] = decision
        return self._app(inner, receive, send)

    async def _called(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self(scope, receive, send)

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is no request, or comes from an event loop that is not ours yet."""
        kind = scope["type"]
        if kind == "http":
            try:
                self._enter()
            except Exception as error:
                await _refuse(undecided(error), scope, send)
            else:
                await self(scope, receive, send, True)
        elif kind == "websocket":
            await self._websocket(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            raise RuntimeError(f"gatepost cannot decide what {kind!r} is, and lets nothing through that it cannot decide")

    async def _later(self, job: Any, scope: Scope, receive: Receive, send: Send) -> None:
        """The same where the decision takes its time."""
        ffi.gc(job, None)
        try:
            decision = await AsyncPool.current()._decision(job)
            answer = None if decision._answer.action in LETS_IN else refused(decision, asked, scope)
        except Exception as error:
            answer = undecided(error)
        if answer is None:
            await self._through(decision, scope, receive, send)
        else:
            await _refuse(answer, scope, send)

    def _through(self, decision: Decision, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        plan = plan_of(decision._answer)
        if plan.sending is not None:
            send = MethodType(plan.sending, send)
        more = {"user": plan.user, "auth": plan.auth, "gatepost": decision}
        return self._app({**scope, "headers": plan.headers(scope["headers"]), **more}, receive, send)

    def _begun(self, scope: Scope) -> Any:
        """The decision, or the job that is left."""
        return begun(self._engine, scope, self._certificate, self._request_id)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._enter()
            if type(scope["headers"]) is not list:
                scope = _listed(scope)
            decision = self._begun(scope)
            if type(decision) is not Decision:
                decision = await AsyncPool.current()._decision(decision)
            answer = None if decision._answer.action in LETS_IN else refused(decision, asked, scope)
        except Exception as error:
            answer = undecided(error)
        if answer is None:
            await self._through(decision, scope, receive, send)
            return
        status, headers, body = answer
        if (await receive())["type"] != "websocket.connect":
            return
        if "websocket.http.response" in (scope.get("extensions") or {}):
            headers.append((b"content-length", b"%d" % len(body)))
            await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": body})
        else:
            # Before it was accepted: the server answers the handshake with 403.
            await send({"type": "websocket.close", "code": 1008, "reason": ""})

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def starting() -> Message:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._enter()
            return message

        try:
            await self._app(scope, starting, send)
        finally:
            house, self._house, self._loop = self._house, None, None
            if house is not None:
                house.cancel()

    def _enter(self) -> None:
        """Before each request but those of the event loop whose middleware this is, and at its startup."""
        if self._loop is None or self._loop.is_closed():
            loop = asyncio.get_running_loop()
            self._engine.start()
            self._loop = loop
            self._house = loop.create_task(AsyncPool.current().keep_house(self._engine))


def _direct(app: App) -> App:
    """An application, so that calling it is one call: of an object that can be called it is two."""
    call = getattr(type(app), "__call__", None)
    return MethodType(call, app) if isinstance(call, FunctionType) else app


_all: "weakref.WeakSet[GatepostMiddleware]" = weakref.WeakSet()


def _forked() -> None:
    # Loop and housekeeping are the parent's.
    for middleware in list(_all):
        middleware._loop = middleware._house = None


os.register_at_fork(after_in_child=_forked)


async def _refuse(answer: tuple[int, Pairs, bytes], scope: Scope, send: Send) -> None:
    status, headers, body = answer
    if body or scope.get("method") != "HEAD":
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _listed(scope: Scope) -> Scope:
    """With the header fields as a list: ASGI wants no more of them than that they can be iterated, perhaps once."""
    return {**scope, "headers": list(scope["headers"])}


def begun(
    engine: Engine,
    scope: Scope,
    certificate: Certificate | None = None,
    request_id: "Callable[[Scope], str | bytes] | None" = None,
) -> Any:
    """Decides any request, or handshake of a WebSocket: the decision, or the job that is left."""
    headers: Pairs = [(bytes(name), bytes(value)) for name, value in scope["headers"]]
    flags = BODY_COMPLETE
    if scope.get("scheme") in ("https", "wss"):
        flags |= TLS
    client = scope.get("client")
    if client and client[0]:
        peer = client[0].encode()
    else:
        server = scope.get("server")
        peer = b"unix:" if server and server[1] is None else b""
    if scope["type"] == "websocket":
        method = b"GET"
        # Over HTTP/2 the handshake has no such field, and the engine must see what it is.
        if not any(name.lower() == b"upgrade" for name, _ in headers):
            headers.append(_UPGRADE)
    else:
        method = scope["method"].encode()
    if certificate is None and request_id is None:
        text = b"\n".join((heads[flags][len(headers)], method, target(scope), peer, *chain.from_iterable(headers)))
        decided = begin(engine, text)
        if decided is not None:
            return decided
    found = certificate(scope) if certificate is not None else None
    cert, verified = found if found is not None else (b"", False)
    if verified:
        flags |= CERT_VERIFIED
    own = request_id(scope) if request_id is not None else b""
    own = own.encode() if isinstance(own, str) else own
    return begin_laid(engine, Laid((method, target(scope), b"", peer, own, cert, b""), headers, flags))


def asked(scope: Scope) -> str:
    """Who asks for what, for the log."""
    client = scope.get("client")
    # A WebSocket begins with a GET, which its scope does not say.
    return line(scope.get("method", "GET"), scope["path"], client[0] if client else "")


def target(scope: Scope) -> bytes:
    """The request-target as clients outside see it: as it was on the wire, below the root path. Where something in front
    has rewritten the path, what the application will see as it would be written."""
    path, raw, query = scope["path"], scope.get("raw_path"), scope.get("query_string")
    if raw is None or raw.find(b"?") >= 0 or (raw != path.encode("utf-8", "surrogatepass") and not _same(raw, path)):
        raw = quote(path, safe=_PLAIN, errors="surrogatepass").encode()
    root = scope.get("root_path")
    if root:
        raw = _below(root, path, raw)
    return raw + b"?" + query if query else raw


_PLAIN = "/!$&'()*+,;=:@~"


def _same(raw: bytes, path: str) -> bool:
    return b"%" in raw and unquote(raw.decode("latin-1")) == path


def _below(root: str, path: str, raw: bytes) -> bytes:
    """Puts the root path in front where it is not there. Frameworks take a path with it and one without it for the same,
    and so it must be judged as the same."""
    if path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        return raw
    return quote(root, safe=_PLAIN, errors="surrogatepass").encode() + raw


def tls_extension(scope: Scope) -> "tuple[bytes, bool] | None":
    """`certificate=tls_extension`: the client certificate as the ASGI TLS extension has it, verified unless it says why not.

    Only for servers that have the extension and ask for certificates of authorities that issue client certificates.
    """
    import ssl

    tls = (scope.get("extensions") or {}).get("tls") or {}
    chain: Iterable[str] = tls.get("client_cert_chain") or ()
    first = next(iter(chain), None)
    if first is None:
        return None
    return ssl.PEM_cert_to_DER_cert(first), "client_cert_error" in tls and tls["client_cert_error"] is None
