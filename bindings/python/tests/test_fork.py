"""Fork: what was made before it starts again in each child, and nothing of the parent's is touched."""

import asyncio
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable

import pytest

import gatepost

from .conftest import PLAIN, Place, ask, basic, eventually


def child(work: Callable[[], object]) -> int:
    """Runs work in a forked child; its exit status."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    done = eventually(lambda: (ended := os.waitpid(pid, os.WNOHANG))[0] and (ended[1],))
    if not done:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert done, "the child hangs"
    return os.waitstatus_to_exitcode(done[0])


def test_a_child_decides_and_so_does_its_parent(place: Place) -> None:
    engine = gatepost.Engine(place.policy)
    key = ("X-API-Key", place.key)
    ids: set[str] = set()

    def work() -> None:
        assert ask(engine, "/orders/7", key).subject == "alice"
        assert ask(engine, "/orders/7", basic("alice", "wrong password here")).status in (401, 429)
        assert child(lambda: ask(engine, "/orders/7", key).roles == ("clerk",) or 1 / 0) == 0, "a grandchild"
        engine.close()

    for _ in range(3):
        # Before the parent has started, and after.
        assert child(work) == 0
        decision = ask(engine, "/orders/7", key)
        assert decision.subject == "alice"
        ids.add(decision.id)
    assert len(ids) == 3
    engine.close()


def test_a_decision_of_the_parents_can_be_read_and_dropped_in_a_child(engine: gatepost.Engine) -> None:
    decision = ask(engine, "/private")

    def work() -> None:
        assert decision.reason_name == "credentials_missing" and decision.body
        decision.close()

    assert child(work) == 0
    assert decision.body


def test_housekeeping_starts_anew_in_a_child(engine: gatepost.Engine) -> None:
    engine.keep_house()

    def work() -> None:
        assert engine._keeper is None and threading.active_count() == 1
        engine.keep_house()
        assert threading.active_count() == 2
        assert ask(engine, "/public")
        engine.close()

    for _ in range(20):
        assert child(work) == 0
    assert ask(engine, "/public")


def _in_pool(turn: int) -> tuple[int, str]:
    decision = ask(_shared[0], "/public" if turn % 2 else "/private")
    return os.getpid(), decision.reason_name


_shared: list[gatepost.Engine] = []


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str) -> None:
    context = multiprocessing.get_context(method)
    if method == "fork":
        _shared[:] = [gatepost.Engine.from_text(PLAIN)]
        ask(_shared[0], "/public")
        with context.Pool(2) as pool:
            answers = pool.map(_in_pool, range(40))
    else:
        with context.Pool(2, initializer=_initialise) as pool:
            answers = pool.map(_in_pool, range(40))
    assert [name for _, name in answers] == ["credentials_missing", "public"] * 20
    assert os.getpid() not in {pid for pid, _ in answers}


def _initialise() -> None:
    _shared[:] = [gatepost.Engine.from_text(PLAIN)]


def test_a_child_of_an_event_loop_has_a_pool_of_its_own(place: Place) -> None:
    engine = gatepost.Engine(place.policy)
    request = gatepost.Request("GET", "/orders/7", [("Host", "a"), basic("alice")])

    async def decide() -> "str | None":
        return (await engine.decide_async(request)).subject

    async def parent() -> None:
        assert await decide() == "alice"

        def work() -> None:
            asyncio.events._set_running_loop(None)
            assert asyncio.run(decide()) == "alice"

        assert child(work) == 0
        assert await decide() == "alice", "the parent's pool is whole"

    asyncio.run(parent())
    engine.close()


def test_forks_while_threads_keep_house(engine: gatepost.Engine) -> None:
    """The keeper is never inside the library when a child is made."""
    engine.keep_house()
    engines = [gatepost.Engine.from_text(PLAIN) for _ in range(5)]
    for each in engines:
        each.keep_house()

    def work() -> None:
        for each in engines:
            assert ask(each, "/public")

    for _ in range(30):
        assert child(work) == 0
    for each in engines:
        each.close()
