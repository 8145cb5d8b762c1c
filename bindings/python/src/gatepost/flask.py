"""For Flask: the middleware as an extension, `flask.g.user`, and a decorator.

    Gatepost(app, gatepost.Engine("orders.toml"))
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import flask
import werkzeug.exceptions

from ._require import Refusal, known, lacking
from .decision import Decision
from .engine import Engine
from .web import User
from .wsgi import Certificate, Environ, GatepostMiddleware, asked

__all__ = ["Forbidden", "Gatepost", "current_decision", "current_user", "require"]

_View = TypeVar("_View", bound=Callable[..., Any])


class Gatepost:
    """Puts the middleware around an application, and `flask.g.user` and `flask.g.decision` into each request.

    Last of all that wraps `app.wsgi_app`, so that it is outermost. app: may come later, by `init_app`.
    """

    def __init__(
        self,
        app: "flask.Flask | None" = None,
        engine: Engine | None = None,
        *,
        certificate: Certificate | None = None,
        request_id: "Callable[[Environ], str | bytes] | None" = None,
    ) -> None:
        self._certificate = certificate
        self._request_id = request_id
        if app is not None:
            if engine is None:
                raise TypeError("Gatepost(app, engine): the engine is missing")
            self.init_app(app, engine)

    def init_app(self, app: flask.Flask, engine: Engine) -> None:
        """Puts it around an application."""
        around: Any = GatepostMiddleware(
            app.wsgi_app, engine, certificate=self._certificate, request_id=self._request_id
        )
        app.wsgi_app = around  # type: ignore[method-assign]
        app.before_request(_remember)
        app.extensions["gatepost"] = engine


def _remember() -> None:
    flask.g.user = current_user()
    flask.g.decision = current_decision()


def current_user() -> User:
    """Who asks; `is_authenticated` is false for nobody."""
    found = flask.request.environ.get("gatepost.user")
    if not isinstance(found, User):
        raise RuntimeError("Gatepost did not see this request: Gatepost(app, engine) is missing")
    return found


def current_decision() -> Decision:
    """The decision on this request."""
    current_user()
    found: Decision = flask.request.environ["gatepost.decision"]
    return found


class Forbidden(werkzeug.exceptions.Forbidden):
    """What `require` raises: answered as the engine answers, unless the application has an error handler for 403."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        #: Why, and the decision's id, for handlers of your own.
        self.reason, self.id = refusal.reason, refusal.id
        self._refusal = refusal

    def get_body(self, *_: Any) -> str:
        """The problem details."""
        return self._refusal.body

    def get_headers(self, *_: Any) -> list[tuple[str, str]]:
        """The fields that go with them."""
        return list(self._refusal.headers.items())


def require(**wanted: "str | Iterable[str]") -> Callable[[_View], _View]:
    """A decorator for views: 403 unless who asks has all of role, scope, user, issuer, scheme; of a list, one of them.

    What the policy can say belongs there; this is for what only the code knows.
    """
    fixed = known(wanted)

    def decorate(view: _View) -> _View:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            refusal = lacking(current_decision(), fixed, asked, flask.request.environ)
            if refusal is not None:
                raise Forbidden(refusal)
            return flask.current_app.ensure_sync(view)(*args, **kwargs)

        made: Any = guarded
        return made  # type: ignore[no-any-return]

    return decorate
