"""Failures are counted by all workers together, and stay counted whatever happens to them."""

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from frame import people, wire
from frame.server import wait_for

from .site import site

PROXY = "location / { proxy_pass http://ECHO; add_header X-Worker $pid always; }"
LIMIT = 10


def strict(place):
    """The policy with the limit for accounts, as it would be on the net."""
    text = place.policy.read_text()
    assert "account = { failures = 100000," in text
    place.policy.write_text(text.replace("account = { failures = 100000,", f"account = {{ failures = {LIMIT},"))


def guess(server, password):
    """Each time over a connection of its own, so that any worker may get it."""
    return wire.ask(server.port, "/orders/1", fields=[people.basic_of("alice", password), ("Connection", "close")])


def test_a_guesser_who_reaches_all_workers_has_as_many_tries_as_with_one(place, echo):
    strict(place)
    with site(place, PROXY, echo=echo, workers=4) as server:
        wait_for(lambda: len(server.worker_ids()) == 4, otherwise=server.said)
        with ThreadPoolExecutor(16) as clients:
            answers = list(clients.map(lambda n: guess(server, f"wrong {n}"), range(200)))
        told = Counter(answer.status for answer in answers)
        assert set(told) == {401, 429} and told[401] <= LIMIT, told
        assert len({answer.get("X-Worker") for answer in answers}) > 1, "or nothing was shown"
        # Two that failed at the same moment may both have been told 429: then as many are left.
        for n in range(told[401], LIMIT):
            assert guess(server, f"last {n}").status == 401, told
        for _ in range(20):
            refused = guess(server, people.PASSWORD)
            assert refused.status == 429 and 0 < int(refused.get("Retry-After")) <= 900
        killed = server.worker_ids()
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        wait_for(lambda: len(set(server.worker_ids()) - set(killed)) == 4, otherwise=server.said)
        assert guess(server, people.PASSWORD).status == 429
    with site(place, PROXY, echo=echo, workers=4) as server:
        assert guess(server, people.PASSWORD).status == 429
    # Whoever asks why sees it without the server.
    said = people.gatepost("decide", place.policy, "GET", "/orders/1", "--user", f"alice:{people.PASSWORD}", "--peer", "127.0.0.1", "--explain", fails=True)
    assert "throttled" in said and "429" in said, said


def test_who_comes_to_several_workers_at_once_with_a_right_password_gets_in(place, echo):
    place.policy.write_text(place.policy.read_text().replace("pair = { failures = 100000,", "pair = { failures = 2,"))
    with site(place, PROXY, echo=echo, workers=4) as server:
        wait_for(lambda: len(server.worker_ids()) == 4, otherwise=server.said)
        with ThreadPoolExecutor(24) as clients:
            answers = list(clients.map(lambda _: guess(server, people.PASSWORD), range(120)))
        assert Counter(answer.status for answer in answers) == {200: 120}
        assert len({answer.get("X-Worker") for answer in answers}) > 1, "or nothing was shown"
