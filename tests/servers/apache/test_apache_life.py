"""Processes that come and go: graceful restarts, killed children, clients that leave, the end."""

import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from apache.load import Load
from apache.site import POLICY, SIZES, Site, token
from frame import wire
from frame.people import PASSWORD
from frame.places import PATIENCE
from frame.server import resident

ALICE = wire.basic("alice", PASSWORD)
# Hashing that is quick enough to be done a thousand times, and no end to failures.
QUICK = POLICY + """
[password]
memory_kib = 1024
iterations = 1
[throttle]
account = { failures = 1000000, per = "15m" }
address = { failures = 1000000, per = "15m" }
prefix = { failures = 1000000, per = "15m" }
pair = { failures = 1000000, per = "15m" }
"""
ON = 'GatepostPolicy "@POLICY@"\n<Location "/">\nGatepost on\n</Location>\n'
RESTARTS = 200


@pytest.mark.parametrize("mpm", sorted(SIZES))
def test_two_hundred_graceful_restarts_under_load_drop_nothing_and_keep_no_memory(mpm):
    with Site(ON, QUICK, {"alice": ["clerk"]}, mpm=mpm).page("page.html").page("public/page.html") as site:
        asks = [("/page.html", [ALICE], 200), ("/page.html", [], 401), ("/page.html", [token()], 200),
                ("/public/page.html", [], 200), ("/page.html", [wire.basic("alice", "wrong")], 401)]
        with Load(site.port, asks) as load:
            for turn in range(RESTARTS):
                if turn == RESTARTS // 4:
                    before = resident(site.process.pid), len(os.listdir(f"/proc/{site.process.pid}/fd"))
                done = load.done
                site.graceful()
                site.wait_for(lambda: load.done > done)
            after = resident(site.process.pid), len(os.listdir(f"/proc/{site.process.pid}/fd"))
        assert load.failed == [] and load.done >= RESTARTS
        assert site.log().count("resuming normal operations") == RESTARTS + 1
        assert after[0] - before[0] < 1024, f"KiB before and after {RESTARTS * 3 // 4} restarts: {before[0]}, {after[0]}"
        assert after[1] <= before[1] + 2, "descriptors"


@pytest.mark.parametrize("mpm", sorted(SIZES))
def test_a_killed_child_is_replaced_and_the_state_is_whole(mpm):
    with Site(ON, QUICK, {"alice": []}, mpm=mpm).page("page.html") as site:
        asks = [("/page.html", [ALICE], 200), ("/page.html", [wire.basic("alice", "wrong")], 401)]
        for _ in range(3):
            with Load(site.port, asks):
                time.sleep(0.3)
                killed = site.children()
                for child in killed:
                    with suppress(ProcessLookupError):  # of those that are too many, one may have gone by itself
                        os.kill(child, signal.SIGKILL)
            # What waits in the queue of the one that was killed is gone with it, and it may take one more in dying.
            site.wait_for(lambda: not set(killed) & set(site.children()))
            site.wait_for(lambda: answered(site))
        for target, fields, status in asks * 10:
            assert wire.ask(site.port, target, fields=fields).status == status


def leave(port: int, count: int):
    """So many clients with passwords, that are gone before they are answered."""
    for turn in range(count):
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(wire.request("/page.html", fields=[wire.basic("alice", f"wrong {turn}")]))
            if turn % 2:  # at once and with a reset, not in the order that TCP has for it
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def answered(site) -> bool:
    """A client that asks now gets an answer."""
    try:
        return wire.ask(site.port, "/page.html", fields=[ALICE]).status == 200
    except (wire.Ended, OSError):
        return False


@pytest.mark.parametrize("mpm", sorted(SIZES))
def test_ten_thousand_clients_that_leave_while_their_password_is_checked_leave_nothing_behind(mpm):
    sizes = {"prefork": "StartServers 2\nMinSpareServers 2\nMaxSpareServers 2\nMaxRequestWorkers 2\n"}.get(
        mpm, "StartServers 1\nServerLimit 1\nThreadsPerChild 8\nMaxRequestWorkers 8\nMinSpareThreads 1\nMaxSpareThreads 8\n")
    with Site(ON, QUICK, {"alice": []}, mpm=mpm, sizes=sizes).page("page.html") as site:
        leave(site.port, 3000)
        assert wire.ask(site.port, "/page.html", fields=[ALICE]).status == 200
        children = site.children()
        before = sum(map(resident, children))
        leave(site.port, 7000)
        assert wire.ask(site.port, "/page.html", fields=[ALICE]).status == 200
        # Those that went without a reset were read, and their passwords checked, though nobody waits any more.
        site.wait_for(lambda: len(site.told("gatepost: denied 401 credentials_invalid")) >= 5000)
        assert site.children() == children, "nobody died"
        assert sum(map(resident, children)) - before < 6 * 1024 * len(children)
        for child in children:
            site.wait_for(lambda: len(os.listdir(f"/proc/{child}/fd")) < 40)  # the last ones may be about to be closed


@pytest.mark.parametrize("mpm", sorted(SIZES))
def test_the_end_in_the_middle_of_hashing_is_quick_and_clean(mpm):
    slow = POLICY + '[password]\nmemory_kib = 65536\niterations = 3\n[events]\nfile = "events.jsonl"\n'
    site = Site(ON, slow, {"alice": []}, mpm=mpm).page("page.html").start()
    clients = []
    for turn in range(12):
        client = socket.create_connection(("127.0.0.1", site.port))
        client.sendall(wire.request("/page.html", fields=[wire.basic("alice", f"wrong {turn}")]))
        clients.append(client)
    time.sleep(0.2)
    children = site.children()
    site.may_crash = mpm == "event"  # see Site
    site.signal(signal.SIGTERM)
    # httpd itself kills after ten seconds those that do not end.
    assert site.process.wait(PATIENCE) == 0 and children
    site.wait_for(lambda: all(not Path(f"/proc/{child}").exists() for child in children))
    for client in clients:
        client.close()
    site.stop()


def test_the_last_events_are_written_when_a_child_ends():
    policy = POLICY + '[events]\nfile = "events.jsonl"\n'
    with Site(ON, policy, {"alice": []}).page("page.html") as site:
        identity = wire.ask(site.port, "/page.html").json()["id"]
        told = site.site / "events.jsonl"
        site.wait_for(lambda: told.read_text().count('"engine_started"') == 2)  # both children, as StartServers has it
        site.signal(signal.SIGWINCH)
        site.process.wait(PATIENCE)
        events = told.read_text()
        assert identity in events and events.count('"engine_started"') == events.count('"engine_ended"') > 0


def test_what_is_revoked_in_another_process_holds_in_every_child():
    with Site(ON, users={"alice": ["admin"]}, mpm="prefork").page("admin/page.html") as site:
        for _ in range(12):
            assert wire.ask(site.port, "/admin/page.html", fields=[ALICE]).status == 200
        from frame.people import gatepost

        gatepost("user", "revoke", "alice", "admin", "--policy", site.policy)
        for _ in range(12):
            assert wire.ask(site.port, "/admin/page.html", fields=[ALICE]).status == 403
