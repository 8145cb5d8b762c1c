"""Housekeeping on a thread, for hosts without an event loop."""

import os
import threading
import weakref
from typing import Any

# Held while a keeper is inside the library, so that no fork falls into it: a child could inherit a lock that nobody opens.
_inside = threading.Lock()


class Keeper:
    """A thread that polls an engine until it is closed or gone."""

    def __init__(self, engine: Any) -> None:
        self._stop = threading.Event()
        # The thread keeps no reference to the engine between two polls, so that an engine that is dropped ends.
        self._thread = threading.Thread(
            target=_keep, args=(weakref.ref(engine), self._stop), name="gatepost-keeper", daemon=True
        )
        weakref.finalize(engine, self._stop.set)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; a poll that is under way is not waited for longer than a moment."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(0.5)


def _keep(engine: Any, stop: threading.Event) -> None:
    wait = 0.0
    while not stop.wait(wait):
        alive = engine()
        if alive is None:
            return
        try:
            with _inside:
                wait = alive.poll()
        except Exception:
            # Closed meanwhile, which `stop` tells; anything else may be better in a second.
            wait = 1.0
        del alive


_held = False


def _before() -> None:
    global _held
    # A fetch may take long; a fork does not wait for it for ever.
    _held = _inside.acquire(timeout=2)


def _after() -> None:
    global _held
    if _held:
        _held = False
        _inside.release()


def _in_child() -> None:
    global _inside, _held
    _inside, _held = threading.Lock(), False


os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_in_child)
