"""The answer to one request."""

from typing import Any, NamedTuple

from ._header import Action, HeaderMode, Reason
from ._library import ffi, lib, string, unescape
from ._memory import VIEW, VIEW_PLACE, headers_at, read, strings_at
from .errors import ClosedError


class Header(NamedTuple):
    """A header field for you to apply."""

    name: str
    value: str
    mode: HeaderMode


class Identity(NamedTuple):
    """Who was recognised, and how. (issuer, subject) is the person, never the subject alone."""

    subject: str
    #: Empty for local users.
    issuer: str
    #: "basic", "bearer", "api-key", "session" or "client-cert".
    scheme: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]


_P = VIEW_PLACE
_STATUS, _REASON, _RETRY = _P["status"], _P["reason"], _P["retry_after"]
_NAME, _ID, _SUBJECT, _ISSUER, _SCHEME = _P["reason_name"], _P["id"], _P["subject"], _P["issuer"], _P["scheme"]
_RESPONSE, _RESPONSES = _P["response_headers"], _P["response_header_count"]
_UPSTREAM, _UPSTREAMS = _P["upstream_headers"], _P["upstream_header_count"]
_STRIP, _STRIPS, _BODY, _GENERATION = _P["strip"], _P["strip_count"], _P["body"], _P["generation"]
_ALLOW = int(Action.ALLOW)
_ACTIONS = {int(action): action for action in Action}
_REASONS = {int(reason): reason for reason in Reason}


class _Closed(tuple[int, ...]):
    """The view of a decision that was closed."""


