"""Middleware for WSGI: Flask, Django, and whatever else gunicorn and its like run."""

import http
import socket
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from ._answer import LETS_IN, Answer, Fields
from ._begin import begin, begin_laid, finished
from ._memory import BODY_COMPLETE, CERT_VERIFIED, TLS, Laid, heads
from ._header import Action
from ._require import line
from .decision import Decision, identity
from .engine import Engine, engine_of
from .web import APPEND, SET, User, refused, undecided

_ALLOW = int(Action.ALLOW)

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
            answer = None if decision._answer.action in LETS_IN else refused(decision, asked, environ)
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
        response = decision._parts.response
        return self._app(environ, _starting(start_response, response) if response else start_response)


def _line(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Refused"


def _starting(start_response: StartResponse, response: Fields) -> StartResponse:
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
    decided = begun(engine, environ, certificate, request_id)
    return decided if type(decided) is Decision else finished(decided)


def _name(key: str) -> str:
    """HTTP_USER_AGENT -> user-agent."""
    return key.removeprefix("HTTP_").replace("_", "-").lower()


# HTTP_USER_AGENT -> user-agent. Bounded: clients make up names.
_names: dict[str, str] = {}


def _learn(key: str) -> str:
    name = _name(key)
    if len(_names) < 1024 and len(key) < 64:
        _names[key] = name
    return name


def begun(
    engine: Engine,
    environ: Environ,
    certificate: Certificate | None = None,
    request_id: "Callable[[Environ], str | bytes] | None" = None,
) -> Any:
    """Decides what is cheap about the request that an environ is about: the decision, or the job that is left."""
    flags = BODY_COMPLETE
    if environ.get("wsgi.url_scheme") == "https":
        flags |= TLS
    peer = environ.get("REMOTE_ADDR") or ("unix:" if _is_unix(environ) else "")
    every: list[str] = [environ["REQUEST_METHOD"], target(environ).decode("latin-1"), peer]
    for key in environ:
        if key[:5] == "HTTP_":
            every.append(_names.get(key) or _learn(key))
            every.append(environ[key])
    # What WSGI has under a name of its own.
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            every += (_name(key), environ[key])
    if certificate is None and request_id is None:
        try:
            text = heads[flags][len(every) // 2 - 1] + b"\n" + "\n".join(every).encode("latin-1")
        except (TypeError, UnicodeEncodeError):
            pass
        else:
            decided = begin(engine, text)
            if decided is not None:
                return decided
    found = certificate(environ) if certificate is not None else None
    cert, verified = found if found is not None else (b"", False)
    if verified:
        flags |= CERT_VERIFIED
    own = request_id(environ) if request_id is not None else b""
    own = own.encode() if isinstance(own, str) else own
    method, where, near, *rest = (str(each).encode("latin-1", "replace") for each in every)
    return begin_laid(engine, Laid((method, where, b"", near, own, cert, b""), list(zip(rest[::2], rest[1::2])), flags))


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


class _Changes:
    """What an answer changes about an environ, read once for all decisions that have it."""

    __slots__ = ("gone", "local", "scheme", "upstream", "user")

    def __init__(self, answer: Answer) -> None:
        parts, who = answer.parts, identity(answer)
        #: Keys that it loses.
        self.gone = tuple(dict.fromkeys(key for name in parts.strip for key in _spellings(name)))
        #: Keys that it gets, with value and mode.
        self.upstream = [(_key(name), value.decode("latin-1"), mode) for name, value, mode in parts.upstream]
        self.user = User(who)
        #: REMOTE_USER, and AUTH_TYPE: an issuer's "alice" is not ours.
        self.local = who.subject if who is not None and not who.issuer else None
        self.scheme = parts.scheme


def show(environ: Environ, decision: Decision) -> None:
    """Changes an environ into what the application sees."""
    answer = decision._answer
    changes: _Changes | None = answer.environ
    if changes is None:
        changes = answer.environ = _Changes(answer)
    for key in changes.gone:
        if key in environ:
            del environ[key]
    for key, value, mode in changes.upstream:
        if mode != SET and key in environ:
            if mode != APPEND:
                continue
            value = f"{environ[key]}, {value}"
        environ[key] = value
    if answer.action == _ALLOW:
        if changes.local is not None:
            environ["REMOTE_USER"], environ["AUTH_TYPE"] = changes.local, changes.scheme
        else:
            environ.pop("REMOTE_USER", None)
            environ.pop("AUTH_TYPE", None)
    environ["gatepost.decision"] = decision
    environ["gatepost.user"] = changes.user
