"""What both middlewares and the frameworks share: who asks, and answers where there is no decision."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from ._answer import Fields
from ._header import HeaderMode
from ._require import fits
from .decision import Decision, Identity
from .errors import GatepostError

log = logging.getLogger("gatepost")

SET, APPEND, SET_IF_ABSENT = int(HeaderMode.SET), int(HeaderMode.APPEND), int(HeaderMode.SET_IF_ABSENT)

Pairs = list[tuple[bytes, bytes]]


class User:
    """Who asks, as Starlette and Django expect a user to be. One object may stand for them in many requests."""

    __slots__ = ("_identity",)

    def __init__(self, identity: Identity | None) -> None:
        self._identity = identity

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody was recognised."""
        return self._identity is not None

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody was."""
        return self._identity is None

    @property
    def is_active(self) -> bool:
        """Whether somebody was recognised: those who are disabled are not."""
        return self.is_authenticated

    @property
    def subject(self) -> str | None:
        """Who; None: nobody. (issuer, subject) is the person, never the subject alone."""
        return self._identity.subject if self._identity is not None else None

    @property
    def issuer(self) -> str:
        """Whose subject it is; empty for local users."""
        return self._identity.issuer if self._identity is not None else ""

    @property
    def scheme(self) -> str | None:
        """How they proved it: "basic", "bearer", "api-key", "session" or "client-cert"."""
        return self._identity.scheme or None if self._identity is not None else None

    @property
    def roles(self) -> tuple[str, ...]:
        """Their roles."""
        return self._identity.roles if self._identity is not None else ()

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes of their token or key."""
        return self._identity.scopes if self._identity is not None else ()

    @property
    def identity(self) -> str:
        """A name that is one person's: the subject of a local user, with the issuer in front for others."""
        subject, issuer = self.display_name, self.issuer
        return f"{issuer}#{subject}" if issuer else subject

    @property
    def display_name(self) -> str:
        """The subject; empty for nobody."""
        return self.subject or ""

    @property
    def username(self) -> str:
        """As `identity`, under the name that Django has for it."""
        return self.identity

    def get_username(self) -> str:
        """As `identity`, under the name that Django has for it."""
        return self.identity

    def has(self, **wanted: "str | Iterable[str]") -> bool:
        """Whether this is somebody with all of: role, scope, user (a local one), issuer, scheme; of a list, one of them."""
        return self._identity is not None and fits(self._identity, wanted)

    def __str__(self) -> str:
        return self.identity

    def __repr__(self) -> str:
        return f"<gatepost user {self.identity!r}>"


class Auth:
    """What Starlette reads as `request.auth`: "authenticated", and the scopes of who asks. Never roles, so that no
    issuer can name a scope like one."""

    __slots__ = ("_identity",)

    def __init__(self, identity: Identity | None) -> None:
        self._identity = identity

    @property
    def scopes(self) -> list[str]:
        """For `starlette.authentication.requires`."""
        return ["authenticated", *self._identity.scopes] if self._identity is not None else []


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
    apply(headers, [(name.lower(), value, mode) for name, value, mode in decision._parts.response])
    return decision.status, headers, decision.body


def apply(headers: Pairs, changes: Fields) -> None:
    """Applies header fields to a list, names in small letters as ASGI has them."""
    for name, value, mode in changes:
        if mode != APPEND and name in [have.lower() for have, _ in headers]:
            if mode == SET_IF_ABSENT:
                continue
            headers[:] = [pair for pair in headers if pair[0].lower() != name]
        headers.append((name, value))