class Decision:
    """What to do with a request, and why.

    On every action remove the request fields named in `strip` before anything else sees them; on ALLOW then apply
    `upstream_headers` to the request; apply `response_headers` to the response. On any action but ALLOW and PASS send
    `status`, `response_headers` and `body`, and nothing else. The middlewares of this package do that.

    True where the request is let in (`allowed`). Fields are read when they are asked for. A decision outlives reload
    and end of its engine; it ends with its last reference, with `close`, or as a context manager.
    """

    __slots__ = ("__weakref__", "_action", "_pointer", "_raw")

    # Filled in by the engine, without a constructor, which would cost as much as all of these: the library's decision,
    # its action, and its view, as bytes until it is first read and as numbers from then on.
    _pointer: Any
    _action: int
    _raw: "bytes | tuple[int, ...]"

    def __new__(cls) -> "Decision":
        raise TypeError("decisions come from Engine.decide")

    def __del__(self, _free: Any = lib.gatepost_decision_free) -> None:
        # With the last reference, and not in `close`, so that no thread that is reading is hurt.
        _free(self._pointer)

    @property
    def _view(self) -> tuple[int, ...]:
        raw = self._raw
        if isinstance(raw, bytes):
            raw = VIEW.unpack(raw)
            # Unless it was closed meanwhile, by another thread.
            if type(self._raw) is bytes:
                self._raw = raw
        return raw

    def _open(self) -> tuple[int, ...]:
        view = self._view
        if type(self._raw) is _Closed:
            raise ClosedError("decision")
        return view

    def __reduce__(self) -> Any:
        raise TypeError("a Decision cannot be copied: it is the library's")

    def close(self) -> None:
        """Afterwards only action, status, reason, retry_after and generation can be read."""
        self._raw = _Closed(self._view)

    def __enter__(self) -> "Decision":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __bool__(self) -> bool:
        return self._action == _ALLOW

    def __repr__(self) -> str:
        return f"<gatepost.Decision {self.action.name} {self.status} {self.reason.label}>"

    def _read(self, place: int) -> bytes:
        view = self._open()
        return read(view[place], view[place + 1])

    def _text(self, place: int) -> str:
        return self._read(place).decode("utf-8", "replace")

    @property
    def allowed(self) -> bool:
        """Whether the request is let in: the action is ALLOW. PASS is not: there your own default holds."""
        return self._action == _ALLOW

    @property
    def action(self) -> Action:
        """What to do."""
        return _ACTIONS.get(self._action, Action.DENY)

    @property
    def status(self) -> int:
        """The HTTP status; 200 for ALLOW and PASS."""
        return self._view[_STATUS]

    @property
    def reason(self) -> Reason:
        """Why. For logs; what the person may know is in the body."""
        number = self._view[_REASON]
        return _REASONS.get(number) or Reason(number)

    @property
    def retry_after(self) -> int | None:
        """Seconds until another try may succeed, or None."""
        return self._view[_RETRY] or None

    @property
    def generation(self) -> int:
        """Which of the engine's policies decided: `Engine.generation` at that moment."""
        return self._view[_GENERATION]

    @property
    def reason_name(self) -> str:
        """The stable name of the reason, like "credentials_missing"."""
        return self._text(_NAME)

    @property
    def id(self) -> str:
        """What a user reads to support and what the log is searched by."""
        return self._text(_ID)

    @property
    def subject(self) -> str | None:
        """Who was recognised, also where the request is refused; None: nobody."""
        return self._text(_SUBJECT) or None

    @property
    def issuer(self) -> str:
        """Whose subject it is; empty for local users."""
        return self._text(_ISSUER)

    @property
    def scheme(self) -> str | None:
        """The scheme that was used or tried, like "basic"; None: none."""
        return self._text(_SCHEME) or None

    def attribute(self, name: str) -> str:
        """One fact by name: "subject", "issuer", "scheme", "roles", "scopes", "id", "reason"; empty where there is none."""
        self._open()
        raw = name.encode()
        memory = ffi.from_buffer(raw)
        return string(lib.gatepost_decision_attribute(self._pointer, {"ptr": memory, "len": len(raw)}))

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of who was recognised."""
        text = self.attribute("roles")
        return tuple(unescape(role) for role in text.split(",")) if text else ()

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes of who was recognised."""
        text = self.attribute("scopes")
        return tuple(unescape(scope) for scope in text.split(" ")) if text else ()

    @property
    def identity(self) -> Identity | None:
        """Who was recognised, as one value that outlives the decision; None: nobody."""
        subject = self.subject
        if subject is None:
            return None
        return Identity(subject, self.issuer, self.scheme or "", self.roles, self.scopes)

    @property
    def response_headers(self) -> tuple[Header, ...]:
        """Header fields for the response to the client."""
        return _headers(self._response())

    @property
    def upstream_headers(self) -> tuple[Header, ...]:
        """Header fields for the application, to apply after those to strip are gone."""
        return _headers(self._upstream())

    @property
    def strip(self) -> tuple[str, ...]:
        """Names of request fields to remove before the application sees the request, on every action."""
        return tuple(name.decode("latin-1") for name in self._stripped())

    @property
    def body(self) -> bytes:
        """Body of the answer; its type is among the response headers. Empty on ALLOW and PASS, and for HEAD."""
        return self._read(_BODY)

    # The same as bytes, for the middlewares.

    def _response(self) -> list[tuple[bytes, bytes, int]]:
        view = self._open()
        return headers_at(view[_RESPONSE], view[_RESPONSES])

    def _upstream(self) -> list[tuple[bytes, bytes, int]]:
        view = self._open()
        return headers_at(view[_UPSTREAM], view[_UPSTREAMS])

    def _stripped(self) -> list[bytes]:
        view = self._open()
        return strings_at(view[_STRIP], view[_STRIPS])


def _headers(raw: list[tuple[bytes, bytes, int]]) -> tuple[Header, ...]:
    return tuple(Header(n.decode("latin-1"), v.decode("latin-1"), HeaderMode(m)) for n, v, m in raw)


def made(pointer: Any, action: int, raw: bytes) -> Decision:
    """Takes over a decision of the library's."""
    decision: Decision = object.__new__(Decision)
    decision._pointer = pointer
    decision._action = action
    decision._raw = raw
    return decision
