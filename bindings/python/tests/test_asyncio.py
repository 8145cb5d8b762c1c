"""Deciding in event loops."""

import asyncio
import gc
import threading
import time

import pytest
import uvloop

import gatepost
from gatepost import AsyncPool

from .conftest import PATIENCE, PLAIN, Place, basic


def request(target: str, *headers: tuple[str, str]) -> gatepost.Request:
    return gatepost.Request("GET", target, [("Host", "a.example"), *headers], peer="192.0.2.8")


def test_passwords_are_checked_without_blocking_the_loop(place: Place) -> None:
    engine = gatepost.Engine(place.policy)

    async def main() -> None:
        most = 0
        for again in range(10):  # the processor of the loop may stand still while those of the hashes go on
            turns = 0
            ended = False

            async def count() -> None:
                nonlocal turns
                while not ended:
                    turns += 1
                    await asyncio.sleep(0)

            counting = asyncio.create_task(count())
            before = threading.active_count()
            wrong = [request("/orders/7", basic(f"nobody{again}-{n}", "wrong password here")) for n in range(4)]
            decisions = await asyncio.gather(*(engine.decide_async(each) for each in wrong))
            assert threading.active_count() == before, "no thread of Python's"
            ended = True
            await counting
            assert [decision.status for decision in decisions] == [401] * 4
            most = max(most, turns)
            if most > 20:
                break
        assert most > 20, "the loop went round while hashes were computed"
        right = await engine.decide_async(request("/orders/7", basic("alice")))
        assert right.subject == "alice" and right.roles == ("clerk",)

    asyncio.run(main())
    engine.close()


def test_what_is_cheap_comes_at_once(engine: gatepost.Engine) -> None:
    async def main() -> None:
        coroutine = engine.decide_async(request("/public"))
        with pytest.raises(StopIteration) as ended:
            coroutine.send(None)
        assert ended.value.value.allowed

    asyncio.run(main())


def test_a_cancelled_request_is_cancelled(place: Place) -> None:
    engine = gatepost.Engine(place.policy)

    async def main() -> None:
        pool = AsyncPool(threads=1)
        assert AsyncPool.current() is pool
        wrong = request("/orders/7", basic("alice", "wrong password here"))
        waiting = [asyncio.create_task(engine.decide_async(wrong)) for _ in range(6)]
        await asyncio.sleep(0)
        for task in waiting[1:]:
            task.cancel()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        first = results[0]
        assert isinstance(first, gatepost.Decision) and first.status == 401
        assert all(isinstance(result, asyncio.CancelledError) for result in results[1:])
        assert (await engine.decide_async(request("/orders/7", basic("alice")))).allowed
        for turn in range(20):  # a loop that stands still for so long finds its time over and the answer there at once
            late = request("/orders/7", basic(f"late{turn}", "wrong password here"))
            try:
                await asyncio.wait_for(engine.decide_async(late), 0.0001)
            except asyncio.TimeoutError:
                break
        else:
            pytest.fail("none was cancelled")
        # What was cancelled is told by and by; nothing is left then. (Of loops that have ended something may be, until
        # they are collected.)
        for _ in range(18000):
            if not pool._waits:
                break
            await asyncio.sleep(0.01)
        assert not pool._waits

    asyncio.run(main())
    engine.close()


def test_a_full_queue_refuses(place: Place) -> None:
    engine = gatepost.Engine(place.policy)

    async def main() -> None:
        AsyncPool(threads=1, queue=1)
        asked = [request("/orders/7", basic(f"n{n}", "wrong password here")) for n in range(8)]
        decisions = await asyncio.gather(*(engine.decide_async(each) for each in asked))
        reasons = {decision.reason for decision in decisions}
        assert gatepost.Reason.OVERLOADED in reasons and gatepost.Reason.CREDENTIALS_INVALID in reasons
        assert all(not decision for decision in decisions)

    asyncio.run(main())
    engine.close()


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_loops_come_and_go(place: Place, new_loop: "type[asyncio.AbstractEventLoop]") -> None:
    engine = gatepost.Engine(place.policy)
    native = len(native_threads())
    for turn in range(4):
        loop = new_loop()
        asked = request("/orders/7", basic(f"loop{turn}", "wrong password here"))
        assert loop.run_until_complete(engine.decide_async(asked)).status == 401
        loop.close()
        del loop
        gc.collect()
    assert few_threads(native + 2), "the threads of pools ended with their loops"
    engine.close()


