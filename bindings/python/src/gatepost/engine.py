"""The engine: a loaded policy with its state, shared by all threads."""

import atexit
import os
import time
import weakref
from typing import Any

from . import _events
from ._begin import begin, begin_laid, finished
from ._header import OptionFlag, Status
from ._library import Borrowed, ffi, lib, string
from .decision import Decision
from .errors import ClosedError, failure, settle
from .keeper import Keeper
from .request import Request, number
from .tokens import TokenMethods

_NOT_STARTED = int(Status.ERR_NOT_STARTED)


class Engine(TokenMethods):
    """A policy and its state. `Engine("orders.toml")` reads the policy and opens nothing else.

    Make it once, before workers are forked; it starts by itself in each process, at its first decision there, or with
    `start`. It may be used by any number of threads at once. It ends with its last reference, with `close`, or as a
    context manager; what is under way then still ends well.

    policy: path of the policy file.
    clock: answers Unix seconds; None: the system's. Must not call the engine.
    on_event: hears events, also where the policy names no file for them. Called by the thread that decides or polls,
        perhaps by several at once; must not call the engine. What it raises is logged (logger gatepost).
    on_fetch: fetches keys of issuers in place of the engine's own client.
    hashing_memory: most memory for hashing passwords in this process, in bytes; 0: 256 MiB.
    read_only: decide without leaving a trace: no counter, no last use. For tools, never for a server.

    Raises PolicyError, with file, line and column, where the policy does not load.
    """

    def __init__(
        self,
        policy: "str | os.PathLike[str]",
        *,
        clock: _events.Clock | None = None,
        on_event: _events.OnEvent | None = None,
        on_fetch: _events.OnFetch | None = None,
        hashing_memory: int = 0,
        read_only: bool = False,
    ) -> None:
        if policy is None:
            raise TypeError("policy must be a path, not None")
        borrowed = Borrowed()
        options = _options(borrowed, clock, on_event, on_fetch, hashing_memory, read_only)
        self._open(lib.gatepost_engine_open, borrowed.text(policy), options)

    @classmethod
    def from_text(
        cls,
        text: str,
        folder: "str | os.PathLike[str]" = "",
        *,
        clock: _events.Clock | None = None,
        on_event: _events.OnEvent | None = None,
        on_fetch: _events.OnFetch | None = None,
        hashing_memory: int = 0,
        read_only: bool = False,
    ) -> "Engine":
        """An engine of a policy that is no file. It cannot be reloaded.

        text: the policy.
        folder: where the files that it names are; empty: the working directory.
        """
        if text is None:
            raise TypeError("text must be a policy, not None")
        engine = cls.__new__(cls)
        borrowed = Borrowed()
        options = _options(borrowed, clock, on_event, on_fetch, hashing_memory, read_only)
        engine._open(lib.gatepost_engine_new, borrowed.text(text), borrowed.text(folder), options)
        return engine

    def _open(self, call: Any, *arguments: Any) -> None:
        self._handle: Any = None
        self._keeper: Keeper | None = None
        engine = ffi.new("gatepost_engine **")
        settle(call, *arguments, engine)
        self._handle = ffi.gc(engine[0], lib.gatepost_engine_free)
        _engines.add(self)

    def _alive(self) -> Any:
        handle = self._handle
        if handle is None:
            raise ClosedError("engine")
        return handle

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<gatepost.Engine, closed>" if self._handle is None else f"<gatepost.Engine, policy {self.generation}>"

    def __reduce__(self) -> Any:
        raise TypeError("an Engine cannot be copied or pickled: let each process make or inherit its own")

    def close(self) -> None:
        """Ends this reference. The engine ends once no call is under way, and then writes the events that wait."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.stop()
        self._handle = None

    def start(self) -> None:
        """Opens the state and the events file in this process. Again in one process it does nothing."""
        settle(lib.gatepost_engine_start, self._alive())

    def reload(self) -> None:
        """Reads the policy file again and swaps it in whole; on an error the old one stays in force.

        Reads files: not for an event loop.
        """
        settle(lib.gatepost_engine_reload, self._alive())

    def decide(self, request: Request) -> Decision:
        """Decides a request. Once for each request of a client.

        May block, to hash a password or to read the state; other threads run meanwhile. In an event loop:
        `decide_async`. Raises GatepostError where no decision could be made; then refuse, with its `http_status`.
        """
        try:
            text = request._text
        except AttributeError:
            raise _no_request(request) from None
        decided = None if text is None else begin(self, text)
        if type(decided) is Decision:
            return decided
        if decided is None:
            decided = begin_laid(self, request._laid())
        return decided if type(decided) is Decision else finished(decided)

    async def decide_async(self, request: Request) -> Decision:
        """Decides a request in an event loop: what is cheap at once, the rest on threads of the library's pool.

        No thread of Python's is used, and the loop never waits. Cancelling it cancels the work. Raises as `decide`.
        """
        if not isinstance(request, Request):
            raise _no_request(request)
        text = request._text
        decided = None if text is None else begin(self, text)
        if decided is None:
            decided = begin_laid(self, request._laid())
        if isinstance(decided, Decision):
            return decided
        from .aio import AsyncPool

        return await AsyncPool.current()._decision(decided)

    def wants_body(self, request: Request) -> int:
        """The most bytes of body that deciding this request takes; 0: none."""
        if not isinstance(request, Request):
            raise _no_request(request)
        return int(lib.gatepost_engine_wants_body(self._alive(), request._laid().pointer))

    def poll(self) -> float:
        """All housekeeping, slow parts inside: fetches keys, writes events and last uses. May block.

        Returns the seconds until the next call is useful. The middlewares and `keep_house` call it for you.
        """
        wait = ffi.new("uint64_t *")
        handle = self._alive()
        status = lib.gatepost_engine_poll(handle, wait, ffi.NULL)
        if status == _NOT_STARTED:
            self.start()
            status = lib.gatepost_engine_poll(handle, wait, ffi.NULL)
        if status:
            raise failure(status)
        return float(wait[0]) / 1000

    def keep_house(self) -> None:
        """Polls on a thread of this process from now on, until the engine is closed. Again it does nothing.

        A child does not inherit the thread: call it after fork, as the middlewares do at their first request.
        """
        if self._keeper is None:
            self.start()
            self._keeper = Keeper(self)

    def metrics(self) -> str:
        """The counters of this process as OpenMetrics text, to be sent as `METRICS_TYPE`."""
        text = ffi.new("gatepost_bytes **")
        handle = self._alive()
        status = lib.gatepost_engine_metrics(handle, text)
        if status == _NOT_STARTED:
            self.start()
            status = lib.gatepost_engine_metrics(handle, text)
        if status:
            raise failure(status)
        try:
            return string(lib.gatepost_bytes_view(text[0]))
        finally:
            lib.gatepost_bytes_free(text[0])

    @property
    def generation(self) -> int:
        """Counts the policies that were in force: 1 for the first, one more after each reload that succeeded."""
        return int(lib.gatepost_engine_generation(self._alive()))


def engine_of(given: object) -> Engine:
    """What a middleware was handed as its engine, where it is one."""
    if isinstance(given, Engine):
        return given
    made = f"gatepost.Engine({given!r})" if isinstance(given, (str, os.PathLike)) else "gatepost.Engine(…)"
    raise TypeError(f"engine must be a gatepost.Engine, not {type(given).__name__}: {made} makes one")


def _no_request(given: object) -> TypeError:
    return TypeError(f"a gatepost.Request is wanted, not {type(given).__name__}")


def _options(
    borrowed: Borrowed,
    clock: Any,
    on_event: Any,
    on_fetch: Any,
    hashing_memory: int,
    read_only: bool,
) -> Any:
    fields: dict[str, Any] = {
        "hashing_memory": number("hashing_memory", hashing_memory, 0),
        "flags": int(OptionFlag.READ_ONLY) if read_only else 0,
    }
    for name, function, data, finalizer in (
        ("clock", clock, "clock_data", "clock_finalizer"),
        ("on_event", on_event, "event_data", "event_finalizer"),
        ("on_fetch", on_fetch, "fetch_data", "fetch_finalizer"),
    ):
        if function is not None:
            if not callable(function):
                raise TypeError(f"{name} must be callable")
            fields[name] = getattr(_events, name)
            fields[data] = _events.hold(function)
            fields[finalizer] = _events.finalizer
    return borrowed.struct("gatepost_options", **fields)


_engines: "weakref.WeakSet[Engine]" = weakref.WeakSet()


def _forked() -> None:
    # The threads that kept house are the parent's. Whether the engine was started the library knows itself.
    for engine in list(_engines):
        engine._keeper = None


@atexit.register
def _exit() -> None:
    # Writes the events that wait. A thread that is inside the library while the interpreter ends must not come back into
    # it by a callback: it would be ended there, in the middle of the library. So no call begins any more, and those under
    # way are waited for: the library says itself when nothing can call back, by the last finalizer.
    from .aio import close_all

    for engine in list(_engines):
        engine.close()
    close_all()
    deadline = time.monotonic() + 10
    while _events.held() and time.monotonic() < deadline:
        time.sleep(0.001)
    if _engines:
        # For the thread that ran it to be out of it again.
        time.sleep(0.005)


os.register_at_fork(after_in_child=_forked)
