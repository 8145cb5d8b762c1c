"""The answer to one request."""

from typing import Any, NamedTuple

from ._answer import GENERATION, ID, REASON, RETRY_AFTER, STATUS, Answer, Fields, Parts, answers, flattened, learn
from ._header import Action, HeaderMode, Reason
from ._library import lib, string, unescape
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


_ALLOW = int(Action.ALLOW)
_ACTIONS = {int(action): action for action in Action}
_REASONS = {int(reason): reason for reason in Reason}


class Decision:
    """What to do with a request, and why.

    On every action remove the request fields named in `strip` before anything else sees them; on ALLOW then apply
    `upstream_headers` to the request; apply `response_headers` to the response. On any action but ALLOW and PASS send
    `status`, `response_headers` and `body`, and nothing else. The middlewares of this package do that.

    True where the request is let in (`allowed`). Fields are read when they are asked for. A decision outlives reload
    and end of its engine; it ends with its last reference, with `close`, or as a context manager.
    """

    __slots__ = ("__weakref__", "_answer", "_written")

    # Filled in by the engine, without a constructor, which would cost as much as all of these. The answer may be that of
    # other decisions too. What ends with the id is None once it was closed.
    _answer: Answer
    _written: bytes | None

    def __new__(cls) -> "Decision":
        raise TypeError("decisions come from Engine.decide")

    @property
    def _parts(self) -> Parts:
        if self._written is None:
            raise ClosedError("decision")
        return self._answer.parts

    def __reduce__(self) -> Any:
        raise TypeError("a Decision cannot be copied: it is the library's")

    def close(self) -> None:
        """Afterwards only action, status, reason, retry_after and generation can be read."""
        self._written = None

    def __enter__(self) -> "Decision":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __bool__(self) -> bool:
        return self._answer.action == _ALLOW

    def __repr__(self) -> str:
        return f"<gatepost.Decision {self.action.name} {self.status} {self.reason.label}>"

    @property
    def allowed(self) -> bool:
        """Whether the request is let in: the action is ALLOW. PASS is not: there your own default holds."""
        return self._answer.action == _ALLOW

    @property
    def action(self) -> Action:
        """What to do."""
        return _ACTIONS.get(self._answer.action, Action.DENY)

    @property
    def status(self) -> int:
        """The HTTP status; 200 for ALLOW and PASS."""
        return self._answer.numbers[STATUS]

    @property
    def reason(self) -> Reason:
        """Why. For logs; what the person may know is in the body."""
        number = self._answer.numbers[REASON]
        return _REASONS.get(number) or Reason(number)

    @property
    def retry_after(self) -> int | None:
        """Seconds until another try may succeed, or None."""
        return self._answer.numbers[RETRY_AFTER] or None

    @property
    def generation(self) -> int:
        """Which of the engine's policies decided: `Engine.generation` at that moment."""
        return self._answer.numbers[GENERATION]

    @property
    def reason_name(self) -> str:
        """The stable name of the reason, like "credentials_missing"."""
        _ = self._parts
        number = self._answer.numbers[REASON]
        known = _REASONS.get(number)
        return known.label if known is not None else string(lib.gatepost_reason_name(number))

    @property
    def id(self) -> str:
        """What a user reads to support and what the log is searched by."""
        written = self._written
        if written is None:
            raise ClosedError("decision")
        return written[len(written) - self._answer.numbers[ID] :].decode("utf-8", "replace")

    @property
    def subject(self) -> str | None:
        """Who was recognised, also where the request is refused; None: nobody."""
        return self._parts.subject or None

    @property
    def issuer(self) -> str:
        """Whose subject it is; empty for local users."""
        return self._parts.issuer

    @property
    def scheme(self) -> str | None:
        """The scheme that was used or tried, like "basic"; None: none."""
        return self._parts.scheme or None

    def attribute(self, name: str) -> str:
        """One fact by name: "subject", "issuer", "scheme", "roles", "scopes", "id", "reason"; empty where there is none."""
        parts = self._parts
        if name == "id":
            return self.id
        if name == "reason":
            return self.reason_name
        return str(getattr(parts, name)) if name in ("subject", "issuer", "scheme", "roles", "scopes") else ""

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of who was recognised."""
        return _split(self._parts.roles, ",")

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes of who was recognised."""
        return _split(self._parts.scopes, " ")

    @property
    def identity(self) -> Identity | None:
        """Who was recognised, as one value that outlives the decision; None: nobody."""
        _ = self._parts
        return identity(self._answer)

    @property
    def response_headers(self) -> tuple[Header, ...]:
        """Header fields for the response to the client."""
        return _headers(self._parts.response)

    @property
    def upstream_headers(self) -> tuple[Header, ...]:
        """Header fields for the application, to apply after those to strip are gone."""
        return _headers(self._parts.upstream)

    @property
    def strip(self) -> tuple[str, ...]:
        """Names of request fields to remove before the application sees the request, on every action."""
        return tuple(name.decode("latin-1") for name in self._parts.strip)

    @property
    def body(self) -> bytes:
        """Body of the answer; its type is among the response headers. Empty on ALLOW and PASS, and for HEAD."""
        return self._parts.body


def identity(answer: Answer) -> Identity | None:
    """Whom an answer recognises."""
    parts = answer.parts
    if not parts.subject:
        return None
    return Identity(parts.subject, parts.issuer, parts.scheme, _split(parts.roles, ","), _split(parts.scopes, " "))


def _split(joined: str, between: str) -> tuple[str, ...]:
    return tuple(map(unescape, joined.split(between))) if joined else ()


def _headers(raw: Fields) -> tuple[Header, ...]:
    return tuple(Header(n.decode("latin-1"), v.decode("latin-1"), HeaderMode(m)) for n, v, m in raw)


def kept(pointer: Any) -> Decision:
    """Takes over a decision that the library handed out."""
    raw, action, ident = flattened(pointer)
    decision: Decision = object.__new__(Decision)
    decision._answer = answers.get(raw) or learn(raw, raw, action)
    decision._written = ident
    return decision