def native_threads() -> list[str]:
    import os

    return os.listdir("/proc/self/task")


def few_threads(most: int) -> bool:
    """The kernel shows a thread for a moment after it has ended."""
    end = time.monotonic() + PATIENCE
    while len(native_threads()) > most:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_a_pool_that_is_closed_tells_whoever_waits(place: Place) -> None:
    engine = gatepost.Engine(place.policy)

    async def closed(turn: int) -> bool:
        """Whether anybody still waited."""
        pool = AsyncPool(threads=1)
        asked = [request("/orders/7", basic(f"c{turn}{n}", "wrong password here")) for n in range(4)]
        tasks = [asyncio.create_task(engine.decide_async(each)) for each in asked]
        await asyncio.sleep(0)
        pool.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        errors = [result for result in results if isinstance(result, gatepost.GatepostError)]
        assert all(error.http_status == 503 for error in errors)
        return any(isinstance(result, gatepost.CancelledError) for result in results)

    async def main() -> None:
        # Where this thread stands still the pool is through with them first.
        assert any([await closed(turn) for turn in range(3)])
        again = await engine.decide_async(request("/orders/7", basic("alice")))
        assert again.allowed, "and the next one makes a new pool"

    asyncio.run(main())
    engine.close()


def test_without_a_loop_it_says_so() -> None:
    with pytest.raises(RuntimeError):
        AsyncPool()
    with pytest.raises(gatepost.GatepostError):

        async def main() -> None:
            AsyncPool(threads=100_000)

        asyncio.run(main())


def test_housekeeping_in_a_loop() -> None:
    async def main() -> None:
        events: list[gatepost.Event] = []
        engine = gatepost.Engine.from_text(PLAIN, on_event=events.append)
        house = asyncio.create_task(AsyncPool.current().keep_house(engine))
        await asyncio.sleep(0.05)
        assert not house.done()
        engine.close()
        house.cancel()
        with pytest.raises(asyncio.CancelledError):
            await house

    asyncio.run(main())


def test_housekeeping_outlives_a_full_queue_and_a_closed_pool(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[str] = []

    def fetch(wanted: gatepost.Fetch) -> gatepost.Fetched:
        asked.append(wanted.url)
        return gatepost.Fetched(0, error="nobody there")

    text = PLAIN + """
[[issuer]]
name = "far"
issuer = "https://far.example"
audience = ["tea"]
algorithms = ["ES256"]
keys = { url = "https://far.example/keys" }
[password]
iterations = 30
"""  # dear, so that the queue is still full when housekeeping comes
    engine = gatepost.Engine.from_text(text, on_fetch=fetch)

    async def main() -> None:
        first = AsyncPool(threads=1, queue=1)
        crowd = [request("/private", basic(f"n{n}", "wrong password here")) for n in range(4)]
        waiting = [asyncio.create_task(engine.decide_async(crowd[0]))]
        # Only once the thread has taken the first does the second wait, and leave no room.
        for _ in range(9000):
            await asyncio.sleep(0.001)
            if 'gatepost_hashing_jobs{state="running"} 1' in engine.metrics():
                break
        waiting += [asyncio.create_task(engine.decide_async(each)) for each in crowd[1:]]
        await asyncio.sleep(0)
        house = asyncio.create_task(first.keep_house(engine))
        await asyncio.gather(*waiting)
        for _ in range(9000):
            if asked or house.done():
                break
            await asyncio.sleep(0.02)
        assert set(asked) == {"https://far.example/keys"} and not house.done()
        assert "housekeeping failed and is tried again" in caplog.text
        first.close()
        await asyncio.sleep(0.05)
        assert not house.done()
        engine.close()
        await asyncio.wait_for(house, PATIENCE)

    asyncio.run(main())


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_loop_that_is_closed_with_jobs_pending_leaves_nothing(place: Place, new_loop: "type[asyncio.AbstractEventLoop]") -> None:
    from gatepost import aio

    engine = gatepost.Engine(place.policy)
    native = len(native_threads())
    for turn in range(4):
        loop = new_loop()

        async def main(turn: int = turn) -> None:
            wrong = request("/orders/7", basic(f"gone{turn}", "wrong password here"))
            for _ in range(3):
                asyncio.ensure_future(engine.decide_async(wrong))
            await asyncio.sleep(0)

        loop.run_until_complete(main())
        loop.close()
        del loop
    gc.collect()
    assert few_threads(native + 2) and not aio._waiting
    engine.close()
