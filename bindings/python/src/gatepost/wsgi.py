"""Middleware for WSGI: Flask, Django, and whatever else gunicorn and its like run."""

import http
import socket
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from ._memory import BODY_COMPLETE, CERT_VERIFIED, TLS, Laid, breaks, give, take
from ._require import line
from .decision import Decision
from .engine import Engine, engine_of
from .web import APPEND, SET, User, refused, undecided

Environ = MutableMapping[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Any, Any], Iterable[bytes]]
#: Reads a client certificate out of an environ: DER, and whether the server verified it; None where there is none.
Certificate = Callable[[Environ], "tuple[bytes, bool] | None"]


class GatepostMiddleware:
    """Asks the engine about each request before the application sees it.

        app.wsgi_app = GatepostMiddleware(app.wsgi_app, gatepost.Engine("orders.toml"))

    Put it outermost. What is refused never reaches the application. What is let in reaches it without the header fields
    that a client may have made up, with those that the policy adds, and with

    - `environ["gatepost.user"]`: a `User`, which `is_authenticated` or not;
    - `environ["gatepost.decision"]`: the `Decision`;
    - `environ["REMOTE_USER"]` and `AUTH_TYPE`, for local users only: an issuer's "alice" is not yours.

    app: the application. engine: an Engine, made before workers are forked or after; it starts in each by itself, and
    a thread of each does its housekeeping.
    certificate: how to find a client certificate, for policies that map them to users.
    request_id: how to find your own id of a request; None: the engine draws one.
    """

    def __init__(
        self,
        app: App,
        engine: Engine,
        *,
        certificate: Certificate | None = None,
        request_id: "Callable[[Environ], str | bytes] | None" = None,
    ) -> None:
        self._app = app
        self._engine = engine_of(engine)
        self._certificate = certificate
        self._request_id = request_id

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """A WSGI application."""
        try:
            decision = decide(self._engine, environ, self._certificate, self._request_id)
            answer = None if decision._action in (1, 3) else refused(decision, asked, environ)
        except Exception as error:
            answer = undecided(error)
        if answer is not None:
            status, fields, body = answer
            headers = [(name.decode("latin-1").title(), value.decode("latin-1")) for name, value in fields]
            if body or environ.get("REQUEST_METHOD") != "HEAD":
                headers.append(("Content-Length", str(len(body))))
            start_response(_line(status), headers)
            return [body]
        show(environ, decision)
        response = decision._response()
        return self._app(environ, _starting(start_response, response) if response else start_response)


