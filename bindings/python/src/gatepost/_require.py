"""What the code of an application requires of who asks, besides the policy, and the refusal where that is not met."""

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ._header import Reason
from ._policy import reason_text
from .decision import Decision, Identity

_log = logging.getLogger("gatepost")

Wanted = dict[str, "str | Iterable[str]"]

#: Kind of requirement -> the reason that the engine has for it.
_REASONS = {"role": Reason.ROLE_MISSING, "scope": Reason.SCOPE_MISSING}


def _had(identity: Identity, kind: str) -> tuple[str, ...]:
    """What an identity has of a kind."""
    if kind == "role":
        return identity.roles
    if kind == "scope":
        return identity.scopes
    if kind == "user":
        return (identity.subject,) if identity.issuer == "" else ()
    if kind == "issuer":
        return (identity.issuer,)
    if kind == "scheme":
        return (identity.scheme,)
    raise TypeError(f"{kind} cannot be required: role, scope, user, issuer, scheme")


def _unmet(identity: Identity, wanted: Wanted) -> str | None:
    """The first kind that an identity does not have as it is wanted."""
    for kind, value in wanted.items():
        any_of = {value} if isinstance(value, str) else set(value)
        if any_of.isdisjoint(_had(identity, kind)):
            return kind
    return None


def fits(identity: Identity, wanted: Wanted) -> bool:
    """Whether an identity has all that is wanted."""
    return _unmet(identity, wanted) is None


def known(wanted: Wanted) -> Wanted:
    """Refuses a requirement that `fits` would not know, where it is written and not where it is asked."""
    if not wanted:
        raise TypeError("require() wants at least one of role, scope, user, issuer, scheme; see `User.is_authenticated`")
    fixed: Wanted = {}
    for kind, value in wanted.items():
        _had(Identity("", "", "", (), ()), kind)
        fixed[kind] = value if isinstance(value, str) else tuple(value)
        if not all(isinstance(each, str) for each in fixed[kind]):
            raise TypeError(f"{kind} is a string, or several")
    return fixed


class Refusal(NamedTuple):
    """The answer to somebody who lacks what the code requires: 403, in the form of the engine's refusals."""

    reason: Reason
    #: The decision's, so that it can be looked for in the log.
    id: str
    #: The sentence for the person.
    detail: str
    body: str
    headers: dict[str, str]


def lacking(decision: Decision, wanted: Wanted, asked: Callable[[Any], str], given: Any) -> Refusal | None:
    """The refusal, written to the log; None where all is met. asked: says of `given` who asks for what."""
    identity = decision.identity
    if identity is None:
        # Nothing offers a login here, since the policy lets everybody in: hence 403, with the reason that is true.
        kind, reason = next(iter(wanted)), Reason.CREDENTIALS_MISSING
    else:
        unmet = _unmet(identity, wanted)
        if unmet is None:
            return None
        kind, reason = unmet, _REASONS.get(unmet, Reason.REQUIREMENT_UNMET)
    if _log.isEnabledFor(logging.INFO):
        value = wanted[kind]
        any_of = " or ".join(map(repr, (value,) if isinstance(value, str) else value)) or "of none"
        if identity is None:
            had = "nobody recognised"
        elif kind == "user":
            had = repr(f"{identity.issuer}#{identity.subject}" if identity.issuer else identity.subject)
        else:
            had = f"{', '.join(map(repr, _had(identity, kind))) or 'none'}, user {identity.subject!r}"
        _log.info("refused: id %s, 403 %s, %s: wanted %s %s, had %s", decision.id, reason, asked(given), kind, any_of, had)
    detail = reason_text(reason)
    problem = {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": detail}
    problem |= {"reason": reason.label, "id": decision.id}
    headers = {"Content-Type": "application/problem+json", "Content-Language": "en"}
    headers |= {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    body = json.dumps(problem, ensure_ascii=False, separators=(",", ":")) + "\n"
    return Refusal(reason, decision.id, detail, body, headers)


def line(method: str, path: str, peer: str) -> str:
    """Who asks for what, as the log has it: quoted, since it is the client's, and without the query, which may be secret."""
    whole = f"{method} {path}"
    if len(whole) > 200:
        whole = whole[:200] + "…"
    return f"{whole!r} from {peer or 'nobody known'}"
