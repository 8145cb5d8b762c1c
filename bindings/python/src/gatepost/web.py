"""What both middlewares and the frameworks share: who asks, and answers where there is no decision."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from ._header import HeaderMode
from ._require import fits
from .decision import Decision
from .errors import GatepostError

log = logging.getLogger("gatepost")

SET, APPEND, SET_IF_ABSENT = int(HeaderMode.SET), int(HeaderMode.APPEND), int(HeaderMode.SET_IF_ABSENT)

Pairs = list[tuple[bytes, bytes]]
Changes = list[tuple[bytes, bytes, int]]


class User:
    """Who asks, as Starlette and Django expect a user to be. Read from the decision when it is asked for."""

    __slots__ = ("_decision",)

    def __init__(self, decision: Decision) -> None:
        self._decision = decision

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody was recognised."""
        return self._decision.subject is not None

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody was."""
        return self._decision.subject is None

    @property
    def is_active(self) -> bool:
        """Whether somebody was recognised: those who are disabled are not."""
        return self.is_authenticated

    @property
    def subject(self) -> str | None:
        """Who; None: nobody. (issuer, subject) is the person, never the subject alone."""
        return self._decision.subject

    @property
    def issuer(self) -> str:
        """Whose subject it is; empty for local users."""
        return self._decision.issuer

    @property
    def scheme(self) -> str | None:
        """How they proved it: "basic", "bearer", "api-key", "session" or "client-cert"."""
        return self._decision.scheme

    @property
    def roles(self) -> tuple[str, ...]:
        """Their roles."""
        return self._decision.roles

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes of their token or key."""
        return self._decision.scopes

    @property
    def identity(self) -> str:
        """A name that is one person's: the subject of a local user, with the issuer in front for others."""
        subject, issuer = self._decision.subject or "", self._decision.issuer
        return f"{issuer}#{subject}" if issuer else subject

    @property
    def display_name(self) -> str:
        """The subject; empty for nobody."""
        return self._decision.subject or ""

    @property
    def username(self) -> str:
        """As `identity`, under the name that Django has for it."""
        return self.identity

    def get_username(self) -> str:
        """As `identity`, under the name that Django has for it."""
        return self.identity

    def has(self, **wanted: "str | Iterable[str]") -> bool:
        """Whether this is somebody with all of: role, scope, user (a local one), issuer, scheme; of a list, one of them."""
        identity = self._decision.identity
        return identity is not None and fits(identity, wanted)

    def __str__(self) -> str:
        return self.identity

    def __repr__(self) -> str:
        return f"<gatepost user {self.identity!r}>"


class Auth:
    """What Starlette reads as `request.auth`: "authenticated", and the scopes of who asks. Never roles, so that no
    issuer can name a scope like one."""

    __slots__ = ("_decision",)

    def __init__(self, decision: Decision) -> None:
        self._decision = decision

    @property
    def scopes(self) -> list[str]:
        """For `starlette.authentication.requires`."""
        return ["authenticated", *self._decision.scopes] if self._decision.subject is not None else []


def undecided(error: BaseException) -> tuple[int, Pairs, bytes]:
    """The refusal where no decision could be made: status, header fields, body."""
    status = error.http_status if isinstance(error, GatepostError) else 500
    log.error("no decision could be made, the request is refused with %d: %s", status, error)
    body = b'{"type":"about:blank","title":"%s","status":%d}\n' % (
        b"Service Unavailable" if status == 503 else b"Internal Server Error",
        status,
    )
    return status, [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")], body


def refused(decision: Decision, asked: Callable[[Any], str], given: Any) -> tuple[int, Pairs, bytes]:
    """The answer of a decision that is neither ALLOW nor PASS. asked: says of `given` who asks for what."""
    if log.isEnabledFor(logging.INFO):
        log.info("refused: id %s, %d %s, %s", decision.id, decision.status, decision.reason_name, asked(given))
    headers: Pairs = []
    apply(headers, [(name.lower(), value, mode) for name, value, mode in decision._response()])
    return decision.status, headers, decision.body


def apply(headers: Pairs, changes: Changes) -> None:
    """Applies header fields to a list, names in small letters as ASGI has them."""
    for name, value, mode in changes:
        if mode != APPEND and name in [have.lower() for have, _ in headers]:
            if mode == SET_IF_ABSENT:
                continue
            headers[:] = [pair for pair in headers if pair[0].lower() != name]
        headers.append((name, value))
