"""Threads, and who runs while the engine works."""

import gc
import signal
import sys
import threading
import time
from collections.abc import Callable

import pytest

import gatepost
from gatepost import _memory

from .conftest import PLAIN, ask, basic, eventually


def count_while(work: Callable[[], object], most: int = 1) -> int:
    """How far this thread counts while another one is in `work`, which is done again, at most so often, as long as this
    one has not come beyond 5: its processor may stand still for as long as it takes once.

    With a switch interval of a minute the other thread, once it works, gives this one a turn only by letting go of the
    lock itself; and this one gives it back by sleeping after each count.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)
    try:
        inside = threading.Event()
        count = 0

        def run() -> None:
            nonlocal count
            inside.set()
            for again in range(most):
                if again:
                    count = 0
                work()
                if count > 5:
                    break

        worker = threading.Thread(target=run)
        worker.start()
        inside.wait()
        while worker.is_alive():
            count += 1
            time.sleep(0.0001)
        worker.join()
        return count
    finally:
        sys.setswitchinterval(before)


def test_others_run_while_a_password_is_hashed() -> None:
    assert count_while(lambda: gatepost.hash_password("four cups of green tea each noon"), 40) > 5


def test_others_run_while_a_request_is_decided(orders: gatepost.Engine) -> None:
    decided: list[gatepost.Decision] = []

    def work() -> None:
        decided.append(ask(orders, "/orders/7", basic(f"nobody{len(decided)}", "no such password"), peer=f"10.0.0.{len(decided)}"))

    assert count_while(work, 40) > 5
    assert {decision.status for decision in decided} == {401}


def test_work_that_keeps_the_lock_would_be_noticed() -> None:
    # As long as several hashes: all of it in one call that never lets go.
    assert count_while(lambda: sum(range(2_000_000)), 10) <= 5


def test_threads_get_their_own_answers(orders: gatepost.Engine) -> None:
    wrong: list[str] = []

    def run(number: int) -> None:
        for turn in range(300):
            own = f"t{number}-{turn}"
            request = gatepost.Request("GET", "/orders/7" if turn % 2 else "/health", {"Host": "a"}, request_id=own)
            decision = orders.decide(request)
            if decision.id != own and turn % 2 or decision.status != (401 if turn % 2 else 200):
                wrong.append(f"{own}: {decision!r} {decision.id}")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_memory_for_decisions_is_one_owners_at_a_time(engine: gatepost.Engine) -> None:
    """An event's callback that decides in between takes other memory; afterwards all of it is there again."""
    inner: list[str] = []

    def heard(event: gatepost.Event) -> None:
        if event.name == "decision":
            decision = ask(engine, "/private")
            assert decision.id.encode() in decision.body
            inner.append(decision.id)

    with gatepost.Engine.from_text(PLAIN, on_event=heard) as outer:
        for turn in range(50):
            decision = ask(outer, "/nowhere")
            assert decision.status == 403 and decision.id.encode() in decision.body
            assert len(inner) == turn + 1 and decision.id not in inner
    assert len(set(inner)) == 50
    places = [id(place) for place, _ in _memory.free]
    assert len(places) == len(set(places)) >= 2


def test_close_while_others_decide() -> None:
    engine = gatepost.Engine.from_text(PLAIN)
    ask(engine, "/public")
    outcomes: list[object] = []

    def run() -> None:
        while True:
            try:
                decision = ask(engine, "/private")
                assert decision.reason_name == "credentials_missing"
            except gatepost.ClosedError:
                outcomes.append("closed")
                return
            except BaseException as error:
                outcomes.append(error)
                return

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    engine.close()
    for thread in threads:
        thread.join()
    assert outcomes == ["closed"] * 4


def test_close_while_others_read(engine: gatepost.Engine) -> None:
    for _ in range(200):
        decision = ask(engine, "/private")
        outcomes: list[object] = []

        def run(decision: gatepost.Decision = decision, outcomes: list[object] = outcomes) -> None:
            try:
                while True:
                    assert decision.attribute("reason") == "credentials_missing"
                    assert len(decision.body) > 100
            except gatepost.ClosedError:
                outcomes.append("closed")

        reader = threading.Thread(target=run)
        reader.start()
        decision.close()
        reader.join()
        assert outcomes == ["closed"]


def test_a_signal_handler_and_a_finalizer_may_decide_in_between(engine: gatepost.Engine) -> None:
    nested: list[int] = []

    def handler(*_: object) -> None:
        nested.append(ask(engine, "/private").status)

    class Loop:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            nested.append(ask(engine, "/public").status)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    threshold = gc.get_threshold()
    gc.set_threshold(5)
    try:
        for turn in range(2000):
            Loop()
            decision = ask(engine, "/public" if turn % 2 else "/nowhere")
            assert decision.status == (200 if turn % 2 else 403)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.set_threshold(*threshold)
    gc.collect()
    assert set(nested) == {200, 401}


def test_the_housekeeping_thread_ends_with_its_engine() -> None:
    def keepers() -> int:
        return sum(thread.name == "gatepost-keeper" for thread in threading.enumerate())

    before = keepers()
    engine = gatepost.Engine.from_text(PLAIN)
    engine.keep_house()
    engine.keep_house()
    assert keepers() == before + 1
    engine.close()
    assert eventually(lambda: keepers() == before)  # one in the middle of its work is not waited for without end
    engine = gatepost.Engine.from_text(PLAIN)
    engine.keep_house()
    del engine
    assert eventually(lambda: gc.collect() >= 0 and keepers() == before), "an engine that is dropped takes its thread along"
    with pytest.raises(gatepost.ClosedError):
        closed = gatepost.Engine.from_text(PLAIN)
        closed.close()
        closed.keep_house()
