"""Tokens and passwords, outside of any request."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from ._header import Action, Reason, Status, TokenFlag
from ._library import Borrowed, ffi, lib, string, unescape
from .errors import failure, settle, taken


class Tokens(NamedTuple):
    """Tokens just issued."""

    #: A JWT as RFC 9068 has it.
    access_token: str
    #: None: there is none.
    refresh_token: str | None
    #: Scopes of the access token, joined by a space.
    scope: str
    #: The user, in the canonical spelling.
    user: str
    #: Claim sid; None: none.
    session: str | None
    #: Claim jti.
    token_id: str
    #: The answer of an OAuth token endpoint, to be sent with Cache-Control: no-store.
    json: str
    #: Seconds to the end of the access token.
    expires_in: int
    #: The end of the access token, Unix seconds.
    expires_at: int
    #: The end of the last refresh token of this login, Unix seconds; None: there is none.
    refresh_expires_at: int | None

    def __repr__(self) -> str:
        # Whole tokens have no place in a log.
        return f"Tokens(user={self.user!r}, token_id={self.token_id!r}, expires_at={self.expires_at})"


class Verified(NamedTuple):
    """What the engine says of a token: the truth of the moment at which it was asked for."""

    #: Whether the token is good.
    good: bool
    #: The HTTP status that a request with it would get if nothing else were asked.
    status: int
    reason: Reason
    #: For the operator: what was seen and what was wanted. Not for whoever sent the token.
    detail: str
    #: None where the token is not good.
    subject: str | None
    #: Empty for local users.
    issuer: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    #: All claims as they were sent; empty where the token is not good.
    claims: dict[str, Any]
    #: The policy's name of the issuer, where the signature and the claims are right.
    issuer_name: str | None
    token_id: str | None
    session_id: str | None
    #: Unix seconds; None: not said.
    issued_at: int | None
    expires_at: int | None

    def __bool__(self) -> bool:
        return self.good


class TokenMethods:
    """What an engine does with tokens and passwords. All of it may block: in an event loop call it by
    `await asyncio.to_thread(engine.issue_token, "alice")`."""

    def _alive(self) -> Any:
        raise NotImplementedError

    def start(self) -> None:
        """Opens the state in this process."""
        raise NotImplementedError

    def _started(self) -> Any:
        handle = self._alive()
        self.start()
        return handle

    def verify_token(self, token: str, *, now: int = 0) -> Verified:
        """Verifies a token as a decision would, without asking any route.

        token: the token alone, without "Bearer". now: Unix seconds; 0: the clock.
        May read the disk. A token that is bound to a key is refused, since only a request can show who holds it.
        """
        borrowed = Borrowed()
        made = taken(
            lib.gatepost_token_verify,
            "gatepost_verified",
            lib.gatepost_verified_free,
            self._started(),
            borrowed.given(token),
            now,
        )
        view = _view("gatepost_token_view", lib.gatepost_verified_view, made)
        roles, scopes, claims = string(view.roles), string(view.scopes), string(view.claims)
        return Verified(
            view.action == Action.ALLOW,
            view.status,
            Reason(view.reason),
            string(view.detail),
            string(view.subject) or None,
            string(view.issuer),
            tuple(unescape(role) for role in roles.split(",")) if roles else (),
            tuple(unescape(scope) for scope in scopes.split(" ")) if scopes else (),
            json.loads(claims) if claims else {},
            string(view.issuer_name) or None,
            string(view.token_id) or None,
            string(view.session_id) or None,
            view.issued_at or None,
            view.expires_at or None,
        )

    def issue_token(
        self,
        user: str,
        *,
        signer: str = "",
        scopes: Sequence[str] = (),
        audience: Sequence[str] = (),
        factors: Sequence[str] = (),
        client_id: str = "",
        session: str = "",
        claims: "dict[str, Any] | None" = None,
        lifetime: int = 0,
        authenticated_at: int = 0,
        refresh: bool = False,
        now: int = 0,
    ) -> Tokens:
        """Issues an access token for a local user and, if wanted, a refresh token.

        Whether the user is who they say they are is yours to have checked.

        signer: name of the [[signer]]; empty: the policy's only one.
        audience: some of the signer's; none: all of it.
        factors: by which the user proved who they are (claim amr). authenticated_at: when, Unix seconds.
        client_id: who asks for it. session: your own name for the session (claim sid).
        claims: further claims, up to 4 KiB.
        lifetime: seconds, at most what the policy says; 0: that.
        Raises ConflictError where the user does not exist or is disabled. Writes to the disk for a refresh token.
        """
        borrowed = Borrowed()
        scope_list, scope_count = borrowed.many(scopes)
        audience_list, audience_count = borrowed.many(audience)
        factor_list, factor_count = borrowed.many(factors)
        request = borrowed.struct(
            "gatepost_token_request",
            signer=signer,
            user=user,
            client_id=client_id,
            session=session,
            claims=json.dumps(claims) if claims else "",
            scopes=scope_list,
            scope_count=scope_count,
            audience=audience_list,
            audience_count=audience_count,
            factors=factor_list,
            factor_count=factor_count,
            lifetime=lifetime,
            authenticated_at=authenticated_at,
            now=now,
            flags=int(TokenFlag.REFRESH) if refresh else 0,
        )
        return self._issued(lib.gatepost_token_issue, request)

    def refresh_token(self, token: str, *, client_id: str = "", scopes: Sequence[str] = (), now: int = 0) -> Tokens:
        """Exchanges a refresh token for an access token and the next refresh token, once. Writes to the disk.

        client_id: whom it was issued with. scopes: fewer than the login has; none: all.
        Raises RefusedError where it is unknown, expired, revoked, used before or another client's: invalid_grant.
        """
        borrowed = Borrowed()
        scope_list, scope_count = borrowed.many(scopes)
        request = borrowed.struct(
            "gatepost_refresh_request",
            token=token,
            client_id=client_id,
            scopes=scope_list,
            scope_count=scope_count,
            now=now,
        )
        return self._issued(lib.gatepost_token_refresh, request)

    def _issued(self, call: Any, request: Any) -> Tokens:
        made = taken(call, "gatepost_tokens", lib.gatepost_tokens_free, self._started(), request)
        issued = _view("gatepost_issued", lib.gatepost_tokens_view, made)
        return Tokens(
            string(issued.access_token),
            string(issued.refresh_token) or None,
            string(issued.scope),
            string(issued.user),
            string(issued.session) or None,
            string(issued.token_id),
            string(issued.json),
            issued.expires_in,
            issued.expires_at,
            issued.refresh_expires_at or None,
        )

    def revoke_token(
        self,
        token: str = "",
        *,
        issuer: str = "",
        token_id: str = "",
        session_id: str = "",
        subject: str = "",
        user: str = "",
        before: int = 0,
        until: int = 0,
    ) -> None:
        """Revokes tokens, from the next decision on and in every process that shares the state. Writes to the disk.

        Exactly one of: token, whose signature must be right; token_id, session_id or subject, each with its issuer; user.
        before: of a subject or user, only those issued before; 0: until now.
        until: by when all these tokens have expired, so that the entry may be forgotten; 0: not known.
        """
        borrowed = Borrowed()
        revocation = borrowed.struct(
            "gatepost_revocation",
            token=token,
            issuer=issuer,
            token_id=token_id,
            session_id=session_id,
            subject=subject,
            user=user,
            before=before,
            until=until,
        )
        settle(lib.gatepost_token_revoke, self._started(), revocation)

    def hash_password(self, password: str) -> str:
        """Hashes a password with Argon2id at the cost that the policy says. Slow on purpose; other threads run."""
        return hash_password(password, self._alive())

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether a hash was made with another cost or form than the policy asks for now."""
        return needs_rehash(password_hash, self._alive())


