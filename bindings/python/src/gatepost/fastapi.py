"""For FastAPI: the middleware, and dependencies.

    app.add_middleware(GatepostMiddleware, engine=engine)

    @app.delete("/orders/{id}", dependencies=[Depends(require(role="admin"))])
    def delete(id: int, user: Annotated[User, Depends(current_user)]): …
"""

from collections.abc import Callable, Iterable

from starlette.requests import HTTPConnection

from ._require import known
from .asgi import GatepostMiddleware
from .decision import Decision
from .starlette import Forbidden, demand
from .starlette import decision as _decision
from .starlette import user as _user
from .web import User

__all__ = ["Forbidden", "GatepostMiddleware", "User", "current_decision", "current_user", "require"]


# Coroutines, since FastAPI hands every other dependency to a thread.


async def current_user(connection: HTTPConnection) -> User:
    """Dependency: who asks; `is_authenticated` is false for nobody."""
    return _user(connection)


async def current_decision(connection: HTTPConnection) -> Decision:
    """Dependency: the decision on this request."""
    return _decision(connection)


def require(**wanted: "str | Iterable[str]") -> Callable[[HTTPConnection], User]:
    """A dependency: 403 unless who asks has all of role, scope, user, issuer, scheme; of a list, one of them.

    It gives the `User`. What the policy can say belongs there; this is for what only the code knows.
    """
    fixed = known(wanted)

    # No coroutine: called by hand and not awaited, it would let everybody in.
    def required(connection: HTTPConnection) -> User:
        return demand(connection, fixed)

    return required
