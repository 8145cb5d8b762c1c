"""For Starlette: the middleware, and a decorator that requires more of who asks than the policy does.

    app = Starlette(routes=…, middleware=[Middleware(GatepostMiddleware, engine=engine)])
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import HTTPConnection
from starlette.responses import Response

from ._require import Refusal, Wanted, known, lacking
from .asgi import GatepostMiddleware, asked
from .decision import Decision
from .web import User

__all__ = ["Forbidden", "GatepostMiddleware", "decision", "require", "user"]

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def user(connection: HTTPConnection) -> User:
    """Who asks."""
    found = connection.scope.get("user")
    if not isinstance(found, User):
        raise RuntimeError("GatepostMiddleware did not see this request: add it to the application, outermost")
    return found


def decision(connection: HTTPConnection) -> Decision:
    """The decision on this request."""
    user(connection)
    found: Decision = connection.scope["gatepost"]
    return found


class Forbidden(HTTPException):
    """What `require` raises: answered as the engine answers, unless the application has a handler of its own for it, for
    HTTPException or for 403."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(403, refusal.detail, {"Cache-Control": "no-store"})
        #: Why, and the decision's id, for handlers of your own.
        self.reason, self.id = refusal.reason, refusal.id
        self._refusal = refusal


async def _answer(_: Any, error: Any) -> Response:
    refusal: Refusal = error._refusal
    return Response(refusal.body, 403, refusal.headers)


# Where the answers to HTTPException stand that Starlette and FastAPI have themselves.
_DEFAULTS = ("starlette.middleware.exceptions", "fastapi.exception_handlers")


def demand(connection: HTTPConnection, wanted: Wanted) -> User:
    """Who asks, where they have what is wanted. Raises the refusal, also to the handshake of a WebSocket."""
    found = user(connection)
    refusal = lacking(decision(connection), wanted, asked, connection.scope)
    if refusal is None:
        return found
    if connection.scope["type"] == "websocket":
        raise WebSocketException(1008, f"{refusal.reason}, id {refusal.id}")
    # The application's own answers are known only here; what it has said itself counts more.
    answers: dict[Any, Any] = (connection.scope.get("starlette.exception_handlers") or [{}])[0]
    if getattr(answers.get(HTTPException), "__module__", None) in _DEFAULTS:
        answers.setdefault(Forbidden, _answer)
    raise Forbidden(refusal)


def require(**wanted: "str | Iterable[str]") -> Callable[[_Endpoint], _Endpoint]:
    """A decorator for endpoints: 403 unless who asks has all of role, scope, user, issuer, scheme; of a list, one of them.

    What the policy can say belongs there; this is for what only the code knows.
    """
    fixed = known(wanted)

    def decorate(endpoint: _Endpoint) -> _Endpoint:
        @functools.wraps(endpoint)
        async def guarded(connection: HTTPConnection, *args: Any, **kwargs: Any) -> Any:
            demand(connection, fixed)
            if inspect.iscoroutinefunction(endpoint):
                return await endpoint(connection, *args, **kwargs)
            return await run_in_threadpool(endpoint, connection, *args, **kwargs)

        made: Any = guarded
        return made  # type: ignore[no-any-return]

    return decorate
