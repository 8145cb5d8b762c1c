"""Proofs of possession: one that was used is used for all workers, and stays so over whatever happens to them."""

import os
import signal
import time

from frame import dpop, wire
from frame.places import PATIENCE
from frame.server import wait_for

from .site import site

PROXY = "location / { proxy_pass http://ECHO; add_header X-Worker $pid always; }"
PLACE = "http://localhost/orders/1"


def ask(server, fields):
    """Each time over a connection of its own, so that any worker may get it."""
    return wire.ask(server.port, "/orders/1", fields=[*fields, ("Connection", "close")])


def refused_by_all(server, fields, workers):
    """Until every worker has refused it."""
    met, end = set(), time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = ask(server, fields)
        assert answer.status == 401 and 'error="invalid_dpop_proof"' in " ".join(answer.all("WWW-Authenticate"))
        met.add(int(answer.get("X-Worker")))
        if met >= set(workers):
            return
    raise AssertionError(f"of {workers} only {met} answered")


def test_a_proof_is_good_once_for_all_workers_and_after_they_are_killed_and_after_a_restart(place, echo):
    client = dpop.Client(place.folder, place.secret)
    with site(place, PROXY, echo=echo, workers=2) as server:
        wait_for(lambda: len(server.worker_ids()) == 2, otherwise=server.said)
        for _ in range(20):
            fields = client.fields(PLACE)
            assert ask(server, fields).status == 200
            refused_by_all(server, fields, server.worker_ids())
        assert ask(server, client.fields("http://localhost/orders/2")).status == 401, "for another place"
        before = client.fields(PLACE)
        assert ask(server, before).status == 200
        killed = server.worker_ids()
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        wait_for(lambda: len(set(server.worker_ids()) - set(killed)) == 2, otherwise=server.said)
        refused_by_all(server, before, server.worker_ids())
        assert ask(server, client.fields(PLACE)).status == 200
    with site(place, PROXY, echo=echo, workers=2) as server:
        refused_by_all(server, before, server.worker_ids())
        assert ask(server, client.fields(PLACE)).status == 200
    assert (place.folder / "orders.db-proofs").exists()