def _line(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Refused"


def _starting(start_response: StartResponse, response: list[tuple[bytes, bytes, int]]) -> StartResponse:
    """Starts the application's answer, with the decision's header fields."""

    def starting(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        headers = list(headers)
        for raw, value, mode in response:
            name = raw.decode("latin-1")
            small = name.lower()
            if mode != APPEND and any(have.lower() == small for have, _ in headers):
                if mode != SET:
                    continue
                headers = [pair for pair in headers if pair[0].lower() != small]
            headers.append((name, value.decode("latin-1")))
        return start_response(status, headers, *rest)

    return starting


def decide(
    engine: Engine,
    environ: Environ,
    certificate: Certificate | None = None,
    request_id: "Callable[[Environ], str | bytes] | None" = None,
) -> Decision:
    """Decides the request that an environ is about, on this thread."""
    if engine._keeper is None:
        engine.keep_house()
    laid = take()
    lay(laid, environ, certificate, request_id)
    handed: Any = laid
    decision = engine.decide(handed)
    give(laid)
    return decision


def _name(key: str) -> str:
    """HTTP_USER_AGENT -> user-agent."""
    return key.removeprefix("HTTP_").replace("_", "-").lower()


class _Lines(dict[str, str]):
    """HTTP_USER_AGENT -> "user-agent: ". Bounded: clients make up names."""

    def __missing__(self, key: str) -> str:
        name = _name(key)
        if not name or not name.isascii() or not name.replace("-", "a").isalnum():
            raise ValueError
        line = name + ": "
        if len(self) < 1024 and len(key) < 64:
            self[key] = line
        return line


_lines = _Lines()


def lay(
    laid: Laid,
    environ: Environ,
    certificate: Certificate | None = None,
    request_id: "Callable[[Environ], str | bytes] | None" = None,
) -> None:
    """Lays an environ out as a request."""
    flags = BODY_COMPLETE
    if environ.get("wsgi.url_scheme") == "https":
        flags |= TLS
    peer = environ.get("REMOTE_ADDR") or ("unix:" if _is_unix(environ) else "")
    method, peer_bytes = environ["REQUEST_METHOD"].encode("latin-1", "replace"), peer.encode("latin-1", "replace")
    keys = [key for key in environ if key[:5] == "HTTP_"]
    # What WSGI has under a name of its own.
    keys += [key for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(key)]
    if certificate is None and request_id is None:
        try:
            values = [environ[key] for key in keys]
            fields = [_lines[key] + value for key, value in zip(keys, values)]
            if not breaks("".join(values).encode("latin-1")):
                fields.append("")
                lines = "\r\n".join(fields).encode("latin-1")
                laid.plain(method, target(environ), peer_bytes, lines, flags)
                return
        except (ValueError, TypeError):
            pass
    found = certificate(environ) if certificate is not None else None
    cert, verified = found if found is not None else (b"", False)
    if verified:
        flags |= CERT_VERIFIED
    own = request_id(environ) if request_id is not None else b""
    own = own.encode() if isinstance(own, str) else own
    pairs = [(_name(key).encode("utf-8"), str(environ[key]).encode("latin-1", "replace")) for key in keys]
    laid.whole((method, target(environ), b"", peer_bytes, own, cert, b""), pairs, flags, 0, 0)


def asked(environ: Environ) -> str:
    """Who asks for what, for the log."""
    path = (environ.get("SCRIPT_NAME") or "") + (environ.get("PATH_INFO") or "")
    path = path.encode("latin-1", "replace").decode("utf-8", "replace")
    return line(environ.get("REQUEST_METHOD", ""), path, environ.get("REMOTE_ADDR") or "")


def _is_unix(environ: Environ) -> bool:
    # gunicorn hands out the socket; others say nothing, and then the peer is nobody in particular.
    there = environ.get("gunicorn.socket")
    return there is not None and getattr(there, "family", None) == getattr(socket, "AF_UNIX", object())


def target(environ: Environ) -> bytes:
    """The request-target as it was on the wire where the server tells it, else what the application sees as it would be
    written; also where something in front has rewritten the path."""
    path = (environ.get("SCRIPT_NAME") or "") + (environ.get("PATH_INFO") or "")
    # gunicorn; Werkzeug, uWSGI and mod_wsgi.
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw:
        octets: bytes = raw.encode("latin-1", "replace")
        if _path_of(raw) == path.encode("latin-1", "replace"):
            return octets
    written = quote(path.encode("latin-1", "replace"), safe="/!$&'()*+,;=:@~")
    query = environ.get("QUERY_STRING")
    return (written + "?" + query if query else written).encode("latin-1", "replace")


def _path_of(raw: str) -> bytes | None:
    if raw.startswith(("/", "*")):
        path = raw.partition("?")[0]
    else:
        try:
            path = urlsplit(raw).path or "/"
        except ValueError:
            return None
    return unquote_to_bytes(path.encode("latin-1", "replace")) if "%" in path else path.encode("latin-1", "replace")


def _key(name: bytes) -> str:
    """X-Auth-Subject -> HTTP_X_AUTH_SUBJECT."""
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key


def _spellings(name: bytes) -> tuple[str, ...]:
    """All keys under which servers hand a field on: as it is, and with all that is no letter folded, as CGI had it."""
    key = _key(name)
    return tuple({key, "".join(letter if letter.isalnum() else "_" for letter in key)})


_keys: dict[bytes, str] = {}
_every: dict[bytes, tuple[str, ...]] = {}


def show(environ: Environ, decision: Decision) -> None:
    """Changes an environ into what the application sees."""
    keys = _keys
    if len(keys) > 1024 or len(_every) > 1024:
        keys.clear()
        _every.clear()
    for name in decision._stripped():
        for key in _every.get(name) or _every.setdefault(name, _spellings(name)):
            if key in environ:
                del environ[key]
    for name, raw, mode in decision._upstream():
        key = keys.get(name) or keys.setdefault(name, _key(name))
        value = raw.decode("latin-1")
        if mode != SET and key in environ:
            if mode != APPEND:
                continue
            value = f"{environ[key]}, {value}"
        environ[key] = value
    if decision._action == 1:
        subject = decision.subject
        if subject is not None and not decision.issuer:
            environ["REMOTE_USER"] = subject
            environ["AUTH_TYPE"] = decision.scheme or ""
        else:
            environ.pop("REMOTE_USER", None)
            environ.pop("AUTH_TYPE", None)
    environ["gatepost.decision"] = decision
    environ["gatepost.user"] = User(decision)
