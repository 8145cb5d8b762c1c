"""For Django: a middleware, `request.user`, and a decorator.

    MIDDLEWARE = ["gatepost.django.GatepostMiddleware", …]      # first
    GATEPOST_POLICY = BASE_DIR / "orders.toml"                  # or GATEPOST_ENGINE, an Engine or a function that makes one

`request.user` is a `gatepost.web.User` with Django's names. Where `django.contrib.auth` keeps users of its own, add
`AuthenticationMiddleware` and `RemoteUserMiddleware` behind it, and `RemoteUserBackend`: local users of the policy then
are Django's users of the same name.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import TemplateDoesNotExist, loader
from django.urls import get_resolver
from django.views.defaults import permission_denied

from . import asgi, wsgi
from ._answer import LETS_IN
from ._require import Refusal, known, lacking, line
from .aio import AsyncPool
from .decision import Decision
from .engine import Engine
from .web import APPEND, SET, refused, undecided

__all__ = ["Forbidden", "GatepostMiddleware", "require"]

_View = TypeVar("_View", bound=Callable[..., Any])
_Next = Callable[[HttpRequest], Any]


def _engine() -> Engine:
    given = getattr(settings, "GATEPOST_ENGINE", None)
    if given is not None:
        made = given if isinstance(given, Engine) else given()
        if not isinstance(made, Engine):
            raise ImproperlyConfigured("GATEPOST_ENGINE must be a gatepost.Engine, or a function that makes one")
        return made
    policy = getattr(settings, "GATEPOST_POLICY", None)
    if not policy:
        raise ImproperlyConfigured("set GATEPOST_POLICY to the path of the policy, or GATEPOST_ENGINE")
    return Engine(policy)


class GatepostMiddleware:
    """Asks the engine about each request before anything else of Django sees it. For WSGI and ASGI."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _Next) -> None:
        self._next = get_response
        self._engine = _engine()
        self._async = iscoroutinefunction(get_response)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._house: asyncio.Task[None] | None = None
        if self._async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> "HttpResponseBase | Awaitable[HttpResponseBase]":
        """A middleware of Django's."""
        if self._async:
            return self._later(request)
        try:
            decision = wsgi.decide(self._engine, request.META)
            answer = None if decision._answer.action in LETS_IN else _answer(request, decision)
        except Exception as error:
            answer = _undecided(error)
        if answer is not None:
            return answer
        _show(request, decision)
        response: HttpResponseBase = self._next(request)
        return _applied(response, decision)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A hook of Django's: the answer where `require` refuses."""
        if not isinstance(exception, Forbidden) or _has_own_page():
            return None
        refusal = exception._refusal
        return HttpResponse(refusal.body, status=403, headers=refusal.headers)

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        try:
            decision = await self._decide(request)
            answer = None if decision._answer.action in LETS_IN else _answer(request, decision)
        except Exception as error:
            answer = _undecided(error)
        if answer is not None:
            return answer
        _show(request, decision)
        response: HttpResponseBase = await self._next(request)
        return _applied(response, decision)

    async def _decide(self, request: HttpRequest) -> Decision:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._engine.start()
            self._loop = loop
            self._house = loop.create_task(AsyncPool.current().keep_house(self._engine))
        scope = getattr(request, "scope", None)
        decided = asgi.begun(self._engine, scope) if scope is not None else wsgi.begun(self._engine, request.META)
        return decided if isinstance(decided, Decision) else await AsyncPool.current()._decision(decided)


class Forbidden(PermissionDenied):  # type: ignore[misc]  # Django has no types.
    """What `require` raises: answered as the engine answers, unless the site has a handler403 or a 403.html."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        #: Why, and the decision's id, for handlers of your own.
        self.reason, self.id = refusal.reason, refusal.id
        self._refusal = refusal


def _has_own_page() -> bool:
    if get_resolver().resolve_error_handler(403) is not permission_denied:
        return True
    try:
        loader.get_template("403.html")
    except TemplateDoesNotExist:
        return False
    return True


def _show(request: HttpRequest, decision: Decision) -> None:
    wsgi.show(request.META, decision)
    # Read from META when it is first asked for; nothing may have asked before.
    request.__dict__.pop("headers", None)
    every: Any = request
    every.user = request.META["gatepost.user"]
    every.gatepost = decision


def _asked(request: Any) -> str:
    return line(request.method or "", request.path, request.META.get("REMOTE_ADDR") or "")


def _answer(request: HttpRequest, decision: Decision) -> HttpResponse:
    return _response(*refused(decision, _asked, request))


def _undecided(error: Exception) -> HttpResponse:
    return _response(*undecided(error))


def _response(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> HttpResponse:
    response = HttpResponse(body, status=status)
    del response["Content-Type"]
    for name, value in headers:
        _add(response, name.decode("latin-1").title(), value.decode("latin-1"), APPEND)
    return response


def _applied(response: HttpResponseBase, decision: Decision) -> HttpResponseBase:
    for name, value, mode in decision._parts.response:
        _add(response, name.decode("latin-1"), value.decode("latin-1"), mode)
    return response


def _add(response: HttpResponseBase, name: str, value: str, mode: int) -> None:
    """Django has one field of each name, and cookies apart: what is added goes into the list that it has, as HTTP lets it."""
    if name.lower() == "set-cookie":
        response.cookies.load(value)
    elif mode == SET or name not in response:
        response[name] = value
    elif mode == APPEND:
        response[name] = f"{response[name]}, {value}"


def require(**wanted: "str | Iterable[str]") -> Callable[[_View], _View]:
    """A decorator for views: 403 unless who asks has all of role, scope, user, issuer, scheme; of a list, one of them.

    What the policy can say belongs there; this is for what only the code knows.
    """
    fixed = known(wanted)

    def check(request: Any) -> None:
        decision = getattr(request, "gatepost", None)
        if decision is None:
            raise ImproperlyConfigured("gatepost.django.GatepostMiddleware did not see this request: put it first")
        refusal = lacking(decision, fixed, _asked, request)
        if refusal is not None:
            raise Forbidden(refusal)

    def decorate(view: _View) -> _View:
        made: Any
        if iscoroutinefunction(view):

            @functools.wraps(view)
            async def guarded_later(request: Any, *args: Any, **kwargs: Any) -> Any:
                check(request)
                return await view(request, *args, **kwargs)

            made = guarded_later
        else:

            @functools.wraps(view)
            def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
                check(request)
                return view(request, *args, **kwargs)

            made = guarded
        return made  # type: ignore[no-any-return]

    return decorate