def _view(kind: str, call: Any, made: Any) -> Any:
    view = ffi.new(f"{kind} *")
    view.struct_size = ffi.sizeof(kind)
    status = call(made, view)
    if status != Status.OK:
        raise failure(status)
    return view


def hash_password(password: str, _engine: Any = ffi.NULL) -> str:
    """Hashes a password with Argon2id and a fresh salt, at the default cost of policies: "$argon2id$v=19$…".

    Slow on purpose; other threads run meanwhile. Raises InvalidArgumentError where it cannot be a password.
    """
    borrowed = Borrowed()
    made = taken(
        lib.gatepost_password_hash, "gatepost_bytes", lib.gatepost_bytes_free, _engine, borrowed.given(password)
    )
    return string(lib.gatepost_bytes_view(made))


def verify_password(password: str, password_hash: str) -> bool:
    """Checks a password against a hash as crypt(3), htpasswd, Django, passlib and Werkzeug write them, in constant time.

    Slow on purpose; other threads run meanwhile. Raises UnsupportedError where the form of the hash is not known.
    """
    borrowed = Borrowed()
    matches = ffi.new("uint32_t *")
    settle(lib.gatepost_password_verify, borrowed.given(password), borrowed.given(password_hash), matches)
    return bool(matches[0])


def needs_rehash(password_hash: str, _engine: Any = ffi.NULL) -> bool:
    """Whether a hash was made with another cost or form than policies have by default."""
    borrowed = Borrowed()
    needs = ffi.new("uint32_t *")
    settle(lib.gatepost_password_needs_rehash, _engine, borrowed.given(password_hash), needs)
    return bool(needs[0])
