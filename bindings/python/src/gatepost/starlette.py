"""For Starlette: the middleware, and a decorator that requires more of who asks than the policy does.

    app = Starlette(routes=…, middleware=[Middleware(GatepostMiddleware, engine=engine)])
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import HTTPConnection

from .asgi import GatepostMiddleware
from .decision import Decision
from .web import User, known

__all__ = ["GatepostMiddleware", "decision", "require", "user"]

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


def refuse(connection: HTTPConnection) -> NoReturn:
    """Raises the refusal that Starlette and FastAPI answer: 403, also for the handshake of a WebSocket."""
    if connection.scope["type"] == "websocket":
        raise WebSocketException(1008)
    raise HTTPException(403)


def require(**wanted: "str | Iterable[str]") -> Callable[[_Endpoint], _Endpoint]:
    """A decorator for endpoints: 403 unless who asks has all of role, scope, user, issuer, scheme; of a list, one of them.

    What the policy can say belongs there; this is for what only the code knows.
    """
    fixed = known(wanted)

    def decorate(endpoint: _Endpoint) -> _Endpoint:
        @functools.wraps(endpoint)
        async def guarded(connection: HTTPConnection, *args: Any, **kwargs: Any) -> Any:
            if not user(connection).has(**fixed):
                refuse(connection)
            if inspect.iscoroutinefunction(endpoint):
                return await endpoint(connection, *args, **kwargs)
            return await run_in_threadpool(endpoint, connection, *args, **kwargs)

        made: Any = guarded
        return made  # type: ignore[no-any-return]

    return decorate
