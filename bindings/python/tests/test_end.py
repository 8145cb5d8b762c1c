"""Ends: of handles, in any order; of the interpreter, whatever goes on; and that nothing is left behind."""

import gc
import itertools
import os
import random
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

import gatepost

from .conftest import PATIENCE, PLAIN, Place, ask, basic

BEGIN = f"""
import asyncio, atexit, gc, os, signal, sys, threading, time
import gatepost
PLAIN = {PLAIN!r}
def ask(engine, target, *headers):
    return engine.decide(gatepost.Request("GET", target, [("Host", "a"), *headers], peer="192.0.2.7"))
WRONG = ("Authorization", "Basic bm9ib2R5Ondyb25nIHBhc3N3b3Jk")
def ask_or_closed(engine):
    try:
        ask(engine, "/private", WRONG)
    except gatepost.ClosedError:  # it came late
        pass
"""

ENDS = {
    "everything is left lying about": "engine = gatepost.Engine.from_text(PLAIN); d = ask(engine, '/private'); print('ok')",
    "housekeeping goes on": "engine = gatepost.Engine.from_text(PLAIN); engine.keep_house(); ask(engine, '/public'); print('ok')",
    "in a cycle": """
        class A: pass
        a = A(); a.me = a; a.engine = gatepost.Engine.from_text(PLAIN); a.decision = ask(a.engine, '/private')
        gc.disable(); del a; print('ok')
    """,
    "used in atexit": """
        @atexit.register
        def last():
            try:
                ask(engine, '/private')
            except gatepost.ClosedError:
                print('closed')
            else:
                print('ok')
        engine = gatepost.Engine.from_text(PLAIN)
    """,
    "a finalizer of a global decides": """
        engine = gatepost.Engine.from_text(PLAIN)
        class Late:
            def __del__(self):
                try:
                    ask(engine, '/private')
                except Exception:
                    pass
        late = Late(); ask(engine, '/private'); print('ok')
    """,
    "daemon threads decide": """
        engine = gatepost.Engine.from_text(PLAIN, clock=time.time)
        def run():
            try:
                while True:
                    ask(engine, '/private')
            except gatepost.ClosedError:
                pass
        for _ in range(3):
            threading.Thread(target=run, daemon=True).start()
        time.sleep(0.2); print('ok')
    """,
    "threads hash": """
        engine = gatepost.Engine.from_text(PLAIN)
        for _ in range(3):
            threading.Thread(target=ask_or_closed, args=(engine,), daemon=True).start()
        time.sleep(0.01); print('ok')
    """,
    "threads hash and ask a clock": """
        engine = gatepost.Engine.from_text(PLAIN, clock=time.time, on_event=lambda event: event.fields)
        for _ in range(3):
            threading.Thread(target=ask_or_closed, args=(engine,), daemon=True).start()
        time.sleep(0.02); print('ok')
    """,
    "a pool hashes and asks a clock": """
        engine = gatepost.Engine.from_text(PLAIN, clock=time.time)
        async def main():
            request = gatepost.Request('GET', '/private', [('Host', 'a'), WRONG])
            for _ in range(6):
                asyncio.ensure_future(engine.decide_async(request))
            await asyncio.sleep(0)
            print('ok', flush=True)
            loop.stop()
        loop = asyncio.new_event_loop()
        loop.create_task(main())
        loop.run_forever()
    """,
    "events are heard to the end": """
        heard = []
        engine = gatepost.Engine.from_text(PLAIN, on_event=heard.append)
        ask(engine, '/private'); assert heard; print('ok')
    """,
    "in a forked child": """
        engine = gatepost.Engine.from_text(PLAIN); engine.keep_house(); ask(engine, '/private')
        if os.fork() == 0:
            ask(engine, '/private'); sys.exit(0)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 0; print('ok')
    """,
    "without one": "gatepost.hash_password('four cups of green tea each noon'); print('ok')",
}


