"""Callbacks: the clock, events, and fetching, called by the library and never raising into it."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from ._header import Action, Reason, Severity
from ._library import Borrowed, callback, ffi, lib, string


class Event(NamedTuple):
    """Something that happened; docs/EVENTS.md says what there is."""

    #: What: "decision", "policy_reloaded" and so on.
    name: str
    #: One JSON object without line breaks. Never a secret.
    line: str
    severity: Severity
    #: The decision's id; empty where it is about none, like the rest of these.
    id: str
    status: int
    action: Action
    reason: Reason | None
    #: The tag of the request that it is about; 0: none.
    tag: int

    @property
    def fields(self) -> dict[str, Any]:
        """The line, read."""
        fields: dict[str, Any] = json.loads(self.line)
        return fields


class Fetch(NamedTuple):
    """A document that is wanted: one GET, the server's certificate verified, no redirect followed."""

    url: str
    #: Sent as If-None-Match, where it is not empty.
    etag: str
    #: Sent as Accept.
    accept: str
    #: PEM of the only authorities that may vouch for the server; empty: your own.
    ca: str
    #: Most octets of content that are taken.
    largest: int
    #: Seconds after which the answer comes too late.
    timeout: float


class Fetched(NamedTuple):
    """What the server said; status 0 and an error where there is no answer."""

    status: int
    body: bytes = b""
    etag: str = ""
    cache_control: str = ""
    content_type: str = ""
    error: str = ""


Clock = Callable[[], float]
OnEvent = Callable[[Event], object]
OnFetch = Callable[[Fetch], Fetched]

# What the library points to, until its finalizer says that nothing can call it any more.
_held: dict[Any, Any] = {}


def hold(function: Any) -> Any:
    """The data of a callback."""
    handle = ffi.new_handle(function)
    _held[handle] = function
    return handle


def held() -> bool:
    """Whether the library may still call back."""
    return bool(_held)


_log = logging.getLogger("gatepost")


def _report() -> None:
    _log.error("a callback failed", exc_info=True)


@callback("void(void *)")
def finalizer(data: Any) -> None:
    """Lets go of what a callback's data points to."""
    _held.pop(data, None)


@callback("int64_t(void *)")
def clock(data: Any) -> int:
    """Asks the host's clock; where it fails, the system's."""
    function = ffi.from_handle(data)
    try:
        seconds = int(function())
        if not 0 <= seconds < 1 << 63:
            raise ValueError(f"the clock says {seconds}, which is no time")
        return seconds
    except BaseException:
        _report()
        return int(time.time())


@callback("void(void *, const gatepost_event *)")
def on_event(data: Any, event: Any) -> None:
    """Tells the host of an event."""
    function = ffi.from_handle(data)
    try:
        function(
            Event(
                string(event.name),
                string(event.line),
                Severity(event.severity),
                string(event.id),
                event.status,
                Action(event.action),
                Reason(event.reason) if event.reason else None,
                int(ffi.cast("uintptr_t", event.user)),
            )
        )
    except BaseException:
        _report()


@callback("void(void *, const gatepost_fetch *)")
def on_fetch(data: Any, fetch: Any) -> None:
    """Has the host fetch a document; where it fails, that is the answer."""
    function = ffi.from_handle(data)
    wanted = Fetch(
        string(fetch.url),
        string(fetch.etag),
        string(fetch.accept),
        string(fetch.ca),
        fetch.largest,
        fetch.timeout_ms / 1000,
    )
    try:
        answer = Fetched(*function(wanted))
    except BaseException as error:
        _report()
        answer = Fetched(0, error=f"on_fetch failed: {error}")
    borrowed = Borrowed()
    lib.gatepost_fetch_reply_set(fetch.reply, borrowed.struct("gatepost_fetched", **answer._asdict()))
