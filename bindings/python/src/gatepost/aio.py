"""Deciding in an event loop: the library's pool of threads, whose descriptor the loop watches."""

import asyncio
import itertools
import logging
import os
import weakref
from typing import Any

from ._header import Status
from ._library import callback, ffi, lib
from .decision import Decision, kept
from .errors import ClosedError, GatepostError, failure, settle

_log = logging.getLogger("gatepost")


class _Wait:
    """Somebody who waits for a submission."""

    __slots__ = ("__weakref__", "future", "kept")

    def __init__(self, future: "asyncio.Future[Any]", kept: "dict[int, _Wait]") -> None:
        self.future = future
        # Its pool's, which holds it, so that a loop that ends with jobs pending is not held by what was to be told it.
        self.kept = kept


# Who waits for which submission. The number goes through the library as a pointer that is never followed.
_waiting: "weakref.WeakValueDictionary[int, _Wait]" = weakref.WeakValueDictionary()
_numbers = itertools.count(1)


@callback("void(void *, gatepost_status, gatepost_decision *)")
def _done(data: Any, status: int, pointer: Any) -> None:
    number = int(ffi.cast("uintptr_t", data))
    wait = _waiting.get(number)
    future = None if wait is None else wait.future
    if wait is not None:
        wait.kept.pop(number, None)
    if future is None or future.done() or future.get_loop().is_closed():
        lib.gatepost_decision_free(pointer)
    elif status != Status.OK:
        future.set_exception(failure(status))
    else:
        future.set_result(pointer)


class AsyncPool:
    """Threads of the library's that run what is slow, for one event loop. They are not Python's, and no request has one.

    `AsyncPool.current()` gives the running loop's, made when it is first wanted; `Engine.decide_async` and the ASGI
    middleware use it. It serves any number of engines.

    threads: 1 to 256; None: as many as there are processors, at least 2.
    queue: how many jobs may wait; one more is answered with the refusal "overloaded".
    """

    def __init__(self, threads: int | None = None, queue: int = 1024) -> None:
        loop = asyncio.get_running_loop()
        made = ffi.new("gatepost_pool **")
        settle(lib.gatepost_pool_new, threads or max(2, min(os.cpu_count() or 2, 16)), queue, made)
        self._pid = os.getpid()
        self._pool: Any = made[0]
        self._fd = int(lib.gatepost_pool_fd(self._pool))
        self._loop = weakref.ref(loop)
        self._waits: dict[int, _Wait] = {}
        # The loop alone holds the pool, which ends with it.
        loop.add_reader(self._fd, self._dispatch)
        _pools[loop] = weakref.ref(self)
        _every.add(self)

    @classmethod
    def current(cls) -> "AsyncPool":
        """The pool of the running event loop."""
        loop = asyncio.get_running_loop()
        known = _pools.get(loop)
        pool = None if known is None else known()
        return pool if pool is not None and pool._pool is not None else cls()

    def close(self) -> None:
        """Ends the threads, each once it is done with the hash in hand; what waits is cancelled."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        if self._pid == os.getpid():
            loop = self._loop()
            if loop is not None and not loop.is_closed():
                loop.remove_reader(self._fd)
        lib.gatepost_pool_free(pool)

    def __del__(self) -> None:
        if getattr(self, "_pool", None) is not None:
            self.close()

    def _dispatch(self) -> None:
        pool = self._pool
        if pool is not None:
            lib.gatepost_pool_dispatch(pool)

    def __reduce__(self) -> Any:
        raise TypeError("an AsyncPool belongs to its event loop")

    async def _submitted(self, job: Any) -> Any:
        """Runs a job; its decision's pointer, NULL for housekeeping. The job is taken over in any case."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        number = next(_numbers)
        _waiting[number] = self._waits[number] = _Wait(future, self._waits)
        status = lib.gatepost_pool_submit(self._pool or ffi.NULL, job, _done, ffi.cast("void *", number))
        if status != Status.OK:
            del self._waits[number]
            lib.gatepost_job_free(job)
            raise failure(status)
        try:
            return await future
        except asyncio.CancelledError:
            # Nobody wants it any more. A decision that came in the same moment is freed here.
            if number in self._waits:
                lib.gatepost_job_cancel(job)
            elif future.done() and not future.cancelled() and future.exception() is None:
                lib.gatepost_decision_free(future.result())
            raise

    async def _decision(self, job: Any) -> Decision:
        return kept(await self._submitted(job))

    async def keep_house(self, engine: Any) -> None:
        """Polls an engine until it is closed, or this is cancelled: `asyncio.create_task(pool.keep_house(engine))`.

        What fails is logged (logger gatepost) and tried again: also where the queue was full, or the pool was closed.
        """
        wait, job = ffi.new("uint64_t *"), ffi.new("gatepost_job **")
        engine.start()
        while True:
            try:
                status = lib.gatepost_engine_poll(engine._alive(), wait, job)
                if status != Status.OK:
                    raise failure(status)
                if job[0] != ffi.NULL:
                    pool = self if self._pool is not None else AsyncPool.current()
                    await pool._submitted(job[0])
                pause = max(wait[0] / 1000, 0.01)
            except ClosedError:
                return
            except GatepostError as error:
                _log.warning("housekeeping failed and is tried again: %s", error)
                pause = 1.0
            await asyncio.sleep(pause)


_pools: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[AsyncPool]]" = weakref.WeakKeyDictionary()
_every: "weakref.WeakSet[AsyncPool]" = weakref.WeakSet()


def close_all() -> None:
    """At the end of the process: threads of a pool may call a clock of Python's, which must be over before Python is."""
    for pool in list(_every):
        pool.close()


def _forked() -> None:
    # The parent's: its loop, its descriptors and whoever waits there.
    global _pools, _every
    for pool in list(_every):
        pool._pool = None
        pool._waits.clear()
    _pools, _every = weakref.WeakKeyDictionary(), weakref.WeakSet()


os.register_at_fork(after_in_child=_forked)