@pytest.mark.parametrize("debug", [False, True], ids=["", "debug"])
@pytest.mark.parametrize("name", ENDS)
def test_the_interpreter_ends_cleanly(name: str, debug: bool) -> None:
    """With the debug allocator freed memory is overwritten and ends are guarded."""
    extra = {"PYTHONMALLOC": "debug", "PYTHONFAULTHANDLER": "1"} if debug else {"PYTHONFAULTHANDLER": "1"}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-X", "dev" if debug else "faulthandler", "-c", BEGIN + textwrap.dedent(ENDS[name])],
            capture_output=True,
            text=True,
            env={**os.environ, **extra},
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, (done.returncode, done.stderr)
        assert done.stdout in ("ok\n", "closed\n"), done.stdout
        noise = [line for line in done.stderr.splitlines() if "Task was destroyed" not in line and "task:" not in line]
        assert not any(word in line for line in noise for word in ("Traceback", "Fatal", "panick")), done.stderr


def test_handles_go_in_any_order() -> None:
    for order in itertools.permutations(range(4)):
        engine = gatepost.Engine.from_text(PLAIN)
        things: list[object] = [engine, ask(engine, "/private"), ask(engine, "/public"), gatepost.Request()]
        del engine
        for index in order:
            things[index] = None
            gc.collect()


def test_handles_in_cycles_go_in_any_order() -> None:
    chance = random.Random(7)
    for _ in range(50):
        nodes: list[list[object]] = [[] for _ in range(6)]
        engine = gatepost.Engine.from_text(PLAIN)
        things: list[object] = [engine, ask(engine, "/private"), ask(engine, "/public"), engine, ask(engine, "/nowhere")]
        for node in nodes:
            node += [chance.choice(nodes), chance.choice(nodes), chance.choice(things)]
        del engine, things, nodes, node
        gc.collect()


def test_what_was_not_made_by_the_engine_frees_nothing() -> None:
    with pytest.raises(TypeError):
        gatepost.Decision()


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def flat(work: Callable[[], object], rounds: int, allowed: int) -> None:
    """The resident memory after a second half of the rounds is what it was after the first."""
    for _ in range(rounds):
        work()
    gc.collect()
    middle = resident()
    for _ in range(rounds):
        work()
    gc.collect()
    assert resident() - middle < allowed, f"{(resident() - middle) / rounds} bytes a round"


def test_memory_stays_flat_over_decisions(orders: gatepost.Engine, place: Place) -> None:
    key = ("X-API-Key", place.key)

    def work() -> None:
        decision = ask(orders, "/orders/7", key)
        assert decision.roles and decision.upstream_headers and decision.identity
        assert ask(orders, "/orders/7").body

    # One leaked decision of 1 KiB a round would be 20 MiB.
    flat(work, 20_000, 2 << 20)


def test_memory_stays_flat_over_engines_and_errors() -> None:
    def work() -> None:
        with gatepost.Engine.from_text(PLAIN, clock=lambda: 1764504000, on_event=lambda event: None) as engine:
            ask(engine, "/private")
            engine.metrics()
        with pytest.raises(gatepost.PolicyError):
            gatepost.Engine.from_text("[engine]\nfoo = 1\n")

    flat(work, 300, 3 << 20)


def test_memory_stays_flat_over_an_event_loop(place: Place) -> None:
    import asyncio

    engine = gatepost.Engine(place.policy)
    key = gatepost.Request("GET", "/orders/7", [("Host", "a"), ("X-API-Key", place.key)])
    wrong = gatepost.Request("GET", "/orders/7", [("Host", "a"), basic("alice", "wrong password here")])

    async def main() -> None:
        await asyncio.gather(*(engine.decide_async(key) for _ in range(500)), engine.decide_async(wrong))

    flat(lambda: asyncio.run(main()), 15, 3 << 20)
    engine.close()


def test_the_measure_sees_a_leak() -> None:
    kept: list[bytes] = []
    with pytest.raises(AssertionError, match="bytes a round"):
        flat(lambda: kept.append(os.urandom(1024)), 5000, 2 << 20)
