"""Middleware for ASGI: Starlette, FastAPI, and whatever else uvicorn and its like run."""

import asyncio
import os
import weakref
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from operator import itemgetter
from typing import Any
from urllib.parse import quote, unquote

from ._memory import BODY_COMPLETE, CERT_VERIFIED, KEPT, TLS, Laid, block, free, names, take
from ._plan import FROM, TO, Plan, plan, plans
from ._require import line
from .aio import AsyncPool
from .decision import Decision
from .engine import Engine, engine_of
from .web import Auth, Changes, Pairs, User, apply, refused, undecided

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
#: Reads a client certificate out of a scope: DER, and whether the server verified it; None where there is none.
Certificate = Callable[[Scope], "tuple[bytes, bool] | None"]

_UPGRADE = (b"upgrade", b"websocket")
_new: Any = object.__new__


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
        self._app = app
        self._engine = engine_of(engine)
        self._certificate = certificate
        self._request_id = request_id
        self._plain = certificate is None and request_id is None
        # Of the event loop in which it runs; a test may use several, one after the other.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._house: asyncio.Task[None] | None = None
        _all.add(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            await self._other(scope, receive, send)
            return
        # In one piece: each coroutine more would be dear here.
        try:
            if type(scope["headers"]) is not list:
                scope = _listed(scope)
            decision = self._begin(scope)
            if type(decision) is not Decision:
                decision = await AsyncPool.current()._decision(decision)
            answer = None if decision._action in _LETS_IN else refused(decision, asked, scope)
        except Exception as error:
            answer = undecided(error)
        if answer is None:
            changes = plans.get(decision._raw[FROM:TO]) or plan(decision)
            if changes.once:
                send = _sending_once(send, changes.once)
            elif changes.response:
                send = _sending(send, changes.response)
            await self._app(_seen(scope, decision, changes), receive, send)
            return
        status, headers, body = answer
        if body or scope.get("method") != "HEAD":
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "websocket":
            await self._websocket(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            raise RuntimeError(f"gatepost cannot decide what {kind!r} is, and lets nothing through that it cannot decide")

    def _begin(self, scope: Scope) -> Any:
        """The decision, or the job that is left."""
        loop = self._loop
        if loop is None or loop.is_closed():
            self._enter()
        # As `take` and `give`, written out.
        try:
            laid = free.pop()
        except IndexError:
            laid = take()
        if not (self._plain and _usual(laid, scope)):
            lay(laid, scope, self._certificate, self._request_id)
        # All of it is borrowed for the call only, also where a job is left.
        decided = self._engine._begin(laid, laid.output)
        if laid.room <= KEPT:
            free.append(laid)
        return decided

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if type(scope["headers"]) is not list:
                scope = _listed(scope)
            decision = self._begin(scope)
            if type(decision) is not Decision:
                decision = await AsyncPool.current()._decision(decision)
            answer = None if decision._action in _LETS_IN else refused(decision, asked, scope)
        except Exception as error:
            answer = undecided(error)
        if answer is None:
            changes = plan(decision)
            if changes.once:
                send = _sending_once(send, changes.once)
            elif changes.response:
                send = _sending(send, changes.response)
            await self._app(_seen(scope, decision, changes), receive, send)
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
            if message["type"] == "lifespan.startup" and self._loop is None:
                self._enter()
            return message

        try:
            await self._app(scope, starting, send)
        finally:
            house, self._house, self._loop = self._house, None, None
            if house is not None:
                house.cancel()

    def _enter(self) -> None:
        """The first request in this process and event loop, or its startup."""
        loop = asyncio.get_running_loop()
        self._engine.start()
        self._loop = loop
        self._house = loop.create_task(AsyncPool.current().keep_house(self._engine))


_LETS_IN = (1, 3)
_all: "weakref.WeakSet[GatepostMiddleware]" = weakref.WeakSet()


def _forked() -> None:
    # Loop and housekeeping are the parent's.
    for middleware in list(_all):
        middleware._loop = middleware._house = None


os.register_at_fork(after_in_child=_forked)


_STARTS = frozenset(("http.response.start", "websocket.accept", "websocket.http.response.start"))


def _sending(send: Send, response: Changes) -> Send:
    """Sends what the application sends, with the decision's header fields. The application's own message stays as it is:
    it may send the same one to everybody."""

    def sending(message: Message) -> Awaitable[None]:
        if message["type"] in _STARTS:
            headers = list(message.get("headers", ()))
            apply(headers, response)
            message = {**message, "headers": headers}
        return send(message)

    return sending


def _sending_once(send: Send, once: tuple[bytes, bytes]) -> Send:
    """The same for the one field that almost every answer gets, where the application has none of that name."""
    name, _ = once

    def sending(message: Message) -> Awaitable[None]:
        if message["type"] in _STARTS:
            headers = list(message.get("headers", ()))
            for have, _ in headers:
                if have.lower() == name:
                    break
            else:
                headers.append(once)
            message = {**message}
            message["headers"] = headers
        return send(message)

    return sending


def _listed(scope: Scope) -> Scope:
    """With the header fields as a list: ASGI wants no more of them than that they can be iterated, perhaps once."""
    return {**scope, "headers": list(scope["headers"])}


def _seen(scope: Scope, decision: Decision, changes: Plan) -> Scope:
    """The scope that the application sees."""
    headers = scope["headers"]
    if changes.changes:
        # Names are in small letters, says ASGI; where a server knows better, the decision has its spelling too.
        gone = changes.gone
        if gone.isdisjoint(dict(headers)):
            headers = headers + changes.added
        else:
            headers = [pair for pair in headers if pair[0] not in gone] + changes.added
        if changes.late:
            apply(headers, changes.late)
    user = _new(User)
    user._decision = decision
    auth = _new(Auth)
    auth._decision = decision
    # Quicker than all in one, which would be a second mapping that is merged into the first.
    inner = {**scope}
    inner["headers"] = headers
    inner["user"] = user
    inner["auth"] = auth
    inner["gatepost"] = decision
    return inner


_parts = itemgetter("method", "path", "raw_path", "query_string", "root_path", "scheme", "client", "headers")


def _usual(laid: Laid, scope: Scope) -> bool:
    """Lays out a request as most are, the quick way; False: it is not such a one."""
    try:
        method, path, raw, query, root, scheme, client, headers = _parts(scope)
        fields = [names[name] + value for name, value in headers]
        peer = client[0].encode()
        if root or not peer or raw != path.encode() or raw.find(b"?") >= 0:
            return False
        together = b"".join(fields)
        # As `breaks`, written out.
        if together.find(b"\n") >= 0 or together.find(b"\r") >= 0 or together.find(b"\0") >= 0:
            return False
        # For the last line break.
        fields.append(b"")
        laid.plain(
            method.encode(),
            raw + b"?" + query if query else raw,
            peer,
            b"\r\n".join(fields),
            BODY_COMPLETE | TLS if scheme == "https" else BODY_COMPLETE,
        )
        return True
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def lay(
    laid: Any,
    scope: Scope,
    certificate: Certificate | None = None,
    request_id: "Callable[[Scope], str | bytes] | None" = None,
) -> None:
    """Lays a scope out as a request."""
    headers = scope["headers"]
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
            headers = [*headers, _UPGRADE]
    else:
        method = scope["method"].encode()
    if certificate is None and request_id is None:
        lines = block(headers)
        if lines is not None:
            laid.plain(method, target(scope), peer, lines, flags)
            return
    found = certificate(scope) if certificate is not None else None
    cert, verified = found if found is not None else (b"", False)
    if verified:
        flags |= CERT_VERIFIED
    own = request_id(scope) if request_id is not None else b""
    own = own.encode() if isinstance(own, str) else own
    pairs: Pairs = [(bytes(name), bytes(value)) for name, value in headers]
    laid.whole((method, target(scope), b"", peer, own, cert, b""), pairs, flags, 0, 0)


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
